//! Two bodies for one upload, sent through two replicas: one of them is written, whoever is stopped where, and no digest
//! ever reads as the other one's bytes.

use crate::support::{Answer, Program, Repository, Stack, data, eventually, sha256, stored};
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// Acknowledged before either of them comes.
const BEGUN: &str = "begun, ";

/// The end that the second client sends.
const SECOND: &str = "ended by the second";

/// The end that the first client sends: longer than the second's, and than what is written in one go.
fn first_end() -> String {
    "ended by the first, ".repeat(100_000)
}

fn whole(end: &str) -> String {
    format!("{BEGUN}{end}")
}

fn digest_of(end: &str) -> String {
    sha256(whole(end).as_bytes())
}

/// An upload of which the beginning is acknowledged.
async fn begun(app: &Repository) -> String {
    let location = app.begin().await;
    app.patch(&location).body(BEGUN).send().await.is(202);
    location
}

/// Sends the rest of the upload, and says whose digest the whole has.
async fn ends(app: &Repository, location: &str, end: &str, digest: &str) -> Option<Answer> {
    app.put(&format!("{location}?digest={digest}")).body(end.to_owned()).attempt().await
}

/// Holds that every replica gives exactly the whole that ends so, or that none has it.
async fn reads(replicas: &[&Repository], end: &str, there: bool) {
    for replica in replicas {
        let answer = replica.get(&format!("blobs/{}", digest_of(end))).send().await;
        if there {
            assert!(answer.is(200).body == whole(end), "other bytes than the digest's");
        } else {
            answer.refuses(404, "BLOB_UNKNOWN");
        }
    }
}

/// Where the first is stopped: as it writes, with a part written or none, as it makes that durable, when all of it is, and
/// before and after it gets its place.
const PLACES: &[&str] = &[
    "stop write /data",
    "stop@3 write /data",
    "stop sync /data",
    "stop pause upload sealed",
    "stop pause blob vetted",
    "stop rename /data",
    "stop pause blob placed",
];

#[tokio::test]
async fn a_writer_that_is_stopped_keeps_the_second_body_out_and_ends_with_its_own() {
    let first_end = first_end();
    for place in PLACES {
        let stack = Stack::start().await;
        let first = stack.admin().repository("admin/app").await;
        let second = first.on(&stack.replica());
        let location = begun(&first).await;
        let stop = stack.arm(place);
        let ending = tokio::spawn({
            let (first, location, end) = (first.clone(), location.clone(), first_end.clone());
            async move { ends(&first, &location, &end, &digest_of(&end)).await.unwrap() }
        });
        stop.reached().await;
        let refused = ends(&second, &location, SECOND, &digest_of(SECOND)).await.unwrap().is(416);
        assert_eq!(refused.header("range"), format!("0-{}", BEGUN.len() - 1), "{place}");
        assert_eq!(refused.header("location"), location, "{place}");
        assert!(!ending.is_finished(), "{place}: it is stopped");
        reads(&[&first, &second], SECOND, false).await;
        // With an upload of its own the second is done meanwhile.
        let own = begun(&second).await;
        ends(&second, &own, SECOND, &digest_of(SECOND)).await.unwrap().is(201);
        drop(stop);
        ending.await.unwrap().is(201);
        for end in [first_end.as_str(), SECOND] {
            reads(&[&first, &second], end, true).await;
        }
        second.patch(&location).body("more").send().await.refuses(404, "BLOB_UPLOAD_UNKNOWN");
    }
}

#[tokio::test]
async fn a_body_is_never_stored_under_the_digest_of_another() {
    let first_end = first_end();
    for place in &PLACES[..3] {
        let stack = Stack::start().await;
        let first = stack.admin().repository("admin/app").await;
        let second = first.on(&stack.replica());
        let location = begun(&first).await;
        let stop = stack.arm(place);
        // One body, and the other's digest.
        let ending = tokio::spawn({
            let (first, location, end) = (first.clone(), location.clone(), first_end.clone());
            async move { ends(&first, &location, &end, &digest_of(SECOND)).await.unwrap() }
        });
        stop.reached().await;
        ends(&second, &location, SECOND, &digest_of(SECOND)).await.unwrap().is(416);
        let own = begun(&second).await;
        ends(&second, &own, SECOND, &digest_of(SECOND)).await.unwrap().is(201);
        drop(stop);
        ending.await.unwrap().refuses(400, "DIGEST_INVALID");
        reads(&[&first, &second], SECOND, true).await;
        reads(&[&first, &second], &first_end, false).await;
    }
}

