//! Namespaces: what their administrators decide holds for what is made there from then on, and whoever has the role admin
//! on one needs nothing else to run it.

use crate::support::{Stack, User, claims};
use reqwest::Method;
use serde_json::{Value, json};

/// The actions of a token that asks for all.
async fn held(user: &User, repository: &str) -> Value {
    let token = user.token(&format!("repository:{repository}:pull,push,delete")).await;
    claims(&token)["access"][0]["actions"].clone()
}

async fn visibility(user: &User, repository: &str) -> Value {
    user.does(Method::GET, &format!("/repositories/{repository}"), &Value::Null).await["visibility"].clone()
}

#[tokio::test]
async fn a_new_repository_is_as_its_namespace_says_and_an_old_one_as_it_was() {
    let stack = Stack::start().await;
    let (alice, bob, carol) = (stack.user("alice").await, stack.user("bob").await, stack.user("carol").await);
    alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    alice.does(Method::PUT, "/namespaces/acme/grants/user:bob", &json!({ "role": "write" })).await;
    alice.repository("acme/old").await.push_image("v1", "layer").await;
    let settings = json!({ "description": "tools of acme", "default_visibility": "public" });
    let changed = alice.does(Method::PATCH, "/namespaces/acme", &settings).await;
    assert_eq!((&changed["description"], &changed["default_visibility"]), (&json!("tools of acme"), &json!("public")));
    let kept = alice.does(Method::PATCH, "/namespaces/acme", &json!({})).await;
    assert_eq!(kept, changed);
    assert_eq!(alice.does(Method::GET, "/namespaces/acme", &Value::Null).await, changed);

    // By a first push of who may not choose, by hand, and by hand otherwise.
    bob.repository("acme/pushed").await.push_image("v1", "layer").await;
    bob.does(Method::PUT, "/repositories/acme/made", &json!({})).await;
    bob.does(Method::PUT, "/repositories/acme/hidden", &json!({ "visibility": "private" })).await;
    for (repository, expected) in [("old", "private"), ("pushed", "public"), ("made", "public"), ("hidden", "private")]
    {
        assert_eq!(visibility(&alice, &format!("acme/{repository}")).await, expected, "{repository}");
    }
    stack.anonymous().repository("acme/pushed").await.get("manifests/v1").send().await.is(200);
    assert_eq!(held(&carol, "acme/old").await, json!([]));
    alice.does(Method::PATCH, "/namespaces/acme", &json!({ "default_visibility": "private" })).await;
    bob.repository("acme/again").await.push_image("v1", "layer").await;
    assert_eq!(visibility(&alice, "acme/again").await, "private");
    assert_eq!(visibility(&alice, "acme/pushed").await, "public");
}

