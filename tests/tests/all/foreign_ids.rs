//! Things that lie below others and have an id of their own, asked for below somebody else's: as if they were not there,
//! by every operation of the document that takes one, so that a new one is tried without a word here.

use crate::privacy::outline;
use crate::support::{Answer, Browser, Stack, User, sha256};
use reqwest::Method;
use serde_json::{Value, json};
use std::fmt::Debug;

/// A robot and a team of `acme`, and what nobody has.
const THEIRS: &str = "zebra";
const NOBODYS: &str = "okapi";

/// `acme` of `alice`, and `evil` of `mallory`.
struct Scene {
    stack: Stack,
    alice: User,
    mallory: User,
    /// Ids of alice's, by the beginning of the path where they stand.
    ids: Vec<(&'static str, String)>,
    manifest: String,
}

impl Scene {
    async fn set() -> Self {
        let stack = Stack::start().await;
        let (alice, mallory) = (stack.user("alice").await, stack.user("mallory").await);
        stack.user("bob").await;
        for (owner, organisation) in [(&alice, "acme"), (&mallory, "evil")] {
            owner.does(Method::POST, "/orgs", &json!({ "name": organisation })).await;
            owner.does(Method::PUT, &format!("/orgs/{organisation}/members/bob"), &json!({ "role": "member" })).await;
            owner.repository(&format!("{organisation}/app")).await.push_image("v1", organisation).await;
        }
        let manifest = alice.repository("acme/app").await.get("manifests/v1").send().await.is(200);
        let manifest = manifest.header("docker-content-digest").to_owned();
        alice.does(Method::POST, "/orgs/acme/teams", &json!({ "name": THEIRS })).await;
        alice.does(Method::PUT, &format!("/orgs/acme/teams/{THEIRS}/members/bob"), &Value::Null).await;
        alice.does(Method::POST, "/orgs/acme/robots", &json!({ "name": THEIRS })).await;
        for subject in [format!("team:acme/{THEIRS}"), format!("robot:acme+{THEIRS}")] {
            let on = format!("/repositories/acme/app/-/grants/{subject}");
            alice.does(Method::PUT, &on, &json!({ "role": "read" })).await;
        }
        let id = |made: Value| made["id"].as_str().unwrap().to_owned();
        let invitation = alice.does(Method::POST, "/orgs/acme/invitations", &json!({ "role": "member" })).await;
        let token = alice.does(Method::POST, "/user/tokens", &json!({ "name": "laptop" })).await;
        Browser::sign_in(&stack.host, "alice").await;
        let sessions = alice.does(Method::GET, "/user/sessions", &Value::Null).await;
        let refused = mallory.repository("acme/app").await.get("manifests/v1").send().await.is(401).json();
        let decision = refused["errors"][0]["detail"]["decision"].as_str().unwrap().to_owned();
        let ids = vec![
            ("/orgs/", id(invitation)),
            ("/user/tokens/", id(token)),
            ("/user/sessions/", id(sessions["items"][0].clone())),
            ("/admin/decisions/", decision),
        ];
        Self { stack, alice, mallory, ids, manifest }
    }

    /// What is put into the last place of `path`, each time alice's and nobody's.
    fn children(&self, path: &str) -> Vec<(&'static str, String, String)> {
        let named = |before: &str| (format!("{before}{THEIRS}"), format!("{before}{NOBODYS}"));
        let child = |place, (theirs, nobodys)| (place, theirs, nobodys);
        if path.contains("{id}") {
            let of = self.ids.iter().find(|(beginning, _)| path.starts_with(beginning));
            let id = &of.unwrap_or_else(|| panic!("whose id is that of {path}?")).1;
            let other = format!("{}{}", &id[..id.len() - 1], if id.ends_with('a') { 'b' } else { 'a' });
            vec![child("{id}", (id.clone(), other))]
        } else if path.contains("{team}") {
            vec![child("{team}", named(""))]
        } else if path.contains("{robot}") {
            vec![child("{robot}", named("")), child("{robot}", named("acme+"))]
        } else if path.contains("{subject}") {
            vec![child("{subject}", named("team:acme/")), child("{subject}", named("robot:acme+"))]
        } else if path.contains("{digest}") {
            vec![child("{digest}", (self.manifest.clone(), sha256(b"nobody's")))]
        } else {
            Vec::new()
        }
    }

