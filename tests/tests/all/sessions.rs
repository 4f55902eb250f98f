//! Sessions of browsers: what the cookie is, what it opens and where, what ends it, and what another site cannot do with it.

use crate::rest_tables::TABLES;
use crate::support::{Browser, PASSWORD, Request, Stack, claims, origin, sign_in};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn the_cookie_stays_in_its_browser_and_on_this_host() {
    for (public_url, name, secure) in
        [("http://hub.example", "berth_session", ""), ("https://hub.example/", "__Host-berth_session", "Secure")]
    {
        let stack = Stack::start_with(&[("INDEX_PUBLIC_URL", public_url)]).await;
        let origin = public_url.trim_end_matches('/');
        let answer = sign_in(&stack.host, "admin").header("Origin", origin).send().await.is(201);
        let mut parts = answer.header("set-cookie").split("; ");
        let (given, secret) = parts.next().unwrap().split_once('=').unwrap();
        assert_eq!((given, secret.len()), (name, "berth_ses_".len() + 43));
        let attributes: BTreeSet<&str> = parts.collect();
        let mut expected = BTreeSet::from(["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000", secure]);
        expected.remove("");
        assert_eq!(attributes, expected);
        assert_eq!(answer.header("cache-control"), "no-store");
        let browser = Browser::of(&stack.host, origin.to_owned(), &answer);
        assert!(browser.is_signed_in().await);
        let taken = browser.asks(&Method::DELETE, "/session").send().await.is(204);
        assert!(taken.header("set-cookie").starts_with(&format!("{name}=; ")), "{taken:?}");
        assert!(!browser.is_signed_in().await, "signing out ended it here too");
    }
}

#[tokio::test]
async fn a_session_opens_what_the_password_opens() {
    let stack = Stack::start().await;
    let browser = Browser::sign_in(&stack.host, "admin").await;
    let here = browser.get("/session").await;
    assert_eq!((&here["user"]["name"], &here["csrf_token"]), (&json!("admin"), &json!(browser.csrf_token)));
    for (method, path, body, status) in [
        (Method::POST, "/admin/users", json!({ "name": "alice", "password": PASSWORD }), 201),
        (Method::POST, "/user/tokens", json!({ "name": "laptop" }), 201),
        (Method::PUT, "/repositories/admin/app", json!({}), 201),
        (Method::GET, "/repositories/admin/app", Value::Null, 200),
    ] {
        let answer = browser.asks(&method, path).json(&body).send().await.is(status);
        assert_eq!(answer.header("set-cookie"), "", "only signing in gives one");
    }
    sign_in(&stack.host, "admin")
        .header("Origin", origin(&stack.host))
        .header("User-Agent", "phone")
        .send()
        .await
        .is(201);
    let alice = Browser::sign_in(&stack.host, "alice").await;
    let listed = browser.get("/user/sessions").await;
    let sessions = listed["items"].as_array().unwrap();
    assert_eq!((sessions.len(), &sessions[0], &sessions[1]["user_agent"]), (2, &here["session"], &json!("phone")));
    assert_eq!(sessions[1]["last_used_from"], "127.0.0.1");
    assert!(!listed.to_string().contains("berth_ses_"), "{listed}");
    // Each is its owner's to end.
    let phone = format!("/user/sessions/{}", sessions[1]["id"].as_str().unwrap());
    alice.asks(&Method::DELETE, &phone).send().await.is(404);
    browser.asks(&Method::DELETE, &phone).send().await.is(204);
    browser.asks(&Method::DELETE, &phone).send().await.is(404);
    browser.asks(&Method::DELETE, "/user/sessions").send().await.is(204);
    assert!(!browser.is_signed_in().await && alice.is_signed_in().await);
}

#[tokio::test]
async fn each_sign_in_has_a_new_secret() {
    let stack = Stack::start().await;
    let planted = format!("berth_session=berth_ses_{}", "x".repeat(43));
    let again = async |cookie: &str| {
        let request = sign_in(&stack.host, "admin").header("Origin", origin(&stack.host)).header("Cookie", cookie);
        Browser::of(&stack.host, origin(&stack.host), &request.send().await.is(201))
    };
    let first = again(&planted).await;
    let planted = Browser { cookie: planted, ..first.clone() };
    assert!(first.is_signed_in().await && !planted.is_signed_in().await);
    let second = again(&first.cookie).await;
    assert!(second.is_signed_in().await && !first.is_signed_in().await, "one browser has one session");
    assert_eq!(second.get("/user/sessions").await["items"].as_array().unwrap().len(), 1);
    // A wrong password takes nothing away.
    let wrong = stack.host.post("/api/v1/session").json(&json!({ "name": "admin", "password": "wrong password" }));
    let wrong = wrong.header("Origin", origin(&stack.host)).header("Cookie", &second.cookie).send().await.is(401);
    assert!(!wrong.header("www-authenticate").contains("Basic"), "a browser would ask by itself");
    assert!(second.is_signed_in().await);
}

