//! Intents of stopped writers, and who comes next: somebody settles one while a writer wants its tag, a push is refused
//! under it, and the repository is put away and restored with it. The index knows in the end what storage holds.

use crate::support::{Image, Repository, Stack, eventually, image};
use reqwest::Method;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// Long enough for a request that nothing holds up.
const A_WHILE: Duration = Duration::from_millis(300);

/// Longer than from one settling to the next.
const PATIENCE: Duration = Duration::from_secs(50);

/// A repository as a writer leaves it that dies between the tag and the commit: `v1` is `new` in storage, and the index
/// does not know it.
struct Scene {
    stack: Stack,
    app: Repository,
    old: Image,
    new: Image,
    intent: PathBuf,
}

impl Scene {
    async fn set() -> Self {
        let stack = Stack::start().await;
        let app = stack.admin().repository("admin/app").await;
        let old = app.push_image("v1", "old").await;
        let new = app.push_image("v2", "new").await;
        let link = "repositories/admin/app/_manifests/tags/v1/current/link";
        fs::write(stack.stored(link), &new.digest).unwrap();
        let intent = stack.stored("berth/intents/admin/app/_tags/v1");
        fs::create_dir_all(intent.parent().unwrap()).unwrap();
        fs::write(&intent, &new.digest).unwrap();
        let scene = Self { stack, app, old, new, intent };
        assert_eq!(scene.told().await, scene.old.digest, "the index does not know yet");
        scene
    }

    /// What `v1` is to the index.
    async fn told(&self) -> String {
        let tags = self.stack.admin().does(Method::GET, "/repositories/admin/app/-/tags", &Value::Null).await;
        let tags = tags["items"].as_array().unwrap();
        tags.iter().find(|tag| tag["name"] == "v1").unwrap()["digest"].as_str().unwrap().to_owned()
    }

    async fn is_settled(&self) {
        assert_eq!(self.told().await, self.new.digest, "the index knows what storage holds");
        assert!(!self.intent.exists());
        let read = self.app.get("manifests/v1").send().await.is(200);
        assert_eq!(read.header("docker-content-digest"), self.new.digest);
    }
}

#[tokio::test]
async fn a_writer_waits_for_who_settles_and_goes_on_then() {
    let scene = Scene::set().await;
    let stop = scene.stack.arm("stop pause settling");
    let writer = async {
        stop.reached().await;
        let waiting = scene.app.put_manifest("v1", &scene.old.manifest);
        tokio::pin!(waiting);
        assert!(tokio::time::timeout(A_WHILE, &mut waiting).await.is_err(), "it is being settled");
        let other = scene.app.put_manifest("v3", &scene.new.manifest).await;
        assert!(scene.intent.exists());
        drop(stop);
        (waiting.await, other)
    };
    let ((), (written, other)) = tokio::join!(scene.stack.settle(), writer);
    written.is(201);
    other.is(201);
    assert_eq!(scene.told().await, scene.old.digest, "the writer came last");
    assert!(!scene.intent.exists());
}

#[tokio::test]
async fn what_is_left_behind_is_settled_by_the_timer() {
    let scene = Scene::set().await;
    eventually("it is settled", PATIENCE, async || !scene.intent.exists()).await;
    scene.is_settled().await;
}

#[tokio::test]
async fn a_push_that_is_refused_settles_what_it_found() {
    let scene = Scene::set().await;
    let missing = image(&[b"a layer that nobody pushed"]);
    scene.app.put_manifest("v1", &missing.manifest).await.refuses(400, "MANIFEST_BLOB_UNKNOWN");
    scene.is_settled().await;
}

#[tokio::test]
async fn a_push_that_the_index_refuses_settles_what_it_found() {
    let scene = Scene::set().await;
    let (host, index) = scene.stack.unsteady_replica();
    // Not by the start of that one.
    fs::write(&scene.intent, &scene.new.digest).unwrap();
    index.refuse();
    let refused = scene.app.on(&host).put_manifest("v1", &scene.old.manifest).await.refuses(403, "DENIED");
    assert!(refused.text().contains("not today"), "{}", refused.text());
    scene.is_settled().await;
}

#[tokio::test]
async fn a_repository_that_is_put_away_takes_along_what_is_settled() {
    let mut scene = Scene::set().await;
    let admin = scene.stack.admin();
    admin.does(Method::DELETE, "/repositories/admin/app", &Value::Null).await;
    scene.app.get("manifests/v1").send().await.refuses(401, "UNAUTHORIZED");
    assert!(!scene.intent.exists(), "its intents were settled before");
    admin.does(Method::POST, "/repositories/admin/app/-/restore", &Value::Null).await;
    scene.app = admin.repository("admin/app").await;
    scene.is_settled().await;
}
