//! Whose an upload is: its opener's, in its repository, with the right to push, and nobody else's, whoever knows its id.

use crate::support::{Answer, Repository, Stack, sha256};
use reqwest::Method;
use serde_json::json;

const CONTENT: &str = "0123456789";

/// Everything that can be asked of an upload.
const METHODS: [Method; 4] = [Method::GET, Method::PATCH, Method::PUT, Method::DELETE];

fn end(location: &str) -> String {
    format!("{location}?digest={}", sha256(CONTENT.as_bytes()))
}

/// What is tried with an upload: it would be the whole blob.
async fn tries(stranger: &Repository, method: &Method, location: &str) -> Answer {
    stranger.request(method.clone(), &end(location)).body(CONTENT).send().await
}

#[tokio::test]
async fn an_upload_is_its_openers_in_its_repository_alone() {
    let stack = Stack::start().await;
    let (admin, alice) = (stack.admin(), stack.user("alice").await);
    let app = admin.repository("admin/app").await;
    let location = app.begin().await;
    let role = json!({ "role": "maintain" });
    admin.does(Method::PUT, "/namespaces/admin/grants/user:alice", &role).await;
    let id = location.rsplit('/').next().unwrap();
    let elsewhere = format!("/v2/admin/other/blobs/uploads/{id}");
    admin.repository("admin/other").await.begin().await;
    let strangers = [
        (alice.repository("admin/app").await, location.as_str()),
        (admin.repository("admin/other").await, elsewhere.as_str()),
    ];
    for (stranger, location) in &strangers {
        for method in METHODS {
            tries(stranger, &method, location).await.refuses(404, "BLOB_UPLOAD_UNKNOWN");
        }
    }
    app.put(&end(&location)).body(CONTENT).send().await.is(201);
}

#[tokio::test]
async fn a_token_without_the_right_to_push_there_neither_sees_nor_touches_an_upload() {
    let stack = Stack::start().await;
    let (admin, bob) = (stack.admin(), stack.user("bob").await);
    let app = admin.repository("admin/app").await;
    let location = app.begin().await;
    app.patch(&location).body("01234").send().await.is(202);
    admin.does(Method::PATCH, "/repositories/admin/app", &json!({ "visibility": "public" })).await;
    admin.does(Method::PUT, "/repositories/admin/app/-/grants/user:bob", &json!({ "role": "read" })).await;
    let other = bob.repository("bob/own").await;
    other.begin().await;
    let with = |token: String| Repository::new(&stack.host, "admin/app", token);
    let strangers = [
        ("pulls there", with(bob.token("repository:admin/app:pull").await)),
        ("asked for more than it got", with(bob.token("repository:admin/app:pull,push,delete").await)),
        ("pushes elsewhere", with(other.token.clone())),
        (
            "pushes elsewhere, pulls there",
            with(bob.token("repository:bob/own:pull,push repository:admin/app:pull").await),
        ),
        ("nobody", with(stack.anonymous().token("repository:admin/app:pull").await)),
        ("the opener, with a token to pull", with(admin.token("repository:admin/app:pull").await)),
        ("the opener, with a token to delete", with(admin.token("repository:admin/app:delete").await)),
        ("the opener, with a token for nothing", with(admin.token("").await)),
    ];
    for (who, stranger) in &strangers {
        for method in METHODS {
            let answer = tries(stranger, &method, &location).await.refuses(401, "UNAUTHORIZED");
            let challenge = answer.header("www-authenticate");
            let wanted = "scope=\"repository:admin/app:pull,push\",error=\"insufficient_scope\"";
            assert!(challenge.ends_with(wanted), "{who}: {method}: {challenge}");
            // Where it stands is nobody's business who may not go on with it.
            assert_eq!((answer.header("range"), answer.header("location")), ("", ""), "{who}: {method}");
        }
    }
    // By the path of a repository where they may push, it is as one that never was.
    let id = location.rsplit('/').next().unwrap();
    for id in [id, "00000000-0000-4000-8000-000000000000"] {
        for method in METHODS {
            let elsewhere = format!("/v2/bob/own/blobs/uploads/{id}");
            tries(&other, &method, &elsewhere).await.refuses(404, "BLOB_UPLOAD_UNKNOWN");
        }
    }
    let status = app.get(&location).send().await.is(204);
    assert_eq!(status.header("range"), "0-4");
    app.put(&end(&location)).body("56789").send().await.is(201);
    let path = format!("blobs/{}", sha256(CONTENT.as_bytes()));
    assert_eq!(app.get(&path).send().await.is(200).text(), CONTENT);
    other.head(&path).send().await.is(404);
}

#[tokio::test]
async fn a_right_to_push_that_is_taken_away_ends_at_the_upload_too() {
    let stack = Stack::start().await;
    let (admin, bob) = (stack.admin(), stack.user("bob").await);
    let grant = "/repositories/admin/app/-/grants/user:bob";
    admin.repository("admin/app").await.begin().await;
    admin.does(Method::PUT, grant, &json!({ "role": "write" })).await;
    let location = bob.repository("admin/app").await.begin().await;
    for (role, status) in [("read", 401), ("write", 201)] {
        admin.does(Method::PUT, grant, &json!({ "role": role })).await;
        // A new token, so that nothing is remembered.
        let app = bob.repository("admin/app").await;
        app.put(&end(&location)).body(CONTENT).send().await.is(status);
    }
}