#[tokio::test]
async fn default_grants_are_given_on_each_new_repository_and_nowhere_else() {
    let stack = Stack::start().await;
    let (alice, bob, carol) = (stack.user("alice").await, stack.user("bob").await, stack.user("carol").await);
    alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    alice.does(Method::PUT, "/orgs/acme/members/bob", &json!({ "role": "member" })).await;
    alice.does(Method::POST, "/orgs/acme/teams", &json!({ "name": "dev" })).await;
    alice.does(Method::PUT, "/orgs/acme/teams/dev/members/bob", &Value::Null).await;
    alice.does(Method::POST, "/orgs/acme/robots", &json!({ "name": "ci" })).await;
    alice.repository("acme/old").await.push_image("v1", "layer").await;
    let path = "/namespaces/acme/default-grants";
    let defaults = json!({ "grants": [
        { "subject": "robot:acme+ci", "role": "read" },
        { "subject": "team:acme/dev", "role": "maintain" },
        { "subject": "user:carol", "role": "write" },
    ]});
    assert_eq!(alice.does(Method::PUT, path, &defaults).await, defaults);
    assert_eq!(alice.does(Method::GET, path, &Value::Null).await, defaults);

    alice.repository("acme/pushed").await.push_image("v1", "layer").await;
    alice.does(Method::PUT, "/repositories/acme/made", &json!({})).await;
    for (repository, of_bob, of_carol) in [
        ("acme/old", json!(["pull"]), json!([])),
        ("acme/pushed", json!(["pull", "push", "delete"]), json!(["pull", "push"])),
        ("acme/made", json!(["pull", "push", "delete"]), json!(["pull", "push"])),
        ("acme/none", json!([]), json!([])),
    ] {
        assert_eq!(held(&bob, repository).await, of_bob, "{repository}");
        assert_eq!(held(&carol, repository).await, of_carol, "{repository}");
    }
    // They are grants like others: seen, said by whom, and taken away one by one.
    let grants = alice.does(Method::GET, "/repositories/acme/made/-/grants", &Value::Null).await;
    let shown = grants["items"].as_array().unwrap().iter().map(|grant| (&grant["subject"], &grant["created_by"]));
    let (robot, team, carols) = (json!("robot:acme+ci"), json!("team:acme/dev"), json!("user:carol"));
    let by = json!("alice");
    assert_eq!(shown.collect::<Vec<_>>(), [(&robot, &by), (&team, &by), (&carols, &by)]);
    alice.does(Method::DELETE, "/repositories/acme/made/-/grants/user:carol", &Value::Null).await;
    assert_eq!(held(&carol, "acme/made").await, json!([]));
    assert_eq!(held(&carol, "acme/pushed").await, json!(["pull", "push"]));

    // Who goes is in no default any more.
    alice.does(Method::DELETE, "/orgs/acme/teams/dev", &Value::Null).await;
    alice.does(Method::DELETE, "/orgs/acme/robots/ci", &Value::Null).await;
    let left = json!({ "grants": [{ "subject": "user:carol", "role": "write" }] });
    assert_eq!(alice.does(Method::GET, path, &Value::Null).await, left);
    // A list with somebody who is not there changes nothing.
    let bad =
        json!({ "grants": [{ "subject": "user:bob", "role": "read" }, { "subject": "user:none", "role": "read" }] });
    let answer = alice.asks(Method::PUT, &format!("/api/v1{path}")).json(&bad).send().await.is(422);
    assert!(answer.text().contains("none"), "{}", answer.text());
    assert_eq!(alice.does(Method::GET, path, &Value::Null).await, left);
}

