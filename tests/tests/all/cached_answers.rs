//! What one caller is answered is never the answer of another, whatever is remembered in between: of the same address asked
//! one after the other each is decided on its own, and a condition of a request opens nothing (RFC 9110, section 13).

use crate::support::{Repository, Stack, User, sha256};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Requests of the registry, in this order on the same replica: who, request, status. `LAYER` and `IMAGE` are digests.
const STEPS: &[(&str, &str, u16)] = &[
    // Allowed here, and not there, with a token that lists both.
    ("bob", "GET pub/manifests/v1", 200),
    ("bob", "GET priv/manifests/v1", 401),
    ("bob", "GET pub/blobs/LAYER", 200),
    ("bob", "GET priv/blobs/LAYER", 401),
    // The one who may comes before those who may not, and after them.
    ("alice", "GET priv/manifests/v1", 200),
    ("mallory", "GET priv/manifests/v1", 401),
    ("nobody", "GET priv/manifests/v1", 401),
    ("no token", "GET priv/manifests/v1", 401),
    ("alice", "GET priv/manifests/IMAGE", 200),
    ("mallory", "HEAD priv/manifests/IMAGE", 401),
    ("mallory", "GET priv/manifests/IMAGE", 401),
    ("alice", "HEAD priv/blobs/LAYER", 200),
    ("mallory", "HEAD priv/blobs/LAYER", 401),
    ("mallory", "GET priv/blobs/LAYER", 401),
    ("no token", "GET priv/blobs/LAYER", 401),
    ("alice", "GET priv/tags/list", 200),
    ("mallory", "GET priv/tags/list", 401),
    ("alice", "GET priv/referrers/IMAGE", 200),
    ("mallory", "GET priv/referrers/IMAGE", 401),
    // Reading is not writing, nor the other way.
    ("reader", "HEAD priv/manifests/v1", 200),
    ("reader", "PUT priv/manifests/v1", 401),
    ("alice", "PUT priv/manifests/v1", 201),
    ("reader", "PUT priv/manifests/v1", 401),
    ("reader", "DELETE priv/manifests/v1", 401),
    ("reader", "POST priv/blobs/uploads/", 401),
    ("alice, to push", "PUT priv/manifests/v1", 201),
    ("alice, to push", "DELETE priv/manifests/v1", 401),
    ("alice, to delete", "DELETE priv/manifests/none", 404),
    ("alice, to delete", "GET priv/manifests/v1", 401),
    ("bob", "GET pub/manifests/v1", 200),
];

/// Conditions and ranges that whoever knows a digest can send along.
const CONDITIONS: &[(&str, &str)] = &[
    ("", ""),
    ("If-None-Match", "\"IMAGE\""),
    ("If-None-Match", "\"LAYER\""),
    ("If-None-Match", "*"),
    ("If-Match", "\"IMAGE\""),
    ("Range", "bytes=0-0"),
    ("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"),
    ("Cache-Control", "only-if-cached"),
];

/// `acme` of the owner `alice`, with the repositories `pub` and `priv`, the same image in both; `reader` may read `priv`.
struct Scene {
    stack: Stack,
    alice: User,
    image: String,
    manifest: Vec<u8>,
}

impl Scene {
    async fn set() -> Self {
        let stack = Stack::start().await;
        let alice = stack.user("alice").await;
        for name in ["bob", "mallory", "reader"] {
            stack.user(name).await;
        }
        alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
        let image = alice.repository("acme/priv").await.push_image("v1", "layer").await;
        alice.repository("acme/pub").await.push_image("v1", "layer").await;
        alice.does(Method::PATCH, "/repositories/acme/pub", &json!({ "visibility": "public" })).await;
        let read = json!({ "role": "read" });
        alice.does(Method::PUT, "/repositories/acme/priv/-/grants/user:reader", &read).await;
        Self { stack, alice, image: image.digest, manifest: image.manifest }
    }

    fn filled(&self, text: &str) -> String {
        text.replace("LAYER", &sha256(b"layer")).replace("IMAGE", &self.image)
    }

    /// The token of `who`: for all that is asked for of both repositories, unless it says otherwise.
    async fn token(&self, who: &str) -> String {
        let (name, actions) = who.split_once(", to ").unwrap_or((who, "all"));
        let actions = match actions {
            "push" => "pull,push",
            "delete" => "delete",
            _ => "pull,push,delete",
        };
        let user = self.alice.named(if name == "nobody" { "" } else { name });
        user.token(&format!("repository:acme/pub:{actions} repository:acme/priv:{actions}")).await
    }
}

