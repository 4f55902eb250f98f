//! Lists of tags and repositories: OCI distribution spec 1.1, end-8; the catalog of the Docker registry API; RFC 8288.

use crate::support::{Stack, Standalone};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;

/// (where it is written, query, tags, link to the next page) over the tags A, a, b, v1.
const TAGS: &[(&str, &str, &[&str], &str)] = &[
    ("OCI 1.1 end-8a", "", &["A", "a", "b", "v1"], ""),
    ("OCI 1.1 end-8b", "?n=2", &["A", "a"], "?n=2&last=a"),
    ("OCI 1.1 end-8b", "?n=2&last=a", &["b", "v1"], ""),
    ("OCI 1.1 end-8b", "?n=3", &["A", "a", "b"], "?n=3&last=b"),
    ("OCI 1.1 end-8b", "?n=4", &["A", "a", "b", "v1"], ""),
    ("OCI 1.1 end-8b", "?last=a", &["b", "v1"], ""),
    ("OCI 1.1 end-8b", "?last=aa", &["b", "v1"], ""),
    ("OCI 1.1 end-8b", "?last=v1", &[], ""),
    ("OCI 1.1 end-8b", "?last=", &["A", "a", "b", "v1"], ""),
    ("OCI 1.1 end-8b", "?n=0", &[], ""),
    ("OCI 1.1 end-8b", "?n=1000", &["A", "a", "b", "v1"], ""),
    ("OCI 1.1 end-8b", "?n=99999999999999999999999999", &["A", "a", "b", "v1"], ""),
    ("OCI 1.1 registry proxying", "?ns=docker.io", &["A", "a", "b", "v1"], ""),
];

#[tokio::test]
async fn tags_come_in_pages_in_the_order_of_bytes() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let image = app.push_image("v1", "layer").await;
    for tag in ["b", "A", "a"] {
        app.put_manifest(tag, &image.manifest).await.is(201);
    }
    for (rule, query, tags, next) in TAGS {
        let answer = app.get(&format!("tags/list{query}")).send().await.is(200);
        assert_eq!(answer.json(), json!({ "name": "admin/app", "tags": tags }), "{rule}: {query}");
        let link =
            if next.is_empty() { String::new() } else { format!("</v2/admin/app/tags/list{next}>; rel=\"next\"") };
        assert_eq!(answer.header("link"), link, "{rule}: {query}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
    for n in ["-1", "x", "", "1.5", "+1", "%201"] {
        let answer = app.get(&format!("tags/list?n={n}")).send().await;
        answer.refuses(400, "PAGINATION_NUMBER_INVALID");
    }
}

/// Names of which one begins another, in the order of bytes.
const CONFUSABLE: [&str; 6] = ["0.1.2", "0.1.2-a", "0.1.20", "0.1.2_b", "0.10", "00"];

#[tokio::test]
async fn what_is_there_all_the_time_stands_on_exactly_one_page() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    let image = app.push_image("00", "layer").await;
    for tag in CONFUSABLE {
        app.put_manifest(tag, &image.manifest).await.is(201);
    }
    for n in 1..=CONFUSABLE.len() {
        let (mut path, mut seen) = (format!("tags/list?n={n}"), Vec::new());
        for round in 0.. {
            let answer = app.get(&path).send().await.is(200);
            let page = answer.json()["tags"].as_array().unwrap().clone();
            assert!(page.len() <= n);
            seen.extend(page.iter().map(|tag| tag.as_str().unwrap().to_owned()));
            let link = answer.header("link");
            if link.is_empty() {
                break;
            }
            path = link.trim_start_matches('<').trim_end_matches(">; rel=\"next\"").to_owned();
            // Others come and go between two pages: before and after, and the very one that the link names.
            let passing = format!("0.1.passing{round}");
            app.put_manifest(&passing, &image.manifest).await.is(201);
            app.delete(&format!("manifests/{passing}")).send().await.is(202);
            app.put_manifest(&format!("_{round}"), &image.manifest).await.is(201);
            if let Some(named) = seen.last().filter(|last| !CONFUSABLE.contains(&last.as_str())) {
                app.delete(&format!("manifests/{named}")).send().await.is(202);
            }
        }
        let lasting: Vec<_> = seen.iter().filter(|tag| CONFUSABLE.contains(&tag.as_str())).collect();
        assert_eq!(lasting, CONFUSABLE.each_ref(), "n={n}: {seen:?}");
        for tag in app.get("tags/list").send().await.is(200).json()["tags"].as_array().unwrap() {
            if !CONFUSABLE.contains(&tag.as_str().unwrap()) {
                app.delete(&format!("manifests/{}", tag.as_str().unwrap())).send().await.is(202);
            }
        }
    }
}

