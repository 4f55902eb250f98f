//! `Idempotency-Key`: a POST that is sent again is answered as it was, and carried out once.

use crate::support::{Answer, Stack, User};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn post(user: &User, path: &str, key: &str, body: &Value) -> Answer {
    user.asks(Method::POST, &format!("/api/v1{path}")).header("Idempotency-Key", key).json(body).send().await
}

#[tokio::test]
async fn a_request_sent_again_is_answered_as_it_was_and_carried_out_once() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    let acme = json!({ "name": "acme" });
    let first = post(&admin, "/orgs", "one", &acme).await.is(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    for _ in 0..2 {
        let again = post(&admin, "/orgs", "one", &acme).await.is(201);
        assert_eq!(again.body, first.body);
        assert_eq!(again.header("location"), "/api/v1/orgs/acme");
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.header("content-type"), first.header("content-type"));
    }
    // Without the key, or with another, it is another request.
    post(&admin, "/orgs", "two", &acme).await.is(409);
    admin.asks(Method::POST, "/api/v1/orgs").json(&acme).send().await.is(409);
    // What has no body is answered without one.
    stack.user("bob").await;
    admin.does(Method::PUT, "/repositories/acme/app", &json!({})).await;
    admin.does(Method::DELETE, "/repositories/acme/app", &Value::Null).await;
    let purged = post(&admin, "/repositories/acme/app/-/purge", "three", &json!({})).await.is(204);
    let again = post(&admin, "/repositories/acme/app/-/purge", "three", &json!({})).await.is(204);
    assert_eq!((purged.body.len(), again.header("idempotency-replayed")), (0, "true"));
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_caller() {
    let stack = Stack::start().await;
    let (admin, bob) = (stack.admin(), stack.user("bob").await);
    post(&admin, "/orgs", "key", &json!({ "name": "acme" })).await.is(201);
    for (path, body) in [("/orgs", json!({ "name": "other" })), ("/orgs/acme/teams", json!({ "name": "acme" }))] {
        let other = post(&admin, path, "key", &body).await.is(422);
        assert_eq!(other.json()["code"], "idempotency_key_reused");
    }
    post(&bob, "/orgs", "key", &json!({ "name": "of-bob" })).await.is(201);
    for key in ["x".repeat(256).as_str(), "two words"] {
        post(&admin, "/orgs", key, &json!({ "name": "more" })).await.is(422);
    }
    // Who is nobody has no key, and no answer of anybody's.
    post(&stack.anonymous(), "/orgs", "key", &json!({ "name": "acme" })).await.is(401);
    admin.does(Method::PATCH, "/admin/users/bob", &json!({ "disabled": true })).await;
    post(&bob, "/orgs", "key", &json!({ "name": "of-bob" })).await.is(403);
}

#[tokio::test]
async fn a_refusal_changed_nothing_and_is_not_kept() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    for (body, status) in [(json!({ "name": "Acme" }), 422), (json!({ "name": "admin" }), 409)] {
        post(&admin, "/orgs", "key", &body).await.is(status);
    }
    let team = json!({ "name": "dev" });
    post(&admin, "/orgs/acme/teams", "team", &team).await.is(404);
    post(&admin, "/orgs", "key", &json!({ "name": "acme" })).await.is(201);
    post(&admin, "/orgs/acme/teams", "team", &team).await.is(201);
}

#[tokio::test]
async fn a_secret_is_shown_once_whatever_is_sent_again() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    let made = post(&admin, "/user/tokens", "key", &json!({ "name": "laptop" })).await.is(201);
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    let again = post(&admin, "/user/tokens", "key", &json!({ "name": "laptop" })).await.is(409);
    let problem = again.json();
    assert_eq!(problem["code"], "secret_shown");
    assert!(problem["detail"].as_str().unwrap().contains(made.header("location")), "{problem}");
    assert!(!again.text().contains(&secret));
    // Nor does it lie anywhere in the data folder.
    for entry in std::fs::read_dir(stack.folder()).unwrap().map(|entry| entry.unwrap()) {
        if entry.file_type().unwrap().is_file() {
            let bytes = std::fs::read(entry.path()).unwrap();
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{}", entry.path().display());
        }
    }
    let tokens = admin.does(Method::GET, "/user/tokens?count=true", &Value::Null).await;
    assert_eq!(tokens["total"], 1);
}

#[tokio::test]
async fn of_the_same_sent_at_once_one_is_carried_out() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    let body = json!({ "name": "acme" });
    let answers = join_all((0..8).map(|_| post(&admin, "/orgs", "key", &body))).await;
    let made = answers.iter().filter(|answer| answer.status == 201 && answer.header("idempotency-replayed").is_empty());
    assert_eq!(made.count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!((answer.status, &answer.json()["code"]), (409, &json!("idempotency_key_in_use")));
    }
    post(&admin, "/orgs", "key", &body).await.is(201);
}

