//! Lists of the REST API: pages that lead to the next, the length of the whole, filters, and orders.

use crate::support::{Answer, Stack, User, claims};
use reqwest::Method;
use serde_json::{Value, json};
use std::process::Command;

/// `acme` with three repositories, of which `acme/b` changed last and `acme/c` is public; beside it `admin/x`.
async fn scene() -> (Stack, User) {
    let stack = Stack::start().await;
    let admin = stack.admin();
    for name in ["zed", "bob"] {
        stack.user(name).await;
    }
    admin.does(Method::PATCH, "/admin/users/zed", &json!({ "disabled": true })).await;
    for name in ["acme", "other"] {
        admin.does(Method::POST, "/orgs", &json!({ "name": name, "display_name": format!("The {name}") })).await;
    }
    for name in ["acme/a", "acme/b", "acme/c", "admin/x"] {
        admin.does(Method::PUT, &format!("/repositories/{name}"), &json!({})).await;
    }
    admin.does(Method::PATCH, "/repositories/acme/c", &json!({ "visibility": "public" })).await;
    admin.does(Method::PATCH, "/repositories/acme/b", &json!({ "description": "a tool" })).await;
    (stack, admin)
}

fn names(answer: &Answer) -> Vec<String> {
    answer.json()["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

/// Where the next page is, which the body says too.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link");
    let next = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).map(str::to_owned);
    assert_eq!(next.is_some(), !link.is_empty(), "{link}");
    let cursor = answer.json()["next_cursor"].as_str().map(|cursor| format!("cursor={cursor}"));
    assert_eq!(next.is_some(), cursor.is_some());
    assert!(next.iter().zip(&cursor).all(|(next, cursor)| next.ends_with(cursor.as_str())), "{next:?} {cursor:?}");
    next
}

/// (what is asked, the names of all its pages); filters and orders alike.
const LISTS: &[(&str, &[&str])] = &[
    ("/repositories", &["acme/a", "acme/b", "acme/c", "admin/x"]),
    ("/repositories?sort=name", &["acme/a", "acme/b", "acme/c", "admin/x"]),
    ("/repositories?sort=-name", &["admin/x", "acme/c", "acme/b", "acme/a"]),
    ("/repositories?sort=updated_at", &["acme/a", "admin/x", "acme/c", "acme/b"]),
    ("/repositories?sort=-updated_at", &["acme/b", "acme/c", "admin/x", "acme/a"]),
    ("/repositories?sort=-updated_at,name", &["acme/b", "acme/c", "admin/x", "acme/a"]),
    ("/repositories?sort=-name,updated_at", &["admin/x", "acme/c", "acme/b", "acme/a"]),
    ("/repositories?namespace=acme&sort=-updated_at", &["acme/b", "acme/c", "acme/a"]),
    // What is repeated is any of them.
    ("/repositories?namespace=admin&namespace=acme&namespace=none", &["acme/a", "acme/b", "acme/c", "admin/x"]),
    ("/repositories?namespace=other&namespace=admin", &["admin/x"]),
    ("/repositories?visibility=public&visibility=public&namespace=acme&namespace=admin", &["acme/c"]),
    ("/repositories?visibility=public&visibility=private&q=ACME", &["acme/a", "acme/b", "acme/c"]),
    ("/admin/users?disabled=true&disabled=false", &["admin", "bob", "zed"]),
    ("/repositories?visibility=public", &["acme/c"]),
    ("/repositories?visibility=private&q=ACME", &["acme/a", "acme/b"]),
    ("/repositories?q=tool", &["acme/b"]),
    ("/repositories?q=%25", &[]),
    // Nor is anything else a wildcard, or the end of a text.
    ("/repositories?q=ac_e", &[]),
    ("/repositories?q=a%25e", &[]),
    ("/repositories?q=%5c", &[]),
    ("/repositories?q=%27+OR+1%3d1--", &[]),
    ("/repositories?q=acme*", &[]),
    ("/orgs?q=_cme", &[]),
    ("/admin/users?q=a____", &[]),
    ("/orgs", &["acme", "other"]),
    ("/orgs?q=the+ac", &["acme"]),
    ("/namespaces", &["acme", "admin", "bob", "library", "other", "zed"]),
    ("/admin/users", &["admin", "bob", "zed"]),
    ("/admin/users?sort=-name", &["zed", "bob", "admin"]),
    ("/admin/users?sort=created_at", &["admin", "zed", "bob"]),
    ("/admin/users?sort=-created_at&disabled=false", &["bob", "admin"]),
    ("/admin/users?disabled=true", &["zed"]),
    ("/admin/users?q=B", &["bob"]),
    ("/orgs/acme/teams", &[]),
    ("/orgs/acme/robots", &[]),
    ("/user/tokens", &[]),
    ("/repositories/acme/a/-/tags", &[]),
    ("/namespaces/acme/deleted", &[]),
];