#[tokio::test]
async fn each_request_of_the_registry_is_decided_on_its_own() {
    let scene = Scene::set().await;
    let (one, other) = (scene.stack.replica(), scene.stack.replica());
    // Each keeps one token, so that what is remembered of it counts too.
    let mut tokens = BTreeMap::new();
    for (who, ..) in STEPS.iter().filter(|(who, ..)| *who != "no token") {
        tokens.insert(*who, scene.token(who).await);
    }
    for _ in 0..2 {
        for (who, request, status) in STEPS {
            let (method, path) = request.split_once(' ').unwrap();
            let path = format!("/v2/acme/{}", scene.filled(path));
            for host in [&one, &other] {
                let asked = host.request(method.parse().unwrap(), &path);
                let asked = if let Some(token) = tokens.get(who) { asked.token(token) } else { asked };
                let asked = if method == "PUT" { asked.body(scene.manifest.clone()) } else { asked };
                let answer = asked.send().await;
                assert_eq!(answer.status, *status, "{who}: {request}: {}", answer.text());
            }
        }
    }
}

#[tokio::test]
async fn a_condition_tells_nothing_to_who_may_not_read() {
    let scene = Scene::set().await;
    let alices = Repository::new(&scene.stack.host, "acme/priv", scene.token("alice").await);
    let mallorys = Repository { token: scene.token("mallory").await, ..alices.clone() };
    for path in ["manifests/v1", "manifests/IMAGE", "blobs/LAYER", "tags/list"] {
        let path = scene.filled(path);
        for (header, value) in CONDITIONS {
            for method in [Method::GET, Method::HEAD] {
                let ask = |app: &Repository| match *header {
                    "" => app.request(method.clone(), &path),
                    header => app.request(method.clone(), &path).header(header, scene.filled(value)),
                };
                let right = ask(&alices).send().await;
                assert!([200, 206, 304, 412].contains(&right.status), "{path} {header}: {}", right.status);
                let answer = ask(&mallorys).send().await.is(401);
                assert_eq!(
                    (answer.header("etag"), answer.header("docker-content-digest")),
                    ("", ""),
                    "{path} {header}"
                );
            }
        }
    }
}

#[tokio::test]
async fn what_the_api_showed_to_one_is_not_confirmed_to_another() {
    let scene = Scene::set().await;
    let alice = &scene.alice;
    let made = alice.does(Method::POST, "/user/tokens", &json!({ "name": "laptop" })).await;
    let of_token = format!("/user/tokens/{}", made["id"].as_str().unwrap());
    for path in ["/orgs/acme/members", "/repositories/acme/priv", "/repositories/acme/priv/-/tags", &of_token] {
        let path = format!("/api/v1{path}");
        let seen = alice.asks(Method::GET, &path).send().await.is(200);
        for who in ["mallory", "bob", ""] {
            let other = alice.named(who);
            for (header, value) in [("If-None-Match", seen.header("etag")), ("If-None-Match", "*"), ("If-Match", "*")] {
                let answer = other.asks(Method::GET, &path).header(header, value).send().await;
                // The organisation has something public, so that it is there is no secret; who is in it is.
                let plain = other.asks(Method::GET, &path).send().await;
                assert!([401, 403, 404].contains(&plain.status), "{who}: {path}: {}", plain.status);
                assert_eq!(answer.status, plain.status, "{who}: {path} {header}: {value}");
                assert_eq!(answer.header("etag"), "", "{who}: {path}");
            }
        }
        // Nothing in between may keep it for another either.
        let kept = seen.header("cache-control");
        assert!(!kept.contains("public") && !kept.contains("s-maxage"), "{path}: {kept}");
    }
    // A list is made anew for each, under the same address.
    let names = async |user: &User| user.does(Method::GET, "/repositories", &Value::Null).await["items"].to_string();
    let before = names(alice).await;
    assert!(before.contains("acme/priv"), "{before}");
    for who in ["mallory", "bob", ""] {
        let seen = names(&alice.named(who)).await;
        assert!(seen.contains("acme/pub") && !seen.contains("acme/priv"), "{who}: {seen}");
    }
    assert_eq!(names(alice).await, before);
}
