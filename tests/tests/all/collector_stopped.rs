//! The collector and a writer at once, one of them stopped between two of its steps: nothing visible ever lacks a blob,
//! and what was acknowledged can be pulled.

use crate::support::{
    Image, Repository, Stack, after_hours, at_once, blob_descriptor, child_descriptor, data, image, index, pulls,
    sha256, with_fate,
};
use futures_util::StreamExt;
use registry_service::domain::collector::Collection;
use registry_service::model::collection::Fate;
use shared::media_type::OCI_MANIFEST;

/// A repository with a layer that no manifest names, and the image that would.
async fn with_unnamed_layer() -> (Stack, Repository, Image) {
    let stack = Stack::start().await;
    let repository = stack.admin().repository("admin/app").await;
    let pushed = image(&[b"layer"]);
    for blob in &pushed.blobs {
        repository.push_blob(blob).await;
    }
    (stack, repository, pushed)
}

fn untagged_too() -> Collection {
    Collection { delete_untagged: true, ..at_once() }
}

#[tokio::test]
async fn a_push_that_was_announced_keeps_what_it_needs() {
    for place in ["announced", "looked", "judged", "made"] {
        let (stack, repository, pushed) = with_unnamed_layer().await;
        let stop = stack.arm(&format!("stop pause {place}"));
        let collect = async {
            stop.reached().await;
            let findings = stack.collect(at_once()).await.unwrap();
            assert!(with_fate(&findings, Fate::Deleted).is_empty(), "{place}: {findings:?}");
            drop(stop);
        };
        let (push, ()) = tokio::join!(repository.put_manifest("v1", &pushed.manifest), collect);
        push.is(201);
        pulls(&repository, "v1", &pushed).await;
    }
}

#[tokio::test]
async fn a_push_whose_own_bytes_are_collected_before_it_is_announced_stores_them_again() {
    let (stack, repository, _) = with_unnamed_layer().await;
    // What it needs is kept by another manifest, so only its own bytes can go.
    let other = repository.push_image("other", "layer").await;
    let mut manifest: serde_json::Value = serde_json::from_slice(&other.manifest).unwrap();
    manifest["annotations"] = serde_json::json!({ "org.example.build": "2" });
    let manifest = manifest.to_string().into_bytes();
    let pushed = Image { digest: sha256(&manifest), manifest, blobs: other.blobs };
    let stop = stack.arm("stop create /_digests/");
    let collect = async {
        stop.reached().await;
        let findings = stack.collect(at_once()).await.unwrap();
        assert!(with_fate(&findings, Fate::Deleted).contains(&format!("blob {}", pushed.digest)), "{findings:?}");
        drop(stop);
    };
    let (push, ()) = tokio::join!(repository.put_manifest("v1", &pushed.manifest), collect);
    push.is(201);
    pulls(&repository, "v1", &pushed).await;
    stack.collect(at_once()).await.unwrap();
    pulls(&repository, &pushed.digest, &pushed).await;
}

#[tokio::test]
async fn a_push_that_comes_while_it_is_collected_brings_back_what_it_needs() {
    for place in ["read intents", "marked", "hid", "unlinks"] {
        let (stack, repository, pushed) = with_unnamed_layer().await;
        let stop = stack.arm(&format!("stop pause collector {place}"));
        let push = async {
            stop.reached().await;
            repository.put_manifest("v1", &pushed.manifest).await.is(201);
            drop(stop);
        };
        let (findings, ()) = tokio::join!(stack.collect(at_once()), push);
        let findings = findings.unwrap();
        pulls(&repository, "v1", &pushed).await;
        // All that there is can be pulled.
        assert!(with_fate(&findings, Fate::Deleted).is_empty(), "{place}: {findings:?}");
        stack.collect(at_once()).await.unwrap();
        pulls(&repository, "v1", &pushed).await;
        assert!(!stack.files().iter().any(|file| file.contains("berth-trash")), "{place}");
    }
}

