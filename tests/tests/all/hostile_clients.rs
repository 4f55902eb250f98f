//! Clients that mean harm: requests whose end two readers would see in different places, and connections that are held
//! open for nothing. Sources: RFC 9112, sections 5.1, 5.2, 6.1 and 6.3.

use crate::support::{Stack, eventually, sha256};
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

#[tokio::test]
async fn a_request_that_ends_in_two_places_ends_the_connection() {
    let stack = Stack::start().await;
    let victim = "GET /v2/_catalog HTTP/1.1\r\nHost: b\r\n\r\n";
    let rows = [
        ("both lengths", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"),
        ("two lengths", "Content-Length: 4\r\nContent-Length: 5\r\n"),
        ("a signed length", "Content-Length: +4\r\n"),
        ("a length in hex", "Content-Length: 0x4\r\n"),
        ("another coding", "Transfer-Encoding: xchunked\r\n"),
        ("chunked and then not", "Transfer-Encoding: chunked, identity\r\n"),
        ("a blank before the colon", "Content-Length : 4\r\n"),
        ("a folded line", "X-A: b\r\n folded\r\nContent-Length: 4\r\n"),
        ("a zero byte", "X-A: b\0c\r\n"),
    ];
    for (what, headers) in rows {
        let request =
            format!("POST /v2/admin/app/blobs/uploads/ HTTP/1.1\r\nHost: a\r\n{headers}\r\n0\r\n\r\n{victim}");
        let answer = raw(&stack, &request).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{what}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), usize::from(!answer.is_empty()), "{what}: {answer}");
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
    eventually("the upload has a writer", PATIENCE, async || app.patch(&location).send().await.status == 416).await;
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
