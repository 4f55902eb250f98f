//! What commands say to a program that starts them, and which settings they go by: started as processes, by what they print.

use crate::support::{Repository, Stack, Standalone, data, image, sha256};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faulty"));
    command.args(arguments);
    command
}

/// What it prints; it must end well.
async fn prints(mut command: Command) -> String {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// `berth gc` that takes everything at once, with further arguments: the lines, and the last one, which sums up.
async fn gc(stack: &Stack, arguments: &[&str]) -> (Vec<Value>, Value) {
    let all = [&["gc", "--restore-window", "0s", "--delete-untagged"], arguments].concat();
    let mut command = program(&all);
    command.env("BERTH_DATA", stack.folder());
    let printed = prints(command).await;
    let mut lines: Vec<Value> =
        printed.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect();
    let summary = lines.pop().expect("a summary");
    (lines, summary)
}

/// The digests of one kind, with their fates and who keeps them.
fn fates<'a>(lines: &'a [Value], kind: &str) -> Vec<(&'a str, &'a str, Option<&'a str>)> {
    let of_kind = lines.iter().filter(|line| line["kind"] == kind);
    let mut fates: Vec<_> = of_kind
        .map(|line| (line["digest"].as_str().unwrap(), line["fate"].as_str().unwrap(), line["by"].as_str()))
        .collect();
    fates.sort_unstable();
    fates
}

/// The same as it should be: all of them share a fate.
fn all<'a>(digests: &[&'a String], fate: &'a str, by: Option<&'a str>) -> Vec<(&'a str, &'a str, Option<&'a str>)> {
    let mut all: Vec<_> = digests.iter().map(|digest| (digest.as_str(), fate, by)).collect();
    all.sort_unstable();
    all
}

#[tokio::test]
async fn gc_says_in_lines_of_json_what_goes_and_what_stays_and_why() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let untagged = app.push_image("v1", "untagged").await;
    let tagged = app.push_image("v1", "tagged").await;
    let unused = app.push_blob(b"nobody names this").await;
    let blobs = [&sha256(b"{}"), &sha256(b"tagged"), &tagged.digest];
    let loose = [&sha256(b"untagged"), &untagged.digest, &unused];

    // By default everything is too young to go.
    let (young, summary) = gc(&stack, &["--verbose"]).await;
    assert!(young.iter().all(|line| line["fate"] == "kept"), "{young:?}");
    assert_eq!(young.iter().filter(|line| line["by"] == "grace").count(), 3, "a blob, its link, a manifest: {young:?}");
    assert!(fates(&young, "blob").contains(&(unused.as_str(), "kept", Some("grace"))), "{young:?}");
    assert!(fates(&young, "manifest").contains(&(untagged.digest.as_str(), "kept", Some("grace"))), "{young:?}");
    assert_eq!(summary["deleted"], json!({ "count": 0, "bytes": 0 }));

    for arguments in [&["--grace", "0s", "--dry-run"][..], &["--grace", "0s"]] {
        let (lines, summary) = gc(&stack, arguments).await;
        let what = format!("{arguments:?}: {lines:?} {summary}");
        assert_eq!(fates(&lines, "blob"), all(&loose, "deleted", None), "{what}");
        assert_eq!(fates(&lines, "manifest"), all(&loose[1..2], "deleted", None), "{what}");
        let manifest = lines.iter().find(|line| line["kind"] == "manifest").unwrap();
        assert_eq!(manifest["repository"], "admin/app", "{what}");
        let layers = fates(&lines, "layer");
        assert!(layers.iter().all(|(_, fate, _)| *fate == "deleted") && layers.len() >= 2, "{what}");
        let bytes = untagged.manifest.len() + b"untagged".len() + b"nobody names this".len();
        assert_eq!(summary["deleted"]["bytes"], bytes, "{what}");
        assert_eq!(summary["deleted"]["count"], lines.len(), "{what}");
        let is_there = stack.stored(&data(&unused)).exists();
        assert_eq!(is_there, arguments.contains(&"--dry-run"), "{what}");
    }
    let (lines, summary) = gc(&stack, &["--grace", "0s", "--verbose"]).await;
    assert_eq!(fates(&lines, "blob"), all(&blobs, "kept", Some("manifest")), "{lines:?}");
    assert_eq!(fates(&lines, "manifest"), [(tagged.digest.as_str(), "kept", Some("tag"))]);
    let by_tag = summary["kept"]["tag"]["count"].as_u64();
    assert_eq!((by_tag, &summary["deleted"]["count"]), (Some(1), &json!(0)), "{summary}");
}

