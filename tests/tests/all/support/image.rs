//! Images small enough to read: manifests, indexes, and their digests.

use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};
use shared::media_type::{OCI_INDEX, OCI_MANIFEST};
use std::fmt::Write;

/// A manifest with the blobs that it names.
pub struct Image {
    pub manifest: Vec<u8>,
    pub digest: String,
    pub blobs: Vec<Vec<u8>>,
}

/// An image of these layers.
pub fn image(layers: &[&[u8]]) -> Image {
    let config = b"{}".as_slice();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": blob_descriptor("application/vnd.oci.image.config.v1+json", config),
        "layers": layers.iter().map(|layer| blob_descriptor("application/vnd.oci.image.layer.v1.tar", layer))
            .collect::<Vec<_>>(),
    });
    let manifest = manifest.to_string().into_bytes();
    let blobs = [config].iter().chain(layers).map(|blob| blob.to_vec()).collect();
    Image { digest: sha256(&manifest), manifest, blobs }
}

/// An index of these children.
pub fn index(children: &[Value]) -> Vec<u8> {
    json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children }).to_string().into_bytes()
}

/// How a manifest names a blob.
pub fn blob_descriptor(media_type: &str, content: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": sha256(content), "size": content.len() })
}

/// How an index names a manifest.
pub fn child_descriptor(media_type: &str, manifest: &[u8]) -> Value {
    let mut descriptor = blob_descriptor(media_type, manifest);
    descriptor["platform"] = json!({ "architecture": "arm64", "os": "linux" });
    descriptor
}

/// An artifact about `subject`, with these fields too or instead, and without those that are null.
pub fn artifact(subject: &str, fields: &Value) -> Vec<u8> {
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": blob_descriptor("application/vnd.example.config+json", b"{}"),
        "layers": [],
        "subject": { "mediaType": OCI_MANIFEST, "digest": subject, "size": 1 },
    });
    for (key, value) in fields.as_object().unwrap() {
        manifest[key] = value.clone();
    }
    manifest.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    manifest.to_string().into_bytes()
}

pub fn sha256(content: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(content)))
}

pub fn sha512(content: &[u8]) -> String {
    format!("sha512:{}", hex(&Sha512::digest(content)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
