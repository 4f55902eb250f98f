//! Who a request comes from is what its credentials say, and nothing else: no name of a program, no header of something in
//! between, and no robot's name makes an exception. RFC 9110, section 10.1.5; RFC 7239, section 8.1.

use crate::privacy::outline;
use crate::support::{Repository, Stack, User, claims, sha256};
use reqwest::Method;
use serde_json::{Value, json};

/// What is said of a request to make it look like one from inside, and by whom.
const PRETENCES: &[(&str, &str)] = &[
    ("User-Agent", "harbor-scanner-trivy/0.30"),
    ("User-Agent", "harbor-registry-client"),
    ("User-Agent", "kubelet/v1.31.0"),
    ("User-Agent", "nginx-health-check"),
    ("User-Agent", "registry-service"),
    ("X-Internal", "true"),
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Forwarded-For", "10.0.0.1, 127.0.0.1"),
    ("X-Real-IP", "127.0.0.1"),
    ("X-Client-IP", "::1"),
    // From where acme may be used.
    ("X-Forwarded-For", "10.9.0.1"),
    ("X-Forwarded-For", "10.9.0.1, 127.0.0.1"),
    ("X-Real-IP", "10.9.0.1"),
    ("X-Client-IP", "10.9.0.1"),
    ("True-Client-IP", "10.9.0.1"),
    ("CF-Connecting-IP", "10.9.0.1"),
    ("Forwarded", "for=10.9.0.1"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "index:5001"),
    ("Forwarded", "for=127.0.0.1;by=registry;proto=https"),
    ("X-Forwarded-User", "admin"),
    ("X-Remote-User", "admin"),
    ("X-Authenticated-User", "admin"),
    ("Remote-User", "admin"),
    ("X-Auth-Request-User", "admin"),
    ("X-Original-URL", "/internal/v1/introspect"),
    ("X-Rewrite-URL", "/v2/"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-HTTP-Method", "DELETE"),
    ("X-Original-Method", "OPTIONS"),
    ("Via", "1.1 registry"),
];

/// Who asks (`mallory`, who may nothing there, `bob`, who may pull, and nobody), method, path, and body.
const REQUESTS: &[(&str, &str, &str, &str)] = &[
    ("mallory", "GET", "/v2/admin/app/manifests/v1", ""),
    ("mallory", "HEAD", "/v2/admin/app/blobs/LAYER", ""),
    ("mallory", "GET", "/v2/_catalog", ""),
    ("", "GET", "/v2/admin/app/manifests/v1", ""),
    ("", "POST", "/v2/admin/app/blobs/uploads/", ""),
    ("bob", "GET", "/v2/admin/app/manifests/v1", ""),
    ("bob", "PUT", "/v2/admin/app/manifests/v1", r#"{"schemaVersion":2,"manifests":[]}"#),
    ("bob", "DELETE", "/v2/admin/app/manifests/v1", ""),
    ("bob", "POST", "/v2/admin/app/blobs/uploads/?digest=LAYER", "layer"),
    ("mallory", "GET", "/api/v1/admin/users", ""),
    ("mallory", "GET", "/api/v1/repositories/admin/app", ""),
    ("bob", "DELETE", "/api/v1/repositories/admin/app", ""),
    ("bob", "PATCH", "/api/v1/repositories/admin/app", r#"{"visibility":"public"}"#),
    // His own, from elsewhere.
    ("bob", "GET", "/v2/acme/app/manifests/v1", ""),
    ("bob", "GET", "/api/v1/repositories/acme/app", ""),
    ("", "GET", "/api/v1/user", ""),
    ("", "POST", "/internal/v1/introspect", "{}"),
    ("", "GET", "/internal/v1/revocations", ""),
];

#[tokio::test]
async fn what_is_said_of_a_request_changes_no_decision() {
    let stack = Stack::start().await;
    let (admin, bob, mallory) = (stack.admin(), stack.user("bob").await, stack.user("mallory").await);
    let app = admin.repository("admin/app").await;
    let image = app.push_image("v1", "layer").await;
    admin.does(Method::PUT, "/repositories/admin/app/-/grants/user:bob", &json!({ "role": "read" })).await;
    bob.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    bob.repository("acme/app").await.push_image("v1", "layer").await;
    admin.does(Method::PUT, "/namespaces/acme/networks", &json!({ "allowed_networks": ["10.9.0.0/16"] })).await;
    bob.asks(Method::GET, "/api/v1/repositories/acme/app").send().await.is(404);
    let scopes = "repository:admin/app:pull,push,delete repository:acme/app:pull registry:catalog:*";
    // Where registries are let in too.
    let inside = stack.index_for_registries("of registries");
    for (who, method, path, body) in REQUESTS {
        let user = [&bob, &mallory].into_iter().find(|user| user.name == *who);
        let token = match user {
            Some(user) => user.token(scopes).await,
            None => stack.anonymous().token(scopes).await,
        };
        let ask = async |pretence: &[(&str, &str)]| {
            let path = path.replace("LAYER", &sha256(b"layer"));
            let host = if path.starts_with("/internal") { &inside } else { &stack.host };
            let request = host.request(method.parse().unwrap(), &path).header("Content-Type", "application/json");
            let request = match user {
                _ if path.starts_with("/v2/") => request.token(&token),
                Some(user) => request.basic(&user.name, crate::support::PASSWORD),
                None => request,
            };
            let request = pretence.iter().fold(request, |request, (name, value)| request.header(name, *value));
            let answer = request.body(*body).send().await;
            (outline(&answer, "admin/app"), answer.body.len())
        };
        let plain = ask(&[]).await;
        for pretence in PRETENCES {
            assert_eq!(ask(&[*pretence]).await, plain, "{who} {method} {path} with {pretence:?}");
        }
        assert_eq!(ask(&[("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-User", "admin")]).await, plain);
    }
    assert_eq!(app.get("manifests/v1").send().await.is(200).body, image.manifest);
    assert!(pulls_nothing(&stack.anonymous(), "admin/app").await);
    assert!(pulls_nothing(&bob, "acme/app").await);
}

/// Whether a token of this person opens nothing there, whatever is said of the request for it.
async fn pulls_nothing(user: &User, name: &str) -> bool {
    let mut nothing = true;
    for (header, value) in PRETENCES {
        let path = format!("/token?service=berth&scope=repository:{name}:pull,push");
        let answer = user.asks(Method::GET, &path).header(header, *value).send().await.is(200).json();
        nothing &= claims(answer["token"].as_str().unwrap())["access"][0]["actions"] == json!([]);
    }
    nothing
}

/// Names of robots that others had exceptions for.
const ROBOTS: &[&str] = &["scanner-trivy", "internal-registry", "replication", "admin", "system", "proxy-cache", "gc"];

#[tokio::test]
async fn a_robot_holds_what_it_was_granted_whatever_it_is_called() {
    let stack = Stack::start().await;
    let (admin, mallory) = (stack.admin(), stack.user("mallory").await);
    admin.repository("admin/app").await.push_image("v1", "layer").await;
    mallory.does(Method::POST, "/orgs", &json!({ "name": "evil" })).await;
    mallory.repository("evil/app").await.push_image("v1", "layer").await;
    for name in ROBOTS {
        let made = mallory.does(Method::POST, "/orgs/evil/robots", &json!({ "name": name })).await;
        let (name, secret) = (made["name"].as_str().unwrap(), made["secret"].as_str().unwrap());
        for repository in ["admin/app", "evil/app", "library/app"] {
            let path = format!("/token?service=berth&scope=repository:{repository}:pull,push,delete");
            let answer = stack.host.get(&path).basic(name, secret).send().await.is(200).json();
            let token = answer["token"].as_str().unwrap().to_owned();
            assert_eq!(claims(&token)["access"][0]["actions"], json!([]), "{name} on {repository}");
            let app = Repository::new(&stack.host, repository, token);
            app.get("manifests/v1").send().await.refuses(401, "UNAUTHORIZED");
        }
        for path in ["/api/v1/admin/users", "/api/v1/orgs/evil/robots"] {
            stack.host.get(path).basic(name, secret).send().await.is(403);
        }
    }
    let listed = mallory.does(Method::GET, "/orgs/evil/robots", &Value::Null).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), ROBOTS.len());
}
