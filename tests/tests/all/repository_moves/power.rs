//! The power goes at a step of a move: the next start, asked the same again, completes it, and nothing is lost. When it was
//! acknowledged, nobody needs to ask again.

use super::{NAME, Scene};
use crate::support::Host;
use futures_util::FutureExt;
use futures_util::future::join_all;
use registry_service::store::faults::{Journal, Loss};
use reqwest::Method;
use serde_json::json;
use std::panic::AssertUnwindSafe;
use tempfile::TempDir;

/// Every so many points of a move one is tried, another one for each verb.
const STRIDE: usize = 5;

async fn wish(scene: &Scene, host: &Host, token: &str, what: &str) {
    let answer = host.request(Method::POST, "/internal/v1/move").token(token).send().await.is(200).json();
    assert_eq!(answer, json!({ "outcome": "done" }), "{what} of {}", scene.id);
}

/// Undoes a move.
async fn undo(scene: &Scene, host: &Host, verb: &str, what: &str) {
    let back = match verb {
        "put_away" => scene.wish("restore"),
        "restore" => scene.wish("put_away"),
        _ => json!({ "verb": "rename", "repository": "admin/renamed", "repository_id": scene.id, "to": NAME }),
    };
    wish(scene, host, &scene.wishes.sign(&scene.wishes.claims(&back)), what).await;
}

/// A registry that starts on what is left after a power loss now, and the folder that this lies in.
fn started_after(scene: &Scene, journal: &Journal, loss: Loss) -> (Host, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let left = folder.path().join("left");
    journal.after_power_loss(&left, loss).unwrap();
    (scene.stack.registry_on(&left), folder)
}

/// Starts a registry on what is left after a power loss now, and has it do the same again.
async fn power_goes(scene: &Scene, journal: &Journal, losses: &[Loss], verb: &str, token: &str, what: &str) {
    for loss in losses.iter().copied() {
        let (host, _folder) = started_after(scene, journal, loss);
        wish(scene, &host, token, what).await;
        if verb != "restore" {
            undo(scene, &host, verb, what).await;
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
            undo(&scene, &scene.wishes.host, verb, &what).await;
        }
    }
}

/// A repository that has been moved, as was acknowledged, and what a disk has of it when these syncs are left out.
async fn moved(verb: &str, left_out: Option<&str>) -> (Scene, Journal) {
    let scene = Scene::set().await;
    if verb == "restore" {
        scene.does("put_away").await;
    }
    let journal = scene.stack.journal();
    let _left_out = left_out.map(|syncs| scene.stack.arm(&format!("skip@1+ {syncs}")));
    let token = scene.wishes.sign(&scene.wishes.claims(&scene.wish(verb)));
    wish(&scene, &scene.wishes.host, &token, verb).await;
    (scene, journal)
}

/// Starts a registry on what is left when everything is lost that was not synced, and looks, with no word to it of the move.
async fn is_still_moved(scene: &Scene, journal: &Journal, verb: &str) {
    let (host, _folder) = started_after(scene, journal, Loss::Everything);
    if verb != "restore" {
        scene.is_away_on(&host).await;
        undo(scene, &host, verb, verb).await;
    }
    scene.is_whole_on(&host).await;
}

#[tokio::test]
async fn a_move_that_was_acknowledged_outlives_a_power_loss_though_nobody_asks_for_it_again() {
    for verb in ["put_away", "restore", "rename"] {
        let (scene, journal) = moved(verb, None).await;
        is_still_moved(&scene, &journal, verb).await;
    }
}

/// (syncs without which a move that was acknowledged is lost or half undone, a verb that notices).
const NEEDED: &[(&str, &str)] = &[
    ("sync_dir /ids/", "put_away"),
    ("sync_dir /repositories/", "put_away"),
    ("sync_dir /referrers/", "put_away"),
    ("sync_dir /deleted/", "put_away"),
    ("sync_dir /ids/", "restore"),
    ("sync_dir /repositories/", "restore"),
    ("sync_dir /ids/", "rename"),
    ("sync_dir /repositories/", "rename"),
    ("sync_dir /deleted/", "rename"),
];

#[tokio::test]
async fn a_sync_that_a_move_leaves_out_is_noticed() {
    let runs = NEEDED.iter().map(|&(syncs, verb)| async move {
        let (scene, journal) = moved(verb, Some(syncs)).await;
        let looked = AssertUnwindSafe(is_still_moved(&scene, &journal, verb)).catch_unwind().await;
        assert!(looked.is_err(), "{verb}, without {syncs}: nobody notices");
    });
    join_all(runs).await;
}
