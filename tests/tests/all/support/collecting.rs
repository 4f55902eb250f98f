//! The collector and the scrub, as another process on the same storage runs them, and what they leave on disk.

use super::image::{Image, sha256};
use super::repository::Repository;
use super::stack::Stack;
use jiff::{SignedDuration, Timestamp};
use registry_service::domain::collector::{Collection, CollectionError};
use registry_service::domain::scrub::Scrub;
use registry_service::model::collection::{Event, Fate, Finding, Kind};
use registry_service::model::scrub::{Event as Scrubbed, Lacks};
use registry_service::store::Storage;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Collects at once: what nobody needs goes in one run.
pub fn at_once() -> Collection {
    Collection {
        now: Timestamp::now(),
        grace: SignedDuration::ZERO,
        restore_window: SignedDuration::ZERO,
        delete_untagged: false,
        dry_run: false,
    }
}

/// Collects as by default, so many hours from now.
pub fn after_hours(hours: i64) -> Collection {
    let now = Timestamp::now() + SignedDuration::from_hours(hours);
    Collection { now, grace: SignedDuration::from_hours(24), ..at_once() }
}

/// Runs the collector in the storage folder `root`; returns what it found.
pub async fn collect_in(root: &Path, collection: Collection) -> Result<Vec<Finding>, CollectionError> {
    let root = root.to_owned();
    let work = move || {
        let storage = Storage::open(&root).unwrap();
        let mut findings = Vec::new();
        let ended = collection.run(&storage, &mut |event| match event {
            Event::Found(finding) => findings.push(finding),
            Event::Round => findings.retain(|finding| !matches!(finding.fate, Fate::Kept(_))),
            _ => {}
        });
        ended.map(|()| findings)
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// What a scrub of the storage folder `root` finds: digests of damaged blobs, which it puts aside, and what repositories
/// lack.
pub fn scrub_in(root: &Path) -> (Vec<String>, Vec<Lacks>) {
    let (mut damaged, mut lacks) = (Vec::new(), Vec::new());
    let storage = Storage::open(root).unwrap();
    Scrub { storage: &storage, rate: None }
        .run(&mut |event| match event {
            Scrubbed::Damaged(found) => {
                assert!(found.quarantined);
                damaged.push(found.damaged.to_string());
            }
            Scrubbed::Lacks(found) => lacks.push(found),
            _ => {}
        })
        .unwrap();
    (damaged, lacks)
}

impl Stack {
    /// Runs the collector; returns what it found.
    pub async fn collect(&self, collection: Collection) -> Result<Vec<Finding>, CollectionError> {
        collect_in(self.root(), collection).await
    }

    /// Every file of the storage, below its root: but for locks, which nobody misses.
    pub fn files(&self) -> BTreeSet<String> {
        let mut files = BTreeSet::new();
        let root = self.stored("");
        list(&root, &root, &mut files);
        files.retain(|file| !file.starts_with("berth/locks") && file != "berth/gc.lock" && file != "berth/moves");
        files
    }
}

/// Everything that `image` says it has can be pulled.
pub async fn pulls(repository: &Repository, reference: &str, image: &Image) {
    assert_eq!(repository.get(&format!("manifests/{reference}")).send().await.is(200).body, image.manifest);
    for blob in &image.blobs {
        let path = format!("blobs/{}", sha256(blob));
        repository.head(&path).send().await.is(200);
        assert_eq!(repository.get(&path).send().await.is(200).body, blob);
    }
}

/// The place of a blob's bytes below the storage.
pub fn data(digest: &str) -> String {
    let hex = digest.split_once(':').unwrap().1;
    format!("blobs/sha256/{}/{hex}/data", &hex[..2])
}

/// Says that the file was changed two days ago, which is longer than the default grace.
pub fn set_back(file: &Path) {
    let long_ago = SystemTime::now() - Duration::from_hours(48);
    std::fs::File::options().write(true).open(file).unwrap().set_modified(long_ago).unwrap();
}

/// What has this fate, as `kind digest`.
pub fn with_fate(findings: &[Finding], fate: Fate) -> BTreeSet<String> {
    let kind = |kind| match kind {
        Kind::Blob => "blob",
        Kind::Damaged => "damaged",
        Kind::Layer => "layer",
        Kind::Manifest => "manifest",
    };
    let found = findings.iter().filter(|finding| finding.fate == fate);
    found.map(|finding| format!("{} {}", kind(finding.kind), finding.digest)).collect()
}

fn list(root: &Path, folder: &Path, files: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(root, &path, files);
        } else {
            files.insert(path.strip_prefix(root).unwrap().display().to_string());
        }
    }
}
