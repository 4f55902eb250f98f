//! What is private looks to a stranger exactly like what is not there: the same status, headers and bytes.

use crate::support::{Answer, Stack, User, claims, sha256};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// (method, path with `NAME` in place of the repository, body).
const REQUESTS: &[(&str, &str, &str)] = &[
    ("GET", "/v2/NAME/manifests/v1", ""),
    ("HEAD", "/v2/NAME/manifests/v1", ""),
    ("PUT", "/v2/NAME/manifests/v1", r#"{"schemaVersion":2,"manifests":[]}"#),
    ("DELETE", "/v2/NAME/manifests/v1", ""),
    ("GET", "/v2/NAME/blobs/DIGEST", ""),
    ("HEAD", "/v2/NAME/blobs/DIGEST", ""),
    ("DELETE", "/v2/NAME/blobs/DIGEST", ""),
    ("GET", "/v2/NAME/tags/list", ""),
    ("GET", "/v2/NAME/referrers/DIGEST", ""),
    ("POST", "/v2/NAME/blobs/uploads/", ""),
    ("POST", "/v2/NAME/blobs/uploads/?digest=DIGEST", "secret"),
    ("PATCH", "/v2/NAME/blobs/uploads/00000000-0000-4000-8000-000000000000", ""),
    ("GET", "/api/v1/repositories/NAME", ""),
    ("PUT", "/api/v1/repositories/NAME", "{}"),
    ("PATCH", "/api/v1/repositories/NAME", "{}"),
    ("DELETE", "/api/v1/repositories/NAME", ""),
    ("GET", "/api/v1/repositories/NAME/-/explain", ""),
    ("GET", "/api/v1/repositories/NAME/-/explain?subject=user:admin", ""),
    ("GET", "/api/v1/repositories/NAME/-/tags", ""),
    ("GET", "/api/v1/repositories/NAME/-/manifests/DIGEST", ""),
    ("GET", "/api/v1/repositories/NAME/-/grants", ""),
    ("PUT", "/api/v1/repositories/NAME/-/grants/user:mallory", r#"{"role":"read"}"#),
    ("DELETE", "/api/v1/repositories/NAME/-/grants/user:mallory", ""),
    ("GET", "/api/v1/repositories?namespace=NAMESPACE", ""),
    ("GET", "/api/v1/namespaces/NAMESPACE", ""),
    ("PATCH", "/api/v1/namespaces/NAMESPACE", r#"{"default_visibility":"public"}"#),
    ("GET", "/api/v1/namespaces/NAMESPACE/collaborators", ""),
    ("GET", "/api/v1/namespaces/NAMESPACE/default-grants", ""),
    ("PUT", "/api/v1/namespaces/NAMESPACE/default-grants", r#"{"grants":[]}"#),
    ("GET", "/api/v1/namespaces/NAMESPACE/networks", ""),
    ("PUT", "/api/v1/namespaces/NAMESPACE/networks", r#"{"allowed_networks":[]}"#),
    ("GET", "/api/v1/namespaces/NAMESPACE/grants", ""),
    ("PUT", "/api/v1/namespaces/NAMESPACE/grants/user:mallory", r#"{"role":"read"}"#),
    ("GET", "/api/v1/orgs/NAMESPACE", ""),
    ("PATCH", "/api/v1/orgs/NAMESPACE", r#"{"display_name":"x"}"#),
    ("DELETE", "/api/v1/orgs/NAMESPACE", ""),
    ("GET", "/api/v1/orgs/NAMESPACE/members", ""),
    ("PUT", "/api/v1/orgs/NAMESPACE/members/mallory", r#"{"role":"owner"}"#),
    ("DELETE", "/api/v1/orgs/NAMESPACE/members/mallory", ""),
    ("GET", "/api/v1/orgs/NAMESPACE/teams", ""),
    ("POST", "/api/v1/orgs/NAMESPACE/teams", r#"{"name":"dev"}"#),
    ("GET", "/api/v1/orgs/NAMESPACE/teams/dev", ""),
    ("PATCH", "/api/v1/orgs/NAMESPACE/teams/dev", "{}"),
    ("DELETE", "/api/v1/orgs/NAMESPACE/teams/dev", ""),
    ("GET", "/api/v1/orgs/NAMESPACE/teams/dev/members", ""),
    ("PUT", "/api/v1/orgs/NAMESPACE/teams/dev/members/mallory", ""),
    ("DELETE", "/api/v1/orgs/NAMESPACE/teams/dev/members/mallory", ""),
    ("GET", "/api/v1/orgs/NAMESPACE/teams/dev/grants", ""),
    ("PUT", "/api/v1/namespaces/NAMESPACE/grants/team:NAMESPACE/dev", r#"{"role":"read"}"#),
    ("GET", "/api/v1/orgs/NAMESPACE/invitations", ""),
    ("POST", "/api/v1/orgs/NAMESPACE/invitations", r#"{"role":"member"}"#),
    ("GET", "/api/v1/orgs/NAMESPACE/invitations/inv_none", ""),
    ("DELETE", "/api/v1/orgs/NAMESPACE/invitations/inv_none", ""),
    ("GET", "/api/v1/orgs/NAMESPACE/robots", ""),
    ("POST", "/api/v1/orgs/NAMESPACE/robots", r#"{"name":"ci"}"#),
    ("GET", "/api/v1/orgs/NAMESPACE/robots/ci", ""),
    ("PATCH", "/api/v1/orgs/NAMESPACE/robots/ci", "{}"),
    ("POST", "/api/v1/orgs/NAMESPACE/robots/ci/rotate", "{}"),
    ("DELETE", "/api/v1/orgs/NAMESPACE/robots/ci", ""),
    ("PUT", "/api/v1/namespaces/NAMESPACE/grants/robot:NAMESPACE+ci", r#"{"role":"read"}"#),
    ("GET", "/v1/search?q=NAME", ""),
];

/// A real repository, and one that is not there: in the same namespace, and in none.
const NAMES: [&str; 3] = ["acme/private", "acme/nothing", "nobody/nothing"];

#[tokio::test]
async fn private_is_absent() {
    let stack = Stack::start().await;
    let (admin, mallory) = (stack.admin(), stack.user("mallory").await);
    admin.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    admin.does(Method::POST, "/orgs/acme/teams", &json!({ "name": "dev" })).await;
    admin.does(Method::POST, "/orgs/acme/robots", &json!({ "name": "ci" })).await;
    admin.repository("acme/private").await.push_image("v1", "secret").await;
    for stranger in [mallory, stack.anonymous()] {
        for (method, path, body) in REQUESTS {
            let mut seen = Vec::new();
            for name in NAMES {
                seen.push(outline(&ask(&stranger, method, path, body, name).await, name));
            }
            for (other, name) in seen[1..].iter().zip(&NAMES[1..]) {
                assert_eq!(seen[0], *other, "{:?} sees acme/private and {name} differ: {method} {path}", stranger.name);
            }
        }
        let mut seen = Vec::new();
        for name in NAMES {
            let token = stranger.token(&format!("repository:{name}:pull,push,delete")).await;
            seen.push(claims(&token)["access"].to_string().replace(name, "NAME"));
        }
        assert!(seen.iter().all(|access| *access == seen[0]), "{seen:?}");
    }
}

async fn ask(stranger: &User, method: &str, path: &str, body: &'static str, name: &str) -> Answer {
    let namespace = name.split('/').next().unwrap();
    let path = path.replace("NAMESPACE", namespace).replace("NAME", name).replace("DIGEST", &sha256(b"secret"));
    let method = method.parse().unwrap();
    let request = if path.starts_with("/v2/") {
        stranger.repository(name).await.request(method, &path)
    } else {
        stranger.asks(method, &path).header("Content-Type", "application/json")
    };
    request.body(body).send().await
}

/// All of an answer, without the name asked for and without what is unique to each request or of its connection.
pub fn outline(answer: &Answer, name: &str) -> (u16, BTreeMap<String, String>, String) {
    let namespace = name.split('/').next().unwrap();
    let in_quotes = format!("\\\"{namespace}\\\"");
    let nameless = |text: &str| text.replace(name, "NAME").replace(&in_quotes, "NAMESPACE");
    let headers = answer.lasting_headers();
    let headers = headers.iter().map(|(header, value)| (header.to_string(), nameless(value.to_str().unwrap())));
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if let Some(problem) = body.as_object_mut() {
        problem.remove("request_id");
    }
    let decision = body["errors"][0]["detail"]["decision"].as_str().unwrap_or("no decision").to_owned();
    (answer.status, headers.collect(), nameless(&body.to_string()).replace(&decision, "DECISION"))
}
