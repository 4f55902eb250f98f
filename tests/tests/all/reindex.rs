//! Making the index fit what storage holds: volumes of peers, an index that was restored from an older backup, and what
//! happens meanwhile.

use crate::support::{Stack, User, at_once, data, image, pulls as pulls_whole, sha256};
use berth::reindex::{How, Line, What};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// An image with the tag `v1`, as a peer writes it.
fn leave_image(stack: &Stack, name: &str) -> String {
    let image = image(&[b"layer"]);
    let link = |digest: &str| digest.replace(':', "/");
    let repository = stack.stored(&format!("repositories/{name}"));
    for blob in image.blobs.iter().chain([&image.manifest]) {
        let digest = sha256(blob);
        write(&stack.stored(&format!("blobs/sha256/{}/{}/data", &digest[7..9], &digest[7..])), blob);
        write(&repository.join("_layers").join(link(&digest)).join("link"), &digest);
    }
    let manifests = repository.join("_manifests");
    write(&manifests.join("revisions").join(link(&image.digest)).join("link"), &image.digest);
    write(&manifests.join("tags/v1/current/link"), &image.digest);
    write(&manifests.join("tags/v1/index").join(link(&image.digest)).join("link"), &image.digest);
    image.digest
}

fn give(namespaces: &[&str]) -> How {
    let give = namespaces.iter().map(|name| shared::NamespaceName::parse(name).unwrap()).collect();
    How { give, ..How::default() }
}

/// The names of the repositories of which this was found.
fn of(lines: &[Line], wanted: impl Fn(&What) -> bool) -> Vec<&str> {
    lines.iter().filter(|line| wanted(&line.what)).map(|line| line.repository.as_str()).collect()
}

fn is_left(what: &What) -> bool {
    matches!(what, What::Left { .. })
}

async fn pulls(user: &User, name: &str) -> u16 {
    user.repository(name).await.get("manifests/v1").send().await.status
}

#[tokio::test]
async fn a_peers_volume_is_refused_until_it_is_reindexed_and_then_its_admins_alone() {
    let stack = Stack::start().await;
    let alice = stack.user("alice").await;
    let digest = leave_image(&stack, "acme/app");
    for name in ["acme/deep/er/app", "bare", "admin/own", "alice/hers", "v1/app"] {
        leave_image(&stack, name);
    }
    let admin = stack.admin();
    assert_eq!(pulls(&admin, "acme/app").await, 401, "no such name, no right");
    let dry = How { dry_run: true, ..How::default() };
    let (lines, summary) = stack.reindex(&dry).await;
    assert_eq!((summary.repositories, summary.adopted, summary.left), (6, 4, 2), "{lines:?}");
    assert_eq!(pulls(&admin, "acme/app").await, 401, "nothing was changed");

    let (lines, summary) = stack.reindex(&How::default()).await;
    assert_eq!((summary.repositories, summary.adopted, summary.left, summary.failed), (6, 4, 2, 0), "{lines:?}");
    // One is somebody's, the other's first part is a reserved name.
    assert_eq!(of(&lines, is_left), ["alice/hers", "v1/app"]);
    for name in ["acme/app", "acme/deep/er/app", "bare", "admin/own"] {
        assert_eq!((pulls(&admin, name).await, pulls(&alice, name).await), (200, 401), "{name}");
        let known = admin.does(Method::GET, &format!("/repositories/{name}"), &Value::Null).await;
        assert_eq!(known["visibility"], "private", "{name}");
    }
    assert_eq!(pulls(&alice, "alice/hers").await, 404);
    let tags = admin.does(Method::GET, "/repositories/acme/app/-/tags", &Value::Null).await;
    assert_eq!(tags["items"][0]["digest"], digest);
    let (lines, again) = stack.reindex(&How::default()).await;
    assert_eq!((again.adopted, again.differences, again.left), (0, 0, 2), "{lines:?}");
    // Given away on purpose, it is hers; and what was adopted is an organisation's like any other.
    stack.reindex(&give(&["alice"])).await;
    assert_eq!(pulls(&alice, "alice/hers").await, 200);
    admin.does(Method::PUT, "/orgs/acme/members/alice", &json!({ "role": "member" })).await;
    assert_eq!(pulls(&alice, "acme/app").await, 200);
    admin.repository("acme/app").await.push_image("v2", "pushed on").await;
}