#[tokio::test]
async fn a_repository_that_does_not_exist_has_no_list_and_one_without_tags_an_empty_one() {
    let stack = Stack::start().await;
    let app = stack.admin().repository("admin/app").await;
    app.get("tags/list").send().await.refuses(404, "NAME_UNKNOWN");
    app.push_blob(b"{}").await;
    let untagged = app.put_manifest(&crate::support::sha256(INDEX), INDEX).await.is(201);
    assert!(!untagged.header("location").is_empty());
    assert_eq!(app.get("tags/list").send().await.is(200).json()["tags"], json!([]));
}

const INDEX: &[u8] = br#"{"schemaVersion":2,"manifests":[]}"#;

#[tokio::test]
async fn the_catalog_shows_each_caller_what_it_may_see() {
    let stack = Stack::start().await;
    let (admin, alice, bob) = (stack.admin(), stack.user("alice").await, stack.user("bob").await);
    for name in ["admin/private", "admin/public", "admin/shared"] {
        admin.repository(name).await.push_image("v1", name).await;
    }
    alice.repository("alice/app").await.push_image("v1", "layer").await;
    alice.does(Method::PUT, "/namespaces/alice/grants/user:bob", &json!({ "role": "read" })).await;
    // Without content there is nothing to list.
    alice.does(Method::PUT, "/repositories/alice/empty", &json!({})).await;
    admin.does(Method::PATCH, "/repositories/admin/public", &json!({ "visibility": "public" })).await;
    admin.does(Method::PUT, "/repositories/admin/shared/-/grants/user:alice", &json!({ "role": "read" })).await;
    // (caller, query, names, link to the next page)
    let cases: [(_, _, &[&str], _); 9] = [
        (stack.anonymous(), "", &["admin/public"], ""),
        (alice.clone(), "", &["admin/public", "admin/shared", "alice/app"], ""),
        (alice.clone(), "?n=1", &["admin/public"], "?n=1&last=admin%2Fpublic"),
        (alice.clone(), "?n=1&last=admin/public", &["admin/shared"], "?n=1&last=admin%2Fshared"),
        (alice.clone(), "?last=admin/pri", &["admin/public", "admin/shared", "alice/app"], ""),
        (alice, "?n=0", &[], ""),
        (bob.clone(), "", &["admin/public", "alice/app"], ""),
        (bob, "?n=1&last=admin/public", &["alice/app"], ""),
        (admin, "", &["admin/private", "admin/public", "admin/shared", "alice/app"], ""),
    ];
    for (caller, query, names, next) in cases {
        let token = caller.token("registry:catalog:*").await;
        let answer = stack.host.get(&format!("/v2/_catalog{query}")).token(&token).send().await.is(200);
        assert_eq!(answer.json(), json!({ "repositories": names }), "{} {query}", caller.name);
        let link = if next.is_empty() { String::new() } else { format!("</v2/_catalog{next}>; rel=\"next\"") };
        assert_eq!(answer.header("link"), link);
        for n in ["-1", "x", "", "1.5", "+1", "%201"] {
            let bad = stack.host.get(&format!("/v2/_catalog?n={n}")).token(&token).send().await;
            bad.refuses(400, "PAGINATION_NUMBER_INVALID");
        }
    }
}

#[tokio::test]
async fn what_is_there_all_the_time_stands_on_exactly_one_page_of_the_catalog() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    let lasting: Vec<_> = CONFUSABLE.iter().map(|name| format!("admin/{name}")).collect();
    for name in &lasting {
        admin.repository(name).await.push_image("v1", "layer").await;
    }
    let token = admin.token("registry:catalog:*").await;
    for n in 1..=lasting.len() {
        let (mut path, mut seen) = (format!("/v2/_catalog?n={n}"), Vec::new());
        for round in 0.. {
            let answer = stack.host.get(&path).token(&token).send().await.is(200);
            let page = answer.json()["repositories"].as_array().unwrap().clone();
            assert!(page.len() <= n);
            seen.extend(page.iter().map(|name| name.as_str().unwrap().to_owned()));
            let link = answer.header("link");
            if link.is_empty() {
                break;
            }
            path = link.trim_start_matches('<').trim_end_matches(">; rel=\"next\"").to_owned();
            // Others come and go between two pages: behind, ahead, and the very one that the link names.
            for name in [format!("admin/0.1.passing{n}.{round}"), format!("admin/00.{n}.{round}")] {
                admin.repository(&name).await.push_image("v1", "layer").await;
            }
            for name in [seen.last().unwrap().clone(), format!("admin/0.1.passing{n}.{round}")] {
                if !lasting.contains(&name) {
                    admin.asks(Method::DELETE, &format!("/api/v1/repositories/{name}")).send().await;
                }
            }
        }
        let found: Vec<_> = seen.into_iter().filter(|name| lasting.contains(name)).collect();
        assert_eq!(found, lasting, "n={n}");
    }
}

