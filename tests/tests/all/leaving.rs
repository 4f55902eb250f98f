//! Leaving an organisation, and its end: whatever else happens at the same moment, somebody owns it as long as it is there.

use crate::support::{Stack, User};
use reqwest::Method;
use serde_json::{Value, json};

async fn leaves(user: &User, organisation: &str) -> u16 {
    let path = format!("/api/v1/orgs/{organisation}/members/{}", user.name);
    user.asks(Method::DELETE, &path).send().await.status
}

#[tokio::test]
async fn anybody_leaves_but_the_last_owner() {
    let stack = Stack::start().await;
    let (alice, bob) = (stack.user("alice").await, stack.user("bob").await);
    alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    alice.does(Method::PUT, "/orgs/acme/members/bob", &json!({ "role": "member" })).await;
    assert_eq!(leaves(&alice, "acme").await, 409);
    assert_eq!(leaves(&bob, "acme").await, 204);
    assert_eq!(leaves(&bob, "acme").await, 404);
    bob.asks(Method::GET, "/api/v1/orgs/acme").send().await.is(404);
}

#[tokio::test]
async fn an_owner_whose_account_is_disabled_does_not_count_as_one() {
    let stack = Stack::start().await;
    let (admin, alice, bob) = (stack.admin(), stack.user("alice").await, stack.user("bob").await);
    stack.user("carol").await;
    let member = async |user: &User, name: &str, role: &str| {
        let path = format!("/api/v1/orgs/acme/members/{name}");
        user.asks(Method::PUT, &path).json(&json!({ "role": role })).send().await.status
    };
    let disable = async |name: &str, disabled: bool| {
        admin.does(Method::PATCH, &format!("/admin/users/{name}"), &json!({ "disabled": disabled })).await
    };
    alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    assert_eq!(member(&alice, "bob", "owner").await, 200);
    disable("alice", true).await;
    assert_eq!((leaves(&bob, "acme").await, member(&bob, "bob", "member").await), (409, 409));
    // Whoever runs the instance may disable the last one too, and then makes another.
    disable("bob", true).await;
    assert_eq!(member(&admin, "carol", "member").await, 200);
    assert_eq!(member(&admin, "bob", "member").await, 409);
    assert_eq!(member(&admin, "carol", "owner").await, 200);
    assert_eq!(member(&admin, "bob", "member").await, 200);
    disable("bob", false).await;
    assert_eq!(leaves(&bob, "acme").await, 204);
}

#[tokio::test]
async fn of_two_owners_who_leave_at_once_one_stays() {
    let stack = Stack::start().await;
    let (alice, bob) = (stack.user("alice").await, stack.user("bob").await);
    for round in 0..8 {
        let organisation = format!("acme{round}");
        alice.does(Method::POST, "/orgs", &json!({ "name": organisation })).await;
        let owner = json!({ "role": "owner" });
        alice.does(Method::PUT, &format!("/orgs/{organisation}/members/bob"), &owner).await;
        let mut statuses = [0; 2];
        (statuses[0], statuses[1]) = tokio::join!(leaves(&alice, &organisation), leaves(&bob, &organisation));
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409]);
        let members = stack.admin().does(Method::GET, &format!("/orgs/{organisation}/members"), &Value::Null).await;
        assert_eq!(members["items"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_is_made_while_its_organisation_ends_is_there_before_or_finds_none() {
    let stack = Stack::start().await;
    // Without the time that a password takes, requests meet.
    let admin = stack.admin();
    let secret = admin.does(Method::POST, "/user/tokens", &json!({ "name": "all" })).await["secret"].clone();
    let ask = |method: Method, path: String, body: Value| {
        let request = stack.host.request(method, &format!("/api/v1{path}")).token(secret.as_str().unwrap());
        async move { request.json(&body).send().await.status }
    };
    for round in 0..20 {
        let organisation = format!("acme{round}");
        ask(Method::POST, "/orgs".to_owned(), json!({ "name": organisation })).await;
        let teams = format!("/orgs/{organisation}/teams");
        let (deleted, a, b, c) = tokio::join!(
            ask(Method::DELETE, format!("/orgs/{organisation}"), Value::Null),
            ask(Method::POST, teams.clone(), json!({ "name": "a" })),
            ask(Method::POST, teams.clone(), json!({ "name": "b" })),
            ask(Method::POST, teams.clone(), json!({ "name": "c" })),
        );
        assert_eq!(deleted, 204);
        assert!([a, b, c].iter().all(|status| [201, 404].contains(status)), "{a} {b} {c}");
    }
}
