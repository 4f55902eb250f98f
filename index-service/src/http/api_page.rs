//! `/docs/api`: the document of the REST API as a page for people, made here, without a script and without anything from
//! elsewhere.

use super::contract::operations;
use super::openapi::{at, document};
use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:auto;padding:1rem;color-scheme:light dark}\
    code{font-family:ui-monospace,monospace;overflow-wrap:anywhere}section{border-top:1px solid;margin-top:1.5rem}\
    b.method{text-transform:uppercase;display:inline-block;min-width:5rem}td,th{text-align:left;vertical-align:top;\
    padding:.1rem 1rem .1rem 0}";

static PAGE: LazyLock<String> = LazyLock::new(|| page(document()));

/// `GET /docs/api`
pub async fn show() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(PAGE.as_str())
}

fn page(document: &Value) -> String {
    let mut areas: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (path, method, operation) in operations(document) {
        let area = operation.pointer("/tags/0").and_then(Value::as_str).unwrap_or_default();
        areas.entry(area).or_default().push(described(path, method, operation));
    }
    let contents = areas.keys().map(|area| format!("<li><a href=\"#{0}\">{0}</a></li>", escaped(area)));
    let contents: String = contents.collect();
    let areas = areas
        .iter()
        .map(|(area, operations)| format!("<h2 id=\"{0}\">{0}</h2>{1}", escaped(area), operations.concat()));
    let areas: String = areas.collect();
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten();
    let schemas: String = schemas.map(|(name, schema)| shape(name, schema)).collect();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Berth: REST API</title><style>{STYLE}</style></head>\
         <body><h1>REST API</h1><p>All of it lies below <code>/api/v1</code>. Sign in with a name and its password, or with \
         an access token. The same for programs: <a href=\"/api/v1/openapi.json\">openapi.json</a>.</p>\
         <ul>{contents}</ul>{areas}<h2>bodies</h2>{schemas}</body></html>"
    )
}

/// One operation.
fn described(path: &str, method: &str, operation: &Value) -> String {
    let parameters = at(operation, "parameters").as_array().into_iter().flatten().map(|parameter| {
        let place = text(parameter, "in");
        row(&[
            &format!("<code>{}</code>", text(parameter, "name")),
            &place,
            &kind(at(parameter, "schema")),
            &text(parameter, "description"),
        ])
    });
    let body = operation
        .pointer("/requestBody/content/application~1json/schema")
        .map(|schema| row(&["the body", "JSON", &kind(schema), ""]));
    let taken: String = parameters.chain(body).collect();
    let answers = at(operation, "responses").as_object().into_iter().flatten().map(|(status, answer)| {
        let answer = at(answer, "$ref")
            .as_str()
            .and_then(|place| document().pointer(place.trim_start_matches('#')))
            .unwrap_or(answer);
        let content = at(answer, "content").as_object().and_then(|content| content.values().next());
        let shape = content.map(|content| kind(at(content, "schema"))).unwrap_or_default();
        row(&[&escaped(status), &shape, &text(answer, "description")])
    });
    let answers: String = answers.collect();
    format!(
        "<section><h3><b class=\"method\">{}</b> <code>{}</code></h3><p>{}</p><table>{taken}</table>\
         <details><summary>Answers</summary><table>{answers}</table></details></section>",
        escaped(method),
        escaped(path),
        text(operation, "summary")
    )
}

/// A named body, with its fields.
fn shape(name: &str, schema: &Value) -> String {
    let required: Vec<_> = at(schema, "required").as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let fields = at(schema, "properties").as_object().into_iter().flatten().map(|(field, schema)| {
        let need = if required.contains(&field.as_str()) { "" } else { "may be left out" };
        row(&[&format!("<code>{}</code>", escaped(field)), &kind(schema), need, &text(schema, "description")])
    });
    let fields: String = fields.collect();
    let own = if fields.is_empty() { kind(schema) } else { String::new() };
    let about = text(schema, "description");
    format!("<section><h3 id=\"{0}\">{0}</h3><p>{own} {about}</p><table>{fields}</table></section>", escaped(name))
}

/// What a value is, in words.
fn kind(schema: &Value) -> String {
    if let Some(name) = at(schema, "$ref").as_str().and_then(|place| place.rsplit('/').next()) {
        return format!("<a href=\"#{0}\">{0}</a>", escaped(name));
    }
    if let Some(words) = at(schema, "enum").as_array() {
        let words = words.iter().map(|word| escaped(word.as_str().unwrap_or_default()));
        return words.collect::<Vec<_>>().join(" | ");
    }
    let one_of = ["oneOf", "anyOf"].iter().find_map(|name| at(schema, name).as_array());
    if let Some(kinds) = one_of {
        return kinds.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    let types = match at(schema, "type") {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        one => one.as_str().unwrap_or_default().to_owned(),
    };
    match at(schema, "items") {
        Value::Null => format!("{} {}", escaped(&types), text(schema, "format")),
        items => format!("{} of {}", escaped(&types), kind(items)),
    }
}

fn row(cells: &[&str]) -> String {
    format!("<tr><td>{}</td></tr>", cells.join("</td><td>"))
}

/// The text of a member, as HTML.
fn text(value: &Value, name: &str) -> String {
    escaped(at(value, name).as_str().unwrap_or_default())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