#[tokio::test]
async fn whatever_changes_who_may_sign_in_ends_sessions() {
    let stack = Stack::start().await;
    stack.user("alice").await;
    let [here, elsewhere] =
        [Browser::sign_in(&stack.host, "alice").await, Browser::sign_in(&stack.host, "alice").await];
    let change = json!({ "old_password": PASSWORD, "new_password": "battery staple" });
    let answer = here.asks(&Method::PUT, "/user/password").json(&change).send().await.is(204);
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    let goes_on = Browser { cookie, ..here.clone() };
    assert!(goes_on.is_signed_in().await && !here.is_signed_in().await && !elsewhere.is_signed_in().await);
    goes_on.asks(&Method::DELETE, "/session").send().await.is(403);
    let back = json!({ "old_password": "battery staple", "new_password": PASSWORD });
    stack
        .host
        .request(Method::PUT, "/api/v1/user/password")
        .basic("alice", "battery staple")
        .json(&back)
        .send()
        .await
        .is(204);
    assert!(!goes_on.is_signed_in().await);
    for change in [
        json!({ "disabled": true }),
        json!({ "is_admin": true }),
        json!({ "is_admin": false }),
        json!({ "is_auditor": true }),
        json!({ "is_auditor": false }),
    ] {
        let browser = Browser::sign_in(&stack.host, "alice").await;
        stack.admin().does(Method::PATCH, "/admin/users/alice", &change).await;
        assert!(!browser.is_signed_in().await, "{change}");
        let refused = sign_in(&stack.host, "alice").header("Origin", origin(&stack.host)).send().await;
        assert_eq!(refused.status, if change["disabled"] == true { 403 } else { 201 }, "{change}");
        stack.admin().does(Method::PATCH, "/admin/users/alice", &json!({ "disabled": false })).await;
        assert!(!browser.is_signed_in().await, "enabled again, one signs in again");
    }
}

