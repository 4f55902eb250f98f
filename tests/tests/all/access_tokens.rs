//! Access tokens: secrets that stand in for a password, open what their owner may or less, and end when they are ended.

use crate::support::{Repository, Stack, User, claims, eventually, sha256};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// Longer than an answer of the index is remembered.
const REMEMBERED: Duration = Duration::from_millis(1100);

/// A new token of `owner`: its id and its secret.
async fn token(owner: &User, body: Value) -> (String, String) {
    let made = owner.does(Method::POST, "/user/tokens", &body).await;
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    (text("id"), text("secret"))
}

/// A registry token for `scope` by name and secret, as `docker login` has left them.
async fn registry_token(owner: &User, secret: &str, scope: &str) -> String {
    let path = format!("/token?service=berth&scope={scope}");
    let answer = owner.host.get(&path).basic(&owner.name, secret).send().await.is(200);
    answer.json()["token"].as_str().unwrap().to_owned()
}

/// What a registry token by this secret allows on a repository.
async fn opens(owner: &User, secret: &str, repository: &str) -> Vec<String> {
    let token = registry_token(owner, secret, &format!("repository:{repository}:*")).await;
    serde_json::from_value(claims(&token)["access"][0]["actions"].clone()).unwrap()
}

#[tokio::test]
async fn a_token_stands_in_for_the_password_but_where_only_that_will_do() {
    let stack = Stack::start().await;
    let alice = stack.user("alice").await;
    let (id, secret) = token(&alice, json!({ "name": "laptop" })).await;
    assert!(secret.starts_with("berth_pat_") && secret.len() == 53, "{secret}");

    let token = registry_token(&alice, &secret, "repository:alice/app:pull,push").await;
    Repository::new(&stack.host, "alice/app", token).push_image("v1", "layer").await;
    let user = "/api/v1/user";
    stack.host.get(user).basic("alice", &secret).send().await.is(200);
    assert_eq!(stack.host.get(user).token(&secret).send().await.is(200).json()["name"], "alice");
    stack.host.get("/v1/search?q=app").basic("alice", &secret).send().await.is(200);
    stack.host.get("/v1/search?q=app").token(&secret).send().await.is(200);
    // Another's name beside it, or a secret that nobody has.
    stack.host.get(user).basic("admin", &secret).send().await.is(401);
    stack.host.get("/token").basic("admin", &secret).send().await.is(401);
    stack.host.get(user).token(&format!("{secret}x")).send().await.is(401);

    for (method, path, body) in [
        (Method::GET, "/user/tokens".to_owned(), json!({})),
        (Method::POST, "/user/tokens".to_owned(), json!({ "name": "another" })),
        (Method::DELETE, format!("/user/tokens/{id}"), json!({})),
        (Method::POST, format!("/user/tokens/{id}/rotate"), json!({})),
        (Method::POST, "/orgs/alices/robots".to_owned(), json!({ "name": "another" })),
        (Method::POST, "/orgs/alices/robots/ci/rotate".to_owned(), json!({})),
        (Method::POST, "/admin/users".to_owned(), json!({ "name": "another", "password": "a good one" })),
        (Method::PATCH, "/admin/users/alice".to_owned(), json!({ "is_admin": true })),
        (Method::PUT, "/user/password".to_owned(), json!({ "old_password": "x", "new_password": "a good one" })),
    ] {
        let request = stack.host.request(method, &format!("/api/v1{path}")).token(&secret).json(&body);
        assert_eq!(request.send().await.is(403).json()["code"], "password_needed", "{path}");
    }
    // Its secret is shown once.
    let listed = alice.does(Method::GET, "/user/tokens", &Value::Null).await;
    assert_eq!(listed["items"][0]["name"], "laptop");
    assert!(!listed.to_string().contains(&secret["berth_pat_".len()..]), "{listed}");
    let is_noted =
        async || alice.does(Method::GET, "/user/tokens", &Value::Null).await["items"][0]["last_used_at"].is_string();
    eventually("its use is noted", Duration::from_secs(5), is_noted).await;
    let listed = alice.does(Method::GET, "/user/tokens", &Value::Null).await;
    let shown = alice.does(Method::GET, &format!("/user/tokens/{id}"), &Value::Null).await;
    assert_eq!(shown, listed["items"][0]);
    // It is nobody else's to see or to end.
    let path = format!("/api/v1/user/tokens/{id}");
    stack.admin().asks(Method::GET, &path).send().await.is(404);
    stack.admin().asks(Method::DELETE, &path).send().await.is(404);
    alice.asks(Method::POST, "/api/v1/user/tokens").json(&json!({ "name": "laptop" })).send().await.is(409);
}

