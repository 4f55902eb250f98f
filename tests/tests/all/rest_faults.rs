//! What is wrong with the content of a request is said all at once, each with its place and a code.

use crate::support::{Stack, origin};
use reqwest::Method;
use serde_json::{Value, json};

/// (request, body, place and code of each fault, in any order). A place with a slash, or none, is in the body.
type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const FAULTS: &[Case] = &[
    (
        "POST /admin/users",
        r#"{"name":"Bad Name","password":7,"isAdmin":true}"#,
        &[("/name", "wrong_form"), ("/password", "wrong_type"), ("/isAdmin", "unknown")],
    ),
    ("POST /admin/users", "{}", &[("/name", "required"), ("/password", "required")]),
    ("POST /orgs", r#"{"name":"good","name":"better"}"#, &[("", "invalid")]),
    ("POST /orgs", "[]", &[("", "wrong_type")]),
    (
        "POST /user/tokens",
        r#"{"name":"","limits":[{"namespace":"Acme","role":"root"},{"role":"read","on":1}],"expires_at":"tomorrow"}"#,
        &[
            ("/name", "too_short"),
            ("/limits/0/namespace", "wrong_form"),
            ("/limits/0/role", "not_one_of"),
            ("/limits/1/on", "unknown"),
            ("/expires_at", "wrong_format"),
        ],
    ),
    (
        "POST /user/tokens",
        r#"{"name":" ","expires_at":"2020-01-01T00:00:00Z"}"#,
        &[("/name", "not_a_line"), ("/expires_at", "over")],
    ),
    ("POST /user/tokens/tok_x/rotate", r#"{"overlap_seconds":9999999}"#, &[("/overlap_seconds", "too_large")]),
    (
        "PUT /namespaces/admin/default-grants",
        r#"{"grants":[{"subject":"team:acme","role":"read"}]}"#,
        &[("/grants/0/subject", "wrong_form")],
    ),
    (
        "POST /orgs/acme/invitations",
        r#"{"role":"member","expires_at":"2999-01-01T00:00:00Z"}"#,
        &[("/expires_at", "invalid")],
    ),
    ("PATCH /repositories/admin/app", r#"{"visibility":"secret"}"#, &[("/visibility", "not_one_of")]),
    (
        "GET /repositories?limit=x&page=2&sort=stars&namespace=A",
        "",
        &[("limit", "wrong_type"), ("page", "unknown"), ("sort", "not_one_of"), ("namespace", "wrong_form")],
    ),
    ("GET /orgs?limit=1&limit=2", "", &[("limit", "repeated")]),
    ("GET /orgs?cursor=!", "", &[("cursor", "foreign_cursor")]),
    ("GET /repositories?sort=name,-name", "", &[("sort", "repeated")]),
    ("GET /repositories?sort=name&sort=-updated_at", "", &[("sort", "repeated")]),
    ("GET /repositories?sort=name,", "", &[("sort", "not_one_of")]),
    (
        "GET /repositories?namespace=a1&namespace=B&namespace=_",
        "",
        &[("namespace", "wrong_form"), ("namespace", "wrong_form")],
    ),
    (
        "GET /repositories?namespace=a&namespace=b&namespace=c&namespace=d&namespace=e&namespace=f&namespace=g&namespace=h\
            &namespace=i",
        "",
        &[("namespace", "too_many")],
    ),
    ("GET /admin/users?disabled=true&disabled=maybe", "", &[("disabled", "wrong_type")]),
    ("GET /repositories?sort=name,updated_at,-updated_at", "", &[("sort", "repeated")]),
    ("GET /orgs?fields=", "", &[("fields", "not_one_of")]),
    ("GET /orgs?fields=name&fields=display_name", "", &[("fields", "repeated")]),
];

#[tokio::test]
async fn all_that_is_wrong_is_said_at_once() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    admin.asks(Method::POST, "/api/v1/orgs").json(&json!({ "name": "acme" })).send().await.is(201);
    for (request, body, expected) in FAULTS {
        let (method, path) = request.split_once(' ').unwrap();
        let call = admin.asks(method.parse().unwrap(), &format!("/api/v1{path}"));
        let call = if body.is_empty() { call } else { call.header("Content-Type", "application/json") };
        let problem = call.body((*body).to_owned()).send().await.is(422).json();
        assert_eq!(problem["code"], "invalid", "{problem}");
        let mut found: Vec<_> = problem["errors"].as_array().unwrap().iter().map(place_and_code).collect();
        let mut expected: Vec<_> = expected.iter().map(|(at, code)| ((*at).to_owned(), (*code).to_owned())).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{request} {body}: {problem}");
    }
}

fn place_and_code(fault: &Value) -> (String, String) {
    let is_whole = |at: &Value| at.as_str().is_some_and(|at| at.is_empty() || at.starts_with('/'));
    assert_eq!(fault["pointer"].is_string(), fault["parameter"].is_null(), "{fault}");
    assert!(fault["pointer"].is_null() || is_whole(&fault["pointer"]), "{fault}");
    assert!(!fault["detail"].as_str().unwrap().is_empty());
    let at = fault["pointer"].as_str().or(fault["parameter"].as_str()).unwrap();
    (at.to_owned(), fault["code"].as_str().unwrap().to_owned())
}

/// What somebody would like to set who is not asked.
const WISHES: &[&str] = &[
    "is_admin",
    "isAdmin",
    "admin",
    "is_auditor",
    "role",
    "id",
    "owner_id",
    "ownerId",
    "org_id",
    "namespace_id",
    "quota",
    "verified",
    "official",
    "disabled",
    "created_at",
    "created_by",
    "password_hash",
    "secret",
    "__proto__",
];

#[tokio::test]
async fn no_body_sets_what_the_document_does_not_name() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    let document = stack.host.get("/api/v1/openapi.json").send().await.is(200).json();
    admin.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    let before = admin.does(Method::GET, "/admin/users", &Value::Null).await;
    let mut count = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let Some(schema) = schema.as_str() else { continue };
            let known = &document.pointer(schema.trim_start_matches('#')).unwrap()["properties"];
            let own = WISHES.iter().filter(|wish| known[**wish].is_null());
            let body: Value = own.clone().map(|wish| ((*wish).to_owned(), json!({ "is_admin": true }))).collect();
            let path =
                ["{org}", "{namespace}", "{on}"].iter().fold(path.clone(), |path, name| path.replace(name, "acme"));
            let path = path.replace("{name}", "acme/app").replace("{subject}", "user:admin").replace("{user}", "admin");
            let path = path.replace("{team}", "dev").replace("{robot}", "ci").replace("{id}", "none");
            let call = admin.asks(method.to_uppercase().parse().unwrap(), &format!("/api/v1{path}")).json(&body);
            // A sign-in is for pages of ours alone.
            let answer = call.header("Origin", origin(&stack.host)).send().await;
            let what = format!("{method} {path}: {}", answer.text());
            let problem = answer.is(422).json();
            let faults: Vec<_> = problem["errors"].as_array().unwrap().iter().map(place_and_code).collect();
            for wish in own {
                assert!(faults.contains(&(format!("/{wish}"), "unknown".to_owned())), "{wish}: {what}");
            }
            count += 1;
        }
    }
    assert!(count > 20, "only {count} operations have a body");
    assert_eq!(admin.does(Method::GET, "/admin/users", &Value::Null).await, before);
}