/// A file as Distribution's, for storage in `root`.
fn settings(folder: &Path, root: &Path, more: &str) -> String {
    let path = folder.join("config.yml");
    let root = root.display();
    fs::write(&path, format!("version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {root}\n{more}")).unwrap();
    path.to_str().unwrap().to_owned()
}

async fn has_untagged(app: &Repository) -> bool {
    let is_there = app.get(&format!("manifests/{}", image(&[b"untagged"]).digest)).send().await.status == 200;
    app.get("manifests/v1").send().await.is(200);
    is_there
}

#[tokio::test]
async fn garbage_collect_goes_by_its_flags_and_by_variables_before_the_file() {
    let (of_file, of_variable) = (Standalone::start(&[]), Standalone::start(&[]));
    for registry in [&of_file, &of_variable] {
        registry.repository("app").push_image("v1", "untagged").await;
        registry.repository("app").push_image("v1", "tagged").await;
    }
    let folder = tempfile::tempdir().unwrap();
    let config = settings(folder.path(), of_file.root(), "");
    let untagged = image(&[b"untagged"]).digest;
    let has =
        async || (has_untagged(&of_file.repository("app")).await, has_untagged(&of_variable.repository("app")).await);

    let printed = prints(program(&["service", "garbage-collect", &config])).await;
    assert!(printed.ends_with(" 0 blobs and 0 manifests eligible for deletion\n"), "{printed}");
    assert_eq!(has().await, (true, true), "untagged manifests stay unless that is asked for");
    let printed = prints(program(&["service", "garbage-collect", "--dry-run", "--delete-untagged", &config])).await;
    assert!(printed.contains(&format!("manifest eligible for deletion: {untagged}\n")), "{printed}");
    assert_eq!(has().await, (true, true), "nothing was changed");

    let mut command = program(&["service", "garbage-collect", "--delete-untagged", &config]);
    command.env("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", of_variable.root());
    let printed = prints(command).await;
    assert!(printed.contains(&format!("manifest eligible for deletion: {untagged}\n")), "{printed}");
    assert_eq!(has().await, (true, false), "the variable's storage and not the file's");
    prints(program(&["service", "garbage-collect", "-m", &config])).await;
    assert_eq!(has().await, (false, false), "the file's where there is no variable");
    of_file.repository("app").get(&format!("blobs/{}", sha256(b"untagged"))).send().await.is(404);
}

/// A process that ends with the test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_key_of_the_settings_file_that_is_unknown_is_named_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let more = "    maxthreads: 100\n  redirect:\n    disable: true\nhttp:\n  addr: 127.0.0.1:0\n  secret: s\n";
    let config = settings(folder.path(), folder.path(), more);
    let mut command = program(&["service", "serve", &config]);
    let mut served = Served(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let log = BufReader::new(served.0.stderr.take().unwrap()).lines();
    let mut warnings = Vec::new();
    for line in log.map(|line| line.unwrap()) {
        if line.contains("is not a setting") {
            assert!(line.contains("WARN"), "{line}");
            warnings.push(line);
        } else if line.contains("serving") {
            break;
        }
    }
    // Each by the name that stands in the file, with its line; known ones are not warned about.
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    for (key, line) in [("storage.filesystem.maxthreads", 5), ("storage.redirect.disable", 7)] {
        let named = format!("{key} (line {line} of {config}) is not a setting and is ignored");
        assert!(warnings.iter().any(|warning| warning.contains(&named)), "{named}: {warnings:?}");
    }
}
