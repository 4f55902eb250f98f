//! What a collection leaves alone: bytes on which somebody has come to rely again, the folders by which a repository is
//! found, and everything as long as it cannot be known what a manifest needs.

use crate::support::{
    Image, Peer, Repository, Stack, Standalone, after_hours, at_once, collect_in, data, image, pulls, scrub_in,
    set_back, sha256, with_fate,
};
use jiff::SignedDuration;
use registry_service::domain::collector::{Collection, CollectionError};
use registry_service::model::collection::{Fate, Keeper};
use serde_json::json;
use std::fs;

/// How somebody comes to rely on bytes that are there already, before a manifest names them.
const WAYS: &[&str] = &["pushed", "mounted", "mounted from wherever it lies", "pushed as a manifest"];

// A blob: good bytes that lie in its place already are touched; and the collector hides what is older than the grace.
#[tokio::test]
async fn what_is_pushed_or_mounted_again_is_touched() {
    let registry = Standalone::start(&[]);
    let (app, other) = (registry.repository("acme/app"), registry.repository("acme/other"));
    let blob = app.push_blob(b"named by no manifest").await;
    // Its layer is nowhere: each push of it is refused, and leaves nothing but its bytes.
    let lacking = image(&[b"nowhere"]);
    app.put_manifest("v1", &lacking.manifest).await.refuses(400, "MANIFEST_BLOB_UNKNOWN");
    for way in WAYS {
        let digest = if *way == "pushed as a manifest" { &lacking.digest } else { &blob };
        let (place, bytes) = (registry.stored(&data(digest)), format!("blob {digest}"));
        set_back(&place);
        let dry = Collection { dry_run: true, ..after_hours(0) };
        let old = collect_in(registry.root(), dry).await.unwrap();
        assert!(with_fate(&old, Fate::Hidden).contains(&bytes), "{way}: old enough to go: {old:?}");

        match *way {
            "pushed" => assert_eq!(app.push_blob(b"named by no manifest").await, *digest),
            "pushed as a manifest" => {
                app.put_manifest("v1", &lacking.manifest).await.refuses(400, "MANIFEST_BLOB_UNKNOWN");
            }
            _ => {
                let from = if *way == "mounted" { "&from=acme/app" } else { "" };
                other.post(&format!("blobs/uploads/?mount={digest}{from}")).send().await.is(201);
            }
        }
        let young = collect_in(registry.root(), after_hours(0)).await.unwrap();
        assert!(with_fate(&young, Fate::Kept(Keeper::Grace)).contains(&bytes), "{way}: {young:?}");
        assert!(place.exists(), "{way}");
    }
}

// Ours on disk: a peer finds a repository by one of two folders, and both stay while the repository lives.
#[tokio::test]
async fn a_repository_that_a_collection_has_emptied_is_still_listed() {
    let registry = Standalone::start(&[]);
    let app = registry.repository("acme/app");
    // By its digest alone: no tag keeps a folder.
    let untagged = app.push_image(&image(&[b"layer"]).digest, "layer").await.digest;
    let loose = app.push_blob(b"nobody names this").await;
    let everything = Collection { delete_untagged: true, ..at_once() };
    let gone = with_fate(&collect_in(registry.root(), everything).await.unwrap(), Fate::Deleted);
    assert!(gone.contains(&format!("manifest {untagged}")) && gone.contains(&format!("layer {loose}")), "{gone:?}");

    for folder in ["_layers", "_manifests"] {
        assert!(registry.stored("repositories/acme/app").join(folder).is_dir(), "{folder} has gone");
    }
    assert_eq!(app.get("tags/list").send().await.is(200).json()["tags"], json!([]));
    let peer = Peer::start(registry.root()).await;
    for host in [&registry.host, &peer.host] {
        let listed = host.get("/v2/_catalog").send().await.is(200).json();
        assert_eq!(listed["repositories"], json!(["acme/app"]));
    }
}

/// A tagged image beside a blob that every collection at once takes.
async fn stack() -> (Stack, Repository, Image) {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let pushed = app.push_image("v1", "layer").await;
    app.push_blob(b"nobody names this").await;
    (stack, app, pushed)
}

/// Holds that a collection ends because of this manifest and has taken nothing, and that a push of it heals that.
async fn ends_the_run(stack: &Stack, app: &Repository, image: &Image) {
    let before = stack.files();
    let error = stack.collect(at_once()).await.unwrap_err();
    let is_named = matches!(&error, CollectionError::Unreadable { digest, .. } if digest.as_str() == image.digest);
    assert!(is_named, "{error}");
    assert_eq!(stack.files(), before, "nothing has gone");
    app.put_manifest("v1", &image.manifest).await.is(201);
    stack.collect(at_once()).await.unwrap();
    pulls(app, "v1", image).await;
}

// The collector, step 2: a manifest that cannot be read ends the run, also when its bytes were damaged and put aside.
#[tokio::test]
async fn a_manifest_that_was_put_aside_ends_the_run() {
    let (stack, app, pushed) = stack().await;
    let place = stack.stored(&data(&pushed.digest));
    fs::write(&place, "{}").unwrap();
    assert_eq!(scrub_in(stack.root()).0, [pushed.digest.as_str()]);
    assert!(!place.exists(), "put aside");
    ends_the_run(&stack, &app, &pushed).await;
}

// The collector, step 2: a manifest keeps what its own bytes name. Other bytes are not read for it, though they parse.
#[tokio::test]
async fn a_manifest_that_names_another_layer_than_was_pushed_ends_the_run() {
    let (stack, app, pushed) = stack().await;
    let layer = sha256(b"layer");
    let digit = if layer.ends_with('0') { '1' } else { '0' };
    let other = format!("{}{digit}", &layer[..layer.len() - 1]);
    let changed = String::from_utf8(pushed.manifest.clone()).unwrap().replace(&layer, &other);
    assert!(changed.contains(&other) && !changed.contains(&layer));
    fs::write(stack.stored(&data(&pushed.digest)), changed).unwrap();
    ends_the_run(&stack, &app, &pushed).await;
}

// A tag that is still there pointed at it lately, so that it could be restored.
#[tokio::test]
async fn a_deleted_manifest_ends_the_run_only_while_its_bytes_may_come_back() {
    let (stack, app, old) = stack().await;
    app.push_image("v1", "new").await;
    app.delete(&format!("manifests/{}", old.digest)).send().await.is(202);
    let lately = || Collection { restore_window: SignedDuration::from_hours(24), ..at_once() };
    let place = data(&old.digest);
    let failing = stack.arm(&format!("eio@1+ read {}", place.trim_end_matches("data")));
    let error = stack.collect(lately()).await.unwrap_err();
    let is_named = matches!(&error, CollectionError::Unreadable { digest, .. } if digest.as_str() == old.digest);
    assert!(is_named && failing.count() > 0, "{error}");
    drop(failing);
    stack.collect(lately()).await.unwrap();
    assert!(stack.stored(&data(&sha256(b"layer"))).exists(), "with all it needs");
    fs::write(stack.stored(&place), "{}").unwrap();
    stack.collect(lately()).await.unwrap();
}
