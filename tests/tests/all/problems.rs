//! Problems (RFC 9457): every status is in the document, every code is one of a list there, and the `type` of each leads to
//! a page of this very instance that says what to do.

use crate::support::{Answer, PASSWORD, Stack, User};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// More than a body may have.
fn large() -> String {
    format!(r#"{{"name":"{}"}}"#, "x".repeat(70_000))
}

/// Holds that the document has this answer under this operation.
fn is_documented(document: &Value, operation: &str, answer: &Answer) {
    let (method, path) = operation.split_once(' ').unwrap();
    let documented = &document["paths"][path][method.to_lowercase()]["responses"][answer.status.to_string()];
    assert!(!documented.is_null(), "{operation} answers {}, which is not in the document", answer.status);
    let code = answer.json()["code"].clone();
    let codes = document["components"]["schemas"]["ProblemCode"]["enum"].as_array().unwrap();
    assert!(codes.contains(&code), "{code} is not in the document");
}

#[tokio::test]
async fn what_is_over_unknown_or_too_large_is_answered_as_the_document_says() {
    let stack = Stack::start_with(&[("INDEX_SIGNUP", "open"), ("INDEX_SIGN_UPS_PER_ADDRESS", "0")]).await;
    let (admin, bob) = (stack.admin(), stack.user("bob").await);
    let document = stack.host.get("/api/v1/openapi.json").send().await.is(200).json();
    admin.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    admin.does(Method::PUT, "/repositories/acme/app", &json!({})).await;
    let invited = admin.does(Method::POST, "/orgs/acme/invitations", &json!({ "role": "member" })).await;
    let over = invited["secret"].as_str().unwrap();
    bob.does(Method::POST, &format!("/invitations/{over}/accept"), &Value::Null).await;

    for (secret, status) in [(over, 410), ("berth_inv_none", 404)] {
        for (operation, method) in [
            ("GET /invitations/{secret}", Method::GET),
            ("POST /invitations/{secret}/accept", Method::POST),
            ("POST /invitations/{secret}/decline", Method::POST),
        ] {
            let path = operation.split_once(' ').unwrap().1.replace("{secret}", secret);
            let answer = bob.asks(method, &format!("/api/v1{path}")).send().await.is(status);
            is_documented(&document, operation, &answer);
        }
        let account = json!({ "name": "newcomer", "password": PASSWORD, "invitation": secret });
        let answer = stack.host.post("/api/v1/users").json(&account).send().await.is(status);
        is_documented(&document, "POST /users", &answer);
    }
    // A body that nobody looks at belongs to the request, where that is kept or tried again.
    for (operation, path, header) in [
        ("POST /repositories/{name}/-/restore", "/repositories/acme/app/-/restore", ("Idempotency-Key", "key")),
        ("POST /orgs", "/orgs", ("Idempotency-Key", "key")),
        ("POST /orgs", "/orgs", ("Accept", "*/*")),
        ("DELETE /repositories/{name}", "/repositories/acme/app", ("If-Match", "*")),
        ("PATCH /orgs/{org}", "/orgs/acme", ("If-Match", "*")),
    ] {
        let method = operation.split_once(' ').unwrap().0.parse().unwrap();
        let asked = admin.asks(method, &format!("/api/v1{path}")).header(header.0, header.1);
        let answer = asked.header("Content-Type", "application/json").body(large()).send().await.is(413);
        is_documented(&document, operation, &answer);
    }
    let blind = stack.host.request(Method::PUT, "/api/v1/namespaces/acme/networks").json(&json!({}));
    let blind = blind.basic("admin", PASSWORD).send().await.is(428);
    is_documented(&document, "PUT /namespaces/{namespace}/networks", &blind);
}

/// Requests of the administrator, of which each is refused for another reason.
const REFUSED: &[(&str, &str, &str)] = &[
    ("GET /orgs/none", "", "not_found"),
    ("GET /orgs?limit=x", "", "invalid"),
    ("POST /orgs", "no JSON", "malformed"),
    ("POST /orgs", r#"{"name":"admin"}"#, "name_unavailable"),
    ("PUT /orgs", "{}", "method_not_allowed"),
    ("PATCH /admin/users/admin", r#"{"is_admin":false}"#, "last_admin"),
    ("GET /session", "", "session_over"),
];

#[tokio::test]
async fn the_type_of_a_problem_leads_to_a_page_about_it() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    for (request, body, code) in REFUSED {
        let (method, path) = request.split_once(' ').unwrap();
        let asked = admin.asks(method.parse().unwrap(), &format!("/api/v1{path}"));
        let problem = asked.header("Content-Type", "application/json").body(*body).send().await.json();
        assert_eq!(problem["code"], *code, "{problem}");
        let url: reqwest::Url = problem["type"].as_str().unwrap().parse().unwrap();
        assert_eq!(url.path(), format!("/docs/errors/{code}"));
        let page = page(&stack, url.path()).await;
        for shown in [problem["code"].as_str(), problem["title"].as_str(), Some(&problem["status"].to_string())] {
            assert!(page.contains(shown.unwrap()), "{page} has no {shown:?}");
        }
    }
}

/// A page, as everybody is shown it.
async fn page(stack: &Stack, path: &str) -> String {
    let answer = stack.host.get(path).send().await.is(200);
    let other = stack.host.get("/docs/api").send().await.is(200);
    assert_eq!(answer.lasting_headers(), other.lasting_headers(), "{path}");
    let page = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("http://"), "{page}");
    page
}

#[tokio::test]
async fn every_code_of_the_document_has_its_page_and_nothing_else_has_one() {
    let stack = Stack::start().await;
    let document = stack.host.get("/api/v1/openapi.json").send().await.is(200).json();
    let code = &document["components"]["schemas"]["Problem"]["properties"]["code"];
    assert!(code.to_string().contains("#/components/schemas/ProblemCode"), "{code}");
    let codes = document["components"]["schemas"]["ProblemCode"]["enum"].as_array().unwrap();
    assert!(codes.len() > 30, "{codes:?}");
    let mut pages = BTreeSet::new();
    for code in codes.iter().map(|code| code.as_str().unwrap()) {
        let page = page(&stack, &format!("/docs/errors/{code}")).await;
        assert!(page.contains(&format!("<code>{code}</code>")), "{page}");
        assert!(pages.insert(page), "{code} has the page of another");
    }
    for code in ["none", "Not_found", "not_found/", "not%5Ffound%2F", "<script>", ""] {
        let answer = stack.host.get(&format!("/docs/errors/{code}")).send().await.is(404);
        assert!(!answer.text().contains("<script"), "{}", answer.text());
    }
    User::new(&stack.host, "").asks(Method::POST, "/docs/errors/not_found").send().await.is(405);
}
