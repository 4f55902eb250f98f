//! Tags and manifests, as registries told of them.

use jiff::Timestamp;
use shared::internal::ReferenceRecord;
use shared::{Digest, Tag};

/// One tag.
#[derive(Debug, Clone)]
pub struct TagEntry {
    /// Its name.
    pub name: Tag,
    /// Where it points.
    pub digest: Digest,
    /// Who moved it last, by name; `None` when only storage told of it.
    pub updated_by: Option<String>,
    /// When.
    pub updated_at: Timestamp,
}

/// One manifest with everything it names.
#[derive(Debug, Clone)]
pub struct ManifestEntry {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// Its own size.
    pub size_bytes: u64,
    /// What it names, in its own order.
    pub references: Vec<ReferenceRecord>,
    /// Tags that point at it now, in byte order; the first ones where there are very many.
    pub tags: Vec<Tag>,
    /// Who pushed it last, by name; `None` when only storage told of it.
    pub pushed_by: Option<String>,
    /// When.
    pub pushed_at: Timestamp,
}
