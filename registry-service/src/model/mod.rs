//! The registry's own nouns: manifests, referrers, ranges, upload ids. Plain types and pure rules; no I/O, no clock.

pub mod collection;
pub mod htpasswd;
pub mod manifest;
pub mod range;
pub mod referrer;
pub mod scrub;
pub mod stored_manifest;
pub mod upload;
