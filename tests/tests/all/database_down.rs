//! A database that cannot be written, because its disk is full or another process has it: whoever wants a change is told
//! to come again, reads go on, nothing is half done, and all goes on by itself once the trouble is over.

use crate::support::{
    Answer, Disk, PASSWORD, Repository, Stack, User, claims, eventually, image, origin, pulls, sign_in,
};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longer than the index waits for the lock of its database.
const PATIENCE: Duration = Duration::from_secs(8);

async fn make(admin: &User, organisation: &str) -> Answer {
    admin.asks(Method::POST, "/api/v1/orgs").json(&json!({ "name": organisation })).send().await
}

/// Holds that the client is told to come again, and nothing else.
#[track_caller]
fn comes_again(answer: Answer) {
    let answer = answer.is(503);
    let seconds: u32 = answer.header("retry-after").parse().unwrap_or_else(|_| panic!("no Retry-After: {answer:?}"));
    assert!((1..=60).contains(&seconds), "{answer:?}");
    let said = answer.text();
    assert!(!said.contains("database") && !said.contains("SQLite"), "{said}");
}

/// Asks for changes of every kind at once, of which none can be made.
async fn every_change_waits(stack: &Stack, app: &Repository) {
    let admin = stack.admin();
    let next = image(&[b"next"]);
    for blob in &next.blobs {
        app.push_blob(blob).await;
    }
    let mut changes: Vec<_> = [
        (Method::POST, "/orgs", json!({ "name": "late" })),
        (Method::PUT, "/repositories/admin/late", json!({})),
        (Method::PATCH, "/repositories/admin/app", json!({ "visibility": "public" })),
        (Method::PUT, "/namespaces/admin/grants/user:alice", json!({ "role": "read" })),
        (Method::POST, "/user/tokens", json!({ "name": "late" })),
    ]
    .into_iter()
    .map(|(method, path, body)| admin.asks(method, &format!("/api/v1{path}")).json(&body))
    .collect();
    changes.push(admin.asks(Method::DELETE, "/api/v1/repositories/admin/app"));
    changes.push(admin.repository("admin/first-push").await.post("blobs/uploads/"));
    changes.push(app.put("manifests/next").body(next.manifest));
    changes.push(app.delete("manifests/v1"));
    join_all(changes.into_iter().map(async |change| comes_again(change.send().await))).await;
}

/// Holds that none of those changes was made.
async fn nothing_is_half_done(stack: &Stack, app: &Repository) {
    let admin = stack.admin();
    for path in ["/orgs/late", "/namespaces/late", "/repositories/admin/late", "/repositories/admin/first-push"] {
        admin.asks(Method::GET, &format!("/api/v1{path}")).send().await.is(404);
    }
    let shown = admin.does(Method::GET, "/repositories/admin/app", &Value::Null).await;
    assert_eq!(shown["visibility"], "private");
    let tokens = admin.does(Method::GET, "/user/tokens", &Value::Null).await;
    let grants = admin.does(Method::GET, "/namespaces/admin/grants", &Value::Null).await;
    assert_eq!((&tokens["items"], &grants["items"]), (&json!([]), &json!([])));
    app.get("manifests/next").send().await.is(404);
    let tags = admin.does(Method::GET, "/repositories/admin/app/-/tags", &Value::Null).await;
    assert_eq!(tags["items"].as_array().map(Vec::len), Some(1), "{tags}");
}

#[tokio::test]
async fn a_full_disk_of_the_index_refuses_changes_and_nothing_else() {
    let disk = Disk::mount("size=4m");
    let url = format!("sqlite:{}/index.sqlite", disk.path().display());
    let stack = Stack::start_with(&[("INDEX_DATABASE_URL", &url)]).await;
    let admin = stack.admin();
    stack.user("alice").await;
    let app = admin.repository("admin/app").await;
    let first = app.push_image("v1", "first").await;
    let ballast = disk.fill();
    // The log has some room left of its own.
    let mut made = Vec::new();
    let refused = loop {
        let name = format!("org{}", made.len());
        let answer = make(&admin, &name).await;
        if answer.status != 201 {
            break answer;
        }
        made.push(name);
        assert!(made.len() < 2000, "it is never full");
    };
    comes_again(refused);
    every_change_waits(&stack, &app).await;
    pulls(&admin.repository("admin/app").await, "v1", &first).await;
    for file in ballast {
        fs::remove_file(file).unwrap();
    }
    nothing_is_half_done(&stack, &app).await;
    for name in &made {
        admin.does(Method::GET, &format!("/orgs/{name}/members"), &Value::Null).await;
    }
    make(&admin, "late").await.is(201);
    app.push_image("next", "next").await;
}

/// Another process that has the lock of the database, until it is dropped.
struct Holder(Child);

impl Holder {
    fn of(database: &Path) -> Self {
        let piped = Command::new("sqlite3").arg(database).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = piped.unwrap();
        // What a shell says is not held back.
        child.stdin.as_mut().unwrap().write_all(b"BEGIN IMMEDIATE;\n.shell printf held\n").unwrap();
        let mut said = [0; 4];
        child.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();
        assert_eq!(&said, b"held");
        Self(child)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_database_that_another_process_has_locked_refuses_changes_until_it_lets_go() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    stack.user("alice").await;
    let app = admin.repository("admin/app").await;
    let first = app.push_image("v1", "first").await;
    let holder = Holder::of(&stack.folder().join("index.sqlite"));
    let refused = claims(&stack.anonymous().token("repository:admin/app:pull").await);
    let began = Instant::now();
    comes_again(make(&admin, "late").await);
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    tokio::join!(every_change_waits(&stack, &app), pulls(&app, "v1", &first));
    drop(holder);
    nothing_is_half_done(&stack, &app).await;
    make(&admin, "late").await.is(201);
    app.push_image("next", "next").await;
    // What was refused meanwhile is noted yet.
    let path = format!("/api/v1/admin/decisions/{}", refused["jti"].as_str().unwrap());
    let is_noted = async || admin.asks(Method::GET, &path).send().await.status == 200;
    eventually("it is noted", PATIENCE * 2, is_noted).await;
}

#[tokio::test]
async fn a_client_is_told_nothing_of_the_inside_when_a_table_is_gone() {
    let stack = Stack::start().await;
    let database = stack.folder().join("index.sqlite");
    let broken = Command::new("sqlite3")
        .arg(&database)
        .arg("DROP VIEW people; ALTER TABLE accounts RENAME TO elsewhere")
        .status();
    assert!(broken.unwrap().success());
    let (host, form) = (&stack.host, [("grant_type", "password"), ("username", "admin"), ("password", PASSWORD)]);
    for request in [
        host.get("/token?service=berth&scope=repository:admin/app:pull").basic("admin", PASSWORD),
        host.post("/token").form(&form),
        host.get("/v1/search?q=x").basic("admin", PASSWORD),
        host.get("/api/v1/user").basic("admin", PASSWORD),
        host.post("/api/v1/orgs").basic("admin", PASSWORD).json(&json!({ "name": "acme" })),
        sign_in(host, "admin").header("Origin", origin(host)),
    ] {
        let answer = request.send().await;
        let said = format!("{:?} {}", answer.headers, answer.text()).to_lowercase();
        assert_eq!(answer.status, 500, "{}: {said}", answer.what);
        for inside in ["accounts", "elsewhere", "sql", "select", "table", "database", ".rs", "panick"] {
            assert!(!said.contains(inside), "{}: {inside} in {said}", answer.what);
        }
    }
}
