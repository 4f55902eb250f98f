//! Asking changes nothing: no GET and no HEAD of any route, whatever is sent along that some frameworks take for another
//! method. RFC 9110, section 9.2.1.

use crate::rest_tables::TABLES;
use crate::support::{Browser, Stack};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What makes another method of a request, somewhere.
const OVERRIDES: &[(&str, &str)] = &[
    ("", ""),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-HTTP-Method", "DELETE"),
    ("X-Method-Override", "PATCH"),
    ("X-Original-Method", "DELETE"),
];

/// Every address of the API that the tables have, whichever method they ask for.
fn addresses() -> BTreeSet<String> {
    let requests = TABLES.iter().copied().flatten().map(|(request, ..)| request.split_once(' ').unwrap().1);
    requests.map(|path| path.replace("CALLER", "alice")).collect()
}

/// All that can be seen, by address; without what tells of looking itself.
async fn seen(browser: &Browser, addresses: &BTreeSet<String>) -> BTreeMap<String, (u16, Value)> {
    let mut all = BTreeMap::new();
    for path in addresses {
        let answer = browser.sends(&Method::GET, path).send().await;
        let mut body = serde_json::from_slice(&answer.body).unwrap_or_default();
        forget_uses(&mut body);
        all.insert(path.clone(), (answer.status, body));
    }
    all
}

fn forget_uses(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for name in ["last_used_at", "last_used_from", "request_id", "csrf_token"] {
                fields.remove(name);
            }
            fields.values_mut().for_each(forget_uses);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_uses),
        _ => {}
    }
}

#[tokio::test]
async fn no_get_and_no_head_of_any_route_changes_anything() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    for name in ["alice", "bob", "carol"] {
        stack.user(name).await;
    }
    admin.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    admin.does(Method::PUT, "/orgs/acme/members/alice", &json!({ "role": "member" })).await;
    admin.does(Method::POST, "/orgs/acme/teams", &json!({ "name": "dev" })).await;
    admin.does(Method::POST, "/orgs/acme/robots", &json!({ "name": "ci" })).await;
    let invited = admin.does(Method::POST, "/orgs/acme/invitations", &json!({ "role": "member" })).await;
    admin.does(Method::POST, "/user/tokens", &json!({ "name": "laptop" })).await;
    admin.repository("acme/app").await.push_image("v1", "layer").await;
    admin.does(Method::PUT, "/repositories/acme/public", &json!({ "visibility": "public" })).await;
    admin.does(Method::PUT, "/repositories/acme/gone", &json!({})).await;
    admin.does(Method::DELETE, "/repositories/acme/gone", &Value::Null).await;
    let browser = Browser::sign_in(&stack.host, "admin").await;
    let mut addresses = addresses();
    let secret = invited["secret"].as_str().unwrap();
    addresses.extend(["", "/accept", "/decline"].map(|verb| format!("/invitations/{secret}{verb}")));
    addresses.insert("/namespaces/acme/deleted".to_owned());
    let before = seen(&browser, &addresses).await;
    assert!(before.values().filter(|(status, _)| *status == 200).count() > 30, "little is seen");

    for path in &addresses {
        for (header, value) in OVERRIDES {
            for method in [Method::GET, Method::HEAD] {
                // As a page of ours sends it, with all that a change needs.
                let request = browser.asks(&method, path);
                let request = if header.is_empty() { request } else { request.header(header, *value) };
                let answer = request.header("Content-Type", "application/json").body("{}").send().await;
                assert!(answer.status < 500 && answer.status != 201, "{}: {}", answer.what, answer.status);
            }
        }
        let sign = if path.contains('?') { '&' } else { '?' };
        browser.asks(&Method::GET, &format!("{path}{sign}_method=DELETE")).send().await;
        // Nor does a POST become what it may not be.
        let posted = browser.sends(&Method::POST, path).header("X-HTTP-Method-Override", "DELETE");
        let answer = posted.body("_method=DELETE").send().await;
        assert!(answer.status >= 400, "{}: {}", answer.what, answer.status);
    }
    // Asking for a token makes nothing of what it names; nor does a look into it at the registry.
    for name in ["acme/never", "alice/never", "never"] {
        let repository = admin.repository(name).await;
        for path in ["manifests/v1", "tags/list", "blobs/uploads/00000000-0000-4000-8000-000000000000"] {
            repository.get(path).send().await.is(404);
            repository.head(path).send().await.is(404);
        }
    }
    let after = seen(&browser, &addresses).await;
    for (path, answer) in &before {
        assert_eq!(after[path], *answer, "{path}");
    }
}
