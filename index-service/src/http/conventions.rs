//! What every operation of the REST API shares, by its conventions, added once to the document of bodies and handlers: the
//! words of addresses, headers, refusals, and how to sign in.

use super::contract::operations;
use super::openapi::at;
use super::query::FIELDS;
use serde_json::{Map, Value, json};

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

/// A header of the conventions: its name, the form that it has to have, if any, and what it does.
struct Header(&'static str, &'static str, &'static str);

/// What cannot be read there is as if it were not there.
const UNCHANGED: Header = Header("If-None-Match", "", "An `ETag` that was seen: 304 if it still is the one.");

const NOTHING_YET: Header =
    Header("If-None-Match", r"^\*$", "`*` makes it only if there is nothing yet: 412 if there is.");

const SEEN: Header = Header("If-Match", ENTITY_TAGS, "The `ETag` of what was seen: 412 if it has changed since.");

const SEEN_WHOLE: Header = Header(
    "If-Match",
    ENTITY_TAGS,
    "The `ETag` of what was seen, which is replaced as a whole: 412 if it has changed since. `*` replaces whatever is there.",
);

const ONCE: Header = Header(
    "Idempotency-Key",
    "^[!-~]{1,255}$",
    "A random text of your own: the same request with it is carried out once, and answered alike for a day.",
);

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
    (410, "An invitation that was good once, and is over."),
    (412, "It is not as it was seen: the condition of the request does not hold."),
    (413, "The body is too large."),
    (422, "The content breaks rules; `errors` has all of them."),
    (428, "This replaces the whole: GET it first, and send its `ETag` as `If-Match`."),
    (
        429,
        "Too many wrong passwords came from there, or for this account, or too many sign-ups; try again after `Retry-After`.",
    ),
    (500, "A fault of the server; its log has more under `request_id`."),
    (503, "Not at this moment; try again after `Retry-After`."),
];

/// Headers of refusals that end by themselves: the status, the name, and what it says.
const WAITING: &[(u16, &str, &str)] = &[
    (429, "Retry-After", "After so many seconds."),
    (429, "RateLimit-Policy", "How much (`q`) in how many seconds (`w`), of what was too much."),
    (429, "RateLimit", "How much is left (`r`), and in how many seconds there is more (`t`)."),
    (503, "Retry-After", "After so many seconds."),
];

/// Adds to the document of bodies and handlers what all of them share.
pub fn follow_conventions(document: &mut Value) {
    let refusals = REFUSALS.iter().map(|(status, description)| {
        let content = json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
        let mut refusal = json!({ "description": description, "content": content });
        let headers = WAITING.iter().filter(|(of, ..)| of == status);
        let headers: Map<_, _> = headers.map(|(_, name, about)| ((*name).to_owned(), header(about))).collect();
        if !headers.is_empty() {
            put(&mut refusal, "headers", Value::Object(headers));
        }
        (status.to_string(), refusal)
    });
    let schemes = json!({
        "password": { "type": "http", "scheme": "basic", "description": "A name with its password, or with an access token." },
        "token": { "type": "http", "scheme": "bearer", "description": "An access token." },
        "session": { "type": "apiKey", "in": "cookie", "name": "berth_session", "description": SESSION },
    });
    let mut paths = json!({});
    for (path, method, operation) in operations(document) {
        let mut item = at(&paths, path).clone();
        let is_shown = !at(at(at(document, "paths"), path), "get").is_null();
        let fields = if method == "get" { fields_of(document, operation) } else { Vec::new() };
        put(&mut item, method, by_convention(path, method, is_shown, &fields, operation.clone()));
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

/// The members of what an operation shows, or of an entry of the list that it shows.
fn fields_of<'a>(document: &'a Value, operation: &Value) -> Vec<&'a str> {
    let shown = operation.pointer("/responses/200/content/application~1json/schema/$ref").and_then(Value::as_str);
    let name = shown.and_then(|shown| shown.rsplit('/').next()).unwrap_or_default();
    let entry = name.strip_prefix("List_").unwrap_or(name);
    let members = document.pointer(&format!("/components/schemas/{entry}/properties")).and_then(Value::as_object);
    members.into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

/// The operation with what the conventions say of it; a GET may show what is at its address, with these fields.
fn by_convention(path: &str, method: &str, is_shown: bool, fields: &[&str], mut operation: Value) -> Value {
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
    let mut parameters = parameters(path, method, is_shown, &operation);
    if !fields.is_empty() {
        parameters.push(json!({
            "name": FIELDS, "in": "query", "required": false, "style": "form", "explode": false,
            "description": "Only these members of what is shown, or of each entry of a list, with commas between.",
            "schema": { "type": "array", "items": { "type": "string", "enum": fields } },
        }));
    }
    put(&mut operation, "parameters", Value::Array(parameters));
    let responses = responses(path, method, &operation);
    put(&mut operation, "responses", responses);
    operation
}

/// Those of the address, and then those of the query.
fn parameters(path: &str, method: &str, is_shown: bool, operation: &Value) -> Vec<Value> {
    let named = path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    let of_query = at(operation, "parameters").as_array().into_iter().flatten().cloned();
    let answers = |status| !at(at(operation, "responses"), status).is_null();
    let headers: &[(Header, bool)] = match method {
        "get" => &[(UNCHANGED, false)],
        // The key of a request is one of its caller's, and here one may be nobody.
        "post" if is_open(operation) => &[],
        "post" => &[(ONCE, false)],
        "put" if answers("428") => &[(SEEN_WHOLE, true)],
        "put" if is_shown && answers("201") => &[(SEEN, false), (NOTHING_YET, false)],
        _ => &[(SEEN, false)],
    };
    let headers = headers.iter().map(|(header, is_needed)| header_parameter(header, *is_needed));
    named.filter_map(|name| path_parameter(path, name)).chain(of_query).chain(headers).collect()
}

/// Whether nobody has to sign in for it.
pub fn is_open(operation: &Value) -> bool {
    at(operation, "security").as_array().is_some_and(|ways| ways.contains(&json!({})))
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
    let takes_invitation = path.starts_with("/invitations/") || (path, method) == ("/users", "post");
    for (status, _) in REFUSALS {
        let is_met = match status {
            404 => path.contains('{') || takes_invitation,
            // A body that is not looked at belongs to the request all the same, where that is kept or tried again.
            409 | 413 => method != "get",
            410 => takes_invitation,
            412 => matches!(method, "put" | "patch" | "delete"),
            428 => !at(at(operation, "responses"), "428").is_null(),
            _ => true,
        };
        if is_met {
            let refusal = json!({ "$ref": format!("#/components/responses/{status}") });
            put(&mut responses, &status.to_string(), refusal);
        }
    }
    responses
}

fn header_parameter(Header(name, pattern, description): &Header, is_needed: bool) -> Value {
    let schema = match *pattern {
        "" => json!({ "type": "string" }),
        pattern => json!({ "type": "string", "pattern": pattern }),
    };
    json!({ "name": name, "in": "header", "required": is_needed, "description": description, "schema": schema })
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
