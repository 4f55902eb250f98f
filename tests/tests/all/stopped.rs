//! Two verbs at once, one of them stopped between two of its steps: whichever comes first, the other sees all of it or
//! nothing.

use crate::support::{Request, Stack, image};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Long enough for a request that nothing holds up.
const A_WHILE: Duration = Duration::from_millis(300);

/// Who waits for a lock is answered within this: ten seconds, and what a busy machine adds.
const AT_MOST: Duration = Duration::from_secs(12);

#[tokio::test]
async fn a_push_that_has_looked_is_not_overtaken_by_the_delete_of_what_it_saw() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let pushed = image(&[b"layer"]);
    app.push_blob(b"{}").await;
    let layer = app.push_blob(b"layer").await;
    let blob = format!("blobs/{layer}");

    let stop = stack.arm("stop pause looked");
    let push = app.put_manifest("v1", &pushed.manifest);
    let delete = async {
        stop.reached().await;
        let waiting = app.delete(&blob).send();
        tokio::pin!(waiting);
        assert!(tokio::time::timeout(A_WHILE, &mut waiting).await.is_err(), "the push is not done yet");
        drop(stop);
        waiting.await
    };
    let (push, delete) = tokio::join!(push, delete);
    push.is(201);
    delete.refuses(405, "UNSUPPORTED");
    app.get(&blob).send().await.is(200);
}

#[tokio::test]
async fn a_delete_that_has_looked_is_not_overtaken_by_the_push_that_needs_it() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let pushed = image(&[b"layer"]);
    app.push_blob(b"{}").await;
    let layer = app.push_blob(b"layer").await;

    let stop = stack.arm("stop pause delete looked");
    let blob = format!("blobs/{layer}");
    let delete = app.delete(&blob).send();
    let push = async {
        stop.reached().await;
        let waiting = app.put_manifest("v1", &pushed.manifest);
        tokio::pin!(waiting);
        assert!(tokio::time::timeout(A_WHILE, &mut waiting).await.is_err(), "the delete is not done yet");
        drop(stop);
        waiting.await
    };
    let (delete, push) = tokio::join!(delete, push);
    delete.is(202);
    push.refuses(400, "MANIFEST_BLOB_UNKNOWN");
    app.push_image("v1", "layer").await;
}

#[tokio::test]
async fn a_stopped_push_holds_up_neither_readers_nor_other_tags() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let old = app.push_image("v1", "old").await;
    app.push_blob(b"new").await;
    let new = image(&[b"new"]);
    for place in ["announced", "looked", "judged"] {
        let stop = stack.arm(&format!("stop pause {place}"));
        let push = app.put_manifest("v1", &new.manifest);
        let others = async {
            stop.reached().await;
            let read = app.get("manifests/v1").send().await.is(200);
            assert_eq!(read.header("docker-content-digest"), old.digest, "{place}");
            app.push_image("v2", place).await;
            drop(stop);
        };
        let (push, ()) = tokio::join!(push, others);
        push.is(201);
        app.put_manifest("v1", &old.manifest).await.is(201);
    }
}

#[tokio::test]
async fn a_delete_waits_for_a_push_that_was_judged() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let pushed = app.push_image("v1", "layer").await;
    // (what is deleted while v2 is pushed, the tags that are left)
    let by_digest = format!("manifests/{}", pushed.digest);
    for (path, left) in
        [(by_digest.as_str(), json!([])), ("manifests/v2", json!(["v1"])), ("manifests/v1", json!(["v2"]))]
    {
        app.put_manifest("v1", &pushed.manifest).await.is(201);
        let stop = stack.arm("stop pause judged");
        let push = app.put_manifest("v2", &pushed.manifest);
        let delete = async {
            stop.reached().await;
            let waiting = app.delete(path).send();
            tokio::pin!(waiting);
            assert!(tokio::time::timeout(A_WHILE, &mut waiting).await.is_err(), "{path}: the push is not done yet");
            drop(stop);
            waiting.await
        };
        let (push, delete) = tokio::join!(push, delete);
        push.is(201);
        delete.is(202);
        assert_eq!(app.get("tags/list").send().await.is(200).json()["tags"], left, "{path}");
        let told = stack.admin().does(Method::GET, "/repositories/admin/app/-/tags", &Value::Null).await;
        let told: Vec<_> = told["items"].as_array().unwrap().iter().map(|tag| tag["name"].clone()).collect();
        assert_eq!(json!(told), left, "{path}: the index knows it");
        let status = if left == json!([]) { 404 } else { 200 };
        app.get(&by_digest).send().await.is(status);
        app.put_manifest("v1", &pushed.manifest).await.is(201);
        let _ = app.delete("manifests/v2").send().await;
    }
}

/// Holds that the request is told to come again: later than at once, and within [`AT_MOST`].
async fn is_to_come_again(request: Request) {
    let begun = Instant::now();
    let refused = request.send().await.refuses(503, "UNAVAILABLE");
    let waited = begun.elapsed();
    assert!((A_WHILE..AT_MOST).contains(&waited), "{}: after {waited:?}", refused.what);
    assert!(refused.header("retry-after").parse::<u64>().is_ok(), "{refused:?}");
}

#[tokio::test]
async fn who_waits_for_a_stopped_writer_is_told_to_come_again_and_nobody_else_waits() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let elsewhere = app.on(&stack.replica());
    let other = stack.admin().repository("admin/other").await;
    let [stopped, here, there] = ["stopped", "here", "there"].map(|layer| image(&[layer.as_bytes()]));
    for tag in ["stopped", "here", "there"] {
        app.push_image(tag, tag).await;
    }
    // In the process of the one who is stopped, and in another.
    let pushes = || {
        [(&app, &here), (&elsewhere, &there)].map(|(app, image)| app.put("manifests/v1").body(image.manifest.clone()))
    };
    let deletes = || [app.delete("manifests/here"), elsewhere.delete("manifests/there")];

    let stop = stack.arm("stop pause judged");
    let push = app.put_manifest("v1", &stopped.manifest);
    let others = async {
        stop.reached().await;
        let pushing = futures_util::future::join_all(pushes().map(is_to_come_again));
        let deleting = async {
            // Whoever shares the lock by then is not held up by one who wants it alone.
            tokio::time::sleep(A_WHILE).await;
            futures_util::future::join_all(deletes().map(is_to_come_again)).await
        };
        let unharmed = async {
            tokio::time::sleep(2 * A_WHILE).await;
            let begun = Instant::now();
            other.push_image("v1", "other").await;
            other.delete("manifests/v1").send().await.is(202);
            elsewhere.get("manifests/here").send().await.is(200);
            app.get("manifests/v1").send().await.refuses(404, "MANIFEST_UNKNOWN");
            assert!(begun.elapsed() < AT_MOST / 4, "others waited: {:?}", begun.elapsed());
        };
        tokio::join!(pushing, deleting, unharmed);
        drop(stop);
    };
    let (push, ()) = tokio::join!(push, others);
    push.is(201);
    for (again, image) in pushes().into_iter().zip([&here, &there]) {
        again.send().await.is(201);
        let read = app.get("manifests/v1").send().await.is(200);
        assert_eq!(read.header("docker-content-digest"), image.digest);
    }
    for again in deletes() {
        again.send().await.is(202);
    }
    assert!(!stack.files().iter().any(|file| file.starts_with("berth/intents/")), "{:?}", stack.files());
}
