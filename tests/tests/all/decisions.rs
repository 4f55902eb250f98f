//! A refused push or pull tells one sentence and the id of a decision, by which whoever runs the instance finds out who was
//! refused what, and what that one holds; and says nothing of whether the repository exists.

use crate::support::{Answer, Repository, Stack, User, claims};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// What a client is told when it may not push to `name`.
async fn refused(user: &User, name: &str) -> Answer {
    user.repository(name).await.post("blobs/uploads/").send().await.refuses(401, "UNAUTHORIZED")
}

fn id(answer: &Answer) -> String {
    let error = &answer.json()["errors"][0];
    let id = error["detail"]["decision"].as_str().unwrap().to_owned();
    let sentence = format!(
        "the repository does not exist, or you may not do this there; docker login with an account that may, or ask an \
         administrator about decision {id}"
    );
    assert_eq!(error["message"], sentence);
    id
}

async fn decision(stack: &Stack, id: &str) -> Value {
    // It is there as soon as it is told.
    stack.admin().asks(Method::GET, &format!("/api/v1/admin/decisions/{id}")).send().await.is(200).json()
}

#[tokio::test]
async fn whoever_is_refused_is_told_a_decision_that_an_administrator_looks_up() {
    let stack = Stack::start().await;
    let (admin, bob) = (stack.admin(), stack.user("bob").await);
    admin.repository("admin/app").await.push_image("v1", "layer").await;
    admin.does(Method::PUT, "/repositories/admin/app/-/grants/user:bob", &json!({ "role": "read" })).await;
    let seen = decision(&stack, &id(&refused(&bob, "admin/app").await)).await;
    assert_eq!((&seen["subject"], &seen["address"]), (&json!("user:bob"), &json!("127.0.0.1")));
    assert_eq!(seen["asked"], "repository:admin/app:pull,push,delete");
    assert_eq!(seen["granted"], "repository:admin/app:pull");
    assert_eq!(seen["now"][0]["role"], "read");
    assert_eq!(seen["now"][0]["reasons"][0]["because"], "grant");
    // It is for administrators alone, and only what is refused is noted.
    let path = format!("/api/v1/admin/decisions/{}", seen["id"].as_str().unwrap());
    bob.asks(Method::GET, &path).send().await.is(403);
    stack.anonymous().asks(Method::GET, &path).send().await.is(401);
    let granted = claims(&bob.token("repository:admin/app:pull").await);
    let path = format!("/api/v1/admin/decisions/{}", granted["jti"].as_str().unwrap());
    admin.asks(Method::GET, &path).send().await.is(404);
}

#[tokio::test]
async fn what_is_private_and_what_is_absent_are_refused_with_the_same_words() {
    let stack = Stack::start().await;
    let bob = stack.user("bob").await;
    stack.admin().repository("admin/secret").await.push_image("v1", "layer").await;
    for user in [&bob, &stack.anonymous()] {
        let [private, absent] = ["admin/secret", "admin/nothing"];
        let told = [refused(user, private).await, refused(user, absent).await];
        let ids = told.each_ref().map(id);
        let bodies = [0, 1].map(|i| told[i].text().replace(&ids[i], "ID").replace([private, absent][i], "NAME"));
        assert_eq!(bodies[0], bodies[1]);
        // The administrator sees which of them there is.
        for (id, explained) in ids.iter().zip([1, 0]) {
            assert_eq!(decision(&stack, id).await["now"].as_array().unwrap().len(), explained);
        }
    }
}

#[tokio::test]
async fn who_is_refused_without_end_has_so_many_noted_and_others_have_theirs() {
    let stack = Stack::start().await;
    let (admin, bob) = (stack.admin(), stack.user("bob").await);
    let before = id(&refused(&bob, "admin/app").await);
    let stranger = stack.anonymous();
    let flood = join_all((0..300).map(|_| stranger.token("repository:admin/app:pull"))).await;
    let after = id(&refused(&bob, "admin/app").await);
    for id in [before, after] {
        assert_eq!(decision(&stack, &id).await["subject"], "user:bob");
    }
    let secret = admin.does(Method::POST, "/user/tokens", &json!({ "name": "all" })).await["secret"].clone();
    let mut noted = 0;
    for token in flood {
        let path = format!("/api/v1/admin/decisions/{}", claims(&token)["jti"].as_str().unwrap());
        noted += usize::from(stack.host.get(&path).token(secret.as_str().unwrap()).send().await.status == 200);
    }
    // Those of a minute, and of the few seconds that this took.
    assert!((60..90).contains(&noted), "{noted}");
}

#[tokio::test]
async fn a_token_that_is_not_good_at_all_has_no_decision() {
    let stack = Stack::start().await;
    let nobody = Repository::new(&stack.host, "admin/app", "x".to_owned());
    let answer = nobody.get("manifests/v1").send().await.refuses(401, "UNAUTHORIZED");
    assert_eq!(answer.json()["errors"][0]["detail"], json!({ "scope": "repository:admin/app:pull" }));
}
