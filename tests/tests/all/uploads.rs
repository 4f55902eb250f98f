//! Uploads of blobs: OCI distribution spec 1.1, end-4 to end-6, end-13 and end-14. One scenario is one line.

use crate::support::{Answer, Repository, Stack, eventually, sha256, sha512};
use std::time::Duration;
use tokio::sync::oneshot;

const CONTENT: &str = "0123456789";

const PATIENCE: Duration = Duration::from_secs(10);

/// (method, Content-Range, body, status, what is acknowledged afterwards as `Range` has it, code of the refusal).
type Step = (&'static str, &'static str, &'static str, u16, &'static str, &'static str);

/// (where it is written, what happens, its steps).
const SCENARIOS: &[(&str, &str, &[Step])] = &[
    (
        "OCI 1.1 end-5",
        "a stream and an end",
        &[("PATCH", "", "0123456789", 202, "0-9", ""), ("PUT", "", "", 201, "", "")],
    ),
    ("OCI 1.1 end-6", "all in the last request", &[("PUT", "", "0123456789", 201, "", "")]),
    ("OCI 1.1 end-6", "all in the last request, with its place", &[("PUT", "0-9", "0123456789", 201, "", "")]),
    (
        "OCI 1.1 end-5",
        "chunks in order",
        &[
            ("PATCH", "0-3", "0123", 202, "0-3", ""),
            ("PATCH", "4-8", "45678", 202, "0-8", ""),
            ("PATCH", "9-9", "9", 202, "0-9", ""),
            ("PUT", "", "", 201, "", ""),
        ],
    ),
    (
        "OCI 1.1 end-6",
        "the last chunk with the end",
        &[("PATCH", "0-3", "0123", 202, "0-3", ""), ("PUT", "4-9", "456789", 201, "", "")],
    ),
    (
        "OCI 1.1 end-5",
        "two streams",
        &[("PATCH", "", "0123", 202, "0-3", ""), ("PATCH", "", "456789", 202, "0-9", ""), ("PUT", "", "", 201, "", "")],
    ),
    ("OCI 1.1 end-5", "an empty stream", &[("PATCH", "", "", 202, "0-0", ""), ("PUT", "", "0123456789", 201, "", "")]),
    (
        "OCI 1.1 end-5",
        "a gap",
        &[
            ("PATCH", "0-3", "0123", 202, "0-3", ""),
            ("PATCH", "5-9", "56789", 416, "0-3", "BLOB_UPLOAD_INVALID"),
            ("PATCH", "4-9", "456789", 202, "0-9", ""),
            ("PUT", "", "", 201, "", ""),
        ],
    ),
    (
        "OCI 1.1 end-5",
        "a chunk sent again",
        &[
            ("PATCH", "0-3", "0123", 202, "0-3", ""),
            ("PATCH", "0-3", "0123", 416, "0-3", "BLOB_UPLOAD_INVALID"),
            ("PUT", "4-9", "456789", 201, "", ""),
        ],
    ),
    (
        "OCI 1.1 end-6",
        "the last chunk out of order",
        &[
            ("PATCH", "0-3", "0123", 202, "0-3", ""),
            ("PUT", "5-9", "56789", 416, "0-3", "BLOB_UPLOAD_INVALID"),
            ("PUT", "4-9", "456789", 201, "", ""),
        ],
    ),
    (
        "OCI 1.1 end-5",
        "a length that is not the range's",
        &[("PATCH", "0-9", "0123", 400, "0-0", "SIZE_INVALID"), ("PUT", "", "0123456789", 201, "", "")],
    ),
    (
        "OCI 1.1 end-6",
        "an end whose length is not the range's",
        &[("PUT", "0-4", "0123456789", 400, "0-0", "SIZE_INVALID"), ("PUT", "", "0123456789", 201, "", "")],
    ),
    (
        "OCI 1.1 end-5",
        "a range with a unit",
        &[("PATCH", "bytes 0-3", "0123", 400, "0-0", "SIZE_INVALID"), ("PUT", "", "0123456789", 201, "", "")],
    ),
    (
        "OCI 1.1 end-5",
        "a range backwards",
        &[("PATCH", "3-0", "0123", 400, "0-0", "SIZE_INVALID"), ("PUT", "", "0123456789", 201, "", "")],
    ),
    (
        "OCI 1.1 end-5",
        "more after the end",
        &[("PUT", "", "0123456789", 201, "", ""), ("PATCH", "", "more", 404, "", "BLOB_UPLOAD_UNKNOWN")],
    ),
];

#[tokio::test]
async fn an_upload_goes_as_its_scenario_says() {
    let stack = Stack::start().await;
    for (number, (rule, what, steps)) in SCENARIOS.iter().enumerate() {
        let app = stack.admin().repository(&format!("admin/app{number}")).await;
        let mut location = app.begin().await;
        for (method, range, body, status, acknowledged, code) in *steps {
            let path = if *method == "PUT" { end(&location, &sha256(CONTENT.as_bytes())) } else { location.clone() };
            let request = app.request(method.parse().unwrap(), &path).body(*body);
            let request = if range.is_empty() { request } else { request.header("Content-Range", *range) };
            let answer = request.send().await;
            assert_eq!(answer.status, *status, "{rule}, {what}: {method} {range}: {}", answer.text());
            assert_eq!(answer.code(), *code, "{rule}, {what}: {method} {range}: {}", answer.text());
            if [201, 404].contains(status) {
                continue;
            }
            if *status != 400 {
                location = stands_at(&answer, acknowledged);
            }
            let status = app.get(&end(&location, "sha256:left-over")).send().await.is(204);
            stands_at(&status, acknowledged);
        }
        let blob = app.get(&format!("blobs/{}", sha256(CONTENT.as_bytes()))).send().await.is(200);
        assert_eq!(blob.text(), CONTENT, "{what}");
        app.get(&location).send().await.refuses(404, "BLOB_UPLOAD_UNKNOWN");
    }
}

/// Holds that `answer` says where the upload stands; returns where it goes on.
#[track_caller]
fn stands_at(answer: &Answer, acknowledged: &str) -> String {
    let location = answer.header("location").to_owned();
    assert_eq!(answer.header("range"), acknowledged, "{}", answer.what);
    assert!(location.starts_with("/v2/"), "{}: Location {location:?}", answer.what);
    assert!(location.ends_with(answer.header("docker-upload-uuid")), "{}", answer.what);
    location
}

fn end(location: &str, digest: &str) -> String {
    format!("{location}?digest={digest}")
}

#[tokio::test]
async fn whatever_way_a_blob_comes_its_end_names_it() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    for content in ["", CONTENT] {
        for digest in [sha256(content.as_bytes()), sha512(content.as_bytes())] {
            let at_once = app.post(&format!("blobs/uploads/?digest={digest}")).body(content).send().await;
            let location = app.begin().await;
            let at_the_end = app.put(&format!("{location}?a=b&digest={digest}&c=d")).body(content).send().await;
            let announced = app.post("blobs/uploads/?digest-algorithm=sha512&origin=x").send().await.is(202);
            let location = announced.header("location");
            app.patch(location).streamed(content.as_bytes()).send().await.is(202);
            let streamed = app.put(&end(location, &digest)).send().await;
            for answer in [at_once, at_the_end, streamed] {
                let answer = answer.is(201);
                assert_eq!(answer.header("docker-content-digest"), digest);
                assert_eq!(answer.header("location"), format!("/v2/admin/app/blobs/{digest}"));
                assert_eq!(answer.header("content-length"), "0");
                let blob = app.get(answer.header("location")).send().await.is(200);
                assert_eq!((blob.header("docker-content-digest"), blob.text()), (digest.as_str(), content.to_owned()));
            }
        }
    }
}

