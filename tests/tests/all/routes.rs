//! Methods and paths that are not offered: 405 with `Allow`, 404, and an error body of the protocol either way.

use crate::support::Stack;

/// RFC 9110, section 15.5.6: (method, path, `Allow`).
const WRONG_METHODS: &[(&str, &str, &str)] = &[
    ("POST", "/v2/", "GET, HEAD"),
    ("DELETE", "/v2/_catalog", "GET, HEAD"),
    ("POST", "/v2/admin/app/tags/list", "GET, HEAD"),
    ("PUT", "/v2/admin/app/referrers/sha256:x", "GET, HEAD"),
    ("GET", "/v2/admin/app/blobs/uploads/", "POST"),
    ("PUT", "/v2/admin/app/blobs/uploads/", "POST"),
    ("POST", "/v2/admin/app/blobs/uploads/x", "GET, HEAD, PATCH, PUT, DELETE"),
    ("PUT", "/v2/admin/app/blobs/sha256:x", "GET, HEAD, DELETE"),
    ("PATCH", "/v2/admin/app/blobs/sha256:x", "GET, HEAD, DELETE"),
    ("POST", "/v2/admin/app/manifests/v1", "GET, HEAD, PUT, DELETE"),
    ("PATCH", "/v2/admin/app/manifests/v1", "GET, HEAD, PUT, DELETE"),
    ("OPTIONS", "/v2/admin/app/manifests/v1", "GET, HEAD, PUT, DELETE"),
];

#[tokio::test]
async fn a_method_that_is_not_offered_is_answered_with_those_that_are() {
    let stack = Stack::start().await;
    for (method, path, allow) in WRONG_METHODS {
        let answer = stack.host.request(method.parse().unwrap(), path).send().await.refuses(405, "UNSUPPORTED");
        assert_eq!(answer.header("allow"), *allow, "{method} {path}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn a_path_that_means_nothing_is_404() {
    let stack = Stack::start().await;
    let token = stack.admin().token("").await;
    for path in [
        "/v2/x",
        "/v2/admin/app",
        "/v2/admin/app/",
        "/v2/admin/app/tags",
        "/v2/admin/app/manifests/",
        "/v2/tags/list",
        "/v2/_layers",
    ] {
        stack.host.get(path).token(&token).send().await.refuses(404, "UNSUPPORTED");
    }
    for path in ["/", "/v1/x", "/api/v1/x", "/api/x", "/internal/v1/introspect", "/metrics"] {
        stack.host.get(path).token(&token).send().await.is(404);
    }
    for path in ["/livez", "/readyz"] {
        stack.host.get(path).send().await.is(200);
    }
}
