//! Unfinished uploads that are too old, and temporary files: who removes them, and when not. And a registry that only
//! reads.

use crate::support::{Standalone, artifact, data, eventually, sha256, write_as_a_peer};
use jiff::Timestamp;
use registry_service::store::faults::arm;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

const WEEK: Duration = Duration::from_hours(7 * 24);

/// Purges as often as it can.
const OFTEN: (&str, &str) = ("REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_INTERVAL", "1s");

async fn until_gone(path: &Path) {
    eventually(&format!("{} is gone", path.display()), Duration::from_secs(20), async || !path.exists()).await;
}

fn started_before(age: Duration) -> String {
    Timestamp::now().checked_sub(age).unwrap().to_string()
}

/// The directory of the upload at `location`.
fn directory(registry: &Standalone, location: &str) -> PathBuf {
    let (name, id) = location.strip_prefix("/v2/").unwrap().split_once("/blobs/uploads/").unwrap();
    registry.stored(&format!("repositories/{name}/_uploads/{id}"))
}

#[tokio::test]
async fn an_upload_goes_when_it_is_too_old_and_nobody_writes_it() {
    let registry = Standalone::start(&[OFTEN]);
    let app = registry.repository("acme/app");
    let (old, young, written) = (app.begin().await, app.begin().await, app.begin().await);
    for location in [&old, &young] {
        app.patch(location).body("begun").send().await.is(202);
    }
    let stalled = tokio::spawn(app.patch(&written).stalled("x".repeat(1 << 20)).send());
    let data = directory(&registry, &written).join("data");
    eventually("it is being written", WEEK, async || fs::metadata(&data).unwrap().len() > 0).await;
    let before = started_before(WEEK + Duration::from_mins(1));
    for location in [&old, &written] {
        fs::write(directory(&registry, location).join("startedat"), &before).unwrap();
    }
    // A clock that is a day ahead does not reach this one.
    fs::write(directory(&registry, &young).join("startedat"), started_before(Duration::from_hours(6 * 24 - 1)))
        .unwrap();

    until_gone(&directory(&registry, &old)).await;
    app.get(&old).send().await.refuses(404, "BLOB_UPLOAD_UNKNOWN");
    app.get(&young).send().await.is(204);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(data.exists(), "an upload that is being written is nobody else's");
    stalled.abort();
    // Its writer has gone; now it is too old like any other.
    until_gone(&directory(&registry, &written)).await;
    app.put(&format!("{young}?digest={}", sha256(b"begun"))).send().await.is(201);
}

#[tokio::test]
async fn what_peers_and_crashes_left_goes_too() {
    let registry = Standalone::start(&[OFTEN]);
    let app = registry.repository("app");
    app.push_image("v1", "layer").await;
    let uploads = registry.stored("repositories/peer/_uploads");
    let upload = |number: usize, started: &str| {
        let directory = uploads.join(format!("00000000-0000-4000-8000-00000000000{number}"));
        fs::create_dir_all(directory.join("hashstates/sha256")).unwrap();
        fs::write(directory.join("data"), "peer").unwrap();
        fs::write(directory.join("startedat"), started).unwrap();
        directory
    };
    let young = upload(1, &started_before(Duration::from_hours(1)));
    let torn = upload(2, "");
    // As Distribution writes it.
    let old = upload(3, "2020-02-29T12:00:00Z");
    let other = uploads.join("not-an-upload");
    fs::create_dir_all(&other).unwrap();

    let tag = registry.stored("repositories/app/_manifests/tags/v1/current");
    let (old_file, young_file, named) = (
        tag.join(".00000000-0000-4000-8000-000000000001"),
        tag.join(".00000000-0000-4000-8000-000000000002"),
        tag.join(".keep"),
    );
    for file in [&old_file, &young_file, &named] {
        fs::write(file, "sha256:").unwrap();
    }
    for file in [&old_file, &named] {
        let long_ago = SystemTime::now() - WEEK - Duration::from_mins(1);
        fs::File::options().write(true).open(file).unwrap().set_modified(long_ago).unwrap();
    }

    until_gone(&old).await;
    until_gone(&old_file).await;
    for kept in [young, torn, other, young_file, named] {
        assert!(kept.exists(), "{}", kept.display());
    }
    app.get("manifests/v1").send().await.is(200);
}

