//! A name that comes to stand for another repository: tokens, mounts and uploads from before are of the one before, and give
//! nothing of what lies there now. Harbor's issues 22900 and 23270.

use crate::support::{Repository, Stack, User, after_hours, data, eventually, image, sha256};
use registry_service::domain::collector::Collection;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// What is taken away ends within this.
const ENDS: Duration = Duration::from_secs(2);

const APP: &str = "/repositories/acme/app";

/// What lies under the name later.
const SECRET: &[u8] = b"of those who came later";

/// `acme` of the owner `alice`, with an image in `acme/app` and with `eve`, who may push there, as she may in `eve/own`.
struct Scene {
    stack: Stack,
    alice: User,
    eve: User,
    /// Eve's, from before: for the repository itself, for a mount out of it, and of an upload there.
    old: Repository,
    own: Repository,
    location: String,
}

impl Scene {
    async fn set() -> Self {
        let stack = Stack::start().await;
        let (alice, eve) = (stack.user("alice").await, stack.user("eve").await);
        alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
        alice.repository("acme/app").await.push_image("v1", "layer").await;
        alice.does(Method::PUT, "/namespaces/acme/grants/user:eve", &json!({ "role": "maintain" })).await;
        let old = eve.repository("acme/app").await;
        let both = eve.token("repository:eve/own:pull,push repository:acme/app:pull").await;
        let own = Repository::new(&stack.host, "eve/own", both);
        old.get("manifests/v1").send().await.is(200);
        let mount = format!("blobs/uploads/?mount={}&from=acme/app", sha256(b"layer"));
        own.post(&mount).send().await.is(201);
        let location = old.begin().await;
        old.patch(&location).body("01234").send().await.is(202);
        Self { stack, alice, eve, old, own, location }
    }

    /// Alice makes another repository of the name, with content of its own.
    async fn again(&self) -> Repository {
        let new = self.alice.repository("acme/app").await;
        new.push_image("v1", std::str::from_utf8(SECRET).unwrap()).await;
        new
    }

    /// What is from before opens nothing there.
    async fn is_shut(&self, why: &str) {
        let secret = sha256(SECRET);
        let is_refused = async || self.old.get("manifests/v1").send().await.status == 401;
        eventually(why, ENDS, is_refused).await;
        for request in [
            self.old.head("manifests/v1"),
            self.old.get("tags/list"),
            self.old.get(&format!("blobs/{secret}")),
            self.old.get(&format!("referrers/{secret}")),
            self.old.post("blobs/uploads/"),
            self.old.post(&format!("blobs/uploads/?mount={secret}&from=acme/app")),
            self.old.put("manifests/v2").body("{}"),
            self.old.delete("manifests/v1"),
            self.old.patch(&self.location).body("5"),
            self.own.post(&format!("blobs/uploads/?mount={secret}&from=acme/app")),
            self.own.post(&format!("blobs/uploads/?mount={secret}")),
        ] {
            let answer = request.send().await;
            assert_eq!(answer.status, 401, "{why}: {}: {}", answer.what, answer.text());
        }
    }
}

#[tokio::test]
async fn what_was_issued_for_a_purged_repository_gives_nothing_of_the_next_one() {
    let scene = Scene::set().await;
    scene.alice.does(Method::DELETE, APP, &Value::Null).await;
    scene.stack.admin().does(Method::POST, &format!("{APP}/-/purge"), &Value::Null).await;
    let new = scene.again().await;
    scene.is_shut("purged").await;
    // Eve was granted something on the namespace, and that stands: a token of now is for the one of now.
    let now = scene.eve.repository("acme/app").await;
    now.get(&format!("blobs/{}", sha256(SECRET))).send().await.is(200);
    now.get(&scene.location).send().await.refuses(404, "BLOB_UPLOAD_UNKNOWN");
    now.head(&format!("blobs/{}", sha256(b"layer"))).send().await.is(404);
    new.get("manifests/v1").send().await.is(200);
}

