//! Commands that administer, as processes: beside a server in its folder, and against a server by its address; what they
//! print, what they refuse, and with which exit codes.

use crate::support::{PASSWORD, Stack};
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A command line, with these variables and this on its standard input.
pub async fn run(line: &str, variables: &[(&str, &str)], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faulty"));
    command.args(line.split_whitespace()).envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = input.to_owned();
    let run = move || {
        let mut child = command.spawn().unwrap();
        // It may end without reading it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// What a command prints that ends well.
#[track_caller]
fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a command says that ends badly, and prints nothing.
#[track_caller]
fn refused(output: &Output) -> String {
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// On the machine itself.
struct Here<'a>(&'a Path);

impl Here<'_> {
    async fn output(&self, line: &str) -> Output {
        run(line, &[("BERTH_DATA", self.0.to_str().unwrap())], "a long password\n").await
    }

    async fn prints(&self, line: &str) -> String {
        printed(&self.output(line).await)
    }

    async fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.prints(&format!("{line} --json")).await).unwrap()
    }
}

#[tokio::test]
async fn on_the_machine_commands_do_what_the_api_does_beside_the_server() {
    let stack = Stack::start().await;
    let here = Here(stack.folder());
    here.prints("user create alice").await;
    stack.host.get("/token").basic("alice", "a long password").send().await.is(200);
    here.prints("org create acme --display-name Acme").await;
    here.prints("org add-member acme alice --owner").await;
    let members = here.prints("org members acme").await;
    let lines: Vec<Vec<&str>> = members.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["USER", "ROLE", "CREATED", "AT"], "{members}");
    assert_eq!((&lines[1][..2], &lines[2][..2]), (&["admin", "owner"][..], &["alice", "owner"][..]), "{members}");

    here.prints("team create acme dev --description builders").await;
    here.prints("team add-member acme dev alice").await;
    assert_eq!(here.json("team members acme dev").await[0]["user"], "alice");
    here.prints("grant put acme team:acme/dev write").await;
    stack.admin().does(Method::PUT, "/repositories/acme/app", &json!({})).await;
    let robot = here.json("robot create acme ci").await;
    here.prints("grant put acme/app robot:acme+ci read").await;
    assert_eq!(here.json("grant list acme").await[0]["subject"], "team:acme/dev");
    assert_eq!(here.json("grant list acme/app").await[0]["role"], "read");
    stack.host.get("/token").basic("acme+ci", robot["secret"].as_str().unwrap()).send().await.is(200);
    let rotated = here.json("robot rotate acme ci").await;
    stack.host.get("/token").basic("acme+ci", robot["secret"].as_str().unwrap()).send().await.is(401);
    stack.host.get("/token").basic("acme+ci", rotated["secret"].as_str().unwrap()).send().await.is(200);

    // Of whom it acts as.
    let token = here.json("token create laptop --limit acme=read --limit acme/app=write").await;
    assert_eq!(here.json("token list").await[0]["limits"].as_array().unwrap().len(), 2);
    stack.host.get("/token").token(token["secret"].as_str().unwrap()).send().await.is(200);
    here.prints(&format!("token delete {}", token["id"].as_str().unwrap())).await;
    stack.host.get("/token").token(token["secret"].as_str().unwrap()).send().await.is(401);

    here.prints("user disable alice").await;
    stack.host.get("/token").basic("alice", "a long password").send().await.is(403);
    for line in ["grant delete acme team:acme/dev", "team delete acme dev", "robot delete acme ci"] {
        assert_eq!(here.prints(line).await, "", "{line}");
    }
    assert_eq!((here.json("team list acme").await, here.json("robot list acme").await), (json!([]), json!([])));
    let said = refused(&here.output("org delete acme").await);
    assert!(said.contains("organisation acme still has repositories"), "{said}");
}

