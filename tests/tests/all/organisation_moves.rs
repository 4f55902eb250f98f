//! An organisation that gets another name takes everything with it, and leaves its old name to nobody.

use crate::support::{PASSWORD, Program, Repository, Stack, User, claims, eventually, pulls};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// `acme` of the owner `alice`, with the member `bob`, the team `dev`, the robot `ci`, two repositories and a deleted one.
struct Scene {
    stack: Stack,
    alice: User,
    bob: User,
    /// The robot's.
    secret: String,
}

impl Scene {
    async fn set() -> Self {
        let stack = Stack::start().await;
        let (alice, bob) = (stack.user("alice").await, stack.user("bob").await);
        alice.does(Method::POST, "/orgs", &json!({ "name": "acme", "display_name": "Acme Ltd" })).await;
        alice.does(Method::PUT, "/orgs/acme/members/bob", &json!({ "role": "member" })).await;
        alice.does(Method::POST, "/orgs/acme/teams", &json!({ "name": "dev" })).await;
        alice.does(Method::PUT, "/orgs/acme/teams/dev/members/bob", &Value::Null).await;
        let robot = alice.does(Method::POST, "/orgs/acme/robots", &json!({ "name": "ci" })).await;
        alice.does(Method::PUT, "/namespaces/acme/grants/robot:acme+ci", &json!({ "role": "read" })).await;
        for name in ["acme/app", "acme/tools/app", "acme/gone"] {
            alice.repository(name).await.push_image("v1", name).await;
        }
        alice.does(Method::PUT, "/repositories/acme/app/-/grants/team:acme/dev", &json!({ "role": "write" })).await;
        alice.does(Method::DELETE, "/repositories/acme/gone", &Value::Null).await;
        Self { stack, alice, bob, secret: robot["secret"].as_str().unwrap().to_owned() }
    }

    async fn robot_pulls(&self, organisation: &str) -> u16 {
        let path = format!("/token?service=berth&scope=repository:{organisation}/app:pull");
        let answer = self.stack.host.get(&path).basic(&format!("{organisation}+ci"), &self.secret).send().await;
        if answer.status != 200 {
            return answer.status;
        }
        let app = Repository::new(
            &self.stack.host,
            &format!("{organisation}/app"),
            answer.json()["token"].as_str().unwrap().to_owned(),
        );
        app.get("manifests/v1").send().await.status
    }
}

async fn rename(user: &User, from: &str, to: &str) -> u16 {
    let request = user.asks(Method::POST, &format!("/api/v1/orgs/{from}/rename"));
    request.json(&json!({ "name": to })).send().await.status
}

/// The actions of a token that asks for all.
async fn held(user: &User, repository: &str) -> Value {
    let token = user.token(&format!("repository:{repository}:pull,push,delete")).await;
    claims(&token)["access"][0]["actions"].clone()
}

#[tokio::test]
async fn a_renamed_organisation_keeps_everything_it_has() {
    let scene = Scene::set().await;
    let Scene { stack, alice, bob, .. } = &scene;
    let images = [("acme/app", "globex/app"), ("acme/tools/app", "globex/tools/app")];
    let mut digests = Vec::new();
    for (old, _) in images {
        digests.push(alice.repository(old).await.head("manifests/v1").send().await.is(200));
    }
    assert_eq!(rename(alice, "acme", "globex").await, 200);
    for ((old, new), before) in images.into_iter().zip(&digests) {
        let now = alice.repository(new).await.head("manifests/v1").send().await.is(200);
        assert_eq!(now.header("docker-content-digest"), before.header("docker-content-digest"));
        assert!(stack.stored(&format!("repositories/{new}/_manifests")).exists());
        assert!(!stack.stored(&format!("repositories/{old}/_manifests")).exists());
        alice.asks(Method::GET, &format!("/api/v1/repositories/{old}")).send().await.is(404);
        assert_eq!(held(alice, old).await, json!([]));
    }
    let organisation = alice.does(Method::GET, "/orgs/globex", &Value::Null).await;
    assert_eq!((&organisation["name"], &organisation["display_name"]), (&json!("globex"), &json!("Acme Ltd")));
    alice.asks(Method::GET, "/api/v1/orgs/acme").send().await.is(404);
    alice.asks(Method::GET, "/api/v1/namespaces/acme").send().await.is(404);
    // Members, teams and grants, those of robots with them.
    assert_eq!(held(bob, "globex/app").await, json!(["pull", "push"]));
    assert_eq!(held(bob, "globex/tools/app").await, json!(["pull"]));
    bob.repository("globex/app").await.push_image("v2", "another").await;
    assert_eq!((scene.robot_pulls("globex").await, scene.robot_pulls("acme").await), (200, 401));
    let robots = alice.does(Method::GET, "/orgs/globex/robots", &Value::Null).await;
    assert_eq!(robots["items"][0]["name"], "globex+ci");
    // What was deleted comes back where it would be.
    let deleted = alice.does(Method::GET, "/namespaces/globex/deleted", &Value::Null).await;
    assert_eq!(deleted["items"][0]["name"], "globex/gone");
    alice.does(Method::POST, "/repositories/globex/gone/-/restore", &Value::Null).await;
    alice.repository("globex/gone").await.get("manifests/v1").send().await.is(200);
}

