//! Tokens of which one part is of a kind that libraries have stumbled over, most of them signed with the right key: RFC 8725,
//! sections 2 and 3; CVE-2018-0114, CVE-2022-21449, CVE-2025-24976, CVE-2025-30204, CVE-2026-25537. None of them opens
//! anything, and nobody is asked for a key.

use crate::support::{Forge, Host, Stack};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// A token of this header and these claims, both as they stand, signed by this key.
fn signed(header: &str, claims: &str, key: &EncodingKey) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = sign(message.as_bytes(), key, Algorithm::ES256).unwrap();
    format!("{message}.{signature}")
}

/// Both doors that take a registry token.
async fn statuses(stack: &Stack, token: &str) -> [u16; 2] {
    let mut statuses = [0; 2];
    for (status, path) in statuses.iter_mut().zip(["/v2/", "/v1/search?q=x"]) {
        *status = stack.host.get(path).token(token).send().await.status;
    }
    statuses
}

async fn refuses(stack: &Stack, token: &str, why: &str) {
    assert_eq!(statuses(stack, token).await, [401, 401], "{why}");
}

/// A token that both doors take, to change.
async fn forge(stack: &Stack) -> Forge {
    Forge::of_token(stack, &stack.admin().token("repository:admin/app:pull registry:catalog:search").await).await
}

/// A server that counts who asks it for anything, and its address.
async fn canary() -> (Arc<AtomicUsize>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (asked, format!("http://{address}/keys"))
}

