//! The commands, and the one request that each of them is.

mod organisations;
mod people;

pub use organisations::{Grant, Org, Robot, Team};
pub use people::{Token, User};

use reqwest::Method;
use serde_json::Value;

/// A request to the API.
pub struct Call {
    pub method: Method,
    /// Below `/api/v1`, a segment each.
    pub path: Vec<String>,
    pub body: Option<Value>,
    /// Of a list: what a line says of an entry. Empty: it is no list.
    pub columns: &'static [&'static str],
}

impl Call {
    fn list(path: &[&str], columns: &'static [&'static str]) -> Self {
        Self { columns, ..Self::one(Method::GET, path, None) }
    }

    fn one(method: Method, path: &[&str], body: Option<Value>) -> Self {
        Self { method, path: path.iter().map(|part| (*part).to_owned()).collect(), body, columns: &[] }
    }

    fn show(path: &[&str]) -> Self {
        Self::one(Method::GET, path, None)
    }

    fn post(path: &[&str], body: Value) -> Self {
        Self::one(Method::POST, path, Some(body))
    }

    fn put(path: &[&str], body: Value) -> Self {
        Self::one(Method::PUT, path, Some(body))
    }

    fn patch(path: &[&str], body: Value) -> Self {
        Self::one(Method::PATCH, path, Some(body))
    }

    fn delete(path: &[&str]) -> Self {
        Self::one(Method::DELETE, path, None)
    }
}

/// Without what was not said.
fn said(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    body
}
