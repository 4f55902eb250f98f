//! A right that is taken away ends within two seconds for tokens issued before, also in registries of other processes than
//! the index's. A name that comes to stand for something else gives nothing of what lay under it.

use crate::support::{Host, PASSWORD, Program, Repository, Stack, User, eventually, sha256};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, Instant};

/// What is taken away ends within this.
const ENDS: Duration = Duration::from_secs(2);

/// `acme/app` with an image under `v1`, in an organisation of the administrator.
async fn stack_with_app() -> Stack {
    let stack = Stack::start().await;
    stack.admin().does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    stack.admin().repository("acme/app").await.push_image("v1", "layer").await;
    stack
}

/// Waits until `repository` is refused because its token no longer holds.
async fn is_refused_soon(repository: &Repository, why: &str) {
    eventually(why, ENDS, async || {
        let answer = repository.get("manifests/v1").send().await;
        answer.status == 401 && answer.header("www-authenticate").ends_with("error=\"invalid_token\"")
    })
    .await;
}

/// Who pulls `acme/app` with a token that ends when something is taken away.
struct Loser {
    why: &'static str,
    app: Repository,
    /// Who takes it away.
    by: User,
    taking: (Method, String, Value),
}

/// Who sees it at registries that are processes of their own.
async fn two_registries(stack: &Stack) -> [Program; 2] {
    [Program::start_beside(stack, &[]).await, Program::start_beside(stack, &[]).await]
}

