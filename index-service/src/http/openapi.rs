//! `/api/v1/openapi.json`: the document of the REST API, made from the bodies and handlers themselves. What every operation
//! shares, by the conventions of the API, is added here once.

use super::contract::operations;
use super::problem::Problem;
use crate::model::account::AccountSort;
use crate::model::repository::RepositorySort;
use actix_web::HttpResponse;
use serde_json::{Value, json};
use std::sync::LazyLock;
use utoipa::OpenApi;

/// What the handlers say of themselves.
#[derive(OpenApi)]
#[openapi(
    info(title = "Berth", description = "Accounts, organisations, grants and repositories of a Berth instance."),
    components(schemas(Problem, RepositorySort, AccountSort)),
    paths(
        super::teams::list,
        super::teams::create,
        super::teams::show,
        super::teams::change,
        super::teams::delete,
        super::teams::list_members,
        super::teams::put_member,
        super::teams::delete_member,
        super::teams::list_grants,
        super::robots::list,
        super::robots::create,
        super::robots::show,
        super::robots::change,
        super::robots::rotate,
        super::robots::delete,
        super::access_tokens::list,
        super::access_tokens::create,
        super::access_tokens::show,
        super::access_tokens::rotate,
        super::access_tokens::delete,
        super::user::show,
        super::user::change_password,
        super::admin_users::list,
        super::admin_users::create,
        super::admin_users::show,
        super::admin_users::change,
        super::organisations::list,
        super::organisations::create,
        super::organisations::show,
        super::organisations::change,
        super::organisations::delete,
        super::members::list,
        super::members::put,
        super::members::delete,
        super::namespaces::list,
        super::namespaces::show,
        super::namespaces::change,
        super::default_grants::show,
        super::default_grants::put,
        super::grants::list_of_namespace,
        super::grants::put_on_namespace,
        super::grants::delete_on_namespace,
        super::grants::list_of_repository,
        super::grants::put_on_repository,
        super::grants::delete_on_repository,
        super::repositories::list,
        super::repositories::put,
        super::repositories::show,
        super::repositories::change,
        super::explain::show,
        super::content::tags,
        super::content::manifest,
        super::moves::delete,
        super::moves::restore,
        super::moves::purge,
        super::moves::rename,
        super::moves::list_deleted,
        super::invitations::list,
        super::invitations::create,
        super::invitations::show,
        super::invitations::revoke,
        super::invitations::offer,
        super::invitations::accept,
        super::invitations::decline,
        super::session::create,
        super::session::show,
        super::session::delete,
        super::session::list,
        super::session::delete_one,
        super::session::delete_all,
        super::sign_up::create,
        super::organisation_moves::rename,
        super::collaborators::list,
        super::networks::show,
        super::networks::put,
        super::access_tokens::change,
        super::decisions::show,
        super::admin_users::reset_password,
    )
)]
struct Described;

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

/// The headers of the conventions, and what each does.
const HEADER_PARAMETERS: &[(&str, &str)] = &[
    ("If-None-Match", "An `ETag` that was seen: 304 if it still is the one."),
    ("If-Match", "The `ETag` of what was seen: 412 if it has changed since."),
    (
        "Idempotency-Key",
        "A random text of your own: the same request with it is carried out once, and answered alike for a day.",
    ),
];

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

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = serde_json::to_value(Described::openapi()).unwrap_or_default();
    follow_conventions(&mut document);
    document
});

/// The document.
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// `GET /openapi.json`, for anybody.
pub async fn show() -> HttpResponse {
    HttpResponse::Ok().json(document())
}

fn follow_conventions(document: &mut Value) {
    let refusals = REFUSALS.iter().map(|(status, description)| {
        let content = json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
        (status.to_string(), json!({ "description": description, "content": content }))
    });
    let schemes = json!({
        "password": { "type": "http", "scheme": "basic", "description": "A name with its password, or with an access token." },
        "token": { "type": "http", "scheme": "bearer", "description": "An access token." },
    });
    let mut paths = json!({});
    for (path, method, operation) in operations(document) {
        let mut item = at(&paths, path).clone();
        put(&mut item, method, by_convention(path, method, operation.clone()));
        put(&mut paths, path, item);
    }
    let mut components = at(document, "components").clone();
    put(&mut components, "responses", Value::Object(refusals.collect()));
    put(&mut components, "securitySchemes", schemes);
    put(document, "components", components);
    put(document, "paths", paths);
    put(document, "security", json!([{ "password": [] }, { "token": [] }]));
    put(document, "servers", json!([{ "url": "/api/v1" }]));
}

/// The operation with what the conventions say of it.
fn by_convention(path: &str, method: &str, mut operation: Value) -> Value {
    let area = operation.pointer("/tags/0").and_then(Value::as_str).and_then(|tag| tag.rsplit("::").next());
    let area = area.unwrap_or_default().to_owned();
    let id = format!("{area}_{}", at(&operation, "operationId").as_str().unwrap_or_default());
    put(&mut operation, "operationId", json!(id));
    put(&mut operation, "tags", json!([area.replace('_', " ")]));
    if at(&operation, "security").is_array() {
        put(&mut operation, "security", json!([{}, { "password": [] }, { "token": [] }]));
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
    let (_, description) = HEADER_PARAMETERS.iter().find(|(known, _)| *known == name)?;
    let schema = json!({ "type": "string" });
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

/// A member of an object; null, if there is none.
pub fn at<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
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
