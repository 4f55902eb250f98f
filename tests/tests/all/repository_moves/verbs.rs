//! What each verb does to a repository with everything that one can have, and to what lies beside it.

use super::{NAME, Scene};
use crate::support::{Peer, after_hours, at_once, data, image, pulls, sha256, with_fate};
use registry_service::model::collection::Fate;
use serde_json::json;
use shared::media_type::OCI_MANIFEST;
use std::collections::BTreeSet;
use std::fs;

#[tokio::test]
async fn a_repository_is_put_away_whole_and_comes_back_whole() {
    let scene = Scene::set().await;
    let before = scene.files();
    let upload = scene.app.begin().await;
    for _ in 0..2 {
        scene.does("put_away").await;
        scene.is_away().await;
        let left = scene.files().into_iter().filter(|file| !file.starts_with("berth/deleted/")).collect::<Vec<_>>();
        assert!(left.is_empty(), "{left:?}");
        scene.app.patch(&upload).body("x").send().await.refuses(404, "NAME_UNKNOWN");
        scene.stack.collect(at_once()).await.unwrap();
        scene.does("restore").await;
        scene.is_whole().await;
    }
    let finish = format!("{upload}?digest={}", sha256(b"x"));
    scene.app.put(&finish).body("x").send().await.is(201);
    // What is deleted for good by then: the tag that was put away, and what only lists know.
    let missing: Vec<_> = before.difference(&scene.files()).cloned().collect();
    assert!(missing.iter().all(|file| file.contains("/_tags/gone.") || file.ends_with("/_stamp")), "{missing:?}");
}

#[tokio::test]
async fn a_purged_repository_is_gone_and_its_name_is_free() {
    let scene = Scene::set().await;
    scene.does("put_away").await;
    scene.does("purge").await;
    scene.is_away().await;
    assert_eq!(scene.files(), BTreeSet::new());
    let answer = scene.wishes.wish(&scene.wish("restore")).await.is(200).json();
    assert_eq!(answer["outcome"], "refused", "{answer}");
    scene.is_away().await;
    let findings = scene.stack.collect(at_once()).await.unwrap();
    assert!(with_fate(&findings, Fate::Deleted).contains(&format!("blob {}", sha256(b"tools"))), "{findings:?}");
    assert!(!scene.stack.stored(&data(&scene.image.digest)).exists());
    pulls(&scene.nested, "v1", &image(&[b"nested"])).await;
    // Purged where it lies, too.
    let id = fs::read_to_string(scene.stack.stored("berth/ids/admin/tools/app/_id")).unwrap();
    scene.wishes.does("purge", "admin/tools/app", &id).await;
    scene.nested.get("manifests/v1").send().await.refuses(404, "NAME_UNKNOWN");
    scene.stack.collect(at_once()).await.unwrap();
    let left = scene.stack.files();
    assert!(left.iter().all(|file| !file.starts_with("blobs/") && !file.contains("/_move")), "{left:?}");
}

#[tokio::test]
async fn a_repository_comes_to_another_name_only_where_nothing_lies() {
    let scene = Scene::set().await;
    let taken = json!({ "verb": "rename", "repository": NAME, "repository_id": scene.id, "to": "admin/tools/app" });
    let answer = scene.wishes.wish(&taken).await.is(200).json();
    assert_eq!(answer["outcome"], "refused", "{answer}");
    scene.is_whole().await;
    scene.wishes.wish(&scene.wish("rename")).await.is(200);
    scene.is_away().await;
    let under_it = scene.files().into_iter().filter(|file| file.contains("admin/renamed/_manifests/tags/v1")).count();
    assert_eq!(under_it, 2);
    // The index still calls it by its old name: nobody makes it there anew.
    assert!(!scene.stack.stored("berth/ids/admin/tools/_id").exists());
    let back = json!({ "verb": "rename", "repository": "admin/renamed", "repository_id": scene.id, "to": NAME });
    scene.wishes.wish(&back).await.is(200);
    scene.is_whole().await;
}

#[tokio::test]
async fn a_new_owner_of_a_name_gets_nothing_of_what_the_former_had_hidden() {
    let scene = Scene::set().await;
    let loose = scene.app.push_blob(b"hidden from all").await;
    scene.stack.collect(after_hours(25)).await.unwrap();
    assert!(!scene.stack.stored(&data(&loose)).exists(), "hidden");
    scene.does("put_away").await;
    // As another account would get the name: another id.
    let id = uuid::Uuid::now_v7().to_string();
    let file = scene.stack.stored(&format!("berth/ids/{NAME}/_id"));
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, &id).unwrap();
    for part in ["_layers", "_manifests"] {
        fs::create_dir_all(scene.stack.stored(&format!("repositories/{NAME}/{part}"))).unwrap();
    }
    let listed = |part: &str| fs::read_dir(scene.stack.stored(&format!("repositories/{NAME}/{part}"))).unwrap().count();
    assert_eq!((listed("_layers"), listed("_manifests")), (0, 0));
    scene.app.get(&format!("blobs/{loose}")).send().await.refuses(404, "NAME_UNKNOWN");
    // Nor does the former one come back over the new one.
    let answer = scene.wishes.wish(&scene.wish("restore")).await.is(200).json();
    assert_eq!(answer["outcome"], "refused", "{answer}");
    assert_eq!(fs::read_to_string(&file).unwrap(), id);
}

#[tokio::test]
async fn a_peer_sees_nothing_of_what_is_put_away_and_goes_on_to_what_lies_below() {
    let scene = Scene::set().await;
    scene.does("put_away").await;
    let root = scene.stack.stored("").ancestors().nth(3).unwrap().to_owned();
    Peer::collect_garbage(&root, &[]);
    let peer = Peer::start(&root).await;
    let catalog = peer.host.get("/v2/_catalog").send().await.is(200).json();
    assert_eq!(catalog["repositories"], json!(["admin/tools/app"]));
    peer.repository(NAME).get("manifests/v1").send().await.refuses(404, "MANIFEST_UNKNOWN");
    peer.repository(NAME).get("tags/list").send().await.is(404);
    let nested = image(&[b"nested"]);
    peer.repository("admin/tools/app").serves("v1", OCI_MANIFEST, &nested.manifest).await;
    peer.repository("admin/tools/app").serves_blob(b"nested").await;
}
