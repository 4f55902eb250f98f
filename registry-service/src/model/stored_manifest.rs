//! What is read from manifests that are stored already, whoever wrote them: old formats too, and nothing is refused.
//!
//! Must not be used on what a client sends: see `manifest.rs`.

use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::Value;
use shared::Digest;
use shared::media_type::{OCI_INDEX, OCI_MANIFEST};
use std::collections::BTreeSet;

/// The signed form of Docker's first format, as old volumes hold it.
const DOCKER_SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

/// Every digest that a stored manifest names as a part of itself, whatever its format, old ones included; `None` if it
/// cannot be read.
pub fn named_digests(bytes: &[u8]) -> Option<BTreeSet<Digest>> {
    let mut body: serde_json::Map<String, Value> = serde_json::from_slice(bytes).ok()?;
    body.remove("subject");
    let mut named = BTreeSet::new();
    collect_digests(&Value::Object(body), &mut named);
    Some(named)
}

/// How many bytes a stored manifest says that its config and its layers have; nothing, if it cannot be read.
pub fn named_sizes(bytes: &[u8]) -> impl Iterator<Item = (Digest, u64)> + use<> {
    #[derive(Deserialize, Default)]
    struct Image {
        config: Option<Blob>,
        #[serde(default)]
        layers: Vec<Blob>,
    }
    #[derive(Deserialize)]
    struct Blob {
        digest: Digest,
        size: u64,
    }
    let Image { config, layers } = serde_json::from_slice(bytes).unwrap_or_default();
    config.into_iter().chain(layers).map(|blob| (blob.digest, blob.size))
}

/// The manifest that a stored manifest refers to, if it does.
pub fn subject(bytes: &[u8]) -> Option<Digest> {
    #[derive(Deserialize)]
    struct Referrer {
        subject: Option<Subject>,
    }
    #[derive(Deserialize)]
    struct Subject {
        digest: Digest,
    }
    serde_json::from_slice::<Referrer>(bytes).ok()?.subject.map(|subject| subject.digest)
}

fn collect_digests(value: &Value, named: &mut BTreeSet<Digest>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_digests(item, named)),
        Value::Object(fields) => {
            for (key, field) in fields {
                match (key.as_str(), field) {
                    ("digest" | "blobSum", Value::String(text)) => named.extend(Digest::parse(text)),
                    ("annotations", _) => {}
                    _ => collect_digests(field, named),
                }
            }
        }
        _ => {}
    }
}

/// The media type to serve stored bytes with. What an older registry left is served as what it is.
pub fn stored_media_type(bytes: &[u8]) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Outline {
        schema_version: Option<u64>,
        media_type: Option<String>,
        #[serde(default, deserialize_with = "is_there")]
        manifests: bool,
        #[serde(default, deserialize_with = "is_there")]
        config: bool,
    }
    /// Even as `null`, which is an empty list to some writers.
    fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| true)
    }
    match serde_json::from_slice::<Outline>(bytes) {
        Ok(Outline { media_type: Some(own), .. }) => own,
        Ok(Outline { schema_version: Some(1), .. }) => DOCKER_SCHEMA_1.to_owned(),
        Ok(Outline { manifests: true, config: false, .. }) => OCI_INDEX.to_owned(),
        _ => OCI_MANIFEST.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(letter: char) -> String {
        format!("sha256:{}", letter.to_string().repeat(64))
    }

    #[test]
    fn an_empty_list_of_manifests_makes_an_index() {
        let index = r#"{"schemaVersion":2,"manifests":null}"#;
        let image = r#"{"schemaVersion":2,"config":{},"layers":[],"manifests":null}"#;
        for (manifest, media_type) in [(index, OCI_INDEX), (image, OCI_MANIFEST), ("{}", OCI_MANIFEST)] {
            assert_eq!(stored_media_type(manifest.as_bytes()), media_type, "{manifest}");
        }
    }

    #[test]
    fn old_formats_name_their_layers_too() {
        let schema_1 = format!(r#"{{"schemaVersion":1,"fsLayers":[{{"blobSum":"{}"}}]}}"#, digest('a'));
        let with_subject = format!(
            r#"{{"subject":{{"digest":"{}"}},"annotations":{{"digest":"{}"}},"layers":[{{"digest":"{}"}}]}}"#,
            digest('d'),
            digest('e'),
            digest('b')
        );
        let names = |text: &str, letter| {
            named_digests(text.as_bytes()).unwrap().contains(&Digest::parse(&digest(letter)).unwrap())
        };
        assert!(
            names(&schema_1, 'a')
                && names(&with_subject, 'b')
                && !names(&with_subject, 'd')
                && !names(&with_subject, 'e')
        );
        assert_eq!(named_digests(b"torn"), None);
    }
}
