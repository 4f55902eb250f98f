//! One volume, two registries: what Debian's `docker-registry` wrote is served and gone on with, no import between, and
//! `docker-registry` serves what came of it; and its collector takes nothing that is tagged.

use crate::support::{
    Image, Peer, Repository, Standalone, after_hours, artifact, at_once, child_descriptor, collect_in, data, image,
    index, scrub_in, sha256, sha512, stored, with_fate,
};
use registry_service::domain::collector::Collection;
use registry_service::model::collection::Fate;
use serde_json::json;
use shared::media_type::{OCI_INDEX, OCI_MANIFEST};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

async fn serves_image(repository: &Repository, reference: &str, image: &Image) {
    repository.serves(reference, OCI_MANIFEST, &image.manifest).await;
    for blob in &image.blobs {
        repository.serves_blob(blob).await;
    }
}

/// The names in a directory, in order.
fn names(path: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

/// Everything that a volume can hold, as some registry wrote it.
struct Volume {
    amd64: Image,
    arm64: Image,
    multi: Vec<u8>,
    moved: Image,
    untagged: Image,
}

impl Volume {
    /// Written by requests that both registries take.
    async fn write(app: &Repository, other: &Repository) -> Self {
        let amd64 = app.push_typed("amd64", "for amd64").await;
        let arm64 = image(&[b"for arm64"]);
        for blob in &arm64.blobs {
            app.upload(blob).await;
        }
        app.put_typed(&arm64.digest, OCI_MANIFEST, &arm64.manifest).await;
        let multi =
            index(&[child_descriptor(OCI_MANIFEST, &amd64.manifest), child_descriptor(OCI_MANIFEST, &arm64.manifest)]);
        app.put_typed("multi", OCI_INDEX, &multi).await;
        let layer = sha256(b"for amd64");
        other.post(&format!("blobs/uploads/?mount={layer}&from={}", app.name)).send().await.is(201);
        other.upload(b"{}").await;
        other.put_typed("mounted", OCI_MANIFEST, &amd64.manifest).await;
        app.push_typed("moving", "before").await;
        let moved = app.push_typed("moving", "after").await;
        let gone = app.push_typed("gone", "gone").await;
        app.delete(&format!("manifests/{}", gone.digest)).send().await.is(202);
        let untagged = app.push_typed(&image(&[b"untagged"]).digest, "untagged").await;
        let location = app.begin().await;
        app.patch(&location).header("content-type", "application/octet-stream").body("unfin").send().await.is(202);
        Self { amd64, arm64, multi, moved, untagged }
    }

    async fn is_served(&self, app: &Repository, other: &Repository) {
        serves_image(app, "amd64", &self.amd64).await;
        serves_image(app, &self.arm64.digest, &self.arm64).await;
        app.serves("multi", OCI_INDEX, &self.multi).await;
        app.serves(&sha256(&self.multi), OCI_INDEX, &self.multi).await;
        serves_image(other, "mounted", &self.amd64).await;
        serves_image(app, "moving", &self.moved).await;
        serves_image(app, &self.untagged.digest, &self.untagged).await;
        app.get("manifests/gone").send().await.refuses(404, "MANIFEST_UNKNOWN");
    }
}

#[tokio::test]
async fn a_volume_goes_from_the_peer_to_berth_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_owned();
    let peer = Peer::start(&root).await;
    let (app, other) = (peer.repository("acme/app"), peer.repository("acme/app/nested"));
    let volume = Volume::write(&app, &other).await;
    volume.is_served(&app, &other).await;
    let tags = app.tags().await;
    drop(peer);
    let peers_upload = names(&stored(&root, "repositories/acme/app/_uploads")).remove(0);

    let berth = Standalone::on(folder, &[]);
    let (app, other) = (berth.repository("acme/app"), berth.repository("acme/app/nested"));
    let names_of = |answer: serde_json::Value| answer["repositories"].clone();
    let catalog = berth.host.get("/v2/_catalog").send().await.is(200).json();
    assert_eq!(names_of(catalog), json!(["acme/app", "acme/app/nested"]));
    assert_eq!((app.tags().await, other.tags().await), (tags, vec!["mounted".to_owned()]));
    volume.is_served(&app, &other).await;
    app.get(&format!("blobs/uploads/{peers_upload}")).send().await.refuses(404, "BLOB_UPLOAD_UNKNOWN");
    // More is pushed, moved and deleted, on top of what the peer left.
    let more = app.push_typed("more", "by Berth").await;
    let moved_again = app.push_typed("moving", "once more").await;
    app.delete("manifests/amd64").send().await.is(202);
    other.delete(&format!("manifests/{}", volume.amd64.digest)).send().await.is(202);
    assert_eq!(app.tags().await, ["more", "moving", "multi"]);
    let fresh = berth.repository("fresh");
    let in_fresh = fresh.push_typed("v1", "fresh").await;
    app.begin().await;

    let peer = Peer::start(&root).await;
    let (app, other, fresh) =
        (peer.repository("acme/app"), peer.repository("acme/app/nested"), peer.repository("fresh"));
    let catalog = peer.host.get("/v2/_catalog").send().await.is(200).json();
    assert_eq!(names_of(catalog), json!(["acme/app", "acme/app/nested", "fresh"]));
    assert_eq!(app.tags().await, ["more", "moving", "multi"]);
    app.serves("multi", OCI_INDEX, &volume.multi).await;
    for (reference, image) in [
        ("more", &more),
        ("moving", &moved_again),
        (volume.amd64.digest.as_str(), &volume.amd64),
        (volume.arm64.digest.as_str(), &volume.arm64),
        (volume.moved.digest.as_str(), &volume.moved),
        (volume.untagged.digest.as_str(), &volume.untagged),
    ] {
        serves_image(&app, reference, image).await;
    }
    serves_image(&fresh, "v1", &in_fresh).await;
    other.get("manifests/mounted").send().await.refuses(404, "MANIFEST_UNKNOWN");
    // And the peer goes on where Berth stopped.
    app.push_typed("moving", "by the peer").await;
    fresh.push_typed("v2", "by the peer").await;
    drop(peer);
    let image = image(&[b"by the peer"]);
    serves_image(&berth.repository("acme/app"), "moving", &image).await;
    serves_image(&berth.repository("fresh"), "v2", &image).await;
}