#[tokio::test]
async fn a_push_that_looked_between_the_first_mark_and_the_hiding_finds_it_put_back() {
    let (stack, repository, pushed) = with_unnamed_layer().await;
    let marked = stack.arm("stop@1 pause collector marked");
    let looked = stack.arm("stop pause looked");
    let collecting = stack.collect(at_once());
    tokio::pin!(collecting);
    tokio::select! {
        () = marked.reached() => {}
        ended = &mut collecting => panic!("{ended:?}"),
    }
    let push = tokio::spawn({
        let (repository, manifest) = (repository.clone(), pushed.manifest.clone());
        async move { repository.put_manifest("v1", &manifest).await }
    });
    looked.reached().await;
    drop(marked);
    let findings = collecting.await.unwrap();
    assert!(with_fate(&findings, Fate::BroughtBack).contains(&format!("blob {}", sha256(b"layer"))));
    drop(looked);
    push.await.unwrap().is(201);
    pulls(&repository, "v1", &pushed).await;
}

#[tokio::test]
async fn a_blob_that_is_pushed_again_while_its_old_bytes_go_is_there() {
    for place in ["hid", "unlinks"] {
        let (stack, repository, pushed) = with_unnamed_layer().await;
        let stop = stack.arm(&format!("stop pause collector {place}"));
        let push = async {
            stop.reached().await;
            repository.push_blob(b"layer").await;
            drop(stop);
        };
        let (findings, ()) = tokio::join!(stack.collect(at_once()), push);
        findings.unwrap();
        repository.get(&format!("blobs/{}", sha256(b"layer"))).send().await.is(200);
        repository.push_blob(b"{}").await;
        repository.put_manifest("v1", &pushed.manifest).await.is(201);
        pulls(&repository, "v1", &pushed).await;
    }
}

#[tokio::test]
async fn an_index_that_is_pushed_while_its_child_is_judged_has_its_child() {
    // A layer that nobody names goes first, and then the child.
    for (hit, place) in [(1, "read intents"), (1, "marked"), (1, "hid"), (1, "unlinks"), (2, "unlinks")] {
        let (stack, repository, _) = with_unnamed_layer().await;
        let child = repository.push_image("v1", "child").await;
        repository.push_image("v1", "another").await;
        let parent = index(&[child_descriptor(OCI_MANIFEST, &child.manifest)]);
        let stop = stack.arm(&format!("stop@{hit} pause collector {place}"));
        let push = async {
            stop.reached().await;
            repository.put_manifest("all", &parent).await.is(201);
            drop(stop);
        };
        let (findings, ()) = tokio::join!(stack.collect(untagged_too()), push);
        let gone = with_fate(&findings.unwrap(), Fate::Deleted);
        assert!(!gone.contains(&format!("manifest {}", child.digest)), "{hit} {place}: {gone:?}");
        stack.collect(untagged_too()).await.unwrap();
        repository.get("manifests/all").send().await.is(200);
        pulls(&repository, &child.digest, &child).await;
    }
}

#[tokio::test]
async fn a_tag_that_comes_back_while_its_manifest_is_judged_has_it() {
    for place in ["read intents", "marked", "hid", "unlinks"] {
        let (stack, repository, _) = with_unnamed_layer().await;
        let old = repository.push_image("v1", "old").await;
        let new = repository.push_image("v1", "new").await;
        let stop = stack.arm(&format!("stop pause collector {place}"));
        let push = async {
            stop.reached().await;
            repository.put_manifest("v1", &old.manifest).await.is(201);
            repository.put_manifest("v1", &new.manifest).await.is(201);
            repository.put_manifest("v1", &old.manifest).await.is(201);
            drop(stop);
        };
        let (findings, ()) = tokio::join!(stack.collect(untagged_too()), push);
        findings.unwrap();
        pulls(&repository, "v1", &old).await;
        stack.collect(untagged_too()).await.unwrap();
        pulls(&repository, "v1", &old).await;
    }
}

