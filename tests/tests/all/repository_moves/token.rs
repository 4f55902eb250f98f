//! Wishes themselves: which tokens carry one, and what becomes of one that comes late or twice.

use super::{NAME, Scene};
use crate::support::{Repository, Stack, Wishes};
use serde_json::{Value, json};

#[tokio::test]
async fn a_wish_that_comes_late_or_twice_changes_nothing() {
    let scene = Scene::set().await;
    let put_away = scene.wishes.sign(&scene.wishes.claims(&scene.wish("put_away")));
    let early = scene.wishes.sign(&scene.wishes.claims(&scene.wish("purge")));
    scene.does("restore").await;
    let answer = scene.wishes.request(&put_away).send().await.is(200).json();
    assert_eq!(answer, json!({ "outcome": "late", "number": 1002 }));
    scene.is_whole().await;
    let twice = scene.wishes.sign(&scene.wishes.claims(&scene.wish("put_away")));
    for _ in 0..2 {
        scene.wishes.request(&twice).send().await.is(200);
        scene.is_away().await;
    }
    scene.does("restore").await;
    assert_eq!(scene.wishes.request(&early).send().await.is(200).json()["outcome"], "late");
    scene.is_whole().await;
    for id in ["../../x", "", "x"] {
        let wish = json!({ "verb": "purge", "repository": NAME, "repository_id": id });
        assert_eq!(scene.wishes.wish(&wish).await.is(200).json()["outcome"], "refused", "{id}");
    }
}

#[tokio::test]
async fn a_wish_is_taken_by_its_own_token_only_and_that_opens_nothing_else() {
    let scene = Scene::set().await;
    let admin = scene.stack.admin();
    let good = scene.wishes.claims(&scene.wish("put_away"));
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        scene.wishes.sign(&claims)
    };
    let other = Wishes::of(&Stack::start().await).await;
    let refused = [
        admin.token(&format!("repository:{NAME}:pull,push,delete")).await,
        admin.token("registry:catalog:*").await,
        with("aud", json!("berth")),
        with("aud", json!("other moves")),
        with("iss", json!("other")),
        with("exp", json!(good["iat"].as_i64().unwrap() - 70)),
        with("nbf", json!(good["iat"].as_i64().unwrap() + 90)),
        with("move", json!({ "number": 1, "verb": "burn", "repository": NAME, "repository_id": scene.id })),
        with("move", Value::Null),
        other.sign(&good),
        "x".to_owned(),
        String::new(),
    ];
    for token in &refused {
        scene.wishes.request(token).send().await.refuses(401, "UNAUTHORIZED");
    }
    let basic = scene.wishes.host.post("/internal/v1/move").basic("admin", "correct horse");
    basic.send().await.refuses(401, "UNAUTHORIZED");
    scene.wishes.host.get("/internal/v1/move").send().await.is(405);
    scene.is_whole().await;

    let token = scene.wishes.sign(&good);
    let repository = Repository { token: token.clone(), ..scene.app.clone() };
    for path in ["/v2/", "/v2/_catalog", "manifests/v1"] {
        repository.get(path).send().await.refuses(401, "UNAUTHORIZED");
    }
    repository.delete("manifests/v1").send().await.refuses(401, "UNAUTHORIZED");
    for path in ["/api/v1/user", "/api/v1/repositories", "/v1/search?q=x"] {
        scene.stack.host.get(path).token(&token).send().await.is(401);
    }
    // Nor is the door to be found where clients come in.
    scene.stack.host.post("/internal/v1/move").token(&token).send().await.is(404);
    scene.wishes.request(&token).send().await.is(200);
    scene.is_away().await;
}
