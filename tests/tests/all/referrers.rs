//! Referrers: OCI distribution spec 1.1, "Listing Referrers" (end-12), "Pushing Manifests with Subject", "Enabling the
//! Referrers API".

use crate::support::{Repository, Stack, artifact, child_descriptor, index, listed, sha256, sha512};
use reqwest::Method;
use serde_json::{Value, json};
use shared::media_type::{OCI_INDEX, OCI_MANIFEST};
use std::fs;

const SUBJECT: &[u8] = b"what others are about";

async fn repository(stack: &Stack) -> Repository {
    let app = stack.admin().repository("admin/app").await;
    app.push_blob(b"{}").await;
    app
}

#[tokio::test]
async fn what_nobody_refers_to_has_an_empty_list() {
    let stack = Stack::start().await;
    let app = repository(&stack).await;
    let never = stack.admin().repository("admin/never").await;
    let zero = format!("sha256:{}", "0".repeat(64));
    for subject in [&zero, &sha256(SUBJECT), &sha512(SUBJECT)] {
        for repository in [&app, &never] {
            for query in ["", "?artifactType=a/b", "?n=1", "?last=x"] {
                let answer = repository.get(&format!("referrers/{subject}{query}")).send().await.is(200);
                assert_eq!(listed(&answer), [] as [Value; 0]);
                assert_eq!(answer.header("link"), "");
                let head = repository.head(&format!("referrers/{subject}{query}")).send().await.is(200);
                assert_eq!(head.header("content-length"), answer.body.len().to_string());
                assert_eq!((head.header("content-type"), head.body.len()), (OCI_INDEX, 0));
            }
        }
    }
    for bad in ["sha256:bad", "latest", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:", &zero.to_uppercase()] {
        app.get(&format!("referrers/{bad}")).send().await.refuses(400, "DIGEST_INVALID");
    }
    app.get(&format!("referrers/{zero}?n=x")).send().await.refuses(400, "PAGINATION_NUMBER_INVALID");
}

#[tokio::test]
async fn an_entry_is_the_descriptor_of_a_manifest_with_its_type_and_annotations() {
    let stack = Stack::start().await;
    let app = repository(&stack).await;
    let annotations = json!({ "org.example.a": "ä", "org.example.b": "" });
    for subject in [sha256(SUBJECT), sha512(SUBJECT)] {
        let of_index = |artifact_type: &Value| {
            let fields = json!({
                "mediaType": OCI_INDEX, "manifests": [], "config": null, "layers": null,
                "artifactType": artifact_type, "annotations": annotations,
            });
            artifact(&subject, &fields)
        };
        // (manifest, media type, artifact type)
        let cases = [
            (
                artifact(&subject, &json!({ "artifactType": "a/b", "annotations": annotations })),
                OCI_MANIFEST,
                json!("a/b"),
            ),
            (
                artifact(&subject, &json!({ "annotations": annotations })),
                OCI_MANIFEST,
                json!("application/vnd.example.config+json"),
            ),
            (of_index(&json!("c/d")), OCI_INDEX, json!("c/d")),
            (of_index(&Value::Null), OCI_INDEX, Value::Null),
        ];
        let mut expected = Vec::new();
        for (manifest, media_type, artifact_type) in &cases {
            // Pushed by digest and then again by tag: one entry.
            for reference in [sha256(manifest), "tagged".to_owned()] {
                let answer = app.put_manifest(&reference, manifest).await.is(201);
                assert_eq!(answer.header("oci-subject"), subject, "also when it is not there");
            }
            let mut entry = json!({
                "mediaType": media_type, "digest": sha256(manifest), "size": manifest.len(), "annotations": annotations,
            });
            if !artifact_type.is_null() {
                entry["artifactType"] = artifact_type.clone();
            }
            expected.push(entry);
        }
        expected.sort_by_key(|entry| entry["digest"].to_string());
        let answer = app.get(&format!("referrers/{subject}")).send().await.is(200);
        assert_eq!(listed(&answer), expected);
    }
    let plain = app.put_manifest("plain", &index(&[])).await.is(201);
    assert!(!plain.headers.contains_key("oci-subject"));
}

