//! Mounting a blob of another repository: OCI distribution spec 1.1, end-11. Who may not read the source learns nothing.

use crate::support::{Answer, Call, Repository, Stack, User, eventually, sha256};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// Whatever happens at once does so within it on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(20);

const CONTENT: &[u8] = b"a layer";

/// `alice` with a repository of her own that has the blob; so have `admin/private` and `admin/public`.
async fn stack_with_sources() -> (Stack, User) {
    let stack = Stack::start().await;
    let alice = stack.user("alice").await;
    let admin = stack.admin();
    admin.does(Method::PUT, "/repositories/admin/public", &json!({ "visibility": "public" })).await;
    for (user, name) in [(&alice, "alice/source"), (&admin, "admin/private"), (&admin, "admin/public")] {
        user.repository(name).await.push_blob(CONTENT).await;
    }
    (stack, alice)
}

/// Asks for a mount into `alice/<target>` with a token for that and these scopes.
async fn mount(alice: &User, target: &str, scopes: &str, query: &str) -> (Repository, Answer) {
    let name = format!("alice/{target}");
    let token = alice.token(&format!("repository:{name}:pull,push {scopes}")).await;
    let repository = Repository::new(&alice.host, &name, token);
    let answer = repository.post(&format!("blobs/uploads/?mount={query}")).send().await;
    (repository, answer)
}

/// OCI 1.1 end-11: (further scope of the token, `from`, status).
const MOUNTS: &[(&str, &str, u16)] = &[
    ("repository:alice/source:pull", "&from=alice/source", 201),
    ("repository:admin/public:pull", "&from=admin/public", 201),
    // Without a source: what the token itself lists, and nothing else that this person may read.
    ("repository:alice/source:pull", "", 201),
    ("repository:admin/public:pull", "", 201),
    ("repository:admin/private:pull repository:alice/source:pull", "", 201),
    ("repository:admin/private:pull", "", 202),
    ("repository:alice/source:pull", "&from=", 201),
    ("repository:admin/private:pull", "&from=", 202),
    ("repository:alice/source:push", "", 202),
    ("repository:alice/nothing:pull", "", 202),
    ("", "", 202),
    ("repository:admin/private:pull", "&from=admin/private", 202),
    ("repository:alice/nothing:pull", "&from=alice/nothing", 202),
    ("", "&from=NOT/A/NAME", 202),
    ("", "&from=alice/source", 401),
    ("", "&from=admin/private", 401),
    ("", "&from=no/such", 401),
];

#[tokio::test]
async fn a_blob_is_mounted_from_what_the_token_may_pull() {
    let (_stack, alice) = stack_with_sources().await;
    let digest = sha256(CONTENT);
    for (number, (scope, from, status)) in MOUNTS.iter().enumerate() {
        let (target, answer) = mount(&alice, &format!("target{number}"), scope, &format!("{digest}{from}")).await;
        let answer = answer.is(*status);
        let blob = target.head(&format!("blobs/{digest}")).send().await;
        match status {
            201 => {
                assert_eq!(answer.header("docker-content-digest"), digest);
                assert_eq!(answer.header("location"), format!("/v2/{}/blobs/{digest}", target.name));
                assert_eq!(blob.is(200).header("content-length"), CONTENT.len().to_string());
            }
            202 => {
                blob.is(404);
                let end = format!("{}?digest={digest}", answer.header("location"));
                target.put(&end).body(CONTENT).send().await.is(201);
            }
            _ => {
                let source = from.trim_start_matches("&from=");
                let scopes = format!("scope=\"repository:{}:pull,push repository:{source}:pull\"", target.name);
                let challenge = answer.header("www-authenticate");
                assert!(challenge.contains(&scopes) && challenge.contains("insufficient_scope"), "{challenge}");
            }
        }
    }
}

#[tokio::test]
async fn a_source_that_was_made_with_the_same_token_a_moment_ago_is_one() {
    let (stack, alice) = stack_with_sources().await;
    let (host, index) = stack.unsteady_replica();
    let token = alice.token("repository:alice/source:pull,push repository:alice/new:pull,push").await;
    let (target, source) = ("alice/source", "alice/new");
    let [target, source] = [target, source].map(|name| Repository::new(&host, name, token.clone()));
    // Confirmed while nothing lay there, and nobody tells the registry that this is no longer so.
    target.push_blob(b"a first layer").await;
    index.hold(Call::Revocations);
    let digest = source.push_blob(b"a layer of the new source").await;
    target.post(&format!("blobs/uploads/?mount={digest}&from={}", source.name)).send().await.is(201);
}

