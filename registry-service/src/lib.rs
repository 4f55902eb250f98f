//! The stateless registry: OCI distribution on a directory, tokens confirmed with an index.
//!
//! Rooms, top to bottom: `http` (the doors), `domain` (the verbs), `store` (the shelves), `model` (the nouns). Must not
//! name the index service: it is reached through the trait `store::index::Index`.

pub mod command;
pub mod config;
pub mod domain;
mod garbage_collect;
pub mod gc;
pub mod http;
pub mod model;
pub mod scrub;
pub mod start;
pub mod store;
