//! Where a client is: its true address, behind trusted proxies only, seen from two client networks through nginx.

use crate::support::{Host, Nginx, Stack, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Two clients of nginx, which itself is at 127.0.0.1.
const OFFICE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// Berth behind nginx, which it trusts.
struct Scene {
    stack: Stack,
    nginx: Nginx,
}

impl Scene {
    async fn set() -> Self {
        let stack = Stack::start_with(&[("INDEX_TRUSTED_PROXIES", "127.0.0.1")]).await;
        let nginx = Nginx::before(&stack.host, &stack.stored("blobs")).await;
        Self { stack, nginx }
    }

    fn office(&self) -> Host {
        self.nginx.host.from(OFFICE)
    }

    fn elsewhere(&self) -> Host {
        self.nginx.host.from(ELSEWHERE)
    }
}

#[tokio::test]
async fn the_last_use_of_a_secret_tells_the_client_s_true_address() {
    let scene = Scene::set().await;
    let alice = scene.stack.user("alice").await;
    alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    let token = alice.does(Method::POST, "/user/tokens", &json!({ "name": "laptop" })).await;
    let robot = alice.does(Method::POST, "/orgs/acme/robots", &json!({ "name": "ci" })).await;
    assert_eq!(token["last_used_from"], Value::Null);
    let of_token = format!("/user/tokens/{}", token["id"].as_str().unwrap());
    for (user, secret, path) in [("alice", &token, of_token.as_str()), ("acme+ci", &robot, "/orgs/acme/robots/ci")] {
        let secret = secret["secret"].as_str().unwrap();
        for (host, forwarded, from) in [
            (scene.office(), None, "127.0.0.2"),
            (scene.elsewhere(), None, "127.0.0.3"),
            // nginx drops what a client says of itself, and past nginx nobody is believed.
            (scene.office(), Some("127.0.0.3"), "127.0.0.2"),
            (scene.stack.host.from(ELSEWHERE), Some("127.0.0.2"), "127.0.0.3"),
            (scene.stack.host.clone(), Some("203.0.113.9, 2001:db8::1"), "2001:db8::1"),
        ] {
            let request = host.get("/token?service=berth").basic(user, secret);
            let request =
                if let Some(forwarded) = forwarded { request.header("X-Forwarded-For", forwarded) } else { request };
            request.send().await.is(200);
            let is_noted = async || alice.does(Method::GET, path, &Value::Null).await["last_used_from"] == from;
            eventually(&format!("{user} was seen from {from}"), Duration::from_secs(5), is_noted).await;
        }
        // Another door, the same way of looking.
        scene.office().get("/v1/search?q=x").token(secret).send().await.is(200);
        let is_noted = async || alice.does(Method::GET, path, &Value::Null).await["last_used_from"] == "127.0.0.2";
        eventually("a search is a use", Duration::from_secs(5), is_noted).await;
    }
}
