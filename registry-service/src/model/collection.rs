//! What a collection says of each thing it comes to.

use serde::Serialize;
use shared::Digest;

/// What can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A blob's bytes.
    Blob,
    /// Bytes of a blob that were found damaged and put aside.
    Damaged,
    /// A repository's link to a blob.
    Layer,
    /// A repository's manifest.
    Manifest,
}

/// Why something stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keeper {
    /// A manifest of a repository that lies under its name is it, or names it.
    Manifest,
    /// The same of a repository that is put away and can be restored.
    PutAway,
    /// It is being pushed or deleted, or was when a process stopped.
    Intent,
    /// A tag points at it.
    Tag,
    /// A tag pointed at it not long ago.
    History,
    /// An index of the repository lists it.
    Index,
    /// It refers to a manifest that is there.
    Subject,
    /// It is younger than the grace.
    Grace,
    /// Manifests without a tag go only when that is asked for.
    NoRule,
    /// It is damaged, but all that there is of a blob that somebody needs.
    OnlyCopy,
    /// Something else is at work in its repository, or has moved it; the next run looks again.
    Busy,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case", tag = "fate", content = "by")]
pub enum Fate {
    /// Nobody needs it: it is out of sight from now on, and whoever needs it after all brings it back.
    Hidden,
    /// It was hidden before, and waits for the grace to pass.
    Waiting,
    /// It has gone.
    Deleted,
    /// It was hidden and is needed: it is in its place again.
    BroughtBack,
    /// It stays.
    Kept(Keeper),
}

/// One thing, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// Where; a blob's bytes belong to nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Which.
    pub digest: Digest,
    /// Bytes of it on disk.
    pub size: u64,
    /// What becomes of it; in a dry run, what would.
    #[serde(flatten)]
    pub fate: Fate,
}

/// What a collection does just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Reading every manifest.
    Marking,
    /// Looking at everything stored.
    Sweeping,
}

/// What a collection tells while it runs.
#[derive(Debug)]
pub enum Event {
    /// It begins again, because a manifest that has gone may have been all that kept something: what was kept is said anew.
    Round,
    /// It comes to this.
    Phase(Phase),
    /// It has looked at one more thing.
    Looked,
    /// What becomes of one thing.
    Found(Finding),
    /// A repository lists a manifest whose bytes are nowhere. Nothing can be kept for it.
    Lost {
        /// The repository.
        repository: String,
        /// The manifest.
        digest: Digest,
    },
}