#[tokio::test]
async fn the_beginning_says_that_nothing_is_there() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    for path in ["blobs/uploads/", "blobs/uploads"] {
        let begun = app.post(path).header("Content-Type", "application/json").send().await.is(202);
        stands_at(&begun, "0-0");
        assert_eq!(begun.header("content-length"), "0");
    }
}

#[tokio::test]
async fn a_large_stream_without_length_arrives_whole() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let content: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let location = app.begin().await;
    let answer = app.patch(&location).streamed(&content).send().await.is(202);
    stands_at(&answer, "0-2999999");
    let digest = sha256(&content);
    app.put(&end(&location, &digest)).send().await.is(201);
    assert!(app.get(&format!("blobs/{digest}")).send().await.is(200).body == content, "the same bytes");
}

#[tokio::test]
async fn a_digest_that_is_not_the_contents_stores_nothing() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    for claimed in [sha256(b"else"), sha512(b"else")] {
        app.post(&format!("blobs/uploads/?digest={claimed}")).body(CONTENT).send().await.refuses(400, "DIGEST_INVALID");
        let location = app.begin().await;
        app.patch(&location).body(CONTENT).send().await.is(202);
        app.put(&end(&location, &claimed)).send().await.refuses(400, "DIGEST_INVALID");
        for digest in [claimed, sha256(CONTENT.as_bytes())] {
            app.get(&format!("blobs/{digest}")).send().await.refuses(404, "BLOB_UNKNOWN");
        }
    }
    assert!(!stack.stored("blobs").exists(), "no blob has a place");
    let uploads = std::fs::read_dir(stack.stored("repositories/admin/app/_uploads")).unwrap();
    assert_eq!(uploads.count(), 0, "no upload is left");
}

