//! A mover that is stopped between two of its steps, and others that are at work meanwhile: nothing is lost, and what was
//! begun is completed.

use super::{NAME, Scene};
use crate::support::{Call, Repository, at_once, pulls, sha256, with_fate};
use registry_service::domain::collector::Collection;
use registry_service::model::collection::Fate;
use serde_json::{Value, json};

/// The mover's disk fails at each of its renames, as if it were killed after the one before.
#[tokio::test]
async fn a_move_that_is_half_done_loses_nothing_and_is_completed() {
    for verb in ["put_away", "restore", "rename"] {
        for number in 1.. {
            let scene = Scene::set().await;
            if verb == "restore" {
                scene.does("put_away").await;
            }
            let wish = scene.wishes.sign(&scene.wishes.claims(&scene.wish(verb)));
            let fault = scene.stack.arm(&format!("eio@{number}+ rename"));
            let answer = scene.wishes.request(&wish).send().await;
            drop(fault);
            if answer.status == 200 {
                assert!(number > 5, "{verb} has {number} renames");
                break;
            }
            let what = format!("{verb}, {number}");
            let all = Collection { delete_untagged: number % 2 == 0, ..at_once() };
            let findings = scene.stack.collect(all).await.unwrap();
            let deleted = with_fate(&findings, Fate::Deleted);
            let is_loose = |thing: &String| thing.contains(&sha256(b"gone")) || thing.starts_with("manifest ");
            assert!(deleted.iter().all(is_loose), "{what}: {deleted:?}");
            match number % 3 {
                // The index repeats it; the next start, or a registry's timer, finds it; the index has something else in mind.
                0 => drop(scene.wishes.request(&wish).send().await.is(200)),
                1 => scene.stack.settle().await,
                _ => {}
            }
            if verb == "rename" {
                let back = json!({
                    "verb": "rename", "repository": "admin/renamed", "repository_id": scene.id, "to": NAME,
                });
                let done = scene.wishes.wish(&back).await.is(200).json();
                assert_eq!(done["outcome"], "done", "{what}");
            } else {
                scene.does("put_away").await;
                scene.is_away().await;
                scene.does("restore").await;
            }
            if number % 2 == 1 {
                scene.is_whole().await;
            } else {
                pulls(&scene.app, "v1", &scene.image).await;
            }
        }
    }
}

/// An index that was restored from a backup gives a number again: then another wish is meant by it.
#[tokio::test]
async fn another_wish_with_the_number_of_a_half_done_one_completes_that_one_and_is_late() {
    let scene = Scene::set().await;
    let claims = scene.wishes.claims(&scene.wish("put_away"));
    let fault = scene.stack.arm("eio@3+ rename");
    assert_eq!(scene.wishes.request(&scene.wishes.sign(&claims)).send().await.status, 500);
    drop(fault);
    let is_half_done = || scene.files().iter().any(|file| file.contains(&format!("/{NAME}/_")));
    assert!(is_half_done());
    let mut other = claims.clone();
    other["move"]["verb"] = json!("restore");
    let answer = scene.wishes.request(&scene.wishes.sign(&other)).send().await.is(200).json();
    assert_eq!((&answer["outcome"], &answer["number"]), (&json!("late"), &claims["move"]["number"]));
    assert!(!is_half_done(), "{:?}", scene.files());
    scene.is_away().await;
    scene.does("restore").await;
    scene.is_whole().await;
}

#[tokio::test]
async fn a_repository_that_moves_twice_during_both_marks_keeps_all_it_has() {
    for place in ["read intents", "marked", "hid"] {
        for hit in [1, 2] {
            let scene = Scene::set().await;
            scene.app.push_blob(b"nobody names it").await;
            let stop = scene.stack.arm(&format!("stop@{hit} pause collector {place}"));
            let moving = async {
                if (place, hit) != ("hid", 2) {
                    stop.reached().await;
                }
                scene.does("put_away").await;
                scene.does("restore").await;
                scene.does("put_away").await;
                drop(stop);
            };
            let (findings, ()) = tokio::join!(scene.stack.collect(at_once()), moving);
            findings.unwrap();
            scene.does("restore").await;
            scene.is_whole().await;
            scene.stack.collect(at_once()).await.unwrap();
            scene.is_whole().await;
        }
    }
}

