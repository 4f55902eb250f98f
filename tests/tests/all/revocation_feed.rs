//! A registry has a token confirmed once; from then on the index's feed of revocations says what ends, and while that is not
//! heard each token is confirmed anew. Two processes that are not the index's must both refuse within two seconds.

use crate::support::{Between, Call, Host, Look, Program, Repository, Stack, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What is taken away ends within this.
const ENDS: Duration = Duration::from_secs(2);

const PATIENCE: Duration = Duration::from_secs(20);

/// `admin/app` with an image under `v1`.
async fn stack_with_app() -> Stack {
    let stack = Stack::start().await;
    stack.admin().repository("admin/app").await.push_image("v1", "layer").await;
    stack
}

async fn pull(repository: &Repository) -> u16 {
    repository.get("manifests/v1").send().await.status
}

/// Pulls with the token of `app` through each of `registries`.
async fn pulls(app: &Repository, registries: &[&Host], status: u16) {
    for host in registries {
        assert_eq!(pull(&app.on(host)).await, status);
    }
}

#[tokio::test]
async fn a_token_is_confirmed_once_for_each_registry_and_then_no_more() {
    let stack = stack_with_app().await;
    let (one, of_one) = stack.unsteady_replica();
    let (other, of_other) = stack.unsteady_replica();
    let app = stack.admin().repository("admin/app").await;
    stack.user("bob").await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(4) {
        pulls(&app, &[&one, &other], 200).await;
        // Rows that name others do not end it, nor have it confirmed again.
        stack.admin().does(Method::PUT, "/namespaces/admin/grants/user:bob", &json!({ "role": "read" })).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!((of_one.count(Call::Introspect), of_other.count(Call::Introspect)), (1, 1));
}

#[tokio::test]
async fn a_repository_that_is_made_private_or_deleted_ends_for_every_token() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    let one = Program::start_beside(&stack, &[]).await;
    let other = Program::start_beside(&stack, &[]).await;
    // Neither holds anything there.
    let readers = [stack.anonymous(), stack.user("bob").await];
    for (name, method, action, body) in [
        ("admin/shown", Method::PATCH, "", json!({ "visibility": "private" })),
        ("admin/gone", Method::DELETE, "", Value::Null),
        ("admin/renamed", Method::POST, "/-/rename", json!({ "name": "admin/other" })),
    ] {
        admin.repository(name).await.push_image("v1", name).await;
        admin.does(Method::PATCH, &format!("/repositories/{name}"), &json!({ "visibility": "public" })).await;
        let mut apps = Vec::new();
        for reader in &readers {
            apps.push(reader.repository(name).await);
        }
        for app in &apps {
            pulls(app, &[&one.host, &other.host], 200).await;
        }
        admin.does(method, &format!("/repositories/{name}{action}"), &body).await;
        let taken = Instant::now();
        for app in &apps {
            for host in [&one.host, &other.host] {
                eventually(name, ENDS, async || pull(&app.on(host)).await == 401).await;
            }
        }
        assert!(taken.elapsed() < ENDS, "{name}: {:?}", taken.elapsed());
    }
}

#[tokio::test]
async fn while_the_feed_is_not_heard_tokens_are_confirmed_anew() {
    let stack = stack_with_app().await;
    let (host, index) = stack.unsteady_replica();
    let bob = stack.user("bob").await;
    stack.admin().does(Method::PUT, "/namespaces/admin/grants/user:bob", &json!({ "role": "read" })).await;
    let app = bob.repository("admin/app").await.on(&host);
    assert_eq!(pull(&app).await, 200);
    index.fail(Some(Call::Revocations));
    let cut = Instant::now();
    while cut.elapsed() < Duration::from_secs(5) {
        assert_eq!(pull(&app).await, 200);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // For two seconds what was heard is good enough; then it is asked once a second, not for each pull.
    let asked = index.count(Call::Introspect);
    assert!((3..=6).contains(&asked), "{asked}");
    stack.admin().does(Method::DELETE, "/namespaces/admin/grants/user:bob", &Value::Null).await;
    eventually("the grant is taken away, and nothing is heard", ENDS, async || pull(&app).await == 401).await;
}

#[tokio::test]
async fn a_feed_that_hangs_is_not_trusted_for_longer_than_one_that_fails() {
    let stack = stack_with_app().await;
    let (host, index) = stack.unsteady_replica();
    stack.user("bob").await;
    stack.admin().does(Method::PUT, "/namespaces/admin/grants/user:bob", &json!({ "role": "read" })).await;
    let app = stack.admin().named("bob").repository("admin/app").await.on(&host);
    assert_eq!(pull(&app).await, 200);
    index.hold(Call::Revocations);
    // The question that is under way is still answered.
    tokio::time::sleep(Duration::from_secs(1)).await;
    stack.admin().does(Method::DELETE, "/namespaces/admin/grants/user:bob", &Value::Null).await;
    assert_eq!(pull(&app).await, 200);
    eventually("what is not heard is asked", ENDS, async || pull(&app).await == 401).await;
}

#[tokio::test]
async fn a_registry_that_starts_again_has_a_token_confirmed_and_knows_what_was_revoked_before() {
    const SECRET: &str = "of registries";
    let stack = stack_with_app().await;
    let between = Between::and(stack.index_for_registries(SECRET).address());
    let url = format!("http://{}", between.address);
    let variables = [("REGISTRY_INDEX_URL", url.as_str()), ("REGISTRY_INDEX_GRACE", "5m")];
    let app = stack.admin().repository("admin/app").await;
    let bob = stack.user("bob").await;
    stack.admin().does(Method::PUT, "/namespaces/admin/grants/user:bob", &json!({ "role": "read" })).await;
    let lost = bob.repository("admin/app").await;
    stack.admin().does(Method::DELETE, "/namespaces/admin/grants/user:bob", &Value::Null).await;
    let mut registry = Program::start_beside(&stack, &variables).await;
    pulls(&app, &[&registry.host], 200).await;
    pulls(&lost, &[&registry.host], 401).await;
    registry.kill();
    registry.ends().await;
    // It has confirmed nothing, so without the index it lets nobody in.
    between.looks(Look::Gone);
    let registry = Program::start_beside(&stack, &variables).await;
    pulls(&app, &[&registry.host], 503).await;
    between.looks(Look::Well);
    eventually("the index is back", PATIENCE, async || pull(&app.on(&registry.host)).await == 200).await;
    pulls(&lost, &[&registry.host], 401).await;
}

#[tokio::test]
async fn a_right_that_is_given_back_does_not_bring_back_a_token() {
    let stack = stack_with_app().await;
    let replica = stack.replica();
    let bob = stack.user("bob").await;
    let grant = "/namespaces/admin/grants/user:bob";
    stack.admin().does(Method::PUT, grant, &json!({ "role": "read" })).await;
    let (app, unseen) = (bob.repository("admin/app").await, bob.repository("admin/app").await);
    pulls(&app, &[&stack.host, &replica], 200).await;
    stack.admin().does(Method::DELETE, grant, &Value::Null).await;
    stack.admin().does(Method::PUT, grant, &json!({ "role": "read" })).await;
    for host in [&stack.host, &replica] {
        eventually("the token is void", ENDS, async || pull(&app.on(host)).await == 401).await;
        // Also where no registry had seen it.
        pulls(&unseen, &[host], 401).await;
    }
    pulls(&bob.repository("admin/app").await, &[&stack.host, &replica], 200).await;
}

#[tokio::test]
async fn tokens_from_before_a_restored_backup_are_void() {
    let stack = stack_with_app().await;
    let backup = stack.index_backup();
    stack.user("bob").await;
    // Revocations that the backup knows nothing of.
    for _ in 0..3 {
        stack.admin().does(Method::PUT, "/namespaces/admin/grants/user:bob", &json!({ "role": "read" })).await;
    }
    let token = stack.admin().token("repository:admin/app:pull").await;
    let stack = stack.with_index_of(&backup).await;
    assert_eq!(pull(&Repository::new(&stack.host, "admin/app", token)).await, 401);
    pulls(&stack.admin().repository("admin/app").await, &[&stack.host], 200).await;
}

#[tokio::test]
async fn the_feed_is_for_registries_alone_and_says_all_to_who_knows_nothing() {
    const SECRET: &str = "of registries";
    let stack = stack_with_app().await;
    let index = stack.index_for_registries(SECRET);
    let feed = |after: &str| index.get(&format!("/internal/v1/revocations?{after}"));
    feed("incarnation=&number=0").send().await.is(401);
    feed("incarnation=&number=0").token(&stack.admin().token("").await).send().await.is(401);
    stack.host.get("/internal/v1/revocations?incarnation=&number=0").token(SECRET).send().await.is(404);
    stack.user("bob").await;
    stack.admin().does(Method::PUT, "/namespaces/admin/grants/user:bob", &json!({ "role": "read" })).await;
    stack.admin().does(Method::DELETE, "/namespaces/admin/grants/user:bob", &Value::Null).await;
    let whole = feed("incarnation=none&number=7").token(SECRET).send().await.is(200).json();
    assert_eq!(whole["is_whole"], true);
    let last = whole["revocations"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last, json!({ "number": whole["position"]["number"], "kind": "subject", "name": "bob" }));
    // What is known is waited for, and not for long.
    let known = format!("incarnation={}&number={}", whole["position"]["incarnation"].as_str().unwrap(), last["number"]);
    let begun = Instant::now();
    let nothing = feed(&known).token(SECRET).send().await.is(200).json();
    assert_eq!((nothing["revocations"].as_array().unwrap().len(), &nothing["is_whole"]), (0, &json!(false)));
    let waited = begun.elapsed();
    assert!(Duration::from_millis(200) < waited && waited < Duration::from_secs(1), "{waited:?}");
}
