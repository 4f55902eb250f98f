//! A registry without an index: open, or closed by the policy; what it lists; and what it leaves on disk.

use crate::support::{Standalone, environment, eventually, sha256, stored};
use registry_service::config::{AdmissionSettings, Settings, SplitSettings, spread_maps};
use serde_json::json;
use std::fs;
use std::time::Duration;

/// What a client may send to an open registry, where nobody is asked for anything.
const AUTHORIZATIONS: &[&str] =
    &["", "Basic YW5uOnNlY3JldA==", "Basic Og==", "Basic !", "Bearer x", "Bearer", "Bearer a.b.c", "Digest x"];

#[tokio::test]
async fn an_open_registry_lets_everybody_in_without_a_challenge() {
    let open = Standalone::start(&[]);
    for authorization in AUTHORIZATIONS {
        let answer = open.host.get("/v2/").header("authorization", *authorization).send().await.is(200);
        assert_eq!((answer.header("www-authenticate"), answer.text().as_str()), ("", "{}"), "{authorization}");
    }
}

#[tokio::test]
async fn an_image_is_pushed_listed_pulled_and_deleted() {
    let open = Standalone::start(&[]);
    let app = open.repository("library/hello-world");
    open.host.get("/v2/_catalog").send().await.is(200);
    app.get("tags/list").send().await.refuses(404, "NAME_UNKNOWN");
    app.get("manifests/v1").send().await.refuses(404, "MANIFEST_UNKNOWN");
    let image = app.push_image("v1", "layer").await;
    let names = open.host.get("/v2/_catalog").send().await.is(200).json();
    assert_eq!(names, json!({ "repositories": ["library/hello-world"] }), "at once");
    assert_eq!(app.get("manifests/v1").send().await.is(200).body, image.manifest);
    assert_eq!(app.get(&format!("blobs/{}", sha256(b"layer"))).send().await.is(200).body, "layer");

    app.delete(&format!("manifests/{}", image.digest)).send().await.is(202);
    assert_eq!(app.get("tags/list").send().await.is(200).json()["tags"], json!([]));
    app.delete("manifests/v1").send().await.refuses(404, "MANIFEST_UNKNOWN");
    app.delete(&format!("blobs/{}", sha256(b"layer"))).send().await.is(202);
    assert_eq!(open.host.get("/v2/_catalog").send().await.is(200).json(), names, "the repository is still there");
}

#[tokio::test]
async fn nothing_on_disk_speaks_of_an_index() {
    let open = Standalone::start(&[]);
    let app = open.repository("app");
    app.push_image("v1", "layer").await;
    app.delete("manifests/v1").send().await.is(202);
    assert!(!open.stored("berth/ids").exists(), "an id is the index's");
    for emptied in ["berth/deleted/_nobody/_tags", "repositories/app/_manifests/tags", "berth/intents/app/_tags"] {
        assert_eq!(fs::read_dir(open.stored(emptied)).unwrap().count(), 0, "{emptied}");
    }
}

#[tokio::test]
async fn a_blob_is_mounted_from_any_repository() {
    let open = Standalone::start(&[]);
    let digest = open.repository("acme/source").push_blob(b"layer").await;
    let target = open.repository("other/target");
    for (from, status) in [("acme/nothing", 202), ("NOT/A/NAME", 202), ("acme/source", 201)] {
        target.post(&format!("blobs/uploads/?mount={digest}&from={from}")).send().await.is(status);
    }
    assert_eq!(target.get(&format!("blobs/{digest}")).send().await.is(200).body, "layer");
}

#[tokio::test]
async fn without_a_source_a_blob_is_mounted_from_wherever_it_lies() {
    let open = Standalone::start(&[]);
    let digest = open.repository("acme/source").push_blob(b"layer").await;
    let target = open.repository("other/target");
    let blob = format!("blobs/{digest}");
    let mount = |digest: &str| target.post(&format!("blobs/uploads/?mount={digest}")).send();
    mount(&sha256(b"nowhere")).await.is(202);
    target.head(&blob).send().await.is(404);
    let answer = mount(&digest).await.is(201);
    assert_eq!(answer.header("location"), format!("/v2/other/target/{blob}"));
    assert_eq!(target.get(&blob).send().await.is(200).body, "layer");
    // Again, and after it was deleted there.
    mount(&digest).await.is(201);
    target.delete(&blob).send().await.is(202);
    mount(&digest).await.is(201);
    target.head(&blob).send().await.is(200);
}