#[tokio::test]
async fn a_repository_that_moves_twice_during_each_of_both_marks_keeps_all_it_has() {
    for place in ["read intents", "marked"] {
        for verbs in [["put_away", "restore"], ["restore", "put_away"]] {
            let scene = Scene::set().await;
            scene.app.push_blob(b"nobody names it").await;
            if verbs == ["restore", "put_away"] {
                scene.does("put_away").await;
            }
            let [first, second] = [1, 2].map(|hit| scene.stack.arm(&format!("stop@{hit} pause collector {place}")));
            let moving = async {
                for stop in [first, second] {
                    stop.reached().await;
                    for verb in verbs {
                        scene.does(verb).await;
                    }
                    drop(stop);
                }
            };
            let (findings, ()) = tokio::join!(scene.stack.collect(at_once()), moving);
            findings.unwrap();
            scene.does("restore").await;
            scene.is_whole().await;
            scene.stack.collect(at_once()).await.unwrap();
            scene.is_whole().await;
        }
    }
}

#[tokio::test]
async fn a_mark_waits_for_a_move_that_is_under_way() {
    let scene = Scene::set().await;
    for place in ["move noted", "part moved", "put away"] {
        let stop = scene.stack.arm(&format!("stop pause {place}"));
        let collect = async {
            stop.reached().await;
            let mut collecting = std::pin::pin!(scene.stack.collect(at_once()));
            let a_while = std::time::Duration::from_millis(300);
            assert!(tokio::time::timeout(a_while, &mut collecting).await.is_err(), "{place}");
            drop(stop);
            collecting.await.unwrap();
        };
        tokio::join!(scene.does("put_away"), collect);
        scene.does("restore").await;
        scene.is_whole().await;
    }
}

#[tokio::test]
async fn a_mount_from_a_repository_that_is_put_away_meanwhile_gives_all_or_nothing() {
    let scene = Scene::set().await;
    let scopes = format!("repository:admin/target:pull,push repository:{NAME}:pull");
    let target = Repository::new(&scene.stack.host, "admin/target", scene.stack.admin().token(&scopes).await);
    target.push_blob(b"{}").await;
    let layer = sha256(b"tools");
    let path = format!("blobs/uploads/?mount={layer}&from={NAME}");
    let stop = scene.stack.arm("stop pause mount looked");
    let moving = async {
        stop.reached().await;
        scene.does("put_away").await;
        scene.does("purge").await;
        scene.stack.collect(at_once()).await.unwrap();
        drop(stop);
    };
    let (mounted, ()) = tokio::join!(target.post(&path).send(), moving);
    mounted.is(201);
    // The bytes may have gone with their last owner: then nothing is visible that needs them, and the client sends them.
    let pushed = target.put_manifest("v1", &scene.image.manifest).await;
    if pushed.status != 201 {
        pushed.refuses(400, "MANIFEST_BLOB_UNKNOWN");
        for blob in &scene.image.blobs {
            target.push_blob(blob).await;
        }
        target.put_manifest("v1", &scene.image.manifest).await.is(201);
    }
    pulls(&target, "v1", &scene.image).await;
    // From one that is away nothing is mounted.
    target.post(&path).send().await.is(202);
}

#[tokio::test]
async fn what_a_stopped_writer_left_is_told_before_the_repository_moves() {
    let scene = Scene::set().await;
    let admin = scene.stack.admin();
    let (replica, unsteady) = scene.stack.unsteady_replica();
    unsteady.fail(Some(Call::Commit));
    let elsewhere = scene.app.on(&replica);
    elsewhere.put_manifest("late", &scene.image.manifest).await.is(503);
    unsteady.fail(None);
    let tags = async || {
        let tags = admin.does(reqwest::Method::GET, &format!("/repositories/{NAME}/-/tags"), &Value::Null).await;
        let names = tags["items"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(tags().await, ["v1"]);
    let there = || scene.stack.files().into_iter().filter(|file| file.starts_with("berth/intents/")).count();
    assert_eq!(there(), 2);
    scene.wishes.wish(&scene.wish("rename")).await.is(200);
    assert_eq!((tags().await, there()), (vec!["late".to_owned(), "v1".to_owned()], 0));
    let back = json!({ "verb": "rename", "repository": "admin/renamed", "repository_id": scene.id, "to": NAME });
    scene.wishes.wish(&back).await.is(200);
    scene.does("put_away").await;
    scene.does("restore").await;
    scene.is_whole().await;
    pulls(&scene.app, "late", &scene.image).await;
}
