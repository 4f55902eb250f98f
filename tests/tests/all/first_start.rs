//! A new Berth has no secret that anybody else has: its first password is random, told once and gone with its first change;
//! keys and internal secret are its own; and no file that is shipped sets any. CWE-1392, CVE-2026-4404.

use crate::support::{PASSWORD, Stack};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Names and passwords that other programs were shipped with.
const SHIPPED: &[(&str, &str)] = &[
    ("admin", "admin"),
    ("admin", ""),
    ("admin", "password"),
    ("admin", "password1"),
    ("admin", "Harbor12345"),
    ("admin", "admin123"),
    ("admin", "changeme"),
    ("admin", "berth"),
    ("admin", "berth123"),
    ("admin", "correct horse"),
    ("root", "root"),
    ("berth", "berth"),
    ("library", "library"),
    ("registry", "registry"),
    ("nobody", "nobody"),
];

async fn random() -> Stack {
    Stack::start_with(&[("INDEX_ADMIN_PASSWORD", ""), ("INDEX_WRONG_PASSWORDS_PER_ADDRESS", "0")]).await
}

fn first_password(folder: &Path) -> PathBuf {
    folder.join("initial-admin-password")
}

#[tokio::test]
async fn a_new_instance_has_no_secret_that_another_has() {
    let (one, other) = (random().await, random().await);
    let mut seen = BTreeSet::new();
    for stack in [&one, &other] {
        let file = first_password(stack.folder());
        let password = fs::read_to_string(&file).unwrap().trim_end().to_owned();
        assert!(password.len() >= 20, "{password}");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0, "nobody else reads it");
        stack.host.get("/token").basic("admin", &password).send().await.is(200);
        for (user, password) in SHIPPED {
            stack.host.get("/token").basic(user, password).send().await.is(401);
            stack.host.get("/api/v1/user").basic(user, password).send().await.is(401);
        }
        assert!(seen.insert(password), "two have one password");
        let keys = stack.host.get("/.well-known/jwks.json").send().await.is(200).json();
        assert!(seen.insert(keys["keys"][0]["x"].as_str().unwrap().to_owned()), "two have one key");
        let key = fs::read_dir(stack.folder().join("token-keys")).unwrap().next().unwrap().unwrap();
        assert_eq!(key.metadata().unwrap().permissions().mode() & 0o077, 0, "nobody else reads the key");
    }
    // Whoever has the token of one has nothing of the other.
    let password = fs::read_to_string(first_password(one.folder())).unwrap();
    let answer = one.host.get("/token").basic("admin", password.trim_end()).send().await.is(200).json();
    other.host.get("/v2/").token(answer["token"].as_str().unwrap()).send().await.is(401);
}

#[tokio::test]
async fn the_first_password_is_gone_when_it_is_changed() {
    let stack = random().await;
    let file = first_password(stack.folder());
    let first = fs::read_to_string(&file).unwrap().trim_end().to_owned();
    let change = |old: &str| json!({ "old_password": old, "new_password": PASSWORD });
    let changing = async |old: &str| {
        let request = stack.host.request(Method::PUT, "/api/v1/user/password").basic("admin", &first);
        request.json(&change(old)).send().await.status
    };
    assert_eq!(changing("not the first one").await, 422);
    assert!(file.exists());
    assert_eq!(changing(&first).await, 204);
    assert!(!file.exists(), "what it held opens nothing any more");
    stack.host.get("/token").basic("admin", &first).send().await.is(401);
    stack.admin().does(Method::GET, "/user", &Value::Null).await;
}

/// What a start on `data` prints until it is ready.
fn printed(data: &Path) -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let mut command = Command::new(env!("CARGO_BIN_EXE_faulty"));
    command.env("BERTH_LISTEN", address.to_string()).env("BERTH_DATA", data).env_remove("INDEX_ADMIN_PASSWORD");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut printed = String::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while !printed.contains("is ready") {
        printed += &(lines.next().expect("it becomes ready").unwrap() + "\n");
    }
    // What belongs to the same words comes at once with them.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let arguments = fs::read_to_string(format!("/proc/{}/cmdline", child.id())).unwrap();
    child.kill().unwrap();
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    let output = child.wait_with_output().unwrap();
    printed += &rest.join("\n");
    let password = fs::read_to_string(first_password(data)).unwrap();
    let logged = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!logged.contains(password.trim_end()) && !arguments.contains(password.trim_end()), "{logged}");
    printed
}

#[tokio::test]
async fn the_first_password_is_told_once_and_never_logged() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let both = tokio::task::spawn_blocking({
        let data = data.clone();
        move || [printed(&data), printed(&data)]
    });
    let [first, second] = both.await.unwrap();
    let password = fs::read_to_string(first_password(&data)).unwrap().trim_end().to_owned();
    assert_eq!(first.matches(&password).count(), 1, "{first}");
    assert!(!second.contains(&password) && !second.contains("password"), "{second}");
}

#[tokio::test]
async fn a_first_password_that_is_given_must_be_a_good_one() {
    for given in ["adminadmin", "password", "Harbor12345", "changeme", "12345678", "berth_pat_0123456789", "short"] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let mut command = Command::new(env!("CARGO_BIN_EXE_faulty"));
        command.env("BERTH_LISTEN", "127.0.0.1:0").env("BERTH_DATA", &data).env("INDEX_ADMIN_PASSWORD", given);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("INDEX_ADMIN_PASSWORD"), "{given}: {said}");
        assert!(!said.contains(&format!("\"{given}\"")), "the password itself is not repeated: {said}");
    }
}

#[tokio::test]
async fn a_secret_that_is_an_empty_file_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("secret");
    for content in ["", "\n", " \r\n"] {
        fs::write(&empty, content).unwrap();
        for name in ["INDEX_INTERNAL_SECRET_FILE", "INDEX_ADMIN_PASSWORD_FILE"] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_faulty"));
            command.env("BERTH_LISTEN", "127.0.0.1:0").env("BERTH_DATA", folder.path().join("data")).env(name, &empty);
            let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success() && said.contains(name) && said.contains("empty"), "{name}: {said}");
        }
    }
    assert!(!folder.path().join("data").exists(), "nothing was made");
}

#[tokio::test]
async fn a_secret_of_its_own_that_was_emptied_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    for content in ["", "\n"] {
        fs::write(folder.path().join("cursor-secret"), content).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_faulty"));
        command.env("BERTH_LISTEN", "127.0.0.1:0").env("BERTH_DATA", folder.path());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("cursor-secret is empty; remove it"), "{said}");
    }
}

#[test]
fn no_file_that_is_shipped_sets_a_secret() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let mut files = vec![root.join("docker-compose.yml")];
    files.extend(fs::read_dir(root.join("deploy")).unwrap().map(|entry| entry.unwrap().path()));
    assert!(files.len() > 4, "{files:?}");
    for file in files {
        for line in fs::read_to_string(&file).unwrap().lines() {
            let line = line.trim_start();
            if line.starts_with('#') {
                continue;
            }
            // `NAME: value` of YAML, `NAME=value` of a shell: what is secret is named by a file.
            let Some((name, value)) = line.split_once([':', '=']) else { continue };
            let name = name.trim_start_matches("- ").to_ascii_uppercase();
            let is_secret = ["PASSWORD", "SECRET", "PRIVATE"].iter().any(|word| name.contains(word));
            let is_given = !value.trim().is_empty() && !value.trim().starts_with('/');
            assert!(!is_secret || !is_given || name.ends_with("_FILE"), "{}: {line}", file.display());
        }
    }
}