/// What another site, or nobody's page, can send along: (headers, whether the session's token is there too).
const FORGED: &[(&[(&str, &str)], bool)] = &[
    (&[("Origin", "OURS")], false),
    (&[("Sec-Fetch-Site", "same-origin")], false),
    (&[("Origin", "OURS"), ("X-CSRF-Token", "wrong")], false),
    (&[("Origin", "OURS"), ("X-CSRF-Token", "ANOTHER")], false),
    (&[("Origin", "OURS"), ("X-CSRF-Token", "OF ALICE")], false),
    (&[("Origin", "OURS"), ("X-CSRF-Token", "")], false),
    (&[], true),
    (&[("Origin", "https://evil.example")], true),
    (&[("Origin", "null")], true),
    (&[("Origin", "OURS.evil.example")], true),
    (&[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")], true),
    (&[("Origin", "OURS"), ("Sec-Fetch-Site", "same-site")], true),
    (&[("Sec-Fetch-Site", "cross-site")], true),
    (&[("Sec-Fetch-Site", "none")], true),
];

#[tokio::test]
async fn another_site_changes_nothing() {
    let stack = Stack::start().await;
    // What is not there fulfils no condition, whoever asks.
    stack.admin().does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    let browser = Browser::sign_in(&stack.host, "admin").await;
    stack.user("alice").await;
    let another = Browser::sign_in(&stack.host, "admin").await;
    let of_alice = Browser::sign_in(&stack.host, "alice").await;
    let forged = |request: Request, (headers, has_token): &(&[(&str, &str)], bool)| {
        let request = headers.iter().fold(request, |request, (name, value)| {
            let value = value.replace("OURS", &browser.origin).replace("ANOTHER", &another.csrf_token);
            let value = value.replace("OF ALICE", &of_alice.csrf_token);
            request.header(name, value)
        });
        if *has_token { request.header("X-CSRF-Token", &browser.csrf_token) } else { request }
    };
    // Signing up is for whoever has no account: it asks nobody who they are.
    let rows = TABLES.iter().copied().flatten().map(|(request, ..)| *request);
    let changes: BTreeSet<_> = rows.filter(|row| !row.starts_with("GET") && *row != "POST /users").collect();
    for change in changes {
        let (method, path) = change.split_once(' ').unwrap();
        for headers in FORGED.iter().filter(|(_, has_token)| *has_token || change != "POST /session") {
            let request = forged(browser.sends(&method.parse().unwrap(), path), headers);
            // As a form of another site can send it, and as a script would.
            let request =
                request.header("Content-Type", if path.len() % 2 == 0 { "text/plain" } else { "application/json" });
            let answer = request.body(r#"{"name":"admin","password":"correct horse"}"#).send().await;
            let code = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default()["code"].clone();
            let expected = if headers.1 { "other_origin" } else { "csrf_token_needed" };
            // What cannot be read is refused before anybody is asked who it is.
            let is_unread = change == "POST /session" && code == "malformed";
            assert!(
                is_unread || (answer.status, &code) == (403, &json!(expected)),
                "{change} {headers:?}: {}",
                answer.text()
            );
            assert_eq!(answer.header("set-cookie"), "", "{change} {headers:?}");
        }
    }
    assert!(browser.is_signed_in().await);
    let hidden =
        browser.sends(&Method::GET, "/session").header("X-HTTP-Method-Override", "DELETE").send().await.is(200);
    assert_eq!(hidden.header("access-control-allow-origin"), "");
    assert!(browser.is_signed_in().await, "a GET changes nothing");
    let fetched = browser.sends(&Method::DELETE, "/session").header("Sec-Fetch-Site", "same-origin");
    fetched.header("X-CSRF-Token", &browser.csrf_token).send().await.is(204);
}

#[tokio::test]
async fn no_secret_of_one_kind_opens_the_doors_of_another() {
    let stack = Stack::start().await;
    stack.admin().does(Method::PUT, "/repositories/admin/app", &json!({})).await;
    let browser = Browser::sign_in(&stack.host, "admin").await;
    let secret = browser.cookie.split_once('=').unwrap().1.to_owned();
    let made = stack.admin().does(Method::POST, "/user/tokens", &json!({ "name": "laptop" })).await;
    let registry_token = stack.admin().token("repository:admin/app:pull").await;
    // As a cookie: neither a registry token nor an access token.
    for other in [&registry_token, made["secret"].as_str().unwrap(), "", "x"] {
        let other = Browser { cookie: format!("berth_session={other}"), ..browser.clone() };
        for path in ["/session", "/user", "/user/tokens", "/orgs", "/repositories/admin/app"] {
            let refused = other.sends(&Method::GET, path).send().await.is(401);
            assert_eq!(refused.json()["code"], "session_over", "{path}");
        }
    }
    // As anything but a cookie.
    for path in ["/api/v1/user", "/api/v1/session", "/api/v1/user/tokens", "/token", "/v1/search?q=app", "/v2/"] {
        stack.host.get(path).token(&secret).send().await.is(401);
        stack.host.get(path).basic("admin", &secret).send().await.is(401);
        stack.host.get(path).basic("", &secret).send().await.is(401);
    }
    sign_in(&stack.host, "admin")
        .json(&json!({ "name": "admin", "password": made["secret"] }))
        .header("Origin", &browser.origin)
        .send()
        .await
        .is(401);
    // And nowhere but at the REST API.
    let with_cookie = |path: &str| stack.host.get(path).header("Cookie", &browser.cookie);
    with_cookie("/v2/").send().await.is(401);
    with_cookie("/v2/admin/app/tags/list").send().await.is(401);
    let token = with_cookie("/token?service=berth&scope=repository:admin/app:pull").send().await.is(200).json();
    let said = claims(token["token"].as_str().unwrap());
    assert_eq!((&said["sub"], &said["access"][0]["actions"]), (&json!(""), &json!([])));
    assert_eq!(with_cookie("/v1/search?q=app").send().await.is(200).json()["num_results"], 0);
    // Other credentials stand alone.
    let user = "/api/v1/user";
    with_cookie(user).basic("admin", "wrong password").send().await.is(401);
    let beside = stack.host.get(user).header("Cookie", "berth_session=x").basic("admin", PASSWORD).send().await.is(200);
    assert_eq!(beside.header("set-cookie"), "");
    let basic =
        sign_in(&stack.host, "admin").header("Origin", &browser.origin).basic("admin", PASSWORD).send().await.is(400);
    assert_eq!(basic.header("set-cookie"), "");
}
