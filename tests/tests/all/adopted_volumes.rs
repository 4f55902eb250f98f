//! A volume that was written without an index, by a registry of ours or by Debian's `docker-registry`: the command
//! `berth reindex` makes it the administrator's, and nobody else's.

use crate::support::{Host, Image, PASSWORD, Peer, Program, Repository, User, berth, pulls};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;

/// Pushes one image to two repositories, of which the second has the name of a person yet to come.
async fn push_to(host: &Host) -> Image {
    let repository = |name: &str| Repository::new(host, name, String::new());
    repository("acme/app").push_typed("v1", "layer").await;
    repository("alice/hers").push_typed("v1", "layer").await
}

async fn status(user: &User, name: &str) -> u16 {
    user.repository(name).await.get("manifests/v1").send().await.status
}

// An intent: `berth reindex` compares everything, prints the drift, and repairs each difference.
#[tokio::test]
async fn the_command_makes_what_a_volume_holds_known_beside_a_server_and_private() {
    for writer in ["berth", "docker-registry"] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let pushed = if writer == "berth" {
            let alone = Program::start_registry(&data, &[]).await;
            push_to(&alone.host).await
        } else {
            let root = data.join("registry");
            fs::create_dir_all(&root).unwrap();
            let peer = Peer::start(&root).await;
            push_to(&peer.host).await
        };
        let served = Program::start_well(&data).await;
        let admin = served.admin();
        admin.does(Method::POST, "/admin/users", &json!({ "name": "alice", "password": PASSWORD })).await;
        let (alice, anybody) = (admin.named("alice"), admin.named(""));
        assert_eq!(status(&admin, "acme/app").await, 401, "{writer}: no such name, no right");

        // What has somebody else's name is left to a person, and the program's end says so.
        let left = "error: 1 of what is named above needs a person";
        let said = berth(&data, &["reindex", "--dry-run"]).await.unwrap_err();
        assert!(said.contains(left), "{writer}: {said}");
        assert_eq!(status(&admin, "acme/app").await, 401, "{writer}: nothing was changed");
        let said = berth(&data, &["reindex"]).await.unwrap_err();
        assert!(said.contains(left), "{writer}: {said}");
        pulls(&admin.repository("acme/app").await, "v1", &pushed).await;
        assert_eq!((status(&alice, "acme/app").await, status(&anybody, "acme/app").await), (401, 401), "{writer}");
        let known = admin.does(Method::GET, "/repositories/acme/app", &Value::Null).await;
        assert_eq!(known["visibility"], "private", "{writer}");
        let members = admin.does(Method::GET, "/orgs/acme/members", &Value::Null).await;
        let members = members["items"].as_array().unwrap().iter().map(|member| (&member["user"], &member["role"]));
        assert_eq!(members.collect::<Vec<_>>(), [(&json!("admin"), &json!("owner"))], "{writer}");
        assert_eq!(status(&alice, "alice/hers").await, 404, "{writer}: not hers by its name alone");

        let printed = berth(&data, &["reindex", "--give", "alice"]).await.unwrap();
        let mut lines: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let summary = json!({
            "repositories": 2, "adopted": 1, "deleted": 0, "left": 0, "differences": 2, "lost": 0, "failed": 0,
        });
        assert_eq!(lines.pop(), Some(summary), "{writer}");
        let found = [
            json!({ "repository": "alice/hers", "found": "adopted" }),
            json!({ "repository": "alice/hers", "found": "manifest", "digest": pushed.digest, "in_storage": true }),
            json!({ "repository": "alice/hers", "found": "tag", "tag": "v1", "digest": pushed.digest }),
        ];
        assert_eq!(lines, found, "{writer}");
        pulls(&alice.repository("alice/hers").await, "v1", &pushed).await;
        assert_eq!(status(&anybody, "alice/hers").await, 401, "{writer}");
    }
}
