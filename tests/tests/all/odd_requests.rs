//! Requests that are odd and that nobody need fear: bodies that say they are packed, ids that are too long, what
//! belongs to somebody else, and old manifests. Source: RFC 9110, section 8.4.

use crate::support::{Repository, Stack, child_descriptor, image, index, sha256};
use shared::media_type::OCI_MANIFEST;

const INDEX: &[u8] = br#"{"schemaVersion":2,"manifests":[]}"#;

/// The same, as gzip packs it.
const PACKED: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 42, 78, 206, 72, 205, 77, 12, 75, 45, 42, 206, 204, 207, 83, 178, 50,
    210, 81, 202, 77, 204, 203, 76, 75, 45, 46, 41, 86, 178, 138, 142, 173, 5, 0, 236, 87, 58, 113, 34, 0, 0, 0,
];

async fn app() -> (Stack, Repository) {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    (stack, app)
}

#[tokio::test]
async fn what_names_what_lies_with_somebody_else_only_is_refused_as_what_names_nothing() {
    let (stack, acme) = app().await;
    let private = acme.push_image("v1", "private").await;
    let mallory = stack.user("mallory").await.repository("mallory/evil").await;
    mallory.push_blob(b"{}").await;
    let mut nothing = private.manifest.clone();
    nothing.push(b' ');
    let refused = async |manifest: &[u8], missing: &[u8]| {
        let answer = mallory.put_manifest("v1", manifest).await.refuses(400, "MANIFEST_BLOB_UNKNOWN");
        mallory.get("manifests/v1").send().await.is(404);
        mallory.get(&format!("manifests/{}", sha256(manifest))).send().await.is(404);
        (answer.lasting_headers(), answer.text().replace(&sha256(missing), "DIGEST"))
    };
    let of_index = async |child: &[u8]| refused(&index(&[child_descriptor(OCI_MANIFEST, child)]), child).await;
    assert_eq!(of_index(&private.manifest).await, of_index(&nothing).await, "it reveals nothing");
    let of_image = async |layer: &[u8]| refused(&image(&[layer]).manifest, layer).await;
    assert_eq!(of_image(b"private").await, of_image(b"nothing").await, "nor does an image");
    mallory.get(&format!("manifests/{}", private.digest)).send().await.refuses(404, "MANIFEST_UNKNOWN");
    mallory.put_manifest("v1", &private.manifest).await.refuses(400, "MANIFEST_BLOB_UNKNOWN");
}

#[tokio::test]
async fn a_request_has_the_id_that_the_server_gives_it() {
    let (stack, app) = app().await;
    app.push_image("v1", "layer").await;
    for id in ["x".repeat(10 * 1024), "x".to_owned(), "../../etc".to_owned()] {
        let answer = app.get("manifests/v1").header("x-request-id", id.clone()).send().await.is(200);
        let given = answer.header("x-request-id");
        assert!(uuid::Uuid::parse_str(given).is_ok(), "{given}");
        assert_eq!(answer.headers.get_all("x-request-id").iter().count(), 1);
    }
    stack.host.get("/v2/").header("x-request-id", "x".repeat(10 * 1024)).send().await.is(401);
}

#[tokio::test]
async fn what_says_that_it_is_packed_is_stored_as_it_came_and_never_unpacked() {
    let (_stack, app) = app().await;
    let packed = sha256(PACKED);
    let end = format!("blobs/uploads/?digest={packed}");
    app.post(&end).header("content-encoding", "gzip").body(PACKED).send().await.is(201);
    let read = app.get(&format!("blobs/{packed}")).header("accept-encoding", "gzip").send().await.is(200);
    assert_eq!((read.body.as_ref(), read.header("content-encoding")), (PACKED, ""));
    let unpacked = sha256(INDEX);
    let wrong = app.post(&format!("blobs/uploads/?digest={unpacked}")).header("content-encoding", "gzip");
    wrong.body(PACKED).send().await.refuses(400, "DIGEST_INVALID");
    // A manifest is read, and this is none.
    let manifest = app.put("manifests/v1").header("content-encoding", "gzip").body(PACKED).send().await;
    manifest.refuses(400, "MANIFEST_INVALID");
    for reference in ["v1", &unpacked, &packed] {
        app.get(&format!("manifests/{reference}")).send().await.is(404);
    }
}

#[tokio::test]
async fn the_place_of_an_upload_says_how_far_it_is_without_a_body() {
    let (_stack, app) = app().await;
    let location = app.begin().await;
    app.patch(&location).body("five!").send().await.is(202);
    let (get, head) = (app.get(&location).send().await.is(204), app.head(&location).send().await.is(204));
    assert_eq!(head.lasting_headers(), get.lasting_headers());
    assert_eq!((head.header("range"), head.header("location")), ("0-4", location.as_str()));
    assert!(head.body.is_empty());
    app.head(&location.replace("uploads/", "uploads/x")).send().await.is(404);
}

#[tokio::test]
async fn who_pushes_a_manifest_of_schema_1_is_told_what_to_do() {
    let (_stack, app) = app().await;
    let old = br#"{"schemaVersion":1,"name":"admin/app","tag":"v1","architecture":"amd64","fsLayers":[],"history":[]}"#;
    for media_type in ["manifest.v1+json", "manifest.v1+prettyjws"] {
        let media_type = format!("application/vnd.docker.distribution.{media_type}");
        let push = app.put("manifests/v1").header("content-type", media_type).body(old.to_vec());
        let refused = push.send().await.refuses(400, "MANIFEST_INVALID");
        let sentence = "manifest schema 1 is not supported; push with a client from 2017 or later";
        assert!(refused.text().contains(sentence), "{}", refused.text());
    }
    app.get("manifests/v1").send().await.is(404);
}