/// What a collection, a scrub and a writer that died leave in a volume.
async fn leave_behind(berth: &Standalone, volume: &Volume) {
    let app = berth.repository("acme/app");
    let hidden = app.push_blob(b"hidden").await;
    collect_in(berth.root(), after_hours(25)).await.unwrap();
    let (damaged, healed) = (app.push_blob(b"damaged").await, sha256(b"after"));
    for digest in [&damaged, &healed] {
        fs::write(berth.stored(&data(digest)), "other bytes").unwrap();
    }
    scrub_in(berth.root());
    app.push_blob(b"after").await;
    let lies = |digest: &str| names(berth.stored(&data(digest)).parent().unwrap()).remove(0);
    assert!(lies(&hidden).starts_with("berth-trash."));
    assert!([&damaged, &healed].iter().all(|digest| lies(digest).starts_with("berth-damaged.")));
    for intent in ["_tags/moving", "_tags/more"] {
        let intent = berth.stored(&format!("berth/intents/acme/app/{intent}"));
        fs::write(intent, &volume.moved.digest).unwrap();
    }
}

/// A volume that Berth wrote, with what the peer knows nothing of, and which it serves all the same.
async fn written_by_berth(folder: TempDir) -> (Standalone, Volume) {
    let berth = Standalone::on(folder, &[]);
    let (app, other) = (berth.repository("acme/app"), berth.repository("acme/app/nested"));
    let volume = Volume::write(&app, &other).await;
    app.put_typed("empty", OCI_INDEX, &index(&[])).await;
    app.put_typed(&sha256(&signature(&volume)), OCI_MANIFEST, &signature(&volume)).await;
    let digest = sha512(b"long");
    app.post(&format!("blobs/uploads/?digest={digest}")).body("long").send().await.is(201);
    app.put_typed("long", OCI_MANIFEST, &with_long_layer()).await;
    leave_behind(&berth, &volume).await;
    let peer = Peer::start(berth.root()).await;
    volume.is_served(&peer.repository("acme/app"), &peer.repository("acme/app/nested")).await;
    (berth, volume)
}

/// Refers to the image `amd64`.
fn signature(volume: &Volume) -> Vec<u8> {
    artifact(&volume.amd64.digest, &json!({}))
}

/// An image whose layer has a digest by SHA-512.
fn with_long_layer() -> Vec<u8> {
    let mut manifest: serde_json::Value = serde_json::from_slice(&image(&[b"long"]).manifest).unwrap();
    manifest["layers"][0]["digest"] = json!(sha512(b"long"));
    manifest.to_string().into_bytes()
}

