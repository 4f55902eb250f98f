//! Deleting, restoring, purging and renaming by the REST API, with the registry's storage behind it: the scenario of a
//! delete from its request to its end.

use crate::support::{Repository, Stack, User, after_hours, artifact, at_once, claims, data, image, pulls, sha256};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;

pub(super) const APP: &str = "/repositories/acme/app";

/// `acme` with its owner `alice`, and an image in `acme/app`.
pub(super) async fn stack_with_app() -> (Stack, User) {
    let stack = Stack::start().await;
    let alice = stack.user("alice").await;
    alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    let app = alice.repository("acme/app").await;
    let image = app.push_image("v1", "layer").await;
    app.push_manifest(&artifact(&image.digest, &json!({}))).await;
    (stack, alice)
}

pub(super) async fn answers(user: &User, request: &str, body: Value, status: u16) -> Value {
    let (method, path) = request.split_once(' ').unwrap();
    let asked = user.asks(method.parse().unwrap(), &format!("/api/v1{path}"));
    let answer = if body.is_null() { asked } else { asked.json(&body) }.send().await.is(status);
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

pub(super) async fn names(user: &User, path: &str) -> Vec<String> {
    let listed = answers(user, &format!("GET {path}"), Value::Null, 200).await;
    listed["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

fn id_of(token: &str) -> String {
    claims(token)["access"][0]["id"].as_str().unwrap_or_default().to_owned()
}

async fn is_unseen(stack: &Stack, alice: &User, before: &Repository) {
    let read = before.get("manifests/v1").send().await;
    assert!([401, 404].contains(&read.status), "{}", read.text());
    let now = alice.repository("acme/app").await;
    assert_eq!(claims(&now.token)["access"][0]["actions"], json!([]));
    now.get("manifests/v1").send().await.refuses(401, "UNAUTHORIZED");
    now.post("blobs/uploads/").send().await.refuses(401, "UNAUTHORIZED");
    answers(alice, &format!("GET {APP}"), Value::Null, 404).await;
    answers(alice, &format!("DELETE {APP}"), Value::Null, 404).await;
    assert!(names(alice, "/repositories?namespace=acme").await.is_empty());
    let found = stack.host.get("/v1/search?q=app").basic("alice", "correct horse").send().await.is(200).json();
    assert_eq!(found["num_results"], 0, "{found}");
    assert!(!stack.stored("repositories/acme/app/_manifests").exists());
}

#[tokio::test]
async fn a_deleted_repository_is_unseen_and_comes_back_as_it_was() {
    let (stack, alice) = stack_with_app().await;
    let app = alice.repository("acme/app").await;
    let image = image(&[b"layer"]);
    let (tags, history) = (format!("{APP}/-/tags"), format!("GET {APP}"));
    let before = (names(&alice, &tags).await, answers(&alice, &history, Value::Null, 200).await);
    answers(&alice, &format!("DELETE {APP}"), Value::Null, 204).await;
    is_unseen(&stack, &alice, &app).await;
    stack.collect(at_once()).await.unwrap();

    let listed = answers(&alice, "GET /namespaces/acme/deleted", Value::Null, 200).await;
    let listed = &listed["items"][0];
    let time = |name: &str| listed[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(time("purge_at").as_second() - time("deleted_at").as_second(), 7 * 24 * 3600);
    assert_eq!((&listed["name"], &listed["visibility"]), (&json!("acme/app"), &json!("private")));

    // Its name is held, for the former owner too, who is told what to do.
    let held = answers(&alice, &format!("PUT {APP}"), json!({}), 409).await;
    assert_eq!(held["code"], "name_held");
    let detail = held["detail"].as_str().unwrap();
    assert!(detail.contains("restore") && detail.contains(listed["purge_at"].as_str().unwrap()), "{detail}");

    let back = answers(&alice, &format!("POST {APP}/-/restore"), Value::Null, 200).await;
    assert_eq!((&back["name"], &back["created_at"]), (&before.1["name"], &before.1["created_at"]));
    assert_eq!(names(&alice, &tags).await, before.0);
    let again = alice.repository("acme/app").await;
    assert_eq!(id_of(&again.token), id_of(&app.token));
    pulls(&again, "v1", &image).await;
    assert_eq!(again.referrers(&image.digest).await.len(), 1);
    again.push_image("v2", "more").await;
    answers(&alice, &format!("POST {APP}/-/restore"), Value::Null, 404).await;
    assert!(names(&alice, "/namespaces/acme/deleted").await.is_empty());
}

#[tokio::test]
async fn a_deleted_repository_goes_after_seven_days_and_leaves_nothing_to_the_next_owner_of_its_name() {
    let (stack, alice) = stack_with_app().await;
    let former = alice.repository("acme/app").await;
    let hidden = former.push_blob(b"hidden from all").await;
    stack.collect(after_hours(25)).await.unwrap();
    answers(&alice, &format!("PUT {APP}/-/grants/user:admin"), json!({ "role": "read" }), 200).await;
    answers(&alice, &format!("DELETE {APP}"), Value::Null, 204).await;
    stack.carry_out_wishes(7 * 24 - 1).await;
    assert_eq!(names(&alice, "/namespaces/acme/deleted").await, ["acme/app"]);
    stack.carry_out_wishes(7 * 24 + 1).await;
    assert!(names(&alice, "/namespaces/acme/deleted").await.is_empty());
    answers(&alice, &format!("POST {APP}/-/restore"), Value::Null, 404).await;

    answers(&alice, &format!("PUT {APP}"), json!({}), 201).await;
    let next = alice.repository("acme/app").await;
    assert!(!id_of(&next.token).is_empty() && id_of(&next.token) != id_of(&former.token));
    assert!(names(&alice, &format!("{APP}/-/grants")).await.is_empty());
    assert!(names(&alice, &format!("{APP}/-/tags")).await.is_empty());
    next.push_blob(b"of the next one").await;
    for digest in [&hidden, &sha256(b"layer"), &sha256(b"{}")] {
        next.head(&format!("blobs/{digest}")).send().await.is(404);
        next.post(&format!("blobs/uploads/?mount={digest}&from=acme/app")).send().await.is(202);
    }
    next.get("manifests/v1").send().await.refuses(404, "MANIFEST_UNKNOWN");
    next.get("tags/list").send().await.is(200);
    stack.collect(at_once()).await.unwrap();
    assert!(!stack.stored(&data(&sha256(b"layer"))).exists());
}

#[tokio::test]
async fn an_administrator_of_the_instance_purges_at_once() {
    let (stack, alice) = stack_with_app().await;
    let purge = format!("POST {APP}/-/purge");
    answers(&stack.admin(), &purge, Value::Null, 404).await;
    answers(&alice, &format!("DELETE {APP}"), Value::Null, 204).await;
    answers(&alice, &purge, Value::Null, 403).await;
    answers(&stack.admin(), &purge, Value::Null, 204).await;
    answers(&stack.admin(), &purge, Value::Null, 404).await;
    answers(&alice, &format!("POST {APP}/-/restore"), Value::Null, 404).await;
    alice.repository("acme/app").await.push_image("v1", "new").await;
}

#[tokio::test]
async fn a_renamed_repository_keeps_everything_but_its_name() {
    let (stack, alice) = stack_with_app().await;
    let app = alice.repository("acme/app").await;
    let image = image(&[b"layer"]);
    let rename = format!("POST {APP}/-/rename");
    for (name, status) in [("acme/app", 409), ("alice/app", 422), ("acme", 422), ("Acme/App", 422)] {
        answers(&alice, &rename, json!({ "name": name }), status).await;
    }
    alice.repository("acme/other").await.push_image("v1", "other").await;
    answers(&alice, &rename, json!({ "name": "acme/other" }), 409).await;
    let renamed = answers(&alice, &rename, json!({ "name": "acme/tools/app" }), 200).await;
    assert_eq!((&renamed["name"], &renamed["state"]), (&json!("acme/tools/app"), &json!("ready")));
    let old = app.get("manifests/v1").send().await;
    assert!([401, 404].contains(&old.status), "{}", old.text());
    answers(&alice, &format!("GET {APP}"), Value::Null, 404).await;
    let there = alice.repository("acme/tools/app").await;
    assert_eq!(id_of(&there.token), id_of(&app.token));
    pulls(&there, "v1", &image).await;
    assert_eq!(there.referrers(&image.digest).await.len(), 1);
    assert_eq!(names(&alice, "/repositories/acme/tools/app/-/tags").await, ["v1"]);
    // The old name is free, and means another one.
    let second = alice.repository("acme/app").await;
    second.push_image("v1", "second").await;
    second.head(&format!("blobs/{}", sha256(b"layer"))).send().await.is(404);
    pulls(&there, "v1", &image).await;
    answers(&alice, "DELETE /repositories/acme/tools/app", Value::Null, 204).await;
    answers(&alice, "POST /repositories/acme/tools/app/-/restore", Value::Null, 200).await;
    pulls(&alice.repository("acme/tools/app").await, "v1", &image).await;
    drop(stack);
}

#[tokio::test]
async fn what_no_registry_answers_to_stands_and_is_done_later() {
    let (stack, alice) = stack_with_app().await;
    let app = alice.repository("acme/app").await;
    let silent = User::new(&stack.index_calling("http://127.0.0.1:9"), "alice");
    let waits = answers(&silent, &format!("DELETE {APP}"), Value::Null, 202).await;
    assert_eq!(waits["state"], "waiting");
    // Deleted it is, although it lies there.
    answers(&alice, &format!("GET {APP}"), Value::Null, 404).await;
    alice.repository("acme/app").await.get("manifests/v1").send().await.is(401);
    assert!(stack.stored("repositories/acme/app/_manifests").exists());
    stack.carry_out_wishes(0).await;
    is_unseen(&stack, &alice, &app).await;

    answers(&silent, &format!("POST {APP}/-/restore"), Value::Null, 202).await;
    answers(&alice, &format!("GET {APP}"), Value::Null, 404).await;
    stack.carry_out_wishes(0).await;
    let image = image(&[b"layer"]);
    pulls(&alice.repository("acme/app").await, "v1", &image).await;

    answers(&silent, &format!("POST {APP}/-/rename"), json!({ "name": "acme/new" }), 202).await;
    answers(&alice, "PUT /repositories/acme/new", json!({}), 409).await;
    let moving = answers(&alice, &format!("DELETE {APP}"), Value::Null, 409).await;
    assert_eq!(moving["code"], "moving");
    stack.carry_out_wishes(0).await;
    pulls(&alice.repository("acme/new").await, "v1", &image).await;

    // A deletion that storage never saw is undone as well, and a purge that waits is not.
    answers(&silent, "DELETE /repositories/acme/new", Value::Null, 202).await;
    answers(&alice, "POST /repositories/acme/new/-/restore", Value::Null, 200).await;
    pulls(&alice.repository("acme/new").await, "v1", &image).await;
    answers(&silent, "DELETE /repositories/acme/new", Value::Null, 202).await;
    let silent_admin = silent.named("admin");
    answers(&silent_admin, "POST /repositories/acme/new/-/purge", Value::Null, 202).await;
    let gone = answers(&alice, "POST /repositories/acme/new/-/restore", Value::Null, 409).await;
    assert_eq!(gone["code"], "moving");
    stack.carry_out_wishes(0).await;
    answers(&alice, "PUT /repositories/acme/new", json!({}), 201).await;
    alice.repository("acme/new").await.get("manifests/v1").send().await.is(404);
}

#[tokio::test]
async fn the_split_index_calls_a_registry_over_http() {
    let (stack, _) = stack_with_app().await;
    let registry = stack.replica();
    let alice = User::new(&stack.index_calling(&format!("http://{}", registry.address())), "alice");
    answers(&alice, &format!("DELETE {APP}"), Value::Null, 204).await;
    assert!(!stack.stored("repositories/acme/app/_manifests").exists());
    answers(&alice, &format!("POST {APP}/-/restore"), Value::Null, 200).await;
    answers(&alice, &format!("POST {APP}/-/rename"), json!({ "name": "acme/new" }), 200).await;
    assert!(stack.stored("repositories/acme/new/_manifests").exists());
    // What cannot be is said, and not repeated for ever.
    fs::create_dir_all(stack.stored("repositories/acme/foreign/_layers")).unwrap();
    let foreign = json!({ "name": "acme/foreign" });
    let refused = answers(&alice, "POST /repositories/acme/new/-/rename", foreign, 409).await;
    assert_eq!(refused["code"], "not_moved");
    answers(&alice, "DELETE /repositories/acme/new", Value::Null, 204).await;
    let admin = alice.named("admin");
    answers(&admin, "POST /repositories/acme/new/-/purge", Value::Null, 204).await;
}

#[tokio::test]
async fn an_index_restored_from_a_backup_counts_on_from_where_registries_are() {
    let (stack, alice) = stack_with_app().await;
    let backup = stack.index_backup();
    for _ in 0..5 {
        answers(&alice, &format!("DELETE {APP}"), Value::Null, 204).await;
        answers(&alice, &format!("POST {APP}/-/restore"), Value::Null, 200).await;
    }
    let stack = stack.with_index_of(&backup).await;
    let alice = User::new(&stack.host, "alice");
    pulls(&alice.repository("acme/app").await, "v1", &image(&[b"layer"])).await;
    answers(&alice, &format!("DELETE {APP}"), Value::Null, 204).await;
    assert!(!stack.stored("repositories/acme/app/_manifests").exists());
    answers(&alice, &format!("POST {APP}/-/restore"), Value::Null, 200).await;
    pulls(&alice.repository("acme/app").await, "v1", &image(&[b"layer"])).await;
}
