//! The document of the REST API: it has every route, and it is the one that lies in `docs/`.

use crate::rest_tables::TABLES;
use crate::support::Stack;
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// With this variable set, the test writes the file that it else compares with.
const REFRESH: &str = "BERTH_REFRESH_DOCS";

fn checked_in() -> PathBuf {
    root().join("docs/openapi.json")
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

async fn served() -> Value {
    let stack = Stack::start().await;
    stack.host.get("/api/v1/openapi.json").send().await.is(200).json()
}

#[tokio::test]
async fn the_document_in_the_repository_is_the_one_that_is_served() {
    let served = served().await;
    if std::env::var_os(REFRESH).is_some() {
        fs::write(checked_in(), serde_json::to_string_pretty(&served).unwrap() + "\n").unwrap();
    }
    let ours: Value = serde_json::from_str(&fs::read_to_string(checked_in()).unwrap_or_default()).unwrap_or_default();
    assert!(
        ours == served,
        "docs/openapi.json is not what is served; refresh it: {REFRESH}=1 cargo test -p tests openapi"
    );
}

#[tokio::test]
async fn the_document_is_the_same_in_yaml() {
    let stack = Stack::start().await;
    let answer = stack.host.get("/api/v1/openapi.yaml").send().await.is(200);
    assert_eq!(answer.header("content-type"), "application/yaml");
    let documents = Yaml::load_from_str(str::from_utf8(&answer.body).unwrap()).unwrap();
    assert_eq!(documents.len(), 1);
    assert_eq!(as_json(&documents[0]), served().await);
}

fn as_json(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::FloatingPoint(number)) => json!(number.into_inner()),
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Sequence(items) => items.iter().map(as_json).collect(),
        Yaml::Mapping(members) => {
            members.iter().map(|(name, value)| (name.as_str().unwrap().to_owned(), as_json(value))).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// Method and path of every operation: `get /orgs/{org}`.
fn operations(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| format!("{method} {path}")))
        .collect()
}

/// The routes of the page that has them all, below `/api/v1`.
fn routes() -> BTreeSet<String> {
    let page = fs::read_to_string(root().join("index-service/src/http/mod.rs")).unwrap();
    let (_, below) = page.split_once("fn people(").unwrap();
    let resources = below.split("(\"/").skip(1);
    resources
        .flat_map(|resource| {
            let (path, routes) = resource.split_once('"').unwrap();
            let path = path.replace(":.+}", "}");
            let methods = ["get", "put", "post", "patch", "delete"].into_iter();
            let offered = methods.filter(move |method| routes.contains(&format!("route({method}()")));
            offered.map(move |method| format!("{method} /{path}"))
        })
        .collect()
}

#[tokio::test]
async fn every_route_is_in_the_document_and_nothing_else() {
    let (operations, routes) = (operations(&served().await), routes());
    assert!(routes.len() > 50, "the page of routes is not read: {routes:?}");
    assert_eq!(operations, routes);
}

#[tokio::test]
async fn every_operation_of_the_document_has_a_row_in_the_table_of_rights() {
    let document = served().await;
    let mut bare = operations(&document);
    for (request, ..) in TABLES.iter().copied().flatten() {
        let (method, address) = request.split_once(' ').unwrap();
        let path = address.split('?').next().unwrap();
        let fits = |operation: &String| {
            let (known, template) = operation.split_once(' ').unwrap();
            method.eq_ignore_ascii_case(known) && is_of(path, template)
        };
        bare.retain(|operation| !fits(operation));
    }
    assert!(bare.is_empty(), "no row: {bare:?}");
}

/// Whether `path` is of a template; a repository's name and a grant's subject have slashes.
pub fn is_of(path: &str, template: &str) -> bool {
    let Some((before, rest)) = template.split_once('{') else { return path == template };
    let (name, after) = rest.split_once('}').unwrap();
    let Some(path) = path.strip_prefix(before) else { return false };
    let has_slashes = name == "subject" || template.starts_with("/repositories/{");
    (1..=path.len()).filter(|end| path.is_char_boundary(*end)).any(|end| {
        let (value, path) = path.split_at(end);
        (has_slashes && !value.contains("/-/") || !value.contains('/')) && is_of(path, after)
    })
}

#[tokio::test]
async fn every_operation_says_what_it_is_and_refuses_with_a_problem() {
    let document = served().await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let what = format!("{method} {path}");
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "twice: {operation}");
            assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{what}");
            let responses = operation["responses"].as_object().unwrap();
            for status in ["400", "401", "422", "500", "503"] {
                assert_eq!(responses[status]["$ref"], format!("#/components/responses/{status}"), "{what}");
            }
            assert!(responses.keys().any(|status| status.starts_with('2')), "{what}");
            let named: BTreeSet<_> = path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
            let parameters = operation["parameters"].as_array().unwrap().iter();
            let known: BTreeSet<_> = parameters
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| parameter["name"].as_str().unwrap())
                .collect();
            assert_eq!(known, named, "{what}");
        }
    }
}

#[tokio::test]
async fn the_page_has_every_operation_and_needs_nothing_from_elsewhere() {
    let stack = Stack::start().await;
    let document = stack.host.get("/api/v1/openapi.json").send().await.is(200).json();
    let answer = stack.host.get("/docs/api").send().await.is(200);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
    let page = String::from_utf8(answer.body.to_vec()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(page.contains(&format!("<code>{path}</code>")), "{path}");
        for operation in item.as_object().unwrap().values() {
            let summary = operation["summary"].as_str().unwrap().replace('&', "&amp;").replace('<', "&lt;");
            assert!(page.contains(&summary), "{path}: {summary}");
        }
    }
    for link in page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        let is_here = link.strip_prefix('#').is_some_and(|name| page.contains(&format!("id=\"{name}\"")));
        assert!(is_here || ["/api/v1/openapi.json", "/api/v1/openapi.yaml"].contains(&link), "{link}");
    }
    assert!(!page.contains("<script") && !page.contains("src="));
}
