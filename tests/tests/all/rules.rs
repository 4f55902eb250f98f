//! Rules of the protocol that need no story: a request, its answer, and where that is written. What a rule needs more for
//! stands in the file of its subject.

use crate::support::{Answer, Repository, Stack, sha256};

/// Where it is written, request, what is sent along as `header: value`, status, code of the refusal.
type Rule = (&'static str, &'static str, &'static str, u16, &'static str);

/// Of `admin/app`, which has an image of a layer under `v1`, and of `admin/never`, to which nobody ever pushed.
const RULES: &[Rule] = &[
    ("OCI 1.1 end-2", "GET app/blobs/LAYER", "", 200, ""),
    ("OCI 1.1 end-2", "HEAD app/blobs/LAYER", "", 200, ""),
    ("OCI 1.1 end-2", "GET app/blobs/NOWHERE", "", 404, "BLOB_UNKNOWN"),
    ("OCI 1.1 end-2", "HEAD app/blobs/NOWHERE", "", 404, ""),
    ("OCI 1.1 end-2", "GET never/blobs/LAYER", "", 404, "NAME_UNKNOWN"),
    ("OCI 1.1 end-2", "HEAD never/blobs/LAYER", "", 404, ""),
    ("RFC 9110 13.1.2", "GET app/blobs/LAYER", "If-None-Match: *", 304, ""),
    ("RFC 9110 13.1.2", "GET app/blobs/NOWHERE", "If-None-Match: *", 404, "BLOB_UNKNOWN"),
    ("RFC 9110 13.1.2", "HEAD app/blobs/LAYER", "If-None-Match: *", 304, ""),
    ("RFC 9110 13.1.2", "HEAD app/blobs/LAYER", "If-None-Match: \"LAYER\"", 304, ""),
    ("RFC 9110 13.1.2", "HEAD app/blobs/LAYER", "If-None-Match: \"NOWHERE\"", 200, ""),
    ("RFC 9110 13.1.2", "HEAD app/blobs/NOWHERE", "If-None-Match: *", 404, ""),
    ("RFC 9110 14.2", "HEAD app/blobs/LAYER", "Range: bytes=0-0", 200, ""),
    ("RFC 9110 14.2", "GET app/blobs/LAYER", "Range: bytes=0-0", 206, ""),
    ("RFC 9110 14.2", "GET app/blobs/LAYER", "Range: bytes=99-", 416, "BLOB_UPLOAD_INVALID"),
    ("OCI 1.1 end-3", "GET app/manifests/v1", "", 200, ""),
    ("OCI 1.1 end-3", "HEAD app/manifests/v1", "", 200, ""),
    ("OCI 1.1 end-3", "GET app/manifests/IMAGE", "Accept: application/json;q=0.1, text/html", 200, ""),
    ("OCI 1.1 end-3", "GET app/manifests/v2", "", 404, "MANIFEST_UNKNOWN"),
    ("OCI 1.1 end-3", "HEAD app/manifests/v2", "", 404, ""),
    ("OCI 1.1 end-3", "GET app/manifests/NOWHERE", "", 404, "MANIFEST_UNKNOWN"),
    ("OCI 1.1 end-3", "GET never/manifests/v1", "", 404, "NAME_UNKNOWN"),
    // A layer is no manifest, although its bytes are there.
    ("OCI 1.1 end-3", "GET app/manifests/LAYER", "", 404, "MANIFEST_UNKNOWN"),
    ("RFC 9110 13.1.2", "GET app/manifests/v1", "If-None-Match: \"x\", W/\"IMAGE\"", 304, ""),
    ("RFC 9110 13.1.2", "GET app/manifests/v1", "If-None-Match: *", 304, ""),
    ("RFC 9110 13.1.2", "HEAD app/manifests/v1", "If-None-Match: IMAGE", 304, ""),
    ("RFC 9110 13.1.2", "GET app/manifests/v1", "If-None-Match: \"NOWHERE\"", 200, ""),
    ("OCI 1.1 end-4", "POST app/blobs/uploads/?mount=NOWHERE&from=admin/app", "", 202, ""),
    ("OCI 1.1 end-4", "POST app/blobs/uploads/?mount=LAYER&from=admin/app", "", 201, ""),
    ("OCI 1.1 end-4", "POST app/blobs/uploads/?digest-algorithm=sha512", "", 202, ""),
    ("OCI 1.1 end-4", "POST app/blobs/uploads/?digest-algorithm=blake3", "", 400, "DIGEST_INVALID"),
    ("OCI 1.1 end-4", "POST app/blobs/uploads/?digest=LAYER&digest=NOWHERE", "", 400, "BLOB_UPLOAD_INVALID"),
    ("OCI 1.1 digests", "GET app/blobs/sha256+b64u:x", "", 400, "DIGEST_INVALID"),
    ("OCI 1.1 digests", "PUT app/manifests/sha256:baddigeststring", "", 400, "DIGEST_INVALID"),
    ("OCI 1.1 end-8", "GET app/tags/list", "", 200, ""),
    ("OCI 1.1 end-8", "HEAD app/tags/list", "", 200, ""),
    ("OCI 1.1 end-8", "GET app/tags/list?n=9223372036854775807", "", 200, ""),
    ("OCI 1.1 end-8", "GET app/tags/list?n=1&n=2", "", 400, "PAGINATION_NUMBER_INVALID"),
    ("OCI 1.1 end-8", "GET never/tags/list", "", 404, "NAME_UNKNOWN"),
    ("OCI 1.1 end-9", "DELETE app/manifests/v2", "", 404, "MANIFEST_UNKNOWN"),
    ("OCI 1.1 end-9", "DELETE app/manifests/NOWHERE", "", 404, "MANIFEST_UNKNOWN"),
    ("OCI 1.1 end-10", "DELETE app/blobs/NOWHERE", "", 404, "BLOB_UNKNOWN"),
    ("OCI 1.1 end-10", "DELETE app/blobs/LAYER", "", 405, "UNSUPPORTED"),
    ("OCI 1.1 end-10", "DELETE never/blobs/LAYER", "", 404, "NAME_UNKNOWN"),
    ("OCI 1.1 end-12", "GET never/referrers/IMAGE", "", 200, ""),
    ("OCI 1.1 end-12", "HEAD app/referrers/IMAGE", "", 200, ""),
    ("OCI 1.1 end-12", "GET app/referrers/v1", "", 400, "DIGEST_INVALID"),
    ("OCI 1.1 end-12", "GET app/referrers/IMAGE?n=1&n=2", "", 400, "PAGINATION_NUMBER_INVALID"),
];

