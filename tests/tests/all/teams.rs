//! Teams: what a team was granted its members hold, as long as they are in it, and nobody else.

use crate::support::{Stack, User, claims};
use reqwest::Method;
use serde_json::{Value, json};

/// `acme` of the owner `alice`, with the member `bob` in the team `dev`, and the members `carol` and `dave`.
struct Scene {
    stack: Stack,
    alice: User,
    bob: User,
    carol: User,
}

impl Scene {
    async fn set() -> Self {
        let stack = Stack::start().await;
        let (alice, bob, carol) = (stack.user("alice").await, stack.user("bob").await, stack.user("carol").await);
        stack.user("dave").await;
        alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
        for member in ["bob", "carol", "dave"] {
            let role = json!({ "role": "member" });
            alice.does(Method::PUT, &format!("/orgs/acme/members/{member}"), &role).await;
        }
        alice.does(Method::POST, "/orgs/acme/teams", &json!({ "name": "dev", "description": "who builds" })).await;
        alice.does(Method::PUT, "/orgs/acme/teams/dev/members/bob", &Value::Null).await;
        Self { stack, alice, bob, carol }
    }

    async fn grants(&self, giver: &User, on: &str, subject: &str, role: &str) {
        giver.does(Method::PUT, &format!("{on}/grants/{subject}"), &json!({ "role": role })).await;
    }
}

/// The actions of a token that asks for all.
async fn held(user: &User, repository: &str) -> Vec<String> {
    let token = user.token(&format!("repository:{repository}:pull,push,delete")).await;
    serde_json::from_value(claims(&token)["access"][0]["actions"].clone()).unwrap()
}

#[tokio::test]
async fn a_team_s_grant_is_each_members_and_ends_with_the_membership() {
    let scene = Scene::set().await;
    let Scene { alice, bob, .. } = &scene;
    scene.alice.repository("acme/app").await.push_image("v1", "layer").await;
    assert_eq!(held(bob, "acme/app").await, ["pull"], "as a member of the organisation");
    scene.grants(alice, "/namespaces/acme", "team:acme/dev", "write").await;
    assert_eq!(held(bob, "acme/app").await, ["pull", "push"]);
    assert_eq!(held(&scene.carol, "acme/app").await, ["pull"], "she is not in it");
    let app = bob.repository("acme/app").await;
    app.push_image("v2", "another").await;

    let leaves = "/orgs/acme/teams/dev/members/bob";
    alice.does(Method::DELETE, leaves, &Value::Null).await;
    // Longer than an answer of the index is remembered.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    app.get("manifests/v1").send().await.refuses(401, "UNAUTHORIZED");
    assert_eq!(held(bob, "acme/app").await, ["pull"]);

    // Who leaves the organisation leaves its teams, and is in none when let in again.
    alice.does(Method::PUT, leaves, &Value::Null).await;
    assert_eq!(held(bob, "acme/app").await, ["pull", "push"]);
    alice.does(Method::DELETE, "/orgs/acme/members/bob", &Value::Null).await;
    assert_eq!(held(bob, "acme/app").await, [""; 0]);
    alice.does(Method::PUT, "/orgs/acme/members/bob", &json!({ "role": "member" })).await;
    assert_eq!(held(bob, "acme/app").await, ["pull"]);
    let members = alice.does(Method::GET, "/orgs/acme/teams/dev/members", &Value::Null).await;
    assert_eq!(members["items"], json!([]));
}

