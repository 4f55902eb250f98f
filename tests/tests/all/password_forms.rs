//! A password is all of its characters as they were typed: none is cut off, folded or changed into another. CVE-2024-9683 and
//! CVE-2026-19611 were passwords of which less, or something similar, was enough.

use crate::support::{PASSWORD, Stack, origin};
use reqwest::Method;
use serde_json::json;

/// A hundred characters that nobody guesses.
const LONG: &str =
    "vK3-pd0Qm9_xT7wLz2RbnY8cHj5sGf1aVe6uNi4oXkCtZ!MqPdWrBhSyJgFlEAUODIvK3-pd0Qm9_xT7wLz2RbnY8cHj5sGf1aVe";

/// (the password, what is none).
fn pairs() -> Vec<(String, Vec<String>)> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let mut near_long: Vec<String> = [8, 55, 56, 64, 71, 72, 73, 99].map(|length| LONG[..length].to_owned()).into();
    near_long.push(format!("{LONG}x"));
    near_long.push(format!("{}x", &LONG[..99]));
    vec![
        (LONG.to_owned(), near_long),
        ("ｂａｔｔｅｒｙ ｓｔａｐｌｅ".to_owned(), texts(&["battery staple", "ｂａｔｔｅｒｙ staple"])),
        ("battery staple".to_owned(), texts(&["ｂａｔｔｅｒｙ ｓｔａｐｌｅ", "Battery Staple", "battery\u{a0}staple"])),
        (
            "café \u{fb01}n du jour".to_owned(),
            texts(&["cafe\u{301} \u{fb01}n du jour", "café fin du jour", "cafe fin du jour"]),
        ),
        (
            "straße nach Köln".to_owned(),
            texts(&["strasse nach Köln", "STRASSE NACH KÖLN", "straße nach Koln", "straße nach Ko\u{308}ln"]),
        ),
        (
            " a space at both ends ".to_owned(),
            texts(&["a space at both ends", " a space at both ends", "a space at both ends "]),
        ),
        ("zero\u{200b}width joins".to_owned(), texts(&["zerowidth joins"])),
    ]
}

#[tokio::test]
async fn no_password_is_shortened_or_folded() {
    let unbound = [("INDEX_WRONG_PASSWORDS_PER_ADDRESS", "0"), ("INDEX_WRONG_PASSWORDS_PER_ACCOUNT", "0")];
    let stack = Stack::start_with(&unbound).await;
    stack.user("alice").await;
    let mut now = PASSWORD.to_owned();
    for (password, others) in pairs() {
        let change = json!({ "old_password": now, "new_password": password });
        let changing = stack.host.request(Method::PUT, "/api/v1/user/password").basic("alice", &now).json(&change);
        changing.send().await.is(204);
        now.clone_from(&password);
        let basic = async |password: &str| stack.host.get("/token").basic("alice", password).send().await.status;
        let session = async |password: &str| {
            let body = json!({ "name": "alice", "password": password });
            stack.host.post("/api/v1/session").header("Origin", origin(&stack.host)).json(&body).send().await.status
        };
        assert_eq!((basic(&password).await, session(&password).await), (200, 201), "{password}");
        for other in others {
            assert_eq!((basic(&other).await, session(&other).await), (401, 401), "{other:?} for {password:?}");
        }
    }
}

#[tokio::test]
async fn a_password_of_128_characters_is_taken_whole_and_a_longer_one_is_refused_in_words() {
    let stack = Stack::start_with(&[("INDEX_SIGNUP", "open"), ("INDEX_WRONG_PASSWORDS_PER_ADDRESS", "0")]).await;
    // Of two bytes each, since it is characters that count.
    let longest: String = format!("{LONG}ärgerlich überflüssig Öl").chars().cycle().take(128).collect();
    let longer = format!("{longest}x");
    let admin = stack.admin();
    let refused = [
        admin.asks(Method::POST, "/api/v1/admin/users").json(&json!({ "name": "bob", "password": longer })),
        stack.host.post("/api/v1/users").json(&json!({ "name": "bob", "password": longer })),
        admin.asks(Method::POST, "/api/v1/admin/users/admin/reset-password").json(&json!({ "password": longer })),
        admin
            .asks(Method::PUT, "/api/v1/user/password")
            .json(&json!({ "old_password": PASSWORD, "new_password": longer })),
    ];
    for request in refused {
        let answer = request.send().await.is(422);
        assert!(answer.text().contains("8 to 128 characters"), "{}", answer.text());
        assert!(!answer.text().contains(&longer), "{}", answer.text());
    }
    admin.does(Method::POST, "/admin/users", &json!({ "name": "bob", "password": longest })).await;
    let status = async |password: &str| stack.host.get("/token").basic("bob", password).send().await.status;
    let shorter: String = longest.chars().take(127).collect();
    assert_eq!((status(&longest).await, status(&shorter).await, status(&longer).await), (200, 401, 401));
}
