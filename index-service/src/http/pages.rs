//! Pages for people, made here without a script and without anything from elsewhere: how they look, and what a browser lets
//! them do.

use actix_web::HttpResponse;
use actix_web::body::MessageBody;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};

const STYLE: &str = "\
    :root{color-scheme:light dark}\
    body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:auto;padding:1rem}\
    code{font-family:ui-monospace,monospace;font-size:.95em}\
    nav ul{columns:12rem;list-style:none;padding:0}\
    h2{margin-top:3rem}h2::first-letter{text-transform:uppercase}\
    section{border-top:1px solid #8888;margin-top:1.5rem}\
    h3 a{color:inherit;text-decoration:none;overflow-wrap:anywhere}h3 a:hover{text-decoration:underline}\
    b{text-transform:uppercase;display:inline-block;min-width:5rem}\
    table{border-collapse:collapse;margin:.5rem 0}\
    td{text-align:left;vertical-align:top;padding:.15rem 1.25rem .15rem 0}td:first-child{white-space:nowrap}\
    summary{cursor:pointer}\
    @media(max-width:44rem){\
    tr{display:block;padding:.3rem 0}\
    td{display:inline;padding:0 .75rem 0 0;overflow-wrap:anywhere}td:last-child{display:block}td:empty{display:none}}";

/// What a browser lets the page do: nothing but look as it does, and in no frame of anybody's.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The whole of a page.
pub fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Berth: {}</title><style>{STYLE}</style></head>\
         <body>{body}</body></html>",
        escaped(title)
    )
}

/// A page as it is sent.
pub fn shown(page: impl MessageBody + 'static) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(page)
}

/// One row of a table.
pub fn row(cells: &[&str]) -> String {
    format!("<tr><td>{}</td></tr>", cells.join("</td><td>"))
}

/// Text as HTML; what stands between backticks is code.
pub fn marked(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    let pieces = pieces.map(|(number, piece)| match number % 2 {
        0 => escaped(piece),
        _ => format!("<code>{}</code>", escaped(piece)),
    });
    pieces.collect()
}

/// Text as HTML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
