//! Fields that a body does not have: refused, wherever they stand and whoever sends them, so that nobody sets what is not
//! theirs to set. OWASP API3:2023; CVE-2019-16097, CVE-2024-22278.

use crate::rest_tables::TABLES;
use crate::support::{Browser, Stack};
use reqwest::Method;
use serde_json::{Value, json};

/// What rows in a database and objects of other programs are made of, and no body here is.
const FIELDS: &[&str] = &[
    "id",
    "admin",
    "isAdmin",
    "has_admin_role",
    "owner_id",
    "owner",
    "org_id",
    "quota",
    "verified",
    "created_at",
    "deleted_at",
    "password_hash",
    "star_count",
    "__proto__",
    "Name",
];

/// (request, body with fields of its own inside).
const NESTED: &[(&str, &str)] = &[
    ("POST /user/tokens", r#"{"name":"x","limits":[{"namespace":"acme","role":"read","FIELD":1}]}"#),
    ("PUT /namespaces/acme/default-grants", r#"{"grants":[{"subject":"user:carol","role":"read","FIELD":1}]}"#),
];

async fn everything(browser: &Browser) -> Vec<Value> {
    let mut all = Vec::new();
    for path in ["/admin/users", "/orgs", "/namespaces", "/repositories", "/orgs/acme/robots", "/user/tokens"] {
        all.push(browser.get(path).await);
    }
    all
}

#[tokio::test]
async fn no_body_sets_more_than_it_has() {
    let stack = Stack::start_with(&[("INDEX_SIGNUP", "open"), ("INDEX_SIGN_UPS_PER_ADDRESS", "0")]).await;
    let admin = stack.admin();
    for name in ["alice", "bob", "carol"] {
        stack.user(name).await;
    }
    admin.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    admin.does(Method::POST, "/orgs/acme/teams", &json!({ "name": "dev" })).await;
    admin.does(Method::POST, "/orgs/acme/robots", &json!({ "name": "ci" })).await;
    admin.does(Method::PUT, "/repositories/acme/app", &json!({})).await;
    let browser = Browser::sign_in(&stack.host, "admin").await;
    let before = everything(&browser).await;
    // Not where the address itself cannot be read.
    let rows = TABLES.iter().copied().flatten().filter(|(.., statuses)| statuses[4] != 400);
    let rows = rows.map(|(request, body, ..)| (*request, *body)).filter(|(_, body)| body.starts_with('{'));
    let (mut tried, mut wrong) = (0, Vec::new());
    for field in FIELDS {
        let with_field = |body: &str| {
            let mut body: Value = serde_json::from_str(&body.replace("CALLER", "admin")).unwrap();
            body[*field] = json!(true);
            body
        };
        let plain = rows.clone().map(|(request, body)| (request, with_field(body), format!("/{field}")));
        let nested = NESTED.iter().map(|(request, body)| {
            let place = if body.contains("limits") { "limits" } else { "grants" };
            let body = serde_json::from_str(&body.replace("FIELD", field)).unwrap();
            (*request, body, format!("/{place}/0/{field}"))
        });
        for (request, body, place) in plain.chain(nested) {
            let (method, path) = request.split_once(' ').unwrap();
            let asked = browser.asks(&method.parse().unwrap(), &path.replace("CALLER", "admin"));
            let answer = asked.json(&body).send().await;
            let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let mut faults = problem["errors"].as_array().into_iter().flatten();
            if !faults.any(|fault| fault["code"] == "unknown" && fault["pointer"] == json!(place)) {
                wrong.push(format!("{request} {body}: {} {problem}", answer.status));
            }
            tried += 1;
        }
    }
    assert!(wrong.is_empty(), "{} are taken, or refused for something else:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > 500, "only {tried} were tried");
    assert_eq!(everything(&browser).await, before);
}
