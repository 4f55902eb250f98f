//! What PostgreSQL, the second database to come, does not run, or runs otherwise: no statement of this room has it.
//!
//! A list of words, not a parser: it holds what was thought of. Must not judge whether a statement is fast or right.

use super::source::Source;

/// (what stands in no statement, why).
const FORBIDDEN: &[(&str, &str)] = &[
    ("?", "a parameter is $1 there"),
    ("\"", "it holds a name there, never text"),
    ("`", "it holds nothing there"),
    ("[", "it holds no name there"),
    ("==", "equal is ="),
    ("->", "JSON is read otherwise there"),
    ("PRAGMA", "it is SQLite's"),
    ("INSERT OR", "say ON CONFLICT"),
    ("UPDATE OR", "there is none"),
    ("REPLACE INTO", "say ON CONFLICT"),
    ("ROWID", "rows have no number there"),
    ("OID", "it is something else there"),
    ("AUTOINCREMENT", "ids are text"),
    ("GLOB", "say LIKE … ESCAPE"),
    ("REGEXP", "say LIKE … ESCAPE"),
    ("MATCH", "say LIKE … ESCAPE"),
    ("COLLATE", "orders have other names there"),
    ("INDEXED", "indexes are chosen by the planner"),
    ("IFNULL", "say COALESCE"),
    ("IIF", "say CASE"),
    ("ISNULL", "say IS NULL"),
    ("NOTNULL", "say IS NOT NULL"),
    ("STRFTIME", "times are numbers"),
    ("DATETIME", "times are numbers"),
    ("JULIANDAY", "times are numbers"),
    ("UNIXEPOCH", "times are numbers"),
    ("CURRENT_TIMESTAMP", "the time is passed in"),
    ("GROUP_CONCAT", "it is string_agg there"),
    ("TOTAL(", "say COALESCE(sum(…), 0)"),
    ("PRINTF", "it is format there"),
    ("INSTR", "it is strpos there"),
    ("HEX(", "it is to_hex there"),
    ("RANDOMBLOB", "chance is passed in"),
    ("TYPEOF", "it is pg_typeof there"),
    ("CHANGES(", "statements say how many rows they changed"),
    ("LAST_INSERT_ROWID", "say RETURNING"),
    ("JSON_EACH", "it is jsonb_array_elements there"),
    ("JSON_EXTRACT", "it is another one there"),
    ("SQLITE_", "it is SQLite's"),
    ("AS INTEGER", "it has 32 bits there: say BIGINT"),
    ("AS INT)", "it has 32 bits there: say BIGINT"),
    ("AS REAL", "numbers are whole"),
    ("AS BLOB", "it is BYTEA there"),
    ("IMMEDIATE", "a transaction begins otherwise there"),
];

/// (file, statement, why it may).
const EXCUSED: &[(&str, &str, &str)] = &[
    ("order.rs", "PRAGMA data_version", "whether another process wrote, of which there is one kind with SQLite alone"),
    ("database.rs", "SELECT sqlite_version()", "a release of SQLite that could lose a commit is refused"),
    ("writer.rs", "BEGIN IMMEDIATE", "SQLite's way to lock before the first read"),
];

/// What of a statement no other database would take.
fn foreign(statement: &str) -> Vec<String> {
    let code = without_texts(statement);
    let mut foreign: Vec<String> = FORBIDDEN
        .iter()
        .filter(|(word, _)| has(&code, word))
        .map(|(word, because)| format!("{word}: {because}"))
        .collect();
    let words: Vec<&str> =
        code.split(|sign| !is_of_word(sign) && sign != '$').filter(|word| !word.is_empty()).collect();
    let is_compared = words.iter().enumerate().any(|(at, word)| *word == "IS" && is_operand(&words[at + 1..]));
    if is_compared {
        foreign.push("IS: it is for NULL alone there; say IS DISTINCT FROM, or compare both".to_owned());
    }
    let limit = code.split("LIMIT ").nth(1).unwrap_or_default();
    if limit.trim_start().split([' ', ')']).next().is_some_and(|count| count.contains(',')) {
        foreign.push("LIMIT a, b: say LIMIT … OFFSET".to_owned());
    }
    foreign
}

/// Whether what follows an `IS` is something to compare with.
fn is_operand(after: &[&str]) -> bool {
    match after {
        ["NOT", what, ..] | [what, ..] => !["NULL", "TRUE", "FALSE", "DISTINCT"].contains(what),
        [] => false,
    }
}

/// The statement in capitals, its texts empty.
fn without_texts(statement: &str) -> String {
    let outside = statement.split('\'').step_by(2);
    outside.collect::<Vec<_>>().join("''").to_uppercase()
}

/// Whether `word` stands in `code`, and not as a part of a longer word.
fn has(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let goes_on = |sign: Option<char>| sign.is_some_and(is_of_word);
        let (before, after) = (code[..at].chars().next_back(), code[at + word.len()..].chars().next());
        (!word.starts_with(is_of_word) || !goes_on(before))
            && (!word.ends_with(char::is_alphanumeric) || !goes_on(after))
    })
}

fn is_of_word(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

#[test]
fn sql_is_what_postgresql_runs_too() {
    let (mut broken, mut excused) = (Vec::new(), vec![0; EXCUSED.len()]);
    for source in Source::all() {
        let asked = source.functions.iter().flat_map(|function| function.asked.iter().flatten());
        for statement in source.statements.iter().chain(asked) {
            let foreign = foreign(statement);
            let excuse =
                EXCUSED.iter().position(|(file, excused, _)| *file == source.file && statement.as_str() == *excused);
            match excuse.filter(|_| !foreign.is_empty()).and_then(|place| excused.get_mut(place)) {
                Some(used) => *used += 1,
                None => broken.extend(foreign.iter().map(|foreign| format!("{}: {foreign}: {statement}", source.file))),
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    assert!(!excused.contains(&0), "an excuse that nobody needs: {excused:?}");
}

#[test]
fn a_foreign_word_is_found_and_nothing_in_a_text_or_a_longer_word() {
    for (statement, is_foreign) in [
        ("SELECT a FROM t WHERE b = $1 AND c IS NOT NULL AND d IS NULL LIMIT $2 OFFSET $3", false),
        ("SELECT 'why? \"rowid\" pragma' AS isnullable, row_id FROM void", false),
        ("SELECT a FROM t WHERE b IS DISTINCT FROM $1", false),
        ("SELECT rowid FROM t", true),
        ("SELECT a FROM t WHERE b = ?", true),
        ("SELECT a FROM t WHERE b = \"text\"", true),
        ("SELECT a FROM t WHERE b IS $1", true),
        ("SELECT a FROM t WHERE b IS NOT c", true),
        ("SELECT ifnull(a, 0) FROM t LIMIT 1", true),
        ("SELECT a FROM t LIMIT $1, $2", true),
        ("INSERT OR IGNORE INTO t VALUES ($1)", true),
        ("SELECT CAST(a AS INTEGER) FROM t", true),
    ] {
        assert_eq!(!foreign(statement).is_empty(), is_foreign, "{statement}: {:?}", foreign(statement));
    }
}
