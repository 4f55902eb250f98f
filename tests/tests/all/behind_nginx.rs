//! The nginx of the compose stack, with its very file, before a registry: large blobs come from it, and every answer is the
//! one that the registry itself gives.

use crate::support::{Host, Nginx, Repository, Standalone, free_port};

fn registry() -> Standalone {
    Standalone::start(&[("REGISTRY_HTTP_ACCEL", "/berth-blobs/")])
}

async fn pushed(registry: &Standalone, size: usize) -> (Repository, Vec<u8>, String) {
    let app = registry.repository("acme/app");
    let content: Vec<u8> = (0..=250_u8).cycle().take(size).collect();
    let digest = app.push_blob(&content).await;
    // Read whole once, which checks it: from now on it is left to nginx.
    let path = format!("blobs/{digest}");
    app.get(&path).header("X-Accel", "off").send().await.is(200);
    (app, content, path)
}

#[tokio::test]
async fn the_answer_of_nginx_is_the_answer_of_the_registry() {
    let registry = registry();
    let nginx = Nginx::before(&registry.host, &registry.stored("blobs")).await;
    let (app, content, path) = pushed(&registry, 300_000).await;
    let through = app.on(&nginx.host);
    // Without nginx in between it is seen that the bytes are left to it.
    let told = app.get(&path).send().await.is(200);
    assert!(told.header("x-accel-redirect").starts_with("/berth-blobs/sha256/") && told.body.is_empty());

    for header in [
        ("Accept", "*/*"),
        ("Range", "bytes=0-0"),
        ("Range", "bytes=1000-200000"),
        ("Range", "bytes=299999-"),
        ("Range", "bytes=-7"),
        ("Range", "bytes=200000-900000"),
        ("Range", "bytes=300000-"),
        ("Range", "bytes=0-1,5-6"),
        ("Range", "bytes=x"),
        ("Range", "bytes=0-18446744073709551615"),
        ("Range", "bytes=0-99999999999999999999999"),
        ("If-Match", "\"x\""),
        ("If-Unmodified-Since", "Sat, 01 Jan 2000 00:00:00 GMT"),
        ("If-None-Match", "\"x\""),
        ("If-None-Match", "*"),
        ("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"),
    ] {
        let direct = app.get(&path).header("X-Accel", "off").header(header.0, header.1).send().await;
        let answer = through.get(&path).header(header.0, header.1).send().await.is(direct.status);
        let mut headers = answer.lasting_headers();
        headers.remove("server");
        assert_eq!(headers, direct.lasting_headers(), "{header:?}");
        assert_eq!(answer.header("content-length"), direct.header("content-length"), "{header:?}");
        assert!(!answer.header("x-request-id").is_empty(), "{header:?}");
        assert!(answer.body == direct.body, "{header:?}");
    }
    assert_eq!(through.get(&path).send().await.is(200).body, content);
    assert_eq!(through.head(&path).send().await.is(200).header("content-length"), "300000");
}

#[tokio::test]
async fn the_registry_sends_what_nginx_does_not_find() {
    let registry = registry();
    let elsewhere = tempfile::tempdir().unwrap();
    let nginx = Nginx::before(&registry.host, elsewhere.path()).await;
    let (app, content, path) = pushed(&registry, 300_000).await;
    let answer = app.on(&nginx.host).get(&path).send().await.is(200);
    assert_eq!(answer.body, content);
    let ranged = app.on(&nginx.host).get(&path).header("Range", "bytes=10-19").send().await.is(206);
    assert_eq!(ranged.body, content[10..20]);
    nginx.host.get(&format!("/berth-blobs/{path}")).send().await.is(404);
}

#[tokio::test]
async fn what_nginx_answers_by_itself_says_why_and_stands_in_no_frame() {
    let (nobody, address) = free_port();
    drop(nobody);
    let folder = tempfile::tempdir().unwrap();
    let nginx = Nginx::before(&Host::new(address), folder.path()).await;
    for (path, kind, why) in [
        ("/v2/acme/app/manifests/v1", "application/json", "UNAVAILABLE"),
        ("/api/v1/orgs", "application/problem+json", "unavailable"),
        ("/token", "application/problem+json", "unavailable"),
    ] {
        let answer = nginx.host.get(path).send().await.is(502);
        assert_eq!((answer.header("content-type"), answer.header("retry-after")), (kind, "5"), "{path}");
        assert!(answer.text().contains(why), "{path}: {}", answer.text());
    }
    let long = "x".repeat(70_000);
    for (path, header, status) in [("/v2/", "", 502), ("/", "", 502), ("/internal/keys", "", 404), ("/", &long, 400)] {
        let answer = nginx.host.get(path).header("X-Long", header).send().await.is(status);
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy:?}");
    }
}
