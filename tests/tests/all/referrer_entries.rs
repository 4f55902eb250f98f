//! The entries that storage holds of referrers: complete also after a peer wrote and after a writer died, looked at some at a
//! time, and not made of a question.

use crate::support::{Repository, Stack, Standalone, artifact, eventually, listed, sha256, sha512, write_as_a_peer};
use serde_json::json;
use shared::media_type::OCI_MANIFEST;
use std::fs;
use std::time::Duration;

const SUBJECT: &[u8] = b"what others are about";

async fn repository(stack: &Stack) -> Repository {
    let app = stack.admin().repository("admin/app").await;
    app.push_blob(b"{}").await;
    app
}

#[tokio::test]
async fn what_a_peer_wrote_is_listed_and_what_it_removed_is_not() {
    let stack = Stack::start().await;
    let other = stack.replica();
    let app = repository(&stack).await;
    let subject = sha256(SUBJECT);
    let manifests: Vec<_> =
        (0..4).map(|number| artifact(&subject, &json!({ "annotations": { "number": number.to_string() } }))).collect();
    let lists = async || [app.referrers(&subject).await.len(), app.on(&other).referrers(&subject).await.len()];
    app.put_manifest("ours", &manifests[0]).await.is(201);
    write_as_a_peer(stack.root(), "admin/app", &manifests[1]);
    assert_eq!(lists().await, [2, 2]);
    // When nothing changed for some seconds, that is remembered, in storage too.
    let stamp = stack.stored("berth/referrers/admin/app/_stamp");
    eventually("the lists are known to be complete", Duration::from_secs(20), async || {
        assert_eq!(lists().await, [2, 2]);
        stamp.exists()
    })
    .await;
    let third = stack.replica();
    assert_eq!(app.on(&third).referrers(&subject).await.len(), 2);
    // And then no more.
    write_as_a_peer(stack.root(), "admin/app", &manifests[2]);
    assert_eq!(lists().await, [3, 3]);
    app.put_manifest("ours", &manifests[3]).await.is(201);
    assert_eq!(lists().await, [4, 4]);
    assert_eq!(app.on(&third).referrers(&subject).await.len(), 4);
    let hex = sha256(&manifests[0]).replace("sha256:", "");
    fs::remove_dir_all(stack.stored(&format!("repositories/admin/app/_manifests/revisions/sha256/{hex}"))).unwrap();
    assert_eq!(lists().await, [3, 3]);
    // What Berth deleted, its entry too, and the peer wrote again before anybody looked.
    let again = &manifests[1];
    app.delete(&format!("manifests/{}", sha256(again))).send().await.is(202);
    write_as_a_peer(stack.root(), "admin/app", again);
    assert_eq!(lists().await, [3, 3]);
}

