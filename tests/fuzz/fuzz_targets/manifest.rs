//! A manifest: whatever is needed by one that is accepted is also what the collector would keep for it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use registry_service::model::manifest::Manifest;
use registry_service::model::stored_manifest::{named_digests, stored_media_type, subject};

fuzz_target!(|bytes: &[u8]| {
    let named = named_digests(bytes);
    let media_type = stored_media_type(bytes);
    if let (Ok(manifest), Some(named)) = (Manifest::parse(bytes, None), named) {
        assert!(manifest.needs().all(|(digest, _)| named.contains(digest)));
        assert_eq!(manifest.media_type, media_type);
        let about = manifest.record(bytes.len() as u64).references;
        let about = about.iter().find(|reference| reference.role == shared::internal::ReferenceRole::Subject);
        assert_eq!(about.map(|reference| &reference.digest), subject(bytes).as_ref());
    }
});
