//! What storage remembers of an upload between two requests: damaged in any way, it never makes a blob of other bytes.

use crate::support::{Stack, sha256};
use std::fs;

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
];

#[tokio::test]
async fn a_damaged_state_is_mended_or_ends_the_upload() {
    let stack = Stack::start().await;
    for (number, (what, damage, status)) in DAMAGES.iter().enumerate() {
        let app = stack.admin().repository(&format!("admin/app{number}")).await;
        let location = app.begin().await;
        app.patch(&location).body(BEGUN).send().await.is(202);
        let id = location.rsplit('/').next().unwrap();
        let file = stack.stored(&format!("repositories/{}/_uploads/{id}/berth", app.name));
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
