//! The slashes of a repository's name in an address of the REST API: as they are or as `%2F`, it is one resource, also
//! through the nginx of the compose stack.

use crate::support::{Nginx, Stack, User};
use reqwest::Method;
use serde_json::{Value, json};

/// The same name, written in all ways.
const SPELLINGS: &[&str] = &["acme/tools/app", "acme%2Ftools%2Fapp", "acme%2ftools%2fapp", "acme/tools%2Fapp"];

/// What follows the name in the addresses of things that are shown.
const SHOWN: &[&str] = &["", "/-/tags", "/-/grants", "/-/explain", "/-/manifests/DIGEST"];

#[tokio::test]
async fn a_name_with_its_slashes_encoded_is_the_same_repository() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    admin.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    stack.user("bob").await;
    let digest = admin.repository("acme/tools/app").await.push_image("v1", "layer").await.digest;
    let nginx = Nginx::before(&stack.host, &stack.stored("blobs")).await;

    for admin in [&admin, &User::new(&nginx.host, "admin")] {
        let repository = |name: &str, rest: &str| format!("/repositories/{name}{rest}");
        for rest in SHOWN.iter().map(|rest| rest.replace("DIGEST", &digest)) {
            let mut seen = Vec::new();
            for name in SPELLINGS {
                let answer = admin.asks(Method::GET, &format!("/api/v1{}", repository(name, &rest))).send().await;
                seen.push((answer.status, answer.header("etag").to_owned(), answer.json()));
            }
            assert_eq!(seen[0].0, 200, "{rest}: {seen:?}");
            assert!(seen.iter().all(|one| *one == seen[0]), "{rest}: {seen:#?}");
        }
        for (number, name) in SPELLINGS.iter().enumerate() {
            let of = |rest: &str| repository(name, rest);
            let description = format!("number {number}");
            // What is changed by one spelling is seen by all.
            admin.does(Method::PATCH, &of(""), &json!({ "description": description })).await;
            admin.does(Method::PUT, &of("/-/grants/user:bob"), &json!({ "role": "read" })).await;
            for other in SPELLINGS {
                let seen = admin.does(Method::GET, &repository(other, ""), &Value::Null).await;
                assert_eq!(seen["description"], *description, "{name} {other}");
                let held = admin.does(Method::GET, &repository(other, "/-/grants"), &Value::Null).await;
                assert_eq!(held["items"][0]["subject"], "user:bob", "{name} {other}");
            }
            admin.does(Method::DELETE, &of("/-/grants/user:bob"), &Value::Null).await;
            // Made, renamed, deleted and restored by it, and where it is said to be it is.
            let encoded = format!("acme%2Fmade-{number}");
            let made = admin.asks(Method::PUT, &format!("/api/v1/repositories/{encoded}")).json(&json!({}));
            let made = made.send().await.is(201);
            admin.asks(Method::GET, made.header("location")).send().await.is(200);
            assert_eq!(made.json()["name"], format!("acme/made-{number}"));
            admin.does(Method::DELETE, &format!("/repositories/{encoded}"), &Value::Null).await;
            admin.does(Method::POST, &format!("/repositories/{encoded}/-/restore"), &Value::Null).await;
            let renamed = json!({ "name": format!("acme/renamed-{number}") });
            admin.does(Method::POST, &format!("/repositories/{encoded}/-/rename"), &renamed).await;
            admin.does(Method::DELETE, &format!("/repositories/acme%2Frenamed-{number}"), &Value::Null).await;
            admin.does(Method::POST, &format!("/repositories/acme%2Frenamed-{number}/-/purge"), &Value::Null).await;
        }
    }
    // One encoding is undone, and not a second one; and none of them leads out of a name.
    for name in
        ["acme%252Ftools%252Fapp", "acme%2F..%2Facme%2Ftools%2Fapp", "acme%2F%2Ftools%2Fapp", "acme%2F-%2Fgrants"]
    {
        let answer = admin.asks(Method::GET, &format!("/api/v1/repositories/{name}")).send().await;
        assert!([400, 404].contains(&answer.status), "{}: {}", answer.what, answer.text());
    }
}
