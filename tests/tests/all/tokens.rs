//! `GET /token` and `POST /token`: Docker token specification; RFC 6749, section 4.3. What is granted is a table.

use crate::support::{Stack, claims};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

/// The entries of a token's `access`, as scopes.
fn granted(token: &str) -> Vec<String> {
    let entry = |entry: &Value| {
        let actions: Vec<_> =
            entry["actions"].as_array().unwrap().iter().map(|action| action.as_str().unwrap()).collect();
        format!("{}:{}:{}", entry["type"].as_str().unwrap(), entry["name"].as_str().unwrap(), actions.join(","))
    };
    claims(token)["access"].as_array().unwrap().iter().map(entry).collect()
}

/// (query asked by `alice`, what is granted). She owns `alice/…`; `admin/private` and `admin/public` are not hers.
const GRANTS: &[(&str, &[&str])] = &[
    ("", &[]),
    ("scope=repository:alice/app:pull", &["repository:alice/app:pull"]),
    ("scope=repository:alice/app:push,pull", &["repository:alice/app:pull,push"]),
    ("scope=repository:alice/app:*", &["repository:alice/app:pull,push,delete"]),
    ("scope=repository:alice/app:pull,pull,push,pull", &["repository:alice/app:pull,push"]),
    ("scope=repository:alice/app:pull,push,delete,admin,*", &["repository:alice/app:pull,push,delete"]),
    (
        "scope=repository:alice/a:pull&scope=repository:alice/b:pull",
        &["repository:alice/a:pull", "repository:alice/b:pull"],
    ),
    ("scope=repository:alice/a:pull+repository:alice/b:pull", &["repository:alice/a:pull", "repository:alice/b:pull"]),
    ("scope=repository:alice/a:pull&scope=repository:alice/a:push", &["repository:alice/a:pull,push"]),
    ("scope=repository(plugin):alice/a:pull", &["repository:alice/a:pull"]),
    ("scope=repository:alice/a:pull,fly,PUSH", &["repository:alice/a:pull"]),
    ("scope=repository:admin/private:pull,push,delete", &["repository:admin/private:"]),
    ("scope=repository:admin/private:*", &["repository:admin/private:"]),
    ("scope=repository:admin/nothing:pull", &["repository:admin/nothing:"]),
    ("scope=repository:admin/public:pull,push", &["repository:admin/public:pull"]),
    (
        "scope=repository:alice/a:pull,push+repository:admin/private:pull",
        &["repository:alice/a:pull,push", "repository:admin/private:"],
    ),
    (
        "scope=repository:admin/private:pull&scope=repository:alice/a:pull,push",
        &["repository:admin/private:", "repository:alice/a:pull,push"],
    ),
    ("scope=repository(plugin):admin/private:pull", &["repository:admin/private:"]),
    ("scope=repository:alice/a:PULL,Push", &["repository:alice/a:"]),
    ("scope=repository:host:5000/admin/private:pull", &[]),
    ("scope=repository:admin/private:pull:push", &[]),
    ("scope=repository:*:pull", &[]),
    ("scope=repository:library/ubuntu:pull,push", &["repository:library/ubuntu:"]),
    ("scope=repository:ubuntu:pull,push", &["repository:ubuntu:"]),
    ("scope=registry:catalog:*", &["registry:catalog:*"]),
    ("scope=registry:catalog:search", &["registry:catalog:search"]),
    ("scope=registry:other:*", &[]),
    ("scope=planet:earth:*", &[]),
    ("scope=nonsense", &[]),
    ("account=admin&scope=repository:admin/private:pull", &["repository:admin/private:"]),
    ("offline_token=true&client_id=docker&unknown=1", &[]),
];

