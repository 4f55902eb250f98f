//! Small contents in memory, by digest: manifests, configs, small layers. Whether somebody may read one is looked up in
//! storage each time.

use super::Registry;
use super::refusal::Refusal;
use crate::model::stored_manifest::{named_sizes, stored_media_type};
use crate::store::{Storage, WholeBlob};
use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use shared::Digest;
use std::io;
use std::sync::{Arc, Once, OnceLock};

/// Bytes kept.
const CACHED_BYTES: u64 = 64 * 1024 * 1024;

/// Contents that fill it, about: manifests and configs have some kilobytes.
const CACHED_CONTENTS: usize = 20_000;

/// Some bytes that are what their digest says.
#[derive(Debug)]
pub struct Content {
    /// Exactly the bytes that were pushed.
    pub bytes: Bytes,
    media_type: OnceLock<String>,
    /// Set when storage was told what it says of its blobs.
    noted: Once,
}

impl Content {
    fn new(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.into(), media_type: OnceLock::new(), noted: Once::new() }
    }

    /// What it says it is, if it is a manifest.
    pub fn media_type(&self) -> &str {
        self.media_type.get_or_init(|| stored_media_type(&self.bytes))
    }

    /// Tells `storage` once how long the blobs are that it names, if it is a manifest: clients ask for them next.
    pub(super) fn note_sizes(&self, storage: &Storage) {
        self.noted.call_once(|| named_sizes(&self.bytes).for_each(|(digest, size)| storage.expect_size(digest, size)));
    }
}

/// Contents by their digests, which never change.
pub(super) struct ContentCache(Cache<Digest, Arc<Content>, ByLength>);

#[derive(Clone)]
struct ByLength;

impl Weighter<Digest, Arc<Content>> for ByLength {
    fn weight(&self, _: &Digest, content: &Arc<Content>) -> u64 {
        content.bytes.len().max(1) as u64
    }
}

impl ContentCache {
    pub fn new() -> Self {
        Self(Cache::with_weighter(CACHED_CONTENTS, CACHED_BYTES, ByLength))
    }

    /// What is in memory now.
    pub fn get(&self, digest: &Digest) -> Option<Arc<Content>> {
        self.0.get(digest)
    }
}

impl Registry {
    /// All bytes of the content of `digest`, from memory or from storage; `None` if they are nowhere. For contents that
    /// fit into memory.
    pub(super) async fn content(&self, digest: &Digest) -> Result<Option<Arc<Content>>, Refusal> {
        if let Some(content) = self.parts.contents.get(digest) {
            return Ok(Some(content));
        }
        let wanted = digest.clone();
        let bytes = match self.storage().run(move |storage| storage.read_blob(&wanted)).await? {
            WholeBlob::Good(bytes) => bytes,
            WholeBlob::Quarantined | WholeBlob::Nowhere => return Ok(None),
            WholeBlob::Unreadable(error) => return Err(error.into()),
            WholeBlob::Damaged => {
                let damaged = digest.clone();
                self.storage().run(move |storage| storage.check_blob(&damaged)).await?;
                let said = format!("the content of {digest} is damaged");
                return Err(io::Error::new(io::ErrorKind::InvalidData, said).into());
            }
        };
        let content = Arc::new(Content::new(bytes));
        self.parts.contents.0.insert(digest.clone(), Arc::clone(&content));
        Ok(Some(content))
    }
}
