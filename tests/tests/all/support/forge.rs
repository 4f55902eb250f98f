//! Tokens that only the index can sign, and that it would not.

use super::stack::Stack;
use super::user::claims;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::Value;

/// Signs tokens as the index does: it has its key.
pub struct Forge {
    pub key: EncodingKey,
    pub header: Header,
    pub public_key: Value,
    pub claims: Value,
}

impl Forge {
    /// With the real key and the claims of a real token.
    pub async fn of(stack: &Stack) -> Self {
        let token = stack.admin().token("repository:admin/app:pull,push").await;
        Self::of_token(stack, &token).await
    }

    /// The same with the claims of this token.
    pub async fn of_token(stack: &Stack, token: &str) -> Self {
        let pem = stack.signing_key();
        let keys = stack.host.get("/.well-known/jwks.json").send().await.is(200).json();
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(keys["keys"][0]["kid"].as_str().unwrap().to_owned());
        let key = EncodingKey::from_ec_pem(&pem).unwrap();
        Self { key, header, public_key: keys["keys"][0].clone(), claims: claims(token) }
    }

    /// Signed rightly, with some claims changed; a null takes one away.
    pub fn with(&self, changes: &Value) -> String {
        encode(&self.header, &self.changed(changes), &self.key).unwrap()
    }

    pub fn changed(&self, changes: &Value) -> Value {
        let mut claims = self.claims.clone();
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        claims
    }

    /// With this header as it stands, over the real claims; `sign` makes the third part.
    pub fn with_header(&self, header: &Value, signature: &str) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.{signature}", part(header), part(&self.claims))
    }
}
