//! One process on the storage goes by a clock that is a day ahead or behind: its tokens are refused, and nothing is lost by
//! it. No clock decides what goes; the ages that are judged by one only keep things longer.

use crate::support::{Clock, Elsewhen, Image, Repository, Stack, artifact, data, eventually, image, pulls, sha256};
use reqwest::Method;
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::Duration;

const DAY: i64 = 24 * 3600;

const PATIENCE: Duration = Duration::from_secs(20);

/// Seconds by which the registry's clock is ahead, and whether a token that was issued just now is taken: it is for five
/// minutes, from half a minute before it was issued, and a minute more on either side.
const LEEWAYS: &[(i64, bool)] =
    &[(0, true), (330, true), (390, false), (DAY, false), (-75, true), (-120, false), (-DAY, false), (0, true)];

#[tokio::test]
async fn a_registry_whose_clock_is_off_takes_tokens_within_the_leeway_and_opens_to_none_beyond() {
    let stack = Stack::start().await;
    let registry = Elsewhen::start(&stack, 0, &[]).await;
    let host = &registry.program.host;
    let known = stack.admin().repository("admin/app").await;
    let image = known.push_image("v1", "layer").await;
    let location = known.begin().await;
    let known = known.on(host);
    known.get("manifests/v1").send().await.is(200);
    for (ahead, good) in LEEWAYS {
        registry.clock.set(*ahead);
        let app = stack.admin().repository("admin/app").await.on(host);
        if *good {
            app.get("manifests/v1").send().await.is(200);
            app.put_manifest("v2", &image.manifest).await.is(201);
            continue;
        }
        // An upload outlives its token, but not by a day.
        if (0..DAY).contains(ahead) {
            app.get(&location).send().await.is(204);
        } else {
            app.get(&location).send().await.refuses(401, "UNAUTHORIZED");
            app.patch(&location).body("x").send().await.refuses(401, "UNAUTHORIZED");
        }
        for request in [
            app.get("/v2/"),
            app.get("manifests/v1"),
            app.get(&format!("blobs/{}", sha256(b"layer"))),
            app.get("tags/list"),
            app.post("blobs/uploads/"),
            app.put("manifests/v3").body(image.manifest.clone()),
            app.delete("manifests/v1"),
        ] {
            let answer = request.send().await.refuses(401, "UNAUTHORIZED");
            let challenge = answer.header("www-authenticate");
            assert!(challenge.ends_with(",error=\"invalid_token\""), "{ahead} s: {}: {challenge}", answer.what);
        }
        // One that it had taken is over too, as soon as its time is.
        if *ahead > 0 {
            known.get("manifests/v1").send().await.refuses(401, "UNAUTHORIZED");
        }
    }
    let tags = known.get("tags/list").send().await.is(200).json();
    assert_eq!(tags["tags"], json!(["v1", "v2"]), "and nothing was changed meanwhile");
}

#[tokio::test]
async fn what_a_registry_whose_clock_is_off_does_not_carry_out_another_does() {
    let stack = Stack::start().await;
    let image = stack.admin().repository("admin/app").await.push_image("v1", "layer").await;
    for ahead in [DAY, -DAY] {
        let registry = Elsewhen::start(&stack, ahead, &[]).await;
        let index = stack.index_calling(&format!("http://{}", registry.program.host.address()));
        let waits = index.request(Method::DELETE, "/api/v1/repositories/admin/app").basic("admin", "correct horse");
        waits.send().await.is(202);
        assert!(stack.stored("repositories/admin/app/_manifests").exists(), "its token was not taken");
        stack.carry_out_wishes(0).await;
        assert!(!stack.stored("repositories/admin/app/_manifests").exists());
        stack.admin().does(Method::POST, "/repositories/admin/app/-/restore", &Value::Null).await;
        pulls(&stack.admin().repository("admin/app").await, "v1", &image).await;
    }
}

/// `gc` as a person types it, in a process of its own that goes by a clock.
async fn collects(stack: &Stack, ahead: i64) {
    let clock = Clock::off_by(ahead);
    let mut process = Command::new(env!("CARGO_BIN_EXE_faulty"));
    process.arg("gc").env("BERTH_DATA", stack.folder()).envs(clock.variables()).stdout(Stdio::null());
    let status = tokio::task::spawn_blocking(move || process.status().unwrap()).await.unwrap();
    assert!(status.success(), "{ahead} s ahead: {status}");
}

/// (by how much the clocks of collections are ahead that run one after the other, whether a blob that nobody names yet is in
/// its place afterwards, and whether it is there at all).
const COLLECTIONS: &[(&[i64], bool, bool)] = &[
    (&[0], true, true),
    (&[-DAY], true, true),
    (&[DAY + 60], false, true),
    (&[DAY + 60, DAY + 60], false, true),
    (&[DAY + 60, -DAY, 0], false, true),
    // Two days apart, and one after the other: as if it had been hidden for a day.
    (&[DAY + 60, 2 * DAY + 120], false, false),
];

/// Everything that somebody has told a registry to keep.
struct Kept {
    app: Repository,
    image: Image,
    untagged: Image,
    signature: String,
    away: Image,
}