#[tokio::test]
async fn an_index_from_an_older_backup_loses_nothing_and_gives_a_new_owner_nothing() {
    let stack = Stack::start().await;
    let old = stack.user("kept").await;
    old.repository("kept/app").await.push_image("v1", "before").await;
    let backup = stack.index_backup();
    let bob = stack.user("bob").await;
    bob.repository("bob/app").await.push_image("v1", "secret").await;
    bob.repository("bob/other").await.push_image("v1", "secret too").await;
    let after = old.repository("kept/app").await.push_image("v1", "after").await;
    old.repository("kept/app").await.push_image("v2", "new").await;

    let stack = stack.with_index_of(&backup).await;
    let (old, bob) = (stack.admin().named("kept"), stack.user("bob").await);
    // The new account of the lost name, before and after a reindex.
    assert_eq!(pulls(&bob, "bob/app").await, 404);
    bob.repository("bob/app").await.post("blobs/uploads/").send().await.refuses(403, "DENIED");
    let (lines, summary) = stack.reindex(&How::default()).await;
    assert_eq!(of(&lines, is_left), ["bob/app", "bob/other"], "{lines:?}");
    assert_eq!(summary.failed, 0);
    for name in ["bob/app", "bob/other"] {
        assert_eq!(pulls(&bob, name).await, 404, "{name}");
    }
    let read = old.repository("kept/app").await.get("manifests/v1").send().await.is(200);
    assert_eq!(read.body, after.manifest);
    let tags = old.does(Method::GET, "/repositories/kept/app/-/tags", &Value::Null).await;
    let names: Vec<_> = tags["items"].as_array().unwrap().iter().map(|tag| tag["name"].clone()).collect();
    assert_eq!(names, [json!("v1"), json!("v2")]);
    assert_eq!(tags["items"][0]["digest"], after.digest);
    // An administrator who knows that it is the same person says so; a name that was allocated again stays as it is.
    let (lines, _) = stack.reindex(&give(&["bob"])).await;
    assert_eq!(of(&lines, is_left), ["bob/app"], "{lines:?}");
    assert_eq!(pulls(&bob, "bob/other").await, 200);
}

#[tokio::test]
async fn each_difference_is_repaired_by_what_storage_holds_at_that_moment() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let (one, two) = (app.push_image("one", "one").await, app.push_image("two", "two").await);
    // Behind the index's back: a tag moved, one gone, one new, and a manifest gone.
    let tags = stack.stored("repositories/admin/app/_manifests/tags");
    write(&tags.join("one/current/link"), &two.digest);
    write(&tags.join("three/current/link"), &two.digest);
    fs::remove_dir_all(tags.join("two")).unwrap();
    let link = stack.stored(&format!("repositories/admin/app/_manifests/revisions/sha256/{}", &one.digest[7..]));
    fs::remove_dir_all(link).unwrap();

    let stop = stack.arm("stop pause compared");
    let how = How::default();
    let reindex = stack.reindex(&how);
    let meanwhile = async {
        stop.reached().await;
        // Between read and repair the world goes on.
        let pushed = app.push_image("two", "meanwhile").await;
        drop(stop);
        pushed
    };
    let ((lines, summary), pushed) = tokio::join!(reindex, meanwhile);
    assert_eq!((summary.differences, summary.failed), (4, 0), "{lines:?}");
    let told = stack.admin().does(Method::GET, "/repositories/admin/app/-/tags", &Value::Null).await;
    let told: Vec<_> =
        told["items"].as_array().unwrap().iter().map(|tag| (tag["name"].clone(), tag["digest"].clone())).collect();
    let wanted = [("one", &two.digest), ("three", &two.digest), ("two", &pushed.digest)];
    assert_eq!(told, wanted.map(|(name, digest)| (json!(name), json!(digest))));
    let gone = format!("/api/v1/repositories/admin/app/-/manifests/{}", one.digest);
    stack.admin().asks(Method::GET, &gone).send().await.is(404);
    let (_, again) = stack.reindex(&How::default()).await;
    assert_eq!(again.differences, 0);
    assert_eq!(fs::read_dir(stack.stored("berth/intents/admin/app/_tags")).unwrap().count(), 0);
}

