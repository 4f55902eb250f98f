//! Queries of the REST API: each parameter is read as the document says of it, and all that is wrong is named at once.
//!
//! A parameter that has several values is repeated for any of them; where their order counts, it has them between commas.
//! Must not know any one parameter but `fields`, which is the answer's and not the handler's, and `cursor`, which is read
//! here as it is written: for one address.

use super::contract::{describe, listed, query_of};
use super::error::Failure;
use super::json::foreign_cursor;
use super::openapi::at;
use crate::domain::Index;
use crate::model::Fault;
use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use jsonschema::Validator;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::future::{Ready, ready};

/// Parameters in a query at most, and values of one of them: what anybody may send costs little, and so does its answer.
const MOST: usize = 100;

/// The parameter of every GET that says which members an answer is to have.
pub const FIELDS: &str = "fields";

/// The parameter that leads to a page of a list.
const CURSOR: &str = "cursor";

/// The query of one operation: how each parameter is read, and all rules.
pub struct Query {
    forms: HashMap<String, Form>,
    rules: Validator,
}

/// How the text of a parameter becomes a value.
struct Form {
    is_text: bool,
    values: Values,
}

enum Values {
    One,
    /// The parameter is repeated for each.
    Repeated,
    /// Commas are between them.
    Listed,
}

/// What a request's query says, but for `fields`.
struct Read(Map<String, Value>);

/// The members that an answer is to have.
pub struct Fields(pub Vec<String>);

/// A request's query.
pub struct Asked<T>(pub T);

impl Query {
    /// What the document says of the query of `operation`; `rules` makes a schema's.
    pub fn of(operation: &Value, rules: impl Fn(Value) -> Option<Validator>) -> Option<Self> {
        let (mut forms, mut schemas) = (HashMap::new(), Map::new());
        let parameters = at(operation, "parameters").as_array().into_iter().flatten();
        for parameter in parameters.filter(|parameter| at(parameter, "in") == "query") {
            let name = at(parameter, "name").as_str()?.to_owned();
            forms.insert(name.clone(), Form::of(parameter));
            schemas.insert(name, at(parameter, "schema").clone());
        }
        Some(Self { forms, rules: rules(json!({ "type": "object", "properties": schemas }))? })
    }

    /// The values of a query, or what is wrong with it; `begin` says where the page begins that a cursor leads to.
    fn read(&self, text: &str, begin: impl Fn(&str) -> Option<String>) -> Result<Map<String, Value>, Vec<Fault>> {
        if text.split('&').nth(MOST).is_some() {
            return Err(vec![Fault::of_parameter(
                "",
                "too_many",
                format_args!("a query has at most {MOST} parameters"),
            )]);
        }
        let Ok(pairs) = serde_urlencoded::from_str::<Vec<(String, String)>>(text) else {
            return Err(vec![Fault::of_parameter("", "unreadable", "the query is not name=value, joined by &")]);
        };
        let (mut query, mut faults) = (Map::new(), Vec::new());
        for (name, text) in pairs {
            let Some(form) = self.forms.get(&name) else {
                faults.push(Fault::of_parameter(&name, "unknown", self.known(&name)));
                continue;
            };
            let text = if name == CURSOR { begin(&text) } else { Some(text) };
            let Some(text) = text else {
                faults.push(foreign_cursor());
                continue;
            };
            let value = match form.values {
                Values::One => form.value(&text),
                Values::Listed if text.split(',').nth(MOST).is_some() => {
                    faults.push(Fault::of_parameter(
                        &name,
                        "too_many",
                        format_args!("{name} has at most {MOST} values"),
                    ));
                    continue;
                }
                Values::Listed => text.split(',').map(|text| form.value(text)).collect(),
                Values::Repeated => {
                    let mut values = match query.remove(&name) {
                        Some(Value::Array(values)) => values,
                        _ => Vec::new(),
                    };
                    values.push(form.value(&text));
                    Value::Array(values)
                }
            };
            if query.insert(name.clone(), value).is_some() {
                faults.push(Fault::of_parameter(&name, "repeated", format_args!("{name} stands there twice")));
            }
        }
        let query = Value::Object(query);
        for (pointer, code, detail) in self.rules.iter_errors(&query).flat_map(|error| describe(&error)) {
            let name = pointer.split('/').nth(1).unwrap_or_default();
            faults.push(Fault::of_parameter(name, code, detail));
        }
        match query {
            Value::Object(query) if faults.is_empty() => Ok(query),
            _ => Err(faults),
        }
    }

    fn known(&self, name: &str) -> String {
        let mut names: Vec<_> = self.forms.keys().map(String::as_str).collect();
        names.sort_unstable();
        listed(name, &names)
    }
}

impl Form {
    fn of(parameter: &Value) -> Self {
        let schema = at(parameter, "schema");
        let (schema, values) = match type_of(schema) {
            "array" if at(parameter, "explode") == false => (at(schema, "items"), Values::Listed),
            "array" => (at(schema, "items"), Values::Repeated),
            _ => (schema, Values::One),
        };
        Self { is_text: !matches!(type_of(schema), "integer" | "boolean"), values }
    }

    /// What is no number or word of JSON stays a text, which the rules then refuse.
    fn value(&self, text: &str) -> Value {
        let word = if self.is_text { None } else { text.parse().ok() };
        word.unwrap_or_else(|| Value::String(text.to_owned()))
    }
}

/// The type of an optional parameter; a text, if it is not said.
fn type_of(schema: &Value) -> &str {
    let types = match at(schema, "type") {
        Value::Array(types) => types.as_slice(),
        one => std::slice::from_ref(one),
    };
    types.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or("string")
}

/// Middleware: reads queries, and refuses those that the document does not know.
pub async fn hold_query(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let index = request.app_data::<Data<Index>>();
    let begin = |cursor: &str| index?.cursors().text(request.path(), cursor);
    let read = query_of(request.method(), &request).map(|query| query.read(request.query_string(), begin));
    match read.unwrap_or_else(|| Ok(Map::new())) {
        Ok(mut query) => {
            let fields = query.remove(FIELDS).and_then(|fields| serde_json::from_value(fields).ok());
            if let Some(fields) = fields {
                request.extensions_mut().insert(Fields(fields));
            }
            request.extensions_mut().insert(Read(query));
            Ok(next.call(request).await?.map_into_left_body())
        }
        Err(faults) => Ok(request.error_response(Failure::Refused(faults.into())).map_into_right_body()),
    }
}

impl<T: DeserializeOwned> FromRequest for Asked<T> {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let query = request.extensions().get::<Read>().map(|read| read.0.clone()).unwrap_or_default();
        // What the type of a handler refuses and the document does not.
        let asked = serde_json::from_value(Value::Object(query));
        ready(asked.map(Self).map_err(|error| Fault::of_parameter("", "unreadable", error).into()))
    }
}
