//! Uploads that outlast something: the token that began a request, the idle time of other servers' connections, their
//! repository, and the process that takes them.

use crate::support::{Program, Repository, Stack, Wishes, claims, sha256};
use reqwest::Method;
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// Seconds that a token is taken beyond its end.
const LEEWAY: u64 = 60;

/// Seconds until the token is over: long enough for a request to begin on a busy machine.
const LEFT: u64 = 8;

#[tokio::test]
async fn a_token_that_ends_while_a_body_comes_does_not_end_the_request() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let signer = Wishes::of(&stack).await;
    let (location, other) = (app.begin().await, app.begin().await);
    let mut ending = claims(&app.token);
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap();
    ending["exp"] = (now + LEFT - LEEWAY).into();
    let ending = Repository { token: signer.sign(&ending), ..app.clone() };
    let slow = || {
        let first = futures_util::stream::iter([Ok::<_, std::io::Error>("begun in time, ")]);
        let last = futures_util::stream::once(async {
            tokio::time::sleep(Duration::from_secs(LEFT + 2)).await;
            Ok("ended after it")
        });
        reqwest::Body::wrap_stream(futures_util::StreamExt::chain(first, last))
    };
    let digest = sha256(b"begun in time, ended after it");
    // A chunk, and a whole body with its end.
    let (chunk, whole) = tokio::join!(
        ending.patch(&location).body(slow()).send(),
        ending.put(&format!("{other}?digest={digest}")).body(slow()).send(),
    );
    assert_eq!(chunk.is(202).header("range"), "0-28");
    whole.is(201);
    // It goes on with its upload and opens nothing else.
    let refused = ending.post("blobs/uploads/").send().await.refuses(401, "UNAUTHORIZED");
    assert!(refused.header("www-authenticate").ends_with(",error=\"invalid_token\""));
    assert_eq!(app.get(&location).send().await.is(204).header("range"), "0-28");
    ending.put(&format!("{location}?digest={digest}")).send().await.is(201);
    assert_eq!(app.get(&format!("blobs/{digest}")).send().await.is(200).text(), "begun in time, ended after it");
}

/// Longer than nginx keeps a connection that says nothing, and than clients wait that have more to send.
const IDLE: Duration = Duration::from_secs(61);

/// The status and head of the next answer on a connection, whose body is read too.
async fn answer(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.expect("the connection is open"));
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    connection.read_exact(&mut vec![0; length.unwrap_or(0)]).await.unwrap();
    head
}

#[tokio::test]
async fn a_large_chunk_is_taken_on_a_connection_that_was_idle_for_a_minute() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let location = app.begin().await;
    let mut connection = stack.host.connect().await;
    let common = format!("HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n", app.token);
    connection.write_all(format!("GET {location} {common}\r\n").as_bytes()).await.unwrap();
    let begun = answer(&mut connection).await;
    assert!(begun.starts_with("HTTP/1.1 204"), "{begun}");

    tokio::time::sleep(IDLE).await;
    let content: Vec<u8> = (0..=250_u8).cycle().take(32 << 20).collect();
    let head = format!("PATCH {location} {common}Content-Length: {}\r\n\r\n", content.len());
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&content).await.unwrap();
    let taken = answer(&mut connection).await;
    assert!(taken.starts_with("HTTP/1.1 202"), "{taken}");
    let digest = sha256(&content);
    let end = format!("PUT {location}?digest={digest} {common}Content-Length: 0\r\n\r\n");
    connection.write_all(end.as_bytes()).await.unwrap();
    let ended = answer(&mut connection).await;
    assert!(ended.starts_with("HTTP/1.1 201"), "{ended}");
    assert!(app.get(&format!("blobs/{digest}")).send().await.is(200).body == content, "the same bytes");
}

#[tokio::test]
async fn an_upload_whose_repository_is_put_away_while_its_body_comes_is_none_any_more() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    for method in [Method::PATCH, Method::PUT] {
        let app = admin.repository(&format!("admin/{}", method.as_str().to_lowercase())).await;
        let location = app.begin().await;
        let (end, rest) = oneshot::channel();
        let path = format!("{location}?digest={}", sha256(b"begun, ended"));
        let writing = tokio::spawn(app.request(method, &path).paused("begun, ", rest).send());
        app.until_written(&location).await;
        admin.does(Method::DELETE, &format!("/repositories/{}", app.name), &Value::Null).await;
        assert!(!stack.stored(&format!("repositories/{}/_uploads", app.name)).exists(), "it is put away");
        end.send("ended").unwrap();
        writing.await.unwrap().refuses(404, "BLOB_UPLOAD_UNKNOWN");
    }
}

/// How long what is under way when a process is told to stop may take to end.
const DRAIN: Duration = Duration::from_secs(8);

#[tokio::test]
async fn a_body_that_ends_soon_after_the_signal_to_stop_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut program = Program::start_registry(&data, &[]).await;
    let app = Repository::new(&program.host, "acme/app", String::new());
    let location = app.begin().await;
    let (end, rest) = oneshot::channel();
    let writing = tokio::spawn(app.patch(&location).paused("begun, ", rest).send());
    app.until_written(&location).await;
    program.ask_to_stop();
    let asked = Instant::now();
    tokio::time::sleep(Duration::from_secs(2)).await;
    end.send("ended").unwrap();
    assert_eq!(writing.await.unwrap().is(202).header("range"), "0-11");
    let ended = program.end().await;
    assert!(ended.success(), "{ended}");
    assert!(asked.elapsed() < DRAIN, "it waited for what was over: {:?}", asked.elapsed());
    // Acknowledged is durable: the next one goes on with it.
    let next = Program::start_registry(&data, &[]).await;
    let end = format!("{location}?digest={}", sha256(b"begun, ended"));
    app.on(&next.host).put(&end).send().await.is(201);
}
