//! Reading blobs: OCI distribution spec 1.1, end-2; RFC 9110, section 14. A blob is read only where its link is.

use crate::support::{Repository, Stack, sha256};
use reqwest::Method;
use serde_json::json;

/// What a cache may do with a blob: its bytes never change, but whether a client may have them does.
const KEPT: &str = "private, max-age=31536000, immutable";

async fn pushed(stack: &Stack, content: &[u8]) -> (Repository, String) {
    let app = stack.admin().repository("admin/app").await;
    let digest = app.push_blob(content).await;
    (app, format!("blobs/{digest}"))
}

/// RFC 9110, sections 14.1.2, 14.4 and 15.5.17: (size, Range, status, Content-Range, first byte, length).
const RANGES: &[(usize, &str, u16, &str, usize, usize)] = &[
    (2048, "bytes=500-1499", 206, "bytes 500-1499/2048", 500, 1000),
    (2048, "bytes=500-", 206, "bytes 500-2047/2048", 500, 1548),
    (2048, "bytes=-500", 206, "bytes 1548-2047/2048", 1548, 500),
    (2048, "bytes=2000-5000", 206, "bytes 2000-2047/2048", 2000, 48),
    (2048, "bytes=0-2048", 206, "bytes 0-2047/2048", 0, 2048),
    (2048, "bytes=2047-2047", 206, "bytes 2047-2047/2048", 2047, 1),
    (2048, "bytes=5000-10000", 416, "bytes */2048", 0, 0),
    (2048, "bytes=500-0", 416, "bytes */2048", 0, 0),
    (2048, "bytes=0-1,5-6", 200, "", 0, 2048),
    (2048, "lines=1-2", 200, "", 0, 2048),
    (0, "bytes=0-", 416, "bytes */0", 0, 0),
    (0, "bytes=-1", 416, "bytes */0", 0, 0),
];

#[tokio::test]
async fn a_range_is_answered_as_the_clients_that_resume_expect() {
    let stack = Stack::start().await;
    for (size, range, status, content_range, first, length) in RANGES {
        let content: Vec<u8> = (0..=250).cycle().take(*size).collect();
        let (app, path) = pushed(&stack, &content).await;
        let answer = app.get(&path).header("Range", *range).send().await.is(*status);
        assert_eq!(answer.header("content-range"), *content_range, "{range}");
        if *status != 416 {
            assert_eq!(answer.header("cache-control"), KEPT, "{range}");
            assert_eq!(answer.body, content[*first..first + length], "{range}");
            assert_eq!(answer.header("content-length"), length.to_string(), "{range}");
        }
    }
}

/// (If-Range, status): RFC 9110, section 13.1.5.
const IF_RANGES: &[(&str, u16)] = &[
    ("\"DIGEST\"", 206),
    ("DIGEST", 200),
    ("W/\"DIGEST\"", 200),
    ("\"x\"", 200),
    ("Mon, 01 Jan 2024 00:00:00 GMT", 200),
];

#[tokio::test]
async fn a_download_goes_on_only_with_the_same_content() {
    let stack = Stack::start().await;
    let (app, path) = pushed(&stack, b"0123456789").await;
    for (tag, status) in IF_RANGES {
        let tag = tag.replace("DIGEST", &sha256(b"0123456789"));
        let request = app.get(&path).header("Range", "bytes=5-").header("If-Range", &tag);
        let answer = request.send().await.is(*status);
        assert_eq!(answer.text(), if *status == 206 { "56789" } else { "0123456789" }, "{tag}");
    }
}

#[tokio::test]
async fn the_head_of_a_blob_says_its_length_and_sends_nothing() {
    let stack = Stack::start().await;
    for content in ["", "some content"] {
        let (app, path) = pushed(&stack, content.as_bytes()).await;
        for method in ["HEAD", "GET"] {
            let line = format!("{method} /v2/admin/app/{path} HTTP/1.1\r\nAuthorization: Bearer {}", app.token);
            let (head, body) = stack.host.raw(&format!("{line}\r\nAccept-Encoding: gzip"), b"").await;
            let lower = head.to_lowercase();
            let digest = sha256(content.as_bytes());
            for line in [
                format!("content-length: {}", content.len()),
                "content-type: application/octet-stream".to_owned(),
                format!("docker-content-digest: {digest}"),
                format!("etag: \"{digest}\""),
                format!("cache-control: {KEPT}"),
                "accept-ranges: bytes".to_owned(),
                "x-content-type-options: nosniff".to_owned(),
            ] {
                assert!(lower.lines().any(|have| have == line), "{method}: no {line} in\n{head}");
            }
            assert!(head.starts_with("HTTP/1.1 200 ") && !lower.contains("content-encoding"), "{head}");
            assert_eq!(lower.matches("content-length").count(), 1, "{head}");
            assert_eq!(body, if method == "HEAD" { b"" } else { content.as_bytes() });
        }
    }
}

#[tokio::test]
async fn a_client_that_has_the_blob_gets_no_bytes() {
    let stack = Stack::start().await;
    let (app, path) = pushed(&stack, b"content").await;
    let digest = sha256(b"content");
    let etag = format!("\"{digest}\"");
    for (tag, status) in [
        (etag.clone(), 304),
        (digest.clone(), 304),
        (format!("W/\"{digest}\""), 304),
        (format!("\"x\", \"{digest}\""), 304),
        ("*".to_owned(), 304),
        ("\"x\"".to_owned(), 200),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let answer = app.request(method, &path).header("If-None-Match", &tag).send().await.is(status);
            assert_eq!((answer.header("cache-control"), answer.header("etag")), (KEPT, etag.as_str()), "{tag}");
        }
    }
}

#[tokio::test]
async fn a_blob_is_nowhere_but_where_it_was_pushed() {
    let stack = Stack::start().await;
    let (admin, mallory) = (stack.admin(), stack.user("mallory").await);
    let private = admin.repository("admin/private").await;
    let image = private.push_image("v1", "secret").await;
    let own = mallory.repository("mallory/own").await;
    own.push_blob(b"own").await;
    let layer = sha256(b"secret");
    for path in [format!("blobs/{layer}"), format!("manifests/{}", image.digest), "manifests/v1".to_owned()] {
        for method in [Method::GET, Method::HEAD] {
            own.request(method.clone(), &path).send().await.is(404);
            own.request(method.clone(), &path).header("Range", "bytes=0-1").send().await.is(404);
            let etag = format!("\"{layer}\"");
            own.request(method, &path).header("If-None-Match", etag).send().await.is(404);
        }
    }
    // A manifest that names it tells as little as one that names what nobody has.
    let foreign = own.put_manifest("v1", &image.manifest).await.refuses(400, "MANIFEST_BLOB_UNKNOWN");
    let entries = foreign.json()["errors"].as_array().unwrap().clone();
    for missing in [sha256(b"{}"), layer.clone()] {
        assert!(entries.iter().any(|entry| entry["detail"] == json!({ "digest": missing })), "{entries:?}");
    }
    // Pushed once more and deleted, it is gone here and stays there.
    own.push_blob(b"secret").await;
    let path = format!("blobs/{layer}");
    own.delete(&path).send().await.is(202);
    private.get(&path).send().await.is(200);
    own.get(&path).send().await.refuses(404, "BLOB_UNKNOWN");
    own.delete(&path).send().await.refuses(404, "BLOB_UNKNOWN");
}
