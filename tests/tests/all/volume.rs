//! What lies on disk: after everything that a client can do it is a volume that a peer walks without harm, and a push heals
//! what was damaged in it.

use crate::support::{Repository, Standalone, child_descriptor, data, eventually, index, sha256, sha512};
use shared::media_type::OCI_MANIFEST;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Every path of a file or directory below `root`, seen from there.
pub(super) fn paths(root: &Path) -> Vec<PathBuf> {
    fn walk(root: &Path, directory: &Path, all: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            all.push(path.strip_prefix(root).unwrap().to_owned());
            if path.is_dir() {
                walk(root, &path, all);
            }
        }
    }
    let mut all = Vec::new();
    walk(root, root, &mut all);
    all
}

/// A bit of everything, in repositories whose names nest and end like folders of the layout.
async fn used() -> Standalone {
    let registry = Standalone::start(&[]);
    for name in ["app", "app/v1", "app/tags/current", "acme/blobs/uploads/app"] {
        let app = registry.repository(name);
        let first = app.push_image("v1", "first").await;
        app.push_image("v1", "second").await;
        app.push_image("v2", "third").await;
        let gone = app.push_image("gone", "gone").await;
        app.delete("manifests/v2").send().await.is(202);
        app.delete(&format!("manifests/{}", gone.digest)).send().await.is(202);
        app.delete(&format!("blobs/{}", sha256(b"gone"))).send().await.is(202);
        let children = [child_descriptor(OCI_MANIFEST, &first.manifest)];
        app.put_manifest("multi", &index(&children)).await.is(201);
        let long = sha512(b"long");
        app.post(&format!("blobs/uploads/?digest={long}")).body("long").send().await.is(201);
        app.put_manifest(&sha512(&first.manifest), &first.manifest).await.is(201);
        let location = app.begin().await;
        app.patch(&location).body("unfinished").send().await.is(202);
        let cancelled = app.begin().await;
        app.delete(&cancelled).send().await.is(204);
        app.post(&format!("blobs/uploads/?digest={}", sha256(b"other"))).body("wrong").send().await.is(400);
    }
    registry
}

#[tokio::test]
async fn what_lies_in_a_volume_has_the_shape_that_peers_walk() {
    let registry = used().await;
    let repositories = registry.stored("repositories");
    let mut folders_by_which_peers_find_one = [0, 0];
    for path in paths(&repositories) {
        let whole = repositories.join(&path);
        let name = path.file_name().unwrap().to_str().unwrap();
        let above = path.parent().and_then(Path::file_name).map_or("", |above| above.to_str().unwrap());
        let shown = path.display();
        // A plain file that begins with `_` ends the peer's walk of its directory.
        assert!(!(whole.is_file() && name.starts_with('_')), "{shown}");
        // Any file named `link` or `data` is taken for one.
        match name {
            "link" => assert!(whole.is_file() && is_digest(&fs::read_to_string(&whole).unwrap()), "{shown}"),
            "data" => assert_eq!(path.parent().unwrap().parent().unwrap().file_name().unwrap(), "_uploads", "{shown}"),
            "hashstates" => panic!("{shown} is Go's own"),
            "_layers" => folders_by_which_peers_find_one[0] += 1,
            "_manifests" => folders_by_which_peers_find_one[1] += 1,
            _ => assert!(!name.starts_with('.'), "{shown} was left behind"),
        }
        if above == "tags" && path.components().any(|part| part.as_os_str() == "_manifests") && whole.is_dir() {
            // Every entry is a tag to the peers, and has a link.
            assert!(whole.join("current/link").is_file(), "{shown}");
        }
        if above == "_uploads" {
            assert_eq!(uuid::Uuid::parse_str(name).unwrap().hyphenated().to_string(), name);
            let started = fs::read_to_string(whole.join("startedat")).unwrap();
            // RFC 3339, as Distribution parses it.
            assert!(started.parse::<jiff::Timestamp>().is_ok() && started.ends_with('Z'), "{started}");
        }
    }
    assert_eq!(folders_by_which_peers_find_one, [4, 4], "each repository is found by either");
    for path in paths(&registry.stored("blobs")).iter().filter(|path| registry.stored("blobs").join(path).is_file()) {
        let parts: Vec<_> = path.iter().map(|part| part.to_str().unwrap()).collect();
        let [algorithm, fan_out, hex, "data"] = parts.as_slice() else { panic!("{}", path.display()) };
        let digest = format!("{algorithm}:{hex}");
        assert!(is_digest(&digest) && hex.starts_with(fan_out), "{digest}");
        let bytes = fs::read(registry.stored("blobs").join(path)).unwrap();
        assert_eq!(if *algorithm == "sha256" { sha256(&bytes) } else { sha512(&bytes) }, digest);
    }
}

fn is_digest(text: &str) -> bool {
    shared::Digest::parse(text).is_ok()
}

/// A way of losing the bytes of a blob, with its name.
type Damage = (&'static str, fn(&Path));

fn damages() -> [Damage; 4] {
    [
        ("a flipped byte", |data| {
            let mut bytes = fs::read(data).unwrap();
            bytes[2] ^= 1;
            fs::write(data, bytes).unwrap();
        }),
        ("emptied", |data| fs::write(data, "").unwrap()),
        ("cut", |data| fs::File::options().write(true).open(data).unwrap().set_len(3).unwrap()),
        ("gone", |data| fs::remove_file(data).unwrap()),
    ]
}

async fn push_in_three_requests(app: &Repository, content: &'static str) {
    let location = app.begin().await;
    app.patch(&location).body(content).send().await.is(202);
    app.put(&format!("{location}?digest={}", sha256(content.as_bytes()))).send().await.is(201);
}

#[tokio::test]
async fn the_same_push_heals_a_damaged_blob() {
    for (what, damage) in damages() {
        let registry = Standalone::start(&[]);
        let app = registry.repository("app");
        let digest = app.push_blob(b"content").await;
        let data = registry.stored(&data(&digest));
        damage(&data);
        push_in_three_requests(&app, "content").await;
        assert_eq!(app.get(&format!("blobs/{digest}")).send().await.is(200).text(), "content", "{what}");
        assert_eq!(fs::read_to_string(&data).unwrap(), "content", "{what}");
    }
}

#[tokio::test]
async fn a_manifest_whose_bytes_are_damaged_is_healed_by_its_push() {
    for (what, damage) in damages() {
        let registry = Standalone::start(&[]);
        let app = registry.repository("app");
        let pushed = app.push_image("v1", "layer").await;
        damage(&registry.stored(&data(&pushed.digest)));
        app.put_manifest("v1", &pushed.manifest).await.is(201);
        assert_eq!(app.get("manifests/v1").send().await.is(200).body, pushed.manifest, "{what}");
    }
}

#[tokio::test]
async fn a_good_blob_that_is_there_keeps_its_file() {
    use std::os::unix::fs::MetadataExt;
    let registry = Standalone::start(&[]);
    let app = registry.repository("app");
    let digest = app.push_blob(b"content").await;
    let data = registry.stored(&data(&digest));
    let inode = fs::metadata(&data).unwrap().ino();
    push_in_three_requests(&app, "content").await;
    registry.repository("other").push_blob(b"content").await;
    assert_eq!(fs::metadata(&data).unwrap().ino(), inode);
    let uploads = registry.stored("repositories/app/_uploads");
    eventually("no upload is left", Duration::from_secs(5), async || fs::read_dir(&uploads).unwrap().count() == 0)
        .await;
}