#[tokio::test]
async fn a_referrer_is_listed_by_each_digest_that_it_was_pushed_with() {
    let stack = Stack::start().await;
    let app = repository(&stack).await;
    let subject = sha256(SUBJECT);
    let manifest = artifact(&subject, &json!({ "artifactType": "a/b" }));
    let pushed = app.put_manifest(&sha512(&manifest), &manifest).await.is(201);
    assert_eq!(pushed.header("oci-subject"), subject);
    assert_eq!(app.referrers(&subject).await, [sha512(&manifest)]);
    app.push_manifest(&manifest).await;
    assert_eq!(app.referrers(&subject).await, [sha256(&manifest), sha512(&manifest)]);
    app.delete(&format!("manifests/{}", sha256(&manifest))).send().await.is(202);
    assert_eq!(app.referrers(&subject).await, [sha512(&manifest)]);
}

#[tokio::test]
async fn a_filter_shows_what_has_exactly_its_type_and_says_so() {
    let stack = Stack::start().await;
    let app = repository(&stack).await;
    let subject = sha256(SUBJECT);
    for artifact_type in ["application/vnd.one+json", "application/vnd.two"] {
        let manifest = artifact(&subject, &json!({ "artifactType": artifact_type }));
        app.push_manifest(&manifest).await;
    }
    // (query, entries, filtered)
    let cases = [
        ("", 2, false),
        ("?artifactType=", 2, false),
        ("?artifactType=application/vnd.one%2Bjson", 1, true),
        ("?artifactType=application/vnd.one+json", 1, true),
        ("?artifactType=application%2Fvnd.two", 1, true),
        ("?artifactType=application/vnd.one%2Bjson&artifactType=application/vnd.two", 2, true),
        ("?artifactType=application/vnd", 0, true),
        ("?artifactType=APPLICATION/vnd.two", 0, true),
        ("?filter=x", 2, false),
    ];
    for (query, count, is_filtered) in cases {
        let answer = app.get(&format!("referrers/{subject}{query}")).send().await.is(200);
        assert_eq!(listed(&answer).len(), count, "{query}");
        assert_eq!(answer.header("oci-filters-applied"), if is_filtered { "artifactType" } else { "" }, "{query}");
    }
}

#[tokio::test]
async fn a_long_list_comes_in_pages_that_keep_the_filter() {
    let stack = Stack::start().await;
    let app = repository(&stack).await;
    let subject = sha256(SUBJECT);
    // Four of a mebibyte and a half: two fill a page.
    let padding = "x".repeat(3 << 19);
    let mut all = Vec::new();
    for number in 0..4 {
        let fields =
            json!({ "artifactType": "a/b", "annotations": { "padding": padding, "number": number.to_string() } });
        let manifest = artifact(&subject, &fields);
        app.push_manifest(&manifest).await;
        all.push(sha256(&manifest));
    }
    all.sort();
    // (query, pages)
    for (query, sizes) in
        [("?x=y&artifactType=a/b", vec![2, 2]), ("?n=1", vec![1; 4]), ("?n=3", vec![2, 2]), ("?n=0", vec![0])]
    {
        let (mut path, mut seen, mut pages) = (format!("referrers/{subject}{query}"), Vec::new(), Vec::new());
        loop {
            let answer = app.get(&path).send().await.is(200);
            let page = listed(&answer);
            assert!(answer.body.len() <= 4 << 20, "clients read no more");
            assert_eq!(answer.header("oci-filters-applied").is_empty(), !query.contains("artifactType"), "{path}");
            pages.push(page.len());
            seen.extend(page.iter().map(|entry| entry["digest"].as_str().unwrap().to_owned()));
            let link = answer.header("link");
            if link.is_empty() {
                break;
            }
            path = link.trim_start_matches('<').trim_end_matches(">; rel=\"next\"").to_owned();
            assert!(path.starts_with("/v2/admin/app/referrers/sha256:"), "{link}");
        }
        assert_eq!(pages, sizes, "{query}");
        assert!(query == "?n=0" || seen == all, "{query}: each once, in order");
    }
}

