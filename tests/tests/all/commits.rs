//! Changes that come to the index at once share a commit: each is there whole or not at all, whoever goes away or is
//! killed meanwhile, and what was acknowledged is there.

use crate::support::{Answer, Host, Program, Stack, User};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Somebody who makes organisations, each of which takes rows in several tables; by an access token, which costs the
/// server little.
#[derive(Clone)]
struct Maker {
    host: Host,
    secret: String,
}

impl Maker {
    async fn of(admin: &User) -> Self {
        let token = admin.does(Method::POST, "/user/tokens", &json!({ "name": "maker" })).await;
        Self { host: admin.host.clone(), secret: token["secret"].as_str().unwrap().to_owned() }
    }

    /// `None`: the server has gone away.
    async fn makes(&self, name: &str) -> Option<Answer> {
        self.host.post("/api/v1/orgs").token(&self.secret).json(&json!({ "name": name })).attempt().await
    }

    async fn gets(&self, path: &str) -> Answer {
        self.host.get(&format!("/api/v1{path}")).token(&self.secret).send().await
    }

    /// Whether the organisation is there; if it is, it is whole.
    async fn finds(&self, name: &str) -> bool {
        let path = format!("/orgs/{name}");
        let look = || self.gets(&path);
        let (shown, namespace) = loop {
            let looked = (look().await, self.gets(&format!("/namespaces/{name}")).await);
            // For who has gone away it may be made yet, between two looks.
            if look().await.status == looked.0.status {
                break looked;
            }
        };
        assert_eq!(shown.status, namespace.status, "{name} is half there");
        if shown.status == 404 {
            return false;
        }
        let members = self.gets(&format!("/orgs/{name}/members")).await.is(200).json();
        assert_eq!(members["items"][0]["role"], "owner", "{name} is half there: {members}");
        shown.is(200);
        true
    }
}

#[tokio::test]
async fn of_a_crowd_everybody_gets_what_is_free_and_one_what_all_want() {
    let stack = Stack::start().await;
    let maker = Maker::of(&stack.admin()).await;
    let names: Vec<_> = (0..200).map(|number| format!("org{number}")).collect();
    let own = join_all(names.iter().map(|name| maker.makes(name)));
    let same = join_all((0..50).map(|_| maker.makes("same")));
    let (own, same) = tokio::join!(own, same);
    for answer in own {
        answer.unwrap().is(201);
    }
    let mut statuses: Vec<_> = same.into_iter().map(|answer| answer.unwrap().status).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (201, &[409; 49][..]));
    for name in &names {
        assert!(maker.finds(name).await, "{name}");
    }
}

#[tokio::test]
async fn who_goes_away_leaves_all_or_nothing_and_takes_nobody_along() {
    let stack = Stack::start().await;
    let maker = Maker::of(&stack.admin()).await;
    let mut left = 0;
    for round in 0..30_u64 {
        // One in four stays, the others go away at different moments.
        let some = join_all((0..16).map(async |number: u64| {
            let name = format!("org{round}-{number}");
            let leaves = tokio::time::sleep(Duration::from_micros(300 * number + 50 * round));
            tokio::select! {
                answer = maker.makes(&name) => (name, answer.unwrap().is(201).status == 201),
                () = leaves, if !number.is_multiple_of(4) => (name, false),
            }
        }));
        for (name, acknowledged) in some.await {
            match (maker.finds(&name).await, acknowledged) {
                (_, false) => left += 1,
                (there, true) => assert!(there, "{name} was acknowledged"),
            }
        }
    }
    assert!(left > 0, "nobody went away");
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_kill_in_the_middle_of_a_crowd() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut program = Program::start_well(&data).await;
    let mut maker = Maker::of(&program.admin()).await;
    for round in 0..8 {
        let acknowledged: Arc<Mutex<Vec<String>>> = Arc::default();
        let crowd: Vec<_> = (0..24)
            .map(|number| {
                let (maker, acknowledged) = (maker.clone(), acknowledged.clone());
                tokio::spawn(async move {
                    for turn in 0.. {
                        let name = format!("org{round}-{number}-{turn}");
                        let Some(answer) = maker.makes(&name).await else { break };
                        answer.is(201);
                        acknowledged.lock().unwrap().push(name);
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(60 + 7 * round)).await;
        program.kill();
        for one in crowd {
            one.await.unwrap();
        }
        program = Program::start_well(&data).await;
        maker.host = program.host.clone();
        let acknowledged = std::mem::take(&mut *acknowledged.lock().unwrap());
        assert!(!acknowledged.is_empty(), "killed before anything was made");
        for name in acknowledged {
            assert!(maker.finds(&name).await, "{name} was acknowledged and is gone");
        }
    }
}
