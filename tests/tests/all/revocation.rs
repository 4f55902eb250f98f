//! A right that is taken away ends for tokens issued before: the index confirms each use, and what a registry remembers
//! of it lasts a second. A name that comes to stand for something else gives nothing of what lay under it.

use crate::support::{Repository, Stack, User, eventually, sha256};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

/// Longer than anything is remembered.
const SOON: Duration = Duration::from_millis(1500);

/// (request of the administrator that gives, action given, request that takes away).
type Taking = (&'static str, &'static str, &'static str);

/// What somebody (`USER`, another one in each line) is given on `acme/app`, and loses.
const TAKINGS: &[Taking] = &[
    (
        r#"PUT /repositories/acme/app/-/grants/user:USER {"role":"write"}"#,
        "pull,push",
        "DELETE /repositories/acme/app/-/grants/user:USER",
    ),
    (
        r#"PUT /repositories/acme/app/-/grants/user:USER {"role":"write"}"#,
        "pull,push",
        r#"PUT /repositories/acme/app/-/grants/user:USER {"role":"read"}"#,
    ),
    (r#"PUT /namespaces/acme/grants/user:USER {"role":"read"}"#, "pull", "DELETE /namespaces/acme/grants/user:USER"),
    (r#"PUT /orgs/acme/members/USER {"role":"member"}"#, "pull", "DELETE /orgs/acme/members/USER"),
    (
        r#"PUT /orgs/acme/members/USER {"role":"owner"}"#,
        "pull,push,delete",
        r#"PUT /orgs/acme/members/USER {"role":"member"}"#,
    ),
    (
        r#"PUT /namespaces/acme/grants/user:USER {"role":"admin"}"#,
        "pull,push,delete",
        r#"PATCH /admin/users/USER {"disabled":true}"#,
    ),
];

/// `METHOD PATH BODY`, by `admin`, about `user`.
async fn does(admin: &User, request: &str, user: &User) {
    let request = request.replace("USER", &user.name);
    let mut parts = request.splitn(3, ' ');
    let (method, path) = (parts.next().unwrap().parse().unwrap(), parts.next().unwrap());
    let body = parts.next().map_or(Value::Null, |body| serde_json::from_str(body).unwrap());
    admin.does(method, path, &body).await;
}

/// `acme/app` with an image under `v1`, in an organisation of the administrator.
async fn stack_with_app() -> Stack {
    let stack = Stack::start().await;
    stack.admin().does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    stack.admin().repository("acme/app").await.push_image("v1", "layer").await;
    stack
}

/// Waits until `repository` is refused because its token no longer holds.
async fn is_refused_soon(repository: &Repository, why: &str) {
    eventually(why, SOON, async || {
        let answer = repository.get("manifests/v1").send().await;
        answer.status == 401 && answer.header("www-authenticate").ends_with("error=\"invalid_token\"")
    })
    .await;
}

#[tokio::test]
async fn a_right_taken_away_ends_for_tokens_in_use() {
    let stack = stack_with_app().await;
    let admin = stack.admin();
    let mut losers = Vec::new();
    for (number, (give, actions, take)) in TAKINGS.iter().enumerate() {
        let user = stack.user(&format!("user{number}")).await;
        does(&admin, give, &user).await;
        let token = user.token(&format!("repository:acme/app:{actions}")).await;
        let app = Repository::new(&stack.host, "acme/app", token);
        app.get("manifests/v1").send().await.is(200);
        does(&admin, take, &user).await;
        losers.push(async move {
            is_refused_soon(&app, take).await;
            app.get("tags/list").send().await.is(401);
            app.post("blobs/uploads/").send().await.is(401);
        });
    }
    futures_util::future::join_all(losers).await;
}

#[tokio::test]
async fn a_private_repository_ends_for_anonymous_tokens() {
    let stack = stack_with_app().await;
    stack.admin().does(Method::PATCH, "/repositories/acme/app", &json!({ "visibility": "public" })).await;
    let app = stack.anonymous().repository("acme/app").await;
    app.get("manifests/v1").send().await.is(200);
    stack.admin().does(Method::PATCH, "/repositories/acme/app", &json!({ "visibility": "private" })).await;
    is_refused_soon(&app, "made private").await;
}

#[tokio::test]
async fn a_deleted_repository_is_gone_and_holds_its_name() {
    let stack = stack_with_app().await;
    let (admin, mallory) = (stack.admin(), stack.user("mallory").await);
    let app = admin.repository("acme/app").await;
    app.get("manifests/v1").send().await.is(200);
    admin.does(Method::DELETE, "/repositories/acme/app", &Value::Null).await;
    is_refused_soon(&app, "deleted").await;
    admin.repository("acme/app").await.get("manifests/v1").send().await.is(401);
    let again = admin.asks(Method::PUT, "/api/v1/repositories/acme/app").json(&json!({})).send().await.is(409);
    assert_eq!(again.json()["code"], "name_held");
    // The name of the organisation is held too, so nobody follows in its place.
    admin.does(Method::DELETE, "/orgs/acme", &Value::Null).await;
    let follow = mallory.asks(Method::POST, "/api/v1/orgs").json(&json!({ "name": "acme" })).send().await.is(409);
    assert_eq!(follow.json()["code"], "name_unavailable");
    mallory.repository("acme/app").await.get("manifests/v1").send().await.is(401);
    let account = json!({ "name": "acme", "password": "a long password" });
    admin.asks(Method::POST, "/api/v1/admin/users").json(&account).send().await.is(409);
}

#[tokio::test]
async fn content_of_another_repository_of_the_name_is_nobodys() {
    let stack = stack_with_app().await;
    let id = stack.stored("berth/ids/acme/app/_id");
    let app = stack.admin().repository("acme/app").await;
    app.get("manifests/v1").send().await.is(200);
    // What an index restored from before the repository meets: the name is there, with another id; or none is written.
    for left in [Some("01890000-0000-7000-8000-000000000000"), None] {
        match left {
            Some(other) => fs::write(&id, other).unwrap(),
            None => fs::remove_file(&id).unwrap(),
        }
        for path in ["manifests/v1", "tags/list", &format!("blobs/{}", sha256(b"layer"))] {
            app.get(path).send().await.refuses(404, "NAME_UNKNOWN");
        }
        app.delete("manifests/v1").send().await.refuses(404, "NAME_UNKNOWN");
        app.post("blobs/uploads/").send().await.refuses(403, "DENIED");
    }
}