#[tokio::test]
async fn a_token_grants_what_is_asked_and_held() {
    let stack = Stack::start().await;
    let (admin, alice) = (stack.admin(), stack.user("alice").await);
    admin.does(Method::PUT, "/repositories/admin/private", &json!({})).await;
    admin.does(Method::PUT, "/repositories/admin/public", &json!({ "visibility": "public" })).await;
    for (query, expected) in GRANTS {
        let answer = alice.asks(Method::GET, &format!("/token?service=berth&{query}")).send().await.is(200);
        let token = answer.json()["token"].as_str().unwrap().to_owned();
        assert_eq!(granted(&token), *expected, "{query}");
        // What is not granted is not open either.
        stack.host.get("/v2/admin/private/tags/list").token(&token).send().await.is(401);
    }
    let forbidden = "repository:admin/private:pull";
    let made = alice.does(Method::POST, "/user/tokens", &json!({ "name": "ci" })).await;
    let secret = made["secret"].as_str().unwrap().to_owned();
    // At every place among others, in one parameter and in one for each.
    for (place, between) in (0..64).flat_map(|place| [(place, "%20"), (place, "&scope=")]) {
        let mut scopes: Vec<String> = (0..63).map(|number| format!("repository:alice/app{number}:pull")).collect();
        scopes.insert(place, forbidden.to_owned());
        let path = format!("/token?service=berth&scope={}", scopes.join(between));
        let answer = stack.host.get(&path).basic("alice", &secret).send().await.is(200);
        let token = answer.json()["token"].as_str().unwrap().to_owned();
        scopes[place] = "repository:admin/private:".to_owned();
        assert_eq!(granted(&token), scopes, "at place {place}, with {between}");
        stack.host.get("/v2/admin/private/tags/list").token(&token).send().await.is(401);
    }
    // Who is nobody reads what is public.
    for (scope, expected) in [
        ("repository:admin/public:pull", "repository:admin/public:pull"),
        ("repository:admin/public:pull,push,delete,*", "repository:admin/public:pull"),
        ("repository:admin/private:pull", "repository:admin/private:"),
        ("repository:admin/nothing:pull", "repository:admin/nothing:"),
        ("registry:catalog:*", "registry:catalog:*"),
    ] {
        let anonymous = stack.anonymous().token(scope).await;
        assert_eq!((granted(&anonymous), &claims(&anonymous)["sub"]), (vec![expected.to_owned()], &json!("")));
    }
}

#[tokio::test]
async fn the_answer_has_all_that_clients_read_and_no_refresh_token() {
    let stack = Stack::start().await;
    let path = "/token?service=berth&scope=repository:admin/app:pull&offline_token=true&client_id=docker";
    let answer = stack.admin().asks(Method::GET, path).send().await.is(200);
    let body = answer.json();
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(body["token"], body["access_token"]);
    assert!(body["expires_in"].as_u64().unwrap() >= 60);
    let issued_at = body["issued_at"].as_str().unwrap();
    assert!(issued_at.len() == 20 && issued_at.ends_with('Z'), "{issued_at} is RFC 3339 in whole seconds");
    assert_eq!(body["scope"], "repository:admin/app:pull");
    assert!(body.get("refresh_token").is_none());

    let said = claims(body["token"].as_str().unwrap());
    assert_eq!((&said["iss"], &said["sub"], &said["aud"]), (&json!("berth"), &json!("admin"), &json!("berth")));
    assert_eq!(said["exp"].as_u64().unwrap() - said["iat"].as_u64().unwrap(), body["expires_in"].as_u64().unwrap());
    assert!(said["nbf"].as_u64() < said["iat"].as_u64());
    assert!(!said["jti"].as_str().unwrap().is_empty());
    let another = claims(&stack.admin().token("repository:admin/app:pull").await);
    assert_ne!(said["jti"], another["jti"], "no two tokens have one id");
}

/// (what stands in `Authorization`, status). Only nothing, as it is or as an empty name and password, is anonymous.
const CREDENTIALS: &[(&str, u16)] = &[
    ("admin:correct horse", 200),
    (":", 200),
    ("admin:", 401),
    (":correct horse", 401),
    ("admin:wrong password", 401),
    ("Admin:correct horse", 401),
    ("nobody:correct horse", 401),
    ("admin", 401),
    ("admin:correct horse\0", 401),
];

#[tokio::test]
async fn credentials_that_are_wrong_are_never_anonymous() {
    let stack = Stack::start().await;
    for path in ["/token?service=berth", "/v1/search?q=x"] {
        for (credentials, status) in CREDENTIALS {
            let header = format!("Basic {}", STANDARD.encode(credentials));
            let answer = stack.host.get(path).header("Authorization", header).send().await.is(*status);
            if *status == 401 {
                let body = answer.json();
                assert_eq!(answer.code(), "UNAUTHORIZED");
                assert_eq!(body["errors"][0]["message"], "incorrect username or password");
                assert_eq!(body["error"], "invalid_grant");
            }
        }
        for malformed in ["Basic !!!", "Basic", "Basic ", "Digest x", "YWRtaW46", "Bearer x", "Basic \u{e4}"] {
            stack.host.get(path).header("Authorization", malformed).send().await.refuses(401, "UNAUTHORIZED");
        }
        let two = stack.host.get(path).header("Authorization", "Basic Og==").header("Authorization", "Basic Og==");
        two.send().await.is(400);
    }
}

