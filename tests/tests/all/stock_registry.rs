//! Debian's `docker-registry` with Berth's index as its token server, and nothing else of Berth: what docker does there.

use crate::support::{Peer, Repository, Stack, User, berth};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};
use shared::media_type::OCI_MANIFEST;
use std::fs;
use tempfile::TempDir;

/// The peer, which asks for tokens of the index of `stack`.
struct Scene {
    stack: Stack,
    peer: Peer,
    _folder: TempDir,
}

impl Scene {
    /// With these settings of the index.
    async fn set(variables: &[(&str, &str)]) -> Self {
        let (stack, folder) = (Stack::start_with(variables).await, tempfile::tempdir().unwrap());
        let bundle = folder.path().join("bundle.pem");
        fs::write(&bundle, berth(stack.folder(), &["keys", "bundle"]).await.unwrap()).unwrap();
        let realm = format!("http://{}/token", stack.host.address());
        let settings = [
            ("REGISTRY_AUTH", "token"),
            ("REGISTRY_AUTH_TOKEN_REALM", &realm),
            ("REGISTRY_AUTH_TOKEN_SERVICE", "berth"),
            ("REGISTRY_AUTH_TOKEN_ISSUER", "berth"),
            ("REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE", bundle.to_str().unwrap()),
        ];
        let peer = Peer::start_with(folder.path(), &settings).await;
        Self { stack, peer, _folder: folder }
    }

    /// Asks the peer without a token, and gets the one that its challenge names, as docker does.
    async fn token(&self, user: &User, method: Method, path: &str) -> String {
        let refused = self.peer.host.request(method, path).send().await.is(401);
        let challenge = refused.header("www-authenticate").to_owned();
        let parameter = |name: &str| {
            let rest = challenge.split(&format!("{name}=\"")).nth(1).unwrap_or_default();
            rest.split('"').next().unwrap_or_default().to_owned()
        };
        assert_eq!(parameter("realm"), format!("http://{}/token", self.stack.host.address()), "{challenge}");
        let path = format!("/token?service={}&scope={}", parameter("service"), parameter("scope"));
        let answer = user.asks(Method::GET, &path).send().await.is(200);
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    /// A repository of the peer, for who pushes there.
    async fn for_push(&self, user: &User, name: &str) -> Repository {
        let token = self.token(user, Method::POST, &format!("/v2/{name}/blobs/uploads/")).await;
        Repository::new(&self.peer.host, name, token)
    }

    /// The same for who pulls the tag `v1`.
    async fn for_pull(&self, user: &User, name: &str) -> Repository {
        let token = self.token(user, Method::GET, &format!("/v2/{name}/manifests/v1")).await;
        Repository::new(&self.peer.host, name, token)
    }
}

#[tokio::test]
async fn docker_logs_in_pushes_and_pulls_there_and_is_denied_what_the_index_does_not_grant() {
    for x5c in ["false", "true"] {
        let scene = Scene::set(&[("INDEX_TOKEN_X5C", x5c)]).await;
        let (alice, bob, anybody) =
            (scene.stack.user("alice").await, scene.stack.user("bob").await, scene.stack.anonymous());
        // `docker login`: any good token opens `/v2/`, and wrong credentials get none.
        let login = scene.token(&alice, Method::GET, "/v2/").await;
        scene.peer.host.get("/v2/").token(&login).send().await.is(200);
        scene.peer.host.get("/v2/").token(&format!("{login}x")).send().await.is(401);
        scene.stack.host.get("/token?service=berth").basic("alice", "wrong password").send().await.is(401);

        for (name, visibility) in [("alice/private", "private"), ("alice/public", "public")] {
            alice.does(Method::PUT, &format!("/repositories/{name}"), &json!({ "visibility": visibility })).await;
            let pushed = scene.for_push(&alice, name).await.push_typed("v1", name).await;
            let app = scene.for_pull(&alice, name).await;
            app.serves("v1", OCI_MANIFEST, &pushed.manifest).await;
            for blob in &pushed.blobs {
                app.serves_blob(blob).await;
            }
            // With leave to pull one does not push, and others do neither unless it is public.
            app.post("blobs/uploads/").send().await.is(401);
            for stranger in [&bob, &anybody] {
                let status = if visibility == "public" { 200 } else { 401 };
                let app = scene.for_pull(stranger, name).await;
                app.get("manifests/v1").header("accept", OCI_MANIFEST).send().await.is(status);
                scene.for_push(stranger, name).await.post("blobs/uploads/").send().await.is(401);
            }
        }
    }
}

#[tokio::test]
async fn a_token_names_its_key_by_the_certificate_s_name_and_carries_that_only_if_it_is_to() {
    for x5c in [false, true] {
        let scene = Scene::set(&[("INDEX_TOKEN_X5C", &x5c.to_string())]).await;
        let token = scene.stack.admin().token("").await;
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
        let header: Value = serde_json::from_slice(&header).unwrap();
        let kid = header["kid"].as_str().unwrap();
        let keys = scene.stack.host.get("/.well-known/jwks.json").send().await.is(200).json();
        assert_eq!(keys["keys"][0]["kid"], kid);
        let bundle = berth(scene.stack.folder(), &["keys", "bundle"]).await.unwrap();
        let body: String = bundle.lines().filter(|line| !line.starts_with('-')).collect();
        assert_eq!(header["x5c"], if x5c { json!([body]) } else { Value::Null });
        let certificate = STANDARD.decode(body).unwrap();
        assert!(certificate.windows(kid.len()).any(|window| window == kid.as_bytes()), "its name is the key's id");
        let listed = berth(scene.stack.folder(), &["keys", "list"]).await.unwrap();
        assert!(listed.starts_with(kid) && listed.trim_end().ends_with("signing"), "{listed}");
    }
}
