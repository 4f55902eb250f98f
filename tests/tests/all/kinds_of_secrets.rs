//! Secrets of one kind at the doors of every other: each opens its own and nothing else. RFC 8725, section 3.12.

use crate::support::{Browser, Host, PASSWORD, Request, Stack, User, Wishes, origin};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const OF_REGISTRIES: &str = "of registries";

/// Everything secret that there is about `alice` and her organisation, by its kind.
type Secrets = BTreeMap<&'static str, String>;

/// Where secrets are shown.
struct Doors {
    stack: Stack,
    index: Host,
    wishes: Wishes,
    browser: Browser,
}

impl Doors {
    async fn open() -> (Self, Secrets) {
        // Nobody is held back for showing so many wrong ones.
        let unbound = [("INDEX_WRONG_PASSWORDS_PER_ADDRESS", "0"), ("INDEX_WRONG_PASSWORDS_PER_ACCOUNT", "0")];
        let stack = Stack::start_with(&unbound).await;
        let alice = stack.user("alice").await;
        let makes = async |path: &str, body: Value| {
            alice.does(Method::POST, path, &body).await["secret"].as_str().unwrap_or_default().to_owned()
        };
        makes("/orgs", json!({ "name": "acme" })).await;
        let mut secrets = Secrets::from([
            ("password", PASSWORD.to_owned()),
            ("access token", makes("/user/tokens", json!({ "name": "laptop" })).await),
            ("robot", makes("/orgs/acme/robots", json!({ "name": "ci" })).await),
            ("invitation", makes("/orgs/acme/invitations", json!({ "role": "member" })).await),
            ("registry token", alice.token("repository:alice/app:pull,push,delete").await),
            ("of registries", OF_REGISTRIES.to_owned()),
        ]);
        let browser = Browser::sign_in(&stack.host, "alice").await;
        secrets.insert("session", browser.cookie.split_once('=').unwrap().1.to_owned());
        secrets.insert("token of a session", browser.csrf_token.clone());
        let wishes = Wishes::of(&stack).await;
        let wish = json!({ "verb": "put_away", "repository": "acme/none", "repository_id": "none" });
        secrets.insert("wish", wishes.sign(&wishes.claims(&wish)));
        (Self { index: stack.index_for_registries(OF_REGISTRIES), stack, wishes, browser }, secrets)
    }

    /// Shows `secret` at a door.
    fn show(&self, door: &str, secret: &str) -> Request {
        let (host, alice) = (&self.stack.host, User::new(&self.stack.host, "alice"));
        let sessions = "/api/v1/session";
        match door {
            "as alice's password for a token" => host.get("/token?service=berth").basic("alice", secret),
            "as alice's password in a form" => {
                host.post("/token").form(&[("grant_type", "password"), ("username", "alice"), ("password", secret)])
            }
            "as alice's password at the API" => host.get("/api/v1/repositories").basic("alice", secret),
            "as alice's password to search" => host.get("/v1/search?q=x").basic("alice", secret),
            "as the robot's password for a token" => host.get("/token?service=berth").basic("acme+ci", secret),
            "alone for a token" => host.get("/token?service=berth").token(secret),
            "alone at the API" => host.get("/api/v1/repositories").token(secret),
            "alone to search" => host.get("/v1/search?q=x").token(secret),
            "to begin a session" => {
                let body = json!({ "name": "alice", "password": secret });
                host.post(sessions).header("Origin", origin(host)).json(&body)
            }
            "as a session" => host.get(sessions).header("Cookie", format!("berth_session={secret}")),
            "as the token of a session" => {
                let changes = self.browser.sends(&Method::POST, "/orgs").header("Origin", &self.browser.origin);
                changes.header("X-CSRF-Token", secret).json(&json!({ "name": "Not a name" }))
            }
            "as an invitation" => host.get(&format!("/api/v1/invitations/{}", secret.replace(' ', "%20"))),
            "to join" => {
                let path = format!("/api/v1/invitations/{}/accept", secret.replace(' ', "%20"));
                alice.asks(Method::POST, &path)
            }
            "at the registry" => host.get("/v2/").token(secret),
            "as alice's password at the registry" => host.get("/v2/").basic("alice", secret),
            "as a session at the registry" => host.get("/v2/").header("Cookie", format!("berth_session={secret}")),
            "as a registry" => self.index.post("/internal/v1/introspect").token(secret).json(&json!({ "token": "x" })),
            "as the index" => self.wishes.request(secret),
            _ => panic!("no door {door:?}"),
        }
    }
}

/// (door, kinds that open it, status then, status for all others).
const DOORS: &[(&str, &[&str], u16, u16)] = &[
    ("as alice's password for a token", &["password", "access token"], 200, 401),
    ("as alice's password in a form", &["password", "access token"], 200, 401),
    ("as alice's password at the API", &["password", "access token"], 200, 401),
    ("as alice's password to search", &["password", "access token"], 200, 401),
    ("as the robot's password for a token", &["robot"], 200, 401),
    ("alone for a token", &["access token", "robot"], 200, 401),
    ("alone at the API", &["access token", "robot"], 200, 401),
    ("alone to search", &["access token", "robot"], 200, 401),
    ("to begin a session", &["password"], 201, 401),
    ("as a session", &["session"], 200, 401),
    ("as the token of a session", &["token of a session"], 422, 403),
    ("as an invitation", &["invitation"], 200, 404),
    // Alice is a member already.
    ("to join", &["invitation"], 409, 404),
    ("at the registry", &["registry token"], 200, 401),
    ("as alice's password at the registry", &[], 200, 401),
    ("as a session at the registry", &[], 200, 401),
    ("as a registry", &["of registries"], 200, 401),
    ("as the index", &["wish"], 200, 401),
];

#[tokio::test]
async fn each_secret_opens_the_doors_of_its_kind_alone() {
    let (doors, secrets) = Doors::open().await;
    let mut wrong = Vec::new();
    for (door, opening, open, shut) in DOORS {
        for (kind, secret) in &secrets {
            let expected = if opening.contains(kind) { open } else { shut };
            let answer = doors.show(door, secret).send().await;
            if answer.status != *expected {
                wrong.push(format!("{kind} {door}: {}, not {expected}: {}", answer.status, answer.text()));
            }
            assert!(!answer.text().contains(secret.as_str()) || *kind == "token of a session", "{kind} {door}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