#[tokio::test]
async fn a_token_request_that_breaks_a_rule_is_400() {
    let stack = Stack::start().await;
    let many = format!("/token?service=berth&scope={}", vec!["repository:a/b:pull"; 65].join("+"));
    // No audience but the configured one, and never whatever somebody names: CVE-2026-123710, CVE-2020-26160.
    for path in [
        "/token?service=other",
        "/token?service=",
        "/token?service=berth&service=berth",
        "/token?service=berth&service=other",
        "/token?service=other&service=berth",
        "/token?service=Berth",
        "/token?service=berth%20moves",
        "/token?service=berth%20other",
        "/token?service=berth,other",
        "/token?service=berth%00",
        "/token?service=../admin",
        "/token?service=index-api",
        many.as_str(),
    ] {
        for user in [stack.anonymous(), stack.admin()] {
            user.asks(Method::GET, path).send().await.is(400);
        }
    }
    for query in ["", "?aud=other", "?audience=other", "?service=berth&aud=other&iss=other&sub=root&client_id=other"] {
        let answer = stack.admin().asks(Method::GET, &format!("/token{query}")).send().await.is(200).json();
        let said = claims(answer["token"].as_str().unwrap());
        assert_eq!((&said["aud"], &said["iss"], &said["sub"]), (&json!("berth"), &json!("berth"), &json!("admin")));
    }
    stack.host.request(Method::PUT, "/token").send().await.is(405);
}

/// (fields, status, OAuth error).
type Post = (&'static [(&'static str, &'static str)], u16, &'static str);

const POSTS: &[Post] = &[
    (&[("grant_type", "password"), ("username", "admin"), ("password", "correct horse")], 200, ""),
    (&[("grant_type", "password"), ("username", "admin"), ("password", "wrong password")], 401, "invalid_grant"),
    (&[("grant_type", "password"), ("username", "admin")], 401, "invalid_grant"),
    (&[("grant_type", "refresh_token"), ("refresh_token", "x")], 400, "unsupported_grant_type"),
    (&[("username", "admin"), ("password", "correct horse")], 400, "unsupported_grant_type"),
    (
        &[("grant_type", "password"), ("service", "other"), ("username", "admin"), ("password", "correct horse")],
        400,
        "invalid_request",
    ),
];

#[tokio::test]
async fn the_password_grant_gives_the_same_token() {
    let stack = Stack::start().await;
    for (fields, status, error) in POSTS {
        let answer = stack.host.post("/token").form(fields).send().await.is(*status);
        assert_eq!(answer.json()["error"].as_str().unwrap_or_default(), *error, "{fields:?}");
    }
    let form = "grant_type=password&service=berth&username=admin&password=correct+horse&access_type=offline\
                &scope=repository:admin/a:pull&scope=repository:admin/b:push+repository:admin/c:pull";
    let post = stack.host.post("/token").header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    let body = post.body(form).send().await.is(200).json();
    let expected = ["repository:admin/a:pull", "repository:admin/b:push", "repository:admin/c:pull"];
    assert_eq!(granted(body["access_token"].as_str().unwrap()), expected);
    assert!(body.get("refresh_token").is_none());
}

#[tokio::test]
async fn a_disabled_account_is_told_so_only_with_its_own_password() {
    let stack = Stack::start().await;
    let alice = stack.user("alice").await;
    stack.admin().does(Method::PATCH, "/admin/users/alice", &json!({ "disabled": true })).await;
    alice.asks(Method::GET, "/token?service=berth").send().await.refuses(403, "DENIED");
    let guess = stack.host.get("/token?service=berth").basic("alice", "wrong password");
    guess.send().await.refuses(401, "UNAUTHORIZED");
    // Enabled again, it is as it was.
    stack.admin().does(Method::PATCH, "/admin/users/alice", &json!({ "disabled": false })).await;
    assert_eq!(claims(&alice.token("").await)["sub"], "alice");
}