async fn ask(app: &Repository, never: &Repository, (_, request, header, ..): &Rule, image: &str) -> Answer {
    let filled = |text: &str| {
        let (layer, nowhere) = (sha256(b"layer"), sha256(b"nowhere"));
        text.replace("LAYER", &layer).replace("NOWHERE", &nowhere).replace("IMAGE", image)
    };
    let (method, path) = request.split_once(' ').unwrap();
    let (repository, path) = path.split_once('/').unwrap();
    let repository = if repository == "app" { app } else { never };
    let request = repository.request(method.parse().unwrap(), &filled(path));
    // What docker and its kin send, and what somebody in between may add: neither changes an answer.
    let request = request
        .header("Accept-Encoding", "gzip, zstd")
        .header("X-Forwarded-Host", "evil.example")
        .header("X-Forwarded-Proto", "https")
        .header("Forwarded", "host=evil.example;proto=https");
    let request = match header.split_once(": ") {
        Some((name, value)) => request.header(name, filled(value)),
        None => request,
    };
    request.send().await
}

#[tokio::test]
async fn each_request_is_answered_as_it_is_written() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let never = stack.admin().repository("admin/never").await;
    let image = app.push_image("v1", "layer").await;
    for rule in RULES {
        let (written, request, header, status, code) = rule;
        let answer = ask(&app, &never, rule, &image.digest).await;
        let what = format!("{written}: {request} {header}: {}", answer.text());
        assert_eq!(answer.status, *status, "{what}");
        assert_eq!(answer.code(), *code, "{what}");
        assert_eq!(answer.header("content-encoding"), "", "{what}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
        let location = answer.header("location");
        assert!(location.is_empty() || location.starts_with("/v2/admin/"), "{what}: {location}");
        if request.starts_with("HEAD") || *status == 304 {
            assert!(answer.body.is_empty(), "{what}");
        } else if !code.is_empty() {
            assert_eq!(answer.header("content-type"), "application/json", "{what}");
        }
        if *status == 304 {
            assert!(!answer.header("etag").is_empty() && !answer.header("docker-content-digest").is_empty(), "{what}");
        }
    }
}

#[tokio::test]
async fn the_head_of_everything_is_the_head_of_its_get() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let image = app.push_image("v1", "layer").await;
    let token = stack.admin().token("registry:catalog:*").await;
    let catalog = Repository::new(&stack.host, "", token);
    let paths = [
        "/v2/".to_owned(),
        "manifests/v1".to_owned(),
        format!("manifests/{}", image.digest),
        format!("blobs/{}", sha256(b"layer")),
        "tags/list".to_owned(),
        format!("referrers/{}", image.digest),
        "/v2/_catalog".to_owned(),
    ];
    for path in &paths {
        let asked = if path == "/v2/_catalog" { &catalog } else { &app };
        let (get, head) = (asked.get(path).send().await.is(200), asked.head(path).send().await.is(200));
        assert!(head.body.is_empty() && !get.body.is_empty(), "{path}");
        assert_eq!(head.header("content-length"), get.body.len().to_string(), "{path}");
        assert_eq!(head.lasting_headers(), get.lasting_headers(), "{path}");
    }
}

#[tokio::test]
async fn a_refusal_of_a_large_body_arrives() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let reader = Repository::new(&stack.host, "admin/app", stack.admin().token("repository:admin/app:pull").await);
    let location = app.begin().await;
    app.patch(&location).body("0123").send().await.is(202);
    // More than what fits into the buffers on the way.
    let large = vec![b'x'; 32 << 20];
    for _ in 0..3 {
        reader.patch(&location).body(large.clone()).send().await.refuses(401, "UNAUTHORIZED");
        reader.patch(&location).streamed(&large).send().await.refuses(401, "UNAUTHORIZED");
        let gap = format!("9-{}", large.len() + 8);
        app.patch(&location).header("Content-Range", gap).body(large.clone()).send().await.is(416);
        app.put_manifest("v1", &large).await.refuses(413, "MANIFEST_INVALID");
    }
    assert_eq!(app.get(&location).send().await.is(204).header("range"), "0-3");
}
