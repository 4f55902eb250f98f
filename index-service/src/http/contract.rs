//! Holds requests to what the document of the API says of them, and names all that is wrong at once.
//!
//! Must not know any rule itself: what the document does not say is checked where it is decided.

use super::bodies::whole;
use super::error::Failure;
use super::json::MAX_BODY;
use super::openapi::{at, document};
use crate::model::Fault;
use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{ValidationError, Validator};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
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

/// The query of one operation: the type of each parameter, and all rules.
struct Query {
    types: HashMap<String, String>,
    rules: Validator,
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
            let parameters = at(operation, "parameters").as_array().into_iter().flatten();
            let of_query: Map<_, _> = parameters
                .filter(|parameter| at(parameter, "in") == "query")
                .filter_map(|parameter| {
                    Some((at(parameter, "name").as_str()?.to_owned(), at(parameter, "schema").clone()))
                })
                .collect();
            let types = of_query.iter().map(|(name, schema)| (name.clone(), type_of(schema))).collect();
            let schema = json!({ "type": "object", "properties": of_query });
            if let Some(rules) = rules(schema) {
                queries.insert(format!("{} {path}", method.to_uppercase()), Query { types, rules });
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

/// The type of an optional parameter; a text, if it is not said.
fn type_of(schema: &Value) -> String {
    let types = match at(schema, "type") {
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    types.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or("string").to_owned()
}

impl Query {
    fn known(&self, name: &str) -> String {
        let mut names: Vec<_> = self.types.keys().map(String::as_str).collect();
        names.sort_unstable();
        listed(name, &names)
    }

    /// What is wrong with a query.
    fn faults(&self, text: &str) -> Vec<Fault> {
        let Ok(pairs) = serde_urlencoded::from_str::<Vec<(String, String)>>(text) else {
            return vec![Fault::of_parameter("", "unreadable", "the query is not name=value, joined by &")];
        };
        let (mut query, mut faults) = (Map::new(), Vec::new());
        for (name, text) in pairs {
            let value = match self.types.get(&name).map(String::as_str) {
                Some("integer" | "boolean") => text.parse().unwrap_or(Value::String(text)),
                Some(_) => Value::String(text),
                None => {
                    faults.push(Fault::of_parameter(&name, "unknown", self.known(&name)));
                    continue;
                }
            };
            if query.insert(name.clone(), value).is_some() {
                faults.push(Fault::of_parameter(&name, "repeated", format_args!("{name} stands there twice")));
            }
        }
        for error in self.rules.iter_errors(&Value::Object(query)) {
            faults.extend(
                describe(&error)
                    .into_iter()
                    .map(|(pointer, code, detail)| Fault::of_parameter(pointer.trim_start_matches('/'), code, detail)),
            );
        }
        faults
    }
}

/// Middleware: refuses queries that the document does not know.
pub async fn hold_query(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let query = query_of(request.method(), &request);
    let faults = query.map(|query| query.faults(request.query_string())).unwrap_or_default();
    if faults.is_empty() {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let failure = Failure::Refused(faults.into());
    Ok(request.error_response(failure).map_into_right_body())
}

/// Whether a GET shows what is at the address of a request.
pub fn is_shown(request: &ServiceRequest) -> bool {
    query_of(&Method::GET, request).is_some()
}

/// What the document says of the query of `method` at the address of a request.
fn query_of(method: &Method, request: &ServiceRequest) -> Option<&'static Query> {
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
fn describe(error: &ValidationError<'_>) -> Vec<(String, &'static str, String)> {
    let place = error.instance_path().to_string();
    let name = place.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("the body").to_owned();
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
fn listed(name: &str, known: &[&str]) -> String {
    match known {
        [] => format!("there is no {name} here, nor anything else"),
        known => format!("there is no {name} here; there is {}", known.join(", ")),
    }
}
