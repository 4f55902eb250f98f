//! Clients that would have a server hold much at once: the most that it ever held has a bound that does not grow with
//! what they send or ask for.

use crate::support::{PASSWORD, Program, Repository, blob_descriptor, eventually, index, sha256, stored};
use futures_util::StreamExt;
use futures_util::future::join_all;
use serde_json::Value;
use shared::media_type::OCI_INDEX;
use std::fs;
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// How many of them come at once.
const CROWD: usize = 200;

const MIB: usize = 1 << 20;

/// The most that as many writers may cost: two batches for each and as much again that was read for the next, and the threads
/// that write them. It is 60 to 70 MiB, and more than 140 where a connection is read as fast as it brings something.
const CROWD_OF_WRITERS: usize = 128 * MIB;

/// The most bytes of memory that a process has had, as the system says.
fn most_held(program: &Program) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// Holds that what `clients` do costs no more than `bound` bytes more than an idle registry, and that others are served
/// after it.
async fn costs_at_most(what: &str, bound: usize, data: &Path, clients: impl AsyncFnOnce(&Repository)) {
    let program = Program::start_registry(data, &[]).await;
    let app = Repository::new(&program.host, "acme/app", String::new());
    app.push_image("v1", "layer").await;
    let before = most_held(&program);
    clients(&app).await;
    let cost = most_held(&program) - before;
    assert!(cost < bound, "{what} cost {} MiB", cost / MIB);
    app.get("manifests/v1").send().await.is(200);
}

