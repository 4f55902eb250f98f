//! Tokens that the index did not issue, or that are not valid now: RFC 8725. Each is refused exactly as the others.

use crate::support::{Forge, Stack, berth};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

/// Those of base64url, in the order of their values.
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

async fn refuses(stack: &Stack, token: &str, why: &str) {
    let answer = stack.host.get("/v2/").token(token).send().await;
    assert_eq!(answer.status, 401, "{why}: {}", answer.text());
    assert!(answer.header("www-authenticate").ends_with(",error=\"invalid_token\""), "{why}: {answer:?}");
}

#[tokio::test]
async fn claims_that_are_not_ours_or_not_of_now_are_refused() {
    let stack = Stack::start().await;
    let forge = Forge::of(&stack).await;
    let now = forge.claims["iat"].as_u64().unwrap();
    stack.host.get("/v2/").token(&forge.with(&json!({}))).send().await.is(200);
    stack.host.get("/v2/").token(&forge.with(&json!({ "exp": now - 50 }))).send().await.is(200);
    let bad = [
        json!({ "exp": now - 70 }),
        json!({ "exp": null }),
        json!({ "exp": "9999999999" }),
        json!({ "exp": true }),
        json!({ "exp": [] }),
        json!({ "exp": -1 }),
        json!({ "exp": 1e300 }),
        json!({ "exp": now + 100, "nbf": 0.5 }),
        json!({ "exp": f64::MAX }),
        json!({ "iat": -1 }),
        json!({ "jti": 1 }),
        json!({ "nbf": now + 90 }),
        json!({ "nbf": null }),
        json!({ "nbf": "0" }),
        json!({ "iat": null }),
        json!({ "iat": "0" }),
        json!({ "aud": "other" }),
        json!({ "aud": null }),
        json!({ "aud": [] }),
        json!({ "aud": ["other"] }),
        json!({ "aud": {} }),
        json!({ "aud": ["other", "berth"] }),
        json!({ "iss": "other" }),
        json!({ "iss": null }),
        json!({ "sub": null }),
        json!({ "sub": 1 }),
        json!({ "sub": "nobody" }),
        json!({ "jti": null }),
        json!({ "access": null }),
        json!({ "access": {} }),
        json!({ "access": [{ "type": "repository", "name": "a/b", "actions": "pull" }] }),
    ];
    for changes in bad {
        refuses(&stack, &forge.with(&changes), &changes.to_string()).await;
    }
    // What nobody reads of a token that we have signed may be as deep as it likes.
    let deep = (0..1500).fold(json!([]), |inner, _| json!([inner]));
    stack.host.get("/v2/").token(&forge.with(&json!({ "deep": deep }))).send().await.is(200);
}