    /// Everything of alice's that could be another afterwards.
    async fn of_alice(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for list in [
            "/orgs/acme/teams".to_owned(),
            format!("/orgs/acme/teams/{THEIRS}/members"),
            format!("/orgs/acme/teams/{THEIRS}/grants"),
            "/orgs/acme/robots".to_owned(),
            "/orgs/acme/invitations".to_owned(),
            "/repositories/acme/app/-/grants".to_owned(),
            "/repositories/acme/app/-/tags".to_owned(),
            "/user/tokens".to_owned(),
            "/user/sessions".to_owned(),
        ] {
            let page = self.alice.does(Method::GET, &list, &Value::Null).await;
            assert!(!page["items"].as_array().unwrap().is_empty(), "{list}");
            all.push(page);
        }
        all
    }
}

/// What is seen in the answer of a request that names this child.
fn seen_of(answer: &Answer, child: &str) -> impl PartialEq + Debug + use<> {
    let (status, mut headers, body) = outline(answer, child);
    // Of the very bytes, in which the child is named.
    headers.remove("etag");
    (status, headers, body.replace(THEIRS, "CHILD").replace(NOBODYS, "CHILD"))
}

/// A body that is good, if there are rights; the others may be empty.
fn body(schema: &str) -> Value {
    match schema.rsplit('/').next().unwrap() {
        "NewGrant" => json!({ "role": "read" }),
        "AccessTokenChange" => json!({ "allowed_networks": [] }),
        "PatchRobot" | "PatchTeam" => json!({ "description": "taken over" }),
        _ => json!({}),
    }
}

#[tokio::test]
async fn below_ones_own_nothing_of_somebody_elses_is_there() {
    let scene = Scene::set().await;
    let document = scene.stack.host.get("/api/v1/openapi.json").send().await.is(200).json();
    let before = scene.of_alice().await;
    let mut count = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for (place, theirs, nobodys) in scene.children(path) {
                let schema = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str();
                let mut seen = Vec::new();
                for child in [&theirs, &nobodys] {
                    let on = if path.starts_with("/repositories/") { "evil/app" } else { "evil" };
                    let filled =
                        [("{org}", "evil"), ("{namespace}", "evil"), ("{on}", on), ("{name}", on), ("{user}", "bob")]
                            .iter()
                            .fold(path.replace(place, child), |path, (name, value)| path.replace(name, value));
                    let method = method.to_uppercase().parse().unwrap();
                    let request = scene.mallory.asks(method, &format!("/api/v1{filled}"));
                    let request = if let Some(schema) = schema { request.json(&body(schema)) } else { request };
                    let answer = request.send().await;
                    assert!((400..500).contains(&answer.status), "{}: {}", answer.what, answer.text());
                    seen.push(seen_of(&answer, child));
                }
                assert_eq!(seen[0], seen[1], "{method} {path} of {theirs}, and of {nobodys}, who is nobody");
                count += 1;
            }
        }
    }
    assert!(count > 20, "only {count} were tried");
    assert_eq!(scene.of_alice().await, before, "nothing was changed");
}

/// What names a child in its body or query, with `CHILD` in its place.
const NAMED: &[(&str, &str)] = &[
    ("PUT /namespaces/evil/default-grants", r#"{"grants":[{"subject":"team:acme/CHILD","role":"read"}]}"#),
    ("PUT /namespaces/evil/default-grants", r#"{"grants":[{"subject":"robot:acme+CHILD","role":"read"}]}"#),
    ("POST /orgs/evil/invitations", r#"{"role":"member","teams":["CHILD"]}"#),
    ("POST /orgs/evil/invitations", r#"{"role":"member","teams":["acme/CHILD"]}"#),
    ("GET /repositories/evil/app/-/explain?subject=team:acme/CHILD", ""),
    ("GET /repositories/evil/app/-/explain?subject=robot:acme%2BCHILD", ""),
    ("GET /repositories/acme/CHILD/-/explain?subject=user:mallory", ""),
    ("POST /repositories/evil/app/-/rename", r#"{"name":"acme/CHILD"}"#),
];

#[tokio::test]
async fn what_names_something_of_somebody_elses_is_answered_as_what_names_nothing() {
    let scene = Scene::set().await;
    scene.alice.does(Method::PUT, &format!("/repositories/acme/{THEIRS}"), &json!({})).await;
    for (request, body) in NAMED {
        let mut seen = Vec::new();
        for child in [THEIRS, NOBODYS] {
            let (method, path) = request.split_once(' ').unwrap();
            let path = format!("/api/v1{}", path.replace("CHILD", child));
            let request = scene.mallory.asks(method.parse().unwrap(), &path);
            let request = request.header("Content-Type", "application/json").body(body.replace("CHILD", child));
            let answer = request.send().await;
            assert!(answer.status < 500, "{}: {}", answer.what, answer.text());
            seen.push(seen_of(&answer, child));
        }
        assert_eq!(seen[0], seen[1], "{request} {body}");
    }
}