#[tokio::test]
async fn the_old_name_is_nobody_s_and_old_tokens_open_nothing() {
    let scene = Scene::set().await;
    let Scene { stack, alice, .. } = &scene;
    let (admin, mallory) = (stack.admin(), stack.user("mallory").await);
    let old = alice.repository("acme/app").await;
    let unborn = alice.repository("acme/new").await;
    old.get("manifests/v1").send().await.is(200);
    assert_eq!(rename(alice, "acme", "globex").await, 200);
    // Longer than an answer of the index is remembered.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    old.get("manifests/v1").send().await.refuses(401, "UNAUTHORIZED");
    old.post("blobs/uploads/").send().await.refuses(401, "UNAUTHORIZED");
    unborn.post("blobs/uploads/").send().await.refuses(401, "UNAUTHORIZED");
    let new = Repository { name: "globex/app".to_owned(), ..old };
    new.get("manifests/v1").send().await.refuses(401, "UNAUTHORIZED");

    let account = json!({ "name": "acme", "password": PASSWORD });
    admin.asks(Method::POST, "/api/v1/admin/users").json(&account).send().await.is(409);
    for user in [&mallory, &admin] {
        user.asks(Method::POST, "/api/v1/orgs").json(&json!({ "name": "acme" })).send().await.is(409);
    }
    admin.asks(Method::PUT, "/api/v1/repositories/acme").json(&json!({})).send().await.is(409);
    assert_eq!(held(&admin, "acme").await, json!([]));
    mallory.does(Method::POST, "/orgs", &json!({ "name": "evil" })).await;
    assert_eq!(rename(&mallory, "evil", "acme").await, 409);
    assert_eq!(rename(&mallory, "evil", "globex").await, 409);
    assert_eq!(rename(&mallory, "evil", "token").await, 409);
    assert_eq!(rename(&mallory, "evil", "Evil").await, 422);
    // The organisation itself may go back.
    assert_eq!(rename(alice, "globex", "acme").await, 200);
    alice.repository("acme/app").await.get("manifests/v1").send().await.is(200);
    assert_eq!(rename(&mallory, "evil", "globex").await, 409);
}

#[tokio::test]
async fn a_rename_that_no_registry_answers_to_stands_and_is_done_later() {
    let scene = Scene::set().await;
    let Scene { stack, alice, bob, .. } = &scene;
    let silent = User::new(&stack.index_calling("http://127.0.0.1:9"), "alice");
    assert_eq!(rename(&silent, "acme", "globex").await, 202);
    // Renamed it is, and until they have moved its repositories answer where they lie.
    alice.asks(Method::GET, "/api/v1/orgs/globex").send().await.is(200);
    for (name, of_alice, of_bob) in [
        ("acme/app", json!(["pull", "push", "delete"]), json!(["pull", "push"])),
        ("acme/tools/app", json!(["pull", "push", "delete"]), json!(["pull"])),
        ("acme/new", json!([]), json!([])),
        ("globex/app", json!([]), json!([])),
    ] {
        assert_eq!((held(alice, name).await, held(bob, name).await), (of_alice, of_bob), "{name}");
    }
    alice.repository("acme/app").await.push_image("v2", "on its way").await;
    let told = bob.does(Method::GET, "/repositories/acme/tools/app/-/explain", &Value::Null).await;
    assert_eq!(told["reasons"], json!([{ "role": "read", "because": "organisation_member" }]));
    alice.asks(Method::PUT, "/api/v1/repositories/globex/app").json(&json!({})).send().await.is(409);
    assert_eq!(rename(alice, "globex", "initech").await, 409);
    stack.carry_out_wishes(0).await;
    for name in ["globex/app", "globex/tools/app"] {
        alice.repository(name).await.get("manifests/v1").send().await.is(200);
    }
    alice.repository("globex/app").await.get("manifests/v2").send().await.is(200);
    assert_eq!(rename(alice, "globex", "initech").await, 200);
}