#[tokio::test]
async fn a_claim_that_is_made_twice_is_refused() {
    let stack = Stack::start().await;
    let forge = Forge::of(&stack).await;
    let claims = forge.claims.to_string();
    let head = URL_SAFE_NO_PAD.encode(serde_json::to_string(&forge.header).unwrap());
    for (again, status) in
        [("", 200), (r#","sub":"admin""#, 401), (r#","exp":9999999999"#, 401), (r#","access":[]"#, 401)]
    {
        let body = format!("{}{again}}}", claims.strip_suffix('}').unwrap());
        let message = format!("{head}.{}", URL_SAFE_NO_PAD.encode(body));
        let signature = sign(message.as_bytes(), &forge.key, Algorithm::ES256).unwrap();
        stack.host.get("/v2/").token(&format!("{message}.{signature}")).send().await.is(status);
    }
}

#[tokio::test]
async fn a_signature_that_is_not_by_the_key_is_refused_whatever_the_header_says() {
    let stack = Stack::start().await;
    let forge = Forge::of(&stack).await;
    let kid = forge.header.kid.clone().unwrap();
    let elsewhere = Stack::start().await;
    let other = Forge::of(&elsewhere).await;
    let certificate = |bundle: &str| bundle.lines().filter(|line| !line.starts_with('-')).collect::<String>();

    let stolen_name = Header { kid: Some(kid.clone()), ..Header::new(Algorithm::ES256) };
    refuses(&stack, &encode(&stolen_name, &forge.claims, &other.key).unwrap(), "another key under the same id").await;
    refuses(&stack, &encode(&other.header, &forge.claims, &other.key).unwrap(), "another key").await;

    let public_half = forge.public_key["x"].as_str().unwrap();
    let bundle = berth(stack.folder(), &["keys", "bundle"]).await.unwrap();
    let own = certificate(&bundle);
    for secret in [public_half.to_owned(), forge.public_key.to_string(), bundle, own, String::new()] {
        let header = Header { kid: Some(kid.clone()), ..Header::new(Algorithm::HS256) };
        let token = encode(&header, &forge.claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap();
        refuses(&stack, &token, "the public key as a shared secret").await;
    }

    // Signed rightly, by a key of another kind, under our key's id.
    let rsa = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap().serialize_pem();
    let rsa = EncodingKey::from_rsa_pem(rsa.as_bytes()).unwrap();
    for algorithm in [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        let header = Header { kid: Some(kid.clone()), ..Header::new(algorithm) };
        refuses(&stack, &encode(&header, &forge.claims, &rsa).unwrap(), "a signature by RSA").await;
    }

    let good = forge.with(&json!({}));
    let signature = good.rsplit('.').next().unwrap();
    for algorithm in ["none", "None", "nOnE", "HS256", "RS256", "ES384", "EdDSA", ""] {
        for signature in ["", signature] {
            let token = forge.with_header(&json!({ "alg": algorithm, "typ": "JWT", "kid": kid }), signature);
            refuses(&stack, &token, algorithm).await;
        }
    }
    let zero = URL_SAFE_NO_PAD.encode([0; 64]);
    refuses(&stack, &forge.with_header(&json!({ "alg": "ES256", "kid": kid }), &zero), "r and s are 0").await;

    for id in [json!("../../etc/passwd"), json!("' OR 1=1--"), json!("x".repeat(4000)), json!(7), Value::Null] {
        refuses(&stack, &forge.with_header(&json!({ "alg": "ES256", "kid": id }), signature), "a strange key id").await;
    }
    let bundle = berth(elsewhere.folder(), &["keys", "bundle"]).await.unwrap();
    // Signed by a key of the client's own that the header brings or names, under our key's id and without.
    for own in [
        json!({ "jwk": other.public_key }),
        json!({ "x5c": [certificate(&bundle)] }),
        json!({ "jku": "http://127.0.0.1:9/keys" }),
        json!({ "x5u": "http://127.0.0.1:9/keys" }),
    ] {
        for kid in [json!(kid), Value::Null] {
            let mut header = json!({ "alg": "ES256", "kid": kid });
            header.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
            let header: Header = serde_json::from_value(header).unwrap();
            let token = encode(&header, &forge.claims, &other.key).unwrap();
            refuses(&stack, &token, &format!("a key in the header: {header:?}")).await;
        }
    }

    // The same signature in other letters: the last one has four bits that mean nothing.
    let (most, last) = good.split_at(good.len() - 1);
    let place = LETTERS.find(last).unwrap();
    assert_eq!(place % 16, 0, "what means nothing is zero");
    refuses(&stack, &format!("{most}{}", &LETTERS[place + 1..place + 2]), "another spelling").await;

    let (head, _) = good.split_at(good.len() - 1);
    let dots = ".".repeat(7000);
    for broken in [head, "x", "a.b.c", &good[..good.len() / 2], dots.as_str(), &format!("{good}.x.y")] {
        refuses(&stack, broken, "cut or stretched").await;
    }
}

#[tokio::test]
async fn a_registry_token_is_no_key_to_the_rest() {
    let stack = Stack::start().await;
    let token = stack.admin().token("repository:admin/app:pull").await;
    for path in ["/api/v1/user", "/api/v1/repositories", "/api/v1/admin/users", "/token?service=berth"] {
        stack.host.get(path).token(&token).send().await.is(401);
    }
    stack.host.get("/v1/search?q=x").token(&token).send().await.is(401);
    let searcher = stack.admin().token("registry:catalog:search").await;
    stack.host.get("/v1/search?q=x").token(&searcher).send().await.is(200);
    stack.host.post("/internal/v1/introspect").token(&token).json(&json!({ "token": token })).send().await.is(404);
}
