//! The power goes at a step of a move: the next start, asked the same again, completes it, and nothing is lost.

use super::{NAME, Scene};
use crate::support::Host;
use registry_service::store::faults::{Journal, Loss};
use reqwest::Method;
use serde_json::{Value, json};

/// Every so many points of a move one is tried, another one for each verb.
const STRIDE: usize = 5;

async fn wish(scene: &Scene, host: &Host, token: &str, what: &str) {
    let answer = host.request(Method::POST, "/internal/v1/move").token(token).send().await.is(200).json();
    assert_eq!(answer, json!({ "outcome": "done" }), "{what} of {}", scene.id);
}

/// What undoes a move.
fn back(scene: &Scene, verb: &str) -> Value {
    match verb {
        "put_away" => scene.wish("restore"),
        "restore" => scene.wish("put_away"),
        _ => json!({ "verb": "rename", "repository": "admin/renamed", "repository_id": scene.id, "to": NAME }),
    }
}

/// Starts a registry on what is left after a power loss now, and has it do the same again.
async fn power_goes(scene: &Scene, journal: &Journal, losses: &[Loss], verb: &str, token: &str, what: &str) {
    for loss in losses.iter().copied() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join("left");
        journal.after_power_loss(&left, loss).unwrap();
        let host = scene.stack.registry_on(&left);
        wish(scene, &host, token, what).await;
        if verb != "restore" {
            let back = scene.wishes.sign(&scene.wishes.claims(&back(scene, verb)));
            wish(scene, &host, &back, what).await;
        }
        scene.is_whole_on(&host).await;
    }
}

#[tokio::test]
async fn a_move_during_which_the_power_goes_loses_nothing() {
    for (begin, verb) in ["put_away", "restore", "rename"].iter().enumerate() {
        let scene = Scene::set().await;
        if *verb == "restore" {
            scene.does("put_away").await;
        }
        let journal = scene.stack.journal();
        for number in (1 + begin..).step_by(STRIDE) {
            let what = format!("{verb}, power@{number}");
            let token = scene.wishes.sign(&scene.wishes.claims(&scene.wish(verb)));
            let stop = scene.stack.arm(&format!("stop@{number}"));
            let mut moving = std::pin::pin!(wish(&scene, &scene.wishes.host, &token, &what));
            let is_over = tokio::select! {
                () = &mut moving => true,
                () = stop.reached() => {
                    // A rename is one change to a disk; to this double it is two, of two directories.
                    power_goes(&scene, &journal, &[Loss::Bytes], verb, &token, &what).await;
                    false
                }
            };
            drop(stop);
            if is_over {
                assert!(number > 20, "{what}: so few points");
                // What was acknowledged holds.
                power_goes(&scene, &journal, &[Loss::Everything, Loss::Bytes], verb, &token, &what).await;
                break;
            }
            moving.await;
            let back = scene.wishes.sign(&scene.wishes.claims(&back(&scene, verb)));
            wish(&scene, &scene.wishes.host, &back, &what).await;
        }
    }
}
