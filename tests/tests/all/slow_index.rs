//! An index that is slow, or whose answers come when nobody waits for them any more: nobody is refused for it who could
//! wait, nobody waits who could go on without, and what comes late changes nothing.

use crate::support::{Call, Stack, eventually, image};
use reqwest::Method;
use std::time::Duration;

/// Longer than a pull waits for the index.
const SLOW: Duration = Duration::from_millis(2500);

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn first_pushes_at_once_share_the_answers_of_a_slow_index() {
    let stack = Stack::start().await;
    let (host, index) = stack.unsteady_replica();
    let app = stack.admin().repository("admin/new").await.on(&host);
    index.hold(Call::Introspect);
    let pushes: Vec<_> = (0..40)
        .map(|_| {
            tokio::spawn({
                let app = app.clone();
                async move { app.post("blobs/uploads/").send().await }
            })
        })
        .collect();
    eventually("it is asked", PATIENCE, async || index.count(Call::Introspect) > 0).await;
    tokio::time::sleep(SLOW).await;
    index.fail(None);
    for push in pushes {
        push.await.unwrap().is(202);
    }
    assert_eq!(index.count(Call::Allocate), 1);
    // Without the name, once more for those who came after it was asked, and with the name.
    assert!(index.count(Call::Introspect) <= 4, "asked {} times", index.count(Call::Introspect));
}

#[tokio::test]
async fn pulls_go_on_beside_a_slow_index_and_pushes_wait_for_it() {
    let stack = Stack::start().await;
    let (host, index) = stack.unsteady_replica();
    let app = stack.admin().repository("admin/app").await.on(&host);
    let pushed = app.push_image("v1", "layer").await;
    // Longer than an answer is remembered.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    index.hold(Call::Introspect);
    let push = tokio::spawn(app.put(&format!("manifests/{}", "v2")).body(pushed.manifest.clone()).send());
    eventually("it is asked", PATIENCE, async || index.count(Call::Introspect) > 1).await;
    for _ in 0..3 {
        app.get("manifests/v1").send().await.is(200);
    }
    assert!(!push.is_finished(), "it waits");
    index.fail(None);
    push.await.unwrap().is(201);
}

#[tokio::test]
async fn a_commit_that_arrives_after_the_next_writers_201_changes_nothing() {
    let stack = Stack::start().await;
    let (host, index) = stack.unsteady_replica();
    let app = stack.admin().repository("admin/app").await;
    let (first, second) = (image(&[b"first"]), image(&[b"second"]));
    for blob in [b"{}".as_slice(), b"first", b"second"] {
        app.push_blob(blob).await;
    }
    index.delay_commits();
    app.on(&host).put_manifest("v1", &first.manifest).await.refuses(503, "UNAVAILABLE");
    app.put_manifest("v1", &second.manifest).await.is(201);
    index.deliver().await;
    let read = app.get("manifests/v1").send().await.is(200);
    assert_eq!(read.header("docker-content-digest"), second.digest);
    let told = stack.admin().does(Method::GET, "/repositories/admin/app/-/tags", &serde_json::Value::Null).await;
    assert_eq!(told["items"][0]["digest"], second.digest, "the index did not go back: {told}");
    let intents = std::fs::read_dir(stack.stored("berth/intents/admin/app/_tags")).unwrap();
    assert_eq!(intents.count(), 0, "no intent is left");
}

// An intent: per digest too the index ignores a smaller number than it has taken, and acknowledges it all the same.
#[tokio::test]
async fn a_commit_that_arrives_after_its_manifest_was_deleted_changes_nothing() {
    let stack = Stack::start().await;
    let (host, index) = stack.unsteady_replica();
    let app = stack.admin().repository("admin/app").await;
    let pushed = image(&[b"layer"]);
    for blob in &pushed.blobs {
        app.push_blob(blob).await;
    }
    let path = format!("/api/v1/repositories/admin/app/-/manifests/{}", pushed.digest);
    let told = async || stack.admin().asks(Method::GET, &path).send().await.status;

    index.delay_commits();
    app.on(&host).put_manifest(&pushed.digest, &pushed.manifest).await.refuses(503, "UNAVAILABLE");
    app.push_manifest(&pushed.manifest).await;
    assert_eq!(told().await, 200, "the index lists it by its digest");
    app.delete(&format!("manifests/{}", pushed.digest)).send().await.is(202);
    assert_eq!(told().await, 404);
    index.deliver().await;
    assert_eq!(told().await, 404, "the index does not list it again");
    app.get(&format!("manifests/{}", pushed.digest)).send().await.refuses(404, "MANIFEST_UNKNOWN");
    assert!(!stack.files().iter().any(|file| file.starts_with("berth/intents")), "no intent is left");
}
