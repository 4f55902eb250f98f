//! A world of people, teams, robots and repositories whose rights change at random, and what is held of everybody in it. Must
//! not know how a right is explained, but for the role and the actions.

use crate::support::{Answer, Host, Repository, Stack, User, claims};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PEOPLE: [&str; 5] = ["ann", "ben", "cat", "dan", "eve"];
const ORGANISATIONS: [&str; 2] = ["acme", "globex"];
const TEAMS: [&str; 2] = ["dev", "ops"];
pub const ROLES: [&str; 4] = ["read", "write", "maintain", "admin"];

/// Of which the names are held, and nothing can be explained: deleted, and never made.
const GHOSTS: [&str; 2] = ["acme/deleted", "acme/absent"];

/// The namespace that is used from some addresses alone, at times: from those of the tests, and not from this one.
const CLOSED: &str = "globex";
const ELSEWHERE: [u8; 4] = [127, 0, 0, 3];

/// A limited access token reads here, and does nothing else.
const LIMIT: &str = "acme";

/// A generator of numbers that look random (xorshift64).
pub struct Random(u64);

impl Random {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

/// Somebody whose rights are asked for: a name and a secret, or nobody.
pub struct Subject {
    /// As explanations name it.
    pub name: String,
    /// As it signs in.
    login: Option<(String, String)>,
    /// Whether it shows a limited access token.
    is_limited: bool,
}

impl Subject {
    fn new(name: &str, login: Option<(&str, String)>) -> Self {
        let login = login.map(|(user, secret)| (user.to_owned(), secret));
        Self { name: name.to_owned(), login, is_limited: false }
    }
}

pub struct World {
    stack: Stack,
    /// The administrator's access token: passwords take long.
    admin: String,
    pub subjects: Vec<Subject>,
    pub repositories: Vec<String>,
    pub random: Random,
    /// Whether [`CLOSED`] is.
    is_closed: bool,
}

impl World {
    pub async fn new(seed: u64) -> Self {
        let stack = Stack::start().await;
        let root = stack.admin();
        let admin = secret(&root, "/user/tokens", json!({ "name": "all" })).await;
        let mut subjects =
            vec![Subject::new("anonymous", None), Subject::new("user:admin", Some(("admin", admin.clone())))];
        for name in PEOPLE {
            let token = secret(&stack.user(name).await, "/user/tokens", json!({ "name": "all" })).await;
            subjects.push(Subject::new(&format!("user:{name}"), Some((name, token))));
        }
        let limited = json!({ "name": "limited", "limits": [{ "namespace": LIMIT, "role": "read" }] });
        let limited = secret(&root.named("ann"), "/user/tokens", limited).await;
        subjects.push(Subject { is_limited: true, ..Subject::new("user:ann", Some(("ann", limited))) });
        let mut repositories = Vec::new();
        for organisation in ORGANISATIONS {
            root.does(Method::POST, "/orgs", &json!({ "name": organisation })).await;
            for team in TEAMS {
                root.does(Method::POST, &format!("/orgs/{organisation}/teams"), &json!({ "name": team })).await;
            }
            let of_robot = secret(&root, &format!("/orgs/{organisation}/robots"), json!({ "name": "ci" })).await;
            let name = format!("{organisation}+ci");
            subjects.push(Subject::new(&format!("robot:{name}"), Some((&name, of_robot))));
            repositories.extend(["app", "tools/app"].map(|name| format!("{organisation}/{name}")));
        }
        repositories.extend(["ann/app", "ben/app", "bare"].map(str::to_owned));
        for name in &repositories {
            root.repository(name).await.push_image("v1", name).await;
        }
        // One that is made with a grant.
        let grants = json!({ "grants": [{ "subject": "team:acme/dev", "role": "write" }] });
        root.does(Method::PUT, "/namespaces/acme/default-grants", &grants).await;
        root.repository("acme/given").await.push_image("v1", "given").await;
        repositories.push("acme/given".to_owned());
        root.repository(GHOSTS[0]).await.push_image("v1", "deleted").await;
        root.does(Method::DELETE, &format!("/repositories/{}", GHOSTS[0]), &Value::Null).await;
        Self { stack, admin, subjects, repositories, random: Random(seed), is_closed: false }
    }