#[tokio::test]
async fn a_query_of_very_many_values_is_refused_in_few_words() {
    let host = &Stack::start().await.host;
    let many = 5_000;
    for query in ["x&".repeat(many), "limit=1&".repeat(many), format!("fields={}", ",".repeat(many))] {
        let answer = host.get(&format!("/api/v1/repositories?{query}")).send().await.is(422);
        assert_eq!(answer.json()["errors"][0]["code"], "too_many");
        assert!(answer.body.len() < 1000, "{}", answer.text());
    }
    let names = "namespace=Wrong&".repeat(50);
    host.get(&format!("/api/v1/repositories?{names}limit=1")).send().await.is(422);
}

#[tokio::test]
async fn a_fault_says_what_to_do() {
    let admin = Stack::start().await.admin();
    for (path, body, sentence) in [
        ("/orgs", json!({ "name": "Acme" }), "name: lower-case letters and digits, joined by `.`, `_`, `__` or `-`"),
        ("/orgs", json!({ "name": "acme", "title": "" }), "there is no title here; there is display_name, name"),
        ("/orgs", json!({}), "name is needed"),
        ("/user/tokens", json!({ "name": "x", "limits": [] }), "limits has at least 1 entries, or is left out"),
    ] {
        let answer = admin.asks(Method::POST, &format!("/api/v1{path}")).json(&body).send().await.is(422);
        assert_eq!(answer.json()["detail"], sentence);
    }
    let answer = admin.asks(Method::GET, "/api/v1/orgs?page=2").send().await.is(422);
    assert_eq!(answer.json()["detail"], "there is no page here; there is count, cursor, fields, limit, q");
}
