//! Clients that mean harm: requests whose end two readers would see in different places, and connections that are held
//! open for nothing. Sources: RFC 9112, sections 5.1, 5.2, 6.1 and 6.3.

use crate::support::{Nginx, Program, Repository, Stack, eventually, sha256};
use std::process::Command;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Longer than any answer takes, and shorter than a connection is kept for a next request.
const PATIENCE: Duration = Duration::from_secs(20);

/// What comes back for these bytes until the server closes the connection; nothing if it stays open too long.
async fn raw(stack: &Stack, request: &str) -> String {
    let mut connection = stack.host.connect().await;
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, connection.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "the connection stays open: {request:?}");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Heads of a request that two readers would end in different places.
const SHAPES: &[(&str, &str)] = &[
    ("both lengths", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"),
    ("two lengths", "Content-Length: 4\r\nContent-Length: 5\r\n"),
    ("a signed length", "Content-Length: +4\r\n"),
    ("a length in hex", "Content-Length: 0x4\r\n"),
    ("another coding", "Transfer-Encoding: xchunked\r\n"),
    ("chunked and then not", "Transfer-Encoding: chunked, identity\r\n"),
    ("chunked, and not in another line", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
    ("a coding behind another blank", "Transfer-Encoding: \x0bchunked\r\n"),
    ("a length and a coding of nothing", "Content-Length: 4\r\nTransfer-Encoding: \r\n"),
    ("a blank before the colon", "Content-Length : 4\r\n"),
    ("a folded line", "X-A: b\r\n folded\r\nContent-Length: 4\r\n"),
    ("a zero byte", "X-A: b\0c\r\n"),
    ("a carriage return alone", "X-A: b\rTransfer-Encoding: chunked\r\n"),
    ("a line without a name", ": b\r\nContent-Length: 4\r\n"),
];

/// A request of that shape, with what would be a second one to some.
fn shaped(headers: &str) -> String {
    let victim = "GET /v2/_catalog HTTP/1.1\r\nHost: b\r\n\r\n";
    format!("POST /v2/admin/app/blobs/uploads/ HTTP/1.1\r\nHost: a\r\n{headers}\r\n0\r\n\r\n{victim}")
}

#[tokio::test]
async fn a_request_that_ends_in_two_places_ends_the_connection() {
    let stack = Stack::start().await;
    for (what, headers) in SHAPES {
        let request = shaped(headers);
        let answer = raw(&stack, &request).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{what}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), usize::from(!answer.is_empty()), "{what}: {answer}");
    }
}

#[tokio::test]
async fn what_nginx_lets_through_is_nobody_elses_answer() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let image = app.push_image("v1", "layer").await;
    let nginx = Nginx::before(&stack.host, &stack.stored("blobs")).await;
    let through = app.on(&nginx.host);
    for (what, headers) in SHAPES {
        let mut connection = nginx.host.connect().await;
        connection.write_all(shaped(headers).as_bytes()).await.unwrap();
        // Whatever it is answered, everybody else gets what they asked for.
        for _ in 0..3 {
            let tags = through.get("tags/list").send().await.is(200).json();
            assert_eq!(tags["tags"], serde_json::json!(["v1"]), "{what}");
            assert_eq!(through.get("manifests/v1").send().await.is(200).body, image.manifest, "{what}");
            nginx.host.get("/internal/v1/introspect").send().await.is(404);
        }
    }
}

