//! Many clients that want the same thing at once: everybody is served in the end, nothing hangs, and nobody else waits
//! for them.

use crate::support::{Repository, Stack, User, data, eventually, image, sha256};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(1);

/// Long enough for a request that nothing holds up.
const A_WHILE: Duration = Duration::from_millis(300);

/// Tags that a stream of pushes moves, so that none waits for another one.
const MOVING: usize = 8;

/// A runtime whose blocking pool, on which manifests are published, has so many threads.
fn with_blocking_threads(threads: usize, test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().max_blocking_threads(threads).enable_all().build();
    runtime.unwrap().block_on(test);
}

/// A manifest of one layer that is told from others by `number`.
fn numbered(number: usize) -> Vec<u8> {
    let mut manifest: Value = serde_json::from_slice(&image(&[b"layer"]).manifest).unwrap();
    manifest["annotations"] = json!({ "org.example.number": number.to_string() });
    manifest.to_string().into_bytes()
}

/// Pushes until it is taken. Who has waited too long is told to come again, which is no other refusal.
async fn push_in_the_end(app: &Repository, tag: &str, manifest: &[u8]) {
    loop {
        let answer = app.put_manifest(tag, manifest).await;
        if answer.status == 201 {
            return;
        }
        answer.refuses(503, "UNAVAILABLE");
    }
}

/// Where the tag points for everybody, and that nothing is left to be told.
async fn settled(stack: &Stack, app: &Repository, tag: &str) -> String {
    let digest = app.get(&format!("manifests/{tag}")).send().await.is(200).header("docker-content-digest").to_owned();
    let told = stack.admin().does(Method::GET, "/repositories/admin/app/-/tags", &Value::Null).await;
    let items = told["items"].as_array().unwrap();
    let entry = items.iter().find(|entry| entry["name"] == tag).unwrap_or_else(|| panic!("no {tag}: {told}"));
    assert_eq!(entry["digest"], digest, "the index knows the one that storage holds");
    let intents = std::fs::read_dir(stack.stored("berth/intents/admin/app/_tags")).unwrap();
    assert_eq!(intents.count(), 0, "no intent is left");
    digest
}

#[test]
fn six_hundred_pushes_of_one_tag_are_all_taken_by_eight_threads() {
    with_blocking_threads(8, async {
        let stack = Stack::start().await;
        let app = stack.admin().repository("admin/app").await;
        app.push_image("first", "layer").await;
        app.delete("manifests/first").send().await.is(202);
        let manifests: Vec<_> = (0..600).map(numbered).collect();
        join_all(manifests.iter().map(|manifest| push_in_the_end(&app, "v1", manifest))).await;
        let digest = settled(&stack, &app, "v1").await;
        assert!(manifests.iter().any(|manifest| sha256(manifest) == digest));
        for manifest in manifests.iter().step_by(100) {
            assert_eq!(app.get(&format!("manifests/{}", sha256(manifest))).send().await.is(200).body, *manifest);
        }
    });
}

#[tokio::test]
async fn two_replicas_that_race_for_a_tag_leave_one_of_the_pushes_and_readers_always_have_one() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let other = app.on(&stack.replica());
    app.push_image("v1", "layer").await;
    let manifests: Vec<_> = (0..100).map(numbered).collect();
    let pushes = join_all(manifests.iter().enumerate().map(|(number, manifest)| {
        let replica = if number % 2 == 0 { &app } else { &other };
        push_in_the_end(replica, "v1", manifest)
    }));
    let reading = async {
        loop {
            for reader in [&app, &other] {
                reader.get("manifests/v1").send().await.is(200);
            }
        }
    };
    tokio::select! {
        _ = pushes => {}
        () = reading => {}
    }
    let digest = settled(&stack, &app, "v1").await;
    assert!(manifests.iter().any(|manifest| sha256(manifest) == digest));
    for (number, manifest) in manifests.iter().enumerate() {
        let reader = if number % 2 == 0 { &other } else { &app };
        assert_eq!(reader.get(&format!("manifests/{}", sha256(manifest))).send().await.is(200).body, *manifest);
    }
}

