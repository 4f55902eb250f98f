//! A manifest that is about another one (its subject), as the list of that one's referrers shows it.
//!
//! Read from stored bytes, whoever wrote them, so nothing is refused here. Source: OCI distribution spec 1.1, "Listing
//! Referrers".

use super::stored_manifest::stored_media_type;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::Digest;
use std::collections::BTreeMap;

/// The descriptor of a manifest that has a subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Referrer {
    /// What the manifest says it is.
    pub media_type: String,
    /// By which it is pulled.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// What it is for: its own word, else the type of its config. An index may say nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// All annotations of the manifest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// What counts here of a manifest's body; each may be anything.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(default)]
    artifact_type: Value,
    #[serde(default)]
    config: Value,
    #[serde(default)]
    annotations: Value,
    #[serde(default)]
    subject: Value,
}

impl Referrer {
    /// The subject of the manifest `bytes`, and the manifest as its referrer; `None` if it has no subject.
    pub fn read(digest: &Digest, bytes: &[u8]) -> Option<(Digest, Self)> {
        let body: Body = serde_json::from_slice(bytes).ok()?;
        let subject = Digest::parse(text(&body.subject, "digest")?).ok()?;
        let own_type = body.artifact_type.as_str().filter(|own| !own.is_empty());
        let artifact_type = own_type.or_else(|| text(&body.config, "mediaType")).map(str::to_owned);
        let annotations = match body.annotations {
            Value::Object(fields) => {
                fields.into_iter().filter_map(|(key, value)| Some((key, string(value)?))).collect()
            }
            _ => BTreeMap::new(),
        };
        let media_type = stored_media_type(bytes);
        Some((
            subject,
            Self { media_type, digest: digest.clone(), size: bytes.len() as u64, artifact_type, annotations },
        ))
    }
}

fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field)?.as_str()
}

fn string(value: Value) -> Option<String> {
    if let Value::String(text) = value { Some(text) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::media_type::{OCI_INDEX, OCI_MANIFEST};

    fn digest(letter: char) -> Digest {
        Digest::parse(&format!("sha256:{}", letter.to_string().repeat(64))).unwrap()
    }

    fn read(manifest: &Value) -> Option<(Digest, Referrer)> {
        Referrer::read(&digest('a'), manifest.to_string().as_bytes())
    }

    #[test]
    fn the_type_of_an_artifact_is_its_own_word_or_that_of_its_config() {
        let subject = json!({ "digest": digest('b') });
        // (manifest, artifact type, media type)
        let cases = [
            (
                json!({ "subject": subject, "artifactType": "a/b", "config": { "mediaType": "c/d" } }),
                Some("a/b"),
                OCI_MANIFEST,
            ),
            (
                json!({ "subject": subject, "artifactType": "", "config": { "mediaType": "c/d" } }),
                Some("c/d"),
                OCI_MANIFEST,
            ),
            (json!({ "subject": subject, "config": { "mediaType": "c/d" } }), Some("c/d"), OCI_MANIFEST),
            (json!({ "subject": subject, "manifests": [] }), None, OCI_INDEX),
            (json!({ "subject": subject, "manifests": [], "artifactType": "a/b" }), Some("a/b"), OCI_INDEX),
        ];
        for (manifest, artifact_type, media_type) in cases {
            let (about, referrer) = read(&manifest).unwrap();
            assert_eq!(about, digest('b'));
            assert_eq!((referrer.artifact_type.as_deref(), referrer.media_type.as_str()), (artifact_type, media_type));
        }
    }

    #[test]
    fn without_a_subject_that_can_be_named_it_is_no_referrer() {
        for manifest in
            [json!({}), json!({ "subject": null }), json!({ "subject": { "digest": "sha256:x" } }), json!([])]
        {
            assert_eq!(read(&manifest), None, "{manifest}");
        }
    }

    #[test]
    fn annotations_that_are_not_text_are_left_out() {
        let manifest = json!({ "subject": { "digest": digest('b') }, "annotations": { "a": "b", "c": 1 } });
        assert_eq!(read(&manifest).unwrap().1.annotations, BTreeMap::from([("a".to_owned(), "b".to_owned())]));
    }
}