/// What comes back, until the server closes the connection, while a body goes out that is chunked and has no end.
async fn unending(stack: &Stack, head: &str) -> String {
    let (mut incoming, mut outgoing) = stack.host.connect().await.into_split();
    let begun = format!("{head}\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n");
    let sending = tokio::spawn(async move {
        outgoing.write_all(begun.as_bytes()).await?;
        outgoing.write_all(&vec![7; 900_000]).await?;
        std::future::pending::<std::io::Result<()>>().await
    });
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, incoming.read_to_end(&mut answer)).await;
    sending.abort();
    assert!(ended.is_ok(), "the connection stays open: {head}: {}", String::from_utf8_lossy(&answer));
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_body_that_is_not_read_to_its_end_ends_the_connection() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let location = app.begin().await;
    let held = tokio::spawn(app.patch(&location).stalled("begun").send());
    app.until_written(&location).await;
    let token = format!("Authorization: Bearer {}", app.token);
    let rows = [
        (416, format!("PATCH {location} HTTP/1.1\r\n{token}")),
        (416, format!("PUT {location}?digest={} HTTP/1.1\r\n{token}", sha256(b"x"))),
        (404, format!("PATCH {location}x HTTP/1.1\r\n{token}")),
        (401, format!("PATCH {location} HTTP/1.1")),
        (401, "POST /api/v1/orgs HTTP/1.1\r\nAuthorization: Basic YWRtaW46d3Jvbmc=".to_owned()),
    ];
    for (status, head) in rows {
        let answer = unending(&stack, &head).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{head}: {answer}");
        assert!(answer.to_ascii_lowercase().contains("\r\nconnection: close\r\n"), "{head}: {answer}");
    }
    assert!(!held.is_finished());
    held.abort();
}

#[tokio::test]
async fn connections_that_say_nothing_hold_up_nobody() {
    let stack = Stack::start().await;
    let repository = stack.admin().repository("admin/app").await;
    let mut held = Vec::new();
    for begun in [
        "",
        "GET /v2/ HTTP/1.1\r\nHo",
        "POST /v2/admin/app/blobs/uploads/ HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1",
    ] {
        for _ in 0..300 {
            let mut connection = stack.host.connect().await;
            connection.write_all(begun.as_bytes()).await.unwrap();
            held.push(connection);
        }
    }
    let pushed = repository.push_image("v1", "layer").await;
    assert_eq!(repository.get("manifests/v1").send().await.is(200).body, pushed.manifest);
    drop(held);
}

#[tokio::test]
async fn slow_readers_of_a_large_blob_hold_up_nobody() {
    let stack = Stack::start().await;
    let repository = stack.admin().repository("admin/app").await;
    let content = vec![7; 16 << 20];
    let digest = repository.push_blob(&content).await;
    let mut slow = Vec::new();
    for _ in 0..200 {
        slow.push(repository.get(&format!("blobs/{digest}")).stream().await);
    }
    assert_eq!(repository.get(&format!("blobs/{digest}")).send().await.is(200).body.len(), content.len());
    repository.push_image("v1", "layer").await;
}

/// Connections that are more than a process has files left for, and fewer than the system lets wait for it.
const FEW: usize = 120;

#[tokio::test]
async fn a_registry_without_files_left_goes_on_as_soon_as_it_has_some() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start_registry(&folder.path().join("data"), &[]).await;
    let app = Repository::new(&program.host, "acme/app", String::new());
    let image = app.push_image("v1", "layer").await;
    let open = std::fs::read_dir(format!("/proc/{}/fd", program.id())).unwrap().count();
    let limit = format!("--nofile={0}:{0}", open + 40);
    let limited = Command::new("prlimit").args(["--pid", &program.id().to_string(), &limit]).status();
    assert!(limited.unwrap().success());
    let mut held = Vec::new();
    for _ in 0..FEW {
        let mut connection = program.host.connect().await;
        connection.write_all(b"GET /v2/ HTTP/1.1\r\nHo").await.unwrap();
        held.push(connection);
    }
    // On a connection that was there before, or on one that waits: served, or told that it cannot be done now.
    let impatient = Repository { host: program.host.with_patience(Duration::from_secs(2)), ..app.clone() };
    for number in 0..5 {
        let push = impatient.put("manifests/v2").body(image.manifest.clone()).attempt().await;
        assert!(push.is_none_or(|push| [201, 500, 503].contains(&push.status)), "push {number}");
    }
    drop(held);
    eventually("it has files again", PATIENCE, async || {
        app.put("manifests/v3").body(image.manifest.clone()).attempt().await.is_some_and(|push| push.status == 201)
    })
    .await;
    let pushed = app.push_image("v4", "another layer").await;
    for (tag, manifest) in [("v1", &image.manifest), ("v3", &image.manifest), ("v4", &pushed.manifest)] {
        assert_eq!(app.get(&format!("manifests/{tag}")).send().await.is(200).body, *manifest);
    }
}