#[tokio::test]
async fn an_upload_is_anybodys() {
    let open = Standalone::start(&[]);
    let app = open.repository("app");
    let upload = app.begin().await;
    app.patch(&upload).body("layer").send().await.is(202);
    let end = format!("{upload}?digest={}", sha256(b"layer"));
    open.host.request(reqwest::Method::PUT, &end).basic("ann", "x").send().await.is(201);
}

/// Docker registry API, "Listing Repositories": (query, names, link to the next page) over what lies on disk, whoever made
/// it.
const CATALOG: &[(&str, &[&str], &str)] = &[
    ("", &["a", "a-b", "a/b", "a/b/c", "z"], ""),
    ("?n=2", &["a", "a-b"], "?n=2&last=a-b"),
    ("?n=2&last=a-b", &["a/b", "a/b/c"], "?n=2&last=a%2Fb%2Fc"),
    ("?n=2&last=a%2Fb%2Fc", &["z"], ""),
    ("?last=a/", &["a/b", "a/b/c", "z"], ""),
    ("?last=No%20Name", &["a", "a-b", "a/b", "a/b/c", "z"], ""),
    ("?last=z", &[], ""),
    ("?n=0", &[], ""),
];

#[tokio::test]
async fn the_catalog_lists_what_lies_in_storage() {
    let folder = tempfile::tempdir().unwrap();
    for made in ["a/_layers", "a/b/c/_manifests", "a-b/_layers", "a/b/_layers", "z/_manifests", "up/_uploads", "empty"]
    {
        fs::create_dir_all(stored(folder.path(), "repositories").join(made)).unwrap();
    }
    let open = Standalone::on(folder, &[]);
    for (query, names, next) in CATALOG {
        let answer = open.host.get(&format!("/v2/_catalog{query}")).send().await.is(200);
        assert_eq!(answer.json(), json!({ "repositories": names }), "{query}");
        let link = if next.is_empty() { String::new() } else { format!("</v2/_catalog{next}>; rel=\"next\"") };
        assert_eq!(answer.header("link"), link, "{query}");
    }
    open.repository("m").begin().await;
    let after = open.host.get("/v2/_catalog?n=1&last=a/b/c").send().await.is(200);
    assert_eq!(after.json(), json!({ "repositories": ["m"] }), "what is new here is there at once");
}

#[tokio::test]
async fn deleting_can_be_switched_off() {
    let open = Standalone::start(&[("REGISTRY_STORAGE_DELETE_ENABLED", "false")]);
    let app = open.repository("app");
    let image = app.push_image("v1", "layer").await;
    let blob = format!("blobs/{}", sha256(b"layer"));
    for path in ["manifests/v1", &format!("manifests/{}", image.digest), &blob] {
        let answer = app.delete(path).send().await.refuses(405, "UNSUPPORTED");
        let offered = if path.starts_with("blobs/") { "GET, HEAD" } else { "GET, HEAD, PUT" };
        assert_eq!(answer.header("allow"), offered, "{path}");
        assert!(answer.text().contains("storage.delete.enabled"), "{}", answer.text());
        app.get(path).send().await.is(200);
    }
    let upload = app.begin().await;
    app.delete(&upload).send().await.is(204);
}

#[tokio::test]
async fn a_location_is_absolute_where_the_host_is_set() {
    let open = Standalone::start(&[("REGISTRY_HTTP_HOST", "https://registry.example:8443/")]);
    let app = open.repository("app");
    let upload = app.post("blobs/uploads/").send().await.is(202);
    let path = upload.header("location").strip_prefix("https://registry.example:8443").unwrap();
    assert!(path.starts_with("/v2/app/blobs/uploads/"), "{path}");
    app.push_image("v1", "a").await;
    app.push_image("v2", "b").await;
    let page = app.get("tags/list?n=1").send().await.is(200);
    assert_eq!(page.header("link"), "</v2/app/tags/list?n=1&last=v1>; rel=\"next\"", "as Distribution has it");
}

#[tokio::test]
async fn an_intent_that_was_left_behind_goes() {
    let folder = tempfile::tempdir().unwrap();
    let left = stored(folder.path(), "berth/intents/acme/app/_tags/v1");
    fs::create_dir_all(left.parent().unwrap()).unwrap();
    fs::write(&left, sha256(b"a manifest")).unwrap();
    let _open = Standalone::on(folder, &[]);
    eventually("the intent is removed", Duration::from_secs(10), async || !left.exists()).await;
}

