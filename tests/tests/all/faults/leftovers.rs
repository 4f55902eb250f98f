//! Holds that nothing lies in a storage but what somebody can see: for each manifest what it needs, and for each tag what
//! makes it one. Reads the tree by itself.

use super::checker::files;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What stays of ours for good, by the ends of paths: each is small, and there is one for a registry, a repository, or a
/// blob that was damaged.
const STANDING: &[&str] = &[
    // Held by the one collector that runs.
    "berth/gc.lock",
    // Which repositories have moved since the last collection.
    "berth/moves",
    // A repository's locks, its id, and when its referrers were complete.
    "/_repository",
    "/_gate",
    "/_id",
    "/_stamp",
];

/// Damaged bytes are kept for whoever looks into it.
const DAMAGED: &str = "/berth-damaged.";

/// Holds it of the storage whose first folder of Distribution's is `base`, after a purge and a collection without any
/// grace, while nobody writes.
pub fn nothing_is_left(base: &Path, what: &str) {
    let there: BTreeSet<_> =
        files(base).into_iter().map(|file| file.strip_prefix(base).unwrap().display().to_string()).collect();
    let mut needed = BTreeSet::new();
    for file in &there {
        if let Some((repository, digest)) = revision(file) {
            needed.insert(file.clone());
            need_manifest(base, repository, &digest, &mut needed);
        } else if let Some((tag, _)) = file.split_once("/current/link").filter(|_| file.contains("/_manifests/tags/")) {
            let history = format!("{tag}/index/");
            needed.insert(file.clone());
            needed.extend(there.iter().filter(|file| file.starts_with(&history) && file.ends_with("/link")).cloned());
        }
    }
    let stands = |file: &str| STANDING.iter().any(|end| file.ends_with(end)) || file.contains(DAMAGED);
    let left: Vec<_> = there.iter().filter(|file| !needed.contains(*file) && !stands(file)).collect();
    assert!(left.is_empty(), "{what}: left behind: {left:#?}");
    let lacking: Vec<_> = needed.difference(&there).collect();
    assert!(lacking.is_empty(), "{what}: lacking: {lacking:#?}");
    let uploads: Vec<_> = folders_named(base, "_uploads").into_iter().filter(|folder| is_not_empty(folder)).collect();
    assert!(uploads.is_empty(), "{what}: folders of uploads are left behind in {uploads:?}");
}

/// Repository and digest of a manifest's link.
fn revision(file: &str) -> Option<(&str, String)> {
    let (repository, digest) = file.strip_prefix("repositories/")?.split_once("/_manifests/revisions/")?;
    Some((repository, digest.strip_suffix("/link")?.replacen('/', ":", 1)))
}

fn need_manifest(base: &Path, repository: &str, digest: &str, needed: &mut BTreeSet<String>) {
    needed.insert(data(digest));
    let manifest: Value = serde_json::from_slice(&fs::read(base.join(data(digest))).unwrap()).unwrap();
    let lists = ["layers", "manifests"].into_iter().filter_map(|list| manifest[list].as_array()).flatten();
    for part in lists.chain([&manifest["config"]]).filter_map(|part| part["digest"].as_str()) {
        needed.insert(data(part));
        if manifest["manifests"].is_null() {
            needed.insert(format!("repositories/{repository}/_layers/{}/link", part.replacen(':', "/", 1)));
        }
    }
    if let Some(subject) = manifest["subject"]["digest"].as_str() {
        let (subject, own) = (subject.replacen(':', "/", 1), digest.replacen(':', "/", 1));
        needed.insert(format!("berth/referrers/{repository}/_subjects/{subject}/{own}"));
    }
}

/// The place of a digest's bytes.
fn data(digest: &str) -> String {
    let (algorithm, hex) = digest.split_once(':').unwrap();
    format!("blobs/{algorithm}/{}/{hex}/data", &hex[..2])
}

fn folders_named(folder: &Path, name: &str) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let folders = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    folders.flat_map(|path| if path.ends_with(name) { vec![path] } else { folders_named(&path, name) }).collect()
}

fn is_not_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}