/// Every POST whose caller is somebody: the operation, the path of what is there for it, and its body.
const POSTS: &[(&str, &str, &str)] = &[
    ("/admin/users", "/admin/users", r#"{"name":"dora","password":"correct horse"}"#),
    ("/admin/users/{user}/reset-password", "/admin/users/carol/reset-password", r#"{"password":"battery staple"}"#),
    ("/invitations/{secret}/decline", "/invitations/DECLINE/decline", ""),
    ("/invitations/{secret}/accept", "/invitations/ACCEPT/accept", ""),
    ("/orgs", "/orgs", r#"{"name":"made"}"#),
    ("/orgs/{org}/invitations", "/orgs/acme/invitations", r#"{"role":"member"}"#),
    ("/orgs/{org}/rename", "/orgs/old/rename", r#"{"name":"renamed"}"#),
    ("/orgs/{org}/robots", "/orgs/acme/robots", r#"{"name":"builder"}"#),
    ("/orgs/{org}/robots/{robot}/rotate", "/orgs/acme/robots/ci/rotate", "{}"),
    ("/orgs/{org}/teams", "/orgs/acme/teams", r#"{"name":"dev"}"#),
    ("/repositories/{name}/-/purge", "/repositories/acme/gone/-/purge", ""),
    ("/repositories/{name}/-/rename", "/repositories/acme/app/-/rename", r#"{"name":"acme/renamed"}"#),
    ("/repositories/{name}/-/restore", "/repositories/acme/lost/-/restore", ""),
    ("/user/tokens", "/user/tokens", r#"{"name":"laptop"}"#),
    ("/user/tokens/{id}/rotate", "/user/tokens/TOKEN/rotate", "{}"),
];

/// Those whose caller may be nobody, who has no keys.
const OF_NOBODY: [&str; 2] = ["/session", "/users"];

#[tokio::test]
async fn every_post_is_carried_out_once_by_its_key() {
    let stack = Stack::start().await;
    let document = stack.host.get("/api/v1/openapi.json").send().await.is(200).json();
    let posts = document["paths"].as_object().unwrap().iter().filter(|(_, item)| item["post"].is_object());
    let (with_key, without): (Vec<_>, Vec<_>) =
        posts.partition(|(_, item)| item["post"]["parameters"].to_string().contains("Idempotency-Key"));
    let paths =
        |items: Vec<(&String, &Value)>| items.into_iter().map(|(path, _)| path.clone()).collect::<BTreeSet<_>>();
    assert_eq!(paths(with_key), POSTS.iter().map(|(path, ..)| (*path).to_owned()).collect(), "every POST has a row");
    assert_eq!(paths(without), OF_NOBODY.map(str::to_owned).into());

    let (admin, bob) = (stack.admin(), stack.user("bob").await);
    stack.user("carol").await;
    for name in ["acme", "old"] {
        admin.does(Method::POST, "/orgs", &json!({ "name": name })).await;
    }
    admin.does(Method::POST, "/orgs/acme/robots", &json!({ "name": "ci" })).await;
    for name in ["app", "gone", "lost"] {
        admin.does(Method::PUT, &format!("/repositories/acme/{name}"), &json!({})).await;
    }
    for name in ["gone", "lost"] {
        admin.does(Method::DELETE, &format!("/repositories/acme/{name}"), &Value::Null).await;
    }
    let token = admin.does(Method::POST, "/user/tokens", &json!({ "name": "old" })).await;
    let mut words = vec![("TOKEN", token["id"].as_str().unwrap().to_owned())];
    for word in ["ACCEPT", "DECLINE"] {
        let invited = admin.does(Method::POST, "/orgs/acme/invitations", &json!({ "role": "member" })).await;
        words.push((word, invited["secret"].as_str().unwrap().to_owned()));
    }
    for (operation, path, body) in POSTS {
        let path = words.iter().fold((*path).to_owned(), |path, (word, value)| path.replace(word, value));
        let caller = if operation.starts_with("/invitations/") { &bob } else { &admin };
        let send = |body: &str| {
            let request = caller.asks(Method::POST, &format!("/api/v1{path}")).header("Idempotency-Key", *operation);
            let request = if body.is_empty() { request } else { request.header("Content-Type", "application/json") };
            request.body(body.to_owned()).send()
        };
        let first = send(body).await;
        assert!((200..300).contains(&first.status), "{operation}: {}", first.text());
        let again = send(body).await;
        if first.header("cache-control") == "no-store" {
            assert_eq!(again.is(409).json()["code"], "secret_shown", "{operation}");
        } else {
            let all = |answer: &Answer| (answer.status, answer.body.clone(), answer.header("location").to_owned());
            assert_eq!(all(&again), all(&first), "{operation}");
            assert_eq!(again.header("idempotency-replayed"), "true", "{operation}");
        }
        let other = send(r#"{"name":"another"}"#).await.is(422);
        assert_eq!(other.json()["code"], "idempotency_key_reused", "{operation}");
    }
}
