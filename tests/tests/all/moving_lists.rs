//! Pages of lists while others make and delete what is listed: what was there all the time comes once, and nothing twice.

use crate::support::{Stack, User};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How a list is asked for, and how one more of what it lists is made and deleted. `NAME` is its name.
struct Moving {
    list: &'static str,
    make: (&'static str, &'static str, &'static str),
    delete: &'static str,
    /// The member of an entry that has the name, and what stands before it there.
    name: (&'static str, &'static str),
}

const TEAMS: Moving = Moving {
    list: "/orgs/acme/teams?limit=3",
    make: ("POST", "/orgs/acme/teams", r#"{"name":"NAME"}"#),
    delete: "/orgs/acme/teams/NAME",
    name: ("name", ""),
};

const REPOSITORIES: Moving = Moving {
    list: "/repositories?limit=3",
    make: ("PUT", "/repositories/acme/NAME", "{}"),
    delete: "/repositories/acme/NAME",
    name: ("name", "acme/"),
};

/// From Z to A, by the time of the last change, and with a filter.
const MOVING: &[Moving] = &[
    TEAMS,
    REPOSITORIES,
    Moving { list: "/repositories?limit=3&sort=-name", ..REPOSITORIES },
    Moving { list: "/repositories?limit=3&sort=updated_at&namespace=acme", ..REPOSITORIES },
    Moving { list: "/repositories?limit=3&sort=-updated_at&q=acme", ..REPOSITORIES },
    Moving {
        list: "/orgs/acme/robots?limit=3",
        make: ("POST", "/orgs/acme/robots", r#"{"name":"NAME"}"#),
        delete: "/orgs/acme/robots/NAME",
        name: ("name", "acme+"),
    },
    Moving {
        list: "/namespaces/acme/grants?limit=3",
        make: ("PUT", "/namespaces/acme/grants/user:NAME", r#"{"role":"read"}"#),
        delete: "/namespaces/acme/grants/user:NAME",
        name: ("subject", "user:"),
    },
];

impl Moving {
    async fn make(&self, admin: &User, name: &str) {
        let (method, path, body) = self.make;
        let body: Value = serde_json::from_str(&body.replace("NAME", name)).unwrap();
        admin.does(method.parse().unwrap(), &path.replace("NAME", name), &body).await;
    }

    async fn delete(&self, admin: &User, name: &str) {
        admin.does(Method::DELETE, &self.delete.replace("NAME", name), &Value::Null).await;
    }

    /// The names on a page, and the query of the next one.
    async fn page(&self, admin: &User, cursor: &str) -> (Vec<String>, Option<String>) {
        let page = admin.does(Method::GET, &format!("{}{cursor}", self.list), &Value::Null).await;
        let (member, before) = self.name;
        let names = page["items"].as_array().unwrap().iter().map(|item| item[member].as_str().unwrap());
        let names = names.map(|name| name.strip_prefix(before).unwrap().to_owned()).collect();
        (names, page["next_cursor"].as_str().map(|cursor| format!("&cursor={cursor}")))
    }
}

#[tokio::test]
async fn what_stays_is_on_one_page_whatever_comes_and_goes_meanwhile() {
    for moving in MOVING {
        let stack = Stack::start().await;
        let admin = stack.admin();
        admin.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
        let names: Vec<_> = (10..22).map(|number| format!("n{number}")).collect();
        if moving.name.0 == "subject" {
            for name in names.iter().cloned().chain((0..4).flat_map(comers)) {
                stack.user(&name).await;
            }
        }
        for name in &names {
            moving.make(&admin, name).await;
        }
        let (mut seen, mut gone) = (Vec::<String>::new(), BTreeSet::<String>::new());
        let mut cursor = Some(String::new());
        for round in 0.. {
            let Some(next) = cursor else { break };
            let (page, following) = moving.page(&admin, &next).await;
            seen.extend(page.iter().cloned());
            cursor = following;
            if round < 4 {
                // The one that the cursor stands on, one of before it, and one that is still to come.
                let to_come = names.iter().rev().find(|name| !seen.contains(name) && !gone.contains(*name));
                let leaving = [page.last(), page.first(), to_come];
                for name in leaving.into_iter().flatten().collect::<BTreeSet<_>>() {
                    if gone.insert(name.clone()) && names.contains(name) {
                        moving.delete(&admin, name).await;
                    }
                }
                for name in comers(round) {
                    moving.make(&admin, &name).await;
                }
            }
            assert!(round < 30, "{}: it never ends: {seen:?}", moving.list);
        }
        let once: BTreeSet<_> = seen.iter().collect();
        assert_eq!(once.len(), seen.len(), "{}: something comes twice: {seen:?}", moving.list);
        let missed: Vec<_> = names.iter().filter(|name| !gone.contains(*name) && !once.contains(name)).collect();
        assert!(missed.is_empty(), "{}: {missed:?} was there all the time, and on no page: {seen:?}", moving.list);
        assert!(gone.len() > 4 && seen.len() > 6, "{}: little happened: {seen:?}, {gone:?}", moving.list);
    }
}

/// Who comes after a page: at the beginning, in the middle and at the end of the list.
fn comers(round: usize) -> [String; 3] {
    ["a", "n15x", "z"].map(|place| format!("{place}{round}"))
}
