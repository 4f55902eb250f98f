//! Two replicas that push one tag: whoever was told 201 was the tag's manifest at some moment, in the order in which the
//! index was told so, and the last of them still is.

use crate::support::{Repository, Stack, UnsteadyIndex, image};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Pushes through each replica.
const PUSHES: usize = 40;

/// A manifest of one layer that is told from others by `mark`.
fn marked(mark: &str) -> (String, Vec<u8>) {
    let mut manifest: Value = serde_json::from_slice(&image(&[b"layer"]).manifest).unwrap();
    manifest["annotations"] = json!({ "org.example.mark": mark });
    let manifest = manifest.to_string().into_bytes();
    (crate::support::sha256(&manifest), manifest)
}

/// A push that was told 201: what, and between which two moments.
struct Taken {
    digest: String,
    sent: Instant,
    told: Instant,
}

/// Two clients at once, each of which waits for its answer.
async fn pushes(app: &Repository, replica: &str) -> Vec<Taken> {
    let client = |client: usize| async move {
        let mut taken = Vec::new();
        for number in 0..PUSHES / 2 {
            let (digest, manifest) = marked(&format!("{replica} {client} {number}"));
            let sent = Instant::now();
            let answer = app.put_manifest("v1", &manifest).await;
            if answer.status == 201 {
                taken.push(Taken { digest, sent, told: Instant::now() });
            } else {
                answer.refuses(503, "UNAVAILABLE");
            }
        }
        taken
    };
    let (mut one, other) = tokio::join!(client(0), client(1));
    one.extend(other);
    one
}

async fn current(app: &Repository) -> String {
    app.get("manifests/v1").send().await.is(200).header("docker-content-digest").to_owned()
}

/// What a reader sees the tag become, one after the other, until all is pushed.
async fn watch(app: &Repository, over: &AtomicBool) -> Vec<String> {
    let mut seen = vec![current(app).await];
    while !over.load(Ordering::Relaxed) {
        let digest = current(app).await;
        if seen.last() != Some(&digest) {
            seen.push(digest);
        }
    }
    seen
}

/// By digest, its place in the order in which the index was told of the tag.
fn order(indexes: [&UnsteadyIndex; 2]) -> HashMap<String, u64> {
    let mut order = HashMap::new();
    for commit in indexes.iter().flat_map(|index| index.committed()) {
        for tag in commit.tags.iter().filter(|tag| tag.tag.as_str() == "v1") {
            let digest = tag.digest.as_ref().unwrap().to_string();
            assert!(order.insert(digest, commit.number).is_none(), "one push, one commit");
        }
    }
    order
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_push_of_a_race_was_the_tag_at_some_moment_in_the_order_of_commits() {
    let stack = Stack::start().await;
    let ((one, first_index), (other, second_index)) = (stack.unsteady_replica(), stack.unsteady_replica());
    let app = stack.admin().repository("admin/app").await;
    let (first, second) = (app.on(&one), app.on(&other));
    first.push_image("v1", "layer").await;
    let over = AtomicBool::new(false);
    let racing = async {
        let taken = tokio::join!(pushes(&first, "one"), pushes(&second, "other"));
        over.store(true, Ordering::Relaxed);
        taken
    };
    let ((mut taken, others), seen, seen_there) = tokio::join!(racing, watch(&first, &over), watch(&second, &over));
    taken.extend(others);
    assert!(taken.len() > PUSHES, "most are taken: {}", taken.len());

    let order = order([&first_index, &second_index]);
    for push in &taken {
        assert!(order.contains_key(&push.digest), "the index was told of every 201");
        app.get(&format!("manifests/{}", push.digest)).send().await.is(200);
        for earlier in taken.iter().filter(|earlier| earlier.told < push.sent) {
            assert!(order[&earlier.digest] < order[&push.digest], "who comes after a 201 comes after it in the order");
        }
        let history = format!("repositories/admin/app/_manifests/tags/v1/index/{}/link", push.digest.replace(':', "/"));
        assert!(stack.stored(&history).exists(), "the tag has been {}", push.digest);
    }
    for seen in [seen, seen_there] {
        let numbers: Vec<_> = seen.iter().map(|digest| order[digest]).collect();
        assert!(numbers.is_sorted(), "a reader sees them in the order of commits: {numbers:?}");
    }
    let last = order.iter().max_by_key(|(_, number)| **number).unwrap().0;
    for app in [&app, &first, &second] {
        assert_eq!(current(app).await, *last);
    }
    let told = stack.admin().does(Method::GET, "/repositories/admin/app/-/tags", &Value::Null).await;
    assert_eq!(told["items"][0]["digest"], *last, "{told}");
}
