//! Who may do what on a repository, and why: what is explained is what tokens grant and registries do, whoever asks and
//! however the right came about.

use crate::support::{Host, Repository, Stack, User, claims};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PEOPLE: [&str; 5] = ["ann", "ben", "cat", "dan", "eve"];
const ORGANISATIONS: [&str; 2] = ["acme", "globex"];
const TEAMS: [&str; 2] = ["dev", "ops"];
const ROLES: [&str; 4] = ["read", "write", "maintain", "admin"];

/// Random changes of the world, after each of which every subject is held against every repository.
const ROUNDS: usize = 54;

/// A generator of numbers that look random (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
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
struct Subject {
    /// As explanations name it.
    name: String,
    /// As it signs in.
    login: Option<(String, String)>,
}

struct World {
    stack: Stack,
    /// The administrator's access token: passwords take long.
    admin: String,
    subjects: Vec<Subject>,
    repositories: Vec<String>,
    random: Random,
}

impl World {
    async fn new(seed: u64) -> Self {
        let stack = Stack::start().await;
        let root = stack.admin();
        let admin = secret(&root, "/user/tokens", json!({ "name": "all" })).await;
        let mut subjects = vec![
            Subject { name: "anonymous".to_owned(), login: None },
            Subject { name: "user:admin".to_owned(), login: Some(("admin".to_owned(), admin.clone())) },
        ];
        for name in PEOPLE {
            let token = secret(&stack.user(name).await, "/user/tokens", json!({ "name": "all" })).await;
            subjects.push(Subject { name: format!("user:{name}"), login: Some((name.to_owned(), token)) });
        }
        let mut repositories = Vec::new();
        for organisation in ORGANISATIONS {
            root.does(Method::POST, "/orgs", &json!({ "name": organisation })).await;
            for team in TEAMS {
                root.does(Method::POST, &format!("/orgs/{organisation}/teams"), &json!({ "name": team })).await;
            }
            let of_robot = secret(&root, &format!("/orgs/{organisation}/robots"), json!({ "name": "ci" })).await;
            let name = format!("{organisation}+ci");
            subjects.push(Subject { name: format!("robot:{name}"), login: Some((name, of_robot)) });
            repositories.extend(["app", "tools/app"].map(|name| format!("{organisation}/{name}")));
        }
        repositories.extend(["ann/app", "ben/app", "bare"].map(str::to_owned));
        for name in &repositories {
            root.repository(name).await.push_image("v1", name).await;
        }
        Self { stack, admin, subjects, repositories, random: Random(seed) }
    }

    /// Something about rights becomes another. What cannot be, as the end of a last owner, is refused.
    async fn changes(&mut self) {
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
        let (method, path, body) = match random.below(13) {
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
            _ => {
                let visibility = random.one_of(&["public", "private"]);
                (Method::PATCH, format!("/repositories/{repository}"), json!({ "visibility": visibility }))
            }
        };
        let request = if path.starts_with("/admin/") {
            self.stack.admin().asks(method, &format!("/api/v1{path}"))
        } else {
            self.stack.host.request(method, &format!("/api/v1{path}")).token(&self.admin)
        };
        let answer = if body.is_null() { request } else { request.json(&body) }.send().await;
        assert!([200, 204, 404, 409].contains(&answer.status), "{}: {}", answer.what, answer.text());
    }

    /// Holds that what is explained of a subject on a repository is what it really may.
    async fn holds(&self, subject: &Subject, name: &str, what: &str) {
        let path = format!("/api/v1/repositories/{name}/-/explain?subject={}", subject.name);
        let explained = self.stack.host.get(&path).token(&self.admin).send().await.is(200).json();
        let actions = |value: &Value| {
            let actions = value.as_array().into_iter().flatten();
            actions.map(|action| action.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
        };
        let expected = actions(&explained["actions"]);
        let what = format!("{what}: {} on {name}: {explained}", subject.name);
        assert_eq!(explained["role"], explained["reasons"][0]["role"], "{what}");
        assert_eq!(explained["role"].is_null(), explained["missing"].is_string(), "{what}");

        let Some(token) = token(&self.stack.host, subject, name).await else {
            assert!(expected.is_empty() && explained["missing"].as_str().unwrap().contains("disabled"), "{what}");
            return;
        };
        assert_eq!(actions(&claims(&token)["access"][0]["actions"]), expected, "{what}");
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
async fn token(host: &Host, subject: &Subject, name: &str) -> Option<String> {
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

#[tokio::test]
async fn what_is_explained_is_what_tokens_grant_and_registries_do() {
    let seed = std::env::var("BERTH_TESTS_SEED").map_or(0x5eed_0bad_cafe, |seed| seed.parse().unwrap());
    let mut world = World::new(seed).await;
    let mut triples = 0;
    for round in 0..ROUNDS {
        for _ in 0..3 {
            world.changes().await;
        }
        for subject in &world.subjects {
            for name in &world.repositories {
                world.holds(subject, name, &format!("round {round}")).await;
                triples += 3;
            }
        }
    }
    assert!(triples >= 10_000, "{triples}");
}

#[tokio::test]
async fn one_is_explained_oneself_and_others_by_administrators() {
    let stack = Stack::start().await;
    let (alice, bob) = (stack.user("alice").await, stack.user("bob").await);
    alice.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    alice.does(Method::PUT, "/orgs/acme/members/bob", &json!({ "role": "member" })).await;
    alice.does(Method::POST, "/orgs/acme/teams", &json!({ "name": "dev" })).await;
    alice.does(Method::PUT, "/orgs/acme/teams/dev/members/bob", &Value::Null).await;
    alice.does(Method::PUT, "/repositories/acme/app", &json!({})).await;
    alice.does(Method::PUT, "/namespaces/acme/grants/team:acme/dev", &json!({ "role": "write" })).await;
    let expected = json!({
        "repository": "acme/app",
        "subject": "user:bob",
        "role": "write",
        "actions": ["pull", "push"],
        "reasons": [
            { "role": "write", "because": "grant", "granted_to": "team:acme/dev", "namespace": "acme" },
            { "role": "read", "because": "organisation_member" },
        ],
    });
    let path = "/repositories/acme/app/-/explain";
    assert_eq!(bob.does(Method::GET, path, &Value::Null).await, expected);
    assert_eq!(alice.does(Method::GET, &format!("{path}?subject=user:bob"), &Value::Null).await, expected);
    // A robot that she may not see is as one that is not there.
    let admin = stack.admin();
    admin.does(Method::POST, "/orgs", &json!({ "name": "secret" })).await;
    admin.does(Method::POST, "/orgs/secret/robots", &json!({ "name": "ci" })).await;
    let of = async |robot: &str| {
        let told = alice.does(Method::GET, &format!("{path}?subject=robot:{robot}"), &Value::Null).await;
        told.to_string().replace(robot, "ROBOT")
    };
    assert_eq!(of("secret+ci").await, of("none+ci").await);
    let nobody = alice.does(Method::GET, &format!("{path}?subject=user:nobody"), &Value::Null).await;
    assert_eq!((&nobody["role"], &nobody["actions"]), (&Value::Null, &json!([])));
    let get = |user: &User, query: &str| user.asks(Method::GET, &format!("/api/v1{path}{query}")).send();
    get(&bob, "?subject=user:alice").await.is(403);
    get(&alice, "?subject=team:acme/dev").await.is(422);
    get(&stack.user("mallory").await, "").await.is(404);
    get(&stack.user("eve").await, "?subject=user:bob").await.is(404);
    get(&stack.anonymous(), "").await.is(401);
}
