//! The rules in force: those of `BERTH_FAULTS`, separated by `;`, for the whole process, and those that a test in this
//! process has armed for one storage.

use super::rule::{Action, Point, Rule};
use rustix::process::{Signal, getpid, kill_process};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

static IN_FORCE: LazyLock<Mutex<Vec<Arc<InForce>>>> = LazyLock::new(|| Mutex::new(of_environment()));

/// How a change goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Go {
    On,
    Half,
    Skip,
}

struct InForce {
    rule: Rule,
    root: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Points that matched.
    hits: usize,
    /// Points that were meant.
    reached: usize,
    dropped: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn of_environment() -> Vec<Arc<InForce>> {
    let rules = std::env::var("BERTH_FAULTS").unwrap_or_default();
    let rules = rules.split(';').filter(|rule| !rule.trim().is_empty());
    let in_force = rules.map(|text| {
        let Some(rule) = Rule::parse(text) else {
            // A test that asks for what is not there must not pass.
            tracing::error!(rule = text, "no such rule in BERTH_FAULTS");
            std::process::exit(2)
        };
        Arc::new(InForce::new(rule, Path::new("/")))
    });
    in_force.collect()
}

impl InForce {
    fn new(rule: Rule, root: &Path) -> Self {
        Self { rule, root: root.to_owned(), state: Mutex::default(), changed: Condvar::new() }
    }

    fn meet(&self, point: &Point) -> io::Result<Go> {
        if !point.path.starts_with(&self.root) || !self.rule.matches(point) {
            return Ok(Go::On);
        }
        let mut state = lock(&self.state);
        state.hits += 1;
        if state.dropped || !self.rule.means(state.hits) {
            return Ok(Go::On);
        }
        state.reached += 1;
        match &self.rule.action {
            Action::Kill => {
                let _ = kill_process(getpid(), Signal::KILL);
                // The signal may need a moment, in which nothing may happen.
                loop {
                    std::thread::park();
                }
            }
            Action::Fail(error) => return Err((*error).into()),
            Action::Half => return Ok(Go::Half),
            Action::Skip => return Ok(Go::Skip),
            Action::Sleep(time) => {
                drop(state);
                std::thread::sleep(*time);
            }
            Action::Stop => {
                let dropped = self.changed.wait_while(state, |state| !state.dropped);
                drop(dropped);
            }
            Action::Record(file) => {
                let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file)?;
                file.write_all(format!("{} {}\n", point.operation, point.text).as_bytes())?;
            }
        }
        Ok(Go::On)
    }
}

/// Does what the rules say of this point.
pub fn meet(point: &Point) -> io::Result<Go> {
    let rules = lock(&IN_FORCE).clone();
    let mut go = Go::On;
    for rule in rules {
        match rule.meet(point)? {
            Go::On => {}
            other => go = other,
        }
    }
    Ok(go)
}

/// A rule in force; dropping it ends it, and lets go whoever it stopped.
pub struct Armed(Arc<InForce>);

/// Puts a rule, in the words of `rule.rs`, in force for the storage below `root`; an error if it is none.
pub fn arm(root: &Path, rule: &str) -> io::Result<Armed> {
    let rule = Rule::parse(rule).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a rule"))?;
    let in_force = Arc::new(InForce::new(rule, &root.canonicalize()?));
    lock(&IN_FORCE).push(Arc::clone(&in_force));
    Ok(Armed(in_force))
}

impl Armed {
    /// How many came to what the rule means.
    pub fn count(&self) -> usize {
        lock(&self.0.state).reached
    }

    /// Waits until somebody has come there.
    pub async fn reached(&self) {
        while self.count() == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        lock(&IN_FORCE).retain(|other| !Arc::ptr_eq(other, &self.0));
        lock(&self.0.state).dropped = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Storage, files};

    #[test]
    fn a_change_below_the_root_fails_as_the_rule_says_and_only_so_often() {
        let (ours, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let armed = arm(ours.path(), "enospc rename").unwrap();
        files::replace(&other.path().join("file"), b"content").unwrap();
        assert_eq!(armed.count(), 0);
        let full = files::replace(&ours.path().join("file"), b"content").unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        assert_eq!(armed.count(), 1);
        assert_eq!(std::fs::read_dir(ours.path()).unwrap().count(), 0, "no temporary file stays");
        files::replace(&ours.path().join("file"), b"content").unwrap();
    }

    #[test]
    fn halved_writes_are_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let armed = arm(folder.path(), "half@1+").unwrap();
        files::replace(&folder.path().join("file"), b"content").unwrap();
        assert!(armed.count() > 1);
        assert_eq!(std::fs::read(folder.path().join("file")).unwrap(), b"content");
    }

    #[tokio::test]
    async fn who_is_stopped_goes_on_when_the_rule_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(folder.path()).unwrap();
        let stop = arm(folder.path(), "stop pause here").unwrap();
        let stopped = tokio::spawn({
            let storage = storage.clone();
            async move { storage.pause_task("here").await }
        });
        stop.reached().await;
        storage.pause_task("elsewhere").await;
        storage.pause_task("here").await;
        assert!(!stopped.is_finished(), "only the first one is stopped");
        drop(stop);
        stopped.await.unwrap();
    }
}