#[tokio::test]
async fn a_list_comes_whole_in_its_order_whatever_a_page_holds() {
    let (_stack, admin) = scene().await;
    for (path, expected) in LISTS {
        let sign = if path.contains('?') { '&' } else { '?' };
        for limit in 1..=expected.len() + 1 {
            let mut address = format!("/api/v1{path}{sign}limit={limit}&count=true");
            let mut seen = Vec::new();
            loop {
                let answer = admin.asks(Method::GET, &address).send().await.is(200);
                assert_eq!(answer.json()["total"], expected.len(), "{address}");
                seen.extend(names(&answer));
                let Some(next) = next(&answer) else { break };
                address = next;
            }
            assert_eq!(seen, *expected, "{path} by {limit}");
        }
    }
}

/// (order, the names of repositories that all changed at the same time).
const TIES: &[(&str, &[&str])] = &[
    ("updated_at", &["acme/a", "acme/b", "acme/c", "admin/x"]),
    ("-updated_at", &["acme/a", "acme/b", "acme/c", "admin/x"]),
    ("updated_at,-name", &["admin/x", "acme/c", "acme/b", "acme/a"]),
    ("-updated_at,-name", &["admin/x", "acme/c", "acme/b", "acme/a"]),
];

#[tokio::test]
async fn the_second_key_decides_where_the_first_one_is_the_same() {
    let (stack, admin) = scene().await;
    let same = Command::new("sqlite3")
        .arg(stack.folder().join("index.sqlite"))
        .arg("UPDATE repositories SET updated_at = 1700000000000000")
        .status();
    assert!(same.unwrap().success());
    for (sort, expected) in TIES {
        let mut address = format!("/api/v1/repositories?limit=3&sort={sort}");
        let mut seen = Vec::new();
        loop {
            let answer = admin.asks(Method::GET, &address).send().await.is(200);
            seen.extend(names(&answer));
            let Some(next) = next(&answer) else { break };
            address = next;
        }
        assert_eq!(seen, *expected, "{sort}");
    }
}

