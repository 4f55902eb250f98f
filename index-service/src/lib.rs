//! The index: who people are, what they may do, which repositories and images there are; it issues registry tokens.
//!
//! Rooms, arrows point down only: `http` (doors), `domain` (verbs), `store` (shelves), `model` (nouns). `berth` and the
//! program `index-service` open an [`Index`] and mount its routes; a registry in the same process calls its verbs.

mod config;
mod domain;
mod http;
mod model;
mod open;
mod store;

pub use config::Settings;
pub use domain::{Identity, Index, Refusal};
pub use http::{InternalSecret, health_routes, internal_routes, public_routes};
pub use model::holdings::{Adoption, Found, Holdings};
pub use open::{FirstAdmin, internal_secret};
