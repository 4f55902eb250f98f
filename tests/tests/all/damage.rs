//! Bytes that are not what their name says: never a whole answer, not there afterwards, and healed by the next push.

use crate::support::{
    Host, Nginx, Repository, Request, Stack, Standalone, after_hours, at_once, data, eventually, set_back, sha256,
    with_fate,
};
use futures_util::StreamExt;
use registry_service::domain::collector::Collection;
use registry_service::model::collection::{Fate, Keeper};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A blob is put away beside the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sent from memory, and sent as a stream of several chunks.
const SIZES: &[usize] = &[1000, 1_000_000];

/// Others for each seed: what was sent whole may be sent from memory for a while.
fn content(size: usize, seed: usize) -> Vec<u8> {
    (0..=250_u8).cycle().skip(seed).take(size).collect()
}

/// Where the blob lies.
fn place(stack: &Stack, digest: &str) -> PathBuf {
    let hex = digest.strip_prefix("sha256:").unwrap();
    stack.stored(&format!("blobs/sha256/{}/{hex}", &hex[..2]))
}

/// Ways of reading: a `Range`, if it has one, and whether a HEAD comes before.
const READS: &[(&str, bool)] =
    &[("", false), ("", true), ("bytes=0-", false), ("bytes=1000-", false), ("bytes=-7", false)];

/// What arrives of a blob, or of a part of it, before the connection ends: head and body.
async fn read(host: Host, app: Repository, digest: String, range: &str) -> (String, Vec<u8>) {
    let head = format!("GET /v2/{}/blobs/{digest} HTTP/1.1\r\nAuthorization: Bearer {}", app.name, app.token);
    let range = if range.is_empty() { String::new() } else { format!("\r\nRange: {range}") };
    host.raw(&format!("{head}{range}"), b"").await
}

/// Whether somebody takes it for all that was asked for.
fn is_whole((head, body): &(String, Vec<u8>)) -> bool {
    let length = format!("content-length: {}", body.len());
    head.starts_with("HTTP/1.1 20") && head.to_lowercase().lines().any(|line| line == length)
}

/// The bytes that arrive of a whole blob.
async fn received(stack: &Stack, app: &Repository, digest: &str) -> Vec<u8> {
    read(stack.host.clone(), app.clone(), digest.to_owned(), "").await.1
}