#[tokio::test]
async fn a_purge_can_be_switched_off_or_only_tell() {
    for (name, value) in [("ENABLED", "false"), ("DRYRUN", "true"), ("AGE", "1000h")] {
        let setting = format!("REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_{name}");
        let registry = Standalone::start(&[OFTEN, (&setting, value)]);
        let app = registry.repository("app");
        let location = app.begin().await;
        fs::write(directory(&registry, &location).join("startedat"), started_before(WEEK * 2)).unwrap();
        tokio::time::sleep(Duration::from_millis(2500)).await;
        app.get(&location).send().await.is(204);
    }
}

#[tokio::test]
async fn a_read_only_registry_serves_reads_refuses_writes_and_touches_nothing() {
    let writable = Standalone::start(&[]);
    let app = writable.repository("app");
    let image = app.push_image("v1", "layer").await;
    let upload = app.begin().await;
    writable.repository("other").push_image("v1", "layer").await;
    // Work for whoever may do any: an upload that is too old, an intent that a stopped writer left, a manifest that a peer
    // wrote without an entry among the referrers, and a blob that the collector has hidden.
    fs::write(directory(&writable, &upload).join("startedat"), started_before(WEEK * 2)).unwrap();
    let left = arm(writable.root(), "eio@1+ unlink /intents/").unwrap();
    app.put_manifest("v3", &image.manifest).await.is(201);
    assert!(left.count() > 0, "no intent is left");
    drop(left);
    let signature = artifact(&image.digest, &json!({}));
    write_as_a_peer(writable.root(), "app", &signature);
    let emptied = app.push_blob(b"emptied").await;
    fs::write(writable.stored(&data(&emptied)), "").unwrap();
    let hidden = app.push_blob(b"hidden").await;
    for path in [data(&hidden), format!("repositories/app/_layers/{}/link", hidden.replace(':', "/"))] {
        let path = writable.stored(&path);
        fs::rename(&path, path.with_file_name("berth-trash.0.earlier")).unwrap();
    }
    // On a copy, so that whoever touches it is the one that must not. Whatever it does to a file is written down, and fails.
    let copy = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("--archive").arg(writable.root().join(".")).arg(copy.path()).status();
    assert!(copied.unwrap().success());
    let touched = tempfile::NamedTempFile::new().unwrap();
    let _recorded = arm(copy.path(), &format!("record:{}@1+", touched.path().display())).unwrap();
    let _armed = arm(copy.path(), "eio@1+").unwrap();
    let reader = Standalone::on(copy, &[OFTEN, ("REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED", "true")]);
    let app = app.on(&reader.host);
    assert_eq!(app.get("manifests/v1").send().await.is(200).body, image.manifest);
    let layer = format!("blobs/{}", sha256(b"layer"));
    assert_eq!(app.get(&layer).send().await.is(200).text(), "layer");
    app.head(&layer).send().await.is(200);
    // From now on it could be noted where all referrers have their entries.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(app.referrers(&image.digest).await, [sha256(&signature)]);
    let [of_other, of_nothing] = ["other", "never"].map(|name| format!("/v2/{name}/referrers/{}", image.digest));
    for path in ["tags/list", &of_other, &of_nothing, "/v2/_catalog", "/v2/"] {
        app.get(path).send().await.is(200);
    }
    assert_eq!(app.get(&format!("blobs/{hidden}")).send().await.is(200).text(), "hidden");
    app.head(&format!("blobs/{emptied}")).send().await.is(404);
    app.get(&upload).send().await.is(204);
    for request in [
        app.post("blobs/uploads/"),
        app.post(&format!("blobs/uploads/?mount={}&from=app", sha256(b"layer"))),
        app.patch(&upload).body("x"),
        app.put(&format!("{upload}?digest={}", sha256(b""))),
        app.delete(&upload),
        app.put("manifests/v2").body(image.manifest.clone()),
        app.delete("manifests/v1"),
        app.delete(&layer),
    ] {
        let refused = request.send().await.refuses(405, "UNSUPPORTED");
        assert!(refused.text().contains("read-only"), "{}", refused.text());
    }
    // It would have settled at its start, and purged by now.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let touched = fs::read_to_string(touched.path()).unwrap();
    // A place between two steps touches nothing.
    let touched: Vec<_> = touched.lines().filter(|line| !line.starts_with("pause ")).collect();
    assert!(touched.is_empty(), "{touched:?}");
}