#[tokio::test]
async fn a_grant_on_one_repository_is_not_inherited_by_the_next_of_its_name() {
    let scene = Scene::set().await;
    let Scene { stack, alice, eve, .. } = &scene;
    alice.does(Method::DELETE, "/namespaces/acme/grants/user:eve", &Value::Null).await;
    alice.does(Method::PUT, &format!("{APP}/-/grants/user:eve"), &json!({ "role": "admin" })).await;
    let limits = json!([{ "repository": "acme/app", "role": "write" }]);
    let made = eve.does(Method::POST, "/user/tokens", &json!({ "name": "ci", "limits": limits })).await;
    let secret = made["secret"].as_str().unwrap();
    let path = "/token?service=berth&scope=repository:acme/app:pull,push";
    let by_token = async || stack.host.get(path).basic("eve", secret).send().await.is(200).json()["token"].clone();
    let open = Repository::new(&stack.host, "acme/app", by_token().await.as_str().unwrap().to_owned());
    open.get("manifests/v1").send().await.is(200);

    alice.does(Method::DELETE, APP, &Value::Null).await;
    stack.admin().does(Method::POST, &format!("{APP}/-/purge"), &Value::Null).await;
    scene.again().await;
    scene.is_shut("granted on the one before").await;
    open.get("manifests/v1").send().await.is(401);
    for token in [by_token().await.as_str().unwrap().to_owned(), eve.repository("acme/app").await.token] {
        let now = Repository::new(&stack.host, "acme/app", token);
        now.get("manifests/v1").send().await.is(401);
        now.post("blobs/uploads/").send().await.is(401);
    }
}

#[tokio::test]
async fn what_was_issued_for_a_renamed_repository_opens_neither_of_its_names() {
    let scene = Scene::set().await;
    let renamed = json!({ "name": "acme/other" });
    scene.alice.does(Method::POST, &format!("{APP}/-/rename"), &renamed).await;
    let elsewhere = Repository { name: "acme/other".to_owned(), ..scene.old.clone() };
    elsewhere.get("manifests/v1").send().await.is(401);
    // The old name is free, and means another one.
    let new = scene.again().await;
    new.get("manifests/v1").send().await.is(200);
    scene.is_shut("renamed").await;
    elsewhere.get("manifests/v1").send().await.is(401);
}

/// The bytes may lie there still, hidden, when the name is somebody else's.
#[tokio::test]
async fn the_next_owner_of_a_name_gets_nothing_of_what_the_former_had_hidden() {
    for way in ["purged", "renamed"] {
        let Scene { stack, alice, eve, .. } = Scene::set().await;
        let former = alice.repository("acme/app").await;
        let untagged = former.push_image(&image(&[b"untagged"]).digest, "untagged").await;
        let wanted = image(&[b"hidden from all"]);
        let hidden = former.push_blob(b"hidden from all").await;
        stack.collect(Collection { delete_untagged: true, ..after_hours(25) }).await.unwrap();
        let is_hidden = || !stack.stored(&data(&hidden)).exists();
        assert!(is_hidden());
        if way == "purged" {
            alice.does(Method::DELETE, APP, &Value::Null).await;
            stack.admin().does(Method::POST, &format!("{APP}/-/purge"), &Value::Null).await;
        } else {
            alice.does(Method::POST, &format!("{APP}/-/rename"), &json!({ "name": "acme/other" })).await;
        }

        let new = eve.repository("acme/app").await;
        let own = eve.token("repository:eve/own:pull,push repository:acme/app:pull").await;
        let own = Repository::new(&stack.host, "eve/own", own);
        new.push_image("v1", "of the next owner").await;
        for digest in [&hidden, &sha256(b"untagged")] {
            let blob = format!("blobs/{digest}");
            new.head(&blob).send().await.is(404);
            new.get(&blob).send().await.refuses(404, "BLOB_UNKNOWN");
            for from in ["", "&from=acme/app"] {
                let mount = format!("blobs/uploads/?mount={digest}{from}");
                new.post(&mount).send().await.is(202);
                own.post(&mount).send().await.is(202);
            }
        }
        new.head(&format!("manifests/{}", untagged.digest)).send().await.is(404);
        new.put_manifest("v2", &wanted.manifest).await.refuses(400, "MANIFEST_BLOB_UNKNOWN");
        new.put_manifest("v2", &untagged.manifest).await.refuses(400, "MANIFEST_BLOB_UNKNOWN");
        assert!(is_hidden(), "{way}: nobody brought it back");
        if way == "renamed" {
            let former = alice.repository("acme/other").await;
            assert_eq!(former.get(&format!("blobs/{hidden}")).send().await.is(200).text(), "hidden from all");
        }
    }
}
