//! What peers and crashes leave in a volume, and Berth never would: links that say something else than their places, or
//! nothing, manifests of old formats, and names that cannot be asked for. It is served, or taken for nothing; and the
//! collector, a scrub and a reindex lose nothing by it.

use super::volume::paths;
use crate::support::{
    Stack, Standalone, after_hours, at_once, blob_descriptor, collect_in, data, image, pulls, scrub_in, sha256, sha512,
};
use berth::reindex::How;
use jiff::SignedDuration;
use registry_service::domain::collector::Collection;
use serde_json::json;
use shared::Digest;
use shared::media_type::{OCI_INDEX, OCI_MANIFEST};
use std::fs;
use std::path::{Path, PathBuf};

fn hex(digest: &str) -> &str {
    digest.split_once(':').unwrap().1
}

/// Puts bytes where a blob lies; returns its digest.
fn store(registry: &Standalone, bytes: &[u8]) -> String {
    let digest = sha256(bytes);
    write(registry.stored(&data(&digest)), bytes);
    digest
}

fn write(path: PathBuf, bytes: &[u8]) -> PathBuf {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

/// What a peer could have written: a manifest of `app`, with a tag.
fn leave_manifest(registry: &Standalone, tag: &str, manifest: &[u8]) -> String {
    let digest = store(registry, manifest);
    leave_link(registry, "_manifests/revisions", &digest, digest.as_bytes());
    write(registry.stored(&format!("repositories/app/_manifests/tags/{tag}/current/link")), digest.as_bytes());
    digest
}

/// A link of `app` below this folder, whatever it says.
fn leave_link(registry: &Standalone, below: &str, digest: &str, content: &[u8]) -> PathBuf {
    write(registry.stored(&format!("repositories/app/{below}/{}/link", digest.replace(':', "/"))), content)
}

#[tokio::test]
async fn the_media_type_of_what_a_peer_stored_is_what_its_body_says() {
    let registry = Standalone::start(&[]);
    let app = registry.repository("app");
    let docker_list = "application/vnd.docker.distribution.manifest.list.v2+json";
    let descriptor = blob_descriptor("application/vnd.oci.image.config.v1+json", b"{}");
    for (tag, manifest, media_type) in [
        ("said", json!({ "schemaVersion": 2, "mediaType": docker_list, "manifests": [] }), docker_list),
        ("index", json!({ "schemaVersion": 2, "manifests": [] }), OCI_INDEX),
        ("image", json!({ "schemaVersion": 2, "config": descriptor, "layers": [] }), OCI_MANIFEST),
        (
            "schema-1",
            json!({ "schemaVersion": 1, "name": "app", "tag": "schema-1", "fsLayers": [] }),
            "application/vnd.docker.distribution.manifest.v1+prettyjws",
        ),
    ] {
        let manifest = manifest.to_string();
        let digest = leave_manifest(&registry, tag, manifest.as_bytes());
        let read = app.get(&format!("manifests/{tag}")).send().await.is(200);
        assert_eq!((read.header("content-type"), read.text()), (media_type, manifest), "{tag}");
        assert_eq!(read.header("docker-content-digest"), digest, "{tag}");
    }
}

#[tokio::test]
async fn layers_of_an_old_manifest_are_kept_from_deletes_and_from_the_collector() {
    let registry = Standalone::start(&[]);
    let app = registry.repository("app");
    let layers = [app.push_blob(b"old layer").await, app.push_blob(b"older layer").await];
    let listed: Vec<_> = layers.iter().map(|layer| json!({ "blobSum": layer })).collect();
    let manifest = json!({ "schemaVersion": 1, "name": "app", "tag": "old", "fsLayers": listed }).to_string();
    leave_manifest(&registry, "old", manifest.as_bytes());
    let unused = app.push_blob(b"nobody names this").await;
    for delete_untagged in [false, true] {
        for layer in &layers {
            app.delete(&format!("blobs/{layer}")).send().await.refuses(405, "UNSUPPORTED");
            app.get(&format!("blobs/{layer}")).send().await.is(200);
        }
        assert_eq!(app.get("manifests/old").send().await.is(200).text(), manifest);
        collect_in(registry.root(), Collection { delete_untagged, ..at_once() }).await.unwrap();
    }
    for layer in &layers {
        assert_eq!(sha256(&app.get(&format!("blobs/{layer}")).send().await.is(200).body), *layer);
    }
    app.get(&format!("blobs/{unused}")).send().await.refuses(404, "BLOB_UNKNOWN");
}

#[tokio::test]
async fn the_content_of_a_link_and_not_its_place_says_what_is_meant() {
    let registry = Standalone::start(&[]);
    let app = registry.repository("app");
    let (short, long) = (store(&registry, b"layer"), sha512(b"layer"));
    leave_link(&registry, "_layers", &long, short.as_bytes());
    let read = app.get(&format!("blobs/{long}")).send().await.is(200);
    assert_eq!((read.text().as_str(), read.header("docker-content-digest")), ("layer", long.as_str()));
    app.get(&format!("blobs/{short}")).send().await.refuses(404, "BLOB_UNKNOWN");

    let manifest = image(&[b"layer"]).manifest;
    let (short, long) = (store(&registry, &manifest), sha512(&manifest));
    leave_link(&registry, "_manifests/revisions", &long, short.as_bytes());
    let read = app.get(&format!("manifests/{long}")).send().await.is(200);
    assert_eq!(read.body, manifest);
}

/// As an earlier run of the collector hid it, long ago.
fn hide(path: &Path) {
    fs::rename(path, path.with_file_name("berth-trash.0.earlier")).unwrap();
}

#[tokio::test]
async fn what_links_say_is_kept_and_brought_back_whatever_their_places_are_called() {
    for (delete_untagged, are_hidden) in [(false, false), (false, true), (true, false), (true, true)] {
        let registry = Standalone::start(&[]);
        let app = registry.repository("app");
        app.push_blob(b"{}").await;
        let (layer, long_layer) = (store(&registry, b"layer"), sha512(b"layer"));
        let manifest = String::from_utf8(image(&[b"layer"]).manifest).unwrap().replace(&layer, &long_layer);
        let (short, long) = (store(&registry, manifest.as_bytes()), sha512(manifest.as_bytes()));
        let places = [
            leave_link(&registry, "_layers", &long_layer, layer.as_bytes()),
            leave_link(&registry, "_manifests/revisions", &long, short.as_bytes()),
            registry.stored(&data(&layer)),
            registry.stored(&data(&short)),
        ];
        write(registry.stored("repositories/app/_manifests/tags/v1/current/link"), long.as_bytes());
        for collection in [at_once(), after_hours(25), after_hours(50)] {
            if are_hidden {
                for place in &places {
                    hide(place);
                }
            }
            collect_in(registry.root(), Collection { delete_untagged, ..collection }).await.unwrap();
            assert!(places.iter().all(|place| place.is_file()), "{delete_untagged}, {are_hidden}");
            for reference in ["v1", &long] {
                let read = app.get(&format!("manifests/{reference}")).send().await.is(200);
                assert_eq!(read.text(), manifest, "{delete_untagged}, {are_hidden}");
            }
            assert_eq!(app.get(&format!("blobs/{long_layer}")).send().await.is(200).text(), "layer");
        }
    }
}

/// What a crash, or a disk, makes of a link.
const BROKEN: [&str; 4] = ["", "sha256:12", "\0\0\0\0", "not a digest\n"];

#[tokio::test]
async fn an_empty_or_garbled_link_is_none_and_a_push_heals_it() {
    for broken in BROKEN {
        let registry = Standalone::start(&[]);
        let app = registry.repository("app");
        let pushed = app.push_image("v1", "layer").await;
        let layer = sha256(b"layer");
        let revision =
            registry.stored(&format!("repositories/app/_manifests/revisions/sha256/{}/link", hex(&pushed.digest)));
        let tag = registry.stored("repositories/app/_manifests/tags/v1/current/link");
        let link = leave_link(&registry, "_layers", &layer, broken.as_bytes());
        for path in [&revision, &tag] {
            fs::write(path, broken).unwrap();
        }
        app.get(&format!("blobs/{layer}")).send().await.refuses(404, "BLOB_UNKNOWN");
        for reference in ["v1", &pushed.digest] {
            app.get(&format!("manifests/{reference}")).send().await.refuses(404, "MANIFEST_UNKNOWN");
        }
        assert_eq!(app.get("tags/list").send().await.is(200).json()["tags"], json!([]), "{broken:?}");
        app.put_manifest("v1", &pushed.manifest).await.refuses(400, "MANIFEST_BLOB_UNKNOWN");
        app.push_image("v1", "layer").await;
        app.get(&format!("blobs/{layer}")).send().await.is(200);
        assert_eq!(app.get("manifests/v1").send().await.is(200).body, pushed.manifest);
        for path in [link, revision, tag] {
            assert!(Digest::parse(&fs::read_to_string(&path).unwrap()).is_ok(), "{}", path.display());
        }
    }
}

#[tokio::test]
async fn broken_links_stop_nobody_who_walks_the_volume_and_cost_no_other_image() {
    for (broken, delete_untagged) in BROKEN.into_iter().flat_map(|broken| [(broken, false), (broken, true)]) {
        let stack = Stack::start().await;
        let mut repositories = Vec::new();
        for what in ["layer", "revision", "tag", "history"] {
            let app = stack.admin().repository(&format!("admin/{what}")).await;
            let good = app.push_image("good", &format!("good {what}")).await;
            let image = app.push_image("v1", what).await;
            let link = match what {
                "layer" => format!("_layers/sha256/{}", hex(&sha256(b"layer"))),
                "revision" => format!("_manifests/revisions/sha256/{}", hex(&image.digest)),
                "tag" => "_manifests/tags/v1/current".to_owned(),
                _ => format!("_manifests/tags/v1/index/sha256/{}", hex(&image.digest)),
            };
            let link = stack.stored(&format!("repositories/admin/{what}/{link}/link"));
            assert!(link.is_file(), "{}", link.display());
            fs::write(link, broken).unwrap();
            repositories.push((what, app, good, image));
        }
        for restore_window in [SignedDuration::from_hours(168), SignedDuration::ZERO] {
            let collection = Collection { delete_untagged, restore_window, ..at_once() };
            stack.collect(collection).await.unwrap();
        }
        let (damaged, lacks) = scrub_in(stack.root());
        let lacks: Vec<_> = lacks.iter().map(|lacks| lacks.lacks.to_string()).collect();
        assert_eq!((damaged, lacks), (vec![], vec![sha256(b"layer")]), "{broken:?}");
        stack.settle().await;
        let (lines, summary) = stack.reindex(&How::default()).await;
        assert_eq!((summary.failed, summary.left, summary.lost), (0, 0, 0), "{broken:?}: {lines:?}");
        let (lines, again) = stack.reindex(&How::default()).await;
        assert_eq!(again.differences, 0, "{broken:?}: {lines:?}");
        for (what, app, good, image) in &repositories {
            pulls(app, "good", good).await;
            app.push_image("v1", what).await;
            pulls(app, "v1", image).await;
        }
        stack.collect(Collection { delete_untagged, ..at_once() }).await.unwrap();
        for (_, app, good, image) in &repositories {
            pulls(app, "good", good).await;
            pulls(app, "v1", image).await;
        }
        assert_eq!(scrub_in(stack.root()), (vec![], vec![]), "{broken:?}");
    }
}

#[tokio::test]
async fn a_repository_whose_name_only_a_peer_gives_keeps_its_links_and_what_its_manifests_name() {
    for delete_untagged in [false, true] {
        let registry = Standalone::start(&[]);
        let app = registry.repository("acme/app");
        let tagged = app.push_image("v1", "tagged").await;
        let untagged = app.push_image(&image(&[b"untagged"]).digest, "untagged").await;
        let loose = app.push_blob(b"nobody names this").await;
        let (ours, theirs) = (registry.stored("repositories/acme/app"), registry.stored("repositories/Acme/App"));
        fs::create_dir(theirs.parent().unwrap()).unwrap();
        fs::rename(&ours, &theirs).unwrap();
        registry.repository("Acme/App").get("manifests/v1").send().await.refuses(400, "NAME_INVALID");
        assert_eq!(registry.host.get("/v2/_catalog").send().await.is(200).json()["repositories"], json!([]));

        let links = paths(&theirs);
        for collection in [at_once(), after_hours(25), after_hours(50)] {
            collect_in(registry.root(), Collection { delete_untagged, ..collection }).await.unwrap();
            assert_eq!(paths(&theirs), links, "{delete_untagged}");
        }
        assert!(!registry.stored(&data(&loose)).exists(), "the collector did its work");

        // It is served again where its name may be asked for.
        fs::rename(&theirs, &ours).unwrap();
        pulls(&app, "v1", &tagged).await;
        pulls(&app, &untagged.digest, &untagged).await;
        app.get(&format!("blobs/{loose}")).send().await.refuses(404, "BLOB_UNKNOWN");
    }
}
