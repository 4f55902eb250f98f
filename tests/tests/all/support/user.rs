//! A person: what an account's name and password give.

use super::host::Host;
use super::repository::Repository;
use super::request::Request;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};

/// Every account of the tests has this password.
pub const PASSWORD: &str = "correct horse";

/// An account; with an empty name, the anonymous client.
#[derive(Clone)]
pub struct User {
    pub host: Host,
    pub name: String,
    secret: String,
}

impl User {
    pub fn new(host: &Host, name: &str) -> Self {
        Self { host: host.clone(), name: name.to_owned(), secret: PASSWORD.to_owned() }
    }

    /// Somebody else whose account is there already.
    pub fn named(&self, name: &str) -> Self {
        Self::new(&self.host, name)
    }

    /// The same person with an access token in place of the password, which takes a core a while to check.
    pub async fn by_access_token(&self) -> Self {
        let made = self.does(Method::POST, "/user/tokens", &json!({ "name": "tests" })).await;
        Self { secret: made["secret"].as_str().unwrap().to_owned(), ..self.clone() }
    }

    /// A request with this person's credentials.
    pub fn asks(&self, method: Method, path: &str) -> Request {
        let request = self.host.replacing(method, path);
        if self.name.is_empty() { request } else { request.basic(&self.name, &self.secret) }
    }

    /// A registry token for `scopes`, separated by spaces; what is not held is left out by the index.
    pub async fn token(&self, scopes: &str) -> String {
        let path = format!("/token?service=berth&scope={}", scopes.replace(' ', "%20"));
        let answer = self.asks(Method::GET, &path).send().await.is(200);
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    /// The repository `name`, with every right on it that this person has.
    pub async fn repository(&self, name: &str) -> Repository {
        let token = self.token(&format!("repository:{name}:pull,push,delete")).await;
        Repository::new(&self.host, name, token)
    }

    /// Does something by the REST API that must succeed.
    pub async fn does(&self, method: Method, path: &str, body: &Value) -> Value {
        let request = self.asks(method, &format!("/api/v1{path}"));
        let answer = if body.is_null() { request } else { request.json(body) }.send().await;
        assert!((200..300).contains(&answer.status), "{}: {}", answer.what, answer.text());
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }
}

/// What a token says.
pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}
