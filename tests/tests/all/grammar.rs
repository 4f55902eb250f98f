//! Names, tags, digests and upload ids out of grammar: OCI distribution spec 1.1, "Pulling manifests" and "Error codes".
//! Always 400 with the code for it, never a 5xx, and nothing appears in the data folder or outside it.

use crate::support::{Stack, sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// OCI 1.1, "Pulling manifests" and "Error Codes": (request line's target after `/v2/`, status, code); sent as it stands,
/// so that no client mends it.
const TARGETS: &[(&str, u16, &str)] = &[
    ("Admin/app/manifests/v1", 400, "NAME_INVALID"),
    ("admin//app/manifests/v1", 400, "NAME_INVALID"),
    ("admin/app//manifests/v1", 400, "NAME_INVALID"),
    ("../etc/manifests/v1", 400, "NAME_INVALID"),
    ("admin/../app/manifests/v1", 400, "NAME_INVALID"),
    ("admin/./app/manifests/v1", 400, "NAME_INVALID"),
    ("%2e%2e/x/manifests/v1", 400, "NAME_INVALID"),
    ("..%2fx/manifests/v1", 400, "NAME_INVALID"),
    ("%252e/manifests/v1", 400, "NAME_INVALID"),
    ("admin/a%00b/manifests/v1", 400, "NAME_INVALID"),
    ("admin/a%5Cb/manifests/v1", 400, "NAME_INVALID"),
    ("admin/a%20/manifests/v1", 400, "NAME_INVALID"),
    ("admin/_layers/manifests/v1", 400, "NAME_INVALID"),
    ("admin/a./manifests/v1", 400, "NAME_INVALID"),
    ("admin/%C3%A4/tags/list", 400, "NAME_INVALID"),
    ("admin/%FF/tags/list", 400, "NAME_INVALID"),
    ("Admin/tags/list", 400, "NAME_INVALID"),
    ("Admin/blobs/uploads/", 400, "NAME_INVALID"),
    ("admin/app/manifests/.v1", 400, "TAG_INVALID"),
    ("admin/app/manifests/-v1", 400, "TAG_INVALID"),
    ("admin/app/manifests/v1%20", 400, "TAG_INVALID"),
    ("admin/app/manifests/v%2B1", 400, "TAG_INVALID"),
    ("admin/app/manifests/%2e%2e", 400, "TAG_INVALID"),
    ("admin/app/manifests/sha256:bad", 400, "DIGEST_INVALID"),
    ("admin/app/manifests/sha256%3Abad", 400, "DIGEST_INVALID"),
    ("admin/app/manifests/md5:d41d8cd98f00b204e9800998ecf8427e", 400, "DIGEST_INVALID"),
    ("admin/app/blobs/sha256:bad", 400, "DIGEST_INVALID"),
    ("admin/app/blobs/sha256:", 400, "DIGEST_INVALID"),
    ("admin/app/blobs/latest", 400, "DIGEST_INVALID"),
    ("admin/app/blobs/sha256:..%2f..%2fetc", 400, "DIGEST_INVALID"),
    ("admin/app/blobs/md5:d41d8cd98f00b204e9800998ecf8427e", 400, "DIGEST_INVALID"),
    ("admin/app/blobs/sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", 400, "DIGEST_INVALID"),
    ("/admin/app/tags/list", 400, "NAME_INVALID"),
    ("admin/app/manifests/..%2fx", 400, "TAG_INVALID"),
    ("admin/app/manifests/../v1", 404, "UNSUPPORTED"),
    ("admin/app/manifests/sha256:..%2f..%2fetc", 400, "DIGEST_INVALID"),
    (
        "admin/app/manifests/sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
        400,
        "DIGEST_INVALID",
    ),
    ("admin/app/blobs/../../../../../etc/passwd", 404, "UNSUPPORTED"),
    ("admin/app/referrers/..%2fx", 400, "DIGEST_INVALID"),
    ("admin/app/blobs/uploads/x", 404, "BLOB_UPLOAD_UNKNOWN"),
    ("admin/app/blobs/uploads/..%2f..%2fetc", 404, "BLOB_UPLOAD_UNKNOWN"),
    ("admin/app/blobs/uploads/%2e%2e", 404, "BLOB_UPLOAD_UNKNOWN"),
    ("admin/app/blobs/uploads/00000000-0000-4000-8000-000000000000", 404, "BLOB_UPLOAD_UNKNOWN"),
    ("admin/app/blobs/uploads/00000000000040008000000000000000", 404, "BLOB_UPLOAD_UNKNOWN"),
];

/// Every file and folder below `folder`.
fn tree(folder: &Path) -> BTreeSet<PathBuf> {
    let mut all = BTreeSet::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            all.extend(tree(&path));
        }
        all.insert(path);
    }
    all
}

