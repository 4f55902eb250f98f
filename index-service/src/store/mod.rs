//! The shelves: SQL rows in SQLite, and a few small secret files beside them. One method is one transaction.
//!
//! Must not decide anything: no rule of rights, no sentence for people. SQL stands in this room only, and keeps to
//! what PostgreSQL also runs.

mod access_tokens;
mod accounts;
mod collaborators;
mod content;
mod database;
mod deciders;
mod decisions;
mod default_grants;
pub mod door;
pub mod door_http;
mod error;
mod explanations;
pub mod files;
mod grants;
mod guesses;
mod idempotency;
mod invitations;
mod key_files;
mod lists;
mod members;
mod moves;
mod namespaces;
mod networks;
mod order;
mod organisation_moves;
mod organisations;
mod places;
mod questions;
mod registry;
mod reindex;
mod repositories;
mod revocations;
mod robots;
mod rows;
mod search;
mod sessions;
#[cfg(test)]
mod statements;
mod team_members;
mod teams;
mod visibility;
mod writer;

pub use accounts::{AccountChanged, NewAccount};
pub use database::Database;
pub use door::{RegistryDoor, SignedWish};
pub use error::StoreError;
pub use idempotency::Attempt;
pub use invitations::{InvitationAccepted, InvitationMade, SignedUp};
pub use key_files::KeyFile;
pub use members::MemberChanged;
pub use moves::Wished;
pub use namespaces::NamespaceStanding;
pub use order::Moment;
pub use organisation_moves::OrganisationRenamed;
pub use organisations::OrganisationDeleted;
pub use registry::Taken;
pub use repositories::NewRepository;
pub use sessions::NewSession;
pub use team_members::TeamJoined;
pub use teams::TeamChanged;

/// What came of giving a name away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It is the caller's now.
    Made,
    /// A namespace or a repository has it, or holds it.
    Taken,
}

/// A new id, never used again: UUID version 7, so that rows made together lie together.
fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}