#[tokio::test]
async fn an_answer_has_the_fields_that_were_asked_for() {
    let (_stack, admin) = scene().await;
    let ask = async |path: &str| admin.asks(Method::GET, &format!("/api/v1{path}")).send().await;
    let page = ask("/repositories?fields=visibility,name&limit=1&count=true").await.is(200);
    assert_eq!(page.json()["items"], json!([{ "name": "acme/a", "visibility": "private" }]));
    assert_eq!((&page.json()["total"], &page.json()["total_is_exact"]), (&json!(4), &json!(true)));
    let following = admin.asks(Method::GET, &next(&page).unwrap()).send().await.is(200);
    assert_eq!(following.json()["items"], json!([{ "name": "acme/b", "visibility": "private" }]));
    // Of one thing, a change may be bound to the part that was seen.
    let (whole, part) =
        (ask("/repositories/acme/b").await.is(200), ask("/repositories/acme/b?fields=description").await);
    assert_eq!(part.is(200).json(), json!({ "description": "a tool" }));
    let part = ask("/repositories/acme/b?fields=description").await;
    assert_eq!(part.header("etag"), whole.header("etag"));
    let seen =
        admin.asks(Method::GET, "/api/v1/repositories/acme/b?fields=name").header("If-None-Match", part.header("etag"));
    assert_eq!(seen.send().await.is(304).text(), "");
    let head = admin.asks(Method::HEAD, "/api/v1/repositories/acme/b?fields=description").send().await.is(200);
    assert_eq!(head.header("content-length"), part.text().len().to_string());
    let refused = ask("/admin/users?fields=name,password_hash").await.is(422).json();
    assert_eq!(refused["errors"][0]["parameter"], "fields");
    let detail = refused["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.starts_with("fields is one of") && detail.contains("created_at"), "{detail}");
    ask("/repositories/acme/none?fields=name").await.is(404);
}

#[tokio::test]
async fn the_length_of_a_list_is_told_only_when_it_is_asked_for_and_counts_what_one_may_see() {
    let (stack, admin) = scene().await;
    let list = admin.does(Method::GET, "/repositories", &Value::Null).await;
    assert!(list.get("total").is_none(), "{list}");
    let seen = stack.anonymous().does(Method::GET, "/repositories?count=true&limit=1", &Value::Null).await;
    assert_eq!((&seen["total"], &seen["items"][0]["name"]), (&json!(1), &json!("acme/c")));
    // Members, grants and what a team holds are counted by statements of their own.
    admin.does(Method::PUT, "/orgs/acme/members/bob", &json!({ "role": "member" })).await;
    admin.does(Method::POST, "/orgs/acme/teams", &json!({ "name": "dev" })).await;
    admin.does(Method::PUT, "/orgs/acme/teams/dev/members/bob", &Value::Null).await;
    for on in ["/namespaces/other", "/namespaces/acme", "/repositories/acme/a/-"] {
        admin.does(Method::PUT, &format!("{on}/grants/team:acme/dev"), &json!({ "role": "read" })).await;
    }
    admin.does(Method::DELETE, "/orgs/other", &Value::Null).await;
    for (list, length) in [
        ("/orgs/acme/members", 2),
        ("/orgs/acme/teams/dev/members", 1),
        ("/orgs/acme/teams/dev/grants", 2),
        ("/namespaces/acme/grants", 1),
        ("/repositories/acme/a/-/grants", 1),
    ] {
        let page = admin.does(Method::GET, &format!("{list}?limit=1&count=true"), &Value::Null).await;
        assert_eq!(page["total"], length, "{list}");
        assert_eq!(page["items"].as_array().unwrap().len(), 1, "{list}");
    }
}

#[tokio::test]
async fn a_sign_that_patterns_have_stands_for_itself_in_a_name() {
    let stack = Stack::start().await;
    let (alice, mallory) = (stack.user("alice").await, stack.user("mallory").await);
    for (owner, organisation) in [(&alice, "acme"), (&mallory, "a_me")] {
        owner.does(Method::POST, "/orgs", &json!({ "name": organisation })).await;
        owner.does(Method::POST, &format!("/orgs/{organisation}/robots"), &json!({ "name": "ci" })).await;
        owner.does(Method::POST, &format!("/orgs/{organisation}/teams"), &json!({ "name": "dev" })).await;
        owner.repository(&format!("{organisation}/app")).await.push_image("v1", "layer").await;
        owner.does(Method::PUT, &format!("/repositories/{organisation}/gone"), &json!({})).await;
        owner.does(Method::DELETE, &format!("/repositories/{organisation}/gone"), &Value::Null).await;
    }
    let admin = stack.admin();
    // (list, names): the administrator sees what there is, and the owner of `a_me` no more of `acme` than before.
    let lists: &[(&str, &[&str])] = &[
        ("/orgs?q=a_m", &["a_me"]),
        ("/repositories?q=a_m", &["a_me/app"]),
        ("/repositories?namespace=a_me", &["a_me/app"]),
        ("/namespaces/a_me/deleted", &["a_me/gone"]),
        ("/orgs/a_me/robots", &["a_me+ci"]),
        ("/orgs/a_me/teams", &["dev"]),
    ];
    for (path, expected) in lists {
        for who in [&admin, &mallory] {
            let answer = who.asks(Method::GET, &format!("/api/v1{path}")).send().await.is(200);
            assert_eq!(names(&answer), *expected, "{} {path}", who.name);
        }
    }
    let found = admin.asks(Method::GET, "/v1/search?q=a_me").send().await.is(200).json();
    assert_eq!((&found["num_results"], &found["results"][0]["name"]), (&json!(1), &json!("a_me/app")));
    for name in ["acme/app", "acme/none"] {
        let token = mallory.token(&format!("repository:{name}:pull")).await;
        assert_eq!(claims(&token)["access"][0]["actions"], json!([]), "{name}");
    }
}

/// Queries that would read what is not shown, or that are read as something else than text.
const ORACLES: &[(&str, u16)] = &[
    ("/admin/users?sort=password_hash", 422),
    ("/admin/users?sort=-password_hash", 422),
    ("/admin/users?sort=(select+1)", 422),
    ("/admin/users?sort=name;drop+table+users", 422),
    ("/admin/users?order=asc", 422),
    ("/admin/users?password_hash=%24argon2", 422),
    ("/admin/users?disabled=1+or+1", 422),
    ("/admin/users?limit=1;select", 422),
    ("/admin/users?cursor=%27", 422),
    ("/repositories?namespace=%27+or+1=1", 422),
    ("/admin/users?q=%24argon2", 200),
    ("/admin/users?q=password_hash~%24argon2", 200),
    ("/admin/users?q=%27+or+%271%27=%271", 200),
    ("/admin/users?q=%27", 200),
    ("/admin/users?q=%25", 200),
    ("/admin/users?q=_", 200),
    ("/admin/users?q=%5C", 200),
    ("/repositories?q=%5C", 200),
];

#[tokio::test]
async fn a_filter_finds_by_what_is_shown_and_by_nothing_else() {
    let (_stack, admin) = scene().await;
    for (path, status) in ORACLES {
        let answer = admin.asks(Method::GET, &format!("/api/v1{path}")).send().await;
        assert_eq!(answer.status, *status, "{path}: {}", answer.text());
        if *status == 200 {
            assert_eq!(names(&answer), [] as [&str; 0], "{path}");
        }
    }
    assert_eq!(admin.does(Method::GET, "/admin/users", &Value::Null).await["items"].as_array().unwrap().len(), 3);
}
