//! What is between index and registry alone: from outside, nginx has no such address, however it is spelt (RFC 3986,
//! section 6.2.2), and no header leads there.

use crate::support::{Host, Nginx, Stack, Wishes};
use serde_json::json;

const SECRET: &str = "of registries";

/// Spellings of what nginx reads as an address below `/internal/PATH`: it has none.
const SPELLINGS: &[&str] = &[
    "/internal/PATH",
    "//internal/PATH",
    "/internal//PATH",
    "/./internal/PATH",
    "/internal/./PATH",
    "/v2/../internal/PATH",
    "/v2/admin/app/../../../internal/PATH",
    "/v2/%2e%2e/internal/PATH",
    "/v2/%2E%2E%2Finternal/PATH",
    "/api/v1/..%2f..%2finternal/PATH",
    "/%69nternal/PATH",
    "/internal%2fPATH",
    "/x/../internal/PATH",
    "http://localhost/internal/PATH",
    "http://evil.example//internal/PATH",
];

/// Spellings of others that some reader between client and service could take for it.
const NEAR_SPELLINGS: &[&str] = &[
    "/v2/..;/internal/PATH",
    "/v2/..%5cinternal/PATH",
    "/%2569nternal/PATH",
    "/internal;x/PATH",
    "/internal%20/PATH",
    "/internal%09/PATH",
    "/internal%00/PATH",
    "/%00/internal/PATH",
    "/INTERNAL/PATH",
    "\\internal\\PATH",
    "/v2/?/../../internal/PATH",
];

/// Headers by which some servers let a client say which address it meant.
const HEADERS: [&str; 5] =
    ["X-Original-URL", "X-Rewrite-URL", "X-Original-URI", "X-Forwarded-Path", "X-Accel-Redirect"];

/// The status of a request that is sent as it stands.
async fn status(host: &Host, method: &str, path: &str, token: &str, further: &str) -> (u16, String) {
    let head = format!("{method} {path} HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Length: 0{further}");
    let (head, body) = host.raw(&head, b"").await;
    (head.split(' ').nth(1).unwrap().parse().unwrap(), String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn no_spelling_of_its_address_leads_through_nginx_to_what_is_internal() {
    let stack = Stack::start().await;
    let (index, wishes) = (stack.index_for_registries(SECRET), Wishes::of(&stack).await);
    let wish = json!({ "verb": "put_away", "repository": "admin/none", "repository_id": "none" });
    let wish = wishes.sign(&wishes.claims(&wish));
    let feed = "v1/revocations?incarnation=&number=0";
    for (inside, method, path, token) in
        [(&index, "GET", feed, SECRET), (&wishes.host, "POST", "v1/move", wish.as_str())]
    {
        let plain = format!("/internal/{path}");
        let (answered, _) = status(inside, method, &plain, token, "").await;
        assert_eq!(answered, 200, "whoever is inside and has the secret is answered");
        let nginx = Nginx::before(inside, &stack.stored("blobs")).await;
        for spelling in SPELLINGS {
            let (answered, body) = status(&nginx.host, method, &spelling.replace("PATH", path), token, "").await;
            assert_eq!(answered, 404, "{method} {spelling}: {body}");
            assert!(body.contains("nginx"), "it comes no further than nginx: {body}");
        }
        for spelling in NEAR_SPELLINGS {
            let (answered, body) = status(&nginx.host, method, &spelling.replace("PATH", path), token, "").await;
            assert!([400, 401, 404, 405].contains(&answered), "{method} {spelling}: {answered} {body}");
            assert!(!body.contains("is_whole") && !body.contains("outcome"), "{spelling}: {body}");
        }
        for header in HEADERS {
            for host in [inside, &nginx.host] {
                let further = format!("\r\n{header}: {plain}");
                for open in ["/.well-known/jwks.json", "/v2/", "/none"] {
                    let (answered, _) = status(host, method, open, token, &further).await;
                    assert_eq!(answered, status(host, method, open, token, "").await.0, "{header} {open}");
                }
                let (answered, body) = status(host, method, "/none", token, &further).await;
                assert!([401, 404].contains(&answered), "{header}: {answered} {body}");
            }
        }
    }
}

#[tokio::test]
async fn inside_nobody_is_answered_without_the_secret_itself() {
    let stack = Stack::start().await;
    let (index, admin) = (stack.index_for_registries(SECRET), stack.admin());
    let token = admin.token("repository:admin/app:pull,push registry:catalog:*").await;
    let near = [&SECRET[1..], &SECRET[..SECRET.len() - 1], "of registries x", "OF REGISTRIES", "x", &token];
    for (method, path) in [
        ("POST", "/internal/v1/introspect"),
        ("POST", "/internal/v1/allocate"),
        ("POST", "/internal/v1/judge"),
        ("POST", "/internal/v1/turn"),
        ("POST", "/internal/v1/commit"),
        ("POST", "/internal/v1/catalog"),
        ("GET", "/internal/v1/revocations?incarnation=&number=0"),
    ] {
        let ask = || index.request(method.parse().unwrap(), path);
        ask().send().await.is(401);
        for wrong in near {
            ask().token(wrong).send().await.is(401);
        }
        ask().basic("admin", SECRET).send().await.is(401);
        ask().basic("", SECRET).send().await.is(401);
        ask().header("Authorization", "Bearer ").send().await.is(401);
        ask().header("Cookie", format!("berth_session={SECRET}")).send().await.is(401);
        // One of two, and one in the address.
        ask().token(SECRET).header("Authorization", format!("Bearer {token}")).send().await.is(401);
        let sign = if path.contains('?') { '&' } else { '?' };
        index.request(method.parse().unwrap(), &format!("{path}{sign}access_token=of+registries")).send().await.is(401);
        assert_ne!(ask().token(SECRET).send().await.status, 401, "{path}: the secret itself is taken");
    }
}