#[tokio::test]
async fn the_peers_collector_takes_nothing_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_owned();
    let (berth, volume) = written_by_berth(folder).await;
    let unused = berth.repository("acme/app").push_blob(b"nobody names this").await;
    Peer::collect_garbage(&root, &[]);
    let hex = unused.strip_prefix("sha256:").unwrap();
    let data = stored(&root, &format!("blobs/sha256/{}/{hex}/data", &hex[..2]));
    assert!(!data.exists(), "the collector did its work");

    let (app, other) = (berth.repository("acme/app"), berth.repository("acme/app/nested"));
    volume.is_served(&app, &other).await;
    app.serves("empty", OCI_INDEX, &index(&[])).await;
    app.serves(&sha256(&signature(&volume)), OCI_MANIFEST, &signature(&volume)).await;
    app.serves("long", OCI_MANIFEST, &with_long_layer()).await;
    let long = app.get(&format!("blobs/{}", sha512(b"long"))).send().await.is(200);
    assert_eq!(long.body, "long");
    // Berth's own goes on from there.
    collect_in(&root, after_hours(50)).await.unwrap();
    volume.is_served(&app, &other).await;
    // What went can be pushed again.
    app.push_blob(b"nobody names this").await;
    app.serves_blob(b"nobody names this").await;
}

#[tokio::test]
async fn the_peers_collector_of_untagged_manifests_leaves_every_tag_what_it_names_itself() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_owned();
    let (berth, volume) = written_by_berth(folder).await;
    Peer::collect_garbage(&root, &["--delete-untagged"]);

    let (app, other) = (berth.repository("acme/app"), berth.repository("acme/app/nested"));
    serves_image(&app, "amd64", &volume.amd64).await;
    serves_image(&app, "moving", &volume.moved).await;
    serves_image(&other, "mounted", &volume.amd64).await;
    app.serves("multi", OCI_INDEX, &volume.multi).await;
    app.serves("empty", OCI_INDEX, &index(&[])).await;
    app.serves("long", OCI_MANIFEST, &with_long_layer()).await;
    // What it takes, as it says of itself: untagged manifests, parts of an index and referrers among them.
    for gone in [&volume.untagged.digest, &volume.arm64.digest, &sha256(&signature(&volume))] {
        app.get(&format!("manifests/{gone}")).send().await.refuses(404, "MANIFEST_UNKNOWN");
    }
    collect_in(&root, after_hours(50)).await.unwrap();
    serves_image(&app, "moving", &volume.moved).await;
    assert_eq!(app.tags().await, ["amd64", "empty", "long", "moving", "multi"]);
    // The same pushes bring all of it back.
    let again = app.push_typed(&volume.arm64.digest, "for arm64").await;
    serves_image(&app, &again.digest, &again).await;
}

#[tokio::test]
async fn berths_collector_takes_of_a_peers_volume_what_is_garbage_and_nothing_that_is_tagged() {
    for delete_untagged in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        let peer = Peer::start(&root).await;
        let volume = Volume::write(&peer.repository("acme/app"), &peer.repository("acme/app/nested")).await;
        let unused = peer.repository("acme/app").upload(b"nobody names this").await;
        drop(peer);
        let uploads = stored(&root, "repositories/acme/app/_uploads");
        let unfinished = names(&uploads);
        assert!(!unfinished.is_empty());

        let findings = collect_in(&root, Collection { delete_untagged, ..at_once() }).await.unwrap();
        let deleted = with_fate(&findings, Fate::Deleted);
        let gone = image(&[b"gone"]).digest;
        let untagged = [sha256(b"untagged"), volume.untagged.digest.clone(), sha256(b"before")];
        for (digest, goes) in [(&unused, true), (&sha256(b"gone"), true), (&gone, true)]
            .into_iter()
            .chain(untagged.iter().map(|digest| (digest, delete_untagged)))
        {
            assert_eq!(deleted.contains(&format!("blob {digest}")), goes, "{digest}: {deleted:?}");
            assert_eq!(!stored(&root, &data(digest)).exists(), goes, "{digest}");
        }
        for digest in [&unused, &sha256(b"gone")] {
            assert!(deleted.contains(&format!("layer {digest}")), "its link: {deleted:?}");
        }
        let again = collect_in(&root, Collection { delete_untagged, ..at_once() }).await.unwrap();
        assert_eq!(with_fate(&again, Fate::Deleted), [].into(), "all garbage went at once");
        assert_eq!(names(&uploads), unfinished, "what a peer may go on with");

        let berth = Standalone::on(folder, &[]);
        let peer = Peer::start(&root).await;
        for (app, other) in [
            (berth.repository("acme/app"), berth.repository("acme/app/nested")),
            (peer.repository("acme/app"), peer.repository("acme/app/nested")),
        ] {
            if delete_untagged {
                app.get(&format!("manifests/{}", volume.untagged.digest)).send().await.refuses(404, "MANIFEST_UNKNOWN");
                app.push_typed(&volume.untagged.digest, "untagged").await;
            }
            volume.is_served(&app, &other).await;
            assert_eq!((app.tags().await, other.tags().await.len()), (named(&["amd64", "moving", "multi"]), 1));
            if delete_untagged {
                collect_in(&root, Collection { delete_untagged, ..at_once() }).await.unwrap();
            }
        }
    }
}

fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
