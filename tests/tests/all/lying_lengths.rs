//! Bodies that are not as long as they say, by `Content-Length`, `Content-Range` or chunks: what was not sent is never
//! made up for, what was sent too much is never appended, and nothing is kept of a body that was cut. RFC 9112, sections
//! 6.3, 7.1 and 8; OCI distribution spec 1.1, end-4 to end-7.

use crate::support::{Repository, Stack, sha256};

const INDEX: &str = r#"{"schemaVersion":2,"manifests":[]}"#;

/// The statuses that come back for these bytes, which are all that the client sends, until the server closes.
async fn statuses(app: &Repository, method_and_path: &str, headers: &str, body: &str) -> Vec<u16> {
    let token = format!("Authorization: Bearer {}", app.token);
    let request = format!("{method_and_path} HTTP/1.1\r\nHost: a\r\n{token}\r\n{headers}\r\n\r\n{body}");
    let answer = app.host.say(request).await;
    answer.split("HTTP/1.1 ").skip(1).map(|answer| answer[..3].parse().unwrap()).collect()
}

/// What a body is like, the headers that go with it, the body, whether its request is carried out, and what is
/// acknowledged of the upload then.
type Lie = (&'static str, &'static str, &'static str, bool, &'static str);

/// Of `PATCH`, after four bytes that are acknowledged.
const LIES: &[Lie] = &[
    ("the truth", "Content-Length: 4", "more", true, "0-7"),
    ("less than it says", "Content-Length: 9", "more", false, "0-3"),
    ("nothing", "Content-Length: 9", "", false, "0-3"),
    ("less than any disk has", "Content-Length: 9223372036854775807", "more", false, "0-3"),
    ("less than the largest number", "Content-Length: 18446744073709551615", "more", false, "0-3"),
    ("more than it says", "Content-Length: 4", "more than that", true, "0-7"),
    ("more than nothing", "Content-Length: 0", "more", true, "0-3"),
    ("less than its range", "Content-Range: 4-12\r\nContent-Length: 9", "more", false, "0-3"),
    ("another length than its range", "Content-Range: 4-7\r\nContent-Length: 9", "more more", false, "0-3"),
    ("a length that no number has", "Content-Length: 18446744073709551616", "more", false, "0-3"),
    ("a length below zero", "Content-Length: -4", "more", false, "0-3"),
    ("a length with an exponent", "Content-Length: 4e0", "more", false, "0-3"),
    ("a length with a fraction", "Content-Length: 4.0", "more", false, "0-3"),
    ("a length without digits", "Content-Length: ", "more", false, "0-3"),
    ("several lengths in one", "Content-Length: 4, 5", "more", false, "0-3"),
    ("whole chunks", "Transfer-Encoding: chunked", "4\r\nmore\r\n0\r\n\r\n", true, "0-7"),
    ("chunks without a last one", "Transfer-Encoding: chunked", "4\r\nmore\r\n", false, "0-3"),
    ("a chunk that is cut", "Transfer-Encoding: chunked", "9\r\nmore", false, "0-3"),
    ("a chunk that goes on", "Transfer-Encoding: chunked", "2\r\nmore\r\n0\r\n\r\n", false, "0-3"),
    ("a chunk of no size", "Transfer-Encoding: chunked", "\r\nmore\r\n0\r\n\r\n", false, "0-3"),
    ("a chunk below zero", "Transfer-Encoding: chunked", "-4\r\nmore\r\n0\r\n\r\n", false, "0-3"),
    (
        "a chunk beyond all numbers",
        "Transfer-Encoding: chunked",
        "10000000000000004\r\nmore\r\n0\r\n\r\n",
        false,
        "0-3",
    ),
    (
        "chunks that are not its range",
        "Content-Range: 4-9\r\nTransfer-Encoding: chunked",
        "4\r\nmore\r\n0\r\n\r\n",
        false,
        "0-3",
    ),
];

