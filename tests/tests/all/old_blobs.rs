//! Blobs whose last change is long ago, and which this process has never read: what manifests say of their lengths shows
//! which of them lost bytes.

use crate::support::{Elsewhen, Repository, data, eventually, image, sha256};
use std::fs;
use std::path::Path;
use std::time::Duration;

const TWO_DAYS: i64 = 2 * 24 * 3600;

/// A blob is put away beside the answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Pushes an image of one layer whose manifest says that it has so many bytes.
async fn push_image(folder: &Path, layer: &str, said: usize) {
    let now = Elsewhen::start_alone(folder, 0).await;
    let app = Repository::new(&now.program.host, "acme/app", String::new());
    for content in ["{}", layer] {
        app.push_blob(content.as_bytes()).await;
    }
    let manifest = String::from_utf8(image(&[layer.as_bytes()]).manifest).unwrap();
    let lengths = [layer.len(), said].map(|length| format!("\"size\":{length}"));
    let manifest = manifest.replace(&lengths[0], &lengths[1]);
    assert!(manifest.contains(&lengths[1]), "{manifest}");
    app.put_manifest("v1", manifest.as_bytes()).await.is(201);
}

#[tokio::test]
async fn an_old_layer_that_lost_bytes_is_no_whole_answer_to_who_reads_its_manifest_first() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("data");
    let layer = "layer".repeat(200_000);
    push_image(&folder, &layer, layer.len()).await;
    let digest = sha256(layer.as_bytes());
    let path = format!("blobs/{digest}");
    let file = folder.join("registry/docker/registry/v2").join(data(&digest));
    for left in [0, 1000, layer.len() - 1] {
        fs::File::options().write(true).open(&file).unwrap().set_len(left as u64).unwrap();
        let registry = Elsewhen::start_alone(&folder, TWO_DAYS).await;
        let app = Repository::new(&registry.program.host, "acme/app", String::new());
        app.get("manifests/v1").send().await.is(200);
        let answer = app.get(&path).attempt().await;
        assert!(answer.is_none_or(|answer| answer.status >= 400), "{left} bytes look like all");
        eventually("put away", PATIENCE, async || app.head(&path).send().await.status == 404).await;
        app.push_blob(layer.as_bytes()).await;
        assert_eq!(app.get(&path).send().await.is(200).body, layer.as_bytes());
    }
}

#[tokio::test]
async fn an_old_layer_of_which_a_manifest_says_a_wrong_length_stays() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("data");
    let layer = "layer".repeat(200_000);
    push_image(&folder, &layer, 7).await;
    let registry = Elsewhen::start_alone(&folder, TWO_DAYS).await;
    let app = Repository::new(&registry.program.host, "acme/app", String::new());
    app.get("manifests/v1").send().await.is(200);
    let path = format!("blobs/{}", sha256(layer.as_bytes()));
    for _ in 0..2 {
        app.head(&path).send().await.is(200);
        assert_eq!(app.get(&path).send().await.is(200).body, layer.as_bytes());
    }
}
