//! `/docs/api`: the document of the REST API as a page for people, made here, without a script and without anything from
//! elsewhere.

use super::contract::operations;
use super::conventions::is_open;
use super::openapi::{at, document};
use super::pages::{escaped, marked, page, row, shown};
use actix_web::HttpResponse;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

static PAGE: LazyLock<String> = LazyLock::new(|| whole(document()));

/// `GET /docs/api`
pub async fn show() -> HttpResponse {
    shown(PAGE.as_str())
}

fn whole(document: &Value) -> String {
    let mut areas: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (path, method, operation) in operations(document) {
        let area = operation.pointer("/tags/0").and_then(Value::as_str).unwrap_or_default();
        areas.entry(area).or_default().push(described(path, method, operation));
    }
    let contents = areas.keys().map(|area| format!("<li>{}</li>", link(area, area)));
    let contents: String = contents.collect();
    let areas = areas
        .iter()
        .map(|(area, operations)| format!("<h2 id=\"{}\">{}</h2>{}", id(area), escaped(area), operations.concat()));
    let areas: String = areas.collect();
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten();
    let schemas: String = schemas.map(|(name, schema)| shape(name, schema)).collect();
    let ways = document.pointer("/components/securitySchemes").and_then(Value::as_object).into_iter().flatten();
    let ways = ways.map(|(name, way)| row(&[&format!("<code>{}</code>", escaped(name)), &text(way, "description")]));
    let ways: String = ways.collect();
    let body = format!(
        "<h1>REST API</h1><p>All of it lies below <code>/api/v1</code>. The same for programs: \
         <a href=\"/api/v1/openapi.json\">openapi.json</a>, or <a href=\"/api/v1/openapi.yaml\">.yaml</a>. \
         There are three ways to sign in:</p><table>{ways}</table>\
         <nav><ul>{contents}<li>{}</li></ul></nav>{areas}<h2 id=\"bodies\">bodies</h2>{schemas}",
        link("bodies", "bodies")
    );
    page("REST API", &body)
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
    let name = text(operation, "operationId");
    format!(
        "<section><h3 id=\"{name}\"><a href=\"#{name}\"><b>{}</b> <code>{}</code></a></h3><p>{}{}</p>\
         <table>{taken}</table><details><summary>Answers</summary><table>{answers}</table></details></section>",
        escaped(method),
        escaped(path),
        text(operation, "summary"),
        if is_open(operation) { " Nobody has to sign in for it." } else { "" }
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
        return link(name, name);
    }
    if let Some(words) = at(schema, "enum").as_array() {
        let words = words.iter().map(|word| escaped(word.as_str().unwrap_or_default()));
        return words.collect::<Vec<_>>().join(" | ");
    }
    let one_of = ["oneOf", "anyOf"].iter().find_map(|name| at(schema, name).as_array());
    if let Some(kinds) = one_of {
        return kinds.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    let types = at(schema, "type");
    let types = types.as_array().map_or(std::slice::from_ref(types), Vec::as_slice).iter().filter_map(Value::as_str);
    let said = types.map(|name| match (name, at(schema, "items"), at(schema, "format").as_str()) {
        ("array", items, _) if !items.is_null() => format!("array of {}", kind(items)),
        ("null", ..) | (_, _, None) => escaped(name),
        (_, _, Some(format)) => format!("{} ({})", escaped(name), escaped(format)),
    });
    said.collect::<Vec<_>>().join(" or ")
}

/// A link to a place on the page.
fn link(place: &str, words: &str) -> String {
    format!("<a href=\"#{}\">{}</a>", id(place), escaped(words))
}

/// The name of a place: an address takes no blanks.
fn id(place: &str) -> String {
    escaped(place).replace(' ', "-")
}

/// The text of a member, as HTML.
fn text(value: &Value, name: &str) -> String {
    marked(at(value, name).as_str().unwrap_or_default())
}
