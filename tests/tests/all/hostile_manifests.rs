//! Manifests that are too large, too deep or two things at once: refused with a sentence, or stored and still read by
//! everybody who needs to know what they name.

use crate::support::{Repository, Stack, at_once, sha256};
use registry_service::domain::collector::Collection;
use reqwest::Method;
use serde_json::{Value, json};
use shared::media_type::{OCI_INDEX, OCI_MANIFEST};

async fn repository(stack: &Stack) -> Repository {
    let app = stack.admin().repository("admin/app").await;
    app.push_blob(b"{}").await;
    app
}

/// The rest of a manifest after its `schemaVersion`, and what becomes of it.
fn bodies() -> Vec<(&'static str, String, u16)> {
    let config = json!({ "mediaType": "a/b", "digest": sha256(b"{}"), "size": 2 }).to_string();
    let image = format!(r#""config":{config},"layers":[]"#);
    let other = sha256(b"another");
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let many = |count: usize| vec![config.as_str(); count].join(",");
    let annotations = |count: usize, length: usize| {
        let pairs: Vec<_> = (0..count).map(|number| format!(r#""{number}":"{}""#, "x".repeat(length))).collect();
        format!(r#"{image},"annotations":{{{}}}"#, pairs.join(","))
    };
    vec![
        ("390 annotations of 10 kB", annotations(390, 10_000), 201),
        ("100,000 annotations", annotations(100_000, 10), 201),
        ("an unknown field, nested a little", format!(r#"{image},"x":{}"#, nested(100)), 201),
        ("an unknown field, nested without end", format!(r#"{image},"x":{}"#, nested(10_000)), 400),
        ("annotations, nested without end", format!(r#"{image},"annotations":{}"#, nested(100_000)), 400),
        ("a number that no computer has", format!(r#"{image},"x":1e999"#), 400),
        ("9,999 layers", format!(r#""config":{config},"layers":[{}]"#, many(9_999)), 201),
        ("10,001 layers", format!(r#""config":{config},"layers":[{}]"#, many(10_001)), 400),
        ("10,000 children", format!(r#""manifests":[{}]"#, many(10_000)), 201),
        ("10,001 children", format!(r#""manifests":[{}]"#, many(10_001)), 400),
        ("data in a descriptor", image.replace(r#""size":2"#, r#""size":2,"data":"e30=""#), 201),
        ("both kinds", format!(r#"{image},"manifests":[]"#), 400),
        ("layers twice", format!(r#"{image},"layers":[]"#), 400),
        ("layers twice, once written otherwise", format!(r#"{image},"l\u0061yers":[]"#), 400),
        ("children twice", r#""manifests":[],"manifests":[]"#.to_owned(), 400),
        ("annotations twice", format!(r#"{image},"annotations":{{}},"annotations":{{}}"#), 400),
        ("annotations twice, once escaped", format!(r#"{image},"annotations":{{}},"\u0061nnotations":{{}}"#), 400),
        ("two artifact types", format!(r#"{image},"artifactType":"a/b","artifactType":"c/d""#), 400),
        ("an index of two types", r#""manifests":[],"artifactType":"a/b","artifactType":"c/d""#.to_owned(), 400),
        ("two versions of the schema", format!(r#""schemaVersion":1,{image}"#), 400),
        ("two media types", format!(r#""mediaType":"{OCI_MANIFEST}","mediaType":"{OCI_INDEX}",{image}"#), 400),
        ("two subjects", format!(r#"{image},"subject":{config},"subject":null"#), 400),
        ("two digests in a descriptor", image.replace(r#""size""#, &format!(r#""digest":"{other}","size""#)), 400),
        ("a config that is an index", image.replace("a/b", OCI_INDEX), 400),
        ("a config that is a manifest", image.replace("a/b", OCI_MANIFEST), 400),
        ("a size that is text", image.replace(r#""size":2"#, r#""size":"2""#), 400),
        ("a digest in upper case", image.replace(&sha256(b"{}"), &sha256(b"{}").to_uppercase()), 400),
        ("a subject without digest", format!(r#"{image},"subject":{{}}"#), 400),
        ("a subject that is null", format!(r#"{image},"subject":null"#), 201),
    ]
}

#[tokio::test]
async fn what_is_stored_can_be_read_by_whoever_must() {
    let stack = Stack::start().await;
    let app = repository(&stack).await;
    let mut stored = Vec::new();
    for (what, body, status) in bodies() {
        let body = format!(r#"{{"schemaVersion":2,{body}}}"#);
        let answer = app.put_manifest("v1", body.as_bytes()).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        if status == 400 {
            let entry = &answer.json()["errors"][0];
            assert_eq!(entry["code"], "MANIFEST_INVALID", "{what}");
            assert!(entry["message"].as_str().unwrap().len() > 10, "{what}: {entry}");
            continue;
        }
        assert!(app.get("manifests/v1").send().await.is(200).body == body.as_bytes(), "{what}: byte for byte");
        stored.push(format!("manifests/{}", sha256(body.as_bytes())));
    }
    // Each names the blob, and none hides from whoever asks.
    for path in &stored {
        app.delete(&format!("blobs/{}", sha256(b"{}"))).send().await.refuses(405, "UNSUPPORTED");
        app.delete(path).send().await.is(202);
    }
    app.delete(&format!("blobs/{}", sha256(b"{}"))).send().await.is(202);
}

#[tokio::test]
async fn an_index_of_indexes_costs_what_it_is_long() {
    let stack = Stack::start().await;
    let app = repository(&stack).await;
    let mut manifest = br#"{"schemaVersion":2,"manifests":[]}"#.to_vec();
    app.push_manifest(&manifest).await;
    let mut chain = vec![sha256(&manifest)];
    // Walked without memory, thirty levels of two would be a thousand million.
    for _ in 0..30 {
        let child = json!({ "mediaType": OCI_INDEX, "digest": sha256(&manifest), "size": manifest.len() });
        manifest = json!({ "schemaVersion": 2, "manifests": [child, child] }).to_string().into_bytes();
        chain.push(app.push_manifest(&manifest).await);
    }
    // The collector walks it too, and keeps all that hangs on its first link.
    app.put_manifest("top", &manifest).await.is(201);
    stack.collect(Collection { delete_untagged: true, ..at_once() }).await.unwrap();
    for digest in &chain {
        app.get(&format!("manifests/{digest}")).send().await.is(200);
    }
    let path = format!("/repositories/admin/app/-/manifests/{}", sha256(&manifest));
    let told = stack.admin().does(Method::GET, &path, &Value::Null).await;
    assert!(!told["references"].as_array().unwrap().is_empty(), "{told}");
    app.delete("manifests/top").send().await.is(202);
    stack.collect(Collection { delete_untagged: true, ..at_once() }).await.unwrap();
    for digest in &chain {
        app.get(&format!("manifests/{digest}")).send().await.is(404);
    }
}

#[tokio::test]
async fn text_that_is_no_unicode_is_no_manifest() {
    let stack = Stack::start().await;
    let app = repository(&stack).await;
    for text in [b"\xff".as_slice(), b"\xc0\xaf", b"\xed\xa0\x80", b"\\ud800"] {
        for place in ["key", "value"] {
            let (before, after) = if place == "key" { ("\"", "\":\"x\"") } else { ("\"x\":\"", "\"") };
            let beginning = format!(r#"{{"schemaVersion":2,"manifests":[],"annotations":{{{before}"#);
            let manifest = [beginning.as_bytes(), text, after.as_bytes(), b"}}"].concat();
            app.put_manifest("v1", &manifest).await.refuses(400, "MANIFEST_INVALID");
            app.get("manifests/v1").send().await.is(404);
        }
    }
}