#[tokio::test]
async fn of_several_grants_the_largest_counts() {
    let scene = Scene::set().await;
    let Scene { alice, bob, .. } = &scene;
    alice.repository("acme/app").await.push_image("v1", "layer").await;
    alice.does(Method::POST, "/orgs/acme/teams", &json!({ "name": "ops" })).await;
    alice.does(Method::PUT, "/orgs/acme/teams/ops/members/bob", &Value::Null).await;
    // (whose grant, where, which role, what bob holds then); the words' own order is none of the roles'.
    for (subject, on, role, actions) in [
        ("team:acme/dev", "/namespaces/acme", "write", &["pull", "push"] as &[&str]),
        ("user:bob", "/namespaces/acme", "read", &["pull", "push"]),
        ("team:acme/ops", "/namespaces/acme", "maintain", &["delete", "pull", "push"]),
        ("team:acme/dev", "/namespaces/acme", "read", &["delete", "pull", "push"]),
        ("team:acme/ops", "/namespaces/acme", "read", &["pull"]),
        ("team:acme/dev", "/repositories/acme/app/-", "admin", &["delete", "pull", "push"]),
        ("team:acme/ops", "/repositories/acme/app/-", "write", &["delete", "pull", "push"]),
    ] {
        scene.grants(alice, on, subject, role).await;
        let mut held = held(bob, "acme/app").await;
        held.sort_unstable();
        assert_eq!(held, actions, "{subject} {role} on {on}");
    }
    // With the team go its grants, and those of others stay.
    alice.does(Method::DELETE, "/orgs/acme/teams/dev", &Value::Null).await;
    assert_eq!(held(bob, "acme/app").await, ["pull", "push"]);
    let left = alice.does(Method::GET, "/namespaces/acme/grants", &Value::Null).await;
    let subjects: Vec<_> = left["items"].as_array().unwrap().iter().map(|grant| grant["subject"].clone()).collect();
    assert_eq!(subjects, ["team:acme/ops", "user:bob"]);
}

#[tokio::test]
async fn a_team_holds_what_others_gave_it_elsewhere_until_its_organisation_ends() {
    let scene = Scene::set().await;
    let Scene { stack, alice, bob, carol } = &scene;
    carol.repository("carol/app").await.push_image("v1", "layer").await;
    carol.repository("carol/other").await.push_image("v1", "layer").await;
    let seen = async || {
        let list = bob.does(Method::GET, "/repositories?namespace=carol", &Value::Null).await;
        let names = list["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned());
        let catalog = stack.host.get("/v2/_catalog").token(&bob.token("registry:catalog:*").await).send().await;
        let names: Vec<_> = names.collect();
        assert_eq!(catalog.is(200).json()["repositories"], json!(names));
        names
    };
    assert_eq!(seen().await, [""; 0]);
    scene.grants(carol, "/repositories/carol/app/-", "team:acme/dev", "write").await;
    assert_eq!(seen().await, ["carol/app"]);
    assert_eq!(held(bob, "carol/app").await, ["pull", "push"]);
    assert_eq!(held(bob, "carol/other").await, [""; 0]);
    scene.grants(carol, "/namespaces/carol", "team:acme/dev", "read").await;
    assert_eq!(seen().await, ["carol/app", "carol/other"]);

    // Renamed it is the same team.
    alice.does(Method::PATCH, "/orgs/acme/teams/dev", &json!({ "name": "builders" })).await;
    assert_eq!(seen().await, ["carol/app", "carol/other"]);
    let grants = bob.does(Method::GET, "/orgs/acme/teams/builders/grants", &Value::Null).await;
    let grants: Vec<_> = grants["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|grant| json!([grant["namespace"], grant["repository"], grant["role"], grant["created_by"]]))
        .collect();
    assert_eq!(grants, [json!(["carol", null, "read", "carol"]), json!([null, "carol/app", "write", "carol"])]);
    // Which may name what others must not see.
    let dave = bob.named("dave");
    dave.asks(Method::GET, "/api/v1/orgs/acme/teams/builders/grants").send().await.is(403);

    alice.does(Method::DELETE, "/orgs/acme", &Value::Null).await;
    assert_eq!(seen().await, [""; 0]);
    assert_eq!(held(bob, "carol/app").await, [""; 0]);
    let left = carol.does(Method::GET, "/namespaces/carol/grants", &Value::Null).await;
    assert_eq!(left["items"], json!([]));
}

#[tokio::test]
async fn a_team_that_one_cannot_see_is_granted_nothing_and_looks_absent() {
    let scene = Scene::set().await;
    let mallory = scene.stack.user("mallory").await;
    let mut seen = Vec::new();
    for team in ["team:acme/dev", "team:acme/not", "team:none/dev"] {
        let path = format!("/api/v1/namespaces/mallory/grants/{team}");
        let answer = mallory.asks(Method::PUT, &path).json(&json!({ "role": "read" })).send().await.is(404);
        let answer = answer.json();
        seen.push(answer["detail"].as_str().unwrap().replace(&team["team:".len()..], "TEAM"));
    }
    assert!(seen.iter().all(|detail| *detail == seen[0]), "{seen:?}");
}
