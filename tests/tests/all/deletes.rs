//! Deleting tags, manifests and blobs: OCI distribution spec 1.1, end-9 and end-10. Gone is gone at once, everywhere.

use crate::support::{Repository, Stack, artifact, at_once, child_descriptor, data, index, scrub_in, sha256};
use reqwest::Method;
use serde_json::json;
use shared::media_type::{OCI_INDEX, OCI_MANIFEST};

#[tokio::test]
async fn what_is_deleted_is_gone_on_every_replica() {
    let stack = Stack::start().await;
    let other = stack.replica();
    let app = stack.admin().repository("admin/app").await;
    let image = app.push_image("v1", "layer").await;
    app.put_manifest("v2", &image.manifest).await.is(201);
    let by_digest = format!("manifests/{}", image.digest);
    let layer = format!("blobs/{}", sha256(b"layer"));
    // (what is deleted, what is gone then, what stays)
    let steps: [(&str, &[&str], &[&str]); 3] = [
        ("manifests/v1", &["manifests/v1"], &["manifests/v2", &by_digest, &layer]),
        (&by_digest, &["manifests/v1", "manifests/v2", &by_digest], &[&layer]),
        (&layer, &[&layer, &by_digest], &[]),
    ];
    for (deleted, gone, stays) in steps {
        let replicas = [app.clone(), app.on(&other)];
        for replica in &replicas {
            for path in stays.iter().chain([&deleted]) {
                replica.get(path).send().await.is(200);
            }
        }
        app.delete(deleted).send().await.is(202);
        for replica in &replicas {
            for path in gone {
                replica.get(path).send().await.is(404);
                replica.head(path).send().await.is(404);
            }
            for path in stays {
                replica.get(path).send().await.is(200);
            }
            replica.delete(deleted).send().await.is(404);
        }
    }
    let tags = app.get("tags/list").send().await.is(200).json();
    assert_eq!(tags["tags"], serde_json::json!([]));
}

/// Looks that a client may take at a blob, as headers.
const LOOKS: &[(&str, &str)] =
    &[("Accept", "*/*"), ("Range", "bytes=0-1"), ("If-None-Match", "\"x\""), ("If-None-Match", "*")];

