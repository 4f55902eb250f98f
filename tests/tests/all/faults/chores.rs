//! Work on the whole storage, which no client asks for: in this process, where a disk can fail, or in one of its own, which
//! can be killed.

use super::ledger::Told;
use crate::support::{after_hours, at_once};
use registry_service::domain::collector::Collection;
use registry_service::domain::scrub::Scrub;
use registry_service::store::Storage;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tests::purge;

/// Hours from now, after everything that is hidden in any test.
const LATER: i64 = 100;

/// One of the chores, as a person or a timer begins it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chore {
    /// What nobody needs goes at once, manifests without a tag too.
    Collect,
    /// The same, and every manifest stays.
    CollectBlobs,
    /// As by default, so many hours from now.
    After(i64),
    /// Unfinished uploads and temporary files go, however young.
    Purge,
    /// What is damaged is put aside.
    Scrub,
}

/// Who does chores, on which storage.
#[derive(Debug, Clone)]
pub enum Worker {
    /// This process, in the storage folder.
    Here(PathBuf),
    /// A process with these rules of fail points, in the data folder.
    Process { data: PathBuf, faults: String },
}

impl Worker {
    /// The storage folder.
    pub fn root(&self) -> PathBuf {
        match self {
            Self::Here(root) => root.clone(),
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
            Self::Here(root) => here(root, chore).await.is_ok(),
            Self::Process { data, faults } => in_process(data, faults, chore).await,
        };
        if is_done { Told::Done } else { Told::Nothing }
    }
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
        Chore::After(_) => panic!("a process of its own does nothing in the future"),
        Chore::Purge => &["purge"],
        Chore::Scrub => &["scrub"],
    };
    let log = std::fs::File::options().create(true).append(true).open(data.with_extension("log")).unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_faulty"));
    process.args(arguments).env("BERTH_DATA", data).env("BERTH_FAULTS", faults).stdout(Stdio::null()).stderr(log);
    let status = tokio::task::spawn_blocking(move || process.status().unwrap()).await.unwrap();
    // A scrub that found damage says so by its status; so does one that failed.
    let may_fail = ["eio", "enospc", "half"].iter().any(|fault| faults.contains(fault));
    status.success() || chore == Chore::Scrub && !may_fail && status.code() == Some(1)
}