/// Settings, and the words of the refusal to start; empty where the registry is open.
const OPENS: &[(&[(&str, &str)], &str)] = &[
    (&[], ""),
    (&[("REGISTRY_AUTH_TOKEN_REALM", "")], "REGISTRY_AUTH_TOKEN_REALM is not set"),
    (&[("REGISTRY_AUTH_TOKEN_SERVICE", "berth")], "REGISTRY_AUTH_TOKEN_REALM is not set"),
    (&[("REGISTRY_AUTH_TOKEN_RAELM", "http://index/token")], "REGISTRY_AUTH_TOKEN_REALM is not set"),
    (&[("REGISTRY_AUTH_TOKEN_REALM", "http://a\"b/token")], "cannot stand in a challenge"),
    (&[("REGISTRY_AUTH_TOKEN_REALM", "http://index/token")], "REGISTRY_INDEX_URL is not set"),
    (&[("REGISTRY_AUTH_TOKEN_REALM", "http://index//token")], "say it as https://registry.example/token"),
    (&[("REGISTRY_AUTH_TOKEN_REALM", "index/token")], "say it as https://registry.example/token"),
    (&[("REGISTRY_AUTH_TOKEN_REALM", "https:///token")], "say it as https://registry.example/token"),
    (&[("REGISTRY_INDEX_URL", "")], "REGISTRY_AUTH_TOKEN_REALM is not set"),
    (&[("REGISTRY_INDEX_URL", "http://index:5001")], "REGISTRY_AUTH_TOKEN_REALM is not set"),
    (&[("REGISTRY_INDEX_SECRET_FILE", "/run/secret")], "REGISTRY_AUTH_TOKEN_REALM is not set"),
    (&[("REGISTRY_AUTH", "token")], "REGISTRY_AUTH_TOKEN_REALM is not set"),
    (&[("REGISTRY_AUTH", "htpasswd")], "REGISTRY_AUTH_HTPASSWD_PATH is not set"),
    (&[("REGISTRY_AUTH", "silly")], "it can be htpasswd or token"),
    (&[("REGISTRY_AUTH", "")], "says nothing that this registry knows"),
    (&[("REGISTRY_AUTH_SILLY_REALM", "x")], "REGISTRY_AUTH_SILLY_REALM says nothing"),
    (&[("REGISTRY_AUTH_HTPASSWD_PATH", "")], "REGISTRY_AUTH_HTPASSWD_PATH is not set"),
    (&[("REGISTRY_AUTH_HTPASSWD_PAHT", "/x")], "REGISTRY_AUTH_HTPASSWD_PATH is not set"),
    (&[("REGISTRY_AUTH_HTPASSWD_PATH", "/x"), ("REGISTRY_AUTH_HTPASSWD_REALM", "\"")], "cannot stand in a challenge"),
    (&[("REGISTRY_AUTH_HTPASSWD_PATH", "/x"), ("REGISTRY_INDEX_URL", "http://i")], "are both set"),
    (&[("REGISTRY_AUTH", "token"), ("REGISTRY_AUTH_HTPASSWD_PATH", "/x")], "does not go with the other settings"),
    (&[("REGISTRY_STORAGE", "s3")], "on a file system only"),
    (&[("REGISTRY_STORAGE_S3_BUCKET", "b")], "on a file system only"),
    (&[("REGISTRY_PROXY_REMOTEURL", "https://r.example")], "no pull-through cache"),
    (&[("REGISTRY_HTTP_TLS_CLIENTCAS", "/ca")], "does not ask clients for certificates"),
    (&[("REGISTRY_HTTP_ADDR", "5000")], "REGISTRY_HTTP_ADDR=\"5000\" cannot be used"),
    (&[("REGISTRY_HTTP_HOST", "registry.example")], "say it as https://registry.example"),
    (&[("REGISTRY_HTTP_HOST", "https://registry.example/x")], "say it as https://registry.example"),
    (&[("REGISTRY_HTTP_ALLOW", "all")], "REGISTRY_HTTP_ALLOW cannot be used: REGISTRY_HTTP_ALLOW is address ranges"),
    (&[("REGISTRY_HTTP_ALLOW", "all")], "is address ranges, as 10.0.0.0/8,fd00::/8, and not \"all\""),
    (&[("REGISTRY_HTTP_ALLOW", "")], "is address ranges, as 10.0.0.0/8,fd00::/8, and not \"\""),
    // What was meant to keep people out and says so in another way lets nobody in.
    (&[("REGISTRY_HTTP_ALLOW_FILE", "/x")], "REGISTRY_HTTP_ALLOW_FILE cannot be used: REGISTRY_HTTP_ALLOW is address"),
    (&[("REGISTRY_HTTP_ALLOWED", "10.0.0.1")], "REGISTRY_HTTP_ALLOWED cannot be used: REGISTRY_HTTP_ALLOW is address"),
    (&[("REGISTRY_HTTP_TRUSTED_PROXIESS", "10.9.0.1")], "REGISTRY_HTTP_TRUSTED_PROXIESS cannot be used"),
    (&[("REGISTRY_HTTP_TRUSTED_PROXIES_FILE", "/x")], "REGISTRY_HTTP_TRUSTED_PROXIES is address ranges"),
    (&[("REGISTRY_STORAGE_DELETE_ENABLED", "maybe")], "say true or false"),
    (&[("REGISTRY_STORAGE_DELETE_ENABLED", "")], ""),
    (&[("REGISTRY_STORAGE_DELETE_ENABLE", "false")], "set REGISTRY_STORAGE_DELETE_ENABLED, or take it away"),
    (&[("REGISTRY_STORAGE_MAINTENANCE_READONLY", "true")], "REGISTRY_STORAGE_MAINTENANCE_READONLY holds no map"),
    (&[("REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLE", "true")], "set REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED"),
    (
        &[("REGISTRY_STORAGE_MAINTENANCE_READONLY", "{enabled: }")],
        "enabled in REGISTRY_STORAGE_MAINTENANCE_READONLY says",
    ),
    // Maps in variables, as Distribution reads them.
    (&[("REGISTRY_AUTH", "{htpasswd: {}}")], "REGISTRY_AUTH_HTPASSWD_PATH is not set"),
    (&[("REGISTRY_AUTH", "{}")], "REGISTRY_AUTH holds no map that can be read"),
    (&[("REGISTRY_HTTP", "allow: [10.0.0.0/8]\nallow: []")], "REGISTRY_HTTP holds no map that can be read"),
    (&[("REGISTRY_STORAGE_MAINTENANCE", "readonly")], "REGISTRY_STORAGE_MAINTENANCE holds no map that can be read"),
    (&[("REGISTRY_STORAGE", "{rados: {poolname: p}}")], "on a file system only"),
    // What is nobody's setting is nobody's map.
    (&[("REGISTRY_PASSWORD", "{SSHA}abc=="), ("REGISTRY_PORT", "tcp://10.0.0.1:5000")], ""),
    (&[("REGISTRY_HTTP", "{tls: {certificate: /c}}")], "TLS needs both"),
    (&[("REGISTRY_STORAGE_MAINTENANCE", "{readonly: {enabled: true}")], "holds no map that can be read"),
    (&[("REGISTRY_HTTP", "{allow: all}")], "allow in REGISTRY_HTTP cannot be used"),
    (&[("REGISTRY_STORAGE", "{s3: {bucket: b}}")], "on a file system only"),
    (&[("REGISTRY_HTTP_TLS_MINIMUMTLS", "tls1.3")], "cannot be had"),
    (&[("REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_AGE", "old")], "UPLOADPURGING_AGE=\"old\" cannot be used"),
    (&[("REGISTRY_LOG_LEVEL", "info"), ("REGISTRY_STORAGE", "filesystem"), ("REGISTRY_HTTP_SECRET", "x")], ""),
    (&[("REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED", "true"), ("REGISTRY_HTTP_ADDR", "localhost:5000")], ""),
];

