//! The commands, a file for each thing that is administered, and the one request that each of them is.

mod decisions;
mod grants;
mod images;
mod invitations;
mod namespaces;
mod organisations;
mod repositories;
mod robots;
mod sessions;
mod teams;
mod tokens;
mod users;

pub use decisions::Decision;
pub use grants::Grant;
pub use images::{Image, Tag};
pub use invitations::Invitation;
pub use namespaces::Namespace;
pub use organisations::Org;
pub use repositories::Repo;
pub use robots::Robot;
pub use sessions::Session;
pub use teams::Team;
pub use tokens::Token;
pub use users::User;

use anyhow::Context;
use clap::ArgGroup;
use reqwest::Method;
use serde_json::Value;
use std::io::BufRead;

/// A request to the API.
pub struct Call {
    pub method: Method,
    /// Below `/api/v1`, a segment each.
    pub path: Vec<String>,
    /// What follows the path's `?`.
    pub query: Vec<(&'static str, String)>,
    pub body: Option<Value>,
    /// Whether it says that whatever is there is replaced, which the API wants to hear of a whole document.
    pub replaces: bool,
    /// Of a list: what a line says of an entry. Empty: it is no list.
    pub columns: &'static [&'static str],
}

impl Call {
    fn list(path: &[&str], columns: &'static [&'static str]) -> Self {
        Self { columns, ..Self::one(Method::GET, path, None) }
    }

    fn one(method: Method, path: &[&str], body: Option<Value>) -> Self {
        let path = path.iter().map(|part| (*part).to_owned()).collect();
        Self { method, path, query: Vec::new(), body, replaces: false, columns: &[] }
    }

    /// What is shown of one thing.
    pub fn show(path: &[&str]) -> Self {
        Self::one(Method::GET, path, None)
    }

    /// Something new, or a verb.
    pub fn post(path: &[&str], body: Value) -> Self {
        Self::one(Method::POST, path, Some(body))
    }

    /// A verb that needs no word.
    fn order(path: &[&str]) -> Self {
        Self::one(Method::POST, path, None)
    }

    fn put(path: &[&str], body: Value) -> Self {
        Self::one(Method::PUT, path, Some(body))
    }

    /// A whole document.
    fn replace(path: &[&str], body: Value) -> Self {
        Self { replaces: true, ..Self::put(path, body) }
    }

    fn patch(path: &[&str], body: Value) -> Self {
        Self::one(Method::PATCH, path, Some(body))
    }

    fn delete(path: &[&str]) -> Self {
        Self::one(Method::DELETE, path, None)
    }

    /// With this in the query, as often as it was said.
    fn asking(mut self, name: &'static str, values: impl IntoIterator<Item = impl ToString>) -> Self {
        self.query.extend(values.into_iter().map(|value| (name, value.to_string())));
        self
    }
}

/// Without what was not said.
pub fn said(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    body
}

/// What a change consists of: one of these options must be there.
fn change<const N: usize>(options: [&'static str; N]) -> ArgGroup {
    ArgGroup::new("change").args(options).required(true).multiple(true)
}

/// A repository, by its segments: its name has slashes.
fn repository<'a>(name: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    ["repositories"].into_iter().chain(name.split('/')).chain(rest.iter().copied()).collect()
}

/// The next line of standard input, which is where secrets come from: a command line is seen by everybody on the machine.
fn line_of_stdin(what: &str) -> anyhow::Result<String> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.with_context(|| format!("cannot read {what} from standard input"))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
