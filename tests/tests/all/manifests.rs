//! Pushing and reading manifests: OCI distribution spec 1.1, end-3 and end-7; OCI image spec 1.1. What may be stored is a
//! table of bodies.

use crate::support::{Repository, Stack, child_descriptor, image, index, sha256, sha512};
use reqwest::Method;
use serde_json::Value;
use shared::media_type::{DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, OCI_INDEX, OCI_MANIFEST};

const MAX: usize = 4 * 1024 * 1024;

/// A repository with the blobs `{}` and `layer`.
async fn repository(stack: &Stack) -> Repository {
    let app = stack.admin().repository("admin/app").await;
    app.push_blob(b"{}").await;
    app.push_blob(b"layer").await;
    app
}

/// Fills in the digests of what is there (`CONFIG`, `LAYER`) and of what is not (`MISSING`).
fn filled(body: &str) -> String {
    let descriptor =
        |content: &[u8]| format!(r#"{{"mediaType":"x/y","digest":"{}","size":{}}}"#, sha256(content), content.len());
    body.replace("CONFIG", &descriptor(b"{}"))
        .replace("LAYER", &descriptor(b"layer"))
        .replace("MISSING", &descriptor(b"missing"))
        .replace("DIGEST", &sha256(b"missing"))
}

/// (where it is written, body, Content-Type, status, the type it is served as or the code of the refusal).
const BODIES: &[(&str, &str, &str, u16, &str)] = &[
    ("OCI image manifest", r#"{"schemaVersion":2,"config":CONFIG,"layers":[LAYER]}"#, "", 201, OCI_MANIFEST),
    ("OCI image manifest", r#"{"schemaVersion":2,"config":CONFIG,"layers":[LAYER]}"#, OCI_MANIFEST, 201, OCI_MANIFEST),
    ("OCI image manifest", r#"{"schemaVersion":2,"config":CONFIG,"layers":[]}"#, OCI_MANIFEST, 201, OCI_MANIFEST),
    ("OCI image manifest", r#"{"schemaVersion":2,"config":CONFIG,"layers":[CONFIG]}"#, OCI_MANIFEST, 201, OCI_MANIFEST),
    (
        "Docker schema 2",
        r#"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":CONFIG,"layers":[LAYER]}"#,
        DOCKER_MANIFEST,
        201,
        DOCKER_MANIFEST,
    ),
    (
        "Docker schema 2",
        r#"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":CONFIG,"layers":[LAYER]}"#,
        "",
        201,
        DOCKER_MANIFEST,
    ),
    (
        "RFC 9110 8.3.1",
        r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":CONFIG,"layers":[]}"#,
        "application/vnd.oci.image.manifest.v1+json; charset=utf-8",
        201,
        OCI_MANIFEST,
    ),
    ("OCI image index", r#"{"schemaVersion":2,"manifests":[]}"#, "", 201, OCI_INDEX),
    ("OCI image index", r#"{"schemaVersion":2,"manifests":[]}"#, OCI_INDEX, 201, OCI_INDEX),
    // Some writers say `null` for an empty list.
    ("OCI image index", r#"{"schemaVersion":2,"manifests":null}"#, OCI_INDEX, 201, OCI_INDEX),
    ("OCI image index", r#"{"schemaVersion":2,"manifests":null}"#, "", 201, OCI_INDEX),
    (
        "Docker schema 2",
        r#"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json","manifests":[]}"#,
        DOCKER_MANIFEST_LIST,
        201,
        DOCKER_MANIFEST_LIST,
    ),
    (
        "OCI image index",
        r#"{"schemaVersion":2,"manifests":[],"artifactType":"a/b","annotations":{"x":"y"}}"#,
        OCI_INDEX,
        201,
        OCI_INDEX,
    ),
    (
        "OCI 1.1 end-7, subject",
        r#"{"schemaVersion":2,"config":CONFIG,"layers":[],"subject":MISSING}"#,
        OCI_MANIFEST,
        201,
        OCI_MANIFEST,
    ),
    (
        "OCI image considerations",
        r#"{"schemaVersion":2,"config":CONFIG,"layers":[],"unknown":{"data":[1,2.50,"\u00e4"]}}"#,
        OCI_MANIFEST,
        201,
        OCI_MANIFEST,
    ),
    (
        "OCI 1.1 end-7",
        " {\n\t\"layers\" : [ ] ,\r\n \"config\" : CONFIG, \"schemaVersion\" :2 }\n\n",
        OCI_MANIFEST,
        201,
        OCI_MANIFEST,
    ),
    (
        "OCI 1.1 code-1",
        r#"{"schemaVersion":2,"config":CONFIG,"layers":[MISSING]}"#,
        OCI_MANIFEST,
        400,
        "MANIFEST_BLOB_UNKNOWN",
    ),
    (
        "OCI 1.1 code-1",
        r#"{"schemaVersion":2,"config":MISSING,"layers":[]}"#,
        OCI_MANIFEST,
        400,
        "MANIFEST_BLOB_UNKNOWN",
    ),
    ("OCI 1.1 code-1", r#"{"schemaVersion":2,"manifests":[MISSING]}"#, OCI_INDEX, 400, "MANIFEST_BLOB_UNKNOWN"),
    ("OCI image index", r#"{"schemaVersion":2,"manifests":[LAYER]}"#, OCI_INDEX, 201, OCI_INDEX),
    ("OCI 1.1 end-7", r#"{"schemaVersion":2,"config":CONFIG,"layers":[]}"#, OCI_INDEX, 400, "MANIFEST_INVALID"),
    ("OCI 1.1 end-7", r#"{"schemaVersion":2,"config":CONFIG,"layers":[]}"#, DOCKER_MANIFEST, 400, "MANIFEST_INVALID"),
    (
        "OCI 1.1 end-7",
        r#"{"schemaVersion":2,"config":CONFIG,"layers":[]}"#,
        "application/json",
        400,
        "MANIFEST_INVALID",
    ),
    (
        "OCI 1.1 end-7",
        r#"{"schemaVersion":2,"mediaType":"application/json","config":CONFIG,"layers":[]}"#,
        "application/json",
        400,
        "MANIFEST_INVALID",
    ),
    (
        "OCI 1.1 end-7",
        r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","config":CONFIG,"layers":[]}"#,
        "",
        400,
        "MANIFEST_INVALID",
    ),
    ("OCI 1.1 end-7", r#"{"schemaVersion":2,"config":CONFIG,"layers":[],"manifests":[]}"#, "", 400, "MANIFEST_INVALID"),
    ("OCI 1.1 end-7", r#"{"schemaVersion":2}"#, "", 400, "MANIFEST_INVALID"),
    (
        "Docker schema 1",
        r#"{"schemaVersion":1,"fsLayers":[]}"#,
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        400,
        "MANIFEST_INVALID",
    ),
    ("Docker schema 1", r#"{"schemaVersion":1,"fsLayers":[]}"#, "", 400, "MANIFEST_INVALID"),
    ("OCI image manifest", r#"{"config":CONFIG,"layers":[]}"#, "", 400, "MANIFEST_INVALID"),
    ("RFC 8259 4", r#"{"schemaVersion":2,"config":CONFIG,"config":CONFIG,"layers":[]}"#, "", 400, "MANIFEST_INVALID"),
    (
        "OCI image descriptor",
        r#"{"schemaVersion":2,"config":CONFIG,"layers":[{"mediaType":"x","digest":"sha256:bad","size":1}]}"#,
        "",
        400,
        "MANIFEST_INVALID",
    ),
    (
        "OCI image descriptor",
        r#"{"schemaVersion":2,"config":CONFIG,"layers":[{"mediaType":"x","digest":"DIGEST","size":-1}]}"#,
        "",
        400,
        "MANIFEST_INVALID",
    ),
    ("RFC 8259 2", r#"{"schemaVersion":2,"config":CONFIG,"layers":[]} x"#, "", 400, "MANIFEST_INVALID"),
    ("RFC 8259 8.1", "\u{feff}{\"schemaVersion\":2,\"manifests\":[]}", "", 400, "MANIFEST_INVALID"),
    ("OCI image manifest", "[]", "", 400, "MANIFEST_INVALID"),
    ("RFC 8259 2", "not json", "", 400, "MANIFEST_INVALID"),
    ("RFC 8259 2", "", "", 400, "MANIFEST_INVALID"),
];

#[tokio::test]
async fn a_manifest_is_stored_as_it_came_or_refused_with_its_code() {
    let stack = Stack::start().await;
    let app = repository(&stack).await;
    for (number, (rule, body, content_type, status, outcome)) in BODIES.iter().enumerate() {
        let (body, tag) = (filled(body), format!("v{number}"));
        let request = app.put(&format!("manifests/{tag}")).body(body.clone());
        let request = if content_type.is_empty() { request } else { request.header("Content-Type", *content_type) };
        let answer = request.send().await;
        assert_eq!(answer.status, *status, "{rule}: {body} as {content_type:?}: {}", answer.text());
        if *status != 201 {
            assert_eq!(answer.code(), *outcome, "{body} as {content_type:?}: {}", answer.text());
            app.get(&format!("manifests/{tag}")).send().await.refuses(404, "MANIFEST_UNKNOWN");
            continue;
        }
        let digest = sha256(body.as_bytes());
        assert_eq!(answer.header("docker-content-digest"), digest);
        assert_eq!(answer.header("location"), format!("/v2/admin/app/manifests/{digest}"));
        for reference in [&tag, &digest, &digest.replace(':', "%3A")] {
            let path = format!("manifests/{reference}");
            let (get, head) = (app.get(&path).send().await.is(200), app.head(&path).send().await.is(200));
            assert_eq!(get.body, body.as_bytes(), "byte for byte");
            assert_eq!(get.header("content-type"), *outcome, "{body}");
            for header in ["content-type", "content-length", "docker-content-digest", "etag"] {
                assert_eq!(get.header(header), head.header(header), "{header}");
            }
            assert_eq!(head.header("content-length"), body.len().to_string());
            app.get(&path).header("If-None-Match", format!("\"{digest}\"")).send().await.is(304);
            app.get(&path).header("Accept", "application/json").send().await.is(200);
        }
    }
}

#[tokio::test]
async fn four_mebibytes_are_taken_and_not_a_byte_more() {
    let stack = Stack::start().await;
    let app = repository(&stack).await;
    let of_length = |length: usize| {
        let empty = filled(r#"{"schemaVersion":2,"config":CONFIG,"layers":[],"annotations":{"x":""}}"#);
        let padding = "x".repeat(length - empty.len());
        empty.replace(r#""x":"""#, &format!(r#""x":"{padding}""#)).into_bytes()
    };
    app.put_manifest("largest", &of_length(MAX)).await.is(201);
    assert_eq!(app.get("manifests/largest").send().await.is(200).body.len(), MAX);
    app.put_manifest("larger", &of_length(MAX + 1)).await.refuses(413, "MANIFEST_INVALID");
    app.put("manifests/streamed").streamed(&of_length(MAX)).send().await.is(201);
    let streamed = app.put("manifests/larger").streamed(&of_length(MAX + 1)).send().await;
    streamed.refuses(413, "MANIFEST_INVALID");
    app.get("manifests/larger").send().await.is(404);
}

#[tokio::test]
async fn a_digest_asked_for_is_the_digest_answered() {
    let stack = Stack::start().await;
    let app = repository(&stack).await;
    let manifest = image(&[b"layer"]).manifest;
    for digest in [sha256(&manifest), sha512(&manifest)] {
        let answer = app.put_manifest(&digest, &manifest).await.is(201);
        assert_eq!(answer.header("docker-content-digest"), digest);
        let read = app.get(answer.header("location")).send().await.is(200);
        assert_eq!((read.header("docker-content-digest"), &read.body[..]), (digest.as_str(), &manifest[..]));
        let other = if digest.starts_with("sha256") { sha256(b"other") } else { sha512(b"other") };
        app.put_manifest(&other, &manifest).await.refuses(400, "DIGEST_INVALID");
        app.get(&format!("manifests/{other}")).send().await.is(404);
    }
    app.put_manifest("again", &manifest).await.is(201);
    app.put_manifest("again", &manifest).await.is(201);
}

#[tokio::test]
async fn an_index_takes_what_is_there_and_may_hold_another() {
    let stack = Stack::start().await;
    let app = repository(&stack).await;
    let child = image(&[b"layer"]).manifest;
    let inner = index(&[child_descriptor(OCI_MANIFEST, &child)]);
    let outer = index(&[child_descriptor(OCI_INDEX, &inner)]);
    app.put_manifest("outer", &outer).await.refuses(400, "MANIFEST_BLOB_UNKNOWN");
    app.put_manifest("inner", &inner).await.refuses(400, "MANIFEST_BLOB_UNKNOWN");
    for (tag, manifest) in [("child", &child), ("inner", &inner), ("outer", &outer)] {
        app.put_manifest(tag, manifest).await.is(201);
    }
    let path = format!("/repositories/admin/app/-/manifests/{}", sha256(&inner));
    let told = stack.admin().does(Method::GET, &path, &Value::Null).await;
    assert_eq!(told["references"][0]["digest"], sha256(&child));
    assert_eq!(told["references"][0]["platform"], "linux/arm64");
    assert_eq!((&told["tags"][0], &told["pushed_by"]), (&"inner".into(), &"admin".into()));
}
