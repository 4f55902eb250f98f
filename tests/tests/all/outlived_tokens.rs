//! A push may outlive its token: whoever opened an upload goes on with a token of which nothing but its time is over, for six
//! hours and as long as nothing voids the token that opened it. Such a token opens nothing else.

use crate::support::{Call, Forge, Repository, Stack, User, eventually, sha256};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(3);

const CONTENT: &str = "0123456789";

/// An upload of alice in `admin/app`, where she was granted the right to push; and her token, which is over.
struct Scene {
    stack: Stack,
    alice: User,
    forge: Forge,
    location: String,
    /// With the token that is over.
    app: Repository,
}

impl Scene {
    async fn set() -> Self {
        let stack = Stack::start().await;
        stack.admin().repository("admin/app").await.push_image("v1", "layer").await;
        let alice = stack.user("alice").await;
        stack.admin().does(Method::PUT, GRANT, &json!({ "role": "write" })).await;
        let live = alice.repository("admin/app").await;
        let location = live.begin().await;
        live.patch(&location).body("01234").send().await.is(202);
        let forge = Forge::of_token(&stack, &live.token).await;
        let app = Repository::new(&stack.host, "admin/app", forge.with(&over(&forge)));
        Self { stack, alice, forge, location, app }
    }

    fn end(&self) -> String {
        format!("{}?digest={}", self.location, sha256(CONTENT.as_bytes()))
    }

    /// The same with other claims, over as well.
    fn but(&self, changes: &Value) -> Repository {
        let mut all = over(&self.forge);
        for (name, value) in changes.as_object().unwrap() {
            all[name] = value.clone();
        }
        Repository::new(&self.stack.host, "admin/app", self.forge.with(&all))
    }

    /// That nothing of the upload opens.
    async fn is_shut(&self, app: &Repository, why: &str) {
        for request in [
            app.get(&self.location),
            app.patch(&self.location).body("5"),
            app.put(&self.end()).body("56789"),
            app.delete(&self.location),
        ] {
            let answer = request.send().await;
            assert_eq!(answer.status, 401, "{why}: {}", answer.what);
            assert!(answer.header("www-authenticate").ends_with("error=\"invalid_token\""), "{why}: {answer:?}");
        }
    }
}

const GRANT: &str = "/repositories/admin/app/-/grants/user:alice";

/// Two minutes past the end of a token that is as old as that.
fn over(forge: &Forge) -> Value {
    let now = forge.claims["iat"].as_u64().unwrap();
    json!({ "iat": now - 420, "nbf": now - 450, "exp": now - 120 })
}

#[tokio::test]
async fn an_upload_goes_on_with_its_openers_token_when_its_time_is_over() {
    let scene = Scene::set().await;
    let Scene { app, location, .. } = &scene;
    assert_eq!(app.get(location).send().await.is(204).header("range"), "0-4");
    app.patch(location).body("567").send().await.is(202);
    app.put(&scene.end()).body("89").send().await.is(201);
    // With a new token, as clients get one before they send the manifest.
    let live = scene.alice.repository("admin/app").await;
    let path = format!("blobs/{}", sha256(CONTENT.as_bytes()));
    assert_eq!(live.get(&path).send().await.is(200).text(), CONTENT);
}

#[tokio::test]
async fn on_any_replica_and_to_the_end_that_the_client_chooses() {
    let scene = Scene::set().await;
    let replica = scene.app.on(&scene.stack.replica());
    eventually("the replica hears", PATIENCE, async || replica.get(&scene.location).send().await.status == 204).await;
    replica.delete(&scene.location).send().await.is(204);
    scene.app.get(&scene.location).send().await.is(401);
}

