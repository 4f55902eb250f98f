//! Every way in which the registry says no. What clients see of each is decided in `http/error.rs`.

use crate::model::manifest::ManifestError;
use crate::model::upload::UploadId;
use crate::store::index::IndexUnavailable;
use shared::digest::DigestError;
use shared::name::NameError;
use shared::reference::{ReferenceError, TagError};
use shared::{Digest, RepositoryName, Scope};
use std::io;

/// Why credentials do not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialFault {
    /// None was sent.
    Missing,
    /// A wrong password; a token that is malformed, expired, of another issuer, audience or key, or not confirmed by the
    /// index.
    Invalid,
    /// Good, but without the right that is needed.
    Insufficient {
        /// The id of the index's decision to grant no more; a token's `jti`.
        decision: Option<String>,
    },
}

/// What a client may delete by its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletable {
    /// A blob.
    Blob,
    /// A manifest, or a tag that points at one.
    Manifest,
}

/// The manifest of the repository for which something cannot be deleted from it.
#[derive(Debug, thiserror::Error)]
pub enum Holder {
    /// It has that as a part.
    #[error("part of manifest {0}; delete that one first")]
    Whole(Digest),
    /// What it has as parts is not known.
    #[error("perhaps part of manifest {0}, which is damaged; push that one again, or delete it first")]
    Damaged(Digest),
}

/// A request that is not done.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Better credentials are needed: where there are tokens, one with these scopes.
    #[error("unauthorized")]
    Unauthorized {
        /// What is wrong with the one sent.
        fault: CredentialFault,
        /// What the request needs; empty where any good credentials do.
        scopes: Vec<Scope>,
    },
    /// Known, and not allowed; a better token would not help.
    #[error("{0}")]
    Denied(String),
    /// The name is outside the grammar.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A digest is outside the grammar.
    #[error(transparent)]
    DigestGrammar(#[from] DigestError),
    /// A tag is outside the grammar.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// Tags are given beside a tag.
    #[error("the parameter 'tag' goes with a digest; the address names a tag already")]
    TagTwice,
    /// One push sets more tags than the limit.
    #[error("one push sets at most {0} tags; send the others with another one")]
    TooManyTags(usize),
    /// The content is not what the digest says.
    #[error("the content's digest is {actual}, not {claimed}")]
    DigestMismatch {
        /// What the client said.
        claimed: Digest,
        /// What the bytes are.
        actual: Digest,
    },
    /// There is no such repository.
    #[error("repository {0} is not known here")]
    RepositoryUnknown(RepositoryName),
    /// The repository has no such blob.
    #[error("the repository has no blob {0}")]
    BlobUnknown(Digest),
    /// The repository has no such manifest.
    #[error("the repository has no manifest {0}")]
    ManifestUnknown(String),
    /// The manifest breaks a rule.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The manifest is larger than the limit in bytes.
    #[error("a manifest has at most {0} bytes")]
    ManifestTooLarge(usize),
    /// The manifest names what the repository does not have.
    #[error("the manifest names content that the repository does not have; push that first")]
    ManifestBlobUnknown(Vec<Digest>),
    /// Another manifest of the repository names it, or is damaged, so that nobody knows what it names.
    #[error("{wanted} is {holder}")]
    InUse {
        /// What kind of thing was to be deleted.
        kind: Deletable,
        /// Its digest.
        wanted: Digest,
        /// Who holds it.
        holder: Holder,
    },
    /// The client's address is outside the ranges that are served.
    #[error("this registry does not serve your address (http.allow)")]
    Address,
    /// Nothing can be deleted here.
    #[error("deleting is switched off in this registry (storage.delete.enabled)")]
    DeletesDisabled(Deletable),
    /// Nothing can be changed here.
    #[error("this registry is read-only now (storage.maintenance.readonly.enabled); pulls go on")]
    ReadOnly,
    /// A length or range is malformed, or disagrees with the content.
    #[error("{0}")]
    Size(&'static str),
    /// The request lacks something, or has something twice.
    #[error("{0}")]
    Upload(&'static str),
    /// There is no such upload, or not for this subject.
    #[error("there is no such upload; begin a new one")]
    UploadUnknown,
    /// The chunk does not begin where the upload stands, or somebody else is writing it.
    #[error("the upload stands at byte {offset}")]
    UploadOffset {
        /// Where it is.
        name: RepositoryName,
        /// Which upload.
        id: UploadId,
        /// Bytes acknowledged.
        offset: u64,
    },
    /// The body ended before its end, or nothing came for too long.
    #[error("the request's body ended early")]
    BodyCut,
    /// The blob has nothing of the range asked for.
    #[error("the blob has {size} bytes")]
    RangeNotSatisfiable {
        /// Its size in bytes.
        size: u64,
    },
    /// A page that cannot be told.
    #[error("n must be a whole number, 0 or more, and neither n nor last may be given twice with different values")]
    Page,
    /// Somebody else holds what is needed; the same request succeeds a little later.
    #[error("busy with another change of the same content; try again")]
    Busy,
    /// The index gave no usable answer.
    #[error(transparent)]
    Index(#[from] IndexUnavailable),
    /// The disk failed.
    #[error("storage: {0}")]
    Storage(#[source] io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // A queue of this process was too long, or the disk says so itself.
            io::ErrorKind::ResourceBusy => Self::Busy,
            _ => Self::Storage(error),
        }
    }
}

impl From<ReferenceError> for Refusal {
    fn from(error: ReferenceError) -> Self {
        match error {
            ReferenceError::Digest(error) => error.into(),
            ReferenceError::Tag(error) => error.into(),
        }
    }
}