    /// Something about rights becomes another. What cannot be, as the end of a last owner, is refused.
    pub async fn changes(&mut self) {
        let random = &mut self.random;
        let (organisation, team, person) =
            (random.one_of(&ORGANISATIONS), random.one_of(&TEAMS), random.one_of(&PEOPLE));
        let (role, repository) =
            (random.one_of(&ROLES), self.repositories[random.below(self.repositories.len())].clone());
        let holder = match random.below(3) {
            0 => format!("user:{person}"),
            1 => format!("team:{organisation}/{team}"),
            _ => format!("robot:{organisation}+ci"),
        };
        let namespace = random.one_of(&["acme", "globex", "ann", "ben", "library"]);
        let (method, path, body) = match random.below(15) {
            0 | 1 => {
                let role = random.one_of(&["member", "member", "owner"]);
                (Method::PUT, format!("/orgs/{organisation}/members/{person}"), json!({ "role": role }))
            }
            2 => (Method::DELETE, format!("/orgs/{organisation}/members/{person}"), Value::Null),
            3 | 4 => (Method::PUT, format!("/orgs/{organisation}/teams/{team}/members/{person}"), Value::Null),
            5 => (Method::DELETE, format!("/orgs/{organisation}/teams/{team}/members/{person}"), Value::Null),
            6 => (Method::PUT, format!("/namespaces/{namespace}/grants/{holder}"), json!({ "role": role })),
            7 => (Method::DELETE, format!("/namespaces/{namespace}/grants/{holder}"), Value::Null),
            8 => (Method::PUT, format!("/repositories/{repository}/-/grants/{holder}"), json!({ "role": role })),
            9 => (Method::DELETE, format!("/repositories/{repository}/-/grants/{holder}"), Value::Null),
            10 => {
                let disabled = random.below(3) == 0;
                (Method::PATCH, format!("/admin/users/{person}"), json!({ "disabled": disabled }))
            }
            11 => {
                let is_auditor = random.below(3) == 0;
                (Method::PATCH, format!("/admin/users/{person}"), json!({ "is_auditor": is_auditor }))
            }
            12 => {
                let disabled = random.below(3) == 0;
                (Method::PATCH, format!("/orgs/{organisation}/robots/ci"), json!({ "disabled": disabled }))
            }
            13 => {
                self.is_closed = !self.is_closed;
                let networks = if self.is_closed { json!(["127.0.0.1"]) } else { json!([]) };
                (Method::PUT, format!("/namespaces/{CLOSED}/networks"), json!({ "allowed_networks": networks }))
            }
            _ => {
                let visibility = random.one_of(&["public", "private"]);
                (Method::PATCH, format!("/repositories/{repository}"), json!({ "visibility": visibility }))
            }
        };
        let answer = self.asks(method, &path, &body).await;
        assert!([200, 204, 404, 409].contains(&answer.status), "{}: {}", answer.what, answer.text());
    }

    /// What the administrator asks for.
    pub async fn asks(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = if path.starts_with("/admin/") {
            self.stack.admin().asks(method, &format!("/api/v1{path}"))
        } else {
            self.stack.host.replacing(method, &format!("/api/v1{path}")).token(&self.admin)
        };
        if body.is_null() { request } else { request.json(body) }.send().await
    }

    /// What is explained of a subject on a repository.
    pub async fn explains(&self, subject: &Subject, name: &str) -> Answer {
        self.asks(Method::GET, &format!("/repositories/{name}/-/explain?subject={}", subject.name), &Value::Null).await
    }