#[tokio::test]
async fn slow_readers_and_slow_bodies_cost_little() {
    let folder = tempfile::tempdir().unwrap();
    costs_at_most("slow readers", 64 * MIB, &folder.path().join("readers"), async |app| {
        let digest = app.push_blob(&vec![7; 16 * MIB]).await;
        let mut slow = join_all((0..CROWD).map(|_| app.get(&format!("blobs/{digest}")).stream())).await;
        for reader in &mut slow {
            reader.next().await.unwrap().unwrap();
        }
        app.push_image("v2", "another layer").await;
    })
    .await;
    costs_at_most("slow bodies", CROWD_OF_WRITERS, &folder.path().join("bodies"), async |app| {
        let location = app.begin().await;
        let bodies: Vec<_> = (0..CROWD)
            .map(|_| {
                let app = app.clone();
                tokio::spawn(async move {
                    let location = app.begin().await;
                    app.patch(&location).stalled(vec![7; 4 * MIB]).send().await
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_secs(3)).await;
        app.put(&format!("{location}?digest={}", sha256(b"on time"))).body("on time").send().await.is(201);
        bodies.iter().for_each(tokio::task::JoinHandle::abort);
    })
    .await;
}

#[tokio::test]
async fn pushes_at_once_cost_little() {
    let folder = tempfile::tempdir().unwrap();
    costs_at_most("pushes", CROWD_OF_WRITERS, &folder.path().join("data"), async |app| {
        let pushes = (0..CROWD).map(|number| async move {
            let mut content = vec![7; MIB];
            content.extend(number.to_le_bytes());
            app.push_blob(&content).await
        });
        join_all(pushes).await;
    })
    .await;
}

#[tokio::test]
async fn deep_and_wide_json_costs_what_it_is_long() {
    let folder = tempfile::tempdir().unwrap();
    let size = 4_000_000;
    let manifests = [
        format!("{}{}", "[".repeat(size / 2), "]".repeat(size / 2)),
        format!(r#"{{"schemaVersion":2,"a":{}1{}}}"#, r#"{"a":"#.repeat(size / 6), "}".repeat(size / 6)),
        format!(r#"{{"schemaVersion":2,"manifests":[{}{{}}]}}"#, "{},".repeat(size / 3)),
        format!(r#"{{"schemaVersion":2,"manifests":[],"annotations":{{{}"z":""}}}}"#, r#""a":"","#.repeat(size / 7)),
    ];
    costs_at_most("JSON", 256 * MIB, &folder.path().join("data"), async |app| {
        for manifest in &manifests {
            let sent = (0..20).map(|_| app.put("manifests/deep").body(manifest.clone()).send());
            for answer in join_all(sent).await {
                assert!([201, 400].contains(&answer.status), "{} {}", answer.status, answer.text());
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_costs_no_more_than_a_page_may_hold() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    costs_at_most("pages", 64 * MIB, &data, async |app| {
        let digest = app.get("manifests/v1").send().await.header("docker-content-digest").to_owned();
        let tags = stored(&data.join("registry"), "repositories/acme/app/_manifests/tags");
        for number in 0..20_000 {
            let current = tags.join(format!("{number:0128}")).join("current");
            fs::create_dir_all(&current).unwrap();
            fs::write(current.join("link"), &digest).unwrap();
        }
        eventually("the list is whole", PATIENCE, async || {
            let page = app.get("tags/list?n=4294967296").send().await.is(200).json();
            page["tags"].as_array().unwrap().len() == 1000
        })
        .await;
        for _ in 0..5 {
            let asked = (0..CROWD / 5).map(|_| app.get("tags/list?n=4294967296").send());
            join_all(asked).await.into_iter().for_each(|answer| drop(answer.is(200)));
        }
    })
    .await;
}

#[tokio::test]
async fn a_crowd_that_guesses_costs_one_hash_for_each_core() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody is held back, so that the turns at hashing are all that holds.
    let unbound = [("INDEX_WRONG_PASSWORDS_PER_ADDRESS", "0"), ("INDEX_WRONG_PASSWORDS_PER_ACCOUNT", "0")];
    let program = Program::start_with(&folder.path().join("data"), &unbound).await;
    let guess = || program.host.get("/token").basic("admin", "wrong password").send();
    guess().await.is(401);
    let before = most_held(&program);
    for answer in join_all((0..2 * CROWD).map(|_| guess())).await {
        // Whoever waits too long for a turn is told to come again.
        assert!([401, 503].contains(&answer.status), "{}", answer.status);
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cost = most_held(&program) - before;
    assert!(cost < (64 + 20 * cores) * MIB, "{} MiB", cost / MIB);
    program.host.get("/token").basic("admin", PASSWORD).send().await.is(200);
}

/// Manifests that differ, as a peer wrote them into the repository, with their descriptors.
fn write_children(registry: &Path, count: usize) -> Vec<Value> {
    let write = |place: String, content: &str| {
        let path = stored(registry, &place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    let of = (0..count).map(|number| {
        let child = format!(r#"{{"schemaVersion":2,"manifests":[],"annotations":{{"number":"{number}"}}}}"#);
        let digest = sha256(child.as_bytes());
        let hex = &digest["sha256:".len()..];
        write(format!("blobs/sha256/{}/{hex}/data", &hex[..2]), &child);
        write(format!("repositories/acme/app/_manifests/revisions/sha256/{hex}/link"), &digest);
        blob_descriptor(OCI_INDEX, child.as_bytes())
    });
    of.collect()
}

#[tokio::test]
async fn an_index_of_ten_thousand_costs_what_it_is_long_whether_they_are_there_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    costs_at_most("children", 256 * MIB, &data, async |app| {
        let there = write_children(&data.join("registry"), 10_000);
        let missing = (0..10_000).map(|number| blob_descriptor(OCI_INDEX, format!("nowhere {number}").as_bytes()));
        let (there, missing) = (index(&there), index(&missing.collect::<Vec<_>>()));
        for answer in join_all((0..4).map(|_| app.put("manifests/missing").body(missing.clone()).send())).await {
            let refused = answer.refuses(400, "MANIFEST_BLOB_UNKNOWN");
            // Some of them are enough: what is amiss with the push is said by the first.
            assert!(refused.body.len() < 64 << 10, "{} bytes of errors", refused.body.len());
        }
        // Alone, because all that lies there was written a moment ago by somebody else, and is synced first.
        app.put("manifests/there").body(there.clone()).send().await.is(201);
        for answer in join_all((0..4).map(|_| app.put("manifests/there").body(there.clone()).send())).await {
            answer.is(201);
        }
        assert!(app.get("manifests/there").send().await.is(200).body == there, "byte for byte");
        app.get("manifests/missing").send().await.is(404);
        let child = sha256(br#"{"schemaVersion":2,"manifests":[],"annotations":{"number":"9999"}}"#);
        app.delete(&format!("manifests/{child}")).send().await.refuses(405, "UNSUPPORTED");
        app.delete(&format!("manifests/{}", sha256(&there))).send().await.is(202);
        app.delete(&format!("manifests/{child}")).send().await.is(202);
    })
    .await;
}
