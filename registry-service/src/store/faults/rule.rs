//! What happens at which point: `ACTION[@HIT[+]] [OPERATION [PART]]`, as `kill@17`, `eio@1 sync_dir /_tags/` or
//! `sleep:200@1+`.
//!
//! ACTION is one of
//! - `kill`: the process ends at once, as by `kill -9`;
//! - `eio`, `enospc`: the change, or the read, is not made and fails so;
//! - `half`: a write takes only the half of what it is given;
//! - `skip`: a sync does nothing, and says that it has done it;
//! - `sleep:MILLISECONDS`;
//! - `stop`: whoever comes waits until the rule is dropped;
//! - `record:FILE`: writes operation and path as a line of the file.
//!
//! HIT is the number of the point among those that match, 1 if it is not said; with `+` all from there on. OPERATION is the
//! name of a call in `disk.rs`, or `pause`; or `lock` or `read`, which change nothing, so that only a rule that names them
//! means them: who enumerates every point looks for what is half done. PART is a part of the path (for a rename, of both
//! with a blank between), or the name of the place.

use super::Change;
use crate::store::disk::File;
use rustix::io::Errno;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The operations that change nothing.
const LOCK: &str = "lock";
const READ: &str = "read";

/// What is about to happen.
pub struct Point {
    pub operation: &'static str,
    /// What is changed.
    pub path: PathBuf,
    /// What a rule's part is looked for in.
    pub text: String,
}

impl Point {
    fn new(operation: &'static str, path: &Path) -> Self {
        Self { operation, path: path.to_owned(), text: path.to_string_lossy().into_owned() }
    }

    fn of_file(operation: &'static str, file: &File) -> Self {
        let link = format!("/proc/self/fd/{}", file.as_raw_fd());
        Self::new(operation, &std::fs::read_link(link).unwrap_or_default())
    }

    pub fn of(change: &Change<'_>) -> Self {
        match change {
            Change::Create(path) => Self::new("create", path),
            Change::SetLen(file, _) => Self::of_file("set_len", file),
            Change::Sync(file) => Self::of_file("sync", file),
            Change::SyncDir(path) => Self::new("sync_dir", path),
            Change::Rename(from, to) => {
                Self { text: format!("{} {}", from.display(), to.display()), ..Self::new("rename", to) }
            }
            Change::Touch(path) => Self::new("touch", path),
            Change::Unlink(path) => Self::new("unlink", path),
            Change::CreateDir(path) => Self::new("create_dir", path),
            Change::RemoveDir(path) => Self::new("remove_dir", path),
        }
    }

    pub fn write(file: &File) -> Self {
        Self::of_file("write", file)
    }

    /// Between opening a lock's file and taking the lock.
    pub fn lock(file: &File) -> Self {
        Self::of_file(LOCK, file)
    }

    /// Before bytes of a file are read.
    pub fn read(file: &File) -> Self {
        Self::of_file(READ, file)
    }

    pub fn place(base: &Path, place: &'static str) -> Self {
        Self { text: place.to_owned(), ..Self::new("pause", base) }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Kill,
    Fail(Errno),
    Half,
    Skip,
    Sleep(Duration),
    Stop,
    Record(PathBuf),
}

/// A parsed rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub action: Action,
    hit: usize,
    goes_on: bool,
    operation: Option<String>,
    part: String,
}

impl Rule {
    /// `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.trim().splitn(3, ' ');
        let (action, hit) = words.next().map(|word| word.split_once('@').unwrap_or((word, "1")))?;
        let (hit, goes_on) = hit.strip_suffix('+').map_or((hit, false), |hit| (hit, true));
        let (action, argument) = action.split_once(':').unwrap_or((action, ""));
        let action = match action {
            "kill" => Action::Kill,
            "eio" => Action::Fail(Errno::IO),
            "enospc" => Action::Fail(Errno::NOSPC),
            "half" => Action::Half,
            "skip" => Action::Skip,
            "sleep" => Action::Sleep(Duration::from_millis(argument.parse().ok()?)),
            "stop" => Action::Stop,
            "record" => Action::Record(argument.into()),
            _ => return None,
        };
        let operation = words.next().map(str::to_owned);
        let part = words.next().unwrap_or_default().to_owned();
        Some(Self { action, hit: hit.parse().ok()?, goes_on, operation, part })
    }

    pub fn matches(&self, point: &Point) -> bool {
        let is_meant = match &self.operation {
            Some(operation) => operation == point.operation,
            None => ![LOCK, READ].contains(&point.operation),
        };
        is_meant && point.text.contains(&self.part)
    }

    /// Whether the matching point with this number is meant; the first one has number 1.
    pub fn means(&self, number: usize) -> bool {
        number == self.hit || self.goes_on && number > self.hit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_says_what_happens_where() {
        let point = |operation, text: &str| Point::new(operation, Path::new(text));
        let tag = point("rename", "/r/_manifests/tags/v1/current/link");
        for (text, matches, meant) in [
            ("kill", true, [1].as_slice()),
            ("eio@2", true, &[2]),
            ("enospc@2+", true, &[2, 3]),
            ("sleep:5@1+ rename", true, &[1, 2, 3]),
            ("half rename /tags/v1/", true, &[1]),
            ("stop sync_dir", false, &[1]),
            ("record:/tmp/points@3 rename /tags/v2/", false, &[3]),
        ] {
            let rule = Rule::parse(text).unwrap();
            assert_eq!(rule.matches(&tag), matches, "{text}");
            assert_eq!((1..=3).filter(|number| rule.means(*number)).collect::<Vec<_>>(), meant, "{text}");
        }
        let read = point("read", "/r/blobs/sha256/00/00/data");
        assert!(!Rule::parse("kill@1+").unwrap().matches(&read), "no change");
        assert!(Rule::parse("eio read /blobs/").unwrap().matches(&read));
        for bad in ["", "burn", "kill@x", "sleep:soon", "kill@"] {
            assert_eq!(Rule::parse(bad), None, "{bad:?}");
        }
    }
}
