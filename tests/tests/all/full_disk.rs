//! A disk that is really full, of bytes or of files: pushes are refused, reads go on, a collection makes room, and pushes
//! succeed again, all without a restart.

use crate::support::{Disk, Image, Repository, Standalone, at_once, data, image, pulls, sha256};
use registry_service::domain::collector::Collection;
use registry_service::store::Storage;
use std::fs;
use std::path::Path;
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
        pushed.push(("next".to_owned(), next));
        for (tag, image) in &pushed {
            pulls(&app, tag, image).await;
        }
    }
}
