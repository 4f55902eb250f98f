//! Laws of the SQL in this room, held by the database itself: every statement can be prepared on the tables as the
//! migrations leave them, is given as many values as it has parameters, walks no table that grows, and says nothing that the
//! second database to come would not understand.
//!
//! The statements are read out of the source, so that none can be forgotten. Must not run one: what they do is tested
//! over HTTP.

mod portable;
mod source;

use super::Database;
use source::{Function, Source};
use sqlx::{AssertSqlSafe, Executor, Row, SqlSafeStr};
use std::collections::BTreeMap;

/// Tables that have few rows on any instance.
const SMALL: [&str; 4] = ["counters", "incarnation", "repository_moves", "revocations"];

/// (file, part of a statement that walks a table, why it may).
const WALKS: &[(&str, &str, &str)] = &[
    ("accounts.rs", "SELECT 1 FROM people)", "it stops at the first account"),
    ("accounts.rs", "SELECT 1 FROM people WHERE is_admin = 1", "only when an account is changed, until the first one"),
    ("repositories.rs", "count(*)", "the length of a list is known when it was walked; only who asks for it pays"),
    ("repositories.rs", "AS TEXT)", "a list in the order of a time has no index, because it is of what one may see"),
    ("accounts.rs", "count(*)", "the length of a list, for administrators who ask for it"),
    ("accounts.rs", "AS TEXT)", "accounts in the order of a time, for administrators"),
    ("namespaces.rs", "count(*)", "the length of a list, for who asks for it"),
    ("organisations.rs", "count(*)", "the length of a list, for who asks for it"),
    ("decisions.rs", "decided_at < $1", "from the end of its index, where the old ones are"),
    ("decisions.rs", "OFFSET $1", "so many are kept at most"),
    ("decisions.rs", "GROUP BY asker", "so many are kept at most, and it is done now and then"),
    ("guesses.rs", "signed_in_at < $1", "from the end of its index, where the old ones are"),
    ("idempotency.rs", "begun_at < $1", "from the end of its index, where the old ones are"),
    ("search.rs", "LIKE", "a text may stand anywhere in a name; each repository that may be seen is looked at"),
];

/// Every statement of the room, with its file.
fn statements() -> Vec<(String, String)> {
    let all = Source::all().into_iter().flat_map(|source| {
        let file = source.file.clone();
        source.statements.into_iter().map(move |statement| (file.clone(), statement))
    });
    all.collect()
}

/// A database with every migration, and the folder that it goes away with.
async fn migrated() -> (Database, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("index.sqlite").display());
    (Database::open(&url).await.unwrap(), folder)
}

#[tokio::test]
async fn every_statement_can_be_prepared() {
    let (database, _folder) = migrated().await;
    let statements = statements();
    assert!(statements.len() > 90, "only {} were found", statements.len());
    let mut broken = Vec::new();
    for (file, statement) in statements {
        let prepared = database.write().await.unwrap().prepare(AssertSqlSafe(statement.clone()).into_sql_str()).await;
        broken.extend(prepared.err().map(|error| format!("{file}: {error}: {statement}")));
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn sql_is_text_in_the_source_and_gets_as_many_values_as_it_has_parameters() {
    let mut broken = Vec::new();
    for source in Source::all() {
        for Function { name, asked, values } in source.functions {
            let parameters: Option<Vec<usize>> = asked.iter().map(|asked| Some(parameters(asked.as_ref()?))).collect();
            // Of a statement that is passed in or chosen only the text is known.
            let wrong = parameters.is_some_and(|each| each.iter().sum::<usize>() != values);
            if wrong {
                broken.push(format!("{}: {name} binds {values} values: {asked:?}", source.file));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// `$1` to `$n`, each of which must be there: a missing one would be bound to what another one means.
fn parameters(statement: &str) -> usize {
    let number = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    let numbers: Vec<usize> = statement.split('$').skip(1).filter_map(number).collect();
    let last = numbers.iter().copied().max().unwrap_or_default();
    assert!((1..=last).all(|number| numbers.contains(&number)), "a parameter is left out: {statement}");
    last
}

#[tokio::test]
async fn no_statement_walks_a_table_that_grows() {
    let (database, _folder) = migrated().await;
    let mut reader = database.reader().await.unwrap();
    let mut tables: BTreeMap<i64, String> = BTreeMap::new();
    for row in sqlx::query("SELECT rootpage, tbl_name FROM sqlite_schema").fetch_all(&mut *reader).await.unwrap() {
        tables.insert(row.get(0), row.get(1));
    }
    let (mut broken, mut excused) = (Vec::new(), vec![0; WALKS.len()]);
    for (file, statement) in statements() {
        let Some(walked) = walked(&mut reader, &statement, &tables).await else { continue };
        let excuse = WALKS.iter().position(|(of, part, _)| *of == file && statement.contains(part));
        match excuse.and_then(|place| excused.get_mut(place)) {
            Some(used) => *used += 1,
            None => broken.push(format!("{file} walks {walked}: {statement}")),
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    assert!(!excused.contains(&0), "an excuse that nobody needs: {excused:?}");
}

/// A table that grows and that the statement reads from one end, as SQLite's own program for it says.
async fn walked(
    connection: &mut sqlx::SqliteConnection,
    statement: &str,
    tables: &BTreeMap<i64, String>,
) -> Option<String> {
    let explained = sqlx::query(AssertSqlSafe(format!("EXPLAIN {statement}")));
    let program = explained.fetch_all(connection).await.unwrap();
    let mut open = BTreeMap::new();
    for step in program {
        let (code, cursor, page): (String, i64, i64) = (step.get("opcode"), step.get("p1"), step.get("p2"));
        match code.as_str() {
            "OpenRead" | "OpenWrite" => drop(open.insert(cursor, tables.get(&page)?.clone())),
            "Rewind" | "Last" => {
                let table = open.get(&cursor).filter(|table| !SMALL.contains(&table.as_str()));
                if table.is_some() {
                    return table.cloned();
                }
            }
            _ => {}
        }
    }
    None
}
