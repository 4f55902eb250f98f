//! Looks at a repository from outside, with its own idea of what a digest is, and holds it against what its client was
//! told.

use super::ledger::{Known, Ledger};
use crate::support::{Repository, User, eventually, listed, sha256};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Leftovers are settled at once after a start.
const SETTLED: Duration = Duration::from_secs(15);

/// Holds that everything is as `ledger` says, that nothing visible lacks a blob, and that the index knows it.
pub async fn check(app: &Repository, admin: &User, ledger: &Ledger, what: &str) {
    let (manifests, meanings) = check_storage(app, ledger, what).await;
    eventually(&format!("{what}: the index knows {meanings:?} and {manifests:?}"), SETTLED, async || {
        tags_told(admin, &app.name).await == meanings && manifests_told(admin, &app.name, ledger).await == manifests
    })
    .await;
}

/// The same where there is no index. Returns the manifests that are there, and where tags point.
pub async fn check_storage(
    app: &Repository,
    ledger: &Ledger,
    what: &str,
) -> (BTreeSet<String>, BTreeMap<String, String>) {
    let mut manifests = BTreeSet::new();
    for (kind, all) in [("blobs", &ledger.blobs), ("manifests", &ledger.manifests)] {
        for (digest, (bytes, known)) in all {
            if *known == Known::Damaged {
                is_never_wrong(app, &format!("{kind}/{digest}"), bytes, what).await;
                continue;
            }
            let read = read(app, &format!("{kind}/{digest}"), digest, what).await;
            if kind == "manifests" && read.is_some() {
                manifests.insert(digest.clone());
            }
            let is_right = match read {
                Some(read) => *known != Known::Gone && read == *bytes,
                None => *known != Known::There,
            };
            assert!(is_right, "{what}: {kind}/{digest} should be {known:?}");
        }
    }
    lists_referrers(app, ledger, &manifests, what).await;
    // Before the tags are looked at, because that is when storage and index may still differ.
    let mut meanings = BTreeMap::new();
    for (tag, allowed) in &ledger.tags {
        let meaning = tag_of(app, tag, what).await;
        assert!(allowed.contains(&meaning), "{what}: {tag} is {meaning:?}, may be {allowed:?}");
        meanings.extend(meaning.map(|digest| (tag.clone(), digest)));
    }
    let listed = app.get("tags/list").send().await;
    let listed: BTreeSet<String> = match listed.status {
        404 => BTreeSet::new(),
        _ => serde_json::from_value(listed.is(200).json()["tags"].clone()).unwrap(),
    };
    assert_eq!(listed, meanings.keys().cloned().collect(), "{what}: tags/list");
    (manifests, meanings)
}

/// Damaged bytes are no good answer, or one that breaks off.
async fn is_never_wrong(app: &Repository, path: &str, bytes: &[u8], what: &str) {
    let Some(answer) = app.get(path).attempt().await else { return };
    let is_right = if answer.status == 200 { answer.body == bytes } else { [404, 500].contains(&answer.status) };
    assert!(is_right, "{what}: {path}, damaged: {} {}", answer.status, answer.text());
}

/// The bytes at `path`, which are those of `digest`; `None` if they are not there. Whatever a manifest names is there too.
async fn read(app: &Repository, path: &str, digest: &str, what: &str) -> Option<Vec<u8>> {
    let answer = app.get(path).send().await;
    if answer.status == 404 {
        return None;
    }
    let answer = answer.is(200);
    assert_eq!(sha256(&answer.body), digest, "{what}: the bytes of {path}");
    if path.starts_with("manifests/") {
        let manifest = answer.json();
        let list = |name: &str| manifest[name].as_array().into_iter().flatten();
        let blobs = list("layers").chain(manifest.get("config")).map(|part| ("blobs", part));
        for (kind, part) in blobs.chain(list("manifests").map(|part| ("manifests", part))) {
            let digest = part["digest"].as_str().unwrap();
            let part = app.get(&format!("{kind}/{digest}")).send().await;
            assert_eq!((part.status, sha256(&part.body).as_str()), (200, digest), "{what}: a part of {path}");
        }
    }
    Some(answer.body.to_vec())
}

/// Holds that each subject's list has the manifests that are about it and are `there`, as they are, and nothing else.
async fn lists_referrers(app: &Repository, ledger: &Ledger, there: &BTreeSet<String>, what: &str) {
    let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (digest, (bytes, _)) in &ledger.manifests {
        let manifest: Value = serde_json::from_slice(bytes).unwrap();
        let Some(subject) = manifest["subject"]["digest"].as_str() else { continue };
        let list = lists.entry(subject.to_owned()).or_default();
        if there.contains(digest) {
            list.push(json!({
                "mediaType": manifest["mediaType"],
                "digest": digest,
                "size": bytes.len(),
                "artifactType": manifest["config"]["mediaType"],
            }));
        }
    }
    for (subject, list) in lists {
        let answer = app.get(&format!("referrers/{subject}")).send().await.is(200);
        assert_eq!(listed(&answer), list, "{what}: the referrers of {subject}");
    }
}

async fn tag_of(app: &Repository, tag: &str, what: &str) -> Option<String> {
    let head = app.head(&format!("manifests/{tag}")).send().await;
    let digest = head.header("docker-content-digest").to_owned();
    read(app, &format!("manifests/{tag}"), &digest, what).await.map(|_| digest)
}

/// What the index says of the repository's tags: name and digest.
async fn tags_told(admin: &User, name: &str) -> BTreeMap<String, String> {
    let answer = admin.asks(Method::GET, &format!("/api/v1/repositories/{name}/-/tags")).send().await;
    if answer.status == 404 {
        return BTreeMap::new();
    }
    let tags = answer.is(200).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    tags["items"].as_array().unwrap().iter().map(|tag| (text(&tag["name"]), text(&tag["digest"]))).collect()
}

/// Those of the ledger's manifests of which the index says that they are there.
async fn manifests_told(admin: &User, name: &str, ledger: &Ledger) -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    for digest in ledger.manifests.keys() {
        let answer = admin.asks(Method::GET, &format!("/api/v1/repositories/{name}/-/manifests/{digest}")).send().await;
        if answer.status != 404 {
            answer.is(200);
            told.insert(digest.clone());
        }
    }
    told
}

/// Holds that nothing is left to be told below `base`, Distribution's first folder.
pub async fn no_intent_is_left(base: &Path, what: &str) {
    let intents = base.join("berth/intents");
    eventually(&format!("{what}: no intent is left"), SETTLED, async || files(&intents).is_empty()).await;
}

/// Every file below `folder`.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
