//! Clients that say nothing for a while, and then go on or not: who goes on is served as any other, and who does not is
//! given up, so that neither a connection nor an upload is held for ever. RFC 9110, sections 10.1.1 and 15.5.9.

use crate::support::{Repository, Stack, sha256};
use futures_util::StreamExt;
use reqwest::Body;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than a request's head may take, and shorter than a silent body is waited for.
const A_WHILE: Duration = Duration::from_secs(40);

/// Longer than that.
const TOO_LONG: Duration = Duration::from_secs(75);

const PATIENCE: Duration = Duration::from_secs(20);

/// A body that is silent for a while in its middle.
fn with_a_pause(begun: &'static str, ended: &'static str) -> Body {
    let first = futures_util::stream::iter([Ok::<_, std::io::Error>(begun)]);
    let last = futures_util::stream::once(async move {
        tokio::time::sleep(A_WHILE).await;
        Ok(ended)
    });
    Body::wrap_stream(first.chain(last))
}

/// No answer may come so late that the client has given up: that is longer than the pause.
fn patient(stack: &Stack, app: &Repository) -> Repository {
    app.on(&stack.host.with_patience(A_WHILE + PATIENCE))
}

#[tokio::test]
async fn who_is_silent_for_a_while_and_then_goes_on_is_served_as_any_other() {
    const MANIFEST: &str = r#"{"schemaVersion":2,"manifests":[]}"#;
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let content: Vec<u8> = (0..=250_u8).cycle().take(32 << 20).collect();
    let large = format!("blobs/{}", app.push_blob(&content).await);
    let slow = patient(&stack, &app);
    let (chunk, whole) = (app.begin().await, app.begin().await);
    let digest = sha256(b"begun, ended");
    let reading = async {
        let mut stream = slow.get(&large).stream().await;
        let mut read = stream.next().await.unwrap().unwrap().to_vec();
        tokio::time::sleep(A_WHILE).await;
        while let Some(bytes) = stream.next().await {
            read.extend_from_slice(&bytes.unwrap());
        }
        assert!(read == content, "the same bytes");
    };
    let (first, rest) = MANIFEST.split_at(9);
    let (patched, put, posted, manifest, ()) = tokio::join!(
        slow.patch(&chunk).body(with_a_pause("begun, ", "ended")).send(),
        slow.put(&format!("{whole}?digest={digest}")).body(with_a_pause("begun, ", "ended")).send(),
        slow.post(&format!("blobs/uploads/?digest={digest}")).body(with_a_pause("begun, ", "ended")).send(),
        slow.put("manifests/v1").body(with_a_pause(first, rest)).send(),
        reading,
    );
    assert_eq!(patched.is(202).header("range"), "0-11");
    put.is(201);
    posted.is(201);
    manifest.is(201);
    app.put(&format!("{chunk}?digest={digest}")).send().await.is(201);
    assert_eq!(app.get(&format!("blobs/{digest}")).send().await.is(200).text(), "begun, ended");
    assert_eq!(app.get("manifests/v1").send().await.is(200).text(), MANIFEST);
}

/// Sends the beginning of a request and no more; tells what comes back until the server closes the connection.
async fn begins(stack: &Stack, beginning: String) -> String {
    let mut connection = stack.host.connect().await;
    connection.write_all(beginning.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(TOO_LONG, connection.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "the connection stays open: {beginning}");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn who_is_silent_for_too_long_is_given_up_and_can_come_again() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let location = app.begin().await;
    app.patch(&location).body("acknowledged, ").send().await.is(202);
    let token = format!("Host: a\r\nAuthorization: Bearer {}\r\n", app.token);
    let json = "Host: a\r\nContent-Type: application/json\r\n";
    let (key, condition) = ("Idempotency-Key: abcdefgh12345678\r\n", "If-Match: \"x\"\r\n");
    // Of the last ones nobody knows who they are.
    let begun = [
        (400, format!("PATCH {location} HTTP/1.1\r\n{token}Content-Length: 99\r\n\r\nlost")),
        (408, "GET /v2/ HTTP/1.1\r\nHo".to_owned()),
        (400, format!("POST /token HTTP/1.1\r\n{json}Content-Length: 99\r\n\r\ngrant_")),
        (400, format!("POST /api/v1/session HTTP/1.1\r\n{json}Transfer-Encoding: chunked\r\n\r\n9\r\n{{\"na")),
        (400, format!("POST /api/v1/users HTTP/1.1\r\n{json}Content-Length: 99\r\n\r\n")),
        (400, format!("POST /api/v1/users HTTP/1.1\r\n{json}{key}Content-Length: 99\r\n\r\n{{")),
        (400, format!("PATCH /api/v1/orgs/acme HTTP/1.1\r\n{json}{condition}Content-Length: 99\r\n\r\n{{")),
    ];
    let answers = begun.map(|(status, beginning)| {
        let stack = &stack;
        async move { (status, beginning.clone(), begins(stack, beginning).await) }
    });
    for (status, beginning, answer) in futures_util::future::join_all(answers).await {
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{beginning}: {answer}");
    }
    // Nobody writes the upload any more, and nothing but what was acknowledged is there.
    assert_eq!(app.get(&location).send().await.is(204).header("range"), "0-13");
    let digest = sha256(b"acknowledged, and ended");
    app.put(&format!("{location}?digest={digest}")).body("and ended").send().await.is(201);
}

/// Reads to the end of a head.
async fn head(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = tokio::time::timeout(PATIENCE, connection.read_u8()).await.expect("an answer in time");
        head.push(byte.expect("the connection is open"));
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn who_asks_before_sending_is_told_to_go_on_or_is_refused_without_the_body() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let location = app.begin().await;
    let request = |token: &str, length: usize| {
        let length = format!("Content-Length: {length}\r\nExpect: 100-continue");
        format!("PATCH {location} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n{length}\r\n\r\n")
    };
    let mut connection = stack.host.connect().await;
    connection.write_all(request(&app.token, 4).as_bytes()).await.unwrap();
    let told = head(&mut connection).await;
    assert!(told.starts_with("HTTP/1.1 100 "), "{told}");
    connection.write_all(b"four").await.unwrap();
    let taken = head(&mut connection).await;
    assert!(taken.starts_with("HTTP/1.1 202 "), "{taken}");
    assert!(taken.to_lowercase().contains("\r\nrange: 0-3\r\n"), "{taken}");

    // Whoever may not send it hears so before sending any of it.
    let mut connection = stack.host.connect().await;
    connection.write_all(request("none", 1 << 30).as_bytes()).await.unwrap();
    let mut refused = head(&mut connection).await;
    if refused.starts_with("HTTP/1.1 100 ") {
        refused = head(&mut connection).await;
    }
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    assert_eq!(app.get(&location).send().await.is(204).header("range"), "0-3");
}