#[tokio::test]
async fn what_is_deleted_leaves_the_list_on_every_replica() {
    let stack = Stack::start().await;
    let other = stack.replica();
    let app = repository(&stack).await;
    let image = app.push_image("v1", "layer").await;
    let subject = &image.digest;
    let [first, second] = ["first", "second"].map(|name| artifact(subject, &json!({ "artifactType": name })));
    for manifest in [&first, &second] {
        app.push_manifest(manifest).await;
    }
    let lists = async || [app.referrers(subject).await.len(), app.on(&other).referrers(subject).await.len()];
    assert_eq!(lists().await, [2, 2]);
    app.on(&other).delete(&format!("manifests/{}", sha256(&first))).send().await.is(202);
    assert_eq!(lists().await, [1, 1]);
    // What it is about may go before it: it is a part of nothing.
    app.delete(&format!("manifests/{subject}")).send().await.is(202);
    assert_eq!(lists().await, [1, 1]);
    app.push_manifest(&first).await;
    assert_eq!(lists().await, [2, 2]);
    for manifest in [&first, &second] {
        app.delete(&format!("manifests/{}", sha256(manifest))).send().await.is(202);
    }
    assert_eq!(lists().await, [0, 0]);
    let hex = subject.trim_start_matches("sha256:");
    let left = fs::read_dir(stack.stored(&format!("berth/referrers/admin/app/_subjects/sha256/{hex}/sha256")));
    assert_eq!(left.map_or(0, Iterator::count), 0, "no entry is left");
}

#[tokio::test]
async fn a_list_under_the_old_tag_adds_what_has_the_subject_itself() {
    let stack = Stack::start().await;
    let app = repository(&stack).await;
    let image = app.push_image("v1", "layer").await;
    let with = artifact(&image.digest, &json!({ "artifactType": "a/b" }));
    let about_another = artifact(&sha256(b"another"), &json!({}));
    let without = app.push_image("plain", "layer of another").await.manifest;
    for manifest in [&with, &about_another] {
        app.push_manifest(manifest).await;
    }
    let children: Vec<_> =
        [&with, &about_another, &without].map(|manifest| child_descriptor(OCI_MANIFEST, manifest)).into();
    let tag = image.digest.replace(':', "-");
    app.put_manifest(&tag, &index(&children)).await.is(201);
    assert_eq!(app.referrers(&image.digest).await, [sha256(&with)]);
    // To everybody else it is a tag as any other.
    app.get(&format!("manifests/{tag}")).send().await.is(200);
    app.delete(&format!("manifests/{tag}")).send().await.is(202);
    assert_eq!(app.referrers(&image.digest).await, [sha256(&with)]);
}

#[tokio::test]
async fn a_list_shows_nothing_of_other_repositories() {
    let stack = Stack::start().await;
    let mallory = stack.user("mallory").await;
    let (private, own) = (repository(&stack).await, mallory.repository("mallory/own").await);
    let subject = own.push_image("v1", "the same").await;
    private.push_image("v1", "the same").await;
    let secret = artifact(&subject.digest, &json!({ "annotations": { "secret": "yes" } }));
    private.put_manifest(&sha256(&secret), &secret).await.is(201);
    assert_eq!(private.referrers(&subject.digest).await.len(), 1);
    assert_eq!(own.referrers(&subject.digest).await, [] as [String; 0]);
    let path = format!("/v2/admin/app/referrers/{}", subject.digest);
    let anonymous = stack.host.request(Method::GET, &path).send().await.refuses(401, "UNAUTHORIZED");
    assert!(anonymous.header("www-authenticate").ends_with(",scope=\"repository:admin/app:pull\""));
    own.get(&path).send().await.refuses(401, "UNAUTHORIZED");
}