#[tokio::test]
async fn whatever_is_taken_away_ends_within_two_seconds_on_registries_of_other_processes() {
    let stack = stack_with_app().await;
    let admin = stack.admin();
    let registries = two_registries(&stack).await;
    let mut losers = Vec::new();
    for (number, (why, giving, taking)) in TAKINGS.iter().enumerate() {
        let user = stack.user(&format!("user{number}")).await;
        for line in *giving {
            act(&admin, line, &user.name).await;
        }
        let app = user.repository("acme/app").await;
        losers.push(Loser { why, app, by: admin.clone(), taking: parsed(taking, &user.name) });
    }
    for (number, (why, taking)) in SECRETS.iter().enumerate() {
        losers.push(with_access_token(&stack, &format!("owner{number}"), why, taking).await);
        losers.push(with_robot(&stack, &format!("robot{number}"), why, taking).await);
    }
    losers.push(with_robot(&stack, "idle", "a robot that may work", r#"PATCH SECRET {"disabled":true}"#).await);
    losers.push(with_password(&stack).await);
    for Loser { why, app, by, taking: (method, path, body) } in losers {
        for registry in &registries {
            app.on(&registry.host).get("manifests/v1").send().await.is(200);
        }
        by.does(method, &path, &body).await;
        let taken = Instant::now();
        for registry in &registries {
            is_refused_soon(&app.on(&registry.host), why).await;
        }
        assert!(taken.elapsed() < ENDS, "{why}: {:?}", taken.elapsed());
    }
}

/// What gives somebody a role as a member of a team.
const IN_A_TEAM: &[&str] = &[
    r#"PUT /orgs/acme/members/USER {"role":"member"}"#,
    r#"POST /orgs/acme/teams {"name":"team-USER"}"#,
    "PUT /orgs/acme/teams/team-USER/members/USER",
    r#"PUT /namespaces/acme/grants/team:acme/team-USER {"role":"write"}"#,
];

/// (what, what the administrator gives, what it takes), about `USER`.
pub const TAKINGS: &[(&str, &[&str], &str)] = &[
    (
        "a grant on a repository",
        &[r#"PUT /repositories/acme/app/-/grants/user:USER {"role":"write"}"#],
        "DELETE /repositories/acme/app/-/grants/user:USER",
    ),
    (
        "a larger grant",
        &[r#"PUT /namespaces/acme/grants/user:USER {"role":"write"}"#],
        r#"PUT /namespaces/acme/grants/user:USER {"role":"read"}"#,
    ),
    ("a membership", &[r#"PUT /orgs/acme/members/USER {"role":"member"}"#], "DELETE /orgs/acme/members/USER"),
    (
        "being owner",
        &[r#"PUT /orgs/acme/members/USER {"role":"owner"}"#],
        r#"PUT /orgs/acme/members/USER {"role":"member"}"#,
    ),
    ("being in a team", IN_A_TEAM, "DELETE /orgs/acme/teams/team-USER/members/USER"),
    ("a team's grant", IN_A_TEAM, "DELETE /namespaces/acme/grants/team:acme/team-USER"),
    ("a team", IN_A_TEAM, "DELETE /orgs/acme/teams/team-USER"),
    (
        "an account",
        &[r#"PUT /namespaces/acme/grants/user:USER {"role":"admin"}"#],
        r#"PATCH /admin/users/USER {"disabled":true}"#,
    ),
    (
        "administering the instance",
        &[r#"PATCH /admin/users/USER {"is_admin":true}"#],
        r#"PATCH /admin/users/USER {"is_admin":false}"#,
    ),
];

fn parsed(line: &str, user: &str) -> (Method, String, Value) {
    let line = line.replace("USER", user);
    let mut parts = line.splitn(3, ' ');
    let (method, path) = (parts.next().unwrap().parse().unwrap(), parts.next().unwrap().to_owned());
    (method, path, parts.next().map_or(Value::Null, |body| serde_json::from_str(body).unwrap()))
}

pub async fn act(who: &User, line: &str, user: &str) {
    let (method, path, body) = parsed(line, user);
    who.does(method, &path, &body).await;
}

/// What ends a secret, an access token's or a robot's, at the address `SECRET`.
const SECRETS: &[(&str, &str)] =
    &[("a secret", "DELETE SECRET"), ("a secret that has another in its place", "POST SECRET/rotate {}")];

async fn registry_token(host: &Host, name: &str, secret: &str) -> String {
    let path = "/token?service=berth&scope=repository:acme/app:pull";
    let answer = host.get(path).basic(name, secret).send().await.is(200);
    answer.json()["token"].as_str().unwrap().to_owned()
}

/// A new account that reads `acme/app` by an access token.
async fn with_access_token(stack: &Stack, name: &str, why: &'static str, taking: &str) -> Loser {
    let owner = stack.user(name).await;
    act(&stack.admin(), r#"PUT /namespaces/acme/grants/user:USER {"role":"read"}"#, name).await;
    let made = owner.does(Method::POST, "/user/tokens", &json!({ "name": "ci" })).await;
    let token = registry_token(&stack.host, name, made["secret"].as_str().unwrap()).await;
    let path = format!("/user/tokens/{}", made["id"].as_str().unwrap());
    let app = Repository::new(&stack.host, "acme/app", token);
    Loser { why, app, by: owner, taking: parsed(&taking.replace("SECRET", &path), name) }
}

/// A new robot that reads it.
async fn with_robot(stack: &Stack, name: &str, why: &'static str, taking: &str) -> Loser {
    let admin = stack.admin();
    let made = admin.does(Method::POST, "/orgs/acme/robots", &json!({ "name": name })).await;
    act(&admin, r#"PUT /namespaces/acme/grants/robot:acme+USER {"role":"read"}"#, name).await;
    let token = registry_token(&stack.host, &format!("acme+{name}"), made["secret"].as_str().unwrap()).await;
    let app = Repository::new(&stack.host, "acme/app", token);
    Loser { why, app, by: admin, taking: parsed(&taking.replace("SECRET", &format!("/orgs/acme/robots/{name}")), name) }
}

async fn with_password(stack: &Stack) -> Loser {
    let paul = stack.user("paul").await;
    act(&stack.admin(), r#"PUT /namespaces/acme/grants/user:USER {"role":"read"}"#, "paul").await;
    let app = paul.repository("acme/app").await;
    let change = json!({ "old_password": PASSWORD, "new_password": "another battery staple" });
    Loser { why: "a password", app, by: paul, taking: (Method::PUT, "/user/password".to_owned(), change) }
}

#[tokio::test]
async fn an_old_secret_opens_as_long_as_was_said_and_within_two_seconds_no_more() {
    let overlap = Duration::from_secs(4);
    let rotate = format!("POST SECRET/rotate {{\"overlap_seconds\":{}}}", overlap.as_secs());
    let stack = stack_with_app().await;
    let registries = two_registries(&stack).await;
    let why = "the old secret's time is over";
    let of_token = with_access_token(&stack, "tina", why, &rotate).await;
    let of_robot = with_robot(&stack, "ci", why, &rotate).await;
    for Loser { why, app, by, taking: (method, path, body) } in [of_token, of_robot] {
        let begun = Instant::now();
        let rotated = by.does(method, &path, &body).await;
        let name = if path.contains("/robots/") { "acme+ci" } else { "tina" };
        let new = registry_token(&stack.host, name, rotated["secret"].as_str().unwrap()).await;
        let new = Repository::new(&stack.host, "acme/app", new);
        for registry in &registries {
            app.on(&registry.host).get("manifests/v1").send().await.is(200);
        }
        assert!(begun.elapsed() < overlap, "too slow to see the overlap");
        tokio::time::sleep(overlap.saturating_sub(begun.elapsed())).await;
        for registry in &registries {
            is_refused_soon(&app.on(&registry.host), why).await;
            new.on(&registry.host).get("manifests/v1").send().await.is(200);
        }
        assert!(begun.elapsed() < overlap + ENDS, "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn no_registry_takes_a_token_of_a_purged_repository_for_the_next_one_of_its_name() {
    let stack = stack_with_app().await;
    let registries = two_registries(&stack).await;
    let (admin, bob) = (stack.admin(), stack.user("bob").await);
    act(&admin, r#"PUT /namespaces/acme/grants/user:USER {"role":"write"}"#, "bob").await;
    let (seen, unseen) = (bob.repository("acme/app").await, bob.repository("acme/app").await);
    for registry in &registries {
        seen.on(&registry.host).get("manifests/v1").send().await.is(200);
    }
    admin.does(Method::DELETE, "/repositories/acme/app", &Value::Null).await;
    admin.does(Method::POST, "/repositories/acme/app/-/purge", &Value::Null).await;
    let next = admin.repository("acme/app").await.push_image("v1", "of those who came later").await;
    for registry in &registries {
        for old in [&seen, &unseen] {
            is_refused_soon(&old.on(&registry.host), "purged").await;
            old.on(&registry.host).post("blobs/uploads/").send().await.is(401);
        }
        // His grant is on the namespace, so a token of now is for what is there now.
        let now = bob.repository("acme/app").await.on(&registry.host);
        assert_eq!(now.get("manifests/v1").send().await.is(200).body, next.manifest);
    }
}

#[tokio::test]
async fn a_deleted_repository_is_gone_and_holds_its_name() {
    let stack = stack_with_app().await;
    let (admin, mallory) = (stack.admin(), stack.user("mallory").await);
    let app = admin.repository("acme/app").await;
    app.get("manifests/v1").send().await.is(200);
    admin.does(Method::DELETE, "/repositories/acme/app", &Value::Null).await;
    is_refused_soon(&app, "deleted").await;
    admin.repository("acme/app").await.get("manifests/v1").send().await.is(401);
    let again = admin.asks(Method::PUT, "/api/v1/repositories/acme/app").json(&json!({})).send().await.is(409);
    assert_eq!(again.json()["code"], "name_held");
    // The name of the organisation is held too, so nobody follows in its place.
    admin.does(Method::DELETE, "/orgs/acme", &Value::Null).await;
    let follow = mallory.asks(Method::POST, "/api/v1/orgs").json(&json!({ "name": "acme" })).send().await.is(409);
    assert_eq!(follow.json()["code"], "name_unavailable");
    mallory.repository("acme/app").await.get("manifests/v1").send().await.is(401);
    let account = json!({ "name": "acme", "password": "a long password" });
    admin.asks(Method::POST, "/api/v1/admin/users").json(&account).send().await.is(409);
}

#[tokio::test]
async fn content_of_another_repository_of_the_name_is_nobodys() {
    let stack = stack_with_app().await;
    let id = stack.stored("berth/ids/acme/app/_id");
    let app = stack.admin().repository("acme/app").await;
    app.get("manifests/v1").send().await.is(200);
    // What an index restored from before the repository meets: the name is there, with another id; or none is written.
    for left in [Some("01890000-0000-7000-8000-000000000000"), None] {
        match left {
            Some(other) => fs::write(&id, other).unwrap(),
            None => fs::remove_file(&id).unwrap(),
        }
        for path in ["manifests/v1", "tags/list", &format!("blobs/{}", sha256(b"layer"))] {
            app.get(path).send().await.refuses(404, "NAME_UNKNOWN");
        }
        app.delete("manifests/v1").send().await.refuses(404, "NAME_UNKNOWN");
        app.post("blobs/uploads/").send().await.refuses(403, "DENIED");
    }
}
