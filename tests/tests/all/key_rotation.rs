//! Keys that replace each other: published first, then in turn, until the last token of the one before is over; and
//! withdrawn at once when one was stolen. Seen at the index and at a registry that asks it over HTTP.

use crate::support::{Call, Program, Stack, berth, eventually};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

/// An index looks at its keys every five seconds.
const NOTICED: Duration = Duration::from_secs(15);

/// The ids of the published keys.
async fn published(stack: &Stack) -> Vec<String> {
    let keys = stack.host.get("/.well-known/jwks.json").send().await.is(200).json();
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// The id of the key that signed a token.
fn kid(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

/// What `berth keys list` says that each key does.
async fn states(stack: &Stack) -> Vec<String> {
    let listed = berth(stack.folder(), &["keys", "list"]).await.unwrap();
    listed.lines().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_new_key_is_published_before_it_signs_and_the_old_one_goes_on_meanwhile() {
    let stack = Stack::start().await;
    let registry = Program::start_beside(&stack, &[]).await;
    let admin = stack.admin();
    let old = admin.token("").await;
    registry.host.get("/v2/").token(&old).send().await.is(200);

    let told = berth(stack.folder(), &["keys", "rotate", "--after", "8s"]).await.unwrap();
    assert_eq!((told.lines().count(), states(&stack).await), (2, ["signing", "waiting"].map(str::to_owned).into()));
    eventually("both are published", NOTICED, async || published(&stack).await.len() == 2).await;
    let token = admin.token("").await;
    assert_eq!(kid(&token), kid(&old), "the new one waits for its turn");
    let again = berth(stack.folder(), &["keys", "rotate"]).await.unwrap_err();
    assert!(again.contains("wait until it does"), "{again}");

    let next = published(&stack).await.pop().unwrap();
    eventually("the new one signs", NOTICED, async || kid(&admin.token("").await) == next).await;
    assert_eq!(states(&stack).await, ["fading", "signing"]);
    // A registry meets the new key with its first token, and takes the old one's as before; so does the index.
    for token in [&admin.token("").await, &old, &token] {
        registry.host.get("/v2/").token(token).send().await.is(200);
        stack.host.get("/v2/").token(token).send().await.is(200);
    }
    assert_eq!(published(&stack).await.len(), 2);
}

#[tokio::test]
async fn a_stolen_key_is_withdrawn_at_once_with_all_that_it_signed() {
    let stack = Stack::start().await;
    let registry = Program::start_beside(&stack, &[]).await;
    let admin = stack.admin();
    berth(stack.folder(), &["keys", "rotate"]).await.unwrap();
    let (old, mut known) = (admin.token("").await, published(&stack).await);
    registry.host.get("/v2/").token(&old).send().await.is(200);
    let told = berth(stack.folder(), &["keys", "rotate", "--now"]).await.unwrap();
    assert!(told.lines().count() == 1 && told.trim_end().ends_with("signing"), "{told}");

    let new = told.split(' ').next().unwrap();
    eventually("the new one is alone", NOTICED, async || published(&stack).await == [new]).await;
    let token = admin.token("").await;
    assert_eq!(kid(&token), new);
    known.retain(|kid| kid == new);
    assert!(known.is_empty(), "it was known to nobody before");
    for host in [&registry.host, &stack.host] {
        // A registry looks for unknown keys every five seconds at most.
        let is_taken = async || host.get("/v2/").token(&token).send().await.status == 200;
        eventually("the new one's are taken", Duration::from_secs(8), is_taken).await;
        // What was confirmed is remembered for a second.
        let is_refused = async || host.get("/v2/").token(&old).send().await.status == 401;
        eventually("the old one's tokens are refused", Duration::from_secs(3), is_refused).await;
    }
}

#[tokio::test]
async fn keys_are_for_their_owner_s_eyes() {
    let stack = Stack::start().await;
    berth(stack.folder(), &["keys", "rotate"]).await.unwrap();
    let folder = stack.folder().join("token-keys");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() == 2 && files.iter().all(|file| mode(file) == 0o600), "{files:?}");
    let nowhere = tempfile::tempdir().unwrap();
    for command in ["list", "rotate", "bundle"] {
        let error = berth(nowhere.path(), &["keys", command]).await.unwrap_err();
        assert!(error.contains("when it is started"), "{error}");
    }
    assert_eq!(fs::read_dir(nowhere.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_does_not_reach_the_index() {
    let stack = Stack::start().await;
    let (registry, index) = stack.unsteady_replica();
    let good = stack.admin().token("").await;
    let payload = good.split_once('.').unwrap().1;
    for number in 0..100 {
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": "ES256", "kid": number.to_string() }).to_string());
        registry.get("/v2/").token(&format!("{header}.{payload}")).send().await.is(401);
    }
    assert!(index.count(Call::Keys) <= 2, "{}", index.count(Call::Keys));
    registry.get("/v2/").token(&good).send().await.is(200);
}
