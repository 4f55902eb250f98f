//! What is remembered of tokens, and for how long.

use super::*;

fn claims(exp: u64) -> Claims {
    Claims {
        iss: "index".to_owned(),
        sub: "alice".to_owned(),
        aud: "registry".to_owned(),
        exp,
        nbf: 0,
        iat: 0,
        jti: "1".to_owned(),
        credential: None,
        as_of: Position::default(),
        access: Vec::new(),
    }
}

#[test]
fn a_token_that_is_over_is_forgotten_when_another_comes() {
    let access = AccessControl::new("index", "registry", Duration::ZERO, Arc::<Feed>::default());
    let at = |second| Timestamp::from_second(second).unwrap();
    access.remember("short", claims(1_000), at(900));
    access.remember("long", claims(2_000), at(901));
    let known = |token: &str| access.tokens.get(token).is_some();
    access.remember("early", claims(2_000), at(959));
    assert!(known("short") && known("long"));
    access.remember("late", claims(2_000), at(1_060));
    assert!(!known("short") && known("long") && known("late"));
}

#[test]
fn whoever_brings_a_token_at_once_with_others_shares_it_with_them() {
    let access = AccessControl::new("index", "registry", Duration::ZERO, Arc::<Feed>::default());
    let at = Timestamp::from_second(900).unwrap();
    let first = access.remember("token", claims(1_000), at);
    assert!(Arc::ptr_eq(&first, &access.remember("token", claims(1_000), at)));
}
