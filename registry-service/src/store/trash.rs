//! Hiding: the collector renames what nobody seems to need, in its own directory, and whoever needs it after all renames
//! it back. What is not there is therefore looked for in place, among the hidden names, and in place again.
//!
//! A hidden name says since when it is hidden and which run hid it: a run unlinks only names of its own.

use super::files::{self, Placed};
use super::{found, intents::entries};
use jiff::Timestamp;
use std::io;
use std::path::{Path, PathBuf};

/// What a hidden name begins with. Distribution ignores such a name beside `data` and `link`.
const PREFIX: &str = "berth-trash.";

/// How often a file that others hide and bring back at the same time is looked for.
const ROUNDS: usize = 8;

/// The names that one run of the collector gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// When it began; what it hides is hidden since then.
    pub began: Timestamp,
    /// Tells it from every other run.
    pub id: String,
}

/// A file that is hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// Where it lies now.
    pub path: PathBuf,
    /// Since when.
    pub since: Timestamp,
    run: String,
}

impl Hidden {
    /// Reads a name beside `directory`'s `data` or `link`; `None` if it is not one of a hidden file.
    pub(super) fn parse(directory: &Path, name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix(PREFIX)?.split('.');
        let (since, run) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        // A name that this version did not give is as old as can be: it only has to wait for a mark.
        let since = since.parse().ok().and_then(|second| Timestamp::from_second(second).ok());
        let since = since.unwrap_or(Timestamp::UNIX_EPOCH);
        Some(Self { path: directory.join(name), since, run: run.to_owned() })
    }

    /// Whether `run` hid it, or took it over.
    pub fn is_of(&self, run: &Run) -> bool {
        self.run == run.id
    }

    /// Takes over what a run that has ended left. Tells whether it was still there.
    pub fn adopt(&self, run: &Run) -> io::Result<bool> {
        name_hidden(&self.path, self.since, run)
    }
}

/// Hides the file at `path`. Tells whether it was there. A crash may undo it, which does no harm.
pub(super) fn hide(path: &Path, run: &Run) -> io::Result<bool> {
    name_hidden(path, run.began, run)
}

/// Gives the file at `path` a name of what `run` hides, hidden since `since`, that no other file has: what was hidden in one
/// second may have been made again and hidden again. Tells whether it was there.
fn name_hidden(path: &Path, since: Timestamp, run: &Run) -> io::Result<bool> {
    for number in 0.. {
        let suffix = if number == 0 { String::new() } else { format!(".{number}") };
        let name = format!("{PREFIX}{}.{}{suffix}", since.as_second(), run.id);
        match found(files::rename_no_replace_unsynced(path, &path.with_file_name(name)))? {
            Some(Placed::Taken) => {}
            placed => return Ok(placed.is_some()),
        }
    }
    Ok(false)
}

/// What is hidden of the file at `path`.
pub(super) fn hidden(path: &Path) -> io::Result<Vec<Hidden>> {
    let directory = files::parent_of(path)?;
    Ok(entries(directory)?.iter().filter_map(|name| Hidden::parse(directory, name)).collect())
}

/// Makes sure that the file at `path` is in its place and lasts, bringing it back if it is hidden; what is brought back is
/// as good as new. `false`: it is nowhere.
pub(super) fn bring_back(path: &Path) -> io::Result<bool> {
    for _ in 0..ROUNDS {
        if files::rely_on(path)? {
            return Ok(true);
        }
        let hidden = hidden(path)?;
        if hidden.is_empty() {
            return files::rely_on(path);
        }
        for hidden in hidden {
            if put_back(&hidden, path)?.is_some() {
                return Ok(true);
            }
        }
    }
    files::rely_on(path)
}

/// Renames one hidden file back, never over another. `None`: it is hidden no more.
pub(super) fn put_back(hidden: &Hidden, path: &Path) -> io::Result<Option<Placed>> {
    let placed = found(files::rename_no_replace(&hidden.path, path))?;
    if placed == Some(Placed::New) {
        // From now on it is as young as if it had just been made: the next run leaves it alone.
        found(files::touch(path))?;
    }
    Ok(placed)
}

