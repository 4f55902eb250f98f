//! Garbage collection while everybody goes on: what goes, what stays, and what comes back.

use crate::support::{
    Repository, Stack, after_hours, at_once, blob_descriptor, child_descriptor, data, image, index, pulls, sha256,
    with_fate,
};
use registry_service::domain::collector::{Collection, CollectionError};
use registry_service::model::collection::{Fate, Keeper};
use reqwest::Method;
use serde_json::Value;
use shared::media_type::OCI_MANIFEST;
use std::collections::BTreeSet;

async fn stack() -> (Stack, Repository) {
    let stack = Stack::start().await;
    let repository = stack.admin().repository("admin/app").await;
    (stack, repository)
}

/// An image that refers to `subject`.
fn referrer(subject: &[u8]) -> Vec<u8> {
    let mut manifest: Value = serde_json::from_slice(&image(&[b"signature"]).manifest).unwrap();
    manifest["subject"] = blob_descriptor(OCI_MANIFEST, subject);
    manifest.to_string().into_bytes()
}

#[tokio::test]
async fn what_nobody_needs_is_hidden_then_deleted_and_the_rest_stays() {
    let (stack, repository) = stack().await;
    let tagged = repository.push_image("v1", "tagged").await;
    let untagged = repository.push_image("v2", "moved away from").await;
    repository.push_image("v2", "moved to").await;
    let deleted = repository.push_image("v3", "deleted").await;
    repository.delete(&format!("manifests/{}", deleted.digest)).send().await.is(202);
    let orphan = repository.push_blob(b"nobody names this").await;
    let gone: BTreeSet<_> = [
        format!("blob {orphan}"),
        format!("layer {orphan}"),
        format!("blob {}", deleted.digest),
        format!("blob {}", sha256(b"deleted")),
        format!("layer {}", sha256(b"deleted")),
    ]
    .into();

    // Too young: nothing happens, again and again.
    let before = stack.files();
    for _ in 0..2 {
        let young = stack.collect(after_hours(0)).await.unwrap();
        assert_eq!(with_fate(&young, Fate::Hidden), BTreeSet::new());
        assert!(with_fate(&young, Fate::Kept(Keeper::Grace)).is_superset(&gone));
        assert_eq!(stack.files(), before);
    }
    // A day later it is hidden, and for a further day only that.
    let hidden = stack.collect(after_hours(25)).await.unwrap();
    assert_eq!(with_fate(&hidden, Fate::Hidden), gone);
    assert!(!stack.stored(&data(&orphan)).exists());
    let waiting = stack.collect(after_hours(26)).await.unwrap();
    assert_eq!(with_fate(&waiting, Fate::Waiting), gone);
    assert_eq!(with_fate(&waiting, Fate::Deleted), BTreeSet::new());
    // Then it goes, and leaves no directory.
    let ended = stack.collect(after_hours(50)).await.unwrap();
    assert_eq!(with_fate(&ended, Fate::Deleted), gone);
    assert!(!stack.stored(&data(&orphan)).parent().unwrap().exists());
    assert!(!stack.files().iter().any(|file| file.contains("berth-trash")));
    repository.head(&format!("blobs/{orphan}")).send().await.is(404);
    // All else is as it was.
    pulls(&repository, "v1", &tagged).await;
    pulls(&repository, &untagged.digest, &untagged).await;
    repository.get("manifests/v2").send().await.is(200);
    let again = stack.collect(after_hours(80)).await.unwrap();
    assert!(again.iter().all(|finding| matches!(finding.fate, Fate::Kept(_))), "{again:?}");
}

#[tokio::test]
async fn a_dry_run_says_what_a_run_does_and_changes_nothing() {
    let (stack, repository) = stack().await;
    repository.push_image("v1", "one").await;
    repository.push_image("v1", "two").await;
    repository.push_blob(b"nobody names this").await;
    let index = index(&[child_descriptor(OCI_MANIFEST, &repository.push_image("child", "three").await.manifest)]);
    repository.put_manifest("all", &index).await.is(201);
    for tag in ["all", "child"] {
        repository.delete(&format!("manifests/{tag}")).send().await.is(202);
    }
    for delete_untagged in [false, true] {
        let before = stack.files();
        let dry = Collection { dry_run: true, delete_untagged, ..at_once() };
        let would_go = with_fate(&stack.collect(dry).await.unwrap(), Fate::Deleted);
        assert_eq!(stack.files(), before);
        let went = with_fate(&stack.collect(Collection { delete_untagged, ..at_once() }).await.unwrap(), Fate::Deleted);
        assert_eq!(would_go, went, "untagged too: {delete_untagged}");
        assert!(!went.is_empty());
    }
    repository.get("manifests/v1").send().await.is(200);
}

