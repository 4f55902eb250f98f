//! Repositories that are put away, restored, renamed and purged in storage, as the index wishes by tokens that are for
//! nothing else: whole or not at all, whatever stops the mover, and with all they need kept from the collector.

mod killed;
mod old_index;
mod power;
mod rest;
mod stopped;
mod token;
mod verbs;

use crate::support::{Host, Image, Repository, Stack, Wishes, artifact, image, pulls, sha256};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;

const NAME: &str = "admin/tools";

/// A repository with everything that one can have, and one whose name goes on after its own.
struct Scene {
    stack: Stack,
    wishes: Wishes,
    app: Repository,
    nested: Repository,
    id: String,
    image: Image,
    untagged: Image,
    /// Refers to the image.
    signature: String,
}

impl Scene {
    async fn set() -> Self {
        let stack = Stack::start().await;
        let app = stack.admin().repository(NAME).await;
        let nested = stack.admin().repository("admin/tools/app").await;
        let image = app.push_image("v1", "tools").await;
        let untagged = app.push_image(&crate::support::image(&[b"untagged"]).digest, "untagged").await;
        app.push_image("gone", "gone").await;
        app.delete("manifests/gone").send().await.is(202);
        let signature = app.push_manifest(&artifact(&image.digest, &json!({}))).await;
        nested.push_image("v1", "nested").await;
        let id = fs::read_to_string(stack.stored(&format!("berth/ids/{NAME}/_id"))).unwrap();
        let wishes = Wishes::of(&stack).await;
        Self { stack, wishes, app, nested, id, image, untagged, signature }
    }

    async fn does(&self, verb: &str) {
        self.wishes.does(verb, NAME, &self.id).await;
    }

    fn wish(&self, verb: &str) -> Value {
        json!({ "verb": verb, "repository": NAME, "repository_id": self.id, "to": "admin/renamed" })
    }

    async fn is_whole(&self) {
        self.is_whole_on(&self.app.host).await;
    }

    async fn is_whole_on(&self, host: &Host) {
        let app = self.app.on(host);
        pulls(&app, "v1", &self.image).await;
        pulls(&app, &self.untagged.digest, &self.untagged).await;
        assert_eq!(app.referrers(&self.image.digest).await, std::slice::from_ref(&self.signature));
        pulls(&self.nested.on(host), "v1", &image(&[b"nested"])).await;
    }

    async fn is_away(&self) {
        self.is_away_on(&self.app.host).await;
    }

    async fn is_away_on(&self, host: &Host) {
        let app = self.app.on(host);
        app.get("manifests/v1").send().await.refuses(404, "NAME_UNKNOWN");
        app.get(&format!("blobs/{}", sha256(b"tools"))).send().await.refuses(404, "NAME_UNKNOWN");
        app.post("blobs/uploads/").send().await.refuses(404, "NAME_UNKNOWN");
        pulls(&self.nested.on(host), "v1", &image(&[b"nested"])).await;
    }

    /// What lies under the repository's name and its id, as a list of files.
    fn files(&self) -> BTreeSet<String> {
        let places = [format!("/{NAME}/_"), format!("deleted/{}/", self.id), "admin/renamed/_".to_owned()];
        let is_ours = |file: &String| places.iter().any(|place| file.contains(place)) && !file.ends_with("/_move");
        self.stack.files().into_iter().filter(is_ours).collect()
    }
}
