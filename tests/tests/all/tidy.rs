//! The laws of the source: which words may stand in which folder, how a file begins, how long it is, and that the pages
//! for people name only what there is. A law is one entry of a table. Must not judge behaviour.

use std::fs;
use std::path::{Path, PathBuf};

/// Words that must not stand in the code below some folders. Comments and unit tests are free.
struct Law {
    below: &'static [&'static str],
    except: &'static [&'static str],
    words: &'static [&'static str],
    because: &'static str,
}

const FILES: &[&str] = &["std::fs", "tokio::fs", "rustix"];
const FILE_CALLS: &[&str] = &[
    "std::fs",
    "tokio::fs",
    "File::open",
    "File::create",
    "File::options",
    "OpenOptions",
    ".write_all(",
    ".write_vectored(",
    ".write_at(",
    ".write_all_at(",
    "pwrite",
    "pwritev2",
    ".set_len(",
    ".set_times(",
    ".set_modified(",
    ".set_permissions(",
    ".sync_data(",
    ".sync_all(",
    ".try_lock(",
    ".try_lock_shared(",
];
const CLOCKS: &[&str] = &["Timestamp::now", "SystemTime", "Instant"];
const SQL: &[&str] = &["SELECT ", "INSERT INTO", "DELETE FROM", "ON CONFLICT", "PRAGMA "];

const LAWS: &[Law] = &[
    Law {
        below: &["index-service/src/http", "registry-service/src/http"],
        except: &[],
        words: &["sqlx", "std::fs", "tokio::fs", "rustix", "reqwest"],
        because: "a door parses, calls one verb, and renders",
    },
    Law {
        below: &["index-service/src/domain", "registry-service/src/domain"],
        except: &[],
        words: &["actix", "sqlx", "reqwest", "std::fs", "tokio::fs", "rustix", "crate::http", "StatusCode"],
        because: "a verb knows no HTTP, no SQL and no files",
    },
    Law {
        below: &["index-service/src/domain", "registry-service/src/domain"],
        except: &[],
        words: &["Timestamp::now", "SystemTime"],
        because: "a verb is given the time",
    },
    Law {
        below: &["index-service/src/store", "registry-service/src/store"],
        except: &[],
        words: &["actix", "crate::http", "crate::domain"],
        because: "a shelf has no opinions and knows nobody above it",
    },
    Law {
        below: &["index-service/src/model", "registry-service/src/model", "shared"],
        except: &[],
        words: &["actix", "sqlx", "reqwest", "tokio", "crate::http", "crate::domain", "crate::store"],
        because: "a noun does nothing",
    },
    Law {
        below: &["index-service/src/model", "registry-service/src/model", "shared"],
        except: &[],
        words: FILES,
        because: "a noun touches no file",
    },
    Law {
        below: &["index-service/src/model", "registry-service/src/model", "shared"],
        except: &[],
        words: CLOCKS,
        because: "a noun has no clock",
    },
    Law {
        below: &[""],
        except: &["index-service/src/store", "tests/tests/all/tidy.rs"],
        words: &["sqlx"],
        because: "rows are the business of the index's store",
    },
    Law {
        below: &[""],
        except: &["index-service/src/store", "tests/tests/all/tidy.rs"],
        words: SQL,
        because: "SQL stands in the index's store",
    },
    Law {
        below: &["registry-service"],
        except: &["registry-service/src/store"],
        words: FILES,
        because: "bytes are the business of the registry's store",
    },
    Law {
        below: &["registry-service/src/store"],
        except: &["registry-service/src/store/disk.rs", "registry-service/src/store/faults"],
        words: FILE_CALLS,
        because: "a test must be able to make every change of a file fail, so disk.rs alone makes them",
    },
    Law {
        below: &["registry-service/src/store"],
        except: &[
            "registry-service/src/store/disk.rs",
            "registry-service/src/store/faults",
            "registry-service/src/store/cached_read.rs",
        ],
        words: &["rustix::fs"],
        because: "disk.rs makes the system calls; what is in memory already is read past it, in one file",
    },
    Law {
        below: &["registry-service"],
        except: &["registry-service/src/store/layout.rs", "registry-service/src/store/layout"],
        words: &["join(\"_"],
        because: "paths are made in one place",
    },
    Law {
        below: &["registry-service"],
        except: &[],
        words: &["index_service", "berth::"],
        because: "the services never name each other",
    },
    Law {
        below: &["index-service"],
        except: &[],
        words: &["registry_service", "berth::"],
        because: "the services never name each other",
    },
    Law {
        below: &["server", "shared"],
        except: &[],
        words: &["index_service", "registry_service", "berth::"],
        because: "what both services stand on knows neither",
    },
    Law {
        below: &[""],
        except: &["tests/tests/all/tidy.rs"],
        words: &["todo!", "dbg!", "unimplemented!", "FIXME", "XXX"],
        because: "what is unfinished is not here",
    },
];

/// A file with fewer is read in one go.
const SOFT_LIMIT: usize = 300;
const HARD_LIMIT: usize = 400;

