//! Lists longer than a page may be: OCI distribution spec 1.1, "Listing tags"; the catalog of the Docker registry API;
//! RFC 8288.

use crate::support::{Host, Repository, Stack, Standalone, sha256};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::fs;
use std::path::Path;

/// The most that one page holds.
const MOST: usize = 1000;

const INDEX: &[u8] = br#"{"schemaVersion":2,"manifests":[]}"#;

/// What asks for more than a page holds; the last one says so twice.
const TOO_MANY: &[&str] = &["", "?n=1001", "?n=4294967296", "?n=99999999999999999999999999", "?n=5000&n=5000"];

/// One page: its entries, and where the next one is.
async fn page(host: &Host, token: &str, path: &str, key: &str) -> (Vec<String>, Option<String>) {
    let answer = host.get(path).token(token).send().await.is(200);
    let entries =
        answer.json()[key].as_array().unwrap().iter().map(|entry| entry.as_str().unwrap().to_owned()).collect();
    let link = answer.header("link");
    let next = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
    assert_eq!(next.is_some(), !link.is_empty(), "{path}: {link}");
    (entries, next.map(str::to_owned))
}

/// Holds that the pages of `path` hold `all`, in this order, whatever too large a number is asked for.
async fn comes_in_pages(host: &Host, token: &str, path: &str, key: &str, all: &[String]) {
    for query in TOO_MANY {
        let (mut path, mut seen) = (format!("{path}{query}"), Vec::new());
        loop {
            let (entries, next) = page(host, token, &path, key).await;
            seen.extend(entries.iter().cloned());
            let Some(next) = next else { break };
            assert_eq!(entries.len(), MOST, "{path}: a page that is not the last is full");
            assert!(next.contains("n=1000&"), "the link asks for no more than a page holds: {next}");
            path = next;
        }
        assert_eq!(seen.len(), all.len(), "{path}");
        assert_eq!(seen, all, "{path}");
    }
    let twice = host.get(&format!("{path}?n=5&n=7")).token(token).send().await;
    assert_eq!(twice.status, 400, "which of them is meant? {}", twice.text());
}

/// Tags as a peer writes them.
fn write_tags(tags: &Path, digest: &str, names: &[String]) {
    for name in names {
        let current = tags.join(name).join("current");
        fs::create_dir_all(&current).unwrap();
        fs::write(current.join("link"), digest).unwrap();
    }
}

#[tokio::test]
async fn more_tags_than_a_page_holds_come_each_exactly_once() {
    let open = Standalone::start(&[]);
    let app = open.repository("acme/app");
    app.put_manifest(&sha256(INDEX), INDEX).await.is(201);
    for count in [MOST, MOST + 1, 2 * MOST + 300] {
        let names: Vec<_> = (0..count).map(|number| format!("v{number:05}")).collect();
        write_tags(&open.stored("repositories/acme/app/_manifests/tags"), &sha256(INDEX), &names);
        comes_in_pages(&open.host, "", "/v2/acme/app/tags/list", "tags", &names).await;
    }
}

#[tokio::test]
async fn more_repositories_than_a_page_holds_come_each_exactly_once_from_storage() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<_> = (0..2 * MOST + 300).map(|number| format!("acme/app{number:05}")).collect();
    for name in &names {
        for made in ["_layers", "_manifests"] {
            let made = crate::support::stored(folder.path(), "repositories").join(name).join(made);
            fs::create_dir_all(made).unwrap();
        }
    }
    let open = Standalone::on(folder, &[]);
    comes_in_pages(&open.host, "", "/v2/_catalog", "repositories", &names).await;
}

/// Pushes an empty index to each of these repositories.
async fn push_to(stack: &Stack, names: &[String]) {
    let pushes = names.chunks(20).map(|names| async move {
        let scopes: Vec<_> = names.iter().map(|name| format!("repository:{name}:pull,push")).collect();
        let token = stack.admin().token(&scopes.join(" ")).await;
        for name in names {
            Repository::new(&stack.host, name, token.clone()).put_manifest("v1", INDEX).await.is(201);
        }
        Ok::<_, std::convert::Infallible>(())
    });
    stream::iter(pushes).buffer_unordered(8).try_collect::<()>().await.unwrap();
}

#[tokio::test]
async fn more_repositories_than_a_page_holds_come_each_exactly_once_from_the_index() {
    let stack = Stack::start().await;
    let names: Vec<_> = (0..=MOST).map(|number| format!("admin/app{number:05}")).collect();
    push_to(&stack, &names).await;
    let token = stack.admin().token("registry:catalog:*").await;
    comes_in_pages(&stack.host, &token, "/v2/_catalog", "repositories", &names).await;
}
