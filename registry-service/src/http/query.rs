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
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let first = values.next();
        if values.any(|value| Some(value) != first) {
            return Err(Refusal::Upload("a parameter is given twice with different values"));
        }
        Ok(first)
    }
}
