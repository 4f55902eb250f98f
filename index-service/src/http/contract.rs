//! Holds requests to what the document of the API says of them, and names all that is wrong at once.
//!
//! Must not know any rule itself: what the document does not say is checked where it is decided. How a query is read is
//! `query.rs`.

use super::bodies::whole;
use super::error::Failure;
use super::json::MAX_BODY;
use super::openapi::{at, document};
use super::query::Query;
use crate::model::Fault;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::Method;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{ValidationError, Validator};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::LazyLock;
use utoipa::ToSchema;

/// A request's body, as JSON that keeps what the document says of it.
pub struct Body<T>(pub T);

/// The rules of every documented schema by name, and of every operation's query by method and path.
struct Contract {
    bodies: HashMap<String, Validator>,
    queries: HashMap<String, Query>,
}

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::of(document()));

impl Contract {
    fn of(document: &Value) -> Self {
        let components = at(document, "components");
        let rules = |mut schema: Value| {
            schema.as_object_mut()?.insert("components".to_owned(), components.clone());
            let rules = jsonschema::options().should_validate_formats(true).build(&schema);
            rules.inspect_err(|error| tracing::error!("a schema of the document is none: {error}")).ok()
        };
        let names = at(components, "schemas").as_object().into_iter().flatten().map(|(name, _)| name);
        let body =
            |name: &String| Some((name.clone(), rules(json!({ "$ref": format!("#/components/schemas/{name}") }))?));
        let mut queries = HashMap::new();
        for (path, method, operation) in operations(document) {
            if let Some(query) = Query::of(operation, rules) {
                queries.insert(format!("{} {path}", method.to_uppercase()), query);
            }
        }
        Self { bodies: names.filter_map(body).collect(), queries }
    }
}

/// Path, method and content of every operation.
pub fn operations(document: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    let paths = at(document, "paths").as_object().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        item.as_object().into_iter().flatten().map(move |(method, operation)| (path, method, operation))
    })
}

/// Whether a GET shows what is at the address of a request.
pub fn is_shown(request: &ServiceRequest) -> bool {
    query_of(&Method::GET, request).is_some()
}

/// What the document says of the query of `method` at the address of a request.
pub fn query_of(method: &Method, request: &ServiceRequest) -> Option<&'static Query> {
    let path = without_rules(&request.match_pattern()?);
    CONTRACT.queries.get(&format!("{method} {}", path.trim_start_matches("/api/v1")))
}

/// `/x/{name:.+}/y` as the document has it: `/x/{name}/y`.
fn without_rules(pattern: &str) -> String {
    let mut pieces = pattern.split(':');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |path, piece| path + piece.find('}').and_then(|at| piece.get(at..)).unwrap_or_default())
}

impl<T: DeserializeOwned + ToSchema + 'static> FromRequest for Body<T> {
    type Error = Failure;
    type Future = LocalBoxFuture<'static, Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = request
            .mime_type()
            .ok()
            .flatten()
            .is_some_and(|mime| mime.subtype() == "json" || mime.suffix().is_some_and(|suffix| suffix == "json"));
        let payload = web::Payload::from_request(request, payload);
        Box::pin(async move {
            let payload = payload.await.map_err(|error| Failure::Malformed(error.to_string()))?;
            let bytes = whole(payload, MAX_BODY).await?;
            if !is_json {
                return Err(Failure::Malformed("send JSON as Content-Type: application/json".to_owned()));
            }
            let value = serde_json::from_slice(&bytes).map_err(|error| Failure::Malformed(error.to_string()))?;
            let faults = body_faults(&T::name(), &value);
            if !faults.is_empty() {
                return Err(Failure::Refused(faults.into()));
            }
            // What no schema can say, a name given twice among it.
            serde_json::from_slice(&bytes).map(Self).map_err(|error| Fault::at("", "invalid", error).into())
        })
    }
}

fn body_faults(schema: &str, value: &Value) -> Vec<Fault> {
    let Some(rules) = CONTRACT.bodies.get(schema) else { return Vec::new() };
    let described = rules.iter_errors(value).flat_map(|error| describe(&error));
    described.map(|(pointer, code, detail)| Fault::at(pointer, code, detail)).collect()
}

/// Where, which rule, and what to do.
pub fn describe(error: &ValidationError<'_>) -> Vec<(String, &'static str, String)> {
    let place = error.instance_path().to_string();
    // Of several values the name that they have together.
    let is_name = |part: &&str| part.contains(|sign: char| !sign.is_ascii_digit());
    let name = place.rsplit('/').find(is_name).unwrap_or("the body").to_owned();
    let below = |field: &str| format!("{place}/{}", field.replace('~', "~0").replace('/', "~1"));
    let one = |code, rule: String| vec![(place.clone(), code, rule)];
    match error.kind() {
        Kind::Required { property } => {
            let field = property.as_str().unwrap_or_default();
            vec![(below(field), "required", format!("{field} is needed"))]
        }
        Kind::AdditionalProperties { unexpected } => {
            let known = known_fields(error);
            unexpected.iter().map(|field| (below(field), "unknown", listed(field, &known))).collect()
        }
        // A value that may be left out is null or the thing itself: what is wrong with it as the thing is said.
        Kind::OneOfNotValid { context } | Kind::AnyOf { context } => {
            let thing = context.iter().find(|errors| !errors.iter().any(wants_null)).or(context.last());
            thing.into_iter().flatten().flat_map(describe).collect()
        }
        Kind::Type { .. } => one("wrong_type", format!("{name}: {}", error.masked_with("this"))),
        Kind::Enum { options } => one("not_one_of", format!("{name} is one of {options}")),
        Kind::Format { format } => one("wrong_format", format!("{name} has the form {format}")),
        Kind::Pattern { .. } => one("wrong_form", format!("{name}: {}", sentence(error))),
        Kind::MinLength { limit } => one("too_short", format!("{name} has at least {limit} characters")),
        Kind::MaxLength { limit } => one("too_long", format!("{name} has at most {limit} characters")),
        Kind::MinItems { limit } => one("too_few", format!("{name} has at least {limit} entries, or is left out")),
        Kind::MaxItems { limit } => one("too_many", format!("{name} has at most {limit} entries")),
        Kind::Minimum { limit } => one("too_small", format!("{name} is at least {limit}")),
        Kind::Maximum { limit } => one("too_large", format!("{name} is at most {limit}")),
        _ => one("invalid", format!("{name}: {}", error.masked_with("this"))),
    }
}

/// Whether the broken rule is that of being left out.
fn wants_null(error: &ValidationError<'_>) -> bool {
    schema_of(error).is_some_and(|schema| at(schema, "type") == "null")
}

/// The schema that holds the broken rule.
fn schema_of<'a>(error: &ValidationError<'_>) -> Option<&'a Value> {
    let location = error.schema_path().to_string();
    let (schema, _) = location.rsplit_once('/')?;
    document().pointer(schema)
}

/// What the document says in words of the broken rule.
fn sentence(error: &ValidationError<'_>) -> String {
    let words = schema_of(error).and_then(|schema| at(schema, "description").as_str());
    words.map_or_else(|| error.masked_with("this").to_string(), str::to_owned)
}

fn known_fields<'a>(error: &ValidationError<'_>) -> Vec<&'a str> {
    let fields = schema_of(error).and_then(|schema| at(schema, "properties").as_object());
    fields.into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

/// That there is no such name, and which there are.
pub fn listed(name: &str, known: &[&str]) -> String {
    match known {
        [] => format!("there is no {name} here, nor anything else"),
        known => format!("there is no {name} here; there is {}", known.join(", ")),
    }
}
