//! What long commands say to a person at a terminal, and to a program behind a pipe: each as a process, under util-linux's
//! `script`, which gives it a terminal, and without.

use crate::support::{Standalone, data, sha256};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What takes a line of progress away before another line is written.
const CLEARED: &str = "\r\u{1b}[2K";

/// Runs `command` of the program without an index on the storage folder `root`, at a terminal or not.
async fn run(root: &Path, command: &str, at_terminal: bool) -> Output {
    let line = format!("{} {command}", env!("CARGO_BIN_EXE_faulty"));
    let mut process = Command::new(if at_terminal { "script" } else { "sh" });
    if at_terminal {
        process.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    } else {
        process.args(["-c", &line]);
    }
    process.env("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", root).env("TERM", "xterm").env_remove("NO_COLOR");
    process.stdin(Stdio::null());
    tokio::task::spawn_blocking(move || process.output().unwrap()).await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_owned()).unwrap()
}

/// Holds that a person sees `progress`, gone before each of `lines`, and no JSON.
fn is_for_people(seen: &Output, progress: &str, lines: &[&str]) {
    let seen = text(&seen.stdout);
    assert!(seen.contains(progress), "no {progress} in {seen:?}");
    for line in lines {
        assert!(
            seen.contains(&format!("{CLEARED}{line}")) || seen.contains(&format!("\n{line}")),
            "no {line}: {seen:?}"
        );
    }
    assert!(seen.contains(CLEARED), "what was progress stays: {seen:?}");
    assert!(!seen.contains('{'), "JSON: {seen:?}");
}

/// Holds that a program sees nothing but lines of JSON; returns them.
fn is_for_programs(seen: &Output) -> Vec<Value> {
    assert!(!text(&seen.stderr).contains(CLEARED), "progress: {}", text(&seen.stderr));
    let seen = text(&seen.stdout);
    seen.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

#[tokio::test]
async fn gc_and_scrub_speak_to_people_at_a_terminal_and_in_json_to_a_pipe() {
    let registry = Standalone::start(&[]);
    let app = registry.repository("app");
    app.push_image("v1", "layer").await;
    let unneeded = app.push_blob(b"nobody names this").await;
    let (root, layer) = (registry.root(), sha256(b"layer"));
    let (would_go, well) = ("gc --dry-run --grace 0s", "scrub");

    let seen = run(root, would_go, true).await;
    assert_eq!(seen.status.code(), Some(0));
    let line = format!("deleted  blob     {unneeded}  17 B");
    is_for_people(&seen, "reading manifests", &[&line, "2 (17 B) would be deleted"]);
    let seen = run(root, would_go, false).await;
    assert_eq!(seen.status.code(), Some(0));
    let lines = is_for_programs(&seen);
    assert!(lines.iter().any(|line| line["digest"] == unneeded.as_str() && line["fate"] == "deleted"), "{lines:?}");
    assert_eq!(lines.last().unwrap()["deleted"]["count"], 2);

    for at_terminal in [true, false] {
        assert_eq!(run(root, well, at_terminal).await.status.code(), Some(0), "nothing is damaged");
    }
    fs::write(registry.stored(&data(&layer)), "LAYER").unwrap();
    let seen = run(root, well, true).await;
    assert_eq!(seen.status.code(), Some(1), "something is damaged");
    is_for_people(&seen, "\u{2588}", &[&format!("damaged  {layer}  put aside"), "4 blobs read ("]);
    app.push_blob(b"layer").await;
    fs::write(registry.stored(&data(&layer)), "LAYER").unwrap();
    let seen = run(root, well, false).await;
    assert_eq!(seen.status.code(), Some(1), "something is damaged");
    let lines = is_for_programs(&seen);
    assert!(lines.iter().any(|line| line["damaged"] == layer.as_str()), "{lines:?}");
    assert_eq!((&lines.last().unwrap()["blobs"], &lines.last().unwrap()["damaged"]), (&4.into(), &1.into()));
}
