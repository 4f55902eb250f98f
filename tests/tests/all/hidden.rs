//! What the collector has hidden and somebody needs: it is served, comes back, or is deleted.

use crate::support::{Repository, Stack, after_hours, child_descriptor, data, image, index, pulls, sha256, with_fate};
use registry_service::domain::collector::Collection;
use registry_service::model::collection::Fate;
use shared::media_type::{OCI_INDEX, OCI_MANIFEST};
use std::time::Duration;

/// Long enough for a request that nothing holds up.
const A_WHILE: Duration = Duration::from_millis(300);

async fn stack() -> (Stack, Repository) {
    let stack = Stack::start().await;
    let repository = stack.admin().repository("admin/app").await;
    (stack, repository)
}

#[tokio::test]
async fn a_hidden_blob_comes_back_for_whoever_needs_it() {
    let content = b"a layer that is needed after all";
    let digest = sha256(content);
    for way in ["HEAD", "GET", "manifest", "push", "mount", "delete"] {
        let (stack, repository) = stack().await;
        let pushed = image(&[content]);
        for blob in &pushed.blobs {
            repository.push_blob(blob).await;
        }
        stack.collect(after_hours(25)).await.unwrap();
        assert!(!stack.stored(&data(&digest)).exists(), "{way}");
        match way {
            "HEAD" | "GET" => {
                let request = repository.request(way.parse().unwrap(), &format!("blobs/{digest}"));
                request.send().await.is(200);
            }
            "manifest" => {
                repository.put_manifest("v1", &pushed.manifest).await.is(201);
                pulls(&repository, "v1", &pushed).await;
            }
            "push" => {
                repository.push_blob(content).await;
            }
            "mount" => {
                let token = stack.admin().token("repository:admin/app:pull repository:admin/other:pull,push").await;
                let other = Repository::new(&stack.host, "admin/other", token);
                other.post(&format!("blobs/uploads/?mount={digest}&from=admin/app")).send().await.is(201);
                other.get(&format!("blobs/{digest}")).send().await.is(200);
            }
            _ => {
                repository.delete(&format!("blobs/{digest}")).send().await.is(202);
                repository.head(&format!("blobs/{digest}")).send().await.is(404);
                repository.delete(&format!("blobs/{digest}")).send().await.is(404);
                continue;
            }
        }
        assert!(stack.stored(&data(&digest)).exists(), "{way}");
        // As young as if it had been written now: the next run leaves it alone.
        stack.collect(after_hours(1)).await.unwrap();
        stack.collect(after_hours(23)).await.unwrap();
        assert!(stack.stored(&data(&digest)).exists(), "{way}");
        assert_eq!(repository.get(&format!("blobs/{digest}")).send().await.is(200).body, content.as_slice());
    }
}

#[tokio::test]
async fn a_head_that_brings_a_blob_back_and_a_delete_of_it_come_one_after_the_other() {
    // Who is stopped with its next rename or removal still to come, and who comes meanwhile.
    for (first, second, place) in [
        ("HEAD", "DELETE", "stop rename /_layers/"),
        ("HEAD", "DELETE", "stop rename /blobs/"),
        ("HEAD", "DELETE", "stop touch /_layers/"),
        ("DELETE", "HEAD", "stop unlink /_layers/"),
        ("DELETE", "HEAD", "stop sync_dir /_layers/"),
    ] {
        let (stack, repository) = stack().await;
        let path = format!("blobs/{}", repository.push_blob(b"loose").await);
        stack.collect(after_hours(25)).await.unwrap();
        let send = |method: &str| {
            let request = repository.request(method.parse().unwrap(), &path);
            tokio::spawn(async move { request.send().await.status })
        };
        let stop = stack.arm(place);
        let stopped = send(first);
        stop.reached().await;
        let mut follower = send(second);
        let early = tokio::time::timeout(A_WHILE, &mut follower).await;
        drop(stop);
        let (first_told, second_told) = (
            stopped.await.unwrap(),
            match early {
                Ok(told) => told.unwrap(),
                Err(_) => follower.await.unwrap(),
            },
        );
        let told = if first == "HEAD" { (first_told, second_told) } else { (second_told, first_told) };
        assert!(matches!(told, (200 | 404, 202)), "{first}, {second}, {place}: {told:?}");
        // Deleted is deleted, whoever had it in hands.
        repository.head(&path).send().await.is(404);
        stack.collect(after_hours(50)).await.unwrap();
        repository.head(&path).send().await.is(404);
        repository.delete(&path).send().await.is(404);
    }
}

