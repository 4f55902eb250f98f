//! Who may do what on a repository, and why: what is explained is what tokens grant and registries do, whoever asks and
//! however the right came about; and without its first reason a right is what the next one says.
#![allow(clippy::print_stdout, reason = "a failure is repeated with the seed that was printed")]

mod without;
mod world;

use crate::support::{Stack, User};
use reqwest::Method;
use serde_json::{Value, json};
use without::falls_to_the_next;
use world::World;

/// Random changes of the world, after each of which every subject is held against every repository.
const ROUNDS: usize = 42;

/// In each round so many reasons are taken away, if so many are found that can be.
const TAKEN: usize = 5;

/// And in the end at least so many.
const ENOUGH: usize = 100;

#[tokio::test]
async fn what_is_explained_is_what_tokens_grant_and_registries_do() {
    let now = jiff::Timestamp::now().as_microsecond().unsigned_abs();
    let seed = std::env::var("BERTH_TESTS_SEED").map_or(now, |seed| seed.parse().unwrap());
    println!("again: BERTH_TESTS_SEED={seed}");
    let mut world = World::new(seed).await;
    let (mut triples, mut fallen) = (0, 0);
    for round in 0..ROUNDS {
        for _ in 0..3 {
            world.changes().await;
        }
        for subject in &world.subjects {
            for name in &world.repositories {
                world.holds(subject, name, &format!("round {round}")).await;
                triples += 3;
            }
            world.is_not_there(subject).await;
        }
        for _ in 0..5 * TAKEN {
            if fallen < (round + 1) * TAKEN {
                fallen += usize::from(falls_to_the_next(&mut world).await);
            }
        }
    }
    assert!(triples >= 10_000, "{triples}");
    // Chance may have left few rights that can be taken: it goes on until there were enough.
    for _ in 0..1000 {
        if fallen >= ENOUGH {
            break;
        }
        world.changes().await;
        fallen += usize::from(falls_to_the_next(&mut world).await);
    }
    assert!(fallen >= ENOUGH, "only {fallen} reasons were taken away");
}

#[tokio::test]
async fn one_is_explained_oneself_and_others_by_administrators() {
    let stack = Stack::start().await;
    let (alice, bob) = (stack.user("alice").await, stack.user("bob").await);
    alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    alice.does(Method::PUT, "/orgs/acme/members/bob", &json!({ "role": "member" })).await;
    alice.does(Method::POST, "/orgs/acme/teams", &json!({ "name": "dev" })).await;
    alice.does(Method::PUT, "/orgs/acme/teams/dev/members/bob", &Value::Null).await;
    alice.does(Method::PUT, "/repositories/acme/app", &json!({})).await;
    alice.does(Method::PUT, "/namespaces/acme/grants/team:acme/dev", &json!({ "role": "write" })).await;
    let expected = json!({
        "repository": "acme/app",
        "subject": "user:bob",
        "role": "write",
        "actions": ["pull", "push"],
        "reasons": [
            { "role": "write", "because": "grant", "granted_to": "team:acme/dev", "namespace": "acme" },
            { "role": "read", "because": "organisation_member" },
        ],
    });
    let path = "/repositories/acme/app/-/explain";
    assert_eq!(bob.does(Method::GET, path, &Value::Null).await, expected);
    assert_eq!(alice.does(Method::GET, &format!("{path}?subject=user:bob"), &Value::Null).await, expected);
    // A robot that she may not see is as one that is not there.
    let admin = stack.admin();
    admin.does(Method::POST, "/orgs", &json!({ "name": "secret" })).await;
    admin.does(Method::POST, "/orgs/secret/robots", &json!({ "name": "ci" })).await;
    let of = async |robot: &str| {
        let told = alice.does(Method::GET, &format!("{path}?subject=robot:{robot}"), &Value::Null).await;
        told.to_string().replace(robot, "ROBOT")
    };
    assert_eq!(of("secret+ci").await, of("none+ci").await);
    let nobody = alice.does(Method::GET, &format!("{path}?subject=user:nobody"), &Value::Null).await;
    assert_eq!((&nobody["role"], &nobody["actions"]), (&Value::Null, &json!([])));
    let get = |user: &User, query: &str| user.asks(Method::GET, &format!("/api/v1{path}{query}")).send();
    get(&bob, "?subject=user:alice").await.is(403);
    get(&alice, "?subject=team:acme/dev").await.is(422);
    get(&stack.user("mallory").await, "").await.is(404);
    get(&stack.user("eve").await, "?subject=user:bob").await.is(404);
    get(&stack.anonymous(), "").await.is(401);
}
