//! What storage remembers of an upload between two requests: damaged in any way, it never makes a blob of other bytes.

use crate::support::{Repository, Stack, sha256};
use futures_util::StreamExt;
use std::fs;
use std::path::PathBuf;

const BEGUN: &str = "0123";
const REST: &str = "456789";

/// (what is wrong, a change of the state's text, status of the end).
type Damage = (&'static str, fn(&str) -> String, u16);

const DAMAGES: &[Damage] = &[
    ("nothing", str::to_owned, 201),
    // Hashed again from the bytes themselves.
    ("another version of the hash", |state| state.replace("sha2-0.11:", "sha2-9.99:"), 201),
    ("a hash that is cut", |state| state.replace("sha2-0.11:", "sha2-0.11:0"), 201),
    // Gone on with, and then not what the client says.
    ("a hash of something else", |state| state.replacen("6a09", "6a08", 1).replacen("67e6", "67e7", 1), 400),
    ("half of it", |state| state[..state.len() / 2].to_owned(), 404),
    ("all of it", |_| String::new(), 404),
    ("more bytes than there are", |state| state.replace("\"offset\":4", "\"offset\":9"), 404),
    // What is missing is not taken for hashed already.
    ("fewer bytes than there are", |state| state.replace("\"offset\":4", "\"offset\":0"), 400),
];

#[tokio::test]
async fn a_damaged_state_is_mended_or_ends_the_upload() {
    let stack = Stack::start().await;
    for (number, (what, damage, status)) in DAMAGES.iter().enumerate() {
        let app = stack.admin().repository(&format!("admin/app{number}")).await;
        let location = app.begin().await;
        app.patch(&location).body(BEGUN).send().await.is(202);
        let file = state_of(&stack, &app, &location);
        let state = fs::read_to_string(&file).unwrap();
        let damaged = damage(&state);
        assert!(damaged != state || *what == "nothing", "{what}: {state}");
        fs::write(&file, damaged).unwrap();
        let whole = format!("{BEGUN}{REST}");
        let digest = sha256(whole.as_bytes());
        let answer = app.put(&format!("{location}?digest={digest}")).body(REST).send().await;
        assert_eq!(answer.status, *status, "{what}: {}", answer.text());
        let blob = app.get(&format!("blobs/{digest}")).send().await;
        assert_eq!(blob.status, if *status == 201 { 200 } else { 404 }, "{what}");
        assert!(*status != 201 || blob.text() == whole, "{what}");
    }
}

/// Where the state of an upload lies.
fn state_of(stack: &Stack, app: &Repository, location: &str) -> PathBuf {
    let id = location.rsplit('/').next().unwrap();
    stack.stored(&format!("repositories/{}/_uploads/{id}/berth", app.name))
}

#[tokio::test]
async fn whatever_byte_of_a_state_is_another_no_blob_of_other_bytes_comes_of_it() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let begin = async || {
        let location = app.begin().await;
        app.patch(&location).body(BEGUN).send().await.is(202);
        location
    };
    let state = fs::read(state_of(&stack, &app, &begin().await)).unwrap();
    // The hash is one long number: every seventh digit of it will do.
    let hash = state.windows(5).position(|bytes| bytes == b"sha2-").unwrap() + 20;
    let bytes = (0..state.len()).filter(|byte| !(hash..hash + 180).contains(byte) || byte % 7 == 0);
    let flips: Vec<_> = bytes.flat_map(|byte| [1, 4].map(|flip| (byte, flip))).collect();
    let tries = flips.iter().map(|(byte, flip)| {
        let (stack, app, begin) = (&stack, &app, &begin);
        async move {
            let location = begin().await;
            let file = state_of(stack, app, &location);
            let mut state = fs::read(&file).unwrap();
            state[*byte] ^= flip;
            let what = format!("byte {byte}: {}", String::from_utf8_lossy(&state));
            fs::write(&file, state).unwrap();
            // Another end for each: no blob is there because of another one.
            let (rest, whole) = (format!("{REST} {byte} {flip}"), format!("{BEGUN}{REST} {byte} {flip}"));
            let path = format!("blobs/{}", sha256(whole.as_bytes()));
            let end = format!("{location}?digest={}", sha256(whole.as_bytes()));
            let answer = app.put(&end).body(rest).send().await;
            let blob = app.get(&path).send().await;
            if answer.status == 201 {
                assert_eq!(blob.is(200).text(), whole, "{what}");
            } else {
                assert!((400..500).contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
                assert_eq!(blob.status, 404, "{what}");
            }
        }
    });
    futures_util::stream::iter(tries).buffer_unordered(16).collect::<Vec<()>>().await;
}

#[tokio::test]
async fn an_id_of_which_one_character_is_another_is_nobodys() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let location = app.begin().await;
    let id = location.rsplit('/').next().unwrap();
    for place in 0..id.len() {
        for other in ["0", "f", "F", "-", "%2e", "%00"] {
            let wrong = format!("blobs/uploads/{}{other}{}", &id[..place], &id[place + 1..]);
            if !location.ends_with(&wrong) {
                app.get(&wrong).send().await.refuses(404, "BLOB_UPLOAD_UNKNOWN");
                app.patch(&wrong).body(BEGUN).send().await.refuses(404, "BLOB_UPLOAD_UNKNOWN");
            }
        }
    }
    assert_eq!(app.get(&location).send().await.is(204).header("range"), "0-0");
}
