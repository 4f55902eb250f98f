//! Requests that a second reader may understand otherwise: a token in trailers, an upgrade to another protocol, a target that
//! names another host. None of them is given more for it. Source: RFC 9112, sections 3.2.2, 6 and 7.1.2.

use crate::support::Stack;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request without a token, and the token where no reader may look for it.
const TRAILERS: &str = "POST /v2/admin/app/blobs/uploads/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
    Transfer-Encoding: chunked\r\n\r\n0\r\nTOKEN\r\nContent-Length: 4\r\n\r\n";

/// A request that wants to go on in another protocol.
const UPGRADE: &str = "GET /v2/admin/app/tags/list HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\n\
    Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[tokio::test]
async fn a_token_in_trailers_and_an_upgrade_change_nothing() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    app.push_image("v1", "layer").await;
    let token = format!("Authorization: Bearer {}", app.token);
    for request in [TRAILERS, UPGRADE] {
        let answer = stack.host.say(request.replace("TOKEN", &token)).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{request}: {answer}");
    }
}

#[tokio::test]
async fn a_target_with_another_host_is_not_followed() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let image = app.push_image("v1", "layer").await;
    let token = format!("Authorization: Bearer {}", app.token);
    for host in ["evil.example", "169.254.169.254", "user@evil.example:99"] {
        let head = format!("GET http://{host}/v2/admin/app/manifests/v1 HTTP/1.1\r\n{token}");
        let (head, body) = app.host.raw(&head, b"").await;
        let refused = head.starts_with("HTTP/1.1 4");
        assert!(refused || head.starts_with("HTTP/1.1 200 ") && body == image.manifest, "{host}: {head}");
        let (head, _) = app.host.raw(&format!("GET http://{host}/v2/ HTTP/1.1"), b"").await;
        assert!(head.starts_with("HTTP/1.1 4") && !head.contains(host), "nothing speaks of it: {head}");
        app.get("manifests/v1").send().await.is(200);
    }
}

#[tokio::test]
async fn each_of_several_requests_on_a_connection_has_its_own_answer_and_its_own_rights() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let image = app.push_image("v1", "layer").await;
    let location = app.begin().await;
    let token = format!("Host: a\r\nAuthorization: Bearer {}\r\n", app.token);
    let length = |body: &str| format!("Content-Length: {}\r\n\r\n{body}", body.len());
    let extended = format!("4;{}\r\nmore\r\n0\r\n\r\n", "x".repeat(9000));
    // The bodies look like requests.
    let requests = [
        (202, format!("PATCH {location} HTTP/1.1\r\n{token}{}", length("GET /v2/ HTTP/1.1\r\n\r\n"))),
        (401, "GET /v2/admin/app/manifests/v1 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        (200, format!("GET /v2/admin/app/manifests/v1 HTTP/1.1\r\n{token}\r\n")),
        (202, format!("PATCH {location} HTTP/1.1\r\n{token}Transfer-Encoding: chunked\r\n\r\n{extended}")),
        (404, format!("GET /v2/admin/app/manifests/v2 HTTP/1.1\r\n{token}\r\n")),
        (401, format!("GET /v2/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}", length(""))),
    ];
    let all = requests.iter().fold(String::new(), |all, (_, request)| all + request);
    let mut connection = app.host.connect().await;
    connection.write_all(all.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let ended = tokio::time::timeout(PATIENCE, connection.read_to_string(&mut answer)).await;
    assert!(ended.is_ok(), "the connection stays open: {answer}");
    let statuses: Vec<u16> = answer.split("HTTP/1.1 ").skip(1).map(|answer| answer[..3].parse().unwrap()).collect();
    assert_eq!(statuses, requests.iter().map(|(status, _)| *status).collect::<Vec<_>>(), "{answer}");
    assert_eq!(answer.matches(&String::from_utf8(image.manifest).unwrap()).count(), 1, "one of them asked for it");
    assert_eq!(app.get(&location).send().await.is(204).header("range"), "0-24");
}
