//! The registry's own nouns: manifests, ranges, upload ids. Plain types and pure rules; no I/O, no clock.

pub mod manifest;
pub mod range;
pub mod stored_manifest;
pub mod upload;
