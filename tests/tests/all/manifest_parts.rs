//! What a manifest names and must be there, by its media type: layers that a licence forbids to hand on, and the children
//! of Docker's lists. OCI image spec 1.1, "Non-Distributable Layers"; Docker image manifest version 2, schema 2.

use crate::support::{Stack, blob_descriptor, child_descriptor, sha256};
use serde_json::json;
use shared::media_type::{DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, OCI_MANIFEST};

/// Where a layer may be fetched that no registry hands on.
const URL: &str = "https://example.com/layer";

/// (where it is written, media type of a layer that is not there, the URLs that go with it, status of the push).
const LAYERS: &[(&str, &str, &[&str], u16)] = &[
    ("OCI image layer", "application/vnd.oci.image.layer.nondistributable.v1.tar", &[URL], 201),
    ("OCI image layer", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", &[URL], 201),
    ("OCI image layer", "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", &[URL], 201),
    ("Docker schema 2", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", &[URL], 201),
    // Nobody says where else it could be.
    ("OCI image layer", "application/vnd.oci.image.layer.nondistributable.v1.tar", &[], 400),
    ("OCI image layer", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", &[], 400),
    ("OCI image layer", "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", &[], 400),
    ("Docker schema 2", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", &[], 400),
    // Nothing forbids that it be here.
    ("OCI image layer", "application/vnd.oci.image.layer.v1.tar+gzip", &[URL], 400),
    ("Docker schema 2", "application/vnd.docker.image.rootfs.diff.tar.gzip", &[URL], 400),
];

#[tokio::test]
async fn a_layer_that_may_not_be_handed_on_need_not_be_there_if_it_is_said_where_it_lies() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    app.push_blob(b"{}").await;
    let config = blob_descriptor("application/vnd.oci.image.config.v1+json", b"{}");
    let digest = sha256(b"elsewhere");
    for (number, (rule, media_type, urls, status)) in LAYERS.iter().enumerate() {
        let mut layer = blob_descriptor(media_type, b"elsewhere");
        if !urls.is_empty() {
            layer["urls"] = json!(urls);
        }
        let manifest = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer] });
        let (manifest, tag) = (manifest.to_string(), format!("v{number}"));
        let answer = app.put_manifest(&tag, manifest.as_bytes()).await;
        assert_eq!(answer.status, *status, "{rule}: {media_type} at {urls:?}: {}", answer.text());
        if *status == 201 {
            app.serves(&tag, OCI_MANIFEST, manifest.as_bytes()).await;
        } else {
            let refused = answer.refuses(400, "MANIFEST_BLOB_UNKNOWN");
            assert_eq!(refused.json()["errors"][0]["detail"]["digest"], digest, "{rule}: {media_type}");
            app.get(&format!("manifests/{tag}")).send().await.refuses(404, "MANIFEST_UNKNOWN");
        }
        app.get(&format!("blobs/{digest}")).send().await.refuses(404, "BLOB_UNKNOWN");
    }
}

#[tokio::test]
async fn a_list_of_docker_takes_the_children_that_are_there() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    for blob in [b"{}".as_slice(), b"layer"] {
        app.push_blob(blob).await;
    }
    let child = json!({
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": blob_descriptor("application/vnd.docker.container.image.v1+json", b"{}"),
        "layers": [blob_descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", b"layer")],
    });
    let child = child.to_string().into_bytes();
    let children = [child_descriptor(DOCKER_MANIFEST, &child)];
    let list = json!({ "schemaVersion": 2, "mediaType": DOCKER_MANIFEST_LIST, "manifests": children });
    let list = list.to_string().into_bytes();
    let early = app.put("manifests/list").header("Content-Type", DOCKER_MANIFEST_LIST).body(list.clone()).send().await;
    let refused = early.refuses(400, "MANIFEST_BLOB_UNKNOWN");
    assert_eq!(refused.json()["errors"][0]["detail"]["digest"], sha256(&child));
    app.get("manifests/list").send().await.refuses(404, "MANIFEST_UNKNOWN");
    app.put_typed(&sha256(&child), DOCKER_MANIFEST, &child).await;
    app.put_typed("list", DOCKER_MANIFEST_LIST, &list).await;
    app.serves("list", DOCKER_MANIFEST_LIST, &list).await;
    app.serves(&sha256(&child), DOCKER_MANIFEST, &child).await;
    // A part of the list, it stays as long as that does.
    app.delete(&format!("manifests/{}", sha256(&child))).send().await.refuses(405, "UNSUPPORTED");
}
