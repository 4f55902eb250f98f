//! Guessing passwords: held back by address and by account, at every door together. Must not ask who is locked out by that:
//! `locked_out.rs` does.

use crate::privacy::outline;
use crate::support::{Host, PASSWORD, Stack, origin, sign_in};
use reqwest::Method;
use serde_json::json;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

/// Berth that looks at so many wrong passwords a minute, from one address and for one account.
pub async fn start(per_address: usize, per_account: usize) -> Stack {
    let (address, account) = (per_address.to_string(), per_account.to_string());
    let variables =
        [("INDEX_WRONG_PASSWORDS_PER_ADDRESS", &*address), ("INDEX_WRONG_PASSWORDS_PER_ACCOUNT", &*account)];
    Stack::start_with(&variables).await
}

/// The stack as the client 127.0.`net`.`host` sees it.
pub fn from(stack: &Stack, net: u8, host: u8) -> Host {
    stack.host.from(Ipv4Addr::new(127, 0, net, host))
}

pub async fn status(host: &Host, user: &str, password: &str) -> u16 {
    host.get("/token").basic(user, password).send().await.status
}

/// How many wrong passwords are answered before the rest is refused.
pub async fn answered(host: &Host, user: &str) -> usize {
    let mut answered = 0;
    while status(host, user, "wrong password").await == 401 {
        answered += 1;
        assert!(answered < 100, "it never ends");
    }
    answered
}

#[tokio::test]
async fn who_guesses_from_one_address_is_held_back_at_every_door_and_nobody_else() {
    let stack = start(6, 60).await;
    stack.user("alice").await;
    let thief = from(&stack, 0, 9);
    let guesses = [
        thief.get("/token").basic("alice", "wrong password"),
        thief.post("/token").form(&[("grant_type", "password"), ("username", "alice"), ("password", "wrong password")]),
        thief.get("/v1/search?q=x").basic("alice", "wrong password"),
        thief.get("/api/v1/user").basic("alice", "wrong password"),
        sign_in(&thief, "alice")
            .json(&json!({ "name": "alice", "password": "wrong password" }))
            .header("Origin", origin(&thief)),
        // Looked at before the request that it may stand for, and counted once.
        thief.post("/api/v1/orgs").basic("nobody", "wrong password").header("Idempotency-Key", "key"),
    ];
    for guess in guesses {
        guess.send().await.is(401);
    }
    let docker = thief.get("/token").basic("alice", "wrong password").send().await.refuses(429, "TOOMANYREQUESTS");
    let wait: u64 = docker.header("retry-after").parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    assert_eq!(docker.json()["error"], "slow_down");
    let limit = ["ratelimit-policy", "ratelimit", "x-ratelimit-limit"].map(|name| docker.header(name));
    assert_eq!(limit, ["\"wrong-passwords\";q=6;w=60", &format!("\"wrong-passwords\";r=0;t={wait}"), "6"]);
    for (user, password) in [("alice", PASSWORD), ("alice", "wrong password"), ("nobody", PASSWORD), ("bob", PASSWORD)]
    {
        for path in ["/token", "/v1/search?q=x", "/api/v1/user", "/api/v1/orgs"] {
            let refused = thief.get(path).basic(user, password).send().await.is(429);
            assert!(
                !refused.header("retry-after").is_empty() && refused.text().contains("wrong passwords"),
                "{refused:?}"
            );
        }
    }
    let page = sign_in(&thief, "alice").header("Origin", origin(&thief)).send().await.is(429);
    assert_eq!(
        (page.header("content-type"), page.json()["code"].clone()),
        ("application/problem+json", json!("too_many_guesses"))
    );
    thief.get("/token").send().await.is(200);
    assert_eq!(status(&from(&stack, 0, 2), "alice", PASSWORD).await, 200, "from another address");
    // It ends, and a right password is no guess.
    tokio::time::sleep(Duration::from_secs(wait)).await;
    for _ in 0..12 {
        assert_eq!(status(&thief, "alice", PASSWORD).await, 200);
    }
}

