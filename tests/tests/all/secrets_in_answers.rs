//! What a refusal says: never a secret that was sent, wherever it stood, and nothing of what is inside the server.

use crate::support::{Browser, PASSWORD, Stack, origin};
use reqwest::Method;
use serde_json::json;

const CANARY: &str = "canary-Xq7-of-a-secret";

/// (method, path, body) with the secret where one was to be, or where none is looked for.
const BODIES: &[(&str, &str, &str)] = &[
    ("POST", "/users", r#"{"name":"bob","password":["CANARY"]}"#),
    ("POST", "/users", r#"{"name":"bob","password":"CANARY"#),
    ("POST", "/users", r#"{"name":"bob","password":"CANARY","password":"CANARY"}"#),
    ("POST", "/users", r#"{"name":"bob","password":"CANARY","invitation":"berth_inv_CANARY"}"#),
    ("POST", "/session", r#"{"name":"admin","password":"CANARY"}"#),
    ("POST", "/session", r#"{"name":["CANARY"],"password":{"a":"CANARY"}}"#),
    ("POST", "/session", r#""CANARY""#),
    ("PUT", "/user/password", r#"{"old_password":"CANARY","new_password":"CANARY"}"#),
    ("PUT", "/user/password", r#"{"old_password":["CANARY"],"new_password":1}"#),
    ("POST", "/admin/users", r#"{"name":"bob","password":{"CANARY":1}}"#),
    ("POST", "/admin/users", r#"{"name":"CANARY CANARY","password":7}"#),
    ("POST", "/admin/users/none/reset-password", r#"{"password":"CANARY"}"#),
    ("POST", "/admin/users/admin/reset-password", r#"{"password":["CANARY"]}"#),
    ("POST", "/user/tokens", r#"{"name":"x","limits":"CANARY"}"#),
];

#[tokio::test]
async fn no_refusal_repeats_a_secret() {
    let unbound = [("INDEX_WRONG_PASSWORDS_PER_ADDRESS", "0"), ("INDEX_WRONG_PASSWORDS_PER_ACCOUNT", "0")];
    let stack = Stack::start_with(&[&unbound[..], &[("INDEX_SIGNUP", "open")]].concat()).await;
    let host = &stack.host;
    let mut answers = Vec::new();
    for (method, path, body) in BODIES {
        let request = host.request(method.parse().unwrap(), &format!("/api/v1{path}"));
        // Signing in is refused beside other credentials.
        let request = if path.starts_with("/session") { request } else { request.basic("admin", PASSWORD) };
        let request = request.header("Origin", origin(host)).header("Content-Type", "application/json");
        answers.push(request.body(body.replace("CANARY", CANARY)).send().await);
    }
    let (pat, robot) = (format!("berth_pat_{CANARY}"), format!("berth_rob_{CANARY}"));
    for secret in [CANARY, &pat, &robot, &format!("berth_ses_{CANARY}"), &format!("e30.{CANARY}.x")] {
        for path in ["/token?service=berth", "/v1/search?q=x", "/api/v1/user", "/v2/", "/v2/admin/app/tags/list"] {
            answers.push(host.get(path).basic("admin", secret).send().await);
            answers.push(host.get(path).token(secret).send().await);
            answers.push(host.get(path).header("Authorization", secret).send().await);
            answers.push(host.get(path).header("Authorization", format!("Basic {secret}")).send().await);
            let two = host.get(path).header("Authorization", format!("Bearer {secret}"));
            answers.push(two.header("Authorization", format!("Basic {secret}")).send().await);
        }
        let session = host.get("/api/v1/session").header("Cookie", format!("berth_session={secret}"));
        answers.push(session.send().await);
        let form = [("grant_type", "password"), ("username", "admin"), ("password", secret)];
        answers.push(host.post("/token").form(&form).send().await);
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", secret)];
        answers.push(host.post("/token").form(&refresh).send().await);
        answers.push(host.get(&format!("/api/v1/invitations/berth_inv_{CANARY}")).send().await);
    }
    let browser = Browser::sign_in(host, "admin").await;
    let changes = browser.sends(&Method::POST, "/orgs").header("Origin", &browser.origin);
    answers.push(changes.header("X-CSRF-Token", CANARY).json(&json!({ "name": "acme" })).send().await);
    for answer in answers {
        assert!((400..500).contains(&answer.status), "{answer:?}");
        let head = format!("{:?}", answer.headers);
        assert!(!answer.text().contains(CANARY) && !head.contains(CANARY), "{}: {}", answer.what, answer.text());
    }
}

/// Words of what is inside: of the database, the language, the files.
const INSIDE: &[&str] = &["sqlite", "SELECT", "argon2", "panicked", ".rs:", "/tmp", "No such file", "os error"];

#[tokio::test]
async fn a_fault_tells_a_client_nothing_of_the_inside() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    let app = admin.repository("admin/app").await;
    let image = app.push_image("v1", "layer").await;
    let armed = stack.arm("eio@1+");
    let mut faults = 0;
    for request in [
        app.post("blobs/uploads/"),
        app.post("blobs/uploads/?digest=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        app.put("manifests/v2").body(image.manifest.clone()),
        app.delete("manifests/v1"),
        app.get("tags/list"),
        app.get("manifests/v1"),
    ] {
        let answer = request.send().await;
        faults += usize::from(answer.status >= 500);
        let told = INSIDE.iter().find(|word| answer.text().contains(**word));
        assert!(told.is_none(), "{} tells {told:?}: {}", answer.what, answer.text());
        assert!(!answer.text().contains(&stack.folder().display().to_string()), "{}", answer.text());
    }
    assert!(faults > 0, "nothing failed");
    drop(armed);
}