#[tokio::test]
async fn what_storage_has_lost_whole_is_named_and_kept() {
    let stack = Stack::start().await;
    stack.admin().repository("admin/app").await.push_image("v1", "layer").await;
    for part in ["repositories/admin", "berth/ids/admin"] {
        fs::remove_dir_all(stack.stored(part)).unwrap();
    }
    let (lines, summary) = stack.reindex(&How::default()).await;
    assert_eq!((of(&lines, |what| *what == What::Lost), summary.lost), (vec!["admin/app"], 1));
    let tags = stack.admin().does(Method::GET, "/repositories/admin/app/-/tags", &Value::Null).await;
    assert_eq!(tags["items"][0]["name"], "v1", "the folder may be the wrong one");
}

/// Why this one is left.
fn reason<'a>(lines: &'a [Line], repository: &str) -> &'a str {
    let mut reasons = lines.iter().filter(|line| line.repository == repository).filter_map(|line| match &line.what {
        What::Left { reason } => Some(reason.as_str()),
        _ => None,
    });
    reasons.next().expect("one that is left")
}

async fn deleted(user: &User, namespace: &str) -> Vec<Value> {
    let listed = user.does(Method::GET, &format!("/namespaces/{namespace}/deleted"), &Value::Null).await;
    listed["items"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect()
}

#[tokio::test]
async fn deleted_repositories_that_the_index_has_lost_are_known_again_or_named() {
    let stack = Stack::start().await;
    let alice = stack.user("alice").await;
    let backup = stack.index_backup();
    let mut ids = Vec::new();
    for (user, name) in [
        (&stack.admin(), "admin/app"),
        (&stack.admin(), "admin/unnamed"),
        (&stack.admin(), "admin/taken"),
        (&alice, "alice/hers"),
    ] {
        user.repository(name).await.push_image("v1", name).await;
        ids.push(fs::read_to_string(stack.stored(&format!("berth/ids/{name}/_id"))).unwrap());
        user.does(Method::DELETE, &format!("/repositories/{name}"), &Value::Null).await;
    }
    // An index from before all of them. One of the names has another repository now, of one nobody knows the name.
    let stack = stack.with_index_of(&backup).await;
    let (admin, alice) = (stack.admin(), stack.admin().named("alice"));
    let later = admin.repository("admin/taken").await.push_image("v1", "later").await;
    fs::remove_file(stack.stored(&format!("berth/deleted/{}/_move", ids[1]))).unwrap();

    let left = ["alice/hers", "admin/taken", ids[1].as_str()];
    let is_deleted = |what: &What| *what == What::Deleted;
    for how in [How { dry_run: true, ..How::default() }, How::default()] {
        assert_eq!(deleted(&admin, "admin").await, Vec::<Value>::new());
        let (lines, summary) = stack.reindex(&how).await;
        assert_eq!((of(&lines, is_deleted), of(&lines, is_left)), (vec!["admin/app"], left.to_vec()), "{lines:?}");
        assert_eq!((summary.deleted, summary.left, summary.failed), (1, 3, 0));
        let ways = ["--give alice", "reindex again when that is renamed or purged", "remove that folder"];
        for ((name, id), way) in left.iter().zip(ids[1..].iter().rev()).zip(ways) {
            let reason = reason(&lines, name);
            let folder = stack.stored(&format!("berth/deleted/{id}"));
            assert!(reason.contains(folder.to_str().unwrap()), "which folder: {reason}");
            assert!(reason.contains(way) && !reason.contains("what lies there"), "what to do: {reason}");
        }
    }
    assert_eq!((deleted(&admin, "admin").await, deleted(&alice, "alice").await), (vec![json!("admin/app")], vec![]));
    let (lines, again) = stack.reindex(&give(&["alice"])).await;
    assert_eq!((of(&lines, is_deleted), again.left), (vec!["alice/hers"], 2), "{lines:?}");

    // Restored like any other, with its content made known by the next reindex.
    admin.does(Method::POST, "/repositories/admin/app/-/restore", &Value::Null).await;
    pulls_whole(&admin.repository("admin/app").await, "v1", &image(&[b"admin/app"])).await;
    stack.reindex(&How::default()).await;
    let tags = admin.does(Method::GET, "/repositories/admin/app/-/tags", &Value::Null).await;
    assert_eq!(tags["items"][0]["name"], "v1");
    // Purged like any other; what is only named stays until somebody removes it.
    stack.collect(at_once()).await.unwrap();
    assert!(stack.stored(&data(&sha256(b"alice/hers"))).exists());
    stack.carry_out_wishes(7 * 24 + 1).await;
    assert_eq!(deleted(&alice, "alice").await, Vec::<Value>::new());
    stack.collect(at_once()).await.unwrap();
    assert!(!stack.stored(&data(&sha256(b"alice/hers"))).exists());
    assert!(stack.stored(&data(&sha256(b"admin/unnamed"))).exists());
    for id in &ids[1..3] {
        fs::remove_dir_all(stack.stored(&format!("berth/deleted/{id}"))).unwrap();
    }
    stack.collect(at_once()).await.unwrap();
    for gone in ["admin/unnamed", "admin/taken"] {
        assert!(!stack.stored(&data(&sha256(gone.as_bytes()))).exists(), "{gone}");
    }
    pulls_whole(&admin.repository("admin/taken").await, "v1", &later).await;
    let (lines, summary) = stack.reindex(&How::default()).await;
    assert_eq!((summary.left, summary.deleted), (0, 0), "{lines:?}");
}

#[tokio::test]
async fn of_several_deleted_repositories_of_one_name_the_latest_gets_it() {
    const NAMES: [&str; 4] = ["admin/one", "admin/two", "admin/three", "admin/four"];
    let mut stack = Stack::start().await;
    let backup = stack.index_backup();
    for what in ["earlier", "later"] {
        let admin = stack.admin();
        // So many calls that the earlier ones have the larger numbers.
        for number in 0..if what == "earlier" { 10 } else { 0 } {
            admin.repository("admin/other").await.push_image(&format!("v{number}"), "layer").await;
        }
        for name in NAMES {
            admin.repository(name).await.push_image("v1", &format!("{what} {name}")).await;
        }
        for name in NAMES {
            admin.does(Method::DELETE, &format!("/repositories/{name}"), &Value::Null).await;
        }
        stack = stack.with_index_of(&backup).await;
    }
    let admin = stack.admin();
    // One more lies under its name, and takes it in the same run.
    let admin_own = leave_image(&stack, "admin/four");
    let mut said = Vec::new();
    for how in [How { dry_run: true, ..How::default() }, How::default()] {
        let (lines, summary) = stack.reindex(&how).await;
        assert_eq!((summary.deleted, summary.left), (3, 5), "{lines:?}");
        for name in NAMES {
            assert!(reason(&lines, name).contains("its name belongs to a later repository"), "{lines:?}");
        }
        said.push(lines.into_iter().filter(|line| NAMES.contains(&line.repository.as_str())).collect::<Vec<_>>());
    }
    let of_put_away = |lines: &[Line]| -> Vec<Line> {
        lines.iter().filter(|line| matches!(line.what, What::Deleted | What::Left { .. })).cloned().collect()
    };
    assert_eq!(of_put_away(&said[0]), of_put_away(&said[1]), "a dry run says what a run does");
    for name in &NAMES[..3] {
        admin.does(Method::POST, &format!("/repositories/{name}/-/restore"), &Value::Null).await;
        let later = image(&[format!("later {name}").as_bytes()]);
        pulls_whole(&admin.repository(name).await, "v1", &later).await;
    }
    let read = admin.repository("admin/four").await.get("manifests/v1").send().await.is(200);
    assert_eq!(read.header("docker-content-digest"), admin_own);
}
