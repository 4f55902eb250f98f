//! Invitations: whoever has the link joins, once, in time, and as long as nobody took it back.

use crate::support::{PASSWORD, Stack, User};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

/// `acme` of the owner `alice`, with the team `dev`.
struct Scene {
    stack: Stack,
    alice: User,
}

impl Scene {
    async fn set(sign_up: &str) -> Self {
        let stack = Stack::start_with(&[("INDEX_SIGNUP", sign_up)]).await;
        let alice = stack.user("alice").await;
        alice.does(Method::POST, "/orgs", &json!({ "name": "acme", "display_name": "Acme Ltd" })).await;
        alice.does(Method::POST, "/orgs/acme/teams", &json!({ "name": "dev" })).await;
        Self { stack, alice }
    }

    /// A new invitation: its id and its secret.
    async fn invite(&self, body: Value) -> (String, String) {
        let made = self.alice.does(Method::POST, "/orgs/acme/invitations", &body).await;
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        assert!(text("link").ends_with(&format!("/invitations/{}", text("secret"))), "{made}");
        (text("id"), text("secret"))
    }

    async fn state(&self, id: &str) -> Value {
        let path = format!("/orgs/acme/invitations/{id}");
        self.alice.does(Method::GET, &path, &Value::Null).await["state"].clone()
    }
}

/// What a request with a secret is answered: status, and the sentence.
async fn asks(user: &User, method: Method, secret: &str, verb: &str) -> (u16, String) {
    let answer = user.asks(method, &format!("/api/v1/invitations/{secret}{verb}")).send().await;
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    (answer.status, body["detail"].as_str().unwrap_or_default().to_owned())
}

async fn accepts(user: &User, secret: &str) -> (u16, String) {
    asks(user, Method::POST, secret, "/accept").await
}

#[tokio::test]
async fn an_invitation_is_shown_to_who_has_it_and_lets_one_in_once() {
    let scene = Scene::set("closed").await;
    let (bob, carol) = (scene.stack.user("bob").await, scene.stack.user("carol").await);
    let (id, secret) = scene.invite(json!({ "role": "member", "teams": ["dev"] })).await;
    let path = format!("/invitations/{secret}");
    for user in [&scene.stack.anonymous(), &bob] {
        let offer = user.does(Method::GET, &path, &Value::Null).await;
        assert_eq!(offer["organisation"], "acme");
        assert_eq!(offer["display_name"], "Acme Ltd");
        assert_eq!((&offer["role"], &offer["teams"]), (&json!("member"), &json!(["dev"])));
        assert_eq!(offer["invited_by"], "alice");
    }
    assert_eq!(accepts(&scene.stack.anonymous(), &secret).await.0, 401);
    let shown = scene.alice.does(Method::GET, "/orgs/acme/invitations", &Value::Null).await;
    assert_eq!(shown["items"][0]["state"], "pending");
    assert!(!shown.to_string().contains(&secret), "{shown}");

    // An owner who tries it out does not use it up.
    assert_eq!(accepts(&scene.alice, &secret).await.0, 409);
    assert_eq!(accepts(&bob, &secret).await.0, 200);
    let members = bob.does(Method::GET, "/orgs/acme/teams/dev/members", &Value::Null).await;
    assert_eq!(members["items"][0]["user"], "bob");
    assert_eq!(scene.state(&id).await, "accepted");
    for user in [&bob, &carol] {
        let (status, detail) = accepts(user, &secret).await;
        assert!(status == 410 && detail.contains("accepted"), "{status} {detail}");
    }
    assert_eq!(asks(&carol, Method::GET, &secret, "").await.0, 410);
    scene.alice.asks(Method::DELETE, &format!("/api/v1/orgs/acme/invitations/{id}")).send().await.is(404);
    // Owners run the invitations of their own organisation only.
    let (id, _) = scene.invite(json!({ "role": "member" })).await;
    carol.does(Method::POST, "/orgs", &json!({ "name": "evil" })).await;
    for method in [Method::GET, Method::DELETE] {
        carol.asks(method, &format!("/api/v1/orgs/evil/invitations/{id}")).send().await.is(404);
    }
    assert_eq!(scene.state(&id).await, "pending");
}

