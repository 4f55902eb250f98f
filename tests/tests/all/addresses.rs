//! Where a client is: its true address, behind trusted proxies only, seen from two client networks through nginx.

use crate::support::{Host, Nginx, Repository, Stack, User, claims, eventually, sha256};
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

#[tokio::test]
async fn a_proxy_before_nginx_that_its_file_names_is_believed_and_no_other() {
    let stack = Stack::start_with(&[("INDEX_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let alice = stack.user("alice").await;
    let token = alice.does(Method::POST, "/user/tokens", &json!({ "name": "laptop" })).await;
    let (path, secret) = (format!("/user/tokens/{}", token["id"].as_str().unwrap()), token["secret"].as_str().unwrap());
    let nginx = Nginx::behind(OFFICE, &stack.host, &stack.stored("blobs")).await;
    for (from, forwarded, seen) in [
        (OFFICE, "203.0.113.9", "203.0.113.9"),
        (OFFICE, "198.51.100.1, 203.0.113.8", "203.0.113.8"),
        (ELSEWHERE, "203.0.113.7", "127.0.0.3"),
    ] {
        let request = nginx.host.from(from).get("/token?service=berth").basic("alice", secret);
        request.header("X-Forwarded-For", forwarded).send().await.is(200);
        let is_noted = async || alice.does(Method::GET, &path, &Value::Null).await["last_used_from"] == seen;
        eventually(&format!("alice was seen from {seen}"), Duration::from_secs(5), is_noted).await;
    }
}

/// The repository as this person, at this client of nginx, has a token for it.
async fn repository(host: &Host, user: &str, name: &str) -> Repository {
    User::new(host, user).repository(name).await
}

/// What a token for the repository says that its holder may.
fn granted(repository: &Repository) -> usize {
    claims(&repository.token)["access"][0]["actions"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_namespace_is_used_from_its_ranges_alone_and_elsewhere_it_is_not_there() {
    let scene = Scene::set().await;
    let (office, elsewhere) = (scene.office(), scene.elsewhere());
    let alice = scene.stack.user("alice").await;
    scene.stack.user("bob").await;
    alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    alice.does(Method::PUT, "/orgs/acme/members/bob", &json!({ "role": "member" })).await;
    for name in ["acme/app", "acme/public", "alice/app"] {
        alice.repository(name).await.push_image("v1", name).await;
    }
    alice.does(Method::PATCH, "/repositories/acme/public", &json!({ "visibility": "public" })).await;
    let before = repository(&elsewhere, "bob", "acme/app").await;
    before.get("manifests/v1").send().await.is(200);

    let (inside, outside) = (User::new(&office, "alice"), User::new(&elsewhere, "alice"));
    let path = "/api/v1/namespaces/acme/networks";
    let none = json!({ "allowed_networks": [] });
    assert_eq!(inside.does(Method::GET, "/namespaces/acme/networks", &Value::Null).await, none);
    let shut_out = inside.asks(Method::PUT, path).json(&json!({ "allowed_networks": ["127.0.0.3"] }));
    assert!(shut_out.send().await.is(422).text().contains("127.0.0.2"));
    let office_only = json!({ "allowed_networks": ["10.0.0.0/8", "127.0.0.2/32"] });
    assert_eq!(inside.does(Method::PUT, "/namespaces/acme/networks", &office_only).await, office_only);
    assert_eq!(inside.does(Method::GET, "/namespaces/acme/networks", &Value::Null).await, office_only);

    // A token from before, and one of inside that is carried out.
    let is_refused = async || before.get("manifests/v1").send().await.status == 401;
    eventually("the token of before is refused", Duration::from_secs(3), is_refused).await;
    for user in ["alice", "bob"] {
        let app = repository(&office, user, "acme/app").await;
        assert_eq!(granted(&app), if user == "alice" { 3 } else { 1 });
        app.get("manifests/v1").send().await.is(200);
        for path in ["manifests/v1", "tags/list", &format!("blobs/{}", sha256(b"acme/app"))] {
            app.on(&elsewhere).get(path).send().await.refuses(401, "UNAUTHORIZED");
        }
        app.get("manifests/v1").send().await.is(200);
    }
    // Nor can it be mounted from, by a token that lists both.
    let scopes = "repository:alice/app:pull,push repository:acme/app:pull";
    let both = Repository::new(&office, "alice/app", inside.token(scopes).await);
    let mount = format!("blobs/uploads/?mount={}&from=acme/app", sha256(b"acme/app"));
    both.on(&elsewhere).post(&mount).send().await.is(202);
    both.post(&mount).send().await.is(201);

    // Elsewhere it is not there, for its owner and for everybody.
    for user in [&outside, &User::new(&elsewhere, "bob"), &User::new(&elsewhere, "")] {
        for name in ["acme/app", "acme/public", "acme/new"] {
            let app = repository(&elsewhere, &user.name, name).await;
            assert_eq!(granted(&app), 0, "{} {name}", user.name);
            app.get("manifests/v1").send().await.refuses(401, "UNAUTHORIZED");
            user.asks(Method::GET, &format!("/api/v1/repositories/{name}")).send().await.is(404);
        }
        user.asks(Method::GET, "/api/v1/namespaces/acme").send().await.is(404);
        for list in ["/repositories", "/namespaces"] {
            let listed = user.does(Method::GET, list, &Value::Null).await;
            assert!(!listed.to_string().contains("acme"), "{list}: {listed}");
        }
        let found = user.asks(Method::GET, "/v1/search?q=acme").send().await.is(200).json();
        assert_eq!(found["num_results"], 0, "{found}");
        let catalog = elsewhere.get("/v2/_catalog").token(&user.token("registry:catalog:*").await);
        assert!(!catalog.send().await.is(200).text().contains("acme"));
    }
    for path in ["/orgs/acme", "/orgs/acme/members", "/namespaces/acme/networks"] {
        outside.asks(Method::GET, &format!("/api/v1{path}")).send().await.is(404);
    }
    // From the office all is as it was.
    let listed = inside.does(Method::GET, "/repositories", &Value::Null).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 3, "{listed}");
    repository(&office, "", "acme/public").await.get("manifests/v1").send().await.is(200);
    let catalog = office.get("/v2/_catalog").token(&inside.token("registry:catalog:*").await);
    assert!(catalog.send().await.is(200).text().contains("acme/app"));
    // Other namespaces are open from everywhere, and an administrator of the instance can mend what is shut.
    repository(&elsewhere, "alice", "alice/app").await.get("manifests/v1").send().await.is(200);
    let admin = User::new(&elsewhere, "admin");
    repository(&elsewhere, "admin", "acme/app").await.get("manifests/v1").send().await.is(200);
    admin.does(Method::PUT, "/namespaces/acme/networks", &none).await;
    repository(&elsewhere, "alice", "acme/app").await.get("manifests/v1").send().await.is(200);
}

#[tokio::test]
async fn a_secret_opens_nothing_from_outside_of_its_ranges() {
    let scene = Scene::set().await;
    let (office, elsewhere) = (scene.office(), scene.elsewhere());
    let alice = scene.stack.user("alice").await;
    alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    alice.repository("acme/app").await.push_image("v1", "layer").await;
    let allowed = json!(["127.0.0.2/32"]);
    let of_token =
        alice.does(Method::POST, "/user/tokens", &json!({ "name": "ci", "allowed_networks": allowed })).await;
    let of_robot =
        alice.does(Method::POST, "/orgs/acme/robots", &json!({ "name": "ci", "allowed_networks": allowed })).await;
    let grant = json!({ "role": "read" });
    alice.does(Method::PUT, "/namespaces/acme/grants/robot:acme+ci", &grant).await;
    let path_of_token = format!("/user/tokens/{}", of_token["id"].as_str().unwrap());
    for (user, made, path) in
        [("alice", &of_token, path_of_token.as_str()), ("acme+ci", &of_robot, "/orgs/acme/robots/ci")]
    {
        assert_eq!(made["allowed_networks"], allowed);
        let secret = made["secret"].as_str().unwrap();
        let ask = |host: &Host| host.get("/token?service=berth&scope=repository:acme/app:pull").basic(user, secret);
        let refused = ask(&elsewhere).send().await.refuses(403, "DENIED");
        assert!(refused.text().contains("may not be used from your address, 127.0.0.3"), "{}", refused.text());
        let refused = elsewhere.get("/api/v1/repositories").basic(user, secret).send().await.is(403);
        assert_eq!(refused.json()["code"], "address_refused");
        elsewhere.get("/v1/search?q=app").token(secret).send().await.is(403);
        // The token that it gives inside is good inside.
        let token = ask(&office).send().await.is(200).json()["token"].as_str().unwrap().to_owned();
        let app = Repository::new(&office, "acme/app", token);
        app.get("manifests/v1").send().await.is(200);
        app.on(&elsewhere).get("manifests/v1").send().await.refuses(401, "UNAUTHORIZED");
        elsewhere.get("/v2/").token(&app.token).send().await.is(401);
        app.get("manifests/v1").send().await.is(200);

        let changed = alice.does(Method::PATCH, path, &json!({ "allowed_networks": [] })).await;
        assert_eq!(changed["allowed_networks"], json!([]));
        ask(&elsewhere).send().await.is(200);
        alice.does(Method::PATCH, path, &json!({ "allowed_networks": ["192.0.2.0/24"] })).await;
        ask(&office).send().await.is(403);
        let is_refused = async || app.get("manifests/v1").send().await.status == 401;
        eventually("what it gave before ends", Duration::from_secs(3), is_refused).await;
    }
}