#[tokio::test]
async fn what_is_in_the_way_in_storage_holds_one_repository_up_and_loses_nothing() {
    let scene = Scene::set().await;
    let Scene { stack, alice, .. } = &scene;
    let in_the_way = stack.stored("repositories/globex/app/_manifests/tags");
    std::fs::create_dir_all(&in_the_way).unwrap();
    assert_eq!(rename(alice, "acme", "globex").await, 202);
    stack.carry_out_wishes(0).await;
    alice.repository("globex/tools/app").await.get("manifests/v1").send().await.is(200);
    assert_eq!(held(alice, "globex/app").await, json!([]));
    std::fs::remove_dir_all(stack.stored("repositories/globex/app")).unwrap();
    stack.carry_out_wishes(0).await;
    alice.repository("globex/app").await.get("manifests/v1").send().await.is(200);
}

#[tokio::test]
async fn of_very_many_repositories_the_last_follow_after_the_answer() {
    let stack = Stack::start().await;
    let alice = stack.user("alice").await;
    // Without the time that a password takes.
    let secret = alice.does(Method::POST, "/user/tokens", &json!({ "name": "all" })).await["secret"].clone();
    alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    for number in 0..105 {
        let made = stack.host.request(Method::PUT, &format!("/api/v1/repositories/acme/app{number:03}"));
        made.token(secret.as_str().unwrap()).json(&json!({})).send().await.is(201);
    }
    alice.repository("acme/app104").await.push_image("v1", "layer").await;
    assert_eq!(rename(&alice, "acme", "globex").await, 202);
    alice.asks(Method::GET, "/api/v1/repositories/globex/app099").send().await.is(200);
    alice.repository("acme/app104").await.get("manifests/v1").send().await.is(200);
    stack.carry_out_wishes(0).await;
    alice.repository("globex/app104").await.get("manifests/v1").send().await.is(200);
    alice.asks(Method::GET, "/api/v1/repositories/acme/app104").send().await.is(404);
}

#[tokio::test]
async fn a_rename_that_is_killed_on_its_way_is_completed_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let program = Program::start_well(&data).await;
    let admin = program.admin();
    admin.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    let mut images = Vec::new();
    for name in ["app", "tools/app"] {
        images.push((name, admin.repository(&format!("acme/{name}")).await.push_image("v1", name).await));
    }
    drop(program);
    let (mut from, mut to) = ("acme", "globex");
    for (place, number) in
        [("move noted", 1), ("move noted", 2), ("part moved", 1), ("part moved", 4), ("part moved", 7)]
    {
        let rule = format!("kill@{number} pause {place}");
        let mut program = Program::start(&data, &rule).await.unwrap();
        let asked = program.admin().asks(Method::POST, &format!("/api/v1/orgs/{from}/rename"));
        assert!(asked.json(&json!({ "name": to })).attempt().await.is_none(), "{rule}: it goes on");
        program.ends().await;
        let program = Program::start_well(&data).await;
        let admin = program.admin();
        for (name, image) in &images {
            let (old, new) = (format!("/repositories/{from}/{name}"), format!("/repositories/{to}/{name}"));
            let has_moved = async || admin.asks(Method::GET, &format!("/api/v1{new}")).send().await.status == 200;
            eventually(&rule, Duration::from_secs(20), has_moved).await;
            admin.asks(Method::GET, &format!("/api/v1{old}")).send().await.is(404);
            pulls(&admin.repository(&format!("{to}/{name}")).await, "v1", image).await;
        }
        (from, to) = (to, from);
    }
}

#[tokio::test]
async fn only_owners_rename() {
    let scene = Scene::set().await;
    let mallory = scene.stack.user("mallory").await;
    assert_eq!(rename(&scene.bob, "acme", "globex").await, 403);
    assert_eq!(rename(&mallory, "acme", "globex").await, 404);
    assert_eq!(rename(&scene.stack.anonymous(), "acme", "globex").await, 401);
    let long = "x".repeat(60);
    let deep = format!("acme/{}", vec!["y".repeat(60); 4].join("/"));
    scene.alice.does(Method::PUT, &format!("/repositories/{deep}"), &json!({})).await;
    assert_eq!(rename(&scene.alice, "acme", &long).await, 422);
    scene.alice.asks(Method::GET, "/api/v1/orgs/acme").send().await.is(200);
}
