//! Tags as parameters of a push by digest: OCI distribution spec, main branch after 1.1, end-7b.

use crate::support::{Stack, image, sha256, sha512};
use reqwest::Method;
use serde_json::Value;

#[tokio::test]
async fn every_tag_of_a_push_points_at_the_digest_that_was_pushed() {
    let stack = Stack::start().await;
    let other = stack.replica();
    let app = stack.admin().repository("admin/app").await;
    let old = app.push_image("moved", "old").await;
    let image = image(&[b"layer"]);
    app.push_blob(b"layer").await;
    for digest in [sha256(&image.manifest), sha512(&image.manifest)] {
        let tags: Vec<_> = (0..10).map(|number| format!("v{number}")).chain(["moved".to_owned()]).collect();
        // Given twice it is one tag; what else is in the query is not ours.
        let query = tags.iter().fold("x=y&tag=v0".to_owned(), |query, tag| format!("{query}&tag={tag}"));
        let answer = app.put_manifest(&format!("{digest}?{query}"), &image.manifest).await.is(201);
        assert_eq!(answer.header("docker-content-digest"), digest);
        let mut told: Vec<_> = answer.headers.get_all("oci-tag").iter().map(|tag| tag.to_str().unwrap()).collect();
        told.sort_by_key(|tag| tags.iter().position(|own| own == tag));
        assert_eq!(told, tags);
        for replica in [app.clone(), app.on(&other)] {
            for tag in &tags {
                let read = replica.get(&format!("manifests/{tag}")).send().await.is(200);
                assert_eq!(
                    (read.header("docker-content-digest"), &read.body[..]),
                    (digest.as_str(), &image.manifest[..])
                );
            }
        }
        let path = format!("/repositories/admin/app/-/manifests/{digest}");
        let told = stack.admin().does(Method::GET, &path, &Value::Null).await;
        assert_eq!(told["tags"].as_array().unwrap().len(), tags.len(), "the index knows them all: {told}");
    }
    app.get(&format!("manifests/{}", old.digest)).send().await.is(200);
}

#[tokio::test]
async fn a_push_whose_tags_cannot_be_changes_nothing() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    for blob in image(&[b"layer"]).blobs {
        app.push_blob(&blob).await;
    }
    let image = image(&[b"layer"]);
    let many = |count: usize| (0..count).fold("?".to_owned(), |query, number| format!("{query}tag=t{number}&"));
    // (reference, status, code)
    let cases = [
        (format!("{}?tag=good&tag=-bad", image.digest), 400, "TAG_INVALID"),
        (format!("{}?tag=", image.digest), 400, "TAG_INVALID"),
        (format!("{}?tag=sha256:{}", image.digest, "a".repeat(64)), 400, "TAG_INVALID"),
        ("v1?tag=v2".to_owned(), 400, "TAG_INVALID"),
        (format!("{}{}", image.digest, many(51)), 414, "TAG_INVALID"),
        (format!("{}?tag=good", sha256(b"else")), 400, "DIGEST_INVALID"),
    ];
    for (reference, status, code) in &cases {
        let answer = app.put_manifest(reference, &image.manifest).await.refuses(*status, code);
        assert!(!answer.headers.contains_key("oci-tag"), "{reference}");
    }
    assert_eq!(app.get("tags/list").send().await.is(200).json()["tags"], serde_json::json!([]));
    app.get(&format!("manifests/{}", image.digest)).send().await.is(404);
    app.put_manifest(&format!("{}{}", image.digest, many(50)), &image.manifest).await.is(201);
    assert_eq!(app.get("tags/list").send().await.is(200).json()["tags"].as_array().unwrap().len(), 50);
}
