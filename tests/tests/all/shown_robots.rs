//! What is shown of robots and access tokens: their secret once, when it is new, and nothing that was made of it, to whoever
//! may look. CVE-2026-18255, CVE-2026-105447.

use crate::support::{Stack, sha256};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

const OF_A_ROBOT: &[&str] = &[
    "name",
    "description",
    "disabled",
    "allowed_networks",
    "expires_at",
    "last_used_at",
    "last_used_from",
    "created_at",
];

const OF_A_TOKEN: &[&str] =
    &["id", "name", "limits", "allowed_networks", "expires_at", "last_used_at", "last_used_from", "created_at"];

/// Everything by which a secret could be known again, or guessed.
fn traces(secret: &str) -> Vec<String> {
    let random = &secret["berth_rob_".len()..];
    let mut traces = vec![random.to_owned(), random[..12].to_owned()];
    for text in [secret, random] {
        let digest = Sha256::digest(text.as_bytes());
        traces.push(sha256(text.as_bytes()).replace("sha256:", ""));
        traces.extend([STANDARD.encode(digest), STANDARD_NO_PAD.encode(digest), URL_SAFE_NO_PAD.encode(digest)]);
    }
    traces
}

/// Holds that `shown` has these fields and no trace of the secrets.
fn has_only(shown: &Value, fields: &[&str], secrets: &[String], who: &str) {
    let found: BTreeSet<&str> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(found, fields.iter().copied().collect(), "{who}");
    for trace in secrets.iter().flat_map(|secret| traces(secret)) {
        assert!(!shown.to_string().contains(&trace), "{who} sees {trace}: {shown}");
    }
}

#[tokio::test]
async fn a_robot_is_shown_without_its_secret_to_everybody_who_may_look() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    for name in ["alice", "bob", "audrey", "mallory"] {
        stack.user(name).await;
    }
    let alice = admin.named("alice");
    alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    alice.does(Method::PUT, "/orgs/acme/members/bob", &json!({ "role": "member" })).await;
    admin.does(Method::PATCH, "/admin/users/audrey", &json!({ "is_auditor": true })).await;
    let made = alice.does(Method::POST, "/orgs/acme/robots", &json!({ "name": "ci" })).await;
    let rotate = json!({ "overlap_seconds": 60 });
    let rotated = alice.does(Method::POST, "/orgs/acme/robots/ci/rotate", &rotate).await;
    let secrets = [&made, &rotated].map(|shown| shown["secret"].as_str().unwrap().to_owned());
    assert_ne!(secrets[0], secrets[1]);
    alice.does(Method::PUT, "/namespaces/acme/grants/robot:acme+ci", &json!({ "role": "read" })).await;

    for who in ["bob", "alice", "admin", "audrey"] {
        let user = admin.named(who);
        let one = user.does(Method::GET, "/orgs/acme/robots/ci", &Value::Null).await;
        let list = user.does(Method::GET, "/orgs/acme/robots", &Value::Null).await;
        for shown in [&one, &list["items"][0]] {
            has_only(shown, OF_A_ROBOT, &secrets, who);
        }
    }
    for path in ["/orgs/acme/robots", "/orgs/acme/robots/ci"] {
        admin.named("mallory").asks(Method::GET, &format!("/api/v1{path}")).send().await.is(404);
    }
    let changed = alice.does(Method::PATCH, "/orgs/acme/robots/ci", &json!({ "description": "builds" })).await;
    has_only(&changed, OF_A_ROBOT, &secrets, "who changes it");
    // Nor where it is spoken of besides.
    for path in ["/namespaces/acme/grants", "/namespaces/acme/collaborators", "/orgs/acme/members"] {
        let shown = alice.does(Method::GET, path, &Value::Null).await.to_string();
        assert!(secrets.iter().flat_map(|secret| traces(secret)).all(|trace| !shown.contains(&trace)), "{path}");
    }
}

#[tokio::test]
async fn an_access_token_is_shown_without_its_secret_to_its_owner() {
    let stack = Stack::start().await;
    let alice = stack.user("alice").await;
    let made = alice.does(Method::POST, "/user/tokens", &json!({ "name": "laptop" })).await;
    let path = format!("/user/tokens/{}", made["id"].as_str().unwrap());
    let rotated = alice.does(Method::POST, &format!("{path}/rotate"), &json!({ "overlap_seconds": 60 })).await;
    let secrets = [&made, &rotated].map(|shown| shown["secret"].as_str().unwrap().to_owned());
    let one = alice.does(Method::GET, &path, &Value::Null).await;
    let list = alice.does(Method::GET, "/user/tokens", &Value::Null).await;
    let changed = alice.does(Method::PATCH, &path, &json!({ "allowed_networks": [] })).await;
    for shown in [&one, &list["items"][0], &changed] {
        has_only(shown, OF_A_TOKEN, &secrets, "its owner");
    }
    let accounts = stack.admin().does(Method::GET, "/admin/users", &Value::Null).await.to_string();
    assert!(secrets.iter().flat_map(|secret| traces(secret)).all(|trace| !accounts.contains(&trace)), "{accounts}");
}

#[tokio::test]
async fn a_robot_gives_nobody_anything_not_even_itself() {
    let stack = Stack::start().await;
    let alice = stack.user("alice").await;
    alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    let made = alice.does(Method::POST, "/orgs/acme/robots", &json!({ "name": "ci" })).await;
    // The largest right there is.
    alice.does(Method::PUT, "/namespaces/acme/grants/robot:acme+ci", &json!({ "role": "admin" })).await;
    let secret = made["secret"].as_str().unwrap();
    for (method, path, body) in [
        (Method::POST, "/orgs/acme/robots", json!({ "name": "stronger" })),
        (Method::POST, "/orgs/acme/robots/ci/rotate", json!({})),
        (Method::PATCH, "/orgs/acme/robots/ci", json!({ "disabled": false })),
        (Method::PUT, "/namespaces/acme/grants/robot:acme+ci", json!({ "role": "admin" })),
        (Method::PUT, "/namespaces/acme/grants/user:alice", json!({ "role": "read" })),
        (Method::PUT, "/orgs/acme/members/alice", json!({ "role": "member" })),
        (Method::POST, "/orgs/acme/invitations", json!({ "role": "owner" })),
        (Method::POST, "/user/tokens", json!({ "name": "mine" })),
        (Method::PUT, "/repositories/acme/new", json!({ "visibility": "public" })),
    ] {
        for by_name in [true, false] {
            let request = stack.host.request(method.clone(), &format!("/api/v1{path}")).json(&body);
            let request = if by_name { request.basic("acme+ci", secret) } else { request.token(secret) };
            request.send().await.is(403);
        }
    }
    let robots = alice.does(Method::GET, "/orgs/acme/robots?count=true", &Value::Null).await;
    assert_eq!(robots["total"], 1, "{robots}");
}
