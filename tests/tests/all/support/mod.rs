//! What tests stand on: a running stack, people with tokens, repositories to push to. Must not judge an answer's rules.

mod between;
mod clock;
mod collecting;
mod eventually;
mod forge;
mod host;
mod image;
mod nginx;
mod peer;
mod program;
mod registries;
mod repository;
mod request;
mod stack;
mod standalone;
mod unsteady_index;
mod user;
mod wishes;

pub use between::{Between, Look};
pub use clock::Clock;
pub use collecting::{after_hours, at_once, collect_in, data, pulls, with_fate};
pub use eventually::eventually;
pub use forge::Forge;
pub use host::Host;
pub use image::{Image, artifact, blob_descriptor, child_descriptor, image, index, sha256, sha512};
pub use nginx::Nginx;
pub use peer::Peer;
pub use program::Program;
pub use registries::Registries;
pub use repository::Repository;
pub use request::{Answer, listed};
pub use stack::{Stack, free_port, serve_tls};
pub use standalone::{Standalone, environment, stored};
pub use unsteady_index::{Call, UnsteadyIndex};
pub use user::{PASSWORD, User, claims};
pub use wishes::Wishes;
