//! Pages of lists: `n` and `last` in, `Link` out (OCI distribution spec 1.1, "Listing tags"; RFC 8288).

use super::query::Query;
use crate::domain::refusal::Refusal;
use actix_web::HttpRequest;
use actix_web::http::header::{HeaderName, LINK};

/// Entries on a page when the client does not say, and the most it may ask for.
const MOST: usize = 1000;

/// What a client asked for.
pub struct PageRequest {
    /// At most so many entries.
    pub limit: usize,
    /// Only entries after this one.
    pub after: Option<String>,
}

impl PageRequest {
    /// Of this request. More than the most is cut: crane asks for it by default.
    pub fn of(request: &HttpRequest) -> Result<Self, Refusal> {
        let query = Query::of(request);
        // Not the code of a parameter given twice in an upload: crane repeats a request that is told that.
        let one = |name| query.one(name).map_err(|_| Refusal::Page);
        let after = one("last")?.map(str::to_owned);
        let limit = match one("n")? {
            None => MOST,
            Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().unwrap_or(MOST).min(MOST)
            }
            Some(_) => return Err(Refusal::Page),
        };
        Ok(Self { limit, after })
    }

    /// The link to the page after `last`, with what else was asked. It is relative, as it survives every proxy.
    pub fn next(&self, request: &HttpRequest, last: &str) -> (HeaderName, String) {
        let query = Query::of(request).with(&[("n", &self.limit.to_string()), ("last", last)]);
        (LINK, format!("<{}?{query}>; rel=\"next\"", request.path()))
    }
}
