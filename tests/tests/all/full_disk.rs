//! A disk that is really full, of bytes or of files: pushes are refused, reads go on, a collection makes room, and pushes
//! succeed again, all without a restart.

use crate::support::{Disk, Image, Repository, Stack, Standalone, at_once, data, eventually, image, pulls, sha256};
use registry_service::domain::collector::Collection;
use registry_service::store::Storage;
use reqwest::Method;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::time::Duration;
use tests::soon;

/// An image of one layer of so many bytes.
fn numbered(number: usize, size: usize) -> Image {
    let layer: Vec<u8> = number.to_le_bytes().into_iter().cycle().take(size).collect();
    image(&[&layer])
}

/// Pushes an image; the first bad status, if one is.
async fn push(app: &Repository, tag: &str, image: &Image) -> Result<(), u16> {
    for blob in &image.blobs {
        let digest = sha256(blob);
        let answer = app.post(&format!("blobs/uploads/?digest={digest}")).body(blob.clone()).send().await;
        refused(answer.status)?;
    }
    refused(app.put_manifest(tag, &image.manifest).await.status)
}

fn refused(status: u16) -> Result<(), u16> {
    if status == 201 { Ok(()) } else { Err(status) }
}

fn collect(root: &Path) {
    let collection = Collection { now: soon(), ..at_once() };
    collection.run(&Storage::open(root).unwrap(), &mut |_| ()).unwrap();
}

#[tokio::test]
async fn a_full_disk_refuses_pushes_serves_reads_and_is_mended_by_a_collection() {
    for (options, size) in [("size=2m", 100_000), ("size=64m,nr_inodes=600", 100)] {
        let disk = Disk::mount(options);
        let registry = Standalone::on(tempfile::tempdir_in(disk.path()).unwrap(), &[]);
        let app = registry.repository("acme/app");
        // Something that nobody needs, for the collection to take while there is no byte left.
        let mut unneeded = Vec::new();
        for number in 0..3 {
            unneeded.push(app.push_blob(&numbered(2000 + number, size).blobs[1]).await);
        }
        let (half, rest) = (vec![b'h'; size / 2], vec![b'r'; size / 2]);
        let upload = app.begin().await;
        app.patch(&upload).body(half.clone()).send().await.is(202);
        let mut pushed = Vec::new();
        let full = loop {
            let (tag, next) = (format!("v{}", pushed.len()), numbered(pushed.len(), size));
            match push(&app, &tag, &next).await {
                Ok(()) => pushed.push((tag, next)),
                Err(status) => break status,
            }
            assert!(pushed.len() < 100, "{options}: it is never full");
        };
        assert_eq!(full, 507, "{options}");
        assert!(pushed.len() > 2, "{options}: full at once");
        let ballast = disk.fill();

        for (tag, image) in &pushed {
            pulls(&app, tag, image).await;
        }
        let next = numbered(1000, size);
        for _ in 0..3 {
            assert_eq!(push(&app, "next", &next).await, Err(507), "{options}");
        }
        let deleted_tag = format!("manifests/{}", pushed[0].0);
        let layer = sha256(&pushed[0].1.blobs[1]);
        let other = registry.repository("acme/other");
        let mount = format!("blobs/uploads/?mount={layer}&from=acme/app");
        other.post(&mount).send().await.is(507);
        for path in [&deleted_tag, &format!("manifests/{}", pushed[0].1.digest)] {
            app.delete(path).send().await.is(507);
        }
        // Who only takes a link away, or goes on in a file, may need nothing that there is none of.
        let unlinked = app.delete(&format!("blobs/{}", unneeded[0])).send().await.status;
        assert!([202, 507].contains(&unlinked), "{options}: DELETE {unlinked}");
        let gone_on = app.patch(&upload).body(rest.clone()).send().await.status;
        assert!([202, 507].contains(&gone_on), "{options}: PATCH {gone_on}");
        for (tag, image) in &pushed {
            pulls(&app, tag, image).await;
        }
        // One that starts now serves what is there too.
        let (tag, image) = &pushed[0];
        pulls(&app.on(&registry.beside(&[])), tag, image).await;

        collect(registry.root());
        assert!(!registry.stored(&data(&unneeded[0])).exists(), "{options}");
        // Of what has become free a push needs most, and a delete a little.
        app.delete(&format!("manifests/{}", pushed[1].1.digest)).send().await.is(202);
        let (_, deleted) = pushed.remove(1);
        collect(registry.root());
        assert!(!registry.stored(&data(&sha256(&deleted.blobs[1]))).exists(), "{options}");
        push(&app, "next", &next).await.unwrap_or_else(|status| panic!("{options}: {status} though there is room"));
        pulls(&app, "next", &next).await;
        for file in ballast {
            fs::remove_file(file).unwrap();
        }
        // What was refused goes on where it stood.
        other.post(&mount).send().await.is(201);
        let whole = [half, rest].concat();
        let has = app.get(&upload).send().await.is(204).header("range").trim_start_matches("0-").parse::<usize>();
        let lacking = whole[has.unwrap() + 1..].to_vec();
        app.put(&format!("{upload}?digest={}", sha256(&whole))).body(lacking).send().await.is(201);
        assert_eq!(app.get(&format!("blobs/{}", sha256(&whole))).send().await.is(200).body, whole);
        app.delete(&deleted_tag).send().await.is(202);
        pushed.remove(0);
        pushed.push(("next".to_owned(), next));
        for (tag, image) in &pushed {
            pulls(&app, tag, image).await;
        }
    }
}

#[tokio::test]
async fn a_push_that_cannot_be_told_to_the_index_on_a_full_disk_is_told_when_there_is_room() {
    let disk = Disk::mount("size=64m");
    let stack = Stack::start_in(disk.path()).await;
    let app = stack.admin().repository("admin/app").await;
    let before = app.push_image("v1", "before").await;
    let after = image(&[b"after"]);
    app.push_blob(b"after").await;
    let stop = stack.arm("stop pause made");
    let push = tokio::spawn(app.put("manifests/v2").body(after.manifest.clone()).send());
    stop.reached().await;
    let ballast = disk.fill();
    stack.admin().asks(Method::POST, "/api/v1/orgs").json(&json!({ "name": "acme" })).send().await.is(503);
    drop(stop);
    push.await.unwrap().is(503);
    pulls(&app, "v1", &before).await;

    for file in ballast {
        fs::remove_file(file).unwrap();
    }
    stack.settle().await;
    eventually("the index knows the tag", Duration::from_secs(20), async || {
        let tags = stack.admin().asks(Method::GET, "/api/v1/repositories/admin/app/-/tags").send().await.is(200).json();
        let mut tags = tags["items"].as_array().unwrap().iter();
        tags.any(|tag| tag["name"] == "v2" && tag["digest"] == after.digest.as_str())
    })
    .await;
    pulls(&app, "v2", &after).await;
    app.put_manifest("v2", &after.manifest).await.is(201);
}
