//! Settings from a YAML file in the shape of Distribution's `config.yml`, and from variables that hold such YAML: each value
//! becomes the variable that would set it, `http.addr` under `REGISTRY` that of `REGISTRY_HTTP_ADDR`. The environment wins
//! over the file.
//!
//! Must not know which settings there are: who reads the variables does, and can say the file's own name for each.

use crate::Environment;
use anyhow::{Context, bail, ensure};
use saphyr::{MarkedYaml, Scalar, ScalarStyle, YamlData, YamlLoader};
use saphyr_parser::Parser;
use std::collections::BTreeMap;
use std::path::Path;

/// One value of the file.
struct Entry {
    /// The keys that lead to it, and the numbers of list items.
    path: Vec<String>,
    line: usize,
    value: String,
}

impl Environment {
    /// Adds what the file at `path` says, where no variable says it.
    pub fn add_file(&mut self, prefix: &str, path: &Path) -> anyhow::Result<()> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("{shown} cannot be read"))?;
        for entry in entries(&text).with_context(|| format!("{shown} is no settings file"))? {
            let origin = format!("{} (line {} of {shown})", entry.path.join("."), entry.line);
            self.add(entry.variable(prefix), entry.value, origin, true);
        }
        Ok(())
    }

    /// Takes apart each variable below `prefix` that `is_section` says holds a map, by its name and its value, as users of
    /// Distribution write them: `X_TLS` with `{key: /k}` says `X_TLS_KEY`, if no variable does; of two maps the one with the
    /// longer name. One that holds no map is an error, which does not show it: it may hold a secret.
    pub fn spread_maps(&mut self, prefix: &str, is_section: impl Fn(&str, &str) -> bool) -> anyhow::Result<()> {
        let (mut maps, mut spread) = (Vec::new(), BTreeMap::new());
        for (name, value) in self.below(prefix).filter(|(name, value)| !value.is_empty() && is_section(name, value)) {
            let entries = entries(value).unwrap_or_default();
            ensure!(
                !entries.is_empty(),
                "{name} holds no map that can be read: write one as {{key: value}}, or a variable for each value"
            );
            for entry in entries {
                let origin = format!("{} in {name}", entry.path.join("."));
                spread.insert(entry.variable(name), (entry.value, origin));
            }
            maps.push(name.to_owned());
        }
        for name in &maps {
            self.remove(name);
        }
        for (name, (value, origin)) in spread {
            self.add(name, value, origin, false);
        }
        Ok(())
    }
}

impl Entry {
    /// The variable that would set it.
    fn variable(&self, prefix: &str) -> String {
        format!("{prefix}_{}", self.path.join("_").to_uppercase())
    }
}

fn entries(text: &str) -> anyhow::Result<Vec<Entry>> {
    let mut loader = YamlLoader::<MarkedYaml<'_>>::default();
    // Values stay as they are written: a time such as 168h and a port such as :5000 are the reader's to understand.
    loader.early_parse(false);
    Parser::new_from_str(text).load(&mut loader, true)?;
    if let Some(error) = loader.error() {
        bail!("{error}");
    }
    let documents = loader.into_documents();
    ensure!(documents.len() <= 1, "it holds more than one document");
    let mut entries = Vec::new();
    if let Some(document) =
        documents.first().filter(|document| value_of(document).is_none_or(|value| !value.is_empty()))
    {
        ensure!(matches!(document.data, YamlData::Mapping(_)), "it does not begin with a key");
        flatten(document, &mut Vec::new(), &mut entries)?;
    }
    Ok(entries)
}

fn flatten(node: &MarkedYaml<'_>, path: &mut Vec<String>, entries: &mut Vec<Entry>) -> anyhow::Result<()> {
    let line = node.span.start.line();
    match &node.data {
        // Named and left empty, as a key without a value: what it was meant to close must not stay open.
        YamlData::Mapping(map) if map.is_empty() && !path.is_empty() => {
            entries.push(Entry { path: path.clone(), line, value: String::new() });
        }
        YamlData::Mapping(map) => {
            for (key, value) in map {
                let key = value_of(key).with_context(|| format!("line {line}: a key is not a word"))?;
                ensure!(key != "<<", "line {line}: merged keys are not understood; write them out");
                path.push(key);
                flatten(value, path, entries)?;
                path.pop();
            }
        }
        YamlData::Sequence(items) => match items.iter().map(value_of).collect::<Option<Vec<_>>>() {
            Some(values) => entries.push(Entry { path: path.clone(), line, value: values.join(",") }),
            None => {
                for (number, item) in items.iter().enumerate() {
                    path.push(number.to_string());
                    flatten(item, path, entries)?;
                    path.pop();
                }
            }
        },
        YamlData::Tagged(_, inner) => flatten(inner, path, entries)?,
        _ => match value_of(node) {
            Some(value) => entries.push(Entry { path: path.clone(), line, value }),
            None => bail!("line {line}: the value of {} is not understood", path.join(".")),
        },
    }
    Ok(())
}

/// What is written there; empty for nothing. `None` if it is no single value.
fn value_of(node: &MarkedYaml<'_>) -> Option<String> {
    match &node.data {
        YamlData::Representation(text, ScalarStyle::Plain, _)
            if matches!(text.as_ref(), "~" | "null" | "Null" | "NULL") =>
        {
            Some(String::new())
        }
        YamlData::Representation(text, ..) => Some(text.to_string()),
        YamlData::Value(Scalar::Null) => Some(String::new()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# A comment
version: 0.1
log:
  fields: { service: registry }
storage: &storage
  delete:
    enabled: true
  filesystem:
    rootdirectory: '/var/lib/a #b'
http:
  addr: :5000
  headers:
    X-Content-Type-Options: [nosniff]
  allow: [10.0.0.0/8, '::1/128']
auth:
  token: {}
index:
again: *storage
endpoints:
  - name: a
    url: b
";

    #[test]
    fn each_value_is_found_by_its_keys_and_its_line() {
        let entries = entries(FILE).unwrap();
        let found: Vec<_> =
            entries.iter().map(|entry| (entry.path.join("."), entry.line, entry.value.as_str())).collect();
        let expected = [
            ("version", 2, "0.1"),
            ("log.fields.service", 4, "registry"),
            ("storage.delete.enabled", 7, "true"),
            ("storage.filesystem.rootdirectory", 9, "/var/lib/a #b"),
            ("http.addr", 11, ":5000"),
            ("http.headers.X-Content-Type-Options", 13, "nosniff"),
            ("http.allow", 14, "10.0.0.0/8,::1/128"),
            ("auth.token", 16, ""),
            ("index", 17, ""),
            ("again.delete.enabled", 7, "true"),
            ("again.filesystem.rootdirectory", 9, "/var/lib/a #b"),
            ("endpoints.0.name", 20, "a"),
            ("endpoints.0.url", 21, "b"),
        ];
        assert_eq!(found, expected.map(|(path, line, value)| (path.to_owned(), line, value)));
    }

    #[test]
    fn a_file_without_a_value_has_no_entries() {
        for text in ["", "# nothing\n", "---\n", "~\n", "{}\n"] {
            assert!(entries(text).unwrap().is_empty(), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_settings_file_is_refused() {
        for text in
            ["- a\n", "word\n", "a: b\na: c\n", "a: [\n", "a: b\n---\nc: d\n", "<<: { a: b }\n", "[a]: b\n", "\t\tx"]
        {
            assert!(entries(text).is_err(), "{text:?}");
        }
    }
}