#[tokio::test]
async fn an_entry_left_by_a_writer_that_died_is_put_right() {
    let stack = Stack::start().await;
    let app = repository(&stack).await;
    let subject = sha256(SUBJECT);
    let [made, unmade] = ["made", "unmade"].map(|name| artifact(&subject, &json!({ "artifactType": name })));
    for manifest in [&made, &unmade] {
        app.push_manifest(manifest).await;
    }
    let hex = |manifest: &[u8]| sha256(manifest).replace("sha256:", "");
    let entries = format!("berth/referrers/admin/app/_subjects/sha256/{}/sha256", subject.replace("sha256:", ""));
    // One died between link and entry, the other one between entry and link.
    fs::remove_file(stack.stored(&format!("{entries}/{}", hex(&made)))).unwrap();
    let link = format!("repositories/admin/app/_manifests/revisions/sha256/{}/link", hex(&unmade));
    fs::remove_file(stack.stored(&link)).unwrap();
    for manifest in [&made, &unmade] {
        let intent = stack.stored(&format!("berth/intents/admin/app/_digests/sha256/{}", hex(manifest)));
        fs::create_dir_all(intent.parent().unwrap()).unwrap();
        fs::write(&intent, sha256(manifest)).unwrap();
    }
    stack.replica();
    let settled = async || {
        let left: Vec<_> =
            fs::read_dir(stack.stored(&entries)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left == [hex(&made).as_str()]
    };
    eventually("the entries are right", Duration::from_secs(10), settled).await;
    assert_eq!(app.referrers(&subject).await, [sha256(&made)]);
}

#[tokio::test]
async fn to_ask_about_a_repository_that_never_was_makes_nothing_of_it() {
    let registry = Standalone::start(&[]);
    for subject in [sha256(SUBJECT), sha512(SUBJECT)] {
        assert_eq!(registry.repository("x").referrers(&subject).await, [] as [String; 0]);
    }
    for place in ["berth/referrers/x", "berth/locks/x", "repositories/x"] {
        assert!(!registry.stored(place).exists(), "{place}");
    }
}

/// Entries that are looked at for one page.
const LOOKED_AT: usize = 1000;

const WANTED: &str = "a/wanted";

/// Manifests of this type about the subject, without end.
fn manifests(artifact_type: &str) -> impl Iterator<Item = Vec<u8>> {
    (0..).map(move |number: u32| {
        let annotations = json!({ "number": number.to_string() });
        artifact(&sha256(SUBJECT), &json!({ "artifactType": artifact_type, "annotations": annotations }))
    })
}

/// The first ones that are wanted and whose digests begin like this.
fn beginning(hex: &str, count: usize) -> Vec<Vec<u8>> {
    manifests(WANTED).filter(|manifest| sha256(manifest)["sha256:".len()..].starts_with(hex)).take(count).collect()
}

/// Lays a manifest and its entry in storage, as if both had been there for long: a registry would sync each.
fn lay(registry: &Standalone, artifact_type: &str, manifest: &[u8]) {
    write_as_a_peer(registry.root(), "app", manifest);
    let digest = sha256(manifest);
    let places = [sha256(SUBJECT), digest.clone()].map(|digest| digest.replace(':', "/"));
    let place = registry.stored(&format!("berth/referrers/app/_subjects/{}", places.join("/")));
    let entry = json!({
        "mediaType": OCI_MANIFEST, "digest": digest, "size": manifest.len(), "artifactType": artifact_type,
    });
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, entry.to_string()).unwrap();
}

/// The digests on each page of a list, from its first page to its last.
async fn pages(app: &Repository, query: &str) -> Vec<Vec<String>> {
    let (mut path, mut pages) = (format!("referrers/{}{query}", sha256(SUBJECT)), Vec::new());
    while pages.len() < 20 {
        let answer = app.get(&path).send().await.is(200);
        pages.push(listed(&answer).iter().map(|entry| entry["digest"].as_str().unwrap().to_owned()).collect());
        let link = answer.header("link");
        if link.is_empty() {
            return pages;
        }
        link.trim_start_matches('<').trim_end_matches(">; rel=\"next\"").clone_into(&mut path);
    }
    panic!("{query}: it never ends: {pages:?}");
}

#[tokio::test]
async fn a_page_of_few_that_match_or_of_none_leads_on_to_the_others() {
    let registry = Standalone::start(&[]);
    let app = registry.repository("app");
    app.push_blob(b"{}").await;
    let others = 2 * LOOKED_AT + 100;
    for manifest in manifests("a/other").take(others) {
        lay(&registry, "a/other", &manifest);
    }
    // By their digests one is among the first thousand, and two come after the second.
    let wanted = [beginning("00", 1), beginning("ff", 2)].concat();
    for manifest in &wanted {
        lay(&registry, WANTED, manifest);
    }
    let mut digests: Vec<_> = wanted.iter().map(|manifest| sha256(manifest)).collect();
    digests.sort();
    let seen = pages(&app, &format!("?artifactType={WANTED}")).await;
    assert_eq!(seen.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 2]);
    assert_eq!(seen.concat(), digests, "each once");
    let one_by_one = pages(&app, &format!("?artifactType={WANTED}&n=1")).await;
    assert!(one_by_one.iter().all(|page| page.len() <= 1), "{one_by_one:?}");
    assert_eq!(one_by_one.concat(), digests, "each once");
    let all = pages(&app, "").await;
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [LOOKED_AT, LOOKED_AT, 100 + wanted.len()]);
}