#[tokio::test]
async fn a_damaged_blob_is_never_a_whole_answer_and_the_next_push_heals_it() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let mut seed = 0;
    for size in SIZES {
        for damage in ["flipped", "short", "short and set back", "long"] {
            for (range, is_asked_for) in READS {
                let what = format!("{size} bytes, {damage}, {range}");
                seed += 1;
                let good = content(*size, seed);
                let digest = app.push_blob(&good).await;
                let data = place(&stack, &digest).join("data");
                let mut bad = good.clone();
                match damage {
                    "flipped" => bad[size / 2] ^= 1,
                    "long" => bad.push(0),
                    _ => bad.truncate(size - 1),
                }
                fs::write(&data, &bad).unwrap();
                if damage == "short and set back" {
                    set_back(&data);
                }

                let path = format!("blobs/{digest}");
                if *is_asked_for {
                    app.head(&path).send().await.is(200);
                }
                let first = read(stack.host.clone(), app.clone(), digest.clone(), range).await;
                assert!(!is_whole(&first), "{what}: {}", first.0);
                eventually("put away", PATIENCE, async || app.head(&path).send().await.status == 404).await;
                let beside: Vec<_> =
                    fs::read_dir(data.parent().unwrap()).unwrap().map(|entry| entry.unwrap()).collect();
                assert!(beside.iter().all(|entry| entry.file_name().to_str().unwrap().starts_with("berth-damaged.")));

                app.push_blob(&good).await;
                assert_eq!(app.get(&path).send().await.is(200).body, good, "{what}");
                assert_eq!(app.get(&path).send().await.is(200).body, good, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn what_was_read_whole_and_is_cut_later_is_not_there() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    for (seed, size) in SIZES.iter().enumerate() {
        let good = content(*size, seed);
        let digest = app.push_blob(&good).await;
        let path = format!("blobs/{digest}");
        let data = place(&stack, &digest).join("data");
        for (left, is_set_back) in [(0, false), (10, false), (size - 1, false), (0, true), (size - 1, true)] {
            assert!(is_whole(&read(stack.host.clone(), app.clone(), digest.clone(), "").await), "{size} bytes");
            fs::File::options().write(true).open(&data).unwrap().set_len(left as u64).unwrap();
            if is_set_back {
                set_back(&data);
            }
            app.head(&path).send().await.is(404);
            assert!(!data.exists(), "put away");
            app.push_blob(&good).await;
            assert_eq!(app.head(&path).send().await.is(200).header("content-length"), size.to_string());
        }
    }
}

#[tokio::test]
async fn first_reads_at_once_are_good_or_not_whole_and_one_hashes_for_all() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    // More than lies between the two ends of a connection: the first reader never comes to its end.
    let good = content(32_000_000, 0);
    let digest = app.push_blob(&good).await;
    let path = format!("blobs/{digest}");
    for is_damaged in [false, true] {
        if is_damaged {
            let mut bad = good.clone();
            bad[31_000_000] ^= 1;
            fs::write(place(&stack, &digest).join("data"), &bad).unwrap();
        }
        let _slow = app.get(&path).stream().await;
        let stop = stack.arm("stop@1+ pause blob hashed for all");
        let impatient = tokio::spawn(read(stack.host.clone(), app.clone(), digest.clone(), ""));
        stop.reached().await;
        impatient.abort();
        // Hashed for those too who came after the one that has gone.
        let others = (0..5).map(|_| tokio::spawn(read(stack.host.clone(), app.clone(), digest.clone(), "")));
        let others: Vec<_> = others.collect();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(stop.count(), 1, "hashed again beside the first");
        let counted = stack.arm("sleep:0@1+ pause blob hashed for all");
        drop(stop);
        for other in others {
            let (head, bytes) = other.await.unwrap();
            assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
            assert!(if is_damaged { bytes.len() < good.len() } else { bytes == good }, "{is_damaged}");
        }
        assert_eq!(counted.count(), 0, "hashed once for each");
    }
    eventually("put away", PATIENCE, async || app.head(&path).send().await.status == 404).await;
}

/// Parts of a blob of 32,000,000 bytes, as they are fetched beside each other and after a break.
const PARTS: &[(&str, Range<usize>)] = &[
    ("bytes=0-", 0..32_000_000),
    ("bytes=0-15999999", 0..16_000_000),
    ("bytes=16000000-", 16_000_000..32_000_000),
    ("bytes=1000-", 1000..32_000_000),
    ("bytes=-7", 31_999_993..32_000_000),
    ("bytes=0-0", 0..1),
];

#[tokio::test]
async fn parts_that_are_read_at_once_are_good_or_not_whole_and_one_hashes_for_all() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let good = content(32_000_000, 0);
    let digest = app.push_blob(&good).await;
    for is_damaged in [false, true] {
        if is_damaged {
            let mut bad = good.clone();
            bad[31_000_000] ^= 1;
            fs::write(place(&stack, &digest).join("data"), &bad).unwrap();
        }
        // One of them reads all there is, and may hash what it sends.
        let stop = stack.arm("stop@1+ pause blob hashed for all");
        let part = |range| tokio::spawn(read(stack.host.clone(), app.clone(), digest.clone(), range));
        let reads: Vec<_> = PARTS.iter().map(|(range, _)| part(range)).collect();
        stop.reached().await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(stop.count(), 1, "hashed more than once beside each other");
        let counted = stack.arm("sleep:0@1+ pause blob hashed for all");
        drop(stop);
        for ((range, wanted), read) in PARTS.iter().zip(reads) {
            let read = read.await.unwrap();
            let is_good = is_whole(&read) && read.1 == good[wanted.clone()];
            assert!(if is_damaged { !is_whole(&read) } else { is_good }, "{range}, {is_damaged}: {}", read.0);
        }
        assert_eq!(counted.count(), 0, "hashed once for each");
    }
    let path = format!("blobs/{digest}");
    eventually("put away", PATIENCE, async || app.head(&path).send().await.status == 404).await;
}

#[tokio::test]
async fn a_blob_that_was_good_and_is_changed_later_is_checked_again() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let good = content(1_000_000, 0);
    let digest = app.push_blob(&good).await;
    assert_eq!(received(&stack, &app, &digest).await, good);
    fs::write(place(&stack, &digest).join("data"), &good[..500_000]).unwrap();
    assert!(received(&stack, &app, &digest).await.len() < 500_000);
}

