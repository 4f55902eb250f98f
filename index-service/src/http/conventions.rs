//! What every operation of the REST API shares, by its conventions, added once to the document of bodies and handlers: the
//! words of addresses, headers, refusals, and how to sign in.

use super::contract::operations;
use super::openapi::at;
use serde_json::{Value, json};

/// The words in braces of addresses, with the schema of each, an example, and what it is.
const PATH_PARAMETERS: &[(&str, &str, &str, &str)] = &[
    ("org", "NamespaceName", "acme", "An organisation's name."),
    ("user", "NamespaceName", "bob", "An account's name."),
    ("team", "NamespaceName", "dev", "A team's name in its organisation."),
    ("robot", "NamespaceName", "ci", "A robot's own name in its organisation."),
    ("namespace", "NamespaceName", "acme", "A namespace's name."),
    ("name", "RepositoryName", "acme/app", "A repository's whole name, with its slashes as they are or as %2F."),
    ("subject", "GrantSubject", "user:bob", "Who holds a grant."),
    (
        "digest",
        "Digest",
        "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        "A manifest's digest.",
    ),
    ("id", "", "tok_0192f0c8-0000-7000-8000-000000000000", "The id that the list, or whoever made it, was told."),
    ("secret", "", "berth_inv_0123456789", "The secret of an invitation."),
];

/// The headers of the conventions, the form of each if it has to have one, and what it does.
const HEADER_PARAMETERS: &[(&str, &str, &str)] = &[
    // What cannot be read there is as if it were not there.
    ("If-None-Match", "", "An `ETag` that was seen: 304 if it still is the one."),
    ("If-Match", ENTITY_TAGS, "The `ETag` of what was seen: 412 if it has changed since."),
    (
        "Idempotency-Key",
        "^[!-~]{1,255}$",
        "A random text of your own: the same request with it is carried out once, and answered alike for a day.",
    ),
];

/// One entity tag or several, or any.
const ENTITY_TAGS: &str = r#"^(?:\*|(?:W/)?"[!#-~]*"(?:, *(?:W/)?"[!#-~]*")*)$"#;

/// How a browser signs in.
const SESSION: &str = "What `POST /session` gives a browser; over https its name begins with `__Host-`. It counts only without \
    an `Authorization` header, and changes something only beside `X-CSRF-Token`, with the `csrf_token` of that answer, and for \
    a page of this origin.";

/// Every status that is no success, and when it is met.
const REFUSALS: &[(u16, &str)] = &[
    (400, "The request cannot be read."),
    (401, "Nobody signed in, or with what is wrong."),
    (403, "Seen, and not allowed."),
    (404, "Not there, or not for one's eyes."),
    (409, "What is there is in the way; `code` says how."),
    (412, "It is not as it was seen: the condition of the request does not hold."),
    (413, "The body is too large."),
    (422, "The content breaks rules; `errors` has all of them."),
    (429, "Too many wrong passwords came from there, or for this account; try again after `Retry-After`."),
    (500, "A fault of the server; its log has more under `request_id`."),
    (503, "Not at this moment; try again after `Retry-After`."),
];

/// Adds to the document of bodies and handlers what all of them share.
pub fn follow_conventions(document: &mut Value) {
    let refusals = REFUSALS.iter().map(|(status, description)| {
        let content = json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
        (status.to_string(), json!({ "description": description, "content": content }))
    });
    let schemes = json!({
        "password": { "type": "http", "scheme": "basic", "description": "A name with its password, or with an access token." },
        "token": { "type": "http", "scheme": "bearer", "description": "An access token." },
        "session": { "type": "apiKey", "in": "cookie", "name": "berth_session", "description": SESSION },
    });
    let mut paths = json!({});
    for (path, method, operation) in operations(document) {
        let mut item = at(&paths, path).clone();
        put(&mut item, method, by_convention(path, method, operation.clone()));
        put(&mut paths, path, item);
    }
    let mut components = at(document, "components").clone();
    name_entries(&mut components);
    put(&mut components, "responses", Value::Object(refusals.collect()));
    put(&mut components, "securitySchemes", schemes);
    put(document, "components", components);
    put(document, "paths", paths);
    put(document, "security", json!([{ "password": [] }, { "token": [] }, { "session": [] }]));
    put(document, "servers", json!([{ "url": "/api/v1" }]));
}

/// Says of pages of a list by name what their entries are.
fn name_entries(components: &mut Value) {
    let pages = components.pointer_mut("/schemas").and_then(Value::as_object_mut).into_iter().flatten();
    for (page, schema) in pages {
        let (Some(entry), Some(items)) = (page.strip_prefix("List_"), schema.pointer_mut("/properties/items")) else {
            continue;
        };
        put(items, "items", json!({ "$ref": format!("#/components/schemas/{entry}") }));
    }
}