#[tokio::test]
async fn what_is_out_of_grammar_is_named_with_its_code() {
    // The data folder lies in it, with nothing else.
    let around = tempfile::tempdir().unwrap();
    let stack = Stack::start_in(around.path()).await;
    let app = stack.admin().repository("admin/app").await;
    app.push_image("v1", "layer").await;
    let long_name = format!("{}/tags/list", "a".repeat(256));
    let long_tag = format!("admin/app/manifests/{}", "a".repeat(129));
    let long_digest = format!("admin/app/blobs/sha256:{HEX}0");
    let short_digest = format!("admin/app/blobs/sha256:{}", &HEX[1..]);
    let long_id = format!("admin/app/blobs/uploads/{}", "x".repeat(10_000));
    let long = [
        (long_name.as_str(), 400, "NAME_INVALID"),
        (&long_tag, 400, "TAG_INVALID"),
        (&long_digest, 400, "DIGEST_INVALID"),
        (&short_digest, 400, "DIGEST_INVALID"),
        (&long_id, 404, "BLOB_UPLOAD_UNKNOWN"),
    ];
    let before = tree(around.path());
    for (target, status, code) in TARGETS.iter().chain(&long) {
        // A name that cannot be is refused before anybody asks who wants it.
        let method = if target.ends_with("uploads/") { "POST" } else { "GET" };
        let head = format!("{method} /v2/{target} HTTP/1.1\r\nAuthorization: Bearer {}", app.token);
        let (head, body) = app.host.raw(&head, b"").await;
        let body = String::from_utf8_lossy(&body);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{target}: {head}\n{body}");
        assert!(body.contains(&format!("\"{code}\"")), "{target}: {body}");
        assert!(head.to_lowercase().contains("docker-distribution-api-version: registry/2.0"), "{target}: {head}");
        let appeared: Vec<_> = tree(around.path()).difference(&before).cloned().collect();
        assert!(appeared.is_empty(), "{target}: {appeared:?}");
    }
    // No other method finds a way with it either.
    for (target, ..) in TARGETS.iter().chain(&long) {
        for method in ["HEAD", "PUT", "POST", "PATCH", "DELETE"] {
            let head = format!("{method} /v2/{target} HTTP/1.1\r\nAuthorization: Bearer {}", app.token);
            let (head, _) = app.host.raw(&format!("{head}\r\nContent-Length: 2"), b"{}").await;
            assert!(head.starts_with("HTTP/1.1 4"), "{method} {target}: {head}");
        }
    }
    let (after, appeared_or_gone) = (tree(around.path()), |path: &&PathBuf| !is_log(path));
    let changed: Vec<_> = after.symmetric_difference(&before).filter(appeared_or_gone).collect();
    assert!(changed.is_empty(), "{changed:?}");
    app.get("manifests/v1").send().await.is(200);
}

/// What the index's database keeps beside itself, as it likes.
fn is_log(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("index.sqlite-"))
}

/// OCI 1.1 end-4 and end-11: (path of a POST below the repository, code).
const POSTS: &[(&str, &str)] = &[
    ("blobs/uploads/?digest=sha256:bad", "DIGEST_INVALID"),
    ("blobs/uploads/?digest=", "DIGEST_INVALID"),
    ("blobs/uploads/?digest=blake3:00", "DIGEST_INVALID"),
    ("blobs/uploads/?mount=sha256:bad&from=admin/other", "DIGEST_INVALID"),
    ("blobs/uploads/?digest-algorithm=md5", "DIGEST_INVALID"),
    ("blobs/uploads/?digest-algorithm=SHA256", "DIGEST_INVALID"),
    ("blobs/uploads/?digest=sha256:a&digest=sha256:b", "BLOB_UPLOAD_INVALID"),
];

#[tokio::test]
async fn parameters_out_of_grammar_are_400() {
    let around = tempfile::tempdir().unwrap();
    let stack = Stack::start_in(around.path()).await;
    let app = stack.admin().repository("admin/app").await;
    app.push_image("v1", "layer").await;
    let before = tree(around.path());
    for (path, code) in POSTS {
        app.post(path).send().await.refuses(400, code);
    }
    let manifest = br#"{"schemaVersion":2,"manifests":[]}"#;
    app.put_manifest("sha256:baddigeststring", manifest).await.refuses(400, "DIGEST_INVALID");
    app.put_manifest(&format!("sha256:{HEX}"), manifest).await.refuses(400, "DIGEST_INVALID");
    app.get(&format!("manifests/sha256:{HEX}")).send().await.refuses(404, "MANIFEST_UNKNOWN");
    let appeared: Vec<_> = tree(around.path()).difference(&before).cloned().collect();
    assert!(appeared.is_empty(), "{appeared:?}");
}

/// Words of the protocol inside a name: the path is read from its right end.
const NAMES: &[&str] = &[
    "admin/manifests",
    "admin/blobs/uploads/b",
    "admin/tags/list",
    "admin/tags",
    "admin/blobs",
    "admin/manifests/manifests/v1",
    "admin/v2/token",
    "admin/referrers",
    "admin/referrers/referrers",
];

#[tokio::test]
async fn names_may_hold_words_of_the_protocol() {
    let stack = Stack::start().await;
    for name in NAMES {
        let repository = stack.admin().repository(name).await;
        let image = repository.push_image("list", name).await;
        let by_tag = repository.get("manifests/list").send().await.is(200);
        assert_eq!(by_tag.header("docker-content-digest"), image.digest, "{name}");
        assert_eq!(repository.get("tags/list").send().await.is(200).json()["name"], *name);
        repository.get(&format!("referrers/{}", image.digest)).send().await.is(200);
        let layer = sha256(&image.blobs[1]);
        repository.head(&format!("blobs/{layer}")).send().await.is(200);
    }
}
