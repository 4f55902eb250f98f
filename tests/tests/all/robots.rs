//! Robots: machine accounts of an organisation, which hold what they were granted, as long as they are not ended.

use crate::support::{Repository, Stack, User, claims};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// Longer than an answer of the index is remembered.
const REMEMBERED: Duration = Duration::from_millis(1100);

const NAME: &str = "acme+ci";

/// `acme` of the owner `alice`, and a robot that may write there.
struct Scene {
    stack: Stack,
    alice: User,
    secret: String,
}

impl Scene {
    async fn set() -> Self {
        let stack = Stack::start().await;
        let alice = stack.user("alice").await;
        alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
        let scene = Self { secret: make(&alice).await, stack, alice };
        scene.grants("/namespaces/acme", "write").await;
        scene
    }

    async fn grants(&self, on: &str, role: &str) {
        let path = format!("{on}/grants/robot:{NAME}");
        self.alice.does(Method::PUT, &path, &json!({ "role": role })).await;
    }

    /// What a registry token by this secret allows.
    async fn opens(&self, secret: &str, repository: &str) -> Vec<String> {
        let token = self.token(secret, repository).await;
        serde_json::from_value(claims(&token)["access"][0]["actions"].clone()).unwrap()
    }

    async fn token(&self, secret: &str, repository: &str) -> String {
        let path = format!("/token?service=berth&scope=repository:{repository}:pull,push,delete");
        let answer = self.stack.host.get(&path).basic(NAME, secret).send().await.is(200);
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    async fn status(&self, secret: &str) -> u16 {
        self.stack.host.get("/token").basic(NAME, secret).send().await.status
    }
}

/// Makes the robot; tells its secret.
async fn make(owner: &User) -> String {
    let made = owner.does(Method::POST, "/orgs/acme/robots", &json!({ "name": "ci", "description": "builds" })).await;
    assert_eq!(made["name"], NAME);
    made["secret"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_robot_pulls_and_pushes_what_it_was_granted_and_decides_nothing() {
    let scene = Scene::set().await;
    let Scene { stack, alice, secret } = &scene;
    assert!(secret.starts_with("berth_rob_"), "{secret}");
    let app = Repository::new(&stack.host, "acme/app", scene.token(secret, "acme/app").await);
    app.push_image("v1", "layer").await;
    app.delete("manifests/v1").send().await.is(401);
    let told = alice.does(Method::GET, "/repositories/acme/app/-/tags", &Value::Null).await;
    assert_eq!(told["items"][0]["updated_by"], NAME, "{told}");
    // What it may see it may read; the rest is for people.
    let get = |path: &str| stack.host.get(path).basic(NAME, secret);
    let seen = get("/api/v1/repositories").send().await.is(200).json();
    assert_eq!(seen["items"][0]["name"], "acme/app");
    get("/v1/search?q=app").send().await.is(200);
    for request in [get("/api/v1/user"), stack.host.get("/api/v1/orgs/acme/members").token(secret)] {
        assert_eq!(request.send().await.is(403).json()["code"], "person_needed");
    }
    assert_eq!(get("/api/v1/user/tokens").send().await.is(403).json()["code"], "password_needed");
    // Nobody else, and nothing but its secret.
    for (name, password) in [("alice", secret.as_str()), ("acme+other", secret), (NAME, "correct horse"), (NAME, "")] {
        stack.host.get("/token").basic(name, password).send().await.is(401);
    }
    let people = stack.admin().does(Method::GET, "/admin/users", &Value::Null).await;
    assert!(!people.to_string().contains('+'), "{people}");
    let grants = alice.does(Method::GET, "/namespaces/acme/grants", &Value::Null).await;
    assert_eq!(grants["items"][0]["subject"], format!("robot:{NAME}"));
}

#[tokio::test]
async fn what_a_robot_holds_ends_when_it_is_disabled_or_deleted_and_not_with_its_maker() {
    let scene = Scene::set().await;
    let Scene { stack, alice, secret } = &scene;
    let dave = stack.user("dave").await;
    let app = Repository::new(&stack.host, "acme/app", scene.token(secret, "acme/app").await);
    app.push_image("v1", "layer").await;
    alice.does(Method::PUT, "/orgs/acme/members/dave", &json!({ "role": "owner" })).await;
    alice.does(Method::DELETE, "/orgs/acme/members/alice", &Value::Null).await;
    stack.admin().does(Method::PATCH, "/admin/users/alice", &json!({ "disabled": true })).await;
    tokio::time::sleep(REMEMBERED).await;
    app.get("manifests/v1").send().await.is(200);

    let robot = "/orgs/acme/robots/ci";
    dave.does(Method::PATCH, robot, &json!({ "disabled": true })).await;
    tokio::time::sleep(REMEMBERED).await;
    app.get("manifests/v1").send().await.refuses(401, "UNAUTHORIZED");
    assert_eq!(scene.status(secret).await, 403);
    dave.does(Method::PATCH, robot, &json!({ "disabled": false })).await;
    assert_eq!(scene.opens(secret, "acme/app").await, ["pull", "push"]);
    // What was void stays so; a new token opens.
    app.get("manifests/v1").send().await.refuses(401, "UNAUTHORIZED");
    let app = Repository::new(&stack.host, "acme/app", scene.token(secret, "acme/app").await);
    app.get("manifests/v1").send().await.is(200);

    // Another one of the same name is another one.
    dave.does(Method::DELETE, robot, &Value::Null).await;
    assert_eq!(scene.status(secret).await, 401);
    let second = make(&dave).await;
    assert_eq!(scene.opens(&second, "acme/app").await, [""; 0]);
    let grant = json!({ "role": "read" });
    dave.does(Method::PUT, &format!("/namespaces/acme/grants/robot:{NAME}"), &grant).await;
    assert_eq!(scene.opens(&second, "acme/app").await, ["pull"]);
    tokio::time::sleep(REMEMBERED).await;
    app.get("manifests/v1").send().await.refuses(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn a_robot_has_two_secrets_while_it_is_rotated_and_none_without_its_organisation() {
    let scene = Scene::set().await;
    let Scene { stack, alice, secret } = &scene;
    let body = json!({ "overlap_seconds": 2 });
    let rotated = alice.does(Method::POST, "/orgs/acme/robots/ci/rotate", &body).await;
    let second = rotated["secret"].as_str().unwrap();
    assert_eq!((scene.status(secret).await, scene.status(second).await), (200, 200));
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!((scene.status(secret).await, scene.status(second).await), (401, 200));

    // What has expired is renewed with an end of its own.
    let soon = Timestamp::now() + SignedDuration::from_millis(300);
    let rotated = alice.does(Method::POST, "/orgs/acme/robots/ci/rotate", &json!({ "expires_at": soon })).await;
    let passing = rotated["secret"].as_str().unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(scene.status(passing).await, 401);
    let path = "/api/v1/orgs/acme/robots/ci/rotate";
    let refused = alice.asks(Method::POST, path).json(&json!({})).send().await.is(422);
    assert!(refused.text().contains("expires_at"), "{}", refused.text());
    let later = json!({ "expires_at": Timestamp::now() + SignedDuration::from_hours(1) });
    let rotated = alice.does(Method::POST, "/orgs/acme/robots/ci/rotate", &later).await;
    let second = rotated["secret"].as_str().unwrap();
    assert_eq!(scene.status(second).await, 200);

    // Elsewhere too it holds only what it was granted, and that ends with the organisation.
    alice.repository("alice/app").await.push_image("v1", "layer").await;
    assert_eq!(scene.opens(second, "alice/app").await, [""; 0]);
    scene.grants("/repositories/alice/app/-", "read").await;
    assert_eq!(scene.opens(second, "alice/app").await, ["pull"]);
    let app = Repository::new(&stack.host, "alice/app", scene.token(second, "alice/app").await);
    app.get("manifests/v1").send().await.is(200);
    alice.does(Method::DELETE, "/orgs/acme", &Value::Null).await;
    assert_eq!(scene.status(second).await, 403);
    tokio::time::sleep(REMEMBERED).await;
    app.get("manifests/v1").send().await.refuses(401, "UNAUTHORIZED");
    let left = alice.does(Method::GET, "/repositories/alice/app/-/grants", &Value::Null).await;
    assert_eq!(left["items"], json!([]));
}