#[tokio::test]
async fn a_list_is_printed_with_all_its_pages() {
    let stack = Stack::start().await;
    for number in 0..120 {
        stack.admin().does(Method::POST, "/orgs", &json!({ "name": format!("org{number:03}") })).await;
    }
    let printed = Here(stack.folder()).prints("org list").await;
    let names: Vec<_> = printed.lines().skip(1).map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(names, (0..120).map(|number| format!("org{number:03}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_server_is_asked_with_an_access_token_or_with_a_password() {
    let stack = Stack::start().await;
    let made = stack.admin().does(Method::POST, "/user/tokens", &json!({ "name": "laptop" })).await;
    let server = format!("http://{}", stack.host.address());
    let by_token = [("BERTH_SERVER", server.as_str()), ("BERTH_TOKEN", made["secret"].as_str().unwrap())];
    printed(&run("org create acme", &by_token, "").await);
    let shown = printed(&run("org show acme --json", &by_token, "").await);
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap()["name"], "acme");
    let said = refused(&run("user create alice", &by_token, "a long password\n").await);
    assert!(said.contains("(403 Forbidden)"), "{said}");

    let by_password = [("BERTH_SERVER", server.as_str()), ("BERTH_PASSWORD", PASSWORD)];
    printed(&run("user create alice --user admin", &by_password, "a long password\n").await);
    let shown = printed(&run("user show alice --user admin", &by_password, "").await);
    assert!(shown.lines().any(|line| line.split_whitespace().eq(["name", "alice"])), "{shown}");
}

#[tokio::test]
async fn what_cannot_be_asked_is_said_and_changes_nothing() {
    let stack = Stack::start().await;
    let here = Here(stack.folder());
    stack.user("alice").await;
    for (line, words) in [
        ("org list --as alice", "--as alice"),
        ("org list --as nobody", "--as nobody"),
        ("org list --user admin", "--user is for a --server"),
        ("org list --server http://127.0.0.1:9", "BERTH_TOKEN"),
        ("user reset-password alice --server http://127.0.0.1:9", "BERTH_TOKEN"),
        ("org show none", "there is no organisation \"none\""),
        ("token create x --limit acme", "say WHERE=ROLE"),
    ] {
        let said = refused(&here.output(line).await);
        assert!(said.contains(words), "{line}: {said}");
    }
    let nowhere = stack.folder().join("nowhere");
    let said = refused(&Here(&nowhere).output("org list").await);
    assert!(said.contains("there is no index here"), "{said}");
    assert!(!nowhere.exists(), "looking makes nothing");
}

#[tokio::test]
async fn an_exit_code_says_what_kind_of_end_it_is() {
    let stack = Stack::start().await;
    let here = Here(stack.folder());
    let folder = stack.folder().to_str().unwrap();
    stack.user("alice").await;
    for (line, code) in [
        ("org create acme", 0),
        ("org create acme", 5),
        ("org create No_Name", 2),
        ("org create", 2),
        ("team set acme dev", 2),
        ("org list --user admin", 2),
        ("org list --server http://127.0.0.1:9", 2),
        ("org show none", 3),
        ("org list --as alice", 1),
    ] {
        assert_eq!(here.output(line).await.status.code(), Some(code), "{line}");
    }
    let server = format!("http://{}", stack.host.address());
    for (line, server, password, code) in [
        ("org show acme --user admin", server.as_str(), PASSWORD, 0),
        ("org show acme --user admin", &server, "wrong", 4),
        ("user list --user alice", &server, PASSWORD, 4),
        ("org show acme --user alice", &server, PASSWORD, 3),
        ("org show acme --user admin", "http://127.0.0.1:9", PASSWORD, 1),
    ] {
        let variables = [("BERTH_DATA", folder), ("BERTH_SERVER", server), ("BERTH_PASSWORD", password)];
        assert_eq!(run(line, &variables, "").await.status.code(), Some(code), "{line}");
    }
    for line in ["org --help", "whoami --help"] {
        let help = here.prints(line).await;
        let codes = "Exit codes: 0 done, 1 failed, 2 said in a wrong way, 3 not found, 4 denied, 5 in conflict";
        assert!(help.contains(codes), "{help}");
    }
}
