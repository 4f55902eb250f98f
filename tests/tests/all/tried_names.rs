//! Whoever tries out names learns of none whether it is there: a wrong secret is answered alike for an account that is
//! there, that is disabled and that is not, and for a robot so too. CWE-204.

use crate::privacy::outline;
use crate::support::{Host, PASSWORD, Stack, origin, sign_in};
use reqwest::Method;
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// Names of one length: an answer that repeats one says no more than was asked.
const NAMES: [&str; 3] = ["present", "removed", "nothing"];

/// The doors that look at a name and a secret; each answers every one of `names` alike, with `status`.
async fn alike(host: &Host, names: &[&str], secret: &str, status: u16) {
    for door in 0..6 {
        let mut seen: Vec<(String, _, usize)> = Vec::new();
        for name in names {
            let form = [("grant_type", "password"), ("username", *name), ("password", secret)];
            let body = json!({ "name": name, "password": secret });
            let request = match door {
                0 => host.get("/token?service=berth&scope=repository:acme/app:pull").basic(name, secret),
                1 => host.post("/token").form(&form),
                2 => host.get("/v1/search?q=x").basic(name, secret),
                3 => host.get("/api/v1/user").basic(name, secret),
                4 => host.get("/api/v1/orgs").basic(name, secret),
                _ => sign_in(host, name).json(&body).header("Origin", origin(host)),
            };
            let answer = request.send().await;
            assert_eq!(answer.status, status, "{name} with {secret}: {}: {}", answer.what, answer.text());
            seen.push((answer.what.clone(), outline(&answer, name), answer.body.len()));
        }
        for (what, outline, length) in &seen {
            assert_eq!((outline, length), (&seen[0].1, &seen[0].2), "{what}: {names:?} with {secret}");
        }
    }
}

#[tokio::test]
async fn a_wrong_secret_is_answered_alike_for_every_name() {
    let per_account = ("INDEX_WRONG_PASSWORDS_PER_ACCOUNT", "600");
    let stack = Stack::start_with(&[("INDEX_WRONG_PASSWORDS_PER_ADDRESS", "600"), per_account]).await;
    let admin = stack.admin();
    admin.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    let mut secrets = Vec::new();
    for name in ["present", "removed"] {
        let user = stack.user(name).await;
        let token = user.does(Method::POST, "/user/tokens", &json!({ "name": "ci" })).await;
        secrets.push(token["secret"].as_str().unwrap().to_owned());
        let robot = admin.does(Method::POST, "/orgs/acme/robots", &json!({ "name": name })).await;
        secrets.push(robot["secret"].as_str().unwrap().to_owned());
    }
    admin.does(Method::PATCH, "/admin/users/removed", &json!({ "disabled": true })).await;
    admin.does(Method::PATCH, "/orgs/acme/robots/removed", &json!({ "disabled": true })).await;
    let robots = NAMES.map(|name| format!("acme+{name}"));
    let robots: Vec<&str> = robots.iter().map(String::as_str).chain(["none+nothing"]).collect();
    let random = |kind: &str| format!("{kind}_{}", "x".repeat(43));
    // A password, and what looks like an access token's secret or a robot's and is nobody's.
    for (net, secret) in ["a wrong one", &random("berth_pat"), &random("berth_rob")].into_iter().enumerate() {
        let host = stack.host.from(Ipv4Addr::new(127, 0, u8::try_from(net).unwrap(), 9));
        alike(&host, &NAMES, secret, 401).await;
        alike(&host, &robots, secret, 401).await;
        // A robot has no password, so nobody's right one is its.
        alike(&host, &robots, PASSWORD, 401).await;
    }
    // Who has the secret is told what is wrong; who shows it with another's name has a wrong one.
    for secret in &secrets {
        alike(&stack.host, &["another", "nothing"], secret, 401).await;
    }
    let of_disabled = stack.host.get("/api/v1/user").basic("removed", PASSWORD).send().await.is(403);
    assert_eq!(of_disabled.json()["code"], "account_disabled");
    stack.host.get("/api/v1/user").basic("present", PASSWORD).send().await.is(200);
}

#[tokio::test]
async fn sign_up_says_of_a_name_that_it_cannot_be_had_and_not_why() {
    let stack = Stack::start_with(&[("INDEX_SIGNUP", "open"), ("INDEX_SIGN_UPS_PER_ADDRESS", "0")]).await;
    let admin = stack.admin();
    stack.user("present").await;
    stack.user("removed").await;
    admin.does(Method::PATCH, "/admin/users/removed", &json!({ "disabled": true })).await;
    admin.does(Method::POST, "/orgs", &json!({ "name": "company" })).await;
    admin.does(Method::POST, "/orgs", &json!({ "name": "expired" })).await;
    admin.does(Method::DELETE, "/orgs/expired", &Value::Null).await;
    let mut seen = Vec::new();
    for name in ["present", "removed", "company", "expired"] {
        let body = json!({ "name": name, "password": PASSWORD });
        let answer = stack.host.post("/api/v1/users").json(&body).send().await.is(409);
        seen.push((outline(&answer, name), answer.body.len()));
    }
    assert!(seen.iter().all(|answer| *answer == seen[0]), "{seen:?}");
}
