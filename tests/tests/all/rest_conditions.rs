//! Entity tags of the REST API (RFC 9110 8.8.3 and 13): what was seen is shown again only when it changed, and is changed
//! only when it did not.

use crate::support::{Answer, Stack, User};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// `acme` with a team, a robot and a repository.
async fn scene() -> (Stack, User) {
    let stack = Stack::start().await;
    let admin = stack.admin();
    admin.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    admin.does(Method::POST, "/orgs/acme/teams", &json!({ "name": "dev" })).await;
    admin.does(Method::POST, "/orgs/acme/robots", &json!({ "name": "ci" })).await;
    admin.does(Method::PUT, "/repositories/acme/app", &json!({})).await;
    (stack, admin)
}

async fn ask(user: &User, method: Method, path: &str, header: (&str, &str), body: &Value) -> Answer {
    let request = user.asks(method, &format!("/api/v1{path}")).header(header.0, header.1);
    if body.is_null() { request } else { request.json(body) }.send().await
}

async fn tag(user: &User, path: &str) -> String {
    let answer = user.asks(Method::GET, &format!("/api/v1{path}")).send().await.is(200);
    let tag = answer.header("etag");
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 10, "a strong tag: {tag}");
    tag.to_owned()
}

/// What a PATCH changes about each thing.
const THINGS: &[(&str, &str)] = &[
    ("/orgs/acme", r#"{"display_name":"Acme"}"#),
    ("/orgs/acme/teams/dev", r#"{"description":"who builds"}"#),
    ("/orgs/acme/robots/ci", r#"{"description":"builds"}"#),
    ("/namespaces/acme", r#"{"description":"tools"}"#),
    ("/repositories/acme/app", r#"{"description":"an app"}"#),
];

#[tokio::test]
async fn a_thing_is_shown_again_only_when_it_changed_and_changed_only_when_it_did_not() {
    let (_stack, admin) = scene().await;
    for (path, change) in THINGS {
        let change: Value = serde_json::from_str(change).unwrap();
        let seen = tag(&admin, path).await;
        assert_eq!(tag(&admin, path).await, seen, "{path}");
        let same = ask(&admin, Method::GET, path, ("If-None-Match", &seen), &Value::Null).await.is(304);
        assert_eq!((same.header("etag"), same.body.len()), (seen.as_str(), 0));
        ask(&admin, Method::GET, path, ("If-None-Match", "\"another\""), &Value::Null).await.is(200);

        let stale = ask(&admin, Method::PATCH, path, ("If-Match", "\"another\""), &change).await.is(412);
        assert_eq!(stale.json()["code"], "condition_failed");
        assert_eq!(tag(&admin, path).await, seen, "{path}: nothing was changed");
        let changed = ask(&admin, Method::PATCH, path, ("If-Match", &seen), &change).await.is(200);
        assert_ne!(changed.header("etag"), seen, "{path}");
        assert_eq!(tag(&admin, path).await, changed.header("etag"), "{path}: what a change answers is what is shown");
        ask(&admin, Method::GET, path, ("If-None-Match", &seen), &Value::Null).await.is(200);
        ask(&admin, Method::PATCH, path, ("If-Match", &seen), &change).await.is(412);
        ask(&admin, Method::DELETE, path, ("If-Match", &seen), &Value::Null).await;
        assert_eq!(tag(&admin, path).await, changed.header("etag"), "{path}: it was not deleted");
        ask(&admin, Method::PATCH, path, ("If-Match", &format!("\"another\", {}", changed.header("etag"))), &change)
            .await
            .is(200);
        ask(&admin, Method::PATCH, path, ("If-Match", "*"), &change).await.is(200);
        ask(&admin, Method::PATCH, path, ("If-Match", "no quotes"), &change).await.is(400);
    }
    let now = tag(&admin, "/orgs/acme/teams/dev").await;
    ask(&admin, Method::DELETE, "/orgs/acme/teams/dev", ("If-Match", &now), &Value::Null).await.is(204);
}

#[tokio::test]
async fn what_is_absent_or_shown_by_no_get_matches_nothing() {
    let (stack, admin) = scene().await;
    for (method, path, body) in [
        (Method::PATCH, "/repositories/acme/none", json!({ "description": "" })),
        (Method::DELETE, "/orgs/acme/teams/none", Value::Null),
        (Method::PUT, "/orgs/acme/members/admin", json!({ "role": "owner" })),
    ] {
        ask(&admin, method, path, ("If-Match", "*"), &body).await.is(412);
    }
    // What is private looks absent under a condition too, and who may not look is told just that.
    let mallory = stack.user("mallory").await;
    let asked = |path: &'static str| {
        let mallory = mallory.clone();
        async move { ask(&mallory, Method::PATCH, path, ("If-Match", "*"), &json!({ "description": "" })).await }
    };
    let (private, absent) = (asked("/repositories/acme/app").await.is(412), asked("/repositories/acme/none").await);
    assert_eq!(private.json()["detail"], absent.is(412).json()["detail"]);
    ask(&stack.anonymous(), Method::PATCH, "/admin/users/admin", ("If-Match", "*"), &json!({})).await.is(401);
}

#[tokio::test]
async fn a_thing_is_made_only_if_there_is_none() {
    let (_stack, admin) = scene().await;
    let make = async |name: &str| {
        ask(&admin, Method::PUT, &format!("/repositories/acme/{name}"), ("If-None-Match", "*"), &json!({})).await
    };
    make("new").await.is(201);
    make("new").await.is(412);
    make("app").await.is(412);
}

#[tokio::test]
async fn of_many_who_saw_the_same_one_changes_it() {
    let (_stack, admin) = scene().await;
    // A token: a password costs so much that hardly two would come together.
    let token = admin.does(Method::POST, "/user/tokens", &json!({ "name": "many" })).await;
    let secret = token["secret"].as_str().unwrap();
    for round in 0..10 {
        let seen = tag(&admin, "/repositories/acme/app").await;
        let changes = (0..8).map(|number| {
            let request = admin.host.request(Method::PATCH, "/api/v1/repositories/acme/app");
            let change = json!({ "description": format!("{round} {number}") });
            request.basic("admin", secret).header("If-Match", &seen).json(&change).send()
        });
        let mut statuses: Vec<_> = join_all(changes).await.into_iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412], "round {round}");
    }
}
