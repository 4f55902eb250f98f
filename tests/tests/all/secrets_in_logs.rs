//! Logs: no secret is ever in one, at whatever level, and whatever a client says stays within its line.

use crate::support::{Browser, Host, Nginx, PASSWORD, Program, Repository, Stack, User, free_port, origin};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;

/// What would begin a line of its own, and paint a terminal.
const FORGED: &str = "a\r\n{\"level\":\"INFO\",\"message\":\"forged\"}\u{1b}[31m";

/// The same in paths.
const FORGED_PATHS: &[&str] = &[
    "/api/v1/orgs/a%0d%0a%7b%22level%22%3a%22INFO%22%2c%22message%22%3a%22forged%22%7d%1b%5b31m",
    "/api/v1/%1b%5b31m",
    "/v2/%0aforged/tags/list",
];

/// Everything that must not be in the log.
#[derive(Default)]
struct Secrets(Vec<String>);

impl Secrets {
    /// A password, which clients send encoded too.
    fn password(&mut self, user: &str, password: &str) {
        self.0.push(password.to_owned());
        self.0.push(STANDARD.encode(format!("{user}:{password}")));
    }

    fn are_not_in(&self, log: &str) {
        for secret in &self.0 {
            let told = log.lines().find(|line| line.contains(secret.as_str()));
            assert!(told.is_none(), "{secret} is in the log: {told:?}");
        }
    }

    /// A field of an answer.
    fn shown(&mut self, answer: &Value, field: &str) -> String {
        let secret = answer[field].as_str().unwrap_or_else(|| panic!("no {field}: {answer}")).to_owned();
        self.0.push(secret.clone());
        secret
    }
}

#[tokio::test]
async fn no_log_has_a_secret_or_a_line_that_a_client_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let running = Program::start_with(&data, &[("INDEX_LOG_LEVEL", "trace"), ("INDEX_SIGNUP", "open")]).await;
    let (admin, mut secrets) = (running.admin(), Secrets::default());
    secrets.password("admin", PASSWORD);
    tokens_and_robots(&admin, &mut secrets).await;
    invitations(&admin, &mut secrets).await;
    sessions_and_passwords(&admin, &mut secrets).await;
    refusals(&admin, &mut secrets).await;
    drop(running);

    let log = fs::read_to_string(data.with_extension("log")).unwrap();
    assert!(log.contains("TRACE") && log.contains("/api/v1/invitations/berth_…/accept"), "little is said");
    secrets.are_not_in(&log);
    for line in log.lines() {
        let said: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(said["level"].is_string() && said["message"] != "forged", "{line}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert!(line.len() < 16 << 10, "a line of {} bytes", line.len());
    }
}

#[tokio::test]
async fn no_log_of_nginx_has_a_secret_however_it_goes() {
    let (stack, mut secrets) = (Stack::start_with(&[("INDEX_SIGNUP", "open")]).await, Secrets::default());
    let nginx = Nginx::before(&stack.host, &stack.stored("blobs")).await;
    let admin = User::new(&nginx.host, "admin");
    secrets.password("admin", PASSWORD);
    tokens_and_robots(&admin, &mut secrets).await;
    invitations(&admin, &mut secrets).await;
    let log = nginx.log();
    assert!(log.contains("/token?service=berth") && log.contains("/api/v1/invitations/.../accept"), "{log}");
    secrets.are_not_in(&log);

    // Before an index that is gone, of which it notes more.
    let (_, nowhere) = free_port();
    let nginx = Nginx::before(&Host::new(nowhere), &stack.stored("blobs")).await;
    let secret = secrets.0.iter().find(|secret| secret.starts_with("berth_inv_")).unwrap();
    for path in
        ["/api/v1/orgs", &format!("/api/v1/invitations/{secret}"), &format!("/api/v1/invitations/{secret}/accept")]
    {
        nginx.host.get(path).basic("admin", PASSWORD).send().await.is(502);
    }
    let log = nginx.log();
    assert!(log.contains("connect() failed") && log.contains("/api/v1/invitations/... "), "{log}");
    secrets.are_not_in(&log);
}

#[tokio::test]
async fn no_log_of_a_registry_apart_has_a_secret() {
    const SECRET: &str = "canary-of-registries";
    let (stack, mut secrets) = (Stack::start().await, Secrets::default());
    secrets.0.push(SECRET.to_owned());
    let registry = Program::start_service(&stack, SECRET, &[("REGISTRY_LOG_LEVEL", "trace")]).await;
    tokens_and_robots(&stack.admin(), &mut secrets).await;
    // What it asks the index about shows that secret, and the token.
    let token = stack.admin().token("repository:acme/app:pull,push,delete").await;
    secrets.0.push(token.clone());
    let app = Repository::new(&registry.host, "acme/app", token.clone());
    app.push_image("v2", "another layer").await;
    app.delete("manifests/v1").send().await.is(202);
    app.host.get("/v2/acme/app/tags/list").token(&format!("{token}x")).send().await.is(401);
    app.host.get("/v2/").basic("admin", PASSWORD).send().await.is(401);
    secrets.password("admin", PASSWORD);
    app.host.post("/internal/v1/move").token(&token).send().await.is(401);
    drop(registry);
    let log = fs::read_to_string(stack.folder().join("registry-service.log")).unwrap();
    assert!(log.contains("TRACE") && log.contains("/v2/acme/app/manifests/v2"), "little is said");
    secrets.are_not_in(&log);
}

