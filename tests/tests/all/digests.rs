//! Both digest algorithms, everywhere: what a client asks by, it is answered by. OCI distribution spec 1.1, "Digests",
//! end-2 to end-7, end-9, end-10; main branch, `digest-algorithm`.

use crate::support::{Repository, Stack, sha256, sha512};
use serde_json::json;
use shared::media_type::{OCI_INDEX, OCI_MANIFEST};

const LAYER: &[u8] = b"a layer";

/// Pushes a blob under the digest that `name` makes; returns its descriptor.
async fn blob(app: &Repository, name: fn(&[u8]) -> String, content: &[u8]) -> serde_json::Value {
    let digest = name(content);
    app.post(&format!("blobs/uploads/?digest={digest}")).body(content.to_vec()).send().await.is(201);
    json!({ "mediaType": "a/b", "digest": digest, "size": content.len() })
}

#[tokio::test]
async fn an_image_lives_by_digests_of_either_algorithm_from_push_to_delete() {
    let stack = Stack::start().await;
    for (number, name) in [sha256, sha512].into_iter().enumerate() {
        let app = stack.admin().repository(&format!("admin/app{number}")).await;
        let (config, layer) = (blob(&app, name, b"{}").await, blob(&app, name, LAYER).await);
        let manifest = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer] });
        let manifest = manifest.to_string();
        let child = json!({ "mediaType": OCI_MANIFEST, "digest": name(manifest.as_bytes()), "size": manifest.len() });
        let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child] }).to_string();
        let mut paths = Vec::new();
        for body in [&manifest, &index] {
            let digest = name(body.as_bytes());
            let pushed = app.put_manifest(&digest, body.as_bytes()).await.is(201);
            assert_eq!(pushed.header("docker-content-digest"), digest);
            assert_eq!(pushed.header("location"), format!("/v2/{}/manifests/{digest}", app.name));
            paths.push((format!("manifests/{digest}"), digest, body.as_bytes()));
        }
        for content in [b"{}".as_slice(), LAYER] {
            paths.push((format!("blobs/{}", name(content)), name(content), content));
        }
        for (path, digest, content) in &paths {
            let (get, head) = (app.get(path).send().await.is(200), app.head(path).send().await.is(200));
            assert_eq!(get.body, *content);
            for answer in [&get, &head] {
                assert_eq!(answer.header("docker-content-digest"), digest);
                assert_eq!(answer.header("etag"), format!("\"{digest}\""));
                assert_eq!(answer.header("content-length"), content.len().to_string());
            }
        }
        // Parents before children, as the tests of the OCI delete.
        paths.swap(0, 1);
        for (path, ..) in &paths {
            app.delete(path).send().await.is(202);
            app.head(path).send().await.is(404);
            app.delete(path).send().await.is(404);
        }
    }
}

#[tokio::test]
async fn content_is_known_by_the_digest_it_was_pushed_with_and_by_no_other() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    blob(&app, sha512, LAYER).await;
    app.head(&format!("blobs/{}", sha256(LAYER))).send().await.is(404);
    let (config, layer) = (blob(&app, sha256, b"{}").await, blob(&app, sha512, b"another layer").await);
    let manifest = json!({ "schemaVersion": 2, "config": config, "layers": [layer] }).to_string();
    let (by_256, by_512) = (sha256(manifest.as_bytes()), sha512(manifest.as_bytes()));
    app.put_manifest(&by_512, manifest.as_bytes()).await.is(201);
    app.get(&format!("manifests/{by_256}")).send().await.refuses(404, "MANIFEST_UNKNOWN");
    // A child that is there by one digest is not there by the other one.
    let child = json!({ "mediaType": OCI_MANIFEST, "digest": by_256, "size": manifest.len() });
    let index = json!({ "schemaVersion": 2, "manifests": [child] }).to_string();
    app.put_manifest("index", index.as_bytes()).await.refuses(400, "MANIFEST_BLOB_UNKNOWN");
    // Pushed by both it is one content with two names, of which one can go.
    app.put_manifest("v1", manifest.as_bytes()).await.is(201);
    app.delete(&format!("manifests/{by_512}")).send().await.is(202);
    assert_eq!(app.get("manifests/v1").send().await.is(200).header("docker-content-digest"), by_256);
}

#[tokio::test]
async fn a_wrong_digest_is_refused_whatever_way_the_content_comes() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    for wrong in [sha256(b"else"), sha512(b"else")] {
        let end = |location: &str| format!("{location}?digest={wrong}");
        let at_once = app.post(&end("blobs/uploads/")).body(LAYER).send().await;
        let at_the_end = app.put(&end(&app.begin().await)).body(LAYER).send().await;
        let (streamed, chunked) = (app.begin().await, app.begin().await);
        app.patch(&streamed).streamed(LAYER).send().await.is(202);
        for (range, chunk) in [("0-2", &LAYER[..3]), ("3-6", &LAYER[3..])] {
            app.patch(&chunked).header("Content-Range", range).body(chunk).send().await.is(202);
        }
        let (streamed, chunked) = (app.put(&end(&streamed)).send().await, app.put(&end(&chunked)).send().await);
        let manifest = app.put_manifest(&wrong, br#"{"schemaVersion":2,"manifests":[]}"#).await;
        for answer in [at_once, at_the_end, streamed, chunked, manifest] {
            answer.refuses(400, "DIGEST_INVALID");
        }
        for path in [format!("blobs/{wrong}"), format!("manifests/{wrong}")] {
            app.head(&path).send().await.is(404);
            app.delete(&path).send().await.is(404);
        }
    }
}

#[tokio::test]
async fn a_blob_is_mounted_and_read_in_parts_by_the_digest_that_it_was_pushed_with() {
    let stack = Stack::start().await;
    let source = stack.admin().repository("admin/source").await;
    for name in [sha256, sha512] {
        let digest = blob(&source, name, LAYER).await["digest"].as_str().unwrap().to_owned();
        for (number, from) in ["&from=admin/source", ""].iter().enumerate() {
            let target = format!("admin/target{number}");
            let scopes = format!("repository:{target}:pull,push,delete repository:admin/source:pull");
            let target = Repository::new(&stack.host, &target, stack.admin().token(&scopes).await);
            let mounted = target.post(&format!("blobs/uploads/?mount={digest}{from}")).send().await.is(201);
            assert_eq!(mounted.header("docker-content-digest"), digest);
            let path = mounted.header("location");
            assert_eq!(path, format!("/v2/{}/blobs/{digest}", target.name));
            assert_eq!(target.get(path).send().await.is(200).body, LAYER);
            let part = target.get(path).header("Range", "bytes=2-4").send().await.is(206);
            assert_eq!((&part.body[..], part.header("docker-content-digest")), (&LAYER[2..5], digest.as_str()));
            target.get(path).header("Range", "bytes=500-0").send().await.is(416);
            target.delete(path).send().await.is(202);
            target.head(path).send().await.is(404);
        }
        // By the other digest nobody pushed it, so there is nothing to mount.
        let other = if digest.starts_with("sha256") { sha512(b"else") } else { sha256(b"else") };
        let answer = source.post(&format!("blobs/uploads/?mount={other}")).send().await.is(202);
        source.put(&format!("{}?digest={other}", answer.header("location"))).body("else").send().await.is(201);
    }
}
