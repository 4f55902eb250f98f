//! The nouns of the index and their pure rules: who may do what, which names and passwords will do.
//!
//! Must not know SQL, HTTP, files or a clock.

pub mod access_token;
pub mod account;
pub mod collaborator;
pub mod content;
pub mod decision;
pub mod default_grant;
pub mod explanation;
pub mod fault;
pub mod grant;
pub mod holdings;
pub mod idempotency;
pub mod invitation;
pub mod line;
pub mod moves;
pub mod names;
pub mod namespace;
pub mod organisation;
pub mod origin;
pub mod page;
pub mod password;
pub mod place;
pub mod rate;
pub mod repository;
pub mod robot;
pub mod role;
pub mod session;
pub mod sign_up;
pub mod sorting;
pub mod team;
pub(crate) mod word;

pub use account::{Account, Subject};
pub use fault::Fault;
pub use grant::{Grant, GrantSubject, GrantTarget, GrantedOn};
pub use namespace::{Namespace, NamespaceChange, NamespaceKind};
pub use organisation::{Member, MemberRole, Organisation};
pub use origin::Origin;
pub use page::{Page, Paged};
pub use place::{Occupant, Place, Standing};
pub use repository::{Repository, RepositoryState, Visibility};
pub use role::{InstanceRole, Role};
pub use sorting::{Direction, Sorting};
pub use team::Team;
