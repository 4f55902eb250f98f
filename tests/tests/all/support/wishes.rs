//! The index's own calls to a registry, made by hand: what it wishes of repositories in storage.

use super::host::Host;
use super::request::{Answer, Request};
use super::stack::Stack;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

/// The door of a registry for the index, with the index's key.
pub struct Wishes {
    pub host: Host,
    key: EncodingKey,
    header: Header,
    number: AtomicU64,
}

impl Wishes {
    pub async fn of(stack: &Stack) -> Self {
        let key = EncodingKey::from_ec_pem(&stack.signing_key()).unwrap();
        let keys = stack.host.get("/.well-known/jwks.json").send().await.is(200).json();
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(keys["keys"][0]["kid"].as_str().unwrap().to_owned());
        Self { host: stack.replica(), key, header, number: AtomicU64::new(1000) }
    }

    /// What the index says in the token of a wish, with the next number.
    pub fn claims(&self, verb: &Value) -> Value {
        let now = jiff::Timestamp::now().as_second();
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let mut wish = json!({ "number": number });
        wish.as_object_mut().unwrap().extend(verb.as_object().unwrap().clone());
        json!({
            "iss": "berth", "aud": "berth moves", "exp": now + 60, "nbf": now - 30, "iat": now, "jti": "1", "move": wish,
        })
    }

    pub fn sign(&self, claims: &Value) -> String {
        encode(&self.header, claims, &self.key).unwrap()
    }

    pub fn request(&self, token: &str) -> Request {
        self.host.request(Method::POST, "/internal/v1/move").token(token)
    }

    /// Wishes it; `verb` has the fields of a wish but the number.
    pub async fn wish(&self, verb: &Value) -> Answer {
        self.request(&self.sign(&self.claims(verb))).send().await
    }

    /// The same for a verb that needs only the repository, which must be carried out.
    pub async fn does(&self, verb: &str, name: &str, id: &str) {
        let answer = self.wish(&json!({ "verb": verb, "repository": name, "repository_id": id })).await.is(200);
        assert_eq!(answer.json()["outcome"], "done", "{verb} {name}: {}", answer.text());
    }
}