/// Files above the soft limit, each with its reason.
const LONG_FILES: &[(&str, &str)] = &[];

#[test]
fn words_stand_only_where_the_layers_allow_them() {
    let mut broken = Vec::new();
    for (path, text) in sources("rs") {
        let code = code_of(&text);
        let stands_below = |folders: &[&str]| folders.iter().any(|folder| Path::new(&path).starts_with(folder));
        for law in LAWS.iter().filter(|law| stands_below(law.below) && !stands_below(law.except)) {
            let words = law.words.iter().filter(|word| names(&code, word));
            broken.extend(words.map(|word| format!("{path} names {word}: {}", law.because)));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_source_file_says_first_what_it_is_for() {
    let silent: Vec<_> = sources("rs").into_iter().filter(|(_, text)| !text.starts_with("//! ")).collect();
    assert!(silent.is_empty(), "no `//!` on line one: {:?}", silent.iter().map(|(path, _)| path).collect::<Vec<_>>());
}

#[test]
fn files_are_short() {
    let lengths = sources("rs").into_iter().map(|(path, text)| (text.lines().count(), path));
    let is_excused = |path: &str| LONG_FILES.iter().any(|(excused, _)| *excused == path);
    let long: Vec<_> =
        lengths.filter(|(lines, path)| *lines > HARD_LIMIT || (*lines > SOFT_LIMIT && !is_excused(path))).collect();
    assert!(long.is_empty(), "above {SOFT_LIMIT} lines: {long:?}");
}

#[test]
fn the_pages_for_people_name_only_what_there_is() {
    let files: Vec<_> = walk(&root(), "").into_iter().collect();
    let mut missing = Vec::new();
    for (page, text) in sources("md") {
        for word in text.split('`').skip(1).step_by(2).filter(|word| is_source_path(word)) {
            let there = root().join(word).exists() || files.iter().any(|file| Path::new(file).ends_with(word));
            if !there {
                missing.push(format!("{page} names {word}, which is not there"));
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

#[test]
fn nothing_names_a_place_outside_the_repository() {
    // In pieces, so that this file does not name them.
    let foreign = [["/wo", "rk/"], ["/root", "/.cargo"], ["../", "shared/"], ["storage", ".md"], ["protocol", ".md"]];
    let texts = ["rs", "md", "toml", "sql", "yml"].into_iter().flat_map(sources);
    let found: Vec<_> = texts
        .flat_map(|(path, text)| {
            let words = foreign.iter().map(|pieces| pieces.concat()).filter(|word| text.contains(word.as_str()));
            words.map(|word| format!("{path} names {word}")).collect::<Vec<_>>()
        })
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn a_word_is_found_in_code_and_not_in_comments_tests_or_longer_words() {
    for (text, found) in [
        ("use sqlx::Row;", true),
        ("let path = root.join(sqlx);", true),
        ("// sqlx is not here", false),
        ("    /// Nor sqlx here.", false),
        ("work(); // not sqlx", false),
        ("use mysqlx::Row;", false),
        ("code();\n#[cfg(test)]\nmod tests { use sqlx::Row; }", false),
    ] {
        assert_eq!(names(&code_of(text), "sqlx"), found, "{text}");
    }
}

/// Looks like the path of a file of ours, whole or from some room on: `store/layout.rs`.
fn is_source_path(word: &str) -> bool {
    let ending = word.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_plain = word.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-".contains(letter));
    is_plain && !word.starts_with(['/', '.']) && ["rs", "md", "sh", "toml", "sql", "yml"].contains(&ending)
}

/// The code, without comments and without the unit tests at its end.
fn code_of(text: &str) -> String {
    let code = text.split("\n#[cfg(test)]").next().unwrap_or_default();
    code.lines().map(|line| line.split("// ").next().unwrap_or_default()).filter(|line| !is_comment(line)).fold(
        String::new(),
        |mut code, line| {
            code.push_str(line);
            code.push('\n');
            code
        },
    )
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// Whether `word` stands in `code`, and not as a part of a longer word.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        let goes_on = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        let is_mark = |letter: char| !letter.is_alphanumeric();
        (!goes_on(before) || word.starts_with(is_mark)) && (!goes_on(after) || word.ends_with(is_mark))
    })
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Path and text of every file of ours with this ending.
fn sources(ending: &str) -> Vec<(String, String)> {
    let files =
        walk(&root(), "").into_iter().filter(|path| Path::new(path).extension().is_some_and(|own| own == ending));
    files.map(|path| (path.clone(), fs::read_to_string(root().join(&path)).unwrap())).collect()
}

/// Files below `folder`, without what is built and what is hidden.
fn walk(root: &Path, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap());
    let ours = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let is_ours = !name.starts_with('.') && name != "target" && !name.ends_with("-data");
        is_ours.then(|| (entry.file_type().unwrap().is_dir(), Path::new(folder).join(name).display().to_string()))
    });
    ours.flat_map(|(is_folder, path)| if is_folder { walk(root, &path) } else { vec![path] }).collect()
}