    /// Of what is deleted or was never made nothing is explained, and nobody has anything.
    pub async fn is_not_there(&self, subject: &Subject) {
        for name in GHOSTS {
            self.explains(subject, name).await.is(404);
            let Some(token) = registry_token(&self.stack.host, subject, name).await else { continue };
            let status = Repository::new(&self.stack.host, name, token).head("manifests/v1").send().await.status;
            // Who may make it is told that it is not there.
            assert!([401, 404].contains(&status), "{} on {name}: {status}", subject.name);
        }
    }

    /// Whether it runs the instance, or audits it: such are let in from anywhere.
    async fn is_of_the_instance(&self, subject: &Subject) -> bool {
        let Some(person) = subject.name.strip_prefix("user:") else { return false };
        let account = self.stack.admin().does(Method::GET, &format!("/admin/users/{person}"), &Value::Null).await;
        account["is_admin"] == true || account["is_auditor"] == true
    }

    /// Holds that what is explained of a subject on a repository is what it really may.
    pub async fn holds(&self, subject: &Subject, name: &str, what: &str) {
        let explained = self.explains(subject, name).await.is(200).json();
        let mut expected = actions(&explained["actions"]);
        let what = format!("{what}: {} on {name}: {explained}", subject.name);
        assert_eq!(explained["role"], explained["reasons"][0]["role"], "{what}");
        assert_eq!(explained["role"].is_null(), explained["missing"].is_string(), "{what}");

        let Some(token) = registry_token(&self.stack.host, subject, name).await else {
            assert!(expected.is_empty() && explained["missing"].as_str().unwrap().contains("disabled"), "{what}");
            return;
        };
        // What its account holds is explained; the token is cut down.
        let is_within = namespace_of(name) == LIMIT;
        expected.retain(|action| !subject.is_limited || (is_within && action == "pull"));
        assert_eq!(granted(&token), expected, "{what}");
        if self.is_closed && namespace_of(name) == CLOSED {
            let elsewhere = self.stack.host.from(ELSEWHERE);
            let there = registry_token(&elsewhere, subject, name).await.unwrap();
            if self.is_of_the_instance(subject).await {
                assert_eq!(granted(&there), expected, "from elsewhere: {what}");
            } else {
                assert!(granted(&there).is_empty(), "from elsewhere: {what}");
                Repository::new(&elsewhere, name, token.clone()).head("manifests/v1").send().await.is(401);
            }
        }
        let app = Repository::new(&self.stack.host, name, token);
        let absent = format!("manifests/sha256:{}", "0".repeat(64));
        for (action, request, granted) in [
            ("pull", app.head("manifests/v1"), 200),
            ("push", app.post("blobs/uploads/"), 202),
            ("delete", app.delete(&absent), 404),
        ] {
            let status = request.send().await.status;
            assert_eq!(status, if expected.contains(action) { granted } else { 401 }, "{action}: {what}");
        }
    }
}

/// Makes something that has a secret; tells that.
async fn secret(owner: &User, path: &str, body: Value) -> String {
    owner.does(Method::POST, path, &body).await["secret"].as_str().unwrap().to_owned()
}

/// A registry token for everything; `None` if the subject is not let in.
async fn registry_token(host: &Host, subject: &Subject, name: &str) -> Option<String> {
    let request = host.get(&format!("/token?service=berth&scope=repository:{name}:*"));
    let request = match &subject.login {
        Some((user, secret)) => request.basic(user, secret),
        None => request,
    };
    let answer = request.send().await;
    if answer.status == 403 {
        return None;
    }
    Some(answer.is(200).json()["token"].as_str().unwrap().to_owned())
}

fn actions(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().map(|action| action.as_str().unwrap().to_owned()).collect()
}

/// What a registry token for one repository allows.
fn granted(token: &str) -> BTreeSet<String> {
    actions(&claims(token)["access"][0]["actions"])
}

fn namespace_of(name: &str) -> &str {
    name.split_once('/').map_or("library", |(namespace, _)| namespace)
}
