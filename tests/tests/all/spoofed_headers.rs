//! What a client only claims about itself or about the server: it changes no decision and no address that is answered. RFC
//! 9110, section 7.2; RFC 7239, section 8.1; CVE-2024-22244, GHSA-wrw5-gmvj-gf23.

use crate::support::{Browser, Repository, Request, Stack, origin, sha256, sign_in};
use reqwest::Method;
use serde_json::json;

const EVIL: &str = "evil.example";

/// Headers that name another server, for whoever makes addresses of them.
const SERVERS: &[(&str, &str)] = &[
    ("Host", "evil.example"),
    ("Host", "evil.example:443"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Server", "evil.example"),
    ("X-Original-Host", "evil.example"),
    ("X-Host", "evil.example"),
    ("X-Forwarded-Proto", "evil.example"),
    ("X-Forwarded-Prefix", "//evil.example"),
    ("X-Forwarded-Port", "1@evil.example"),
    ("Forwarded", "for=127.0.0.1;host=evil.example;proto=https"),
    ("Origin", "https://evil.example"),
    ("Referer", "https://evil.example/"),
];

#[tokio::test]
async fn no_answer_leads_to_the_server_that_a_client_names() {
    // A proxy that is trusted says for whom it asks, and no more than that.
    let stack = Stack::start_with(&[("INDEX_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let admin = stack.admin();
    let app = admin.repository("admin/app").await;
    let image = app.push_image("v1", "layer").await;
    app.put_manifest("v2", &image.manifest).await.is(201);
    admin.repository("admin/other").await.push_image("v1", "layer").await;
    admin.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
    let catalog = admin.token("registry:catalog:*").await;
    let invitation = json!({ "role": "member" });
    let layer = sha256(b"layer");
    for (number, (header, value)) in SERVERS.iter().enumerate() {
        let name = format!("of-{number}");
        let requests = [
            (401, stack.host.get("/v2/")),
            (401, stack.host.get("/v2/admin/app/manifests/v1")),
            (202, app.post("blobs/uploads/")),
            (201, app.post(&format!("blobs/uploads/?mount={layer}&from=admin/app"))),
            (201, app.post(&format!("blobs/uploads/?digest={layer}")).body("layer")),
            (201, app.put("manifests/v1").body(image.manifest.clone())),
            (200, app.get("tags/list?n=1")),
            (200, stack.host.get("/v2/_catalog?n=1").token(&catalog)),
            (200, stack.host.get("/token?service=berth")),
            (400, stack.host.get(&format!("/token?service={EVIL}"))),
            (200, admin.asks(Method::GET, "/api/v1/repositories?limit=1")),
            (201, admin.asks(Method::POST, "/api/v1/orgs").json(&json!({ "name": name }))),
            (201, admin.asks(Method::POST, "/api/v1/orgs/acme/invitations").json(&invitation)),
            (401, stack.host.get("/api/v1/user")),
            (404, stack.host.get("/nothing")),
            (200, stack.host.get("/docs/api")),
            (200, stack.host.get("/api/v1/openapi.json")),
            (200, stack.host.get("/v1/_ping")),
        ];
        for (status, request) in requests {
            let answer = request.header(header, *value).send().await.is(status);
            let what = format!("{} with {header}: {value}", answer.what);
            for (name, told) in &answer.headers {
                assert!(!told.to_str().unwrap().contains(EVIL), "{what}: {name}: {told:?}");
            }
            assert!(!answer.text().contains(EVIL), "{what}: {}", answer.text());
            let place = answer.header("location");
            assert!(place.is_empty() || place.starts_with('/') && !place.starts_with("//"), "{what}: {place}");
        }
    }
}

#[tokio::test]
async fn a_page_of_another_server_is_not_ours_whatever_it_calls_us() {
    let stack = Stack::start_with(&[("INDEX_TRUSTED_PROXIES", "127.0.0.1")]).await;
    for header in ["Host", "X-Forwarded-Host"] {
        let from = |request: Request| {
            request
                .header(header, EVIL)
                .header("X-Forwarded-Proto", "https")
                .header("Origin", format!("https://{EVIL}"))
        };
        let refused = from(sign_in(&stack.host, "admin")).send().await.is(403);
        assert_eq!((&refused.json()["code"], refused.header("set-cookie")), (&json!("other_origin"), ""));
        let browser = Browser::sign_in(&stack.host, "admin").await;
        let changes = browser.sends(&Method::POST, "/orgs").header("X-CSRF-Token", &browser.csrf_token);
        let refused = from(changes).json(&json!({ "name": "acme" })).send().await.is(403);
        assert_eq!(refused.json()["code"], "other_origin");
        assert!(refused.text().contains(&origin(&stack.host)), "{}", refused.text());
    }
}

/// A line of its own in the head of an answer, if somebody copied it there.
const BREAK: &str = "%0d%0aX-Evil:%20yes";

#[tokio::test]
async fn what_a_client_says_begins_no_line_in_the_head_of_an_answer() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    let app = admin.repository("admin/app").await;
    let image = app.push_image("v1", "layer").await;
    app.put_manifest("v2", &image.manifest).await.is(201);
    let catalog = Repository { token: admin.token("registry:catalog:*").await, ..app.clone() };
    let layer = sha256(b"layer");
    let mut answers = Vec::new();
    for path in [
        format!("tags/list?n=1&last=a{BREAK}"),
        format!("manifests/v1{BREAK}"),
        format!("blobs/{layer}{BREAK}"),
        format!("referrers/{layer}?artifactType=a{BREAK}"),
        format!("/v2/admin/app{BREAK}/tags/list"),
        format!("blobs/uploads/x{BREAK}"),
    ] {
        answers.push(app.get(&path).send().await);
    }
    answers.push(catalog.get(&format!("/v2/_catalog?n=1&last=a{BREAK}")).send().await);
    answers.push(app.post(&format!("blobs/uploads/?mount={layer}&from=admin/app{BREAK}")).send().await);
    answers.push(app.post(&format!("blobs/uploads/?digest={layer}{BREAK}")).send().await);
    answers.push(app.put(&format!("manifests/v3{BREAK}")).body(image.manifest.clone()).send().await);
    for path in [
        format!("/token?service=berth{BREAK}"),
        format!("/token?scope=repository:admin/app{BREAK}:pull"),
        format!("/v2/none{BREAK}/manifests/v1"),
        format!("/v1/search?q=a{BREAK}"),
    ] {
        answers.push(stack.host.get(&path).send().await);
    }
    for path in [
        format!("/orgs/a{BREAK}"),
        format!("/repositories?limit=1&q=a{BREAK}"),
        format!("/repositories/admin/app{BREAK}"),
        format!("/invitations/berth_inv_x{BREAK}"),
        format!("/user/tokens/tok{BREAK}"),
    ] {
        answers.push(admin.asks(Method::GET, &format!("/api/v1{path}")).send().await);
    }
    for answer in answers {
        assert!(answer.status < 500, "{}: {}", answer.what, answer.status);
        assert!(!answer.headers.contains_key("x-evil"), "{answer:?}");
    }
}