#[tokio::test]
async fn a_refused_source_answers_as_one_that_is_not_there() {
    let (_stack, alice) = stack_with_sources().await;
    let (there, nowhere) = (sha256(CONTENT), sha256(b"nowhere"));
    let mut seen = Vec::new();
    for (source, digest) in
        [("admin/private", &there), ("admin/private", &nowhere), ("admin/nothing", &there), ("no/such", &there)]
    {
        let scope = format!("repository:{source}:pull");
        for from in [format!("&from={source}"), String::new()] {
            let (_, answer) = mount(&alice, "target", &scope, &format!("{digest}{from}")).await;
            let answer = answer.is(202);
            // An upload like any other: its place tells nothing but its id.
            let (place, id) = answer.header("location").rsplit_once('/').unwrap();
            assert_eq!((place, id), ("/v2/alice/target/blobs/uploads", answer.header("docker-upload-uuid")));
            seen.push((answer.lasting_headers(), answer.body.clone()));
        }
    }
    assert!(seen.iter().all(|other| *other == seen[0]), "{seen:?}");
}

#[tokio::test]
async fn without_a_source_the_target_itself_is_looked_at() {
    let (_stack, alice) = stack_with_sources().await;
    let (_, answer) = mount(&alice, "source", "", &sha256(CONTENT)).await;
    answer.is(201);
}

#[tokio::test]
async fn a_right_to_the_source_that_was_taken_away_mounts_nothing() {
    let (stack, alice) = stack_with_sources().await;
    let admin = stack.admin();
    let grant = "/repositories/admin/private/-/grants/user:alice";
    admin.does(Method::PUT, grant, &json!({ "role": "read" })).await;
    let token = alice.token("repository:alice/target:pull,push repository:admin/private:pull").await;
    admin.does(Method::DELETE, grant, &json!(null)).await;
    let target = Repository::new(&stack.host, "alice/target", token);
    let path = format!("blobs/uploads/?mount={}&from=admin/private", sha256(CONTENT));
    // The whole token is void: it says what is no longer true.
    target.post(&path).send().await.refuses(401, "UNAUTHORIZED");
}

/// What the administrator does between a mount's look at the source and its link, so that `alice` may no longer pull.
const TAKINGS: &[(&str, &str)] = &[
    ("DELETE", "/repositories/admin/private/-/grants/user:alice"),
    ("DELETE", "/repositories/admin/private"),
    ("PATCH", "/admin/users/alice"),
];

#[tokio::test]
async fn a_right_to_the_source_that_is_taken_away_during_the_mount_mounts_nothing() {
    for (method, path) in TAKINGS {
        for from in ["&from=admin/private", ""] {
            let (stack, alice) = stack_with_sources().await;
            let admin = stack.admin();
            let grant = "/repositories/admin/private/-/grants/user:alice";
            admin.does(Method::PUT, grant, &json!({ "role": "read" })).await;
            // As docker asks: without a source, the token's only other repository is meant.
            let token = alice.token("repository:alice/target:pull,push repository:admin/private:pull").await;
            let target = Repository::new(&stack.host, "alice/target", token);
            let stop = stack.arm("stop pause mount looked");
            let mounting = target.post(&format!("blobs/uploads/?mount={}{from}", sha256(CONTENT))).send();
            let taking = async {
                stop.reached().await;
                let body = if *method == "PATCH" { json!({ "disabled": true }) } else { Value::Null };
                admin.does(method.parse().unwrap(), path, &body).await;
                drop(stop);
            };
            let (answer, ()) = tokio::join!(mounting, taking);
            let answer = answer.is(202);
            assert!(answer.header("location").starts_with("/v2/alice/target/blobs/uploads/"), "{method} {path}{from}");
            is_nowhere(&stack, &format!("{method} {path}{from}"));
        }
    }
}

/// Holds that the target has no link to the blob.
fn is_nowhere(stack: &Stack, what: &str) {
    let link = stack.stored(&format!("repositories/alice/target/_layers/sha256/{}", &sha256(CONTENT)[7..]));
    assert!(!link.exists(), "{what}: it was mounted");
}

#[tokio::test]
async fn a_mount_that_the_index_does_not_answer_about_mounts_nothing_and_gives_its_lock_back() {
    let (stack, alice) = stack_with_sources().await;
    let (host, index) = stack.unsteady_replica();
    let token = alice.token("repository:alice/target:pull,push,delete repository:alice/source:pull").await;
    let target = Repository::new(&stack.host, "alice/target", token);
    let other = target.push_blob(b"to be deleted").await;
    let path = format!("blobs/uploads/?mount={}&from=alice/source", sha256(CONTENT));
    let stop = stack.arm("stop pause mount looked");
    let mounting = tokio::spawn(target.on(&host).post(&path).send());
    stop.reached().await;
    let asked = index.count(Call::Introspect);
    index.hold(Call::Introspect);
    drop(stop);
    eventually("the index is asked again", PATIENCE, async || index.count(Call::Introspect) > asked).await;
    assert!(!mounting.is_finished(), "it waits for the answer");
    // Whoever needs the repository to itself waits no longer than for other locks.
    target.delete(&format!("blobs/{other}")).send().await.is(202);
    mounting.await.unwrap().refuses(503, "UNAVAILABLE");
    is_nowhere(&stack, "without an answer");
    index.fail(None);
    target.post(&path).send().await.is(201);
}