#[tokio::test]
async fn an_end_without_one_good_digest_leaves_the_upload() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let location = app.begin().await;
    let digest = sha256(CONTENT.as_bytes());
    for (query, code) in [
        (String::new(), "BLOB_UPLOAD_INVALID"),
        ("?digest=".to_owned(), "DIGEST_INVALID"),
        ("?digest=sha256:bad".to_owned(), "DIGEST_INVALID"),
        (format!("?digest={digest}&digest={}", sha512(CONTENT.as_bytes())), "BLOB_UPLOAD_INVALID"),
        (format!("?digest={}&digest={digest}", sha256(b"else")), "BLOB_UPLOAD_INVALID"),
    ] {
        app.put(&format!("{location}{query}")).body(CONTENT).send().await.refuses(400, code);
        stands_at(&app.get(&location).send().await.is(204), "0-0");
        app.get(&format!("blobs/{digest}")).send().await.refuses(404, "BLOB_UNKNOWN");
    }
    app.put(&end(&location, &digest)).body(CONTENT).send().await.is(201);
}

#[tokio::test]
async fn an_end_sent_again_gets_the_same_answer() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let location = end(&app.begin().await, &sha256(CONTENT.as_bytes()));
    let first = app.put(&location).body(CONTENT).send().await.is(201);
    let again = app.put(&location).body(CONTENT).send().await.is(201);
    for header in ["location", "docker-content-digest"] {
        assert_eq!(first.header(header), again.header(header));
    }
}

#[tokio::test]
async fn an_upload_is_cancelled_with_the_rights_of_a_push() {
    let stack = Stack::start().await;
    let token = stack.admin().token("repository:admin/app:pull,push").await;
    let app = Repository::new(&stack.host, "admin/app", token);
    let location = app.begin().await;
    app.delete(&location).send().await.is(204);
    app.delete(&location).send().await.refuses(404, "BLOB_UPLOAD_UNKNOWN");
    app.patch(&location).body(CONTENT).send().await.refuses(404, "BLOB_UPLOAD_UNKNOWN");
}

#[tokio::test]
async fn an_upload_has_one_writer_at_a_time() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let location = app.begin().await;
    let stall = || tokio::spawn(app.patch(&location).stalled(CONTENT).send());
    let mut stalled = stall();
    eventually("a second writer is refused", PATIENCE, async || {
        // It may have been the second one itself. An empty body changes nothing.
        if stalled.is_finished() {
            stalled = stall();
        }
        app.patch(&location).send().await.status == 416
    })
    .await;
    stalled.abort();
    // A body that was cut adds nothing, and the same client may come again at once.
    app.patch(&location).send().await.is(202);
    stands_at(&app.get(&location).send().await.is(204), "0-0");
    app.put(&end(&location, &sha256(CONTENT.as_bytes()))).body(CONTENT).send().await.is(201);
}

#[tokio::test]
async fn an_upload_is_not_cancelled_under_its_writer() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let location = app.begin().await;
    let (end, rest) = oneshot::channel();
    let writing = tokio::spawn(app.patch(&location).paused("01234", rest).send());
    app.until_written(&location).await;
    let refused = app.delete(&location).send().await.refuses(503, "UNAVAILABLE");
    assert!(refused.header("retry-after").parse::<u64>().is_ok(), "{refused:?}");
    end.send("56789").unwrap();
    stands_at(&writing.await.unwrap().is(202), "0-9");
    app.delete(&location).send().await.is(204);
    app.get(&location).send().await.refuses(404, "BLOB_UPLOAD_UNKNOWN");
}