#[test]
fn only_a_registry_that_nothing_closes_is_open() {
    for (settings, refusal) in OPENS {
        let mut environment = environment(settings);
        let read = spread_maps(&mut environment).and_then(|()| SplitSettings::from_environment(&environment));
        match read {
            Ok(read) => {
                assert!(matches!(read.common.admission, AdmissionSettings::Open), "{settings:?} is {read:?}");
                assert_eq!(*refusal, "", "{settings:?} starts");
            }
            Err(error) => {
                let error = format!("{error:#}");
                assert!(!refusal.is_empty() && error.contains(refusal), "{settings:?}: {error}");
            }
        }
    }
}

#[test]
fn an_unfinished_upload_is_kept_as_long_as_distribution_keeps_it() {
    let purge = |settings: &[(&str, &str)]| Settings::from_environment(&environment(settings)).unwrap().purge;
    let hours = |hours: u64| Duration::from_secs(hours * 60 * 60);
    let default = purge(&[]);
    assert_eq!((default.enabled, default.age, default.interval, default.dry_run), (true, hours(168), hours(24), false));
    let own = purge(&[
        ("REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_ENABLED", "false"),
        ("REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_AGE", "1h30m"),
        ("REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_INTERVAL", "10s"),
        ("REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_DRYRUN", "true"),
    ]);
    let expected = (false, Duration::from_mins(90), Duration::from_secs(10), true);
    assert_eq!((own.enabled, own.age, own.interval, own.dry_run), expected);
}