/// The operation with what the conventions say of it.
fn by_convention(path: &str, method: &str, mut operation: Value) -> Value {
    let area = operation.pointer("/tags/0").and_then(Value::as_str).and_then(|tag| tag.rsplit("::").next());
    let area = area.unwrap_or_default().to_owned();
    let id = format!("{area}_{}", at(&operation, "operationId").as_str().unwrap_or_default());
    put(&mut operation, "operationId", json!(id));
    put(&mut operation, "tags", json!([area.replace('_', " ")]));
    let ways = match (path, method) {
        // Whoever begins a session shows what the body has; whoever is in one shows that.
        ("/session", "post") => json!([{}]),
        ("/session", _) => json!([{ "session": [] }]),
        _ if at(&operation, "security").is_array() => {
            json!([{}, { "password": [] }, { "token": [] }, { "session": [] }])
        }
        _ => Value::Null,
    };
    if !ways.is_null() {
        put(&mut operation, "security", ways);
    }
    let parameters = parameters(path, method, &operation);
    put(&mut operation, "parameters", Value::Array(parameters));
    let responses = responses(path, method, &operation);
    put(&mut operation, "responses", responses);
    operation
}

/// Those of the address, and then those of the query.
fn parameters(path: &str, method: &str, operation: &Value) -> Vec<Value> {
    let named = path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    let of_query = at(operation, "parameters").as_array().into_iter().flatten().cloned();
    let headers = match method {
        "get" => &["If-None-Match"][..],
        "post" => &["Idempotency-Key"],
        _ => &["If-Match"],
    };
    let headers = headers.iter().filter_map(|name| header_parameter(name));
    named.filter_map(|name| path_parameter(path, name)).chain(of_query).chain(headers).collect()
}

/// What it answers when all is well, and every refusal that it can meet.
fn responses(path: &str, method: &str, operation: &Value) -> Value {
    let mut responses = at(operation, "responses").clone();
    for (status, answer) in responses.as_object_mut().into_iter().flatten() {
        let is_list = answer.pointer("/content/application~1json/schema/$ref").and_then(Value::as_str);
        if is_list.is_some_and(|schema| schema.contains("/List_")) {
            put(answer, "headers", json!({ "Link": header("The next page, as `rel=\"next\"` (RFC 8288).") }));
        }
        put(answer, "description", json!(said(status)));
    }
    if method == "get" {
        put(&mut responses, "304", json!({ "description": "As it was when its `ETag` was sent." }));
    }
    for (status, _) in REFUSALS {
        let is_met = match status {
            404 => path.contains('{'),
            409 => method != "get",
            412 => matches!(method, "put" | "patch" | "delete"),
            413 => at(operation, "requestBody").is_object(),
            _ => true,
        };
        if is_met {
            let refusal = json!({ "$ref": format!("#/components/responses/{status}") });
            put(&mut responses, &status.to_string(), refusal);
        }
    }
    responses
}

fn header_parameter(name: &str) -> Option<Value> {
    let (_, pattern, description) = HEADER_PARAMETERS.iter().find(|(known, ..)| *known == name)?;
    let schema = match *pattern {
        "" => json!({ "type": "string" }),
        pattern => json!({ "type": "string", "pattern": pattern }),
    };
    Some(json!({ "name": name, "in": "header", "required": false, "description": description, "schema": schema }))
}

fn path_parameter(path: &str, name: &str) -> Option<Value> {
    // What grants are on stands in their own addresses under one word.
    let meant = match name {
        "on" if path.starts_with("/repositories") => "name",
        "on" => "namespace",
        other => other,
    };
    let (_, schema, example, description) = PATH_PARAMETERS.iter().find(|(known, ..)| *known == meant)?;
    let schema = match *schema {
        "" => json!({ "type": "string", "minLength": 1 }),
        schema => json!({ "$ref": format!("#/components/schemas/{schema}") }),
    };
    Some(json!({
        "name": name, "in": "path", "required": true, "description": description, "example": example, "schema": schema,
    }))
}

fn put(value: &mut Value, name: &str, member: Value) {
    match value {
        Value::Object(members) => drop(members.insert(name.to_owned(), member)),
        _ => *value = json!({ name: member }),
    }
}

fn header(description: &str) -> Value {
    json!({ "description": description, "schema": { "type": "string" } })
}

fn said(status: &str) -> &'static str {
    match status {
        "201" => "Made; `Location` says where.",
        "202" => "It stands, and is done when a registry answers.",
        "204" => "Done.",
        _ => "As it is now.",
    }
}
