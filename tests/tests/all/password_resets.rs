//! Resetting a password: by an administrator over the REST API, and with nothing but the data folder from the command line.

use crate::support::{Browser, PASSWORD, Program, Stack, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// `berth user reset-password`, with this on its standard input.
async fn reset(data: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faulty"));
    command.args(["user", "reset-password", "--data", data.to_str().unwrap()]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = input.to_owned();
    let run = move || {
        let mut child = command.spawn().unwrap();
        // One that reads nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// The one line that it printed.
fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap().trim_end_matches('\n').to_owned()
}

#[tokio::test]
async fn an_administrator_gives_another_password_and_ends_sessions() {
    let stack = Stack::start().await;
    let alice = stack.user("alice").await;
    let browser = Browser::sign_in(&stack.host, "alice").await;
    let status = async |password: &str| stack.host.get("/token").basic("alice", password).send().await.status;
    let path = "/api/v1/admin/users/alice/reset-password";
    for (who, status) in [(stack.anonymous(), 401), (alice.clone(), 403)] {
        who.asks(Method::POST, path).json(&json!({})).send().await.is(status);
    }
    let token = stack.admin().does(Method::POST, "/user/tokens", &json!({ "name": "laptop" })).await;
    let by_token = stack.host.post(path).token(token["secret"].as_str().unwrap()).json(&json!({}));
    assert_eq!(by_token.send().await.is(403).json()["code"], "password_needed");
    for body in [json!({ "password": "alicealice" }), json!({ "password": "short" })] {
        stack.admin().asks(Method::POST, path).json(&body).send().await.is(422);
    }
    assert_eq!((status(PASSWORD).await, browser.is_signed_in().await), (200, true), "nothing has changed");

    let answer = stack.admin().asks(Method::POST, path).json(&json!({})).send().await.is(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let random = answer.json()["password"].as_str().unwrap().to_owned();
    assert_eq!((status(&random).await, status(PASSWORD).await, browser.is_signed_in().await), (200, 401, false));
    let given =
        stack.admin().does(Method::POST, "/admin/users/alice/reset-password", &json!({ "password": PASSWORD })).await;
    assert_eq!(given, json!({ "password": null }), "who chose it knows it");
    assert_eq!((status(&random).await, status(PASSWORD).await), (401, 200));
    for name in ["nobody", "acme+ci"] {
        let path = format!("/api/v1/admin/users/{name}/reset-password");
        stack.admin().asks(Method::POST, &path).json(&json!({})).send().await.is(404);
    }
}

#[tokio::test]
async fn the_command_resets_a_password_beside_a_server_and_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let missing = reset(&data, &["admin"], "").await;
    assert!(!missing.status.success() && !data.exists(), "it makes no index where there is none");

    let mut running = Program::start_well(&data).await;
    let status = async |running: &Program, password: &str| {
        running.host.get("/token").basic("admin", password).send().await.status
    };
    let browser = Browser::sign_in(&running.host, "admin").await;
    let issued = running.host.get("/token").basic("admin", PASSWORD).send().await.is(200).json();
    let issued = issued["token"].as_str().unwrap();
    running.host.get("/v2/").token(issued).send().await.is(200);
    let random = printed(&reset(&data, &["admin"], "").await);
    assert_eq!(random.len(), 24, "{random}");
    assert_eq!((status(&running, &random).await, status(&running, PASSWORD).await), (200, 401));
    assert!(!browser.is_signed_in().await);
    let is_refused = async || running.host.get("/v2/").token(issued).send().await.status == 401;
    eventually("what was issued before has ended", Duration::from_secs(2), is_refused).await;

    running.kill();
    let given = reset(&data, &["admin", "--password-stdin"], "battery staple\n").await;
    assert_eq!(printed(&given), "", "who chose it knows it");
    for (arguments, input, reason) in [
        (&["nobody"][..], "", "there is no user"),
        (&["admin", "--password-stdin"], "password1\n", "too easy to guess"),
        (&["admin", "--password-stdin"], "", "8 to 128"),
    ] {
        let refused = reset(&data, arguments, input).await;
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(reason), "{arguments:?}: {said}");
    }
    let running = Program::start_well(&data).await;
    assert_eq!((status(&running, "battery staple").await, status(&running, &random).await), (200, 401));
}

#[tokio::test]
async fn a_reset_takes_away_the_file_with_the_first_password() {
    let stack = Stack::start_with(&[("INDEX_ADMIN_PASSWORD", "")]).await;
    let file = stack.folder().join("initial-admin-password");
    let first = std::fs::read_to_string(&file).unwrap().trim_end().to_owned();
    let asks = |name: &str| {
        let path = format!("/api/v1/admin/users/{name}/reset-password");
        stack.host.post(&path).basic("admin", &first).json(&json!({ "password": PASSWORD }))
    };
    let alice = json!({ "name": "alice", "password": "battery staple" });
    stack.host.post("/api/v1/admin/users").basic("admin", &first).json(&alice).send().await.is(201);
    asks("alice").send().await.is(200);
    assert!(file.exists(), "it is not alice's");
    asks("admin").send().await.is(200);
    assert!(!file.exists());
    stack.admin().does(Method::GET, "/user", &Value::Null).await;
}
