//! A browser in which somebody signed in: its cookie, and what pages of ours send with it.

use super::host::Host;
use super::request::{Answer, Request};
use super::user::PASSWORD;
use reqwest::Method;
use serde_json::{Value, json};

/// A browser in which somebody signed in.
#[derive(Clone)]
pub struct Browser {
    pub host: Host,
    /// The origin of our pages.
    pub origin: String,
    /// As `Cookie` sends it.
    pub cookie: String,
    pub csrf_token: String,
}

impl Browser {
    /// Signs in.
    pub async fn sign_in(host: &Host, name: &str) -> Self {
        let origin = origin(host);
        let answer = sign_in(host, name).header("Origin", &origin).send().await.is(201);
        Self::of(host, origin, &answer)
    }

    /// With what a sign-in was answered.
    pub fn of(host: &Host, origin: String, answer: &Answer) -> Self {
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        let csrf_token = answer.json()["csrf_token"].as_str().unwrap().to_owned();
        Self { host: host.clone(), origin, cookie, csrf_token }
    }

    /// A request as another site can make it.
    pub fn sends(&self, method: &Method, path: &str) -> Request {
        self.host.replacing(method.clone(), &format!("/api/v1{path}")).header("Cookie", &self.cookie)
    }

    /// A request as a page of ours makes it.
    pub fn asks(&self, method: &Method, path: &str) -> Request {
        self.sends(method, path).header("Origin", &self.origin).header("X-CSRF-Token", &self.csrf_token)
    }

    /// What a page of ours shows.
    pub async fn get(&self, path: &str) -> Value {
        self.sends(&Method::GET, path).send().await.is(200).json()
    }

    /// Whether the session goes on; if it does not, the browser is told to forget the cookie.
    pub async fn is_signed_in(&self) -> bool {
        let answer = self.sends(&Method::GET, "/session").send().await;
        if answer.status == 200 {
            return true;
        }
        assert_eq!(answer.is(401).header("set-cookie").split("Max-Age=").nth(1), Some("0"));
        false
    }
}

/// The origin of pages of a Berth that is told nothing of its address.
pub fn origin(host: &Host) -> String {
    format!("http://localhost:{}", host.address().port())
}

/// A request to sign in, which says nothing of where it comes from.
pub fn sign_in(host: &Host, name: &str) -> Request {
    host.post("/api/v1/session").json(&json!({ "name": name, "password": PASSWORD }))
}
