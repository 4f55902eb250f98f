//! What a command prints: JSON, or a table that a person reads. Must not know a command.

use serde_json::Value;
use std::io::{self, Write};

/// Prints what was answered; of a list these columns of each entry.
pub fn print(answered: &Value, columns: &[&str], as_json: bool) -> anyhow::Result<()> {
    let text = match answered {
        Value::Null => String::new(),
        _ if as_json => format!("{answered:#}\n"),
        Value::Array(entries) => table(entries, columns),
        one => fields(one),
    };
    Ok(io::stdout().write_all(text.as_bytes())?)
}

/// A line of heads, and one for each entry.
fn table(entries: &[Value], columns: &[&str]) -> String {
    let heads = columns.iter().map(|column| column.replace('_', " ").to_uppercase()).collect();
    let cells = entries.iter().map(|entry| columns.iter().map(|column| cell(entry.get(*column))).collect());
    aligned(&[heads].into_iter().chain(cells).collect::<Vec<_>>())
}

/// A line for each field.
fn fields(one: &Value) -> String {
    let fields = one.as_object().into_iter().flatten();
    aligned(&fields.map(|(name, value)| vec![name.replace('_', " "), cell(Some(value))]).collect::<Vec<_>>())
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(true)) => "yes".to_owned(),
        Some(Value::Bool(false)) => "no".to_owned(),
        Some(other) => other.to_string(),
    }
}

/// Columns as wide as their widest cell, two spaces apart.
fn aligned(lines: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let lines = lines.iter().map(|line| {
        let cells = line.iter().enumerate().map(|(column, cell)| format!("{cell:<0$}", width(column)));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_is_a_table_and_one_thing_is_its_fields() {
        let entries = [json!({ "name": "acme", "disabled": false, "x": 1 }), json!({ "name": "ab", "last_use": null })];
        assert_eq!(
            table(&entries, &["name", "disabled", "last_use"]),
            "NAME  DISABLED  LAST USE\nacme  no        -\nab    -         -\n"
        );
        assert_eq!(fields(&json!({ "name": "acme", "is_admin": true })), "is admin  yes\nname      acme\n");
    }
}
