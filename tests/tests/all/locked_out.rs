//! Whatever a crowd guesses, it locks no owner out: not where she signed in lately, nor at a new address, nor after a restart.

use crate::guessing::{answered, from, start, status};
use crate::support::{Host, PASSWORD, Program, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::time::Duration;

#[tokio::test]
async fn a_crowd_that_guesses_locks_no_owner_out() {
    let stack = start(6, 5).await;
    let alice = stack.user("alice").await;
    stack.user("bob").await;
    let made = alice.does(Method::POST, "/user/tokens", &json!({ "name": "laptop" })).await;
    let home = from(&stack, 0, 2);
    assert_eq!(status(&home, "alice", PASSWORD).await, 200);
    assert_eq!(answered(&from(&stack, 1, 1), "alice").await, 6, "the limit of an address");
    for number in 2..=5 {
        // A try of the account's limit may have come back meanwhile.
        let guessed = answered(&from(&stack, 1, number), "alice").await;
        assert!((3..=4).contains(&guessed), "beyond the account's limit there are few: {guessed}");
    }
    // She gets in from where she signed in lately, from a new address, and with an access token from anywhere.
    let elsewhere = from(&stack, 2, 1);
    for host in [&home, &elsewhere] {
        assert_eq!(status(host, "alice", PASSWORD).await, 200);
    }
    assert_eq!(status(&from(&stack, 1, 5), "alice", PASSWORD).await, 429, "and from nowhere where too much was wrong");
    let secret = made["secret"].as_str().unwrap();
    for host in [&elsewhere, &from(&stack, 1, 1)] {
        assert_eq!(status(host, "alice", secret).await, 200);
        host.get("/api/v1/user").token(secret).send().await.is(200);
    }
    assert_eq!(status(&elsewhere, "bob", PASSWORD).await, 200, "nobody else is meant");
    // What is wrong at home is held back too, for its account alone.
    assert_eq!(answered(&home, "alice").await, 6);
    assert_eq!((status(&home, "alice", PASSWORD).await, status(&home, "bob", PASSWORD).await), (429, 200));
    // The old password is a password too.
    let change = json!({ "old_password": "wrong password", "new_password": "battery staple" });
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(bob_changes(&elsewhere, &change).await);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 6, "{statuses:?}");
}

async fn bob_changes(host: &Host, change: &Value) -> u16 {
    host.request(Method::PUT, "/api/v1/user/password").basic("bob", PASSWORD).json(change).send().await.status
}

#[tokio::test]
async fn a_crowd_that_comes_at_once_locks_no_owner_out_of_a_new_address() {
    let stack = start(6, 5).await;
    stack.user("alice").await;
    stack.user("bob").await;
    let crowd = (1..=40).map(|number| {
        let host = from(&stack, 1, number);
        async move { answered(&host, "alice").await }
    });
    // Everybody else goes on beside it, and so does she at the latest when their tries are used up.
    let (guessed, (bob, alice)) = tokio::join!(futures_util::future::join_all(crowd), async {
        (status(&from(&stack, 2, 1), "bob", PASSWORD).await, status(&from(&stack, 2, 2), "alice", PASSWORD).await)
    });
    assert!(guessed.iter().all(|guessed| *guessed <= 6), "{guessed:?}");
    assert_eq!(bob, 200);
    if alice != 200 {
        assert_eq!(alice, 503, "she came while too many waited");
        assert_eq!(status(&from(&stack, 2, 2), "alice", PASSWORD).await, 200);
    }
}

#[tokio::test]
async fn where_the_owner_signed_in_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let limit = [("INDEX_WRONG_PASSWORDS_PER_ADDRESS", "3")];
    let home = |program: &Program| program.host.from(Ipv4Addr::new(127, 0, 0, 2));
    // What others guess from there is in her way as long as she is not known there.
    let is_known = async |program: &Program| {
        let home = home(program);
        answered(&home, "nobody").await;
        status(&home, "admin", PASSWORD).await == 200
    };
    let mut program = Program::start_with(&data, &limit).await;
    assert!(!is_known(&program).await);
    program.kill();
    let mut program = Program::start_with(&data, &limit).await;
    assert_eq!(status(&home(&program), "admin", PASSWORD).await, 200);
    eventually("it is noted", Duration::from_secs(5), async || is_known(&program).await).await;
    program.kill();
    let program = Program::start_with(&data, &limit).await;
    assert!(is_known(&program).await);
}