#[tokio::test]
async fn of_an_upload_exactly_what_was_announced_and_sent_is_acknowledged() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    for (what, headers, body, is_carried_out, acknowledged) in LIES {
        let location = app.begin().await;
        app.patch(&location).body("four").send().await.is(202);
        let answers = statuses(&app, &format!("PATCH {location}"), headers, body).await;
        let (first, others) = answers.split_first().map_or((0, &[][..]), |(first, others)| (*first, others));
        // Who does not say the truth may be told so, or not.
        let is_good = if *is_carried_out { first == 202 } else { first == 0 || first == 400 };
        assert!(is_good && others.iter().all(|status| *status == 400), "{what}: {answers:?}");
        let status = app.get(&location).send().await.is(204);
        assert_eq!(status.header("range"), *acknowledged, "{what}");
        // It goes on as if nothing had been.
        let whole = format!("{}, and its end", if *acknowledged == "0-7" { "fourmore" } else { "four" });
        let digest = sha256(whole.as_bytes());
        app.put(&format!("{location}?digest={digest}")).body(", and its end").send().await.is(201);
        assert_eq!(app.get(&format!("blobs/{digest}")).send().await.is(200).text(), whole, "{what}");
    }
}

#[tokio::test]
async fn a_blob_or_manifest_that_was_cut_is_nowhere() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    app.push_blob(b"{}").await;
    let before = stack.files();
    let digest = sha256(INDEX.as_bytes());
    let location = app.begin().await;
    let (larger, chunks) = (format!("Content-Length: {}", INDEX.len() + 1), "Transfer-Encoding: chunked".to_owned());
    let (whole, in_chunks) = (INDEX.to_owned(), format!("{:x}\r\n{INDEX}\r\n", INDEX.len()));
    for target in [
        "PUT /v2/admin/app/manifests/v1".to_owned(),
        format!("PUT /v2/admin/app/manifests/{digest}"),
        format!("POST /v2/admin/app/blobs/uploads/?digest={digest}"),
        format!("PUT {location}?digest={digest}"),
    ] {
        for (headers, body) in [(&larger, &whole), (&chunks, &in_chunks)] {
            let answers = statuses(&app, &target, headers, body).await;
            assert!(answers.is_empty() || answers == [400], "{target}, {headers}: {answers:?}");
            app.get("manifests/v1").send().await.is(404);
            for path in [format!("manifests/{digest}"), format!("blobs/{digest}")] {
                app.head(&path).send().await.is(404);
            }
        }
    }
    assert_eq!(app.get(&location).send().await.is(204).header("range"), "0-0");
    app.delete(&location).send().await.is(204);
    assert_eq!(stack.files(), before, "nothing is left of it");
}

#[tokio::test]
async fn what_follows_the_announced_end_is_no_part_of_it() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let length = format!("Content-Length: {}", INDEX.len());
    let pushed = statuses(&app, "PUT /v2/admin/app/manifests/v1", &length, &format!("{INDEX}   and more")).await;
    assert!(pushed == [201, 400] || pushed == [201], "{pushed:?}");
    assert_eq!(app.get("manifests/v1").send().await.is(200).text(), INDEX);
    // As a manifest, what is there by then is none.
    let length = format!("Content-Length: {}", INDEX.len() - 1);
    let cut = statuses(&app, "PUT /v2/admin/app/manifests/v2", &length, INDEX).await;
    assert_eq!(cut.first(), Some(&400), "{cut:?}");
    app.get("manifests/v2").send().await.is(404);
    // And a blob's digest is that of what was announced.
    let target = format!("POST /v2/admin/app/blobs/uploads/?digest={}", sha256(b"announced and more"));
    let refused = statuses(&app, &target, "Content-Length: 9", "announced and more").await;
    assert_eq!(refused.first(), Some(&400), "{refused:?}");
    app.head(&format!("blobs/{}", sha256(b"announced"))).send().await.is(404);
}
