//! The index: who people are, what they may do, which repositories and images there are; it issues registry tokens.
//!
//! Rooms, arrows point down only: `http` (doors), `domain` (verbs), `store` (shelves), `model` (nouns). `berth` and the
//! program `index-service` open an [`Index`] and mount its routes; a registry in the same process calls its verbs.

mod config;
mod domain;
mod http;
mod keys_command;
mod model;
mod moving;
mod new_keys;
mod open;
mod reset_password;
mod store;

pub use config::Settings;
pub use domain::{Identity, Index, Mover, Refusal};
pub use http::{InternalSecret, command_routes, health_routes, internal_routes, public_routes};
pub use keys_command::KeysCommand;
pub use model::Account;
pub use model::holdings::{Adoption, Found, Holdings, WhyLeft};
pub use moving::keep_moving;
pub use new_keys::keep_keys;
pub use open::{FirstAdmin, internal_secret};
pub use reset_password::{ResetPasswordArguments, reset_password};
pub use store::door::{RegistryDoor, RegistryUnavailable, SignedWish};
pub use store::door_http::HttpDoor;
