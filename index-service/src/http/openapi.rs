//! `/api/v1/openapi.json` and `.yaml`: the document of the REST API, made from the bodies and handlers themselves.

use super::conventions::follow_conventions;
use super::problem::Problem;
use crate::model::account::AccountSort;
use crate::model::repository::RepositorySort;
use actix_web::HttpResponse;
use saphyr::{Scalar, ScalarStyle, Yaml, YamlEmitter};
use serde_json::Value;
use std::sync::LazyLock;
use utoipa::OpenApi;

/// What the handlers say of themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Berth",
        description = "Accounts, organisations, grants and repositories of a Berth instance. \
            Where there is a GET, HEAD is answered with the same status and headers, and without the body."
    ),
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

/// `GET /openapi.yaml`, for anybody: the same for who reads it with their own eyes (RFC 9512).
pub async fn show_yaml() -> HttpResponse {
    HttpResponse::Ok().content_type("application/yaml").body(YAML.as_str())
}

static YAML: LazyLock<String> = LazyLock::new(|| {
    let mut text = String::new();
    if let Err(error) = YamlEmitter::new(&mut text).dump(&yaml(document())) {
        tracing::error!("the document cannot be written as YAML: {error:?}");
    }
    text + "\n"
});

fn yaml(value: &Value) -> Yaml<'_> {
    match value {
        Value::Null => Yaml::Value(Scalar::Null),
        Value::Bool(value) => Yaml::Value(Scalar::Boolean(*value)),
        Value::Number(number) => Yaml::Representation(number.to_string().into(), ScalarStyle::Plain, None),
        Value::String(text) => Yaml::Value(Scalar::String(text.into())),
        Value::Array(items) => Yaml::Sequence(items.iter().map(yaml).collect()),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (Yaml::Value(Scalar::String(name.into())), yaml(value)));
            Yaml::Mapping(members.collect())
        }
    }
}

/// A member of an object; null, if there is none.
pub fn at<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}