#[tokio::test]
async fn of_many_who_accept_at_once_one_gets_in() {
    let scene = Scene::set("closed").await;
    let mut people = Vec::new();
    for number in 0..5 {
        people.push(scene.stack.user(&format!("person{number}")).await);
    }
    let (_, secret) = scene.invite(json!({ "role": "owner" })).await;
    let answers = futures_util::future::join_all(people.iter().map(|person| accepts(person, &secret))).await;
    let mut statuses: Vec<_> = answers.into_iter().map(|(status, _)| status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410, 410, 410, 410]);
    let members = scene.alice.does(Method::GET, "/orgs/acme/members", &Value::Null).await;
    assert_eq!(members["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_was_declined_revoked_or_is_too_old_opens_nothing_and_says_so() {
    let scene = Scene::set("closed").await;
    let bob = scene.stack.user("bob").await;
    let member = json!({ "role": "member" });
    let (declined, of_declined) = scene.invite(member.clone()).await;
    assert_eq!(asks(&bob, Method::POST, &of_declined, "/decline").await.0, 204);
    let (revoked, of_revoked) = scene.invite(member).await;
    scene.alice.does(Method::DELETE, &format!("/orgs/acme/invitations/{revoked}"), &Value::Null).await;
    let soon = Timestamp::now() + SignedDuration::from_millis(900);
    let (expired, of_expired) = scene.invite(json!({ "role": "member", "expires_at": soon.to_string() })).await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    for (id, secret, state) in
        [(declined, of_declined, "declined"), (revoked, of_revoked, "revoked"), (expired, of_expired, "expired")]
    {
        assert_eq!(scene.state(&id).await, state);
        for (method, verb) in [(Method::GET, ""), (Method::POST, "/accept"), (Method::POST, "/decline")] {
            let (status, detail) = asks(&bob, method, &secret, verb).await;
            assert!(status == 410 && detail.contains(state), "{verb}: {status} {detail}");
        }
    }
    scene.alice.asks(Method::GET, "/api/v1/orgs/acme").send().await.is(200);
    bob.asks(Method::GET, "/api/v1/orgs/acme").send().await.is(404);
}

#[tokio::test]
async fn a_wrong_secret_is_as_one_that_never_was() {
    let scene = Scene::set("closed").await;
    let bob = scene.stack.user("bob").await;
    let (_, secret) = scene.invite(json!({ "role": "member" })).await;
    let (_, lost) = scene.invite(json!({ "role": "member" })).await;
    let token = bob.does(Method::POST, "/user/tokens", &json!({ "name": "t" })).await["secret"].clone();
    let near = format!("{}{}", &secret[..secret.len() - 1], if secret.ends_with('a') { 'b' } else { 'a' });
    let never = format!("berth_inv_{}", "x".repeat(43));
    let mut seen = Vec::new();
    for wrong in [&near, &never, "x", "berth_inv_", token.as_str().unwrap(), &secret.to_uppercase()] {
        for (method, verb) in [(Method::GET, ""), (Method::POST, "/accept"), (Method::POST, "/decline")] {
            seen.push(asks(&bob, method, wrong, verb).await);
        }
    }
    // With the organisation go its invitations.
    scene.stack.admin().does(Method::DELETE, "/orgs/acme", &Value::Null).await;
    seen.push(asks(&bob, Method::GET, &lost, "").await);
    seen.push(accepts(&bob, &lost).await);
    assert!(seen.iter().all(|answer| *answer == seen[0] && answer.0 == 404), "{seen:?}");
    // It opens nothing else either.
    scene.stack.host.get("/token").basic("bob", &secret).send().await.is(401);
    scene.stack.host.get("/api/v1/user").token(&secret).send().await.is(401);
}

#[tokio::test]
async fn who_is_invited_signs_up_where_the_instance_takes_the_invited() {
    let scene = Scene::set("invite").await;
    let anonymous = scene.stack.anonymous();
    let sign_up = async |name: &str, secret: Option<&str>| {
        let mut body = json!({ "name": name, "password": PASSWORD });
        if let Some(secret) = secret {
            body["invitation"] = json!(secret);
        }
        let answer = anonymous.asks(Method::POST, "/api/v1/users").json(&body).send().await;
        (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
    };
    let (_, plain) = scene.invite(json!({ "role": "member" })).await;
    let (id, secret) = scene.invite(json!({ "role": "member", "teams": ["dev"], "allows_sign_up": true })).await;
    assert_eq!(sign_up("bob", None).await, (403, "invitation_needed".to_owned()));
    assert_eq!(sign_up("bob", Some(&plain)).await, (403, "invitation_needed".to_owned()));
    assert_eq!(sign_up("bob", Some("berth_inv_x")).await, (404, "not_found".to_owned()));
    // What cannot be made uses nothing up.
    assert_eq!(sign_up("alice", Some(&secret)).await, (409, "name_unavailable".to_owned()));
    assert_eq!(scene.state(&id).await, "pending");
    assert_eq!(sign_up("bob", Some(&secret)).await, (201, String::new()));
    let bob = User::new(&scene.stack.host, "bob");
    let members = bob.does(Method::GET, "/orgs/acme/teams/dev/members", &Value::Null).await;
    assert_eq!(members["items"][0]["user"], "bob");
    assert_eq!(scene.state(&id).await, "accepted");
    assert_eq!(sign_up("carol", Some(&secret)).await, (410, "invitation_over".to_owned()));
    scene.stack.host.get("/token").basic("carol", PASSWORD).send().await.is(401);

    // A closed instance makes no such invitation.
    let closed = Scene::set("closed").await;
    let body = json!({ "role": "member", "allows_sign_up": true });
    closed.alice.asks(Method::POST, "/api/v1/orgs/acme/invitations").json(&body).send().await.is(403);
}
