//! `GET /v2/`: the version check, and the challenge that sends clients to the token server. Docker token specification.

use crate::support::Stack;

#[tokio::test]
async fn without_a_token_the_challenge_names_the_token_server_and_nothing_else() {
    let stack = Stack::start().await;
    for path in ["/v2/", "/v2"] {
        for authorization in ["", "Basic YWRtaW46YWRtaW4=", "Bearer", "Digest x"] {
            let request = stack.host.get(path);
            let request =
                if authorization.is_empty() { request } else { request.header("Authorization", authorization) };
            let answer = request.send().await.refuses(401, "UNAUTHORIZED");
            let challenges: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
            let [challenge] = challenges[..] else { panic!("one challenge, not {challenges:?}") };
            let challenge = challenge.to_str().unwrap();
            assert!(challenge.starts_with("Bearer realm=\"http://localhost:"), "{challenge}");
            assert!(challenge.ends_with("/token\",service=\"berth\""), "{challenge}");
            assert_eq!(answer.header("content-type"), "application/json");
        }
    }
}

#[tokio::test]
async fn with_any_good_token_the_version_is_answered() {
    let stack = Stack::start().await;
    for user in [stack.admin(), stack.anonymous()] {
        let answer = stack.host.get("/v2/").token(&user.token("").await).send().await.is(200);
        assert_eq!(answer.text(), "{}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
}

/// Docker token specification, "How to authenticate": (method, path, scope asked for by the challenge), the actions needed.
const SCOPES: &[(&str, &str, &str)] = &[
    ("GET", "/v2/acme/app/manifests/v1", "repository:acme/app:pull"),
    ("HEAD", "/v2/acme/app/manifests/v1", "repository:acme/app:pull"),
    ("PUT", "/v2/acme/app/manifests/v1", "repository:acme/app:pull,push"),
    ("DELETE", "/v2/acme/app/manifests/v1", "repository:acme/app:delete"),
    ("GET", "/v2/acme/app/tags/list", "repository:acme/app:pull"),
    ("GET", "/v2/acme/app/referrers/sha256:x", "repository:acme/app:pull"),
    ("POST", "/v2/acme/app/blobs/uploads/", "repository:acme/app:pull,push"),
    ("POST", "/v2/acme/app/blobs/uploads", "repository:acme/app:pull,push"),
    ("PATCH", "/v2/acme/app/blobs/uploads/x", "repository:acme/app:pull,push"),
    ("PUT", "/v2/acme/app/blobs/uploads/x", "repository:acme/app:pull,push"),
    ("GET", "/v2/acme/app/blobs/uploads/x", "repository:acme/app:pull,push"),
    ("DELETE", "/v2/acme/app/blobs/uploads/x", "repository:acme/app:pull,push"),
    ("GET", "/v2/_catalog", "registry:catalog:*"),
];

#[tokio::test]
async fn each_route_asks_for_the_scope_that_it_needs() {
    let stack = Stack::start().await;
    let powerless = stack.anonymous().token("").await;
    for (method, path, scope) in SCOPES {
        let method = method.parse::<reqwest::Method>().unwrap();
        let missing = stack.host.request(method.clone(), path).send().await.is(401);
        assert!(missing.header("www-authenticate").ends_with(&format!(",scope=\"{scope}\"")), "{missing:?}");
        let insufficient = stack.host.request(method, path).token(&powerless).send().await.is(401);
        let end = format!(",scope=\"{scope}\",error=\"insufficient_scope\"");
        assert!(insufficient.header("www-authenticate").ends_with(&end), "{insufficient:?}");
    }
}
