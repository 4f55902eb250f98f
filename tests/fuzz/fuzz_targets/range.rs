//! Ranges of a download and of a chunk: nothing outside the blob is ever wanted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use registry_service::model::range::{Wanted, chunk, wanted};

fuzz_target!(|input: (&str, u64)| {
    let (header, size) = input;
    if let Wanted::Part { first, last } = wanted(Some(header), size) {
        assert!(first <= last && last < size);
    }
    if let Some(chunk) = chunk(header) {
        assert!(chunk.length > 0);
        assert!(chunk.first.checked_add(chunk.length - 1).is_some());
    }
});
