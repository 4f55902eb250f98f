//! The messages of the internal API: what a registry asks of its index and tells it.
//!
//! Each is one `POST` under `/internal/v1/` in JSON, with the internal secret as bearer; `berth` makes the same calls
//! in process. The index never learns of bytes, the registry never learns of rights.
//!
//! | call | question | answer |
//! |---|---|---|
//! | `introspect` | [`IntrospectRequest`] | [`IntrospectAnswer`] |
//! | `allocate` | [`AllocateRequest`] | [`AllocateAnswer`] |
//! | `judge` | [`JudgeRequest`] | [`Verdict`] |
//! | `turn` | [`TurnRequest`] | [`TurnAnswer`] |
//! | `commit` | [`CommitRequest`] | [`CommitAnswer`] |
//! | `catalog` | [`CatalogRequest`] | [`CatalogAnswer`] |
//!
//! And one `GET`, `revocations`: see [`crate::revocations`].

use crate::digest::Digest;
use crate::name::RepositoryName;
use crate::networks::Reach;
use crate::reference::Tag;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Is this registry token good, by the index's rows as they stand now?
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IntrospectRequest {
    /// The token as the client sent it.
    pub token: String,
}

/// True or false, and nothing about why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntrospectAnswer {
    /// Whether every right that the token lists is still held by its subject, on the same repositories.
    pub active: bool,
    /// The ids of those repositories of the token that are allocated now, by name. Empty when not active.
    pub repositories: BTreeMap<RepositoryName, String>,
    /// From where it may be used.
    #[serde(default)]
    pub reach: Reach,
    /// The number of the index's feed as of which this is so: later rows may say otherwise.
    pub as_of: u64,
    /// When the access token that it was issued for ends by itself, which no row of the feed tells; seconds since the Unix
    /// epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
}

impl IntrospectAnswer {
    /// The answer to every token that is not good, whatever the reason.
    pub fn inactive() -> Self {
        Self { active: false, repositories: BTreeMap::new(), reach: Reach::default(), as_of: 0, until: None }
    }
}

/// Allocate a name for `subject`, or tell its id if it is allocated already.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AllocateRequest {
    /// The account that pushes; empty for an anonymous client.
    pub subject: String,
    /// The name wanted.
    pub repository: RepositoryName,
}

/// Whether the subject has the name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum AllocateAnswer {
    /// Allocated, now or before, and the subject may push there.
    Allocated {
        /// The repository's id.
        id: String,
    },
    /// Not for this subject.
    Refused {
        /// A sentence for the person who pushes.
        reason: String,
    },
}

/// A change that a registry is about to make visible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// A manifest comes, or a tag moves to it.
    Put {
        /// The manifest.
        manifest: Digest,
        /// The tags that will point at it.
        tags: Vec<Tag>,
    },
    /// A tag goes.
    DeleteTag {
        /// The tag.
        tag: Tag,
    },
    /// A manifest goes, with every tag that points at it.
    DeleteManifest {
        /// The manifest.
        manifest: Digest,
    },
}

/// May this change be made? Asked under the intents' locks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JudgeRequest {
    /// The repository's name and id.
    pub repository: RepositoryName,
    /// Its id, as storage has it.
    pub repository_id: String,
    /// The account that asks; empty for an anonymous client.
    pub subject: String,
    /// What it wants.
    #[serde(flatten)]
    pub change: Change,
}

/// The index's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Go on; commit with this number.
    Granted {
        /// Larger than every number given before.
        number: u64,
    },
    /// Undo; it was never visible.
    Refused {
        /// A sentence for the person who pushes.
        reason: String,
    },
}

/// A number for a holder of intents that only reports what storage holds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TurnRequest {}

/// The number asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnAnswer {
    /// Larger than every number given before.
    pub number: u64,
}

/// What storage holds now of some manifests and tags of one repository.
///
/// With an actor it is the commit of a verb; without one, the report of whoever settled a leftover intent. The index
/// takes it per digest and tag unless it has taken a larger number there, and acknowledges it in any case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CommitRequest {
    /// The repository's name.
    pub repository: RepositoryName,
    /// Its id, as storage has it.
    pub repository_id: String,
    /// The number given under the intents' locks.
    pub number: u64,
    /// The account that made the change, for a verb's commit; empty for an anonymous client.
    #[serde(default)]
    pub actor: Option<String>,
    /// Manifests, as they are now.
    #[serde(default)]
    pub manifests: Vec<ManifestState>,
    /// Tags, as they are now.
    #[serde(default)]
    pub tags: Vec<TagState>,
}

/// One manifest, as storage has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestState {
    /// Which.
    pub digest: Digest,
    /// What it is; `None` when it is gone.
    pub record: Option<ManifestRecord>,
}

/// One tag, as storage has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagState {
    /// Which.
    pub tag: Tag,
    /// Where it points; `None` when it is gone.
    pub digest: Option<Digest>,
}

/// The checksum metadata of one manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestRecord {
    /// Its media type.
    pub media_type: String,
    /// Its own size in bytes.
    pub size: u64,
    /// Everything it names, in its own order.
    pub references: Vec<ReferenceRecord>,
}

/// Something a manifest names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceRecord {
    /// In which role.
    pub role: ReferenceRole,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes, as the manifest says.
    pub size: u64,
    /// Its media type, as the manifest says.
    pub media_type: String,
    /// The platform of a child manifest: `linux/arm64/v8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
}

/// The role in which a manifest names something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceRole {
    /// The image's configuration.
    Config,
    /// A layer.
    Layer,
    /// A manifest of an index.
    Child,
    /// What the manifest is about; it need not exist.
    Subject,
}

/// The acknowledgement of a commit or report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitAnswer {
    /// What could not be placed (another incarnation of the name, a smaller number), in words.
    #[serde(default)]
    pub drift: Vec<String>,
}

/// One page of the repositories that `subject` may see.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CatalogRequest {
    /// The account; empty for an anonymous client.
    pub subject: String,
    /// The client's address; `None` if it is not known.
    pub from: Option<IpAddr>,
    /// At most so many names.
    pub limit: u32,
    /// Only names after this one, in byte order; it need not exist.
    pub after: Option<String>,
}

/// The page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogAnswer {
    /// Names in byte order.
    pub repositories: Vec<RepositoryName>,
    /// Whether more follow.
    pub more: bool,
}
