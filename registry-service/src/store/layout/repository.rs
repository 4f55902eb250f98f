//! Paths of one repository. The tree is drawn in `layout.rs`.

use super::below;
use shared::Digest;
use std::path::{Path, PathBuf};

/// Paths of one repository, wherever it lies: under its name, or put away under its id.
pub struct RepositoryPaths(pub(super) PathBuf);

impl RepositoryPaths {
    /// The directory that holds them all; of one under its name, other repositories lie in it too.
    pub fn directory(&self) -> &Path {
        &self.0
    }

    pub fn layers(&self) -> PathBuf {
        self.0.join("_layers")
    }

    pub fn layer_link(&self, digest: &Digest) -> PathBuf {
        below(&self.0, &["_layers", digest.algorithm().as_str(), digest.hex(), "link"])
    }

    pub fn manifests(&self) -> PathBuf {
        self.0.join("_manifests")
    }

    pub fn revisions(&self) -> PathBuf {
        self.manifests().join("revisions")
    }

    pub fn revision_link(&self, digest: &Digest) -> PathBuf {
        below(&self.0, &["_manifests", "revisions", digest.algorithm().as_str(), digest.hex(), "link"])
    }

    pub fn tags(&self) -> PathBuf {
        self.manifests().join("tags")
    }

    /// `tag` is an entry's name, whoever made it.
    pub fn tag_current(&self, tag: &str) -> PathBuf {
        below(&self.0, &["_manifests", "tags", tag, "current", "link"])
    }

    pub fn tag_index(&self, tag: &str) -> PathBuf {
        self.tags().join(tag).join("index")
    }
}