#[tokio::test]
async fn untagged_manifests_go_by_their_rule_alone() {
    let (stack, repository) = stack().await;
    let child = repository.push_image("child", "child").await;
    let index = index(&[child_descriptor(OCI_MANIFEST, &child.manifest)]);
    repository.put_manifest("all", &index).await.is(201);
    repository.delete("manifests/child").send().await.is(202);
    repository.push_blob(b"signature").await;
    let signature = referrer(&index);
    repository.put_manifest(&sha256(&signature), &signature).await.is(201);
    let untagged = repository.push_image("v1", "untagged").await;
    repository.push_image("v1", "tagged").await;
    let of_untagged = referrer(&untagged.manifest);
    repository.put_manifest(&sha256(&of_untagged), &of_untagged).await.is(201);

    let findings = stack.collect(Collection { delete_untagged: true, ..at_once() }).await.unwrap();
    let manifests: BTreeSet<_> =
        with_fate(&findings, Fate::Deleted).into_iter().filter(|found| found.starts_with("manifest")).collect();
    let expected = [format!("manifest {}", untagged.digest), format!("manifest {}", sha256(&of_untagged))];
    assert_eq!(manifests, expected.into(), "a subject and then what referred to it");
    for digest in [&child.digest, &sha256(&index), &sha256(&signature)] {
        repository.get(&format!("manifests/{digest}")).send().await.is(200);
    }
    repository.get(&format!("manifests/{}", untagged.digest)).send().await.is(404);
    let entries = stack.files().into_iter().filter(|file| file.contains("/_subjects/"));
    assert_eq!(entries.count(), 1, "of the referrer that is there");
    repository.head(&format!("blobs/{}", sha256(b"untagged"))).send().await.is(404);
    pulls(&repository, &child.digest, &child).await;
}

#[tokio::test]
async fn what_a_tag_pointed_at_lately_stays_for_the_restore_window() {
    let (stack, repository) = stack().await;
    let old = repository.push_image("v1", "old").await;
    repository.push_image("v1", "new").await;
    let collection = |hours| Collection {
        delete_untagged: true,
        restore_window: jiff::SignedDuration::from_hours(168),
        ..after_hours(hours)
    };
    let within = stack.collect(collection(100)).await.unwrap();
    assert!(with_fate(&within, Fate::Kept(Keeper::History)).contains(&format!("manifest {}", old.digest)));
    let after = stack.collect(collection(200)).await.unwrap();
    assert!(with_fate(&after, Fate::Hidden).contains(&format!("manifest {}", old.digest)));
}

#[tokio::test]
async fn the_index_is_told_of_a_manifest_that_was_collected() {
    let (stack, repository) = stack().await;
    let old = repository.push_image("v1", "old").await;
    repository.push_image("v1", "new").await;
    stack.collect(Collection { delete_untagged: true, ..at_once() }).await.unwrap();
    // Any registry settles what the collector left, and a push of the same manifest does so first.
    for blob in &old.blobs {
        repository.push_blob(blob).await;
    }
    repository.put_manifest("v2", &old.manifest).await.is(201);
    pulls(&repository, "v2", &old).await;
    assert!(!stack.files().iter().any(|file| file.starts_with("berth/intents")));
}

#[tokio::test]
async fn a_collection_that_was_stopped_is_taken_up_by_the_next() {
    let (stack, repository) = stack().await;
    let kept = repository.push_image("v1", "kept").await;
    let orphan = repository.push_blob(b"nobody names this").await;
    // As a collector leaves it that is killed between hiding and its second mark; and one of another version.
    for (digest, run) in [(sha256(b"kept"), "7.dead"), (orphan.clone(), "7.dead"), (kept.digest.clone(), "other")] {
        let place = stack.stored(&data(&digest));
        std::fs::rename(&place, place.with_file_name(format!("berth-trash.{run}"))).unwrap();
    }
    let findings = stack.collect(after_hours(0)).await.unwrap();
    assert!(with_fate(&findings, Fate::BroughtBack).contains(&format!("blob {}", kept.digest)));
    assert_eq!(with_fate(&findings, Fate::Deleted), [format!("blob {orphan}")].into());
    assert!(!stack.files().iter().any(|file| file.contains("berth-trash")));
    pulls(&repository, "v1", &kept).await;
}