/// Everything that is there to do in a namespace: (request, body). Each must succeed.
const WORK: &[(&str, &str)] = &[
    ("GET /namespaces/acme", ""),
    ("PATCH /namespaces/acme", r#"{"description":"run by nina","default_visibility":"private"}"#),
    ("GET /orgs/acme/members", ""),
    ("GET /orgs/acme/teams", ""),
    ("GET /orgs/acme/robots", ""),
    ("PUT /namespaces/acme/default-grants", r#"{"grants":[{"subject":"team:acme/dev","role":"write"}]}"#),
    ("GET /namespaces/acme/default-grants", ""),
    ("GET /namespaces/acme/collaborators", ""),
    ("PUT /namespaces/acme/grants/user:carol", r#"{"role":"write"}"#),
    ("PUT /namespaces/acme/grants/team:acme/dev", r#"{"role":"read"}"#),
    ("PUT /namespaces/acme/grants/robot:acme+ci", r#"{"role":"maintain"}"#),
    ("GET /namespaces/acme/grants", ""),
    ("DELETE /namespaces/acme/grants/team:acme/dev", ""),
    ("PUT /repositories/acme/made", r#"{"visibility":"public","description":"made"}"#),
    ("PATCH /repositories/acme/made", r#"{"visibility":"private"}"#),
    ("GET /repositories?namespace=acme", ""),
    ("GET /repositories/acme/made/-/tags", ""),
    ("PUT /repositories/acme/made/-/grants/user:carol", r#"{"role":"read"}"#),
    ("GET /repositories/acme/made/-/grants", ""),
    ("DELETE /repositories/acme/made/-/grants/user:carol", ""),
    ("GET /repositories/acme/made/-/explain?subject=user:carol", ""),
    ("GET /repositories/acme/made/-/explain?subject=robot:acme%2Bci", ""),
    ("POST /repositories/acme/made/-/rename", r#"{"name":"acme/tools/made"}"#),
    ("DELETE /repositories/acme/tools/made", ""),
    ("GET /namespaces/acme/deleted", ""),
    ("POST /repositories/acme/tools/made/-/restore", ""),
    ("DELETE /repositories/acme/app", ""),
];

#[tokio::test]
async fn who_has_admin_on_a_namespace_runs_it_without_being_anything_else() {
    let stack = Stack::start().await;
    let (alice, nina) = (stack.user("alice").await, stack.user("nina").await);
    stack.user("carol").await;
    alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    alice.does(Method::POST, "/orgs/acme/teams", &json!({ "name": "dev" })).await;
    alice.does(Method::POST, "/orgs/acme/robots", &json!({ "name": "ci" })).await;
    alice.repository("acme/app").await.push_image("v1", "layer").await;
    alice.does(Method::PUT, "/namespaces/acme/grants/user:nina", &json!({ "role": "admin" })).await;
    let app = nina.repository("acme/app").await;
    app.push_image("v2", "another").await;
    app.delete("manifests/v1").send().await.is(202);
    for (request, body) in WORK {
        let (method, path) = request.split_once(' ').unwrap();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() };
        nina.does(method.parse().unwrap(), path, &body).await;
    }
    // The organisation itself is its owners' to run.
    for (request, body) in [
        ("PATCH /orgs/acme", r#"{"display_name":"Nina's"}"#),
        ("PUT /orgs/acme/members/nina", r#"{"role":"owner"}"#),
        ("POST /orgs/acme/teams", r#"{"name":"ops"}"#),
        ("POST /orgs/acme/robots", r#"{"name":"cd"}"#),
        ("DELETE /orgs/acme", "{}"),
    ] {
        let (method, path) = request.split_once(' ').unwrap();
        let request = nina.asks(method.parse().unwrap(), &format!("/api/v1{path}"));
        request.header("Content-Type", "application/json").body(body).send().await.is(403);
    }
    alice.does(Method::DELETE, "/namespaces/acme/grants/user:nina", &Value::Null).await;
    nina.asks(Method::PATCH, "/api/v1/namespaces/acme").json(&json!({})).send().await.is(404);
}

#[tokio::test]
async fn collaborators_are_those_from_outside_page_by_page() {
    let stack = Stack::start().await;
    let alice = stack.user("alice").await;
    alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    for name in ["bob", "carol", "dave"] {
        stack.user(name).await;
    }
    alice.does(Method::PUT, "/orgs/acme/members/bob", &json!({ "role": "member" })).await;
    for repository in ["acme/app", "acme/tools"] {
        alice.does(Method::PUT, &format!("/repositories/{repository}"), &json!({})).await;
        for (name, role) in [("bob", "write"), ("carol", "read")] {
            let path = format!("/repositories/{repository}/-/grants/user:{name}");
            alice.does(Method::PUT, &path, &json!({ "role": role })).await;
        }
    }
    alice.does(Method::PUT, "/namespaces/acme/grants/user:dave", &json!({ "role": "maintain" })).await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/namespaces/acme/collaborators?limit=1{cursor}");
        let page = alice.does(Method::GET, &path, &Value::Null).await;
        let held = &page["items"][0];
        seen.push([&held["user"], &held["repository"], &held["namespace"], &held["role"]].map(Value::clone));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(
        json!(seen),
        json!([
            ["carol", "acme/app", null, "read"],
            ["carol", "acme/tools", null, "read"],
            ["dave", null, "acme", "maintain"],
        ])
    );
    // Who is let in is no collaborator any more, and keeps what was granted.
    alice.does(Method::PUT, "/orgs/acme/members/dave", &json!({ "role": "member" })).await;
    let left = alice.does(Method::GET, "/namespaces/acme/collaborators", &Value::Null).await;
    assert_eq!(left["items"].as_array().unwrap().len(), 2);
}