/// What arrives of an answer whose file is cut as soon as its beginning has arrived, and whether its end looked whole.
async fn cut_while_it_is_sent(request: Request, file: &Path) -> (usize, bool) {
    let mut stream = request.stream().await;
    let mut received = stream.next().await.unwrap().unwrap().len();
    fs::File::options().write(true).open(file).unwrap().set_len(1000).unwrap();
    while let Some(bytes) = stream.next().await {
        let Ok(bytes) = bytes else { return (received, false) };
        received += bytes.len();
    }
    (received, true)
}

#[tokio::test]
async fn an_answer_whose_bytes_go_while_they_are_sent_has_no_end() {
    let registry = Standalone::start(&[("REGISTRY_HTTP_ACCEL", "/berth-blobs/")]);
    let nginx = Nginx::before(&registry.host, &registry.stored("blobs")).await;
    let direct = registry.repository("acme/app");
    let good = content(32_000_000, 0);
    for (number, range) in ["", "bytes=1000-31999998"].iter().enumerate() {
        // The bytes come from the registry itself, and from the nginx that stands before it.
        for (app, accel) in [(direct.clone(), "off"), (direct.on(&nginx.host), "on")] {
            let good = [good.as_slice(), number.to_string().as_bytes(), accel.as_bytes()].concat();
            let digest = app.push_blob(&good).await;
            let path = format!("blobs/{digest}");
            // Found good: from now on nothing is hashed.
            direct.get(&path).header("X-Accel", "off").send().await.is(200);
            let get = || {
                let request = app.get(&path);
                let request = if accel == "off" { request.header("X-Accel", "off") } else { request };
                if range.is_empty() { request } else { request.header("Range", *range) }
            };
            let (received, is_whole) = cut_while_it_is_sent(get(), &registry.stored(&data(&digest))).await;
            assert!(received < good.len() && !is_whole, "{range}, {accel}: {received} bytes that look like all");
            let again = get().attempt().await;
            assert!(
                again.is_none_or(|again| again.status >= 400),
                "{range}, {accel}: what is left is no answer either"
            );
            app.push_blob(&good).await;
            assert!(direct.get(&path).header("X-Accel", "off").send().await.is(200).body == good, "healed");
        }
    }
}

#[tokio::test]
async fn damaged_bytes_stay_while_they_are_all_there_is_of_what_somebody_needs() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    app.push_image("v1", "needed").await;
    app.push_blob(b"needed by nobody").await;
    let [needed, unneeded] = [b"needed".as_slice(), b"needed by nobody"].map(sha256);
    for digest in [&needed, &unneeded] {
        fs::write(place(&stack, digest).join("data"), "damaged").unwrap();
        received(&stack, &app, digest).await;
        let path = format!("blobs/{digest}");
        eventually("put away", PATIENCE, async || app.head(&path).send().await.status == 404).await;
    }
    let damaged = |digest: &str| format!("damaged {digest}");
    let both = [damaged(&needed), damaged(&unneeded)].into();

    let before = stack.files();
    let young = stack.collect(after_hours(0)).await.unwrap();
    assert!(with_fate(&young, Fate::Kept(Keeper::Grace)).is_superset(&both), "{young:?}");
    let dry = stack.collect(Collection { dry_run: true, ..after_hours(25) }).await.unwrap();
    assert_eq!(with_fate(&dry, Fate::Deleted), [damaged(&unneeded)].into());
    assert_eq!(stack.files(), before);
    let old = stack.collect(after_hours(25)).await.unwrap();
    assert_eq!(with_fate(&old, Fate::Deleted), [damaged(&unneeded)].into());
    assert_eq!(with_fate(&old, Fate::Kept(Keeper::OnlyCopy)), [damaged(&needed)].into());
    assert!(!place(&stack, &unneeded).exists());

    // What lies in its place is damaged as well: still all there is.
    fs::write(place(&stack, &needed).join("data"), "damaged too").unwrap();
    let worse = stack.collect(after_hours(25)).await.unwrap();
    assert_eq!(with_fate(&worse, Fate::Kept(Keeper::OnlyCopy)), [damaged(&needed)].into());
    app.push_blob(b"needed").await;
    let healed = stack.collect(at_once()).await.unwrap();
    assert!(with_fate(&healed, Fate::Deleted).contains(&damaged(&needed)), "{healed:?}");
    assert_eq!(fs::read_dir(place(&stack, &needed)).unwrap().count(), 1);
    assert_eq!(app.get(&format!("blobs/{needed}")).send().await.is(200).text(), "needed");
}