#[tokio::test]
async fn a_manifest_that_cannot_be_read_ends_the_run_and_is_named() {
    let (stack, repository) = stack().await;
    let pushed = repository.push_image("v1", "layer").await;
    repository.push_blob(b"nobody names this").await;
    let before = stack.files();
    std::fs::write(stack.stored(&data(&pushed.digest)), "torn").unwrap();
    match stack.collect(at_once()).await {
        Err(CollectionError::Unreadable { repository, digest }) => {
            assert_eq!((repository.as_str(), digest.as_str()), ("admin/app", pushed.digest.as_str()));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(stack.files(), before, "nothing has gone");
    // Pushed again, it is whole, and the collector goes on.
    repository.put_manifest("v1", &pushed.manifest).await.is(201);
    stack.collect(at_once()).await.unwrap();
    pulls(&repository, "v1", &pushed).await;
}

#[tokio::test]
async fn a_manifest_that_the_collector_could_not_read_is_not_stored() {
    let (_stack, repository) = stack().await;
    let text = String::from_utf8(repository.push_image("v1", "layer").await.manifest).unwrap();
    let deep = text.replacen('{', &format!(r#"{{"deep":{}{},"#, "[".repeat(200), "]".repeat(200)), 1);
    repository.put_manifest("v2", deep.as_bytes()).await.refuses(400, "MANIFEST_INVALID");
}

#[tokio::test]
async fn an_intent_keeps_what_its_manifest_needs_and_an_empty_one_nothing() {
    let (stack, repository) = stack().await;
    let pushed = image(&[b"announced"]);
    for blob in pushed.blobs.iter().chain([&pushed.manifest]) {
        repository.push_blob(blob).await;
    }
    let intent = |name: &str, content: &str| {
        let path = stack.stored(&format!("berth/intents/admin/app/_tags/{name}"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    for (name, content) in [("empty", ""), ("torn", "sha2"), ("byteless", sha256(b"nowhere").as_str())] {
        intent(name, content);
    }
    intent("announced", &pushed.digest);
    stack.collect(at_once()).await.unwrap();
    repository.put_manifest("v1", &pushed.manifest).await.is(201);
    pulls(&repository, "v1", &pushed).await;
}

#[tokio::test]
async fn one_collector_runs_at_a_time() {
    let (stack, _repository) = stack().await;
    std::fs::create_dir_all(stack.stored("berth")).unwrap();
    let lock = std::fs::File::create(stack.stored("berth/gc.lock")).unwrap();
    lock.lock().unwrap();
    assert!(matches!(stack.collect(at_once()).await, Err(CollectionError::Running)));
    drop(lock);
    stack.collect(at_once()).await.unwrap();
}

#[tokio::test]
async fn content_of_other_tenants_is_kept_by_their_own_manifests() {
    let (stack, repository) = stack().await;
    let shared_layer = "the same layer";
    let mine = repository.push_image("v1", shared_layer).await;
    let alice = stack.user("alice").await;
    let theirs = alice.repository("alice/app").await;
    let pushed = theirs.push_image("v1", shared_layer).await;
    repository.delete(&format!("manifests/{}", mine.digest)).send().await.is(202);
    let findings = stack.collect(at_once()).await.unwrap();
    let gone = with_fate(&findings, Fate::Deleted);
    assert_eq!(gone, [format!("layer {}", sha256(b"{}")), format!("layer {}", sha256(shared_layer.as_bytes()))].into());
    repository.head(&format!("blobs/{}", sha256(shared_layer.as_bytes()))).send().await.is(404);
    pulls(&theirs, "v1", &pushed).await;
}

#[tokio::test]
async fn pushes_and_deletes_go_on_while_it_collects_without_any_grace() {
    let (stack, repository) = stack().await;
    let collecting = async {
        for _ in 0..12 {
            stack.collect(Collection { delete_untagged: true, ..at_once() }).await.unwrap();
        }
    };
    let pushing = |worker: usize| {
        let repository = repository.clone();
        async move {
            for round in 0..10 {
                let tag = format!("w{worker}");
                let layer = format!("layer {} of all", round % 3);
                // With a grace no push has to begin again; without one a clean refusal says so.
                let pushed = image(&[layer.as_bytes()]);
                loop {
                    for blob in &pushed.blobs {
                        repository.push_blob(blob).await;
                    }
                    let answer = repository.put_manifest(&tag, &pushed.manifest).await;
                    match answer.status {
                        201 => break,
                        400 => assert_eq!(answer.code(), "MANIFEST_BLOB_UNKNOWN"),
                        _ => panic!("{}", answer.text()),
                    }
                }
                pulls(&repository, &tag, &pushed).await;
                if round % 4 == 3 {
                    repository.request(Method::DELETE, &format!("manifests/{tag}")).send().await.is(202);
                }
            }
        }
    };
    tokio::join!(collecting, pushing(0), pushing(1), pushing(2));
    stack.collect(Collection { delete_untagged: true, ..at_once() }).await.unwrap();
    for worker in 0..3 {
        let manifest = repository.get(&format!("manifests/w{worker}")).send().await.is(200).json();
        for layer in manifest["layers"].as_array().unwrap() {
            repository.get(&format!("blobs/{}", layer["digest"].as_str().unwrap())).send().await.is(200);
        }
    }
}