/// Repositories that come after a page and go after another: at the beginning, in the middle and at the end of the list.
fn passing(round: usize) -> [String; 3] {
    ["0.0", "0.1.3", "z"].map(|place| format!("acme/{place}.{round}"))
}

#[tokio::test]
async fn what_lies_in_storage_all_the_time_stands_on_exactly_one_page_of_the_catalog() {
    for n in 1..=3 {
        let open = Standalone::start(&[]);
        let lasting: Vec<_> = CONFUSABLE.iter().map(|name| format!("acme/{name}")).collect();
        let mut others = BTreeSet::from(passing(9));
        for name in lasting.iter().chain(&others) {
            open.repository(name).begin().await;
        }
        let (mut path, mut seen) = (format!("/v2/_catalog?n={n}"), Vec::<String>::new());
        for round in 0..30 {
            // One registry remembers for some seconds what it has found; one that has just begun looks for itself.
            let host = if round % 2 == 0 { open.host.clone() } else { open.beside(&[]) };
            let answer = host.get(&path).send().await.is(200);
            let page = answer.json()["repositories"].as_array().unwrap().clone();
            assert!(page.len() <= n);
            seen.extend(page.iter().map(|name| name.as_str().unwrap().to_owned()));
            let link = answer.header("link");
            if link.is_empty() {
                path.clear();
                break;
            }
            path = link.trim_start_matches('<').trim_end_matches(">; rel=\"next\"").to_owned();
            if round < 3 {
                // The very one that the link names, and one that is still to come.
                let to_come = others.iter().rev().find(|name| !seen.contains(name));
                let leaving: BTreeSet<_> = seen.last().into_iter().chain(to_come).cloned().collect();
                for name in leaving {
                    if others.remove(&name) {
                        fs::remove_dir_all(open.stored(&format!("repositories/{name}"))).unwrap();
                    }
                }
                for name in passing(round) {
                    open.repository(&name).begin().await;
                    others.insert(name);
                }
            }
        }
        assert!(path.is_empty(), "n={n}: it never ends: {seen:?}");
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "n={n}: something comes twice: {seen:?}");
        let found: Vec<_> = seen.into_iter().filter(|name| lasting.contains(name)).collect();
        assert_eq!(found, lasting, "n={n}");
    }
}

#[tokio::test]
async fn search_finds_by_name_namespace_and_description_what_one_may_see() {
    let stack = Stack::start().await;
    let (admin, alice) = (stack.admin(), stack.user("alice").await);
    for name in ["admin/private", "admin/public"] {
        admin.repository(name).await.push_image("v1", name).await;
    }
    let change = json!({ "visibility": "public", "description": "Says 100% Hello_World" });
    admin.does(Method::PATCH, "/repositories/admin/public", &change).await;
    // (caller, what is searched for, names found)
    let cases: [(_, _, &[&str]); 9] = [
        (&admin, "admin", &["admin/private", "admin/public"]),
        (&admin, "priv", &["admin/private"]),
        (&alice, "priv", &[]),
        (&alice, "admin", &["admin/public"]),
        (&alice, "PUBLIC", &["admin/public"]),
        (&alice, "hello_w", &["admin/public"]),
        (&alice, "100%25", &["admin/public"]),
        (&alice, "a%25c", &[]),
        (&stack.anonymous(), "public", &["admin/public"]),
    ];
    for (caller, text, names) in cases {
        let answer = caller.asks(Method::GET, &format!("/v1/search?q={text}&n=25")).send().await.is(200).json();
        let found: Vec<_> = answer["results"].as_array().unwrap().iter().map(|result| &result["name"]).collect();
        assert_eq!(found, *names, "{} searches {text}", caller.name);
        assert_eq!(answer["num_results"], names.len());
    }
    let answer = stack.anonymous().asks(Method::GET, "/v1/search?q=public").send().await.is(200).json();
    let expected: Value = json!({
        "name": "admin/public", "description": "Says 100% Hello_World", "star_count": 0,
        "is_official": false, "is_automated": false, "is_trusted": false,
    });
    assert_eq!(answer["results"][0], expected);
    let ping = stack.host.get("/v1/_ping").send().await.is(200);
    assert_eq!(ping.header("x-docker-registry-standalone"), "true");
}
