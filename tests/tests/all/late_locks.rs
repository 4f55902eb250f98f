//! Whoever has opened a lock's file and takes the lock when its holder has gone, and the file with it: it locks nothing, and
//! must change nothing.

use crate::support::{Stack, image, sha256};
use reqwest::Method;
use serde_json::Value;

#[tokio::test]
async fn nothing_is_appended_to_an_upload_that_has_become_a_blob() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let other = app.on(&stack.replica());
    let digest = sha256(b"whole");
    for late in [Method::PATCH, Method::PUT, Method::DELETE] {
        let location = app.begin().await;
        app.patch(&location).body("whole").send().await.is(202);
        let stop = stack.arm("stop lock /_uploads/");
        let path =
            if late == Method::PUT { format!("{location}?digest={}", sha256(b"wholemore")) } else { location.clone() };
        let sent = tokio::spawn(other.request(late.clone(), &path).body("more").send());
        stop.reached().await;
        app.put(&format!("{location}?digest={digest}")).send().await.is(201);
        drop(stop);
        sent.await.unwrap().refuses(404, "BLOB_UPLOAD_UNKNOWN");
        assert_eq!(app.get(&format!("blobs/{digest}")).send().await.is(200).text(), "whole", "{late}");
        app.head(&format!("blobs/{}", sha256(b"wholemore"))).send().await.is(404);
        app.delete(&format!("blobs/{digest}")).send().await.is(202);
    }
}

#[tokio::test]
async fn a_push_that_takes_the_lock_of_a_tag_late_is_known_as_the_last() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    let app = admin.repository("admin/app").await;
    let (one, other) = (app.push_image("one", "one").await, app.push_image("other", "other").await);
    for (late, early) in [(&one, &other), (&other, &one)] {
        let stop = stack.arm("stop lock /_tags/v1");
        let sent = tokio::spawn({
            let (app, manifest) = (app.clone(), late.manifest.clone());
            async move { app.put_manifest("v1", &manifest).await }
        });
        stop.reached().await;
        app.on(&stack.replica()).put_manifest("v1", &early.manifest).await.is(201);
        assert_eq!(app.head("manifests/v1").send().await.header("docker-content-digest"), early.digest);
        drop(stop);
        sent.await.unwrap().is(201);
        assert_eq!(app.head("manifests/v1").send().await.header("docker-content-digest"), late.digest);
        let told = admin.does(Method::GET, "/repositories/admin/app/-/tags", &Value::Null).await;
        let tags = told["items"].as_array().unwrap();
        assert!(tags.iter().any(|tag| tag["name"] == "v1" && tag["digest"] == late.digest), "{told}");
    }
}

#[tokio::test]
async fn a_repository_that_goes_while_a_push_takes_its_lock_late_is_not_made_again() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    let app = admin.repository("admin/app").await;
    let pushed = app.push_image("v1", "layer").await;
    let stop = stack.arm("stop lock /admin/app/_gate");
    let sent = tokio::spawn({
        let (app, manifest) = (app.on(&stack.replica()), image(&[b"layer"]).manifest);
        async move { app.put_manifest("v2", &manifest).await }
    });
    stop.reached().await;
    admin.does(Method::DELETE, "/repositories/admin/app", &Value::Null).await;
    drop(stop);
    let status = sent.await.unwrap().status;
    assert!([401, 403, 404].contains(&status), "{status}");
    admin.does(Method::POST, "/repositories/admin/app/-/restore", &Value::Null).await;
    let app = admin.repository("admin/app").await;
    app.get("manifests/v2").send().await.is(404);
    assert_eq!(app.get("manifests/v1").send().await.is(200).body, pushed.manifest);
}
