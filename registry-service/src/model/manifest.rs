//! What a registry needs to know of a manifest: its media type and what it names.
//!
//! A manifest is stored and served as the bytes it came in; this is only ever read from them, never written back.
//! Sources: OCI image spec 1.1, Docker image manifest version 2 schema 2.

use serde::{Deserialize, Deserializer, de::IgnoredAny};
use shared::Digest;
use shared::internal::{ManifestRecord, ReferenceRecord, ReferenceRole};
use shared::media_type::{self, OCI_INDEX, OCI_MANIFEST};
use std::collections::BTreeSet;

/// The largest manifest in bytes; the spec asks for at least this much, and clients send no more.
pub const MAX_MANIFEST_BYTES: usize = 4 * 1024 * 1024;

/// Things that one manifest names: each is a row in the index.
const MAX_REFERENCES: usize = 10_000;

/// Why some bytes are not a manifest that can be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, or not the JSON of a manifest.
    #[error("the manifest cannot be read: {0}")]
    Json(String),
    /// Docker's first format, which carried no digests of its layers' content.
    #[error("manifest schema 1 is not supported; push with a client from 2017 or later")]
    Schema1,
    /// A media type that no registry of this layout stores.
    #[error("media type {0:?} is not one of a manifest; use an OCI or Docker (schema 2) image manifest or index")]
    MediaType(String),
    /// The body says one thing and the request another.
    #[error("Content-Type says {header:?}, and the manifest, by its mediaType or else by its shape, is {body:?}")]
    Disagreement {
        /// The request's `Content-Type`.
        header: String,
        /// What the body is.
        body: String,
    },
    /// Both an image and an index, or parts of one missing.
    #[error("{0}")]
    Shape(&'static str),
}

/// A manifest, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// One of the four stored media types.
    pub media_type: &'static str,
    /// Everything it names.
    pub references: Vec<ReferenceRecord>,
    /// Those of them whose content may lie elsewhere.
    pub elsewhere: BTreeSet<Digest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    schema_version: Option<u64>,
    media_type: Option<String>,
    config: Option<Descriptor>,
    #[serde(default, deserialize_with = "null_is_empty")]
    layers: Option<Vec<Descriptor>>,
    #[serde(default, deserialize_with = "null_is_empty")]
    manifests: Option<Vec<Descriptor>>,
    subject: Option<Descriptor>,
    /// Read by whoever lists referrers; here so that one given twice is refused, as the others are.
    #[serde(default, rename = "artifactType")]
    _artifact_type: IgnoredAny,
    #[serde(default, rename = "annotations")]
    _annotations: IgnoredAny,
}

