//! Work on the whole storage, which no client asks for: in this process, where a disk can fail, or in one of its own, which
//! can be killed.

use super::checker::files;
use super::ledger::Told;
use crate::support::{Registries, after_hours, at_once};
use registry_service::domain::collector::Collection;
use registry_service::domain::scrub::Scrub;
use registry_service::store::Storage;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tests::purge;

/// Hours from now, after everything that is hidden in any test.
const LATER: i64 = 100;

/// How often leftovers are settled that do not go at once.
const ATTEMPTS: usize = 5;

/// One of the chores, as a person or a timer begins it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chore {
    /// What nobody needs goes at once, manifests without a tag too.
    Collect,
    /// The same, and every manifest stays.
    CollectBlobs,
    /// As by default, so many hours from now.
    After(i64),
    /// A collection whose process dies when it has hidden what nobody needs, before it marks again.
    Abandon,
    /// Unfinished uploads and temporary files go, however young.
    Purge,
    /// What is damaged is put aside.
    Scrub,
    /// The index is told what stopped writers left to be told.
    Settle,
}

/// Who does chores, on which storage.
#[derive(Clone)]
pub enum Worker {
    /// This process, in the storage folder.
    Here(PathBuf),
    /// This process, which knows the index too.
    Beside(Registries),
    /// A process with these rules of fail points, in the data folder.
    Process { data: PathBuf, faults: String },
}

impl Worker {
    /// The storage folder.
    pub fn root(&self) -> PathBuf {
        match self {
            Self::Here(root) => root.clone(),
            Self::Beside(registries) => registries.root().to_owned(),
            Self::Process { data, .. } => data.join("registry"),
        }
    }

    /// Distribution's first folder in it.
    pub fn base(&self) -> PathBuf {
        self.root().join("docker/registry/v2")
    }

    /// Does a chore; whether it came to its end.
    pub async fn does(&self, chore: Chore) -> Told {
        let is_done = match self {
            _ if chore == Chore::Abandon => self.abandons().await,
            Self::Beside(registries) if chore == Chore::Settle => settle(registries, &self.base()).await,
            Self::Here(_) | Self::Beside(_) => here(&self.root(), chore).await.is_ok(),
            Self::Process { data, faults } => in_process(data, faults, chore).await,
        };
        if is_done { Told::Done } else { Told::Nothing }
    }

    /// Whether the collection died as it should and left something hidden.
    async fn abandons(&self) -> bool {
        let data = self.root().parent().unwrap().to_owned();
        let is_done = in_process(&data, "kill pause collector hid", Chore::Collect).await;
        !is_done && files(&self.base()).iter().any(|file| file.display().to_string().contains("/berth-trash."))
    }
}

/// Whether nothing is left to be told after a few attempts: another registry may be at it too.
async fn settle(registries: &Registries, base: &Path) -> bool {
    for _ in 0..ATTEMPTS {
        let registries = registries.clone();
        // A task of its own: it goes on while who waits for it looks elsewhere, and may hold what they need.
        let settled = tokio::spawn(async move { registries.settle().await }).await.unwrap();
        if settled.is_ok() && files(&base.join("berth/intents")).is_empty() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}

async fn here(root: &Path, chore: Chore) -> anyhow::Result<()> {
    if chore == Chore::Purge {
        return purge(root).await.map(drop);
    }
    let root = root.to_owned();
    let work = move || {
        let storage = Storage::open(&root)?;
        if chore == Chore::Scrub {
            return Ok(Scrub { storage: &storage, rate: None }.run(&mut |_| ())?);
        }
        let collection = match chore {
            Chore::After(hours) => after_hours(hours),
            Chore::Settle => panic!("nobody here knows the index"),
            _ => Collection { now: after_hours(LATER).now, delete_untagged: chore == Chore::Collect, ..at_once() },
        };
        Ok(collection.run(&storage, &mut |_| ())?)
    };
    tokio::task::spawn_blocking(work).await?
}

async fn in_process(data: &Path, faults: &str, chore: Chore) -> bool {
    let arguments: &[&str] = match chore {
        Chore::Collect => &["gc", "--grace", "0s", "--restore-window", "0s", "--delete-untagged"],
        Chore::CollectBlobs => &["gc", "--grace", "0s", "--restore-window", "0s"],
        Chore::After(_) | Chore::Abandon | Chore::Settle => panic!("no command does {chore:?}"),
        Chore::Purge => &["purge"],
        Chore::Scrub => &["scrub"],
    };
    let log = std::fs::File::options().create(true).append(true).open(data.join("chores.log")).unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_faulty"));
    process.args(arguments).env("BERTH_DATA", data).env("BERTH_FAULTS", faults).stdout(Stdio::null()).stderr(log);
    let status = tokio::task::spawn_blocking(move || process.status().unwrap()).await.unwrap();
    // A scrub that found damage says so by its status; so does one that failed.
    let may_fail = ["eio", "enospc", "half"].iter().any(|fault| faults.contains(fault));
    status.success() || chore == Chore::Scrub && !may_fail && status.code() == Some(1)
}