async fn tokens_and_robots(admin: &User, secrets: &mut Secrets) {
    let made = admin.does(Method::POST, "/user/tokens", &json!({ "name": "laptop" })).await;
    let of_token = secrets.shown(&made, "secret");
    let rotate = format!("/user/tokens/{}/rotate", made["id"].as_str().unwrap());
    let overlap = json!({ "overlap_seconds": 60 });
    secrets.shown(&admin.does(Method::POST, &rotate, &overlap).await, "secret");
    admin.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    let robot = admin.does(Method::POST, "/orgs/acme/robots", &json!({ "name": "ci" })).await;
    let of_robot = secrets.shown(&robot, "secret");
    secrets.shown(&admin.does(Method::POST, "/orgs/acme/robots/ci/rotate", &overlap).await, "secret");
    admin.repository("acme/app").await.push_image("v1", "layer").await;
    for (user, secret) in [("admin", of_token), ("acme+ci", of_robot)] {
        secrets.password(user, &secret);
        let asked = admin.host.get("/token?service=berth&scope=repository:acme/app:pull").basic(user, &secret);
        let token = secrets.shown(&asked.send().await.is(200).json(), "token");
        admin.host.get("/v2/acme/app/manifests/v1").token(&token).send().await;
        admin.host.get("/api/v1/user").token(&secret).send().await;
    }
}

async fn invitations(admin: &User, secrets: &mut Secrets) {
    let invitation = json!({ "role": "member", "allows_sign_up": true });
    let invited = admin.does(Method::POST, "/orgs/acme/invitations", &invitation).await;
    let secret = secrets.shown(&invited, "secret");
    for (method, rest) in [(Method::GET, ""), (Method::DELETE, ""), (Method::GET, "/accept"), (Method::GET, "/x")] {
        admin.host.request(method, &format!("/api/v1/invitations/{secret}{rest}")).send().await;
    }
    let account = json!({ "name": "bob", "password": "canary of bob", "invitation": secret });
    admin.host.post("/api/v1/users").json(&account).send().await.is(201);
    secrets.password("bob", "canary of bob");
}

async fn sessions_and_passwords(admin: &User, secrets: &mut Secrets) {
    let browser = Browser::sign_in(&admin.host, "admin").await;
    browser.asks(&Method::POST, "/user/tokens").json(&json!({ "name": "of a page" })).send().await.is(201);
    browser.sends(&Method::DELETE, "/session").send().await.is(403);
    secrets.0.push(browser.cookie.split_once('=').unwrap().1.to_owned());
    secrets.0.push(browser.csrf_token.clone());
    let reset = admin.does(Method::POST, "/admin/users/bob/reset-password", &json!({})).await;
    let random = secrets.shown(&reset, "password");
    secrets.password("bob", &random);
    let change = json!({ "old_password": random, "new_password": "another canary" });
    let changed = admin.host.request(Method::PUT, "/api/v1/user/password").basic("bob", &random).json(&change);
    changed.send().await.is(204);
    secrets.password("bob", "another canary");
}

async fn refusals(admin: &User, secrets: &mut Secrets) {
    let wrong = "canary of a guess";
    for name in ["admin", FORGED] {
        secrets.password(name, wrong);
        let form = [("grant_type", "password"), ("username", name), ("password", wrong)];
        let body = json!({ "name": name, "password": wrong });
        for guess in [
            admin.host.get("/token?service=berth").basic(name, wrong),
            admin.host.get("/api/v1/user").basic(name, wrong),
            admin.host.post("/token").form(&form),
            admin.host.post("/api/v1/session").header("Origin", origin(&admin.host)).json(&body),
        ] {
            guess.send().await.is(401);
        }
    }
    for path in FORGED_PATHS {
        admin.host.get(path).send().await;
        admin.asks(Method::PUT, path).json(&json!({ "password": wrong })).send().await;
    }
    // A key's id is the client's own choice too.
    let header = URL_SAFE_NO_PAD.encode(json!({ "alg": "ES256", "kid": FORGED }).to_string());
    for path in ["/v2/", "/v2/acme/app/manifests/v1", "/v1/search?q=x"] {
        admin.host.get(path).token(&format!("{header}.e30.e30")).send().await.is(401);
    }
    // What no client library sends.
    admin.host.raw("GET /api/v1/user HTTP/1.1\r\nUser-Agent: \u{1b}[31m", b"").await;
    for length in [60_000, 1 << 20] {
        let called = format!("{wrong}{}", "x".repeat(length));
        // One that is never read to its end may find the connection closed, which nobody else is to meet.
        Host::new(admin.host.address()).get("/api/v1/user").header("User-Agent", called).attempt().await;
    }
}