#[tokio::test]
async fn a_referrer_that_is_pushed_while_its_subject_is_judged_can_be_pulled() {
    for place in ["marked", "hid", "unlinks"] {
        let (stack, repository, _) = with_unnamed_layer().await;
        let subject = repository.push_image("v1", "subject").await;
        repository.push_image("v1", "another").await;
        let mut referrer: serde_json::Value = serde_json::from_slice(&image(&[]).manifest).unwrap();
        referrer["subject"] = blob_descriptor(OCI_MANIFEST, &subject.manifest);
        let referrer = referrer.to_string().into_bytes();
        let stop = stack.arm(&format!("stop pause collector {place}"));
        let push = async {
            stop.reached().await;
            repository.put_manifest(&sha256(&referrer), &referrer).await.is(201);
            drop(stop);
        };
        let (findings, ()) = tokio::join!(stack.collect(untagged_too()), push);
        findings.unwrap();
        repository.get(&format!("manifests/{}", sha256(&referrer))).send().await.is(200);
        repository.get(&format!("blobs/{}", sha256(b"{}"))).send().await.is(200);
        let listed = repository.get(&format!("referrers/{}", subject.digest)).send().await.is(200).json();
        assert_eq!(listed["manifests"].as_array().unwrap().len(), 1, "{place}");
    }
}

#[tokio::test]
async fn a_collector_that_sleeps_while_another_runs_unlinks_only_what_it_hid_itself() {
    let (stack, repository, pushed) = with_unnamed_layer().await;
    let stop = stack.arm("stop@1 pause collector unlinks");
    let meanwhile = async {
        stop.reached().await;
        // As on a file system that has lost the sleeper's lock.
        std::fs::remove_file(stack.stored("berth/gc.lock")).unwrap();
        repository.put_manifest("v1", &pushed.manifest).await.is(201);
        repository.delete("manifests/v1").send().await.is(202);
        repository.delete(&format!("manifests/{}", pushed.digest)).send().await.is(202);
        let hidden = stack.collect(after_hours(25)).await.unwrap();
        assert!(with_fate(&hidden, Fate::Hidden).contains(&format!("blob {}", sha256(b"layer"))), "{hidden:?}");
        drop(stop);
    };
    let (findings, ()) = tokio::join!(stack.collect(at_once()), meanwhile);
    findings.unwrap();
    // What the second run hid is there still, and comes back.
    repository.put_manifest("v1", &pushed.manifest).await.is(201);
    pulls(&repository, "v1", &pushed).await;
}

#[tokio::test]
async fn a_reader_in_the_middle_of_a_blob_gets_all_of_it() {
    let (stack, repository, _) = with_unnamed_layer().await;
    // More than lies in the buffers between a server and a client that does not read.
    let content: Vec<u8> = (0..=250).cycle().take(48 << 20).collect();
    let digest = repository.push_blob(&content).await;
    let mut body = repository.get(&format!("blobs/{digest}")).stream().await;
    let mut received = body.next().await.unwrap().unwrap().to_vec();
    stack.collect(at_once()).await.unwrap();
    assert!(!stack.stored(&data(&digest)).exists());
    repository.head(&format!("blobs/{digest}")).send().await.is(404);
    while let Some(bytes) = body.next().await {
        received.extend_from_slice(&bytes.unwrap());
    }
    assert!(received == content);
}

#[tokio::test]
async fn a_delete_of_what_is_hidden_and_a_look_at_it_come_one_after_the_other() {
    let (stack, repository, _) = with_unnamed_layer().await;
    stack.collect(after_hours(25)).await.unwrap();
    let path = format!("blobs/{}", sha256(b"layer"));
    let stop = stack.arm("stop pause delete looked");
    let look = async {
        stop.reached().await;
        let looking = repository.head(&path).send();
        tokio::pin!(looking);
        let waits = tokio::time::timeout(std::time::Duration::from_millis(300), &mut looking).await;
        assert!(waits.is_err(), "the delete is not done yet");
        drop(stop);
        looking.await
    };
    let (delete, look) = tokio::join!(repository.delete(&path).send(), look);
    delete.is(202);
    look.is(404);
    repository.head(&path).send().await.is(404);
}