#[tokio::test]
async fn of_two_ends_at_once_one_is_taken() {
    let stack = Stack::start().await;
    let first = stack.admin().repository("admin/app").await;
    let second = first.on(&stack.replica());
    for round in 0..40 {
        let (one, other) = (format!("one {round}"), format!("the other {round}"));
        let location = begun(&first).await;
        let digests = (digest_of(&one), digest_of(&other));
        let (answer, other_answer) =
            tokio::join!(ends(&first, &location, &one, &digests.0), ends(&second, &location, &other, &digests.1),);
        let outcome = (answer.unwrap().status, other_answer.unwrap().status);
        // Whoever comes second may wait for the first to end, and finds nothing then.
        assert!([(201, 416), (201, 404), (416, 201), (404, 201)].contains(&outcome), "{outcome:?}");
        reads(&[&first, &second], &one, outcome.0 == 201).await;
        reads(&[&first, &second], &other, outcome.1 == 201).await;
    }
}

/// (where the first one is killed, what the second is told of the same upload then).
const DEATHS: &[(&str, u16)] = &[
    ("stop write /data", 201),
    ("stop@3 write /data", 201),
    ("stop sync /data", 201),
    ("stop pause upload sealed", 201),
    // Its bytes have gone to their place, and nothing is left to go on with.
    ("stop pause blob placed", 404),
];

#[tokio::test]
async fn a_writer_that_is_killed_as_it_stands_is_followed_by_the_second_body() {
    let first_end = first_end();
    let folder = tempfile::tempdir().unwrap();
    for (number, (place, status)) in DEATHS.iter().enumerate() {
        // No part of the path that rules look for.
        let shared = folder.path().join(format!("shared{number}"));
        let survivor = Program::start_well(&shared).await;
        let second = survivor.admin().repository("admin/app").await;
        let location = begun(&second).await;
        let mut victim = Program::start(&shared, place).await.unwrap();
        let ending = tokio::spawn({
            let (first, location, end) = (second.on(&victim.host), location.clone(), first_end.clone());
            async move { ends(&first, &location, &end, &digest_of(&end)).await }
        });
        second.until_written(&location).await;
        // Refused as long as the first lives, however long it stands.
        ends(&second, &location, SECOND, &digest_of(SECOND)).await.unwrap().is(416);
        assert!(!ending.is_finished(), "{place}: it is stopped");
        if *status == 404 {
            let bytes = stored(&shared.join("registry"), &data(&digest_of(&first_end)));
            eventually("its bytes are in their place", PATIENCE, async || bytes.exists()).await;
        }
        victim.kill();
        assert!(ending.await.unwrap().is_none(), "{place}: nobody acknowledged it");

        ends(&second, &location, SECOND, &digest_of(SECOND)).await.unwrap().is(*status);
        if *status != 201 {
            let own = begun(&second).await;
            ends(&second, &own, SECOND, &digest_of(SECOND)).await.unwrap().is(201);
        }
        follows(&second, &shared, &location, &first_end).await;
    }
}

/// The second one's body is the only one there is, on a replica started anew too, and the first is told so.
async fn follows(second: &Repository, shared: &Path, location: &str, first_end: &str) {
    let anew = Program::start_well(shared).await;
    let first = second.on(&anew.host);
    reads(&[second, &first], SECOND, true).await;
    reads(&[second, &first], first_end, false).await;
    let late = ends(&first, location, first_end, &digest_of(first_end)).await.unwrap();
    late.refuses(404, "BLOB_UPLOAD_UNKNOWN");
    reads(&[second, &first], SECOND, true).await;
}