/// Reads the file at `path` wherever it is, hidden or not, without moving it.
pub(super) fn read_anywhere<T>(path: &Path, read: impl Fn(&Path) -> io::Result<Option<T>>) -> io::Result<Option<T>> {
    for _ in 0..ROUNDS {
        if let Some(content) = read(path)? {
            return Ok(Some(content));
        }
        let hidden = hidden(path)?;
        if hidden.is_empty() {
            return read(path);
        }
        for hidden in hidden {
            if let Some(content) = read(&hidden.path)? {
                return Ok(Some(content));
            }
        }
    }
    Ok(None)
}

/// Unlinks the file at `path` and everything that is hidden of it, until there is nothing left. Tells whether there was
/// something.
pub(super) fn remove_anywhere(path: &Path) -> io::Result<bool> {
    let mut removed = false;
    loop {
        let mut found_one = files::remove(path)?;
        for hidden in hidden(path)? {
            found_one |= files::remove(&hidden.path)?;
        }
        if !found_one {
            return Ok(removed);
        }
        removed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str) -> Run {
        Run { began: Timestamp::from_second(1_000).unwrap(), id: id.to_owned() }
    }

    #[test]
    fn what_is_hidden_is_read_brought_back_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("link");
        let read = |path: &Path| found(std::fs::read(path));
        assert!(!bring_back(&path).unwrap());
        std::fs::write(&path, "x").unwrap();

        assert!(hide(&path, &run("a")).unwrap());
        assert!(!path.exists() && !hide(&path, &run("b")).unwrap());
        assert_eq!(read_anywhere(&path, read).unwrap(), Some(b"x".to_vec()));
        assert!(bring_back(&path).unwrap() && path.exists());

        hide(&path, &run("a")).unwrap();
        assert!(remove_anywhere(&path).unwrap());
        assert_eq!(read_anywhere(&path, read).unwrap(), None);
        assert!(!remove_anywhere(&path).unwrap());
    }

    #[test]
    fn of_bringing_back_and_unlinking_at_once_exactly_one_wins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        for _ in 0..500 {
            std::fs::write(&path, "x").unwrap();
            hide(&path, &run("a")).unwrap();
            let name = hidden(&path).unwrap().remove(0);
            let (back, gone) = std::thread::scope(|scope| {
                let unlinking = scope.spawn(|| std::fs::remove_file(&name.path).is_ok());
                let back = bring_back(&path).unwrap();
                (back, unlinking.join().unwrap())
            });
            assert!(back != gone && back == path.exists());
        }
    }

    #[test]
    fn another_run_takes_over_and_keeps_the_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        std::fs::write(&path, "x").unwrap();
        hide(&path, &run("a")).unwrap();
        let old = hidden(&path).unwrap().remove(0);
        assert!(old.is_of(&run("a")) && old.adopt(&run("b")).unwrap());
        assert!(!old.adopt(&run("c")).unwrap(), "its name has gone");
        let new = hidden(&path).unwrap().remove(0);
        assert!(new.is_of(&run("b")) && new.since == old.since);
    }

    #[test]
    fn all_that_was_hidden_of_a_file_in_one_second_is_of_the_run_that_takes_it_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("link");
        for earlier in ["a", "b"] {
            std::fs::write(&path, "x").unwrap();
            assert!(hide(&path, &run(earlier)).unwrap());
        }
        std::fs::write(&path, "x").unwrap();
        for hidden in hidden(&path).unwrap() {
            assert!(hidden.adopt(&run("c")).unwrap());
        }
        assert!(hide(&path, &run("c")).unwrap() && !path.exists());
        let all = hidden(&path).unwrap();
        assert!(all.len() == 3 && all.iter().all(|hidden| hidden.is_of(&run("c"))), "{all:?}");
    }

    #[test]
    fn what_lies_in_place_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        std::fs::write(&path, "old").unwrap();
        hide(&path, &run("a")).unwrap();
        std::fs::write(&path, "new").unwrap();
        let old = hidden(&path).unwrap().remove(0);
        assert_eq!(put_back(&old, &path).unwrap(), Some(Placed::Taken));
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }
}
