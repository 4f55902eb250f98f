//! A right to push that is taken away ends within two seconds at every step of a push that is under way, whatever the token was
//! given for: a password, an access token or a robot's secret. GitLab's issue 34550, CVE-2025-23208.

use crate::revocation::{TAKINGS, act};
use crate::support::{PASSWORD, Repository, Stack, User, eventually, image, sha256};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// What is taken away ends within this.
const ENDS: Duration = Duration::from_secs(2);

const CONTENT: &str = "0123456789";

/// `acme/app` of the administrator.
async fn stack_with_app() -> (Stack, User) {
    let stack = Stack::start().await;
    let admin = stack.admin();
    admin.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    admin.repository("acme/app").await.push_image("v1", "layer").await;
    (stack, admin)
}

/// A push that is under way, and what it would store.
struct Push {
    app: Repository,
    location: String,
    tag: String,
}

impl Push {
    async fn begin(app: Repository, tag: &str) -> Self {
        let location = app.begin().await;
        app.patch(&location).body(&CONTENT[..5]).send().await.is(202);
        Self { app, location, tag: tag.to_owned() }
    }

    /// No step of it is answered but with 401, and nothing of it is there.
    async fn has_ended(&self, why: &str, owner: &Repository) {
        let is_refused = async || self.app.post("blobs/uploads/").send().await.status == 401;
        eventually(why, ENDS, is_refused).await;
        let end = format!("{}?digest={}", self.location, sha256(CONTENT.as_bytes()));
        for request in [
            self.app.get(&self.location),
            self.app.patch(&self.location).body(&CONTENT[5..]),
            self.app.put(&end).body(&CONTENT[5..]),
            self.app.put(&format!("manifests/{}", self.tag)).body(image(&[b"layer"]).manifest),
            self.app.post(&format!("blobs/uploads/?mount={}&from=acme/app", sha256(b"layer"))),
        ] {
            let answer = request.send().await;
            assert_eq!(answer.status, 401, "{why}: {}: {}", answer.what, answer.text());
        }
        owner.head(&format!("blobs/{}", sha256(CONTENT.as_bytes()))).send().await.is(404);
        owner.head(&format!("manifests/{}", self.tag)).send().await.is(404);
    }
}

#[tokio::test]
async fn whatever_is_taken_away_from_somebody_ends_a_push() {
    let (stack, admin) = stack_with_app().await;
    let owner = admin.repository("acme/app").await;
    // A member of the organisation reads, and has no push that could end.
    let takings = TAKINGS.iter().filter(|(why, ..)| *why != "a membership");
    for (number, (why, giving, taking)) in takings.enumerate() {
        let user = stack.user(&format!("user{number}")).await;
        for line in *giving {
            act(&admin, line, &user.name).await;
        }
        let push = Push::begin(user.repository("acme/app").await, &user.name).await;
        act(&admin, taking, &user.name).await;
        push.has_ended(why, &owner).await;
    }
}

#[tokio::test]
async fn a_push_ends_with_the_secret_that_its_token_was_given_for() {
    let (stack, admin) = stack_with_app().await;
    let owner = admin.repository("acme/app").await;
    let alice = stack.user("alice").await;
    let write = json!({ "role": "write" });
    admin.does(Method::PUT, "/namespaces/acme/grants/user:alice", &write).await;
    let app = async |name: &str, secret: &str| {
        let path = "/token?service=berth&scope=repository:acme/app:pull,push";
        let answer = stack.host.get(path).basic(name, secret).send().await.is(200).json();
        Repository::new(&stack.host, "acme/app", answer["token"].as_str().unwrap().to_owned())
    };
    for (verb, what) in [("DELETE", "an access token"), ("rotate", "its old secret")] {
        let made = alice.does(Method::POST, "/user/tokens", &json!({ "name": verb })).await;
        let push = Push::begin(app("alice", made["secret"].as_str().unwrap()).await, verb).await;
        let path = format!("/user/tokens/{}", made["id"].as_str().unwrap());
        match verb {
            "rotate" => alice.does(Method::POST, &format!("{path}/rotate"), &json!({})).await,
            _ => alice.does(Method::DELETE, &path, &Value::Null).await,
        };
        push.has_ended(what, &owner).await;
    }
    for (name, method, path, body) in [
        ("one", Method::DELETE, "", Value::Null),
        ("two", Method::PATCH, "", json!({ "disabled": true })),
        ("three", Method::POST, "/rotate", json!({})),
    ] {
        let robot = admin.does(Method::POST, "/orgs/acme/robots", &json!({ "name": name })).await;
        admin.does(Method::PUT, &format!("/namespaces/acme/grants/robot:acme+{name}"), &write).await;
        let push = Push::begin(app(&format!("acme+{name}"), robot["secret"].as_str().unwrap()).await, name).await;
        admin.does(method.clone(), &format!("/orgs/acme/robots/{name}{path}"), &body).await;
        push.has_ended(&format!("a robot: {method} {path}"), &owner).await;
    }
    let push = Push::begin(app("alice", PASSWORD).await, "password").await;
    let change = json!({ "old_password": PASSWORD, "new_password": "another battery staple" });
    alice.does(Method::PUT, "/user/password", &change).await;
    push.has_ended("a password", &owner).await;
}

#[tokio::test]
async fn what_may_only_read_gets_no_token_to_push_whoever_holds_it() {
    let (stack, admin) = stack_with_app().await;
    let limits = json!([{ "namespace": "acme", "role": "read" }]);
    let made = admin.does(Method::POST, "/user/tokens", &json!({ "name": "reads", "limits": limits })).await;
    let robot = admin.does(Method::POST, "/orgs/acme/robots", &json!({ "name": "reads" })).await;
    admin.does(Method::PUT, "/namespaces/acme/grants/robot:acme+reads", &json!({ "role": "read" })).await;
    for (name, made) in [("admin", &made), ("acme+reads", &robot)] {
        let secret = made["secret"].as_str().unwrap();
        for scope in ["acme/app:pull,push,delete", "acme/app:*", "acme/app:push", "acme/new:push"] {
            let path = format!("/token?service=berth&scope=repository:{scope}");
            let answer = stack.host.get(&path).basic(name, secret).send().await.is(200).json();
            let app = Repository::new(&stack.host, "acme/app", answer["token"].as_str().unwrap().to_owned());
            let new = Repository { name: "acme/new".to_owned(), ..app.clone() };
            for request in [
                app.post("blobs/uploads/"),
                app.put("manifests/v2").body(image(&[b"layer"]).manifest),
                app.delete("manifests/v1"),
                new.post("blobs/uploads/"),
            ] {
                request.send().await.refuses(401, "UNAUTHORIZED");
            }
        }
    }
}