/// A list that is there; some writers say `null` for an empty one, and are read as what they mean.
fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Descriptor>>, D::Error> {
    Ok(Some(Option::deserialize(deserializer)?.unwrap_or_default()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: Digest,
    size: u64,
    urls: Option<Vec<String>>,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    os: String,
    variant: Option<String>,
}

impl Manifest {
    /// Reads `bytes`. `content_type` is the request's, when there was one; stored manifests are read without.
    pub fn parse(bytes: &[u8], content_type: Option<&str>) -> Result<Self, ManifestError> {
        let body: Body = serde_json::from_slice(bytes).map_err(|error| ManifestError::Json(error.to_string()))?;
        let header = content_type.map(essence);
        let names_schema_1 = header
            .as_deref()
            .is_some_and(|header| header.starts_with("application/vnd.docker.distribution.manifest.v1+"));
        if body.schema_version == Some(1) || names_schema_1 {
            return Err(ManifestError::Schema1);
        }
        if body.schema_version != Some(2) {
            return Err(ManifestError::Shape("schemaVersion must be 2"));
        }
        let media_type = media_type_of(&body, header.as_deref())?;
        let mut references = Vec::new();
        let mut elsewhere = BTreeSet::new();
        let mut add = |role, descriptor: Descriptor| {
            if role == ReferenceRole::Layer && is_elsewhere(&descriptor) {
                elsewhere.insert(descriptor.digest.clone());
            }
            references.push(descriptor.record(role));
        };
        match (media_type::is_index(media_type), body.config, body.layers, body.manifests) {
            (true, None, None, Some(manifests)) => {
                for child in manifests {
                    add(ReferenceRole::Child, child);
                }
            }
            (false, Some(config), Some(_), None) if media_type::STORED.contains(&config.media_type.as_str()) => {
                return Err(ManifestError::Shape("the config of an image is not a manifest"));
            }
            (false, Some(config), Some(layers), None) => {
                add(ReferenceRole::Config, config);
                for layer in layers {
                    add(ReferenceRole::Layer, layer);
                }
            }
            (true, ..) => return Err(ManifestError::Shape("an index has 'manifests', no 'config' and no 'layers'")),
            (false, ..) => return Err(ManifestError::Shape("an image has 'config' and 'layers' and no 'manifests'")),
        }
        if let Some(subject) = body.subject {
            add(ReferenceRole::Subject, subject);
        }
        if references.len() > MAX_REFERENCES {
            return Err(ManifestError::Shape("a manifest names at most 10000 things"));
        }
        Ok(Self { media_type, references, elsewhere })
    }

    /// What must be in the repository before this manifest may be: each with whether it is a manifest itself.
    pub fn needs(&self) -> impl Iterator<Item = (&Digest, bool)> {
        self.references
            .iter()
            .filter(|reference| reference.role != ReferenceRole::Subject && !self.elsewhere.contains(&reference.digest))
            .map(|reference| (&reference.digest, reference.role == ReferenceRole::Child))
    }

    /// What the index is told of it.
    pub fn record(&self, size: u64) -> ManifestRecord {
        ManifestRecord { media_type: self.media_type.to_owned(), size, references: self.references.clone() }
    }
}

impl Descriptor {
    fn record(self, role: ReferenceRole) -> ReferenceRecord {
        let platform = self.platform.map(|platform| match platform.variant {
            Some(variant) if !variant.is_empty() => format!("{}/{}/{variant}", platform.os, platform.architecture),
            _ => format!("{}/{}", platform.os, platform.architecture),
        });
        ReferenceRecord { role, digest: self.digest, size: self.size, media_type: self.media_type, platform }
    }
}

/// The media type without parameters, in lower case.
fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The body's own word; without one, what its shape says, which is how peers that read the volume see it too.
fn media_type_of(body: &Body, header: Option<&str>) -> Result<&'static str, ManifestError> {
    let stored = |name: &str| media_type::STORED.into_iter().find(|stored| *stored == name);
    let own = match &body.media_type {
        Some(own) => stored(own).ok_or_else(|| ManifestError::MediaType(own.clone()))?,
        None if body.manifests.is_some() => OCI_INDEX,
        None => OCI_MANIFEST,
    };
    match header {
        None | Some("") => Ok(own),
        Some(header) if header == own => Ok(own),
        Some(header) if stored(header).is_none() => Err(ManifestError::MediaType(header.to_owned())),
        Some(header) => Err(ManifestError::Disagreement { header: header.to_owned(), body: own.to_owned() }),
    }
}

/// Layers that a licence forbids to hand on: their bytes are fetched from the URLs given.
fn is_elsewhere(layer: &Descriptor) -> bool {
    let kind = layer.media_type.as_str();
    layer.urls.as_ref().is_some_and(|urls| !urls.is_empty())
        && (kind == "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
            || kind.starts_with("application/vnd.oci.image.layer.nondistributable.v1.tar"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::media_type::DOCKER_MANIFEST;

    fn digest(letter: char) -> String {
        format!("sha256:{}", letter.to_string().repeat(64))
    }

    fn image(extra: &str) -> String {
        format!(
            r#"{{"schemaVersion":2,{extra}"config":{{"mediaType":"c","digest":"{}","size":2}},"layers":[{{"mediaType":"l","digest":"{}","size":3}}]}}"#,
            digest('a'),
            digest('b')
        )
    }

    #[test]
    fn an_image_names_its_config_and_layers() {
        let manifest = Manifest::parse(image("").as_bytes(), Some(OCI_MANIFEST)).unwrap();
        let needs: Vec<_> = manifest.needs().map(|(digest, child)| (digest.to_string(), child)).collect();
        assert_eq!(manifest.media_type, OCI_MANIFEST);
        assert_eq!(needs, [(digest('a'), false), (digest('b'), false)]);
    }

    #[test]
    fn the_body_decides_the_media_type_and_the_header_must_agree() {
        let docker = image(&format!(r#""mediaType":"{DOCKER_MANIFEST}","#));
        assert_eq!(Manifest::parse(docker.as_bytes(), None).unwrap().media_type, DOCKER_MANIFEST);
        let with_parameter = format!("{DOCKER_MANIFEST}; charset=utf-8");
        assert!(Manifest::parse(docker.as_bytes(), Some(&with_parameter)).is_ok());
        let disagree = Manifest::parse(docker.as_bytes(), Some(OCI_MANIFEST)).unwrap_err();
        assert!(matches!(disagree, ManifestError::Disagreement { .. }));
        let foreign = Manifest::parse(image("").as_bytes(), Some("text/html")).unwrap_err();
        assert_eq!(foreign, ManifestError::MediaType("text/html".into()));
    }

    #[test]
    fn an_index_may_be_empty_and_its_children_have_platforms() {
        let empty = format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[]}}"#);
        assert_eq!(Manifest::parse(empty.as_bytes(), None).unwrap().references, []);
        let one = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"m","digest":"{}","size":1,"platform":{{"os":"linux","architecture":"arm","variant":"v7"}}}}]}}"#,
            digest('c')
        );
        let index = Manifest::parse(one.as_bytes(), None).unwrap();
        assert_eq!(index.media_type, OCI_INDEX);
        assert_eq!(index.references[0].platform.as_deref(), Some("linux/arm/v7"));
        assert_eq!(index.needs().next().map(|(_, child)| child), Some(true));
    }

    #[test]
    fn a_subject_is_named_and_not_needed() {
        let subject = format!(r#""subject":{{"mediaType":"m","digest":"{}","size":1}},"#, digest('d'));
        let manifest = Manifest::parse(image(&subject).as_bytes(), None).unwrap();
        assert_eq!(manifest.references.last().map(|reference| reference.role), Some(ReferenceRole::Subject));
        assert!(!manifest.needs().any(|(needed, _)| needed.as_str() == digest('d')));
    }

    #[test]
    fn layers_that_may_not_be_handed_on_are_not_needed() {
        let foreign = image("").replace(
            r#""mediaType":"l""#,
            r#""mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","urls":["https://example.com/l"]"#,
        );
        let manifest = Manifest::parse(foreign.as_bytes(), None).unwrap();
        assert_eq!(manifest.needs().count(), 1);
    }

    #[test]
    fn null_is_an_empty_list() {
        let config = format!(r#"{{"mediaType":"c","digest":"{}","size":2,"urls":null}}"#, digest('a'));
        let image = format!(r#"{{"schemaVersion":2,"mediaType":null,"config":{config},"layers":null}}"#);
        assert_eq!(Manifest::parse(image.as_bytes(), None).unwrap().needs().count(), 1);
        let index = format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":null}}"#);
        assert_eq!(Manifest::parse(index.as_bytes(), None).unwrap().references, []);
    }

    #[test]
    fn what_is_neither_image_nor_index_is_refused() {
        let both = image(r#""manifests":[],"#);
        let twice = image(r#""layers":[],"#);
        let no_layers = image("").replace("\"layers\"", "\"others\"");
        let bad = [
            &no_layers,
            "",
            "{}",
            "[]",
            "null",
            r#"{"schemaVersion":2}"#,
            r#"{"schemaVersion":3,"manifests":[]}"#,
            &both,
            &twice,
        ];
        for bad in bad {
            assert!(Manifest::parse(bad.as_bytes(), None).is_err(), "{bad}");
        }
        let schema_1 = r#"{"schemaVersion":1,"name":"a","tag":"b","fsLayers":[]}"#;
        assert_eq!(Manifest::parse(schema_1.as_bytes(), None), Err(ManifestError::Schema1));
    }
}
