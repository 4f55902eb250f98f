//! What a scrub tells as it goes.

use serde::Serialize;
use shared::Digest;

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// So much is there to be read.
    Total {
        /// Blobs, hidden ones too.
        blobs: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// So many bytes more were read.
    Read(u64),
    /// One more blob was read to its end.
    Looked,
    /// The bytes of a blob are not what its digest says.
    Damaged(Damaged),
    /// A repository lacks something that its manifests name.
    Lacks(Lacks),
}

/// A damaged blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damaged {
    /// What its bytes should be.
    pub damaged: Digest,
    /// Whether it is out of the way now; if not, somebody replaced or removed it meanwhile.
    pub quarantined: bool,
}

/// Something that has to be pushed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lacks {
    /// The repository's name; or its id, if it is deleted and can be restored.
    pub repository: String,
    /// What is nowhere: a blob, or a manifest.
    pub lacks: Digest,
    /// A manifest that needs it, or is it.
    pub manifest: Digest,
    /// The tags that cannot be pulled without it.
    pub tags: Vec<String>,
}
