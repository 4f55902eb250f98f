//! A digest: what is accepted is the digest of some bytes, and can stand in a path.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::{Algorithm, Digest};

fuzz_target!(|text: &str| {
    if let Ok(digest) = Digest::parse(text) {
        let hex = digest.hex();
        assert_eq!(format!("{}:{hex}", digest.algorithm().as_str()), text);
        let length = if digest.algorithm() == Algorithm::Sha256 { 64 } else { 128 };
        assert!(hex.len() == length && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let bytes: Vec<u8> =
            (0..length).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        assert_eq!(Digest::from_bytes(digest.algorithm(), &bytes), digest);
    }
});