#[tokio::test]
async fn a_token_that_is_over_opens_nothing_but_the_upload() {
    let scene = Scene::set().await;
    let Scene { app, .. } = &scene;
    let digest = sha256(b"layer");
    for request in [
        app.post("blobs/uploads/"),
        app.post(&format!("blobs/uploads/?mount={digest}&from=admin/app")),
        app.get("manifests/v1"),
        app.get(&format!("blobs/{digest}")),
        app.get("tags/list"),
        app.put("manifests/v2").body("{}"),
        app.patch("/v2/admin/app/blobs/uploads/00000000-0000-4000-8000-000000000000").body("5"),
        scene.stack.host.get("/v2/").token(&app.token),
    ] {
        request.send().await.refuses(401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn only_its_time_may_be_wrong_with_it() {
    let scene = Scene::set().await;
    let access = scene.forge.claims["access"].clone();
    let mut others = vec![
        ("another subject", json!({ "sub": "admin" })),
        ("nobody", json!({ "sub": "" })),
        ("another audience", json!({ "aud": "other" })),
        ("another issuer", json!({ "iss": "other" })),
        ("not yet", json!({ "nbf": scene.forge.claims["iat"].as_u64().unwrap() + 600 })),
        ("of another index", json!({ "as_of": { "incarnation": "other", "number": 0 } })),
        ("of none", json!({ "as_of": null })),
        ("for nothing", json!({ "access": [] })),
    ];
    for (why, name, value) in [
        ("to pull", "actions", json!(["pull"])),
        ("to push alone", "actions", json!(["push"])),
        ("of another repository of the name", "id", json!("01890000-0000-7000-8000-000000000000")),
        ("for another name", "name", json!("alice/app")),
    ] {
        let mut access = access.clone();
        access[0][name] = value;
        others.push((why, json!({ "access": access })));
    }
    for (why, changes) in others {
        scene.is_shut(&scene.but(&changes), why).await;
    }
    let forged = format!("{}x", scene.app.token);
    scene.is_shut(&Repository::new(&scene.stack.host, "admin/app", forged), "a wrong signature").await;
    scene.app.put(&scene.end()).body("56789").send().await.is(201);
}

#[tokio::test]
async fn a_right_that_is_taken_away_ends_the_upload_at_its_next_request() {
    let scene = Scene::set().await;
    let taking = [
        (Method::DELETE, GRANT.to_owned(), Value::Null),
        (Method::PATCH, "/repositories/admin/app".to_owned(), json!({ "visibility": "private" })),
        (Method::PATCH, "/admin/users/alice".to_owned(), json!({ "disabled": true })),
    ];
    for (method, path, body) in taking {
        let scene = Scene::set().await;
        scene.app.get(&scene.location).send().await.is(204);
        scene.stack.admin().does(method, &path, &body).await;
        eventually(&path, PATIENCE, async || scene.app.get(&scene.location).send().await.status == 401).await;
        scene.is_shut(&scene.app, &path).await;
    }
    // The number that counts is that of the opening token: one that came after the taking away brings nothing back.
    let Scene { stack, alice, .. } = &scene;
    stack.admin().does(Method::DELETE, GRANT, &Value::Null).await;
    stack.admin().does(Method::PUT, GRANT, &json!({ "role": "write" })).await;
    let later = Forge::of_token(stack, &alice.token("repository:admin/app:pull,push").await).await;
    let app = Repository::new(&stack.host, "admin/app", later.with(&over(&later)));
    eventually("it is heard", PATIENCE, async || app.get(&scene.location).send().await.status == 401).await;
    scene.is_shut(&app, "opened before").await;
    // A live token is as good as ever.
    alice.repository("admin/app").await.put(&scene.end()).body("56789").send().await.is(201);
}

#[tokio::test]
async fn six_hours_after_it_was_opened_it_is_over_for_good() {
    let scene = Scene::set().await;
    let id = scene.location.rsplit('/').next().unwrap();
    let file = scene.stack.stored(&format!("repositories/admin/app/_uploads/{id}/berth"));
    let mut state: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let opened = state["token"]["at"].as_i64().unwrap();
    for (earlier, status) in [(6 * 3600 - 60, 204), (6 * 3600, 401)] {
        state["token"]["at"] = json!(opened - earlier);
        fs::write(&file, state.to_string()).unwrap();
        scene.app.get(&scene.location).send().await.is(status);
    }
    // And an upload from a version that remembered no token.
    state.as_object_mut().unwrap().remove("token");
    fs::write(&file, state.to_string()).unwrap();
    scene.app.get(&scene.location).send().await.is(401);
    scene.alice.repository("admin/app").await.get(&scene.location).send().await.is(204);
}

#[tokio::test]
async fn while_nothing_is_heard_of_revocations_it_has_to_wait() {
    let scene = Scene::set().await;
    let (host, index) = scene.stack.unsteady_replica();
    let app = scene.app.on(&host);
    eventually("the replica hears", PATIENCE, async || app.get(&scene.location).send().await.status == 204).await;
    index.fail(Some(Call::Revocations));
    let waits = async || app.get(&scene.location).send().await.status == 503;
    eventually("what was heard is too old", PATIENCE, waits).await;
    let refused = app.patch(&scene.location).body("5").send().await.refuses(503, "UNAVAILABLE");
    assert!(refused.header("retry-after").parse::<u64>().is_ok());
    index.fail(None);
    eventually("it hears again", PATIENCE, async || app.get(&scene.location).send().await.status == 204).await;
    app.put(&scene.end()).body("56789").send().await.is(201);
}
