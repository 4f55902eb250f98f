//! `/docs/errors/{code}`: where the `type` of a problem leads, which says what to do about it.

use super::codes::{About, ProblemCode};
use super::error::Failure;
use super::pages::{escaped, marked, page, row, shown};
use actix_web::HttpResponse;
use actix_web::web::Path;

/// `GET /docs/errors/{code}`
pub async fn show(code: Path<String>) -> Result<HttpResponse, Failure> {
    let code: ProblemCode = code.parse().map_err(|_| Failure::NoSuchRoute)?;
    let About { status, title, advice } = code.about();
    let code = format!("<code>{code}</code>");
    let rows = [row(&["code", &code]), row(&["status", &escaped(&status.to_string())])].concat();
    let body = format!(
        "<h1>{}</h1><table>{rows}</table><p>{}</p><p>The answer itself has a <code>detail</code>, which says more, and the \
         <code>request_id</code> under which the server's log knows it. <a href=\"/docs/api\">REST API</a></p>",
        escaped(title),
        marked(advice)
    );
    Ok(shown(page(title, &body)))
}
