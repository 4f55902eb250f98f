//! The nouns both services speak: names, digests, references, ranges of addresses, scopes, token claims, error bodies and the messages of
//! the internal API.
//!
//! Each is parsed once, into a type that cannot be wrong afterwards. This crate does no I/O, reads no clock and knows
//! neither actix nor sqlx, so issuer and verifier, client and server cannot drift apart.

pub mod claims;
pub mod digest;
pub mod internal;
pub mod media_type;
pub mod moves;
pub mod name;
pub mod networks;
pub mod oci_error;
pub mod reference;
pub mod revocations;
pub mod scope;
mod text;

pub use claims::{Access, Claims};
pub use digest::{Algorithm, Digest};
pub use name::{NamespaceName, RepositoryName};
pub use networks::{Networks, Reach};
pub use oci_error::{ErrorBody, ErrorCode};
pub use reference::{Reference, Tag};
pub use scope::{Action, ResourceType, Scope};