#[tokio::test]
async fn a_key_is_found_by_its_id_alone_and_fetched_from_nowhere() {
    let stack = Stack::start().await;
    let forge = forge(&stack).await;
    let own = Forge::of(&Stack::start().await).await;
    let (asked, url) = canary().await;
    let (kid, claims) = (forge.header.kid.clone().unwrap(), forge.claims.to_string());
    let good = json!({ "alg": "ES256", "typ": "JWT", "kid": kid }).to_string();
    assert_eq!(statuses(&stack, &signed(&good, &claims, &forge.key)).await, [200, 200]);

    // The client's own key, which the header brings or says where to find.
    let mut renamed = own.public_key.clone();
    renamed["kid"] = json!(kid);
    for brought in [
        json!({ "jku": url }),
        json!({ "x5u": url }),
        json!({ "jwk": renamed }),
        json!({ "jku": url, "x5u": url, "jwk": renamed, "x5t": kid, "x5t#S256": kid }),
    ] {
        for kid in [json!(kid), json!(url), own.public_key["kid"].clone(), json!(null)] {
            let mut header = brought.clone();
            header["alg"] = json!("ES256");
            if !kid.is_null() {
                header["kid"] = kid;
            }
            refuses(&stack, &signed(&header.to_string(), &claims, &own.key), &header.to_string()).await;
        }
    }
    // Ids that are not the key's, with the right key: whatever is looked up by them, nothing is found.
    let quoted = |kid: &str| json!(kid).to_string();
    let ids = [
        quoted("../../etc/passwd"),
        quoted("' OR 1=1--"),
        quoted(&url),
        quoted(&"x".repeat(5000)),
        quoted(&format!("{kid} ")),
        quoted(&format!("{kid}\0")),
        quoted(&kid.to_lowercase()),
        quoted("a\r\n\u{1b}[31m"),
        quoted(""),
        "7".to_owned(),
        "true".to_owned(),
        "null".to_owned(),
        format!("[{}]", quoted(&kid)),
        format!("{},\"kid\":{}", quoted(&kid), quoted(&kid)),
    ];
    for id in ids {
        let header = format!(r#"{{"alg":"ES256","kid":{id}}}"#);
        refuses(&stack, &signed(&header, &claims, &forge.key), &header).await;
    }
    refuses(&stack, &signed(r#"{"alg":"ES256"}"#, &claims, &forge.key), "no id").await;
    assert_eq!(asked.load(Ordering::SeqCst), 0, "somebody asked for a key");
}

/// What every key of P-256 has before its point, as DER; and the order of its group, which no signature may hold.
const KEY_INFO: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
    0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[tokio::test]
async fn no_form_of_the_public_key_is_a_shared_secret() {
    let stack = Stack::start().await;
    let forge = forge(&stack).await;
    let part = |name: &str| URL_SAFE_NO_PAD.decode(forge.public_key[name].as_str().unwrap()).unwrap();
    let point = [&[4][..], &part("x"), &part("y")].concat();
    let der = [KEY_INFO, &point].concat();
    let text = STANDARD.encode(&der);
    let lines: Vec<&str> = [&text[..64], &text[64..]].into();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", lines.join("\n"));
    let kid = forge.header.kid.clone().unwrap();
    let with_break = format!("{pem}\n");
    for secret in
        [pem.as_bytes(), with_break.as_bytes(), text.as_bytes(), &der, &point, &point[1..], &part("x"), kid.as_bytes()]
    {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let header = Header { kid: Some(kid.clone()), ..Header::new(algorithm) };
            let token = encode(&header, &forge.claims, &EncodingKey::from_secret(secret)).unwrap();
            refuses(&stack, &token, &format!("{algorithm:?} with {}", String::from_utf8_lossy(secret))).await;
        }
    }
}

#[tokio::test]
async fn a_signature_is_two_numbers_in_their_range_and_nothing_else() {
    let stack = Stack::start().await;
    let forge = forge(&stack).await;
    let good = forge.with(&json!({}));
    let (message, signature) = good.rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let (zero, one) = ([0; 32], [&[0; 31][..], &[1]].concat());
    let in_der = [&[0x30, 70, 2, 33, 0][..], &bytes[..32], &[2, 33, 0], &bytes[32..]].concat();
    let bad: [&[&[u8]]; 13] = [
        &[],
        &[&zero, &zero],
        &[&zero, &one],
        &[&one, &zero],
        &[&ORDER, &ORDER],
        &[&ORDER, &one],
        &[&one, &ORDER],
        &[&bytes[..32]],
        &[&bytes[..63]],
        &[&bytes, &[0]],
        &[&bytes, &bytes],
        &[&bytes[32..], &bytes[..32]],
        &[&in_der],
    ];
    assert_eq!(statuses(&stack, &good).await, [200, 200]);
    for parts in bad {
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(parts.concat()));
        refuses(&stack, &token, &format!("{parts:?}")).await;
    }
    for token in [message.to_owned(), format!("{message}.{signature}="), format!("{message}.{signature}==")] {
        refuses(&stack, &token, &token).await;
    }
}

/// What is no point in time.
const TIMES: &[&str] = &[
    "null",
    "\"9999999999\"",
    "\"\"",
    "true",
    "false",
    "[]",
    "[9999999999]",
    "{}",
    "-1",
    "1e400",
    "9999999999.5",
    "18446744073709551616",
];

/// What is no text.
const TEXTS: &[&str] = &["null", "1", "true", "[]", "{}", "[\"admin\"]", "[\"berth\"]", "\"\\ud800\""];

#[tokio::test]
async fn a_claim_of_a_wrong_type_is_not_a_missing_one_and_a_missing_one_is_not_forgiven() {
    let stack = Stack::start().await;
    let forge = forge(&stack).await;
    let header = json!({ "alg": "ES256", "kid": forge.header.kid }).to_string();
    // As text, because no library writes all of these; `None` leaves the claim out.
    let with = |name: &str, literal: Option<&str>| {
        let claims = forge.claims.as_object().unwrap().iter();
        let lines = claims.filter_map(|(claim, value)| {
            let value = if claim == name { literal?.to_owned() } else { value.to_string() };
            Some(format!("\"{claim}\":{value}"))
        });
        signed(&header, &format!("{{{}}}", lines.collect::<Vec<_>>().join(",")), &forge.key)
    };
    assert_eq!(statuses(&stack, &with("no such claim", None)).await, [200, 200]);
    for (names, literals) in [(&["exp", "nbf", "iat"][..], TIMES), (&["iss", "sub", "aud", "jti"], TEXTS)] {
        for name in names {
            for literal in literals.iter().copied().map(Some).chain([None]) {
                refuses(&stack, &with(name, literal), &format!("{name}: {literal:?}")).await;
            }
        }
    }
    // The largest numbers there are do not run over into the past or the future.
    for literal in ["9223372036854775808", "18446744073709551615"] {
        refuses(&stack, &with("nbf", Some(literal)), literal).await;
        let later = statuses(&stack, &with("exp", Some(literal))).await;
        assert!(later.iter().all(|status| [200, 401].contains(status)), "{literal}: {later:?}");
    }
}

/// A refusal takes no longer, however busy the machine is.
const SOON: Duration = Duration::from_secs(5);

/// The most bytes of memory that this process has had, as the system says.
fn most_held() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

#[tokio::test]
async fn what_is_too_long_or_too_deep_is_refused_and_costs_nobody_else_anything() {
    let stack = Stack::start().await;
    let forge = forge(&stack).await;
    let header = json!({ "alg": "ES256", "kid": forge.header.kid }).to_string();
    let claims = forge.claims.to_string();
    let brackets = "[".repeat(10_000);
    let deep = format!("{{\"x\":{brackets}{}", claims.trim_start_matches('{'));
    let nested = format!("{{\"access\":{}{}}}", "[".repeat(2000), "]".repeat(2000));
    let five = format!("{}.x.y", signed(&header, &claims, &forge.key));
    let long_id = json!({ "alg": "ES256", "kid": "x".repeat(1 << 20) }).to_string();
    let held = most_held();
    for (what, token) in [
        ("64 KB of dots", ".".repeat(64 << 10)),
        ("an id of 1 MB", signed(&long_id, &claims, &forge.key)),
        ("as in RFC 7516", five),
        ("a header of 1 MB", format!("{}.x.y", "e".repeat(1 << 20))),
        ("a token of 60 KB", signed(&header, &" ".repeat(45_000), &forge.key)),
        ("deep claims", signed(&header, &deep, &forge.key)),
        ("a deep claim that is read", signed(&header, &nested, &forge.key)),
        ("a deep header", signed(&format!("{{\"x\":{brackets}"), &claims, &forge.key)),
        ("no JSON", signed(&header, "\0", &forge.key)),
        ("no object", signed(&header, "[]", &forge.key)),
        ("no header", signed("null", &claims, &forge.key)),
    ] {
        for path in ["/v2/", "/v1/search?q=x"] {
            // Who sends more than is read may find the connection closed before the answer; nobody else may.
            let own = Host::new(stack.host.address());
            let begun = Instant::now();
            if let Some(answer) = own.get(path).token(&token).attempt().await {
                assert!([400, 401, 431].contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
            }
            assert!(begun.elapsed() < SOON, "{what}: {:?}", begun.elapsed());
            stack.host.get("/livez").send().await.is(200);
        }
    }
    // The tokens themselves are held too, by those who send them.
    assert!(most_held() - held < 64 << 20, "{} bytes", most_held() - held);
    assert_eq!(statuses(&stack, &signed(&header, &claims, &forge.key)).await, [200, 200]);
}