/// The same of a repository that is put away and restored meanwhile: as long as it is away it is not there for anybody, and
/// a token from before is void.
async fn push_when_it_is_back(pusher: &User, mut app: Repository, tag: &str, manifest: &[u8]) {
    loop {
        let answer = app.put_manifest(tag, manifest).await;
        match (answer.status, answer.code().as_str()) {
            (201, _) => return,
            (401, "UNAUTHORIZED") => app = pusher.repository("admin/app").await.on(&app.host),
            (503, "UNAVAILABLE") | (403, "DENIED") | (404, "NAME_UNKNOWN") => {}
            _ => panic!("{}: {} {}", answer.what, answer.status, answer.text()),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Puts the repository away and restores it, each at once, and waits until the replicas have it again, for new tokens.
async fn goes_and_comes_back(stack: &Stack, replicas: [&mut Repository; 2]) {
    let path = "/api/v1/repositories/admin/app";
    stack.admin().asks(Method::DELETE, path).send().await.is(204);
    for replica in &replicas {
        let away = replica.get("manifests/kept").send().await;
        assert!([401, 404].contains(&away.status), "{}", away.text());
    }
    stack.admin().asks(Method::POST, &format!("{path}/-/restore")).send().await.is(200);
    for replica in replicas {
        replica.token = stack.admin().repository("admin/app").await.token;
        eventually("it is back", PATIENCE, async || replica.get("manifests/kept").send().await.status == 200).await;
    }
}

#[tokio::test]
async fn deletes_and_a_stream_of_pushes_do_not_starve_each_other() {
    let stack = Stack::start().await;
    // Each push that finds the repository away asks for a token again and again.
    let admin = stack.admin().by_access_token().await;
    let mut app = admin.repository("admin/app").await;
    let mut other = app.on(&stack.replica());
    let kept = app.push_image("kept", "layer").await;
    let mut gone = Vec::new();
    for number in 0..10 {
        let content = format!("to go {number}");
        gone.push((app.push_manifest(&numbered(1000 + number)).await, app.push_blob(content.as_bytes()).await));
    }
    // Each holds the repository for so long that on either replica there is always one that does.
    let slow = stack.arm("sleep:150@1+ pause made");
    let enough = Arc::new(AtomicBool::new(false));
    // Twenty a second, on two replicas, each begun whether those before are done or not.
    let pushes = tokio::spawn({
        let (admin, app, other, enough) = (admin.clone(), app.clone(), other.clone(), Arc::clone(&enough));
        async move {
            let mut running = Vec::new();
            for number in 0.. {
                if number >= 80 && enough.load(Ordering::Relaxed) {
                    break;
                }
                let replica = if number % 2 == 0 { app.clone() } else { other.clone() };
                let admin = admin.clone();
                running.push(tokio::spawn(async move {
                    let tag = format!("moving{}", number % MOVING);
                    push_when_it_is_back(&admin, replica, &tag, &numbered(number)).await;
                }));
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            join_all(running).await
        }
    });
    for (number, (manifest, blob)) in gone.iter().enumerate() {
        let replica = if number % 2 == 0 { &other } else { &app };
        replica.delete(&format!("manifests/{manifest}")).send().await.is(202);
        replica.delete(&format!("blobs/{blob}")).send().await.is(202);
        if number % 3 == 0 {
            goes_and_comes_back(&stack, [&mut app, &mut other]).await;
        }
    }
    enough.store(true, Ordering::Relaxed);
    for push in pushes.await.unwrap() {
        push.unwrap();
    }
    drop(slow);
    for number in 0..MOVING {
        settled(&stack, &app, &format!("moving{number}")).await;
    }
    assert_eq!(app.get("manifests/kept").send().await.is(200).body, kept.manifest);
}

#[tokio::test]
async fn a_blob_that_many_tenants_push_at_once_is_stored_once_and_is_everybodys() {
    let stack = Stack::start().await;
    let replica = stack.replica();
    let content: Vec<u8> = (0..=250_u8).cycle().take(3 << 20).collect();
    let digest = sha256(&content);
    let mut clients = Vec::new();
    for number in 0..20 {
        let app = stack.user(&format!("tenant{number}")).await.repository(&format!("tenant{number}/app")).await;
        clients.push(if number % 2 == 0 { app } else { app.on(&replica) });
    }
    join_all(clients.iter().map(|app| app.push_blob(&content))).await;
    let place = stack.stored(&data(&digest));
    assert_eq!(std::fs::read_dir(place.parent().unwrap()).unwrap().count(), 1, "nothing lies beside it");
    let path = format!("blobs/{digest}");
    for (number, app) in clients.iter().enumerate() {
        assert!(app.get(&path).send().await.is(200).body == content, "the same bytes");
        let uploads = std::fs::read_dir(stack.stored(&format!("repositories/{}/_uploads", app.name)));
        assert_eq!(uploads.map_or(0, Iterator::count), 0, "no upload is left");
        // What one deletes is the others' still.
        app.delete(&path).send().await.is(202);
        if let Some(next) = clients.get(number + 1) {
            next.head(&path).send().await.is(200);
        }
    }
}

/// The one thread of the blocking pool is kept busy, so that the write of the tag waits in its queue.
#[test]
fn a_client_that_leaves_while_its_tag_waits_to_be_written_comes_before_the_next() {
    with_blocking_threads(1, async {
        let stack = Stack::start().await;
        let app = stack.admin().repository("admin/app").await;
        let (first, second) = (numbered(1), numbered(2));
        app.push_image("other", "layer").await;
        app.delete("manifests/other").send().await.is(202);
        let stop = stack.arm("stop pause judged");
        let push = tokio::spawn({
            let (app, first) = (app.clone(), first.clone());
            async move { app.put_manifest("v1", &first).await }
        });
        stop.reached().await;
        push.abort();
        let next = tokio::spawn({
            let (app, second) = (app.clone(), second.clone());
            async move { app.put_manifest("v1", &second).await }
        });
        tokio::time::sleep(A_WHILE).await;
        assert!(!next.is_finished(), "it waits for the first");
        app.get("manifests/v1").send().await.is(404);
        drop(stop);
        next.await.unwrap().is(201);
        assert_eq!(settled(&stack, &app, "v1").await, sha256(&second));
        app.get(&format!("manifests/{}", sha256(&first))).send().await.is(200);
    });
}

#[tokio::test]
async fn thousands_of_open_uploads_cost_little_and_hold_up_nobody() {
    let count = if std::env::var_os("BERTH_TESTS_LONG").is_some() { 10_000 } else { 2_000 };
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let (files, memory) = (open_files(), resident_bytes());
    let mut locations = Vec::new();
    for _ in 0..count / 100 {
        locations.extend(join_all((0..100).map(|_| app.begin())).await);
    }
    for location in locations.iter().step_by(20) {
        app.patch(location).body("begun").send().await.is(202);
    }
    // They lie in storage: no file is held open for one, nor anything in memory. The rest is of their connections.
    eventually("files are closed", PATIENCE, async || open_files() < files + 400).await;
    let grown = resident_bytes().saturating_sub(memory);
    assert!(grown < 128 << 20, "{count} uploads cost {grown} bytes");
    app.push_image("v1", "layer").await;
    app.get("manifests/v1").send().await.is(200);
    let digest = sha256(b"begun and ended");
    for location in [&locations[0], &locations[count / 2], &locations[count - 20]] {
        app.put(&format!("{location}?digest={digest}")).body(" and ended").send().await.is(201);
    }
    assert_eq!(app.get(&format!("blobs/{digest}")).send().await.is(200).text(), "begun and ended");
}

/// Of this process, which is the server too.
fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}
