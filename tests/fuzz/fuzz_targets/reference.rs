//! A tag or a digest: what is accepted is one part of a path, and reads again as what it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::{Reference, Tag};

fuzz_target!(|text: &str| {
    if let Ok(reference) = Reference::parse(text) {
        assert_eq!(reference.as_str(), text);
        assert!(!text.contains(['/', '\0']) && text != "." && text != "..");
        assert_eq!(Tag::parse(text).is_ok(), matches!(reference, Reference::Tag(_)));
    }
});