#[tokio::test]
async fn a_flood_of_guesses_is_refused_before_any_work_is_done() {
    let stack = start(6, 60).await;
    let alice = stack.user("alice").await;
    let alices = alice.repository("alice/app").await;
    let image = alices.push_image("v1", "layer").await;
    let thief = from(&stack, 0, 9);
    let begun = Instant::now();
    let guesses = (0..300).map(|_| status(&thief, "alice", "wrong password"));
    let statuses = futures_util::future::join_all(guesses).await;
    let answered = statuses.iter().filter(|status| **status == 401).count();
    // Those that are being checked when the last one is counted are checked to their end.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    assert!((6..=6 + cores).contains(&answered), "{answered}");
    assert!(statuses.iter().all(|status| [401, 429].contains(status)), "{statuses:?}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    alices.get(&format!("manifests/{}", image.digest)).send().await.is(200);
}

#[tokio::test]
async fn nobody_learns_who_has_an_account() {
    // As many as it takes are answered.
    let unbound = ("INDEX_WRONG_PASSWORDS_PER_ADDRESS", "0");
    let stack = Stack::start_with(&[("INDEX_SIGNUP", "open"), unbound]).await;
    let mallory = stack.user("mallory").await;
    for name in ["anna", "berta"] {
        stack.user(name).await;
    }
    stack.admin().does(Method::PATCH, "/admin/users/berta", &json!({ "disabled": true })).await;
    let asks = |name: &str| {
        let body = json!({ "name": name, "password": "wrong password" });
        let reset = format!("/api/v1/admin/users/{name}/reset-password");
        [
            (401, stack.host.get("/token?service=berth").basic(name, "wrong password")),
            (401, stack.host.get("/v1/search?q=x").basic(name, "wrong password")),
            (401, stack.host.get("/api/v1/user").basic(name, "wrong password")),
            (401, stack.host.post("/api/v1/session").header("Origin", origin(&stack.host)).json(&body)),
            (403, mallory.asks(Method::POST, &reset).json(&json!({}))),
            (403, mallory.asks(Method::GET, &format!("/api/v1/admin/users/{name}"))),
        ]
    };
    // One that is there, one that is disabled, and none.
    let mut seen = Vec::new();
    for name in ["anna", "berta", "carla"] {
        let mut outlines = Vec::new();
        for (status, request) in asks(name) {
            outlines.push(outline(&request.send().await.is(status), name));
        }
        seen.push(outlines);
    }
    assert!(seen.iter().all(|outlines| *outlines == seen[0]), "{seen:#?}");
    // The same of robots.
    mallory.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    for name in ["ci", "off"] {
        mallory.does(Method::POST, "/orgs/acme/robots", &json!({ "name": name })).await;
    }
    mallory.does(Method::PATCH, "/orgs/acme/robots/off", &json!({ "disabled": true })).await;
    let mut seen = Vec::new();
    for name in ["acme+ci", "acme+off", "acme+none", "none+none"] {
        let mut outlines = Vec::new();
        for secret in ["wrong password", &format!("berth_rob_{}", "x".repeat(43))] {
            for path in ["/token?service=berth", "/v1/search?q=x", "/api/v1/repositories"] {
                outlines.push(outline(&stack.host.get(path).basic(name, secret).send().await.is(401), name));
            }
        }
        seen.push(outlines);
    }
    assert!(seen.iter().all(|outlines| *outlines == seen[0]), "{seen:#?}");
    // Who signs up learns of a name only that it is not to be had.
    let mut taken = Vec::new();
    for name in ["anna", "berta", "library"] {
        let answer = stack.host.post("/api/v1/users").json(&json!({ "name": name, "password": PASSWORD })).send().await;
        taken.push(outline(&answer.is(409), name));
    }
    assert!(taken.iter().all(|outline| *outline == taken[0]), "{taken:#?}");
}

#[tokio::test]
async fn who_guesses_at_many_accounts_is_held_back_as_who_guesses_at_one() {
    let stack = start(3, 5).await;
    stack.user("alice").await;
    let thief = from(&stack, 0, 9);
    let mut statuses = Vec::new();
    for number in 0..100 {
        statuses.push(status(&thief, &format!("user{number}"), "wrong password").await);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 3, "{statuses:?}");
    assert!(statuses[3..].iter().all(|status| *status == 429), "{statuses:?}");
    assert_eq!(status(&from(&stack, 0, 2), "alice", PASSWORD).await, 200);
}

#[tokio::test]
async fn an_address_is_the_one_that_a_trusted_proxy_tells_and_no_other() {
    let rates = [("INDEX_WRONG_PASSWORDS_PER_ADDRESS", "3"), ("INDEX_WRONG_PASSWORDS_PER_ACCOUNT", "5")];
    let behind = Stack::start_with(&[&rates[..], &[("INDEX_TRUSTED_PROXIES", "127.0.0.1")]].concat()).await;
    behind.user("alice").await;
    let asks = async |stack: &Stack, header: &str, value: String, password: &str| {
        let request = stack.host.get("/token").basic("alice", password).header(header, value);
        request.send().await.status
    };
    let home = "198.51.100.1";
    assert_eq!(asks(&behind, "X-Forwarded-For", home.to_owned(), PASSWORD).await, 200);
    let addresses = ["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"];
    for from in addresses {
        for expected in [401, 401, 401, 429] {
            assert_eq!(asks(&behind, "X-Forwarded-For", from.to_owned(), "wrong password").await, expected, "{from}");
        }
        assert_eq!(asks(&behind, "X-Forwarded-For", from.to_owned(), PASSWORD).await, 429, "{from}");
    }
    for from in [home, "203.0.113.200"] {
        let status = asks(&behind, "X-Forwarded-For", from.to_owned(), PASSWORD).await;
        assert_eq!(status, 200, "its owner is not locked out at {from}");
    }

    // Who is no proxy of ours is one address, whatever it says.
    let direct = Stack::start_with(&rates).await;
    direct.user("alice").await;
    for header in ["X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP"] {
        let mut answered = 0;
        for number in 0..20 {
            let from =
                if header == "Forwarded" { format!("for=203.0.113.{number}") } else { format!("203.0.113.{number}") };
            answered += usize::from(asks(&direct, header, from, "wrong password").await == 401);
        }
        assert_eq!(answered, if header == "X-Forwarded-For" { 3 } else { 0 }, "{header}");
    }
}

#[tokio::test]
async fn what_can_be_no_password_is_refused_without_being_tried() {
    // Whatever is hashed counts as a guess, and the second guess would be too many.
    let stack = start(1, 60).await;
    stack.user("alice").await;
    let thief = from(&stack, 0, 9);
    let long =
        ["x".repeat(129), "x".repeat(20_000), "\0".repeat(20), format!("{PASSWORD}\0"), "x".repeat(7), String::new()];
    for password in &long {
        for name in ["alice", "nobody"] {
            for path in ["/token", "/v1/search?q=x", "/api/v1/user"] {
                thief.get(path).basic(name, password).send().await.is(401);
            }
            let form = [("grant_type", "password"), ("username", name), ("password", password)];
            thief.post("/token").form(&form).send().await.is(401);
            let session = thief.post("/api/v1/session").header("Origin", origin(&thief));
            session.json(&json!({ "name": name, "password": password })).send().await.is(401);
        }
    }
    // More than anybody reads is not read.
    let huge = "x".repeat(1 << 20);
    let form = [("grant_type", "password"), ("username", "alice"), ("password", huge.as_str())];
    for request in [
        thief.post("/token").form(&form),
        thief.get("/token").basic("alice", &huge),
        thief
            .post("/api/v1/session")
            .header("Origin", origin(&thief))
            .json(&json!({ "name": "alice", "password": huge })),
    ] {
        // The connection may be closed before the answer is read.
        if let Some(answer) = request.attempt().await {
            assert!([400, 401, 413, 431].contains(&answer.status), "{}", answer.status);
        }
    }
    assert_eq!(status(&thief, "alice", "wrong password").await, 401, "none of all that was a guess");
    assert_eq!(status(&thief, "alice", "wrong password").await, 429);
}