impl Kept {
    async fn push(stack: &Stack) -> Self {
        let app = stack.admin().repository("admin/app").await;
        let image = app.push_image("v1", "tagged").await;
        let untagged = app.push_image(&crate::support::image(&[b"untagged"]).digest, "untagged").await;
        let signature = app.push_manifest(&artifact(&image.digest, &json!({}))).await;
        let away = stack.admin().repository("admin/away").await.push_image("v1", "put away").await;
        stack.admin().does(Method::DELETE, "/repositories/admin/away", &Value::Null).await;
        Self { app, image, untagged, signature, away }
    }

    async fn is_whole(&self, stack: &Stack) {
        pulls(&self.app, "v1", &self.image).await;
        pulls(&self.app, &self.untagged.digest, &self.untagged).await;
        assert_eq!(self.app.referrers(&self.image.digest).await, std::slice::from_ref(&self.signature));
        stack.admin().does(Method::POST, "/repositories/admin/away/-/restore", &Value::Null).await;
        pulls(&stack.admin().repository("admin/away").await, "v1", &self.away).await;
        stack.admin().does(Method::DELETE, "/repositories/admin/away", &Value::Null).await;
    }
}

#[tokio::test]
async fn nothing_that_somebody_needs_goes_by_a_collector_whose_clock_is_off() {
    for (clocks, in_place, there) in COLLECTIONS {
        let what = format!("{clocks:?}");
        let stack = Stack::start().await;
        let kept = Kept::push(&stack).await;
        let app = &kept.app;
        let loose = app.push_blob(b"of a push that goes on later").await;
        let (stopped, going_on) = (image(&[b"of a push that is stopped"]), image(&[b"of a push that goes on later"]));
        for blob in &stopped.blobs {
            app.push_blob(blob).await;
        }
        // It has published what it means to change, and has looked at nothing yet.
        let stop = stack.arm("stop pause announced");
        let pushing = tokio::spawn(app.put("manifests/stopped").body(stopped.manifest.clone()).send());
        stop.reached().await;
        for ahead in *clocks {
            // Its timers too: what a living writer holds is not settled, whatever the time.
            let beside = Elsewhen::start(&stack, *ahead, &[]).await;
            collects(&stack, *ahead).await;
            drop(beside);
        }
        let place = stack.stored(&data(&loose));
        let left = std::fs::read_dir(place.parent().unwrap()).map_or(0, Iterator::count);
        assert_eq!((place.exists(), left > 0), (*in_place, *there), "{what}");
        drop(stop);
        pushing.await.unwrap().is(201);
        pulls(app, "stopped", &stopped).await;
        kept.is_whole(&stack).await;

        // What was hidden comes back by itself; what had gone is missed before anything is visible, and sent again.
        let answer = app.put_manifest("later", &going_on.manifest).await;
        if *there {
            answer.is(201);
        } else {
            answer.refuses(400, "MANIFEST_BLOB_UNKNOWN");
            app.get("manifests/later").send().await.is(404);
            for blob in &going_on.blobs {
                app.push_blob(blob).await;
            }
            app.put_manifest("later", &going_on.manifest).await.is(201);
        }
        pulls(app, "later", &going_on).await;
    }
}

/// How old an upload may become, in a registry that looks as often as it can.
const PURGES: &[(&str, &str)] = &[
    ("REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_INTERVAL", "1s"),
    ("REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_AGE", "12h"),
];

#[tokio::test]
async fn an_upload_is_not_purged_under_its_writer_by_a_registry_that_is_a_day_ahead() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let (abandoned, young, written) = (app.begin().await, app.begin().await, app.begin().await);
    for location in [&abandoned, &young, &written] {
        app.patch(location).body("begun, ").send().await.is(202);
    }
    let is_there = async |location: &str| app.get(location).send().await.status == 204;
    // By default a day more or less does not matter.
    for ahead in [DAY, -DAY] {
        let beside = Elsewhen::start(&stack, ahead, &PURGES[..1]).await;
        tokio::time::sleep(Duration::from_millis(2500)).await;
        for location in [&abandoned, &young, &written] {
            assert!(is_there(location).await, "{ahead} s ahead");
        }
        drop(beside);
    }
    // One who counts in hours loses by it what nobody writes at that moment, and has to begin that again.
    let behind = Elsewhen::start(&stack, -DAY, PURGES).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert!(is_there(&abandoned).await);
    app.put(&format!("{young}?digest={}", sha256(b"begun, "))).send().await.is(201);
    drop(behind);

    let (rest, coming) = tokio::sync::oneshot::channel::<&'static str>();
    let first = futures_util::stream::iter([Ok::<_, std::io::Error>("gone on with, ")]);
    let last = futures_util::stream::once(async move { coming.await.map_err(std::io::Error::other) });
    let body = reqwest::Body::wrap_stream(futures_util::StreamExt::chain(first, last));
    let writing = tokio::spawn(app.patch(&written).body(body).send());
    eventually("it has a writer", PATIENCE, async || app.patch(&written).send().await.status == 416).await;
    let ahead = Elsewhen::start(&stack, DAY, PURGES).await;
    eventually("it looks for old uploads", PATIENCE, async || !is_there(&abandoned).await).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(is_there(&written).await, "what is being written is nobody else's");
    drop(ahead);
    rest.send("and ended").unwrap();
    writing.await.unwrap().is(202);
    let digest = sha256(b"begun, gone on with, and ended");
    app.put(&format!("{written}?digest={digest}")).send().await.is(201);
    let blob = app.get(&format!("blobs/{digest}")).send().await.is(200);
    assert_eq!(blob.text(), "begun, gone on with, and ended");
}
