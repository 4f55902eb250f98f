//! The process killed in the middle of a move, at each of its steps: the next start completes what the index wished.

use crate::support::{Image, Program, Repository, eventually, pulls};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// A start that has something to complete does so at once; a busy machine takes its time.
const SOON: Duration = Duration::from_secs(20);

const APP: &str = "admin/app";
const NEW: &str = "admin/new";

/// (request, kills).
const VERBS: &[(&str, &[&str])] = &[
    ("DELETE /repositories/admin/app", &["move noted", "part moved", "put away"]),
    ("POST /repositories/admin/app/-/restore", &["move noted", "part moved"]),
    ("POST /repositories/admin/app/-/rename", &["move noted", "part moved", "put away"]),
];

async fn has(program: &Program, path: &str) -> bool {
    let answer = program.admin().asks(Method::GET, &format!("/api/v1{path}")).send().await;
    answer.status == 200 && answer.json()["items"].as_array().is_none_or(|items| !items.is_empty())
}

async fn repository(program: &Program, name: &str) -> Repository {
    program.admin().repository(name).await
}

/// Does `request` in a process that is killed by this rule. Tells whether it was: there are no more such steps otherwise.
async fn is_killed(data: &Path, rule: &str, request: &str) -> bool {
    let mut program = Program::start(data, rule).await.unwrap();
    let (method, path) = request.split_once(' ').unwrap();
    let asked = program.admin().asks(method.parse().unwrap(), &format!("/api/v1{path}"));
    let answer = if path.ends_with("rename") { asked.json(&json!({ "name": NEW })) } else { asked }.attempt().await;
    if let Some(answer) = answer {
        assert!(answer.status < 300, "{request}, {rule}: {}", answer.text());
        return false;
    }
    program.ends().await;
    true
}

/// Starts it again, and holds that the request is done; then puts everything back.
async fn completes(data: &Path, request: &str, image: &Image, what: &str) {
    let program = Program::start_well(data).await;
    let admin = program.admin();
    let (path, name) = match request {
        _ if request.starts_with("DELETE") => ("/namespaces/admin/deleted", APP),
        _ if request.ends_with("restore") => ("/repositories/admin/app", APP),
        _ => ("/repositories/admin/new", NEW),
    };
    eventually(what, SOON, async || has(&program, path).await).await;
    if request.starts_with("DELETE") {
        let away = data.join("registry/docker/registry/v2/repositories/admin/app/_uploads");
        eventually(what, SOON, async || !away.exists()).await;
        admin.does(Method::POST, "/repositories/admin/app/-/restore", &Value::Null).await;
    }
    pulls(&repository(&program, name).await, "v1", image).await;
    if name == NEW {
        admin.does(Method::POST, "/repositories/admin/new/-/rename", &json!({ "name": APP })).await;
    }
    if request.ends_with("restore") {
        admin.does(Method::DELETE, "/repositories/admin/app", &Value::Null).await;
    }
}

#[tokio::test]
async fn a_mover_that_is_killed_at_any_step_is_completed_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let program = Program::start_well(&data).await;
    let image = repository(&program, APP).await.push_image("v1", "layer").await;
    drop(program);
    for (request, places) in VERBS {
        if request.ends_with("restore") {
            let program = Program::start_well(&data).await;
            program.admin().does(Method::DELETE, "/repositories/admin/app", &Value::Null).await;
        }
        for place in *places {
            for number in 1.. {
                let rule = format!("kill@{number} pause {place}");
                let was_killed = is_killed(&data, &rule, request).await;
                completes(&data, request, &image, &format!("{request}, {rule}")).await;
                if !was_killed {
                    assert!(number > 1 && (*place != "part moved" || number > 4), "{request}, {rule}");
                    break;
                }
            }
        }
        if request.ends_with("restore") {
            let program = Program::start_well(&data).await;
            program.admin().does(Method::POST, "/repositories/admin/app/-/restore", &Value::Null).await;
        }
    }
}
