//! Auditors of the instance: they see over REST what its administrators see, and change, pull and push nothing.

use crate::rest_tables::{INVITATIONS, ORGANISATIONS, PEOPLE, REPOSITORIES, ROBOTS, TEAMS};
use crate::support::{Stack, User, claims};
use reqwest::Method;
use serde_json::{Value, json};

/// `acme` of the owner `alice`, with the team `dev`, the robot `ci` and two repositories, and the auditor `audrey`.
struct Scene {
    stack: Stack,
    alice: User,
    audrey: User,
    /// The robot's.
    secret: String,
    /// Of the manifest of `acme/app`.
    digest: String,
}

impl Scene {
    async fn set() -> Self {
        let stack = Stack::start().await;
        let (alice, audrey) = (stack.user("alice").await, stack.user("audrey").await);
        alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
        alice.does(Method::POST, "/orgs/acme/teams", &json!({ "name": "dev" })).await;
        alice.does(Method::PUT, "/orgs/acme/teams/dev/members/alice", &Value::Null).await;
        let robot = alice.does(Method::POST, "/orgs/acme/robots", &json!({ "name": "ci" })).await;
        alice.does(Method::PUT, "/namespaces/acme/grants/team:acme/dev", &json!({ "role": "write" })).await;
        let digest = alice.repository("acme/app").await.push_image("v1", "layer").await.digest;
        alice.does(Method::PUT, "/repositories/acme/gone", &json!({})).await;
        alice.does(Method::DELETE, "/repositories/acme/gone", &Value::Null).await;
        stack.admin().does(Method::PATCH, "/admin/users/audrey", &json!({ "is_auditor": true })).await;
        Self { stack, alice, audrey, secret: robot["secret"].as_str().unwrap().to_owned(), digest }
    }

    /// The actions of a token that asks for all.
    async fn held(&self, repository: &str) -> Value {
        let token = self.audrey.token(&format!("repository:{repository}:pull,push,delete")).await;
        claims(&token)["access"][0]["actions"].clone()
    }
}

/// `DIGEST` is the manifest's.
const LOOKS: &[&str] = &[
    "/admin/users",
    "/admin/users/alice",
    "/orgs",
    "/orgs/acme",
    "/orgs/acme/members",
    "/orgs/acme/teams",
    "/orgs/acme/teams/dev",
    "/orgs/acme/teams/dev/members",
    "/orgs/acme/teams/dev/grants",
    "/orgs/acme/robots",
    "/orgs/acme/robots/ci",
    "/namespaces",
    "/namespaces/acme",
    "/namespaces/library",
    "/namespaces/acme/deleted",
    "/namespaces/acme/collaborators",
    "/namespaces/acme/default-grants",
    "/namespaces/acme/grants",
    "/repositories",
    "/repositories/acme/app",
    "/repositories/acme/app/-/tags",
    "/repositories/acme/app/-/manifests/DIGEST",
    "/repositories/acme/app/-/grants",
    "/repositories/acme/app/-/explain?subject=user:alice",
    "/repositories/acme/app/-/explain?subject=robot:acme%2Bci",
];

#[tokio::test]
async fn an_auditor_sees_what_an_administrator_sees_and_no_secret() {
    let scene = Scene::set().await;
    for path in LOOKS {
        let path = format!("/api/v1{}", path.replace("DIGEST", &scene.digest));
        let seen = scene.audrey.asks(Method::GET, &path).send().await.is(200);
        let by_admin = scene.stack.admin().asks(Method::GET, &path).send().await.is(200);
        assert_eq!(seen.json(), by_admin.json(), "{path}");
        assert!(!seen.text().contains(&scene.secret) && !seen.text().contains("argon2"), "{path}");
    }
    let catalog = scene.audrey.token("registry:catalog:*").await;
    let catalog = scene.stack.host.get("/v2/_catalog").token(&catalog).send().await.is(200);
    assert_eq!(catalog.json()["repositories"], json!(["acme/app"]));
}

#[tokio::test]
async fn an_auditor_changes_nothing() {
    let scene = Scene::set().await;
    // What she could do as anybody else.
    let owner = json!({ "role": "owner" });
    scene.alice.does(Method::PUT, "/orgs/acme/members/audrey", &owner).await;
    for (request, body, ..) in [PEOPLE, ORGANISATIONS, TEAMS, INVITATIONS, ROBOTS, REPOSITORIES].into_iter().flatten() {
        let (method, path) = request.split_once(' ').unwrap();
        // Her own account is hers, and to sign up is nobody's in particular.
        if method == "GET" || path.starts_with("/user/") || ["/users", "/session"].contains(&path) {
            continue;
        }
        let (path, body) = (path.replace("CALLER", "audrey"), body.replace("CALLER", "audrey"));
        let request = scene.audrey.asks(method.parse().unwrap(), &format!("/api/v1{path}"));
        let answer = request.header("Content-Type", "application/json").body(body.clone()).send().await;
        // What cannot be read is refused before anybody asks who wants it.
        assert!([400, 403, 422].contains(&answer.status), "{}: {}", answer.what, answer.text());
    }
    // Her own account is hers.
    let token = scene.audrey.does(Method::POST, "/user/tokens", &json!({ "name": "reports" })).await;
    let request = scene.stack.host.get("/api/v1/admin/users").token(token["secret"].as_str().unwrap());
    request.send().await.is(200);
}

#[tokio::test]
async fn an_auditor_holds_nothing_whatever_was_granted() {
    let scene = Scene::set().await;
    let Scene { stack, alice, audrey, .. } = &scene;
    alice.does(Method::PUT, "/namespaces/acme/grants/user:audrey", &json!({ "role": "admin" })).await;
    alice.does(Method::PUT, "/repositories/acme/app/-/grants/user:audrey", &json!({ "role": "write" })).await;
    for repository in ["acme/app", "audrey/app", "ubuntu"] {
        assert_eq!(scene.held(repository).await, json!([]), "{repository}");
    }
    let told = audrey.does(Method::GET, "/repositories/acme/app/-/explain", &Value::Null).await;
    assert_eq!((&told["role"], &told["is_auditor"], &told["reasons"]), (&Value::Null, &json!(true), &json!([])));
    assert!(told["missing"].as_str().unwrap().contains("auditor"), "{told}");
    alice.does(Method::PATCH, "/repositories/acme/app", &json!({ "visibility": "public" })).await;
    assert_eq!(scene.held("acme/app").await, json!(["pull"]), "as everybody");
    alice.does(Method::PATCH, "/repositories/acme/app", &json!({ "visibility": "private" })).await;

    // What she holds when that ends, she loses when it begins again.
    let admin = stack.admin();
    let becomes = async |is: bool| admin.does(Method::PATCH, "/admin/users/audrey", &json!({ "is_auditor": is })).await;
    becomes(false).await;
    let app = audrey.repository("acme/app").await;
    app.get("manifests/v1").send().await.is(200);
    audrey.asks(Method::GET, "/api/v1/admin/users").send().await.is(403);
    becomes(true).await;
    // Longer than an answer of the index is remembered.
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    app.get("manifests/v1").send().await.refuses(401, "UNAUTHORIZED");
    let both = json!({ "is_admin": true });
    admin.asks(Method::PATCH, "/api/v1/admin/users/audrey").json(&both).send().await.is(409);
}