#[tokio::test]
async fn a_hidden_manifest_is_served_and_comes_back_with_all_it_needs() {
    let (stack, repository) = stack().await;
    let child = repository.push_image("child", "child").await;
    let inner = index(&[child_descriptor(OCI_MANIFEST, &child.manifest)]);
    repository.put_manifest("inner", &inner).await.is(201);
    for tag in ["child", "inner"] {
        repository.delete(&format!("manifests/{tag}")).send().await.is(202);
    }
    let untagged = Collection { delete_untagged: true, ..after_hours(25) };
    let hidden = with_fate(&stack.collect(untagged).await.unwrap(), Fate::Hidden);
    assert!(hidden.contains(&format!("manifest {}", sha256(&inner))), "{hidden:?}");
    assert!(!hidden.contains(&format!("manifest {}", child.digest)), "its parent is there, though hidden: {hidden:?}");
    repository.get(&format!("manifests/{}", sha256(&inner))).send().await.is(200);

    let outer = index(&[child_descriptor(OCI_INDEX, &inner)]);
    repository.put_manifest("outer", &outer).await.is(201);
    for hours in [60, 90, 120] {
        stack.collect(Collection { delete_untagged: true, ..after_hours(hours) }).await.unwrap();
    }
    repository.get(&format!("manifests/{}", sha256(&inner))).send().await.is(200);
    pulls(&repository, &child.digest, &child).await;
}

#[tokio::test]
async fn a_hidden_manifest_is_deleted_at_once_and_holds_its_parts_until_then() {
    let (stack, repository) = stack().await;
    let old = repository.push_image("v1", "old").await;
    repository.push_image("v1", "new").await;
    stack.collect(Collection { delete_untagged: true, ..after_hours(25) }).await.unwrap();
    repository.delete(&format!("blobs/{}", sha256(b"old"))).send().await.is(405);
    repository.delete(&format!("manifests/{}", old.digest)).send().await.is(202);
    repository.get(&format!("manifests/{}", old.digest)).send().await.is(404);
    repository.delete(&format!("manifests/{}", old.digest)).send().await.is(404);
    repository.delete(&format!("blobs/{}", sha256(b"old"))).send().await.is(202);
}

#[tokio::test]
async fn a_hidden_child_that_is_torn_is_missing_and_can_be_pushed_again() {
    let (stack, repository) = stack().await;
    let child = repository.push_image("v1", "old").await;
    repository.push_image("v1", "new").await;
    stack.collect(Collection { delete_untagged: true, ..after_hours(25) }).await.unwrap();
    std::fs::write(stack.stored(&data(&child.digest)), "{").unwrap();
    let parent = index(&[child_descriptor(OCI_MANIFEST, &child.manifest)]);
    let refused = repository.put_manifest("parent", &parent).await.refuses(400, "MANIFEST_BLOB_UNKNOWN");
    assert_eq!(refused.json()["errors"][0]["detail"]["digest"], child.digest);
    for blob in &child.blobs {
        repository.push_blob(blob).await;
    }
    repository.put_manifest(&child.digest, &child.manifest).await.is(201);
    repository.put_manifest("parent", &parent).await.is(201);
    pulls(&repository, &child.digest, &child).await;
}