#[tokio::test]
async fn a_limited_token_opens_what_it_names_and_no_more_than_its_owner_may() {
    let stack = Stack::start().await;
    let (alice, bob) = (stack.user("alice").await, stack.user("bob").await);
    for name in ["alice/app", "alice/other"] {
        alice.repository(name).await.push_image("v1", name).await;
    }
    alice.does(Method::PUT, "/repositories/alice/app/-/grants/user:bob", &json!({ "role": "read" })).await;
    let limits = json!([
        { "repository": "alice/app", "role": "write" },
        { "namespace": "bob", "role": "read" },
    ]);
    let (_, of_bob) = token(&bob, json!({ "name": "ci", "limits": limits })).await;
    let (_, of_alice) = token(&alice, json!({ "name": "ci", "limits": limits })).await;
    let none = [""; 0];
    assert_eq!(opens(&alice, &of_alice, "alice/app").await, ["pull", "push"]);
    assert_eq!(opens(&alice, &of_alice, "alice/other").await, none);
    assert_eq!(opens(&alice, &of_alice, "alice/new").await, none);
    assert_eq!(opens(&bob, &of_bob, "alice/app").await, ["pull"], "bob may not write there");
    assert_eq!(opens(&bob, &of_bob, "bob/new").await, ["pull"], "only to read what is there");

    // What is public is no exception, and nothing that could tell of more is open.
    alice.does(Method::PATCH, "/repositories/alice/other", &json!({ "visibility": "public" })).await;
    assert_eq!(opens(&alice, &of_alice, "alice/other").await, none);
    let catalog = registry_token(&alice, &of_alice, "registry:catalog:*").await;
    assert_eq!(claims(&catalog)["access"][0]["actions"], json!([]));
    stack.host.get("/v2/_catalog").token(&catalog).send().await.is(401);
    for path in ["/api/v1/user", "/api/v1/repositories", "/v1/search?q=app"] {
        for request in [stack.host.get(path).token(&of_alice), stack.host.get(path).basic("alice", &of_alice)] {
            let refused = request.send().await.is(403);
            assert!(refused.text().contains("limited"), "{path}: {}", refused.text());
        }
    }
    // With its registry token pushes go on, and only there.
    let token = registry_token(&alice, &of_alice, "repository:alice/app:pull,push,delete").await;
    let app = Repository::new(&stack.host, "alice/app", token);
    app.push_image("v2", "layer").await;
    app.delete("manifests/v2").send().await.is(401);
    let listed = alice.does(Method::GET, "/user/tokens", &Value::Null).await;
    assert_eq!(listed["items"][0]["limits"], limits);
    // Nor is a blob brought over from where it may not read, although its owner may.
    alice.does(Method::PATCH, "/repositories/alice/other", &json!({ "visibility": "private" })).await;
    let scopes = "repository:alice/app:pull,push%20repository:alice/other:pull";
    let app = Repository::new(&stack.host, "alice/app", registry_token(&alice, &of_alice, scopes).await);
    let digest = sha256(b"alice/other");
    for from in ["&from=alice/other", ""] {
        app.post(&format!("blobs/uploads/?mount={digest}{from}")).send().await.is(202);
        app.head(&format!("blobs/{digest}")).send().await.is(404);
    }
}

#[tokio::test]
async fn what_a_token_opened_ends_with_it() {
    let stack = Stack::start().await;
    let alice = stack.user("alice").await;
    alice.repository("alice/app").await.push_image("v1", "layer").await;
    let (id, secret) = token(&alice, json!({ "name": "deleted" })).await;
    let soon = Timestamp::now() + SignedDuration::from_secs(2);
    let (_, passing) = token(&alice, json!({ "name": "passing", "expires_at": soon })).await;
    let replica = stack.replica();
    for (secret, end) in [(&secret, Some(&id)), (&passing, None)] {
        let token = registry_token(&alice, secret, "repository:alice/app:pull").await;
        let app = Repository::new(&stack.host, "alice/app", token);
        let apps = [app.on(&replica), app];
        for app in &apps {
            app.get("manifests/v1").send().await.is(200);
        }
        if let Some(id) = end {
            alice.does(Method::DELETE, &format!("/user/tokens/{id}"), &Value::Null).await;
            tokio::time::sleep(REMEMBERED).await;
        } else {
            eventually("its time is over", Duration::from_secs(5), async || Timestamp::now() > soon).await;
            tokio::time::sleep(REMEMBERED).await;
        }
        for app in &apps {
            app.get("manifests/v1").send().await.refuses(401, "UNAUTHORIZED");
        }
        let refused = stack.host.get("/token").basic("alice", secret).send().await.is(401);
        assert_eq!(refused.text().contains("has expired"), end.is_none(), "{}", refused.text());
    }
    // A disabled account has none.
    let (_, secret) = token(&alice, json!({ "name": "last" })).await;
    stack.admin().does(Method::PATCH, "/admin/users/alice", &json!({ "disabled": true })).await;
    stack.host.get("/token").basic("alice", &secret).send().await.is(403);
}

#[tokio::test]
async fn a_rotated_token_has_two_secrets_for_as_long_as_was_said() {
    let stack = Stack::start().await;
    let alice = stack.user("alice").await;
    let (id, first) = token(&alice, json!({ "name": "ci" })).await;
    let rotate = async |overlap: u32| {
        let body = json!({ "overlap_seconds": overlap });
        let rotated = alice.does(Method::POST, &format!("/user/tokens/{id}/rotate"), &body).await;
        assert_eq!(rotated["id"], id);
        rotated["secret"].as_str().unwrap().to_owned()
    };
    let status = async |secret: &str| stack.host.get("/token").basic("alice", secret).send().await.status;
    let second = rotate(2).await;
    assert_eq!((status(&first).await, status(&second).await), (200, 200));
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!((status(&first).await, status(&second).await), (401, 200));
    alice.repository("alice/app").await.push_image("v1", "layer").await;
    let token = registry_token(&alice, &second, "repository:alice/app:pull").await;
    let app = Repository::new(&stack.host, "alice/app", token);
    app.get("manifests/v1").send().await.is(200);
    let third = rotate(0).await;
    assert_eq!((status(&second).await, status(&third).await), (401, 200));
    // Nor does what the old one opened go on.
    tokio::time::sleep(REMEMBERED).await;
    app.get("manifests/v1").send().await.refuses(401, "UNAUTHORIZED");
    let fourth = rotate(60).await;
    let fifth = rotate(60).await;
    assert_eq!((status(&third).await, status(&fourth).await, status(&fifth).await), (401, 200, 200));
}
