//! The scopes that a client asks a token for: what is accepted reads again as what it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::Scope;

fuzz_target!(|text: &str| {
    for scope in Scope::parse_all([text]) {
        let written = scope.to_string();
        assert_eq!(Scope::parse(&written), Some(scope), "{written}");
    }
});
