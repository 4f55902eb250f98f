//! Reading everything again: what is damaged is found and put aside, who needs it is named, and a push brings it back.

use crate::support::{
    Standalone, after_hours, at_once, child_descriptor, collect_in, data, index, pulls, scrub_in, sha256,
};
use registry_service::domain::collector::CollectionError;
use registry_service::domain::scrub::Scrub;
use registry_service::model::scrub::{Event, Lacks};
use registry_service::scrub;
use registry_service::store::Storage;
use registry_service::store::faults::arm;
use shared::media_type::OCI_MANIFEST;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// What a scrub of it finds.
fn scrub(registry: &Standalone) -> (Vec<String>, Vec<Lacks>) {
    scrub_in(registry.root())
}

/// A way of losing the bytes of a blob, with its name, and whether it leaves some.
type Damage = (&'static str, bool, fn(&Path));

fn damages() -> [Damage; 4] {
    [
        ("a flipped byte", true, |data| {
            let mut bytes = fs::read(data).unwrap();
            bytes[2] ^= 1;
            fs::write(data, bytes).unwrap();
        }),
        ("emptied", true, |data| fs::write(data, "").unwrap()),
        ("cut", true, |data| fs::File::options().write(true).open(data).unwrap().set_len(3).unwrap()),
        ("gone", false, |data| fs::remove_file(data).unwrap()),
    ]
}

#[tokio::test]
async fn what_is_damaged_is_put_aside_and_named_with_its_tags_and_pushed_again() {
    for (what, leaves_bytes, damage) in damages() {
        let registry = Standalone::start(&[]);
        let app = registry.repository("acme/app");
        let image = app.push_image("v1", "layer").await;
        let multi = index(&[child_descriptor(OCI_MANIFEST, &image.manifest)]);
        app.put_manifest("multi", &multi).await.is(201);
        app.push_image("other", "good").await;
        let layer = sha256(b"layer");
        let blob = format!("blobs/{layer}");
        assert_eq!(scrub(&registry), (vec![], vec![]), "{what}");

        let place = registry.stored(&data(&layer));
        damage(&place);
        let (damaged, lacks) = scrub(&registry);
        let found = if leaves_bytes { vec![layer.clone()] } else { vec![] };
        assert_eq!(damaged, found, "{what}");
        let lacks = serde_json::to_value(lacks).unwrap();
        let wanted = serde_json::json!([{
            "repository": "acme/app", "lacks": layer, "manifest": image.digest, "tags": ["multi", "v1"],
        }]);
        assert_eq!(lacks, wanted, "{what}");
        app.get(&blob).send().await.refuses(404, "BLOB_UNKNOWN");
        app.head(&blob).send().await.is(404);
        // Said again as long as it is so, and the program's end says it too.
        assert_eq!(scrub(&registry).0, Vec::<String>::new());
        let error = scrub::run(scrub::ScrubArguments { rate: None }, registry.root()).unwrap_err();
        assert!(error.to_string().contains("1 lacking"), "{error}");

        app.push_blob(b"layer").await;
        assert_eq!(app.get(&blob).send().await.is(200).text(), "layer", "{what}");
        assert_eq!(scrub(&registry), (vec![], vec![]), "{what}");
        scrub::run(scrub::ScrubArguments { rate: None }, registry.root()).unwrap();
    }
}

#[tokio::test]
async fn a_damaged_manifest_is_put_aside_and_pushed_again() {
    let registry = Standalone::start(&[]);
    let app = registry.repository("app");
    let image = app.push_image("v1", "layer").await;
    fs::write(registry.stored(&data(&image.digest)), "{}").unwrap();
    let (damaged, lacks) = scrub(&registry);
    assert_eq!(damaged, [image.digest.as_str()]);
    assert_eq!(lacks.len(), 1);
    assert_eq!(
        (lacks[0].lacks.as_str(), lacks[0].tags.as_slice()),
        (image.digest.as_str(), ["v1".to_owned()].as_slice())
    );
    let other = registry.beside(&[]);
    app.on(&other).get("manifests/v1").send().await.refuses(404, "MANIFEST_UNKNOWN");
    app.put_manifest("v1", &image.manifest).await.is(201);
    assert_eq!(app.on(&other).get("manifests/v1").send().await.is(200).body, image.manifest);
    assert_eq!(scrub(&registry), (vec![], vec![]));
}

// The collector, step 5: whoever needs what is hidden renames it back, so it is hashed like what lies in its place.
#[tokio::test]
async fn what_is_damaged_while_it_is_hidden_is_put_aside_and_not_brought_back() {
    let registry = Standalone::start(&[]);
    let app = registry.repository("app");
    let digest = app.push_blob(b"nobody names this").await;
    collect_in(registry.root(), after_hours(25)).await.unwrap();
    let place = registry.stored(&data(&digest));
    // All that lies there is one file, whatever its name is by now.
    let copy = || fs::read_dir(place.parent().unwrap()).unwrap().next().unwrap().unwrap().path();
    let is_called = |prefix: &str| copy().file_name().unwrap().to_str().unwrap().starts_with(prefix);
    assert!(is_called("berth-trash."));
    assert_eq!(scrub(&registry), (vec![], vec![]));

    fs::write(copy(), "damaged").unwrap();
    assert_eq!(scrub(&registry), (vec![digest.clone()], vec![]));
    assert!(is_called("berth-damaged."));
    let blob = format!("blobs/{digest}");
    app.head(&blob).send().await.is(404);
    app.push_blob(b"nobody names this").await;
    assert_eq!(app.get(&blob).send().await.is(200).text(), "nobody names this");
}

#[tokio::test]
async fn an_emptied_blob_is_never_said_to_be_there() {
    let registry = Standalone::start(&[]);
    let app = registry.repository("app");
    let digest = app.push_blob(b"layer").await;
    fs::write(registry.stored(&data(&digest)), "").unwrap();
    let blob = format!("blobs/{digest}");
    for status in [app.head(&blob).send().await.status, app.get(&blob).send().await.status] {
        assert!(status >= 400, "{status}");
    }
}

#[tokio::test]
async fn what_the_disk_gives_back_no_more_is_no_whole_answer_is_named_and_pushed_again() {
    let registry = Standalone::start(&[]);
    let app = registry.repository("app");
    // Sent from memory; and sent as a stream, in the middle of which the disk fails.
    for (size, chunk) in [(1000, 1), (4_000_000, 20)] {
        for is_scrubbed in [false, true] {
            let content: Vec<u8> = (0..=250).cycle().skip(usize::from(is_scrubbed)).take(size).collect();
            let digest = app.push_blob(&content).await;
            let (blob, place) = (format!("blobs/{digest}"), data(&digest));
            let rule = format!("eio@{chunk}+ read {}", place.trim_end_matches("data"));
            let failing = arm(registry.root(), &rule).unwrap();
            let broken = app.get(&blob).attempt().await;
            assert!(broken.is_none_or(|answer| answer.status >= 500), "{size} bytes look whole");
            assert!(failing.count() > 0);
            assert_eq!(app.head(&blob).send().await.is(200).header("content-length"), size.to_string());
            if is_scrubbed {
                assert_eq!(scrub(&registry).0, [digest.as_str()]);
                app.head(&blob).send().await.is(404);
            }
            let inode = |path: &str| fs::metadata(registry.stored(path)).map(|file| file.ino()).ok();
            let before = inode(&place);
            app.push_blob(&content).await;
            assert!(inode(&place).is_some() && inode(&place) != before, "the push took what cannot be read for good");
            drop(failing);
            assert_eq!(app.get(&blob).send().await.is(200).body, content);
            assert_eq!(scrub(&registry), (vec![], vec![]));
        }
    }
}

#[tokio::test]
async fn a_manifest_that_the_disk_gives_back_no_more_is_named_and_pushed_again() {
    let registry = Standalone::start(&[]);
    let app = registry.repository("app");
    let (lost, other) = (app.push_image("v1", "one").await, app.push_image("v2", "two").await);
    let place = data(&lost.digest);
    let failing = arm(registry.root(), &format!("eio@1+ read {}", place.trim_end_matches("data"))).unwrap();
    let held = app.delete(&format!("manifests/{}", other.digest)).send().await.refuses(405, "UNSUPPORTED");
    assert!(held.text().contains(&format!("{}, which is damaged", lost.digest)), "{}", held.text());
    let error = collect_in(registry.root(), at_once()).await.unwrap_err();
    let is_named = matches!(&error, CollectionError::Unreadable { digest, .. } if digest.as_str() == lost.digest);
    assert!(is_named, "{error}");
    let inode = || fs::metadata(registry.stored(&place)).unwrap().ino();
    let before = inode();
    app.put_manifest("v1", &lost.manifest).await.is(201);
    assert!(inode() != before, "the push took what cannot be read for good");
    drop(failing);
    pulls(&app, "v1", &lost).await;
    app.delete(&format!("manifests/{}", other.digest)).send().await.is(202);
    collect_in(registry.root(), at_once()).await.unwrap();
}

#[tokio::test]
async fn what_comes_and_goes_while_everything_is_read_is_no_damage() {
    let registry = Standalone::start(&[]);
    let app = registry.repository("app");
    for number in 0..20 {
        app.push_image(&format!("v{number}"), &format!("layer {number}")).await;
    }
    let root = registry.root().to_owned();
    let scrubbing = tokio::task::spawn_blocking(move || {
        let storage = Storage::open(&root).unwrap();
        let mut found = Vec::new();
        for _ in 0..5 {
            let scrub = Scrub { storage: &storage, rate: Some(20_000) };
            scrub
                .run(&mut |event| match event {
                    Event::Damaged(_) | Event::Lacks(_) => found.push(event),
                    _ => {}
                })
                .unwrap();
        }
        found
    });
    let mut number = 0;
    while !scrubbing.is_finished() {
        let tag = format!("v{}", number % 20);
        let image = app.push_image(&tag, &format!("again {number}")).await;
        if number % 3 == 0 {
            app.delete(&format!("manifests/{}", image.digest)).send().await.is(202);
            app.delete(&format!("blobs/{}", sha256(format!("again {number}").as_bytes()))).send().await.is(202);
        }
        number += 1;
    }
    assert_eq!(scrubbing.await.unwrap(), []);
    assert!(number > 5, "there was something to meet");
}

#[tokio::test]
async fn it_reads_no_faster_than_it_is_told() {
    let registry = Standalone::start(&[]);
    registry.repository("app").push_blob(&vec![7; 600_000]).await;
    let storage = Storage::open(registry.root()).unwrap();
    let begun = Instant::now();
    Scrub { storage: &storage, rate: Some(1_000_000) }.run(&mut |_| ()).unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(590));
}