#[tokio::test]
async fn a_blob_that_is_deleted_here_stays_gone_however_often_others_read_theirs() {
    let stack = Stack::start().await;
    let (admin, mallory) = (stack.admin(), stack.user("mallory").await);
    let theirs = admin.repository("admin/app").await;
    let own = mallory.repository("mallory/app").await;
    let hosts = [stack.host.clone(), stack.replica()];
    // One that is kept in memory, and one that is not.
    for content in [b"layer".to_vec(), vec![7; 1 << 20]] {
        let path = format!("blobs/{}", theirs.push_blob(&content).await);
        own.push_blob(&content).await;
        for host in &hosts {
            own.on(host).get(&path).send().await.is(200);
        }
        own.delete(&path).send().await.is(202);
        for round in 0..20 {
            for host in &hosts {
                let (header, value) = LOOKS[round % LOOKS.len()];
                theirs.on(host).get(&path).send().await.is(200);
                theirs.on(host).head(&path).send().await.is(200);
                for method in [Method::GET, Method::HEAD] {
                    own.on(host).request(method, &path).header(header, value).send().await.is(404);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_part_of_something_cannot_be_deleted() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let child = app.push_image("child", "layer").await;
    let parent = index(&[child_descriptor(OCI_MANIFEST, &child.manifest)]);
    app.put_manifest("parent", &parent).await.is(201);
    let parts = [
        format!("manifests/{}", child.digest),
        format!("blobs/{}", sha256(b"layer")),
        format!("blobs/{}", sha256(b"{}")),
    ];
    for part in &parts {
        let answer = app.delete(part).send().await.refuses(405, "UNSUPPORTED");
        let is_manifest = part.starts_with("manifests");
        let holder = if is_manifest { sha256(&parent) } else { child.digest.clone() };
        assert!(answer.text().contains(&holder), "says what holds it: {}", answer.text());
        assert_eq!(answer.header("allow"), if is_manifest { "GET, HEAD, PUT" } else { "GET, HEAD" }, "{part}");
        app.get(part).send().await.is(200);
    }
    // The whole goes in the order of the tests of the OCI: tags, manifests from the top down, blobs.
    for path in ["manifests/parent", &format!("manifests/{}", sha256(&parent))]
        .into_iter()
        .chain(parts.iter().map(String::as_str))
    {
        app.delete(path).send().await.is(202);
    }
}

#[tokio::test]
async fn a_right_to_push_deletes_nothing() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let image = app.push_image("v1", "layer").await;
    let signature = app.push_manifest(&artifact(&image.digest, &json!({}))).await;
    let token = stack.admin().token("repository:admin/app:pull,push").await;
    let pusher = Repository::new(&stack.host, "admin/app", token);
    for path in [
        "manifests/v1",
        &format!("manifests/{}", image.digest),
        &format!("manifests/{signature}"),
        &format!("blobs/{}", sha256(b"layer")),
    ] {
        let answer = pusher.delete(path).send().await.refuses(401, "UNAUTHORIZED");
        assert!(answer.header("www-authenticate").ends_with("error=\"insufficient_scope\""));
        app.get(path).send().await.is(200);
    }
}

#[tokio::test]
async fn manifests_that_are_damaged_keep_what_they_may_name_and_can_be_deleted_themselves() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let images = [app.push_image("v1", "one").await, app.push_image("v2", "two").await];
    for (image, bytes) in images.iter().zip(["{}", "torn"]) {
        std::fs::write(stack.stored(&data(&image.digest)), bytes).unwrap();
    }
    let layer = format!("blobs/{}", sha256(b"one"));
    let refused = app.delete(&layer).send().await.refuses(405, "UNSUPPORTED");
    assert!(refused.text().contains("which is damaged"), "says why: {}", refused.text());
    for image in &images {
        app.delete(&format!("manifests/{}", image.digest)).send().await.is(202);
    }
    app.delete(&layer).send().await.is(202);
}

// What names a part is deleted before it; of a part that is damaged nobody says that it may name the whole.
#[tokio::test]
async fn an_index_whose_parts_are_damaged_can_be_deleted_and_then_its_parts() {
    for is_quarantined in [false, true] {
        let stack = Stack::start().await;
        let app = stack.admin().repository("admin/app").await;
        let child = app.push_image("child", "layer").await;
        let inner = index(&[child_descriptor(OCI_MANIFEST, &child.manifest)]);
        app.put_manifest("inner", &inner).await.is(201);
        let outer = index(&[child_descriptor(OCI_INDEX, &inner)]);
        app.put_manifest("outer", &outer).await.is(201);
        for manifest in [&child.manifest, &inner] {
            std::fs::write(stack.stored(&data(&sha256(manifest))), "{}").unwrap();
        }
        if is_quarantined {
            assert_eq!(scrub_in(stack.root()).0.len(), 2);
        }
        let [child, inner, outer] =
            [&child.manifest, &inner, &outer].map(|bytes| format!("manifests/{}", sha256(bytes)));
        let held = app.delete(&inner).send().await.refuses(405, "UNSUPPORTED");
        assert!(held.text().contains(outer.trim_start_matches("manifests/")), "{}", held.text());
        // Nobody knows any more whose part it was.
        app.delete(&child).send().await.is(202);
        for manifest in [&outer, &inner] {
            app.delete(manifest).send().await.is(202);
        }
        stack.collect(at_once()).await.unwrap();
    }
}

#[tokio::test]
async fn an_index_whose_child_is_damaged_is_not_held_by_it() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let child = app.push_image("child", "layer").await;
    let parent = index(&[child_descriptor(OCI_MANIFEST, &child.manifest)]);
    app.put_manifest("parent", &parent).await.is(201);
    std::fs::write(stack.stored(&data(&child.digest)), "{}").unwrap();
    for manifest in [sha256(&parent), child.digest] {
        app.delete(&format!("manifests/{manifest}")).send().await.is(202);
    }
}
