//! Signing up: as far as the instance is open, and with a name that is nobody's.

use crate::support::{Host, PASSWORD, Stack, User};
use reqwest::Method;
use serde_json::{Value, json};

fn account(name: &str) -> Value {
    json!({ "name": name, "password": PASSWORD })
}

#[tokio::test]
async fn a_closed_instance_takes_no_sign_ups() {
    let stack = Stack::start().await;
    let answer = stack.anonymous().asks(Method::POST, "/api/v1/users").json(&account("newcomer")).send().await.is(403);
    assert_eq!(answer.json()["code"], "sign_up_closed");
    stack.host.get("/token").basic("newcomer", PASSWORD).send().await.is(401);
}

#[tokio::test]
async fn an_open_instance_takes_whoever_comes_and_gives_each_a_namespace_of_its_own() {
    let stack = Stack::start_with(&[("INDEX_SIGNUP", "open"), ("INDEX_SIGN_UPS_PER_ADDRESS", "0")]).await;
    let anonymous = stack.anonymous();
    let made = anonymous.does(Method::POST, "/users", &account("newcomer")).await;
    assert_eq!((&made["name"], &made["is_admin"]), (&json!("newcomer"), &json!(false)));
    let newcomer = User::new(&stack.host, "newcomer");
    newcomer.repository("newcomer/app").await.push_image("v1", "layer").await;

    // Taken by an account, by an organisation, by a bare repository, or reserved: one answer.
    newcomer.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    stack.admin().repository("ubuntu").await.push_image("v1", "layer").await;
    let mut seen = Vec::new();
    for name in ["newcomer", "acme", "ubuntu", "library", "admin", "api", "v1", "v2", "token", "internal", "static"] {
        for (path, body) in [("/api/v1/users", account(name)), ("/api/v1/orgs", json!({ "name": name }))] {
            let answer = newcomer.asks(Method::POST, path).json(&body).send().await.is(409);
            seen.push((answer.json()["code"].clone(), answer.json()["detail"].clone()));
        }
    }
    assert!(seen.iter().all(|answer| *answer == seen[0]), "{seen:?}");
    // What looks like another's name is none; who signs up says nothing of rights.
    for (body, status) in [
        (account("аdmin"), 422),
        (account("Newcomer"), 422),
        (account("newcomer "), 422),
        (account("new\u{200b}comer"), 422),
        (account("newcomer."), 422),
        (account("newcom\u{ff45}r"), 422),
        (account("\u{fb01}lm"), 422),
        (account("ne\u{301}wcomer"), 422),
        (account("new\ncomer"), 422),
        (account("new%63omer"), 422),
        (account("newcomer/app"), 422),
        (account("acme+ci"), 422),
        (account("newcomer\0"), 422),
        (account("_catalog"), 422),
        (account("x"), 422),
        (json!({ "name": "boss", "password": PASSWORD, "is_admin": true }), 422),
        (json!({ "name": "boss", "password": PASSWORD, "id": "1" }), 422),
        (json!({ "name": "boss", "password": "short" }), 422),
    ] {
        anonymous.asks(Method::POST, "/api/v1/users").json(&body).send().await.is(status);
        let organisation = json!({ "name": body["name"] });
        if body.as_object().unwrap().len() == 2 && body["password"] == PASSWORD {
            newcomer.asks(Method::POST, "/api/v1/orgs").json(&organisation).send().await.is(status);
        }
    }
    let accounts = stack.admin().does(Method::GET, "/admin/users", &Value::Null).await;
    let names = accounts["items"].as_array().unwrap().iter().map(|account| account["name"].as_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["admin", "newcomer"]);
}

#[tokio::test]
async fn not_too_many_sign_up_from_one_address() {
    let stack = Stack::start_with(&[("INDEX_SIGNUP", "open"), ("INDEX_SIGN_UPS_PER_ADDRESS", "3")]).await;
    let (here, there) = (stack.host.from([127, 0, 0, 8]), stack.host.from([127, 0, 0, 9]));
    let sign_up = |host: &Host, name: &str| host.post("/api/v1/users").json(&account(name)).send();
    // A name that is taken counts too: names are not to be tried out.
    for (name, status) in [("ann", 201), ("ann", 409), ("ben", 201)] {
        sign_up(&here, name).await.is(status);
    }
    let refused = sign_up(&here, "carl").await.is(429);
    assert_eq!(refused.json()["code"], "too_many_sign_ups");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(refused.header("ratelimit-policy"), "\"sign-ups\";q=3;w=60");
    assert_eq!(refused.header("ratelimit"), format!("\"sign-ups\";r=0;t={wait}"));
    sign_up(&there, "carl").await.is(201);
}
