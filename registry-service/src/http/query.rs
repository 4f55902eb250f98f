//! Query strings: parameters by name, in order, as often as they were given.

use crate::domain::refusal::Refusal;
use actix_web::HttpRequest;

/// The parameters of a request. Clients re-sort and re-encode them, and add some of their own.
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Of this request; what cannot be decoded is no parameter.
    pub fn of(request: &HttpRequest) -> Self {
        Self(serde_urlencoded::from_str(request.query_string()).unwrap_or_default())
    }

    /// The value of `name`; an error if it is given twice with different values.
    pub fn one(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut values = self.all(name);
        let first = values.next();
        if values.any(|value| Some(value) != first) {
            return Err(Refusal::Upload("a parameter is given twice with different values"));
        }
        Ok(first)
    }

    /// Every value of `name`.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The query again, with these parameters in place of those of the same names.
    pub fn with(&self, parameters: &[(&str, &str)]) -> String {
        let others = self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let others = others.filter(|(key, _)| parameters.iter().all(|(name, _)| name != key));
        let all: Vec<_> = parameters.iter().copied().chain(others).collect();
        // Pairs of text can always be written.
        serde_urlencoded::to_string(all).unwrap_or_default()
    }
}
