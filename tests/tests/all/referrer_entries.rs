//! The entries that storage holds of referrers: complete also after a peer wrote and after a writer died.

use crate::support::{Repository, Stack, artifact, eventually, sha256};
use serde_json::json;
use std::fs;
use std::time::Duration;

const SUBJECT: &[u8] = b"what others are about";

async fn repository(stack: &Stack) -> Repository {
    let app = stack.admin().repository("admin/app").await;
    app.push_blob(b"{}").await;
    app
}

/// Writes a manifest as a peer does: its bytes and its link, and no word to anybody.
fn write_as_a_peer(stack: &Stack, name: &str, manifest: &[u8]) {
    let digest = sha256(manifest);
    let hex = digest.trim_start_matches("sha256:");
    let files = [
        (format!("blobs/sha256/{}/{hex}/data", &hex[..2]), manifest),
        (format!("repositories/{name}/_manifests/revisions/sha256/{hex}/link"), digest.as_bytes()),
    ];
    for (path, content) in files {
        fs::create_dir_all(stack.stored(&path).parent().unwrap()).unwrap();
        fs::write(stack.stored(&path), content).unwrap();
    }
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
    write_as_a_peer(&stack, "admin/app", &manifests[1]);
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
    write_as_a_peer(&stack, "admin/app", &manifests[2]);
    assert_eq!(lists().await, [3, 3]);
    app.put_manifest("ours", &manifests[3]).await.is(201);
    assert_eq!(lists().await, [4, 4]);
    assert_eq!(app.on(&third).referrers(&subject).await.len(), 4);
    let hex = sha256(&manifests[0]).replace("sha256:", "");
    fs::remove_dir_all(stack.stored(&format!("repositories/admin/app/_manifests/revisions/sha256/{hex}"))).unwrap();
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
