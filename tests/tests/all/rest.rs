//! The REST API of the index: who may call each route, as a table; bodies that break a rule; errors as RFC 9457 has them.

use crate::rest_tables::{CALLERS, INVITATIONS, ORGANISATIONS, PEOPLE, REPOSITORIES, ROBOTS, Row, TEAMS};
use crate::support::{Answer, Stack, User};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn people_are_run_by_administrators() {
    hold(PEOPLE).await;
}

#[tokio::test]
async fn organisations_are_run_by_their_owners() {
    hold(ORGANISATIONS).await;
}

#[tokio::test]
async fn teams_are_run_by_owners_and_seen_by_members() {
    hold(TEAMS).await;
}

#[tokio::test]
async fn invitations_are_run_by_owners() {
    hold(INVITATIONS).await;
}

#[tokio::test]
async fn robots_are_run_by_owners_and_seen_by_members() {
    hold(ROBOTS).await;
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
    if table == TEAMS {
        alice.does(Method::POST, "/orgs/acme/teams", &json!({ "name": "dev" })).await;
        alice.does(Method::PUT, "/orgs/acme/teams/dev/members/bob", &Value::Null).await;
    }
    if table == ROBOTS {
        alice.does(Method::POST, "/orgs/acme/robots", &json!({ "name": "ci" })).await;
    }
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
    let challenge = answer.header("www-authenticate").split(' ').next().unwrap();
    let expected = match problem["code"].as_str() {
        Some("session_over") => "Session",
        _ if answer.status == 401 => "Basic",
        _ => "",
    };
    assert_eq!(challenge, expected, "{answer:?}");
}

/// (request, body, status) of the administrator.
const BAD: &[(&str, &str, u16)] = &[
    ("POST /orgs", "", 400),
    ("POST /orgs", "not json", 400),
    ("POST /orgs", "[]", 422),
    ("POST /orgs", r#"{"name":7}"#, 422),
    ("POST /orgs", r#"{"name":"good","owner_id":"x"}"#, 422),
    ("POST /orgs", r#"{"name":"Acme"}"#, 422),
    ("POST /orgs", r#"{"name":"a"}"#, 422),
    ("POST /orgs", r#"{"name":"library"}"#, 409),
    ("POST /orgs", r#"{"name":"v2"}"#, 409),
    ("POST /admin/users", r#"{"name":"token","password":"a long password"}"#, 409),
    ("POST /orgs", r#"{"name":"a/b"}"#, 422),
    ("POST /orgs", r#"{"name":"good","display_name":" "}"#, 422),
    ("POST /orgs", r#"{"name":"good","display_name":"a\u0000b"}"#, 422),
    ("POST /admin/users", r#"{"name":"good","password":"short"}"#, 422),
    ("POST /admin/users", r#"{"name":"good","password":"password1"}"#, 422),
    ("POST /admin/users", r#"{"name":"good-name","password":"good-name"}"#, 422),
    ("POST /admin/users", r#"{"name":"good","password":"a long password","id":"x"}"#, 422),
    ("POST /admin/users", r#"{"name":"good"}"#, 422),
    ("PATCH /admin/users/admin", r#"{"isAdmin":true}"#, 422),
    ("PUT /repositories/Admin/App", "{}", 400),
    ("PUT /repositories/admin//app", "{}", 400),
    ("PUT /repositories/admin/app", r#"{"visibility":"secret"}"#, 422),
    ("PUT /repositories/admin/app", r#"{"star_count":5}"#, 422),
    ("PUT /repositories/admin/app", r#"{"description":"two\nlines"}"#, 422),
    ("PUT /namespaces/admin/grants/user:admin", r#"{"role":"root"}"#, 422),
    ("PUT /namespaces/admin/grants/user:Admin", r#"{"role":"read"}"#, 400),
    ("PUT /namespaces/admin/grants/admin", r#"{"role":"read"}"#, 400),
    ("PUT /namespaces/admin/grants/team:acme", r#"{"role":"read"}"#, 400),
    ("PUT /namespaces/admin/grants/team:acme/a/b", r#"{"role":"read"}"#, 400),
    ("POST /user/tokens", r#"{"name":" "}"#, 422),
    ("POST /user/tokens", r#"{"name":"x","limits":[]}"#, 422),
    ("POST /user/tokens", r#"{"name":"x","limits":[{"role":"read"}]}"#, 422),
    ("POST /user/tokens", r#"{"name":"x","limits":[{"namespace":"a","repository":"a/b","role":"read"}]}"#, 422),
    ("POST /user/tokens", r#"{"name":"x","limits":[{"namespace":"acme","role":"root"}]}"#, 422),
    ("POST /user/tokens", r#"{"name":"x","expires_at":"2020-01-01T00:00:00Z"}"#, 422),
    ("POST /user/tokens/tok_x/rotate", r#"{"overlap_seconds":-1}"#, 422),
    ("POST /admin/users", r#"{"name":"good","password":"berth_pat_password"}"#, 422),
    ("POST /user/tokens", r#"{"name":"x","allowed_networks":["10.0.0.0/33"]}"#, 422),
    ("PUT /namespaces/admin/networks", r#"{"allowed_networks":["everywhere"]}"#, 422),
    ("PUT /namespaces/admin/networks", r#"{"allowed_networks":null}"#, 422),
    ("GET /orgs?limit=x", "", 422),
    ("GET /orgs?limit=-1", "", 422),
    ("GET /orgs?cursor=!", "", 422),
    ("GET /orgs?page=2", "", 422),
    ("GET /user?limit=2", "", 422),
    ("GET /orgs?limit=1&limit=2", "", 422),
    ("GET /repositories?sort=stars", "", 422),
    // Of a list one chooses among what is offered, and never a column of ours: CVE-2025-30086.
    ("GET /admin/users?sort=password_hash", "", 422),
    ("GET /admin/users?password_hash=$argon2", "", 422),
    ("GET /admin/users?q=x&filter=password_hash~x", "", 422),
    ("GET /admin/users?sort=name;drop", "", 422),
    ("GET /admin/users?sort=(select+1)", "", 422),
    ("GET /repositories?sort=name,id", "", 422),
    ("GET /repositories?order=asc;drop", "", 422),
    ("GET /repositories?visibility=secret", "", 422),
    ("POST /repositories/admin/app/-/rename", "", 400),
    ("POST /repositories/admin/app/-/rename", r#"{"name":"Admin/App"}"#, 422),
    ("POST /repositories/admin/app/-/rename", r#"{"name":"admin/new","force":true}"#, 422),
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
    let change = |new: &str| json!({ "old_password": "correct horse", "new_password": new });
    let refused = admin.asks(Method::PUT, "/api/v1/user/password").json(&change("password1")).send().await.is(422);
    assert!(refused.text().contains("Add another word or two"), "it says what to do: {}", refused.text());
    admin.does(Method::PUT, "/user/password", &change("battery staple")).await;
    stack.host.get("/token").basic("admin", "battery staple").send().await.is(200);
    stack.host.get("/token").basic("admin", "correct horse").send().await.is(401);
}
