//! A registry with a password file: RFC 7617; the file as `htpasswd -B` writes it.

use crate::support::{Standalone, eventually};
use registry_service::config::Settings;
use reqwest::Method;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// `htpasswd -nbB ann 'correct horse'`
const ANN: &str = "ann:$2y$05$Uo4vjtBF7REabW0WVVlBdezvTOel85mjqUw1ATq8GhX1GVAWkLZAe\n";
/// `htpasswd -nbB -C 4 bob 'battery staple'`
const BOB: &str = "bob:$2y$04$Zd8Z3dlmnQH8AWgs6kCfUuDmqrHYDjNKf29XnWdcVAfhPIWf8FYC2\n";
/// `htpasswd -nbm md5 secret`
const MD5: &str = "md5:$apr1$8RsXYjN3$Vvq5KeLMC6PgeLTXhbbAb0\n";

/// A change of the file takes effect within a second; a busy machine may take longer.
const PATIENCE: Duration = Duration::from_secs(20);

struct Guarded {
    registry: Standalone,
    file: PathBuf,
    _folder: TempDir,
}

fn guarded(content: &str) -> Guarded {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("htpasswd");
    fs::write(&file, content).unwrap();
    let registry = Standalone::start(&[
        ("REGISTRY_AUTH", "htpasswd"),
        ("REGISTRY_AUTH_HTPASSWD_REALM", "Our Registry"),
        ("REGISTRY_AUTH_HTPASSWD_PATH", file.to_str().unwrap()),
    ]);
    Guarded { registry, file, _folder: folder }
}

impl Guarded {
    async fn status(&self, user: &str, password: &str) -> u16 {
        self.registry.host.get("/v2/").basic(user, password).send().await.status
    }

    async fn eventually(&self, user: &str, password: &str, status: u16) {
        let what = format!("{user} is answered {status}");
        eventually(&what, PATIENCE, async || self.status(user, password).await == status).await;
    }
}

/// (user, password, status).
const LOGINS: &[(&str, &str, u16)] = &[
    ("ann", "correct horse", 200),
    ("ann", "correct horse", 200),
    ("bob", "battery staple", 200),
    ("ann", "battery staple", 401),
    ("bob", "correct horse", 401),
    ("ann", "correct horse ", 401),
    ("ann", "", 401),
    ("Ann", "correct horse", 401),
    ("nobody", "correct horse", 401),
    ("", "", 401),
    ("md5", "secret", 401),
];

#[tokio::test]
async fn who_is_in_the_file_is_let_in_with_the_right_password() {
    let guarded = guarded(&[ANN, BOB, MD5].concat());
    for (user, password, status) in LOGINS {
        assert_eq!(guarded.status(user, password).await, *status, "{user} with {password:?}");
    }
}

#[tokio::test]
async fn everything_needs_a_password_and_says_so() {
    let guarded = guarded(ANN);
    let host = &guarded.registry.host;
    let digest = format!("sha256:{}", "0".repeat(64));
    for (method, path) in [
        (Method::GET, "/v2/".to_owned()),
        (Method::GET, "/v2/_catalog".to_owned()),
        (Method::GET, "/v2/app/tags/list".to_owned()),
        (Method::GET, "/v2/app/manifests/v1".to_owned()),
        (Method::PUT, "/v2/app/manifests/v1".to_owned()),
        (Method::DELETE, "/v2/app/manifests/v1".to_owned()),
        (Method::GET, format!("/v2/app/blobs/{digest}")),
        (Method::POST, "/v2/app/blobs/uploads/".to_owned()),
    ] {
        let request = || host.request(method.clone(), &path);
        for request in [request(), request().basic("ann", "wrong"), request().token("a.b.c")] {
            let answer = request.send().await.refuses(401, "UNAUTHORIZED");
            assert_eq!(answer.header("www-authenticate"), "Basic realm=\"Our Registry\"", "{method} {path}");
        }
    }
    assert!(!guarded.registry.stored("repositories").exists(), "nobody has written anything");
}

#[tokio::test]
async fn who_is_let_in_may_do_everything() {
    let guarded = guarded(ANN);
    let with = |method: Method, path: &str| guarded.registry.host.request(method, path).basic("ann", "correct horse");
    let upload = with(Method::POST, "/v2/app/blobs/uploads/").send().await.is(202);
    let upload = upload.header("location");
    let end = format!("{upload}?digest={}", crate::support::sha256(b"layer"));
    with(Method::PUT, &end).body("layer").send().await.is(201);
    assert_eq!(with(Method::GET, "/v2/_catalog").send().await.json()["repositories"][0], "app");
    let blob = format!("/v2/app/blobs/{}", crate::support::sha256(b"layer"));
    with(Method::GET, &blob).send().await.is(200);
    with(Method::DELETE, &blob).send().await.is(202);
}

#[tokio::test]
async fn an_upload_is_only_its_owners() {
    let guarded = guarded(&[ANN, BOB].concat());
    let host = &guarded.registry.host;
    let begun = host.post("/v2/app/blobs/uploads/").basic("ann", "correct horse").send().await.is(202);
    host.get(begun.header("location")).basic("ann", "correct horse").send().await.is(204);
    host.get(begun.header("location")).basic("bob", "battery staple").send().await.refuses(404, "BLOB_UPLOAD_UNKNOWN");
}

#[tokio::test]
async fn the_file_is_read_again_when_it_changes() {
    let guarded = guarded(ANN);
    assert_eq!(guarded.status("ann", "correct horse").await, 200);
    assert_eq!(guarded.status("bob", "battery staple").await, 401);

    fs::write(&guarded.file, BOB).unwrap();
    guarded.eventually("bob", "battery staple", 200).await;
    assert_eq!(guarded.status("ann", "correct horse").await, 401, "a remembered password is forgotten");

    fs::remove_file(&guarded.file).unwrap();
    guarded.eventually("bob", "battery staple", 500).await;

    fs::write(&guarded.file, ANN).unwrap();
    guarded.eventually("ann", "correct horse", 200).await;
}

#[tokio::test]
async fn without_its_file_the_registry_does_not_start() {
    let environment = crate::support::environment(&[("REGISTRY_AUTH_HTPASSWD_PATH", "/nowhere/htpasswd")]);
    let mut settings = Settings::from_environment(&environment).unwrap();
    let folder = tempfile::tempdir().unwrap();
    settings.root = folder.path().to_owned();
    let error = registry_service::start::start(&settings, None).err().expect("no start");
    assert!(format!("{error:#}").contains("/nowhere/htpasswd cannot be read"), "{error:#}");
    assert!(!Path::new("/nowhere").exists(), "and it makes none");
}
