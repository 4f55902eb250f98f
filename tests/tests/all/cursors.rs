//! Cursors of lists: each leads to one page of the list and order it was given for, and what nobody gave leads nowhere.

use crate::support::{Stack, User};
use reqwest::Method;
use serde_json::{Value, json};

/// Two organisations, each with two teams and two repositories.
async fn stack() -> (Stack, User) {
    let stack = Stack::start().await;
    let admin = stack.admin();
    for organisation in ["acme", "other"] {
        admin.does(Method::POST, "/orgs", &json!({ "name": organisation })).await;
        for name in ["a", "b"] {
            admin.does(Method::POST, &format!("/orgs/{organisation}/teams"), &json!({ "name": name })).await;
            admin.does(Method::PUT, &format!("/repositories/{organisation}/{name}"), &json!({})).await;
        }
    }
    (stack, admin)
}

/// The cursor that a page of one entry gives.
async fn cursor_of(admin: &User, list: &str) -> String {
    let page = admin.does(Method::GET, list, &Value::Null).await;
    page["next_cursor"].as_str().unwrap_or_else(|| panic!("{list}: {page}")).to_owned()
}

/// Asks with a cursor that is not the list's.
async fn is_foreign(admin: &User, list: &str, cursor: &str) {
    let with = if list.contains('?') { '&' } else { '?' };
    let answer = admin.asks(Method::GET, &format!("/api/v1{list}{with}cursor={cursor}")).send().await.is(422);
    let problem = answer.json();
    let fault = &problem["errors"][0];
    assert_eq!(
        (&fault["parameter"], &fault["code"]),
        (&json!("cursor"), &json!("foreign_cursor")),
        "{list}: {problem}"
    );
}

#[tokio::test]
async fn a_cursor_leads_nowhere_in_another_list_or_order() {
    let (_stack, admin) = stack().await;
    let cursor = cursor_of(&admin, "/repositories?limit=1&sort=-updated_at").await;
    let same = admin.does(Method::GET, &format!("/repositories?sort=-updated_at&cursor={cursor}"), &Value::Null).await;
    assert_eq!(same["items"].as_array().unwrap().len(), 3);
    for list in ["/repositories", "/repositories?sort=updated_at", "/repositories?sort=name", "/orgs"] {
        is_foreign(&admin, list, &cursor).await;
    }
    let cursor = cursor_of(&admin, "/orgs/acme/teams?limit=1").await;
    for list in ["/orgs/other/teams", "/orgs/acme/robots", "/orgs"] {
        is_foreign(&admin, list, &cursor).await;
    }
}

#[tokio::test]
async fn a_cursor_that_was_made_or_changed_by_somebody_leads_nowhere() {
    let (_stack, admin) = stack().await;
    let cursor = cursor_of(&admin, "/orgs?limit=1").await;
    // As it was before anybody signed it: the name alone, in base64url.
    for made in ["YWNtZQ", "", "!", &cursor[1..], &cursor[..cursor.len() - 4], &format!("{cursor}YWFh")] {
        is_foreign(&admin, "/orgs", made).await;
    }
}

#[tokio::test]
async fn a_cursor_leads_on_after_a_restart() {
    let (stack, admin) = stack().await;
    let cursor = cursor_of(&admin, "/orgs?limit=1").await;
    let backup = stack.index_backup();
    let again = stack.with_index_of(&backup).await;
    let page = again.admin().does(Method::GET, &format!("/orgs?cursor={cursor}"), &Value::Null).await;
    assert_eq!(page["items"][0]["name"], "other");
}
