//! Intents, and an index that is not reached: what is acknowledged is durable and known to the index, and what is not
//! acknowledged is either nowhere or settled later.

use crate::support::{Call, Stack, eventually, image, sha256};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// What the index says of the repository's tags: name and digest.
async fn told(stack: &Stack) -> Vec<(String, String)> {
    let tags = stack.admin().does(Method::GET, "/repositories/admin/app/-/tags", &Value::Null).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    tags["items"].as_array().unwrap().iter().map(|tag| (text(&tag["name"]), text(&tag["digest"]))).collect()
}

async fn until_gone(path: &Path) {
    let what = format!("{} is gone", path.display());
    eventually(&what, Duration::from_secs(10), async || !path.exists()).await;
}

fn leave_intent(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

#[tokio::test]
async fn a_leftover_intent_is_settled_by_the_next_start_with_what_storage_holds() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let old = app.push_image("v1", "old").await;
    let new = app.push_image("v2", "new").await;
    // As a writer leaves it that dies between the tag and the commit: storage says more than the index knows.
    let link = "repositories/admin/app/_manifests/tags/v1/current/link";
    fs::write(stack.stored(link), &new.digest).unwrap();
    let intent = stack.stored("berth/intents/admin/app/_tags/v1");
    leave_intent(&intent, &new.digest);
    assert!(told(&stack).await.contains(&("v1".into(), old.digest)), "the index does not know yet");
    let other = stack.replica();
    until_gone(&intent).await;
    assert!(told(&stack).await.contains(&("v1".into(), new.digest.clone())));
    let read = app.on(&other).get("manifests/v1").send().await.is(200);
    assert_eq!(read.header("docker-content-digest"), new.digest);
}

#[tokio::test]
async fn a_leftover_intent_of_something_never_made_says_that_it_is_not_there() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let image = app.push_image("v1", "layer").await;
    let hex = sha256(b"never").replace("sha256:", "");
    let never = stack.stored(&format!("berth/intents/admin/app/_digests/sha256/{hex}"));
    let intents = [
        (stack.stored("berth/intents/admin/app/_tags/never"), image.digest.as_str()),
        (never, &sha256(b"never")),
        (stack.stored("berth/intents/admin/app/_tags/empty"), ""),
        (stack.stored("berth/intents/admin/app/_tags/torn"), "sha256:12"),
    ];
    for (path, content) in &intents {
        leave_intent(path, content);
    }
    stack.replica();
    for (path, _) in &intents {
        until_gone(path).await;
    }
    assert_eq!(told(&stack).await, [("v1".to_owned(), image.digest)]);
}

#[tokio::test]
async fn a_leftover_intent_does_not_stop_the_next_push() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let old = app.push_image("v1", "old").await;
    let intent = stack.stored("berth/intents/admin/app/_tags/v1");
    leave_intent(&intent, &old.digest);
    let new = app.push_image("v1", "new").await;
    assert_eq!(told(&stack).await, [("v1".to_owned(), new.digest)]);
    assert!(!intent.exists());
}

#[tokio::test]
async fn a_manifest_that_the_index_did_not_judge_is_nowhere() {
    let stack = Stack::start().await;
    let (host, index) = stack.unsteady_replica();
    let app = stack.admin().repository("admin/app").await.on(&host);
    for blob in &image(&[b"layer"]).blobs {
        app.push_blob(blob).await;
    }
    let pushed = image(&[b"layer"]);
    index.fail(Some(Call::Judge));
    let refused = app.put_manifest("v1", &pushed.manifest).await.refuses(503, "UNAVAILABLE");
    assert!(!refused.header("retry-after").is_empty());
    for reference in ["v1", &pushed.digest] {
        app.get(&format!("manifests/{reference}")).send().await.refuses(404, "MANIFEST_UNKNOWN");
    }
    assert_eq!(told(&stack).await, []);
    assert!(!stack.stored("berth/intents/admin/app/_tags/v1").exists(), "it is undone at once");
    index.fail(None);
    app.put_manifest("v1", &pushed.manifest).await.is(201);
    assert_eq!(told(&stack).await, [("v1".to_owned(), pushed.digest)]);
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_503_and_settled_later() {
    let stack = Stack::start().await;
    let (host, index) = stack.unsteady_replica();
    let app = stack.admin().repository("admin/app").await.on(&host);
    let old = app.push_image("v1", "old").await;
    let new = image(&[b"new"]);
    app.push_blob(b"new").await;
    index.fail(Some(Call::Commit));
    app.put_manifest("v1", &new.manifest).await.refuses(503, "UNAVAILABLE");
    let intent = stack.stored("berth/intents/admin/app/_tags/v1");
    assert_eq!(fs::read_to_string(&intent).unwrap(), new.digest, "the intent stays");
    assert_eq!(told(&stack).await, [("v1".to_owned(), old.digest)]);
    // Another replica starts and settles it.
    stack.replica();
    until_gone(&intent).await;
    assert_eq!(told(&stack).await, [("v1".to_owned(), new.digest)]);
}

#[tokio::test]
async fn without_the_index_pulls_with_a_known_token_go_on_and_pushes_do_not() {
    let stack = Stack::start().await;
    let (host, index) = stack.unsteady_replica();
    let reader = stack.admin().token("repository:admin/app:pull").await;
    let app = stack.admin().repository("admin/app").await.on(&host);
    app.push_image("v1", "layer").await;
    host.get("/v2/admin/app/manifests/v1").token(&reader).send().await.is(200);
    let unseen = stack.admin().token("repository:admin/app:pull").await;
    index.vanish();
    // What was heard is good enough for two seconds.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    host.get("/v2/admin/app/manifests/v1").token(&reader).send().await.is(200);
    app.post("blobs/uploads/").send().await.refuses(503, "UNAVAILABLE");
    app.put_manifest("v2", b"{}").await.refuses(503, "UNAVAILABLE");
    host.get("/v2/admin/app/manifests/v1").token(&unseen).send().await.refuses(503, "UNAVAILABLE");
}

#[tokio::test]
async fn the_index_knows_who_pushed_what() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let image = app.push_image("v1", "layer").await;
    let path = format!("/repositories/admin/app/-/manifests/{}", image.digest);
    let told = stack.admin().does(Method::GET, &path, &Value::Null).await;
    let reference = |role: &str, content: &[u8], media_type: &str| {
        json!({
            "role": role, "digest": sha256(content), "size_bytes": content.len(), "media_type": media_type,
            "platform": null,
        })
    };
    assert_eq!(told["size_bytes"], image.manifest.len());
    assert_eq!(told["pushed_by"], "admin");
    assert_eq!(told["tags"], json!(["v1"]));
    let references = json!([
        reference("config", b"{}", "application/vnd.oci.image.config.v1+json"),
        reference("layer", b"layer", "application/vnd.oci.image.layer.v1.tar"),
    ]);
    assert_eq!(told["references"], references);
}
