//! A registry whose index was stopped or hangs: what was begun is finished when it is back, pulls go on for a while and no
//! longer, and nobody waits without end.

use crate::support::{Between, Look, Program, Repository, Stack, eventually, sha256};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

/// Longer than what was heard of the index is good enough.
const FORGOTTEN: Duration = Duration::from_millis(2500);

/// A registry of its own, whose index can be made to look otherwise.
struct Scene {
    _stack: Stack,
    _registry: Program,
    between: Between,
    /// With an image under `v1`, pulled once.
    app: Repository,
}

impl Scene {
    async fn set(grace: &str) -> Self {
        const SECRET: &str = "of registries";
        let stack = Stack::start().await;
        let between = Between::and(stack.index_for_registries(SECRET).address());
        let url = format!("http://{}", between.address);
        let variables = [("REGISTRY_INDEX_URL", url.as_str()), ("REGISTRY_INDEX_GRACE", grace)];
        let registry = Program::start_beside(&stack, &variables).await;
        let app = stack.admin().repository("admin/app").await.on(&registry.host);
        app.push_image("v1", "layer").await;
        app.get("manifests/v1").send().await.is(200);
        Self { _stack: stack, _registry: registry, between, app }
    }

    async fn pull(&self) -> u16 {
        self.app.get("manifests/v1").send().await.status
    }
}

#[tokio::test]
async fn an_upload_keeps_its_parts_while_the_index_is_stopped_and_is_finished_after() {
    let scene = Scene::set("5m").await;
    let app = &scene.app;
    let location = app.begin().await;
    app.patch(&location).body("before, ").send().await.is(202);
    scene.between.looks(Look::Gone);
    tokio::time::sleep(FORGOTTEN).await;
    let end = format!("{location}?digest={}", sha256(b"before, after"));
    for request in [app.patch(&location).body("lost"), app.put(&end).body("after"), app.post("blobs/uploads/")] {
        let refused = request.send().await.refuses(503, "UNAVAILABLE");
        assert!(refused.header("retry-after").parse::<u64>().is_ok(), "{refused:?}");
    }
    assert_eq!(scene.pull().await, 200, "pulls go on");
    scene.between.looks(Look::Well);
    eventually("the index is back", PATIENCE, async || app.head(&location).send().await.status == 204).await;
    assert_eq!(app.get(&location).send().await.is(204).header("range"), "0-7", "what was acknowledged, and no more");
    app.put(&end).body("after").send().await.is(201);
    let digest = sha256(b"before, after");
    assert_eq!(app.get(&format!("blobs/{digest}")).send().await.is(200).body, "before, after");
}

#[tokio::test]
async fn pulls_go_on_without_the_index_as_long_as_the_grace_and_no_longer() {
    let scene = Scene::set("5s").await;
    let begun = Instant::now();
    scene.between.looks(Look::Gone);
    tokio::time::sleep(FORGOTTEN).await;
    assert_eq!(scene.pull().await, 200);
    eventually("the grace is over", PATIENCE, async || scene.pull().await == 503).await;
    assert!(begun.elapsed() > Duration::from_secs(4), "it was over after {:?}", begun.elapsed());
    let refused = scene.app.get("manifests/v1").send().await.refuses(503, "UNAVAILABLE");
    assert!(refused.header("retry-after").parse::<u64>().is_ok(), "{refused:?}");
    scene.between.looks(Look::Well);
    eventually("the index is back", PATIENCE, async || scene.pull().await == 200).await;
}

/// A call to the index waits five seconds; some more for a machine that is busy.
const DEADLINE: Duration = Duration::from_secs(9);

#[tokio::test]
async fn an_index_that_accepts_and_never_answers_holds_up_pushes_for_its_deadline_and_pulls_for_less() {
    let scene = Scene::set("5m").await;
    let app = &scene.app;
    let location = app.begin().await;
    scene.between.looks(Look::Hung);
    tokio::time::sleep(FORGOTTEN).await;
    for request in [
        app.post("blobs/uploads/"),
        app.patch(&location).body("lost"),
        app.put("manifests/v2").body(r#"{"schemaVersion":2,"manifests":[]}"#),
        app.delete("manifests/v1"),
    ] {
        let begun = Instant::now();
        request.send().await.refuses(503, "UNAVAILABLE");
        assert!(begun.elapsed() < DEADLINE, "it took {:?}", begun.elapsed());
        let begun = Instant::now();
        assert_eq!(scene.pull().await, 200);
        assert!(begun.elapsed() < Duration::from_secs(4), "a pull took {:?}", begun.elapsed());
    }
    scene.between.looks(Look::Well);
    eventually("the index is back", PATIENCE, async || app.head(&location).send().await.status == 204).await;
    app.put(&format!("{location}?digest={}", sha256(b"kept"))).body("kept").send().await.is(201);
}
