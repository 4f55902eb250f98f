//! An index that was restored from a backup older than a purge: what it still lists and storage has no more is said to be so,
//! goes like any other when it is deleted or its time comes, and is never stuck.

use super::rest::{APP, answers, names, stack_with_app};
use crate::support::{Stack, User, at_once};
use serde_json::{Value, json};
use tempfile::TempDir;

const DELETED: &str = "/namespaces/acme/deleted";

/// `acme/app` is purged, and then the index is as it was at the backup.
async fn purged_since(stack: Stack, backup: &TempDir) -> (Stack, User, User) {
    let (admin, alice) = (stack.admin(), stack.admin().named("alice"));
    let listed = alice.asks(reqwest::Method::GET, &format!("/api/v1{APP}")).send().await;
    if listed.status == 200 {
        answers(&alice, &format!("DELETE {APP}"), Value::Null, 204).await;
    }
    answers(&admin, &format!("POST {APP}/-/purge"), Value::Null, 204).await;
    let stack = stack.with_index_of(backup).await;
    let (admin, alice) = (stack.admin(), stack.admin().named("alice"));
    (stack, admin, alice)
}

/// Nobody brings it back, as often as they try, and that is said.
async fn is_gone_for_good(alice: &User) {
    for _ in 0..2 {
        assert_eq!(names(alice, DELETED).await, ["acme/app"]);
        let refused = answers(alice, &format!("POST {APP}/-/restore"), Value::Null, 409).await;
        assert_eq!(refused["code"], "not_moved");
        assert!(refused["detail"].as_str().unwrap().contains("purged"), "{refused}");
    }
}

/// The index has no record of it, and its name is anybody's in the namespace.
async fn is_forgotten(alice: &User) {
    assert!(names(alice, DELETED).await.is_empty());
    answers(alice, &format!("POST {APP}/-/restore"), Value::Null, 404).await;
    answers(alice, &format!("DELETE {APP}"), Value::Null, 404).await;
    alice.repository("acme/app").await.push_image("v1", "another").await;
}

#[tokio::test]
async fn what_was_purged_after_the_backup_can_be_deleted_and_its_records_end() {
    for by_hand in [true, false] {
        let (stack, _) = stack_with_app().await;
        let backup = stack.index_backup();
        let (stack, admin, alice) = purged_since(stack, &backup).await;
        let app = alice.repository("acme/app").await;
        answers(&alice, &format!("GET {APP}"), Value::Null, 200).await;
        app.get("manifests/v1").send().await.refuses(404, "NAME_UNKNOWN");
        app.post("blobs/uploads/").send().await.refuses(404, "NAME_UNKNOWN");
        let renamed = answers(&alice, &format!("POST {APP}/-/rename"), json!({ "name": "acme/new" }), 409).await;
        assert_eq!(renamed["code"], "not_moved");

        answers(&alice, &format!("DELETE {APP}"), Value::Null, 204).await;
        answers(&alice, &format!("DELETE {APP}"), Value::Null, 404).await;
        is_gone_for_good(&alice).await;
        if by_hand {
            answers(&admin, &format!("POST {APP}/-/purge"), Value::Null, 204).await;
        } else {
            stack.carry_out_wishes(7 * 24 - 1).await;
            is_gone_for_good(&alice).await;
            stack.carry_out_wishes(7 * 24 + 1).await;
        }
        is_forgotten(&alice).await;
    }
}

#[tokio::test]
async fn what_the_backup_has_as_deleted_ends_with_the_timer_or_by_hand() {
    for by_hand in [true, false] {
        let (stack, alice) = stack_with_app().await;
        answers(&alice, &format!("DELETE {APP}"), Value::Null, 204).await;
        let backup = stack.index_backup();
        let (stack, admin, alice) = purged_since(stack, &backup).await;
        is_gone_for_good(&alice).await;
        if by_hand {
            answers(&admin, &format!("POST {APP}/-/purge"), Value::Null, 204).await;
        } else {
            stack.carry_out_wishes(7 * 24 + 1).await;
        }
        is_forgotten(&alice).await;
    }
}

#[tokio::test]
async fn a_wish_that_stood_in_the_backup_is_not_repeated_for_ever() {
    for wished in ["DELETE", "restore", "rename", "purge"] {
        let (stack, alice) = stack_with_app().await;
        let silent = User::new(&stack.index_calling("http://127.0.0.1:9"), "alice");
        let wish = match wished {
            "DELETE" => format!("DELETE {APP}"),
            verb => format!("POST {APP}/-/{verb}"),
        };
        if ["restore", "purge"].contains(&wished) {
            answers(&alice, &format!("DELETE {APP}"), Value::Null, 204).await;
        }
        let asker = if wished == "purge" { silent.named("admin") } else { silent };
        let body = if wished == "rename" { json!({ "name": "acme/new" }) } else { Value::Null };
        answers(&asker, &wish, body, 202).await;
        let backup = stack.index_backup();
        stack.carry_out_wishes(0).await;
        // Under whichever name it is by now.
        let name = if wished == "rename" { "acme/new" } else { "acme/app" };
        for (user, request, done) in [
            (&alice, format!("DELETE /repositories/{name}"), ["restore", "rename"].contains(&wished)),
            (&stack.admin(), format!("POST /repositories/{name}/-/purge"), wished != "purge"),
        ] {
            if done {
                answers(user, &request, Value::Null, 204).await;
            }
        }
        let stack = stack.with_index_of(&backup).await;
        let alice = User::new(&stack.host, "alice");
        stack.carry_out_wishes(0).await;
        if wished == "rename" {
            // It could not be; under the old name it is listed, and can be deleted.
            answers(&alice, "PUT /repositories/acme/new", json!({}), 201).await;
            answers(&alice, &format!("DELETE {APP}"), Value::Null, 204).await;
        }
        if wished != "purge" {
            is_gone_for_good(&alice).await;
        }
        stack.carry_out_wishes(7 * 24 + 1).await;
        is_forgotten(&alice).await;
    }
}

#[tokio::test]
async fn when_storage_has_forgotten_the_purge_too_the_name_can_be_used_again() {
    let (stack, _) = stack_with_app().await;
    let backup = stack.index_backup();
    let (stack, _, alice) = purged_since(stack, &backup).await;
    stack.collect(at_once()).await.unwrap();
    // Nothing lies there; it is as if nobody had pushed to it yet.
    alice.repository("acme/app").await.get("manifests/v1").send().await.is(404);
    answers(&alice, &format!("DELETE {APP}"), Value::Null, 204).await;
    answers(&alice, &format!("POST {APP}/-/restore"), Value::Null, 200).await;
    alice.repository("acme/app").await.push_image("v1", "another").await;
    answers(&alice, &format!("DELETE {APP}"), Value::Null, 204).await;
    stack.carry_out_wishes(7 * 24 + 1).await;
    is_forgotten(&alice).await;
}
