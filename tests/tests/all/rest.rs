//! The REST API of the index: who may call each route, as a table; bodies that break a rule; errors as RFC 9457 has them.

use crate::support::{Answer, Stack, User};
use reqwest::Method;
use serde_json::{Value, json};

/// Who calls: nobody, a stranger, a member of `acme`, its owner, the administrator of the instance.
const CALLERS: [&str; 5] = ["", "mallory", "bob", "alice", "admin"];

/// (request, its body, what puts things back before each call, status for each caller). `CALLER` is the caller's name.
type Row = (&'static str, &'static str, &'static str, [u16; 5]);

const PEOPLE: &[Row] = &[
    ("GET /user", "", "", [401, 200, 200, 200, 200]),
    (
        "PUT /user/password",
        r#"{"old_password":"wrong password","new_password":"another one"}"#,
        "",
        [401, 400, 400, 400, 400],
    ),
    ("GET /admin/users", "", "", [401, 403, 403, 403, 200]),
    ("POST /admin/users", r#"{"name":"newcomer","password":"a long password"}"#, "", [401, 403, 403, 403, 201]),
    ("POST /admin/users", r#"{"name":"acme","password":"a long password"}"#, "", [401, 403, 403, 403, 409]),
    ("GET /admin/users/alice", "", "", [401, 403, 403, 403, 200]),
    ("GET /admin/users/nobody", "", "", [401, 403, 403, 403, 404]),
    ("PATCH /admin/users/carol", r#"{"disabled":false}"#, "", [401, 403, 403, 403, 200]),
    ("PATCH /admin/users/admin", r#"{"disabled":true}"#, "", [401, 403, 403, 403, 409]),
    ("PATCH /admin/users/admin", r#"{"is_admin":false}"#, "", [401, 403, 403, 403, 409]),
];

const ORGANISATIONS: &[Row] = &[
    ("GET /orgs", "", "", [200, 200, 200, 200, 200]),
    ("POST /orgs", r#"{"name":"of-CALLER"}"#, "", [401, 201, 201, 201, 201]),
    ("POST /orgs", r#"{"name":"acme"}"#, "", [401, 409, 409, 409, 409]),
    ("POST /orgs", r#"{"name":"carol"}"#, "", [401, 409, 409, 409, 409]),
    ("GET /orgs/acme", "", "", [404, 404, 200, 200, 200]),
    ("GET /orgs/alice", "", "", [404, 404, 404, 404, 404]),
    ("PATCH /orgs/acme", r#"{"display_name":"Acme"}"#, "", [401, 404, 403, 200, 200]),
    ("GET /orgs/acme/members", "", "", [401, 404, 200, 200, 200]),
    ("PUT /orgs/acme/members/carol", r#"{"role":"member"}"#, "", [401, 404, 403, 200, 200]),
    ("PUT /orgs/acme/members/nobody", r#"{"role":"member"}"#, "", [401, 404, 403, 404, 404]),
    ("PUT /orgs/acme/members/alice", r#"{"role":"member"}"#, "", [401, 404, 403, 409, 409]),
    (
        "DELETE /orgs/acme/members/carol",
        "",
        r#"PUT /orgs/acme/members/carol {"role":"member"}"#,
        [401, 404, 403, 204, 204],
    ),
    ("DELETE /orgs/acme/members/alice", "", "", [401, 404, 403, 409, 409]),
    ("DELETE /orgs/acme", "", "", [401, 404, 403, 409, 409]),
    ("GET /namespaces", "", "", [200, 200, 200, 200, 200]),
    ("GET /namespaces/acme", "", "", [404, 404, 200, 200, 200]),
    ("GET /namespaces/library", "", "", [404, 404, 404, 404, 200]),
    ("GET /namespaces/acme/deleted", "", "", [401, 404, 403, 200, 200]),
    ("GET /namespaces/acme/grants", "", "", [401, 404, 403, 200, 200]),
    ("PUT /namespaces/acme/grants/user:carol", r#"{"role":"read"}"#, "", [401, 404, 403, 200, 200]),
    ("PUT /namespaces/acme/grants/user:nobody", r#"{"role":"read"}"#, "", [401, 404, 403, 404, 404]),
    (
        "DELETE /namespaces/acme/grants/user:carol",
        "",
        r#"PUT /namespaces/acme/grants/user:carol {"role":"read"}"#,
        [401, 404, 403, 204, 204],
    ),
    ("DELETE /namespaces/acme/grants/user:nobody", "", "", [401, 404, 403, 404, 404]),
];

const REPOSITORIES: &[Row] = &[
    ("GET /repositories", "", "", [200, 200, 200, 200, 200]),
    ("GET /repositories/acme/app", "", "", [404, 404, 200, 200, 200]),
    ("GET /repositories/acme/public", "", "", [200, 200, 200, 200, 200]),
    ("PUT /repositories/acme/app", r#"{"description":"x"}"#, "", [401, 409, 403, 200, 200]),
    ("PUT /repositories/acme/of-CALLER", r#"{"visibility":"public"}"#, "", [401, 409, 409, 201, 201]),
    ("PATCH /repositories/acme/app", r#"{"description":"an app"}"#, "", [401, 404, 403, 200, 200]),
    ("PATCH /repositories/acme/public", r#"{"visibility":"public"}"#, "", [401, 403, 403, 200, 200]),
    ("PATCH /repositories/acme/app", r#"{"official":true}"#, "", [401, 404, 403, 403, 200]),
    ("GET /repositories/acme/app/-/tags", "", "", [404, 404, 200, 200, 200]),
    ("GET /repositories/acme/public/-/tags", "", "", [200, 200, 200, 200, 200]),
    ("GET /repositories/acme/app/-/manifests/sha256:bad", "", "", [400, 400, 400, 400, 400]),
    ("GET /repositories/acme/app/-/grants", "", "", [401, 404, 403, 200, 200]),
    ("GET /repositories/acme/public/-/grants", "", "", [401, 403, 403, 200, 200]),
    ("PUT /repositories/acme/app/-/grants/user:carol", r#"{"role":"admin"}"#, "", [401, 404, 403, 200, 200]),
    (
        "DELETE /repositories/acme/app/-/grants/user:carol",
        "",
        r#"PUT /repositories/acme/app/-/grants/user:carol {"role":"read"}"#,
        [401, 404, 403, 204, 204],
    ),
    ("GET /repositories/acme/app/-/nothing", "", "", [404, 404, 404, 404, 404]),
    ("POST /repositories/acme/app/-/restore", "", "", [401, 404, 404, 404, 404]),
    ("POST /repositories/acme/app/-/purge", "", "", [401, 403, 403, 403, 404]),
    ("POST /repositories/acme/app/-/rename", r#"{"name":"acme/public"}"#, "", [401, 404, 403, 409, 409]),
    ("POST /repositories/acme/app/-/rename", r#"{"name":"alice/app"}"#, "", [401, 404, 403, 400, 400]),
    ("POST /repositories/acme/of-alice/-/rename", r#"{"name":"acme/of-bob"}"#, "", [401, 403, 403, 200, 404]),
    ("POST /repositories/acme/of-bob/-/rename", r#"{"name":"acme/of-alice"}"#, "", [401, 403, 403, 200, 404]),
    ("DELETE /repositories/acme/public", "", "", [401, 403, 403, 204, 404]),
    ("DELETE /repositories/acme/of-CALLER", "", "", [401, 404, 404, 204, 204]),
    ("PUT /repositories/acme/public", "{}", "", [401, 409, 409, 409, 409]),
    ("POST /repositories/acme/public/-/purge", "", "", [401, 403, 403, 403, 204]),
    ("POST /repositories/acme/of-alice/-/restore", "", "", [401, 404, 403, 200, 404]),
];

#[tokio::test]
async fn people_are_run_by_administrators() {
    hold(PEOPLE).await;
}

#[tokio::test]
async fn organisations_are_run_by_their_owners() {
    hold(ORGANISATIONS).await;
}

#[tokio::test]
async fn repositories_are_run_by_who_administers_their_namespace() {
    hold(REPOSITORIES).await;
}

/// Holds every row of a table, against `acme` with its owner `alice`, its member `bob` and two repositories.
async fn hold(table: &[Row]) {
    let stack = Stack::start().await;
    for name in ["mallory", "bob", "alice", "carol"] {
        stack.user(name).await;
    }
    let alice = User::new(&stack.host, "alice");
    alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    alice.does(Method::PUT, "/orgs/acme/members/bob", &json!({ "role": "member" })).await;
    alice.does(Method::PUT, "/repositories/acme/app", &json!({})).await;
    if table == REPOSITORIES {
        alice.does(Method::PUT, "/repositories/acme/public", &json!({ "visibility": "public" })).await;
    }
    for (request, body, restore, statuses) in table {
        for (name, status) in CALLERS.iter().zip(statuses) {
            if let Some((request, body)) = restore.split_once(" {") {
                call(&stack.admin(), request, &format!("{{{body}")).await.is(200);
            }
            let replaced = |text: &str| text.replace("CALLER", name);
            let answer = call(&User::new(&stack.host, name), &replaced(request), &replaced(body)).await;
            assert_eq!(answer.status, *status, "{name:?}: {request} {body}: {}", answer.text());
            if *status >= 400 {
                is_problem(&answer);
            }
        }
    }
}

async fn call(user: &User, request: &str, body: &str) -> Answer {
    let (method, path) = request.split_once(' ').unwrap();
    let request = user.asks(method.parse().unwrap(), &format!("/api/v1{path}"));
    let request = if body.is_empty() { request } else { request.header("Content-Type", "application/json") };
    request.body(body.to_owned()).send().await
}

/// Holds that an error is in the form of RFC 9457, with our code and the request's id.
fn is_problem(answer: &Answer) {
    assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
    let problem = answer.json();
    assert_eq!(problem["status"], answer.status);
    for field in ["type", "title", "detail", "code", "request_id"] {
        assert!(!problem[field].as_str().unwrap_or_default().is_empty(), "{field} in {problem}");
    }
    assert_eq!(answer.header("www-authenticate").starts_with("Basic "), answer.status == 401, "{answer:?}");
}

/// (request, body, status) of the administrator.
const BAD: &[(&str, &str, u16)] = &[
    ("POST /orgs", "", 400),
    ("POST /orgs", "not json", 400),
    ("POST /orgs", "[]", 400),
    ("POST /orgs", r#"{"name":7}"#, 400),
    ("POST /orgs", r#"{"name":"good","owner_id":"x"}"#, 400),
    ("POST /orgs", r#"{"name":"Acme"}"#, 400),
    ("POST /orgs", r#"{"name":"a"}"#, 400),
    ("POST /orgs", r#"{"name":"library"}"#, 400),
    ("POST /orgs", r#"{"name":"v2"}"#, 400),
    ("POST /orgs", r#"{"name":"a/b"}"#, 400),
    ("POST /orgs", r#"{"name":"good","display_name":" "}"#, 400),
    ("POST /orgs", r#"{"name":"good","display_name":"a\u0000b"}"#, 400),
    ("POST /admin/users", r#"{"name":"good","password":"short"}"#, 400),
    ("POST /admin/users", r#"{"name":"good","password":"a long password","id":"x"}"#, 400),
    ("POST /admin/users", r#"{"name":"good"}"#, 400),
    ("PATCH /admin/users/admin", r#"{"isAdmin":true}"#, 400),
    ("PUT /repositories/Admin/App", "{}", 400),
    ("PUT /repositories/admin//app", "{}", 400),
    ("PUT /repositories/admin/app", r#"{"visibility":"secret"}"#, 400),
    ("PUT /repositories/admin/app", r#"{"star_count":5}"#, 400),
    ("PUT /repositories/admin/app", r#"{"description":"two\nlines"}"#, 400),
    ("PUT /namespaces/admin/grants/user:admin", r#"{"role":"root"}"#, 400),
    ("PUT /namespaces/admin/grants/user:Admin", r#"{"role":"read"}"#, 400),
    ("GET /orgs?limit=x", "", 400),
    ("GET /orgs?limit=-1", "", 400),
    ("GET /orgs?cursor=!", "", 400),
    ("POST /repositories/admin/app/-/rename", "", 400),
    ("POST /repositories/admin/app/-/rename", r#"{"name":"Admin/App"}"#, 400),
    ("POST /repositories/admin/app/-/rename", r#"{"name":"admin/new","force":true}"#, 400),
    ("GET /repositories/admin/app/-/restore", "", 405),
    ("POST /user", "", 405),
    ("PUT /orgs", "{}", 405),
    ("GET /nothing", "", 404),
];

#[tokio::test]
async fn a_body_that_breaks_a_rule_is_refused_and_changes_nothing() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    let before = admin.does(Method::GET, "/namespaces", &Value::Null).await;
    for (request, body, status) in BAD {
        let answer = call(&admin, request, body).await;
        assert_eq!(answer.status, *status, "{request} {body}: {}", answer.text());
        is_problem(&answer);
        assert_eq!(answer.header("allow").is_empty(), *status != 405, "{answer:?}");
    }
    let large = format!(r#"{{"name":"{}"}}"#, "x".repeat(70_000));
    is_problem(&call(&admin, "POST /orgs", &large).await.is(413));
    assert_eq!(admin.does(Method::GET, "/namespaces", &Value::Null).await, before);
}

#[tokio::test]
async fn lists_come_in_pages_until_the_cursor_ends() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    let names: Vec<_> = (0..5).map(|number| format!("admin/app{number}")).collect();
    for name in &names {
        admin.does(Method::PUT, &format!("/repositories/{name}"), &json!({})).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = admin.does(Method::GET, &format!("/repositories?limit=2{cursor}"), &Value::Null).await;
        let items = page["items"].as_array().unwrap();
        assert!((1..=2).contains(&items.len()));
        seen.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, names);
}

#[tokio::test]
async fn a_changed_password_opens_and_the_old_one_does_not() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    let change = json!({ "old_password": "correct horse", "new_password": "battery staple" });
    admin.does(Method::PUT, "/user/password", &change).await;
    stack.host.get("/token").basic("admin", "battery staple").send().await.is(200);
    stack.host.get("/token").basic("admin", "correct horse").send().await.is(401);
}
