//! What all operations of the REST API have alike, held over every one that the document has: a new one is tried here as
//! soon as it is there, or fails for want of a row.

use crate::support::{Answer, Browser, PASSWORD, Stack, User, claims};
use reqwest::Method;
use serde_json::{Value, json};

/// `acme` of the administrator, with one of everything that an operation can be about.
struct Scene {
    stack: Stack,
    admin: User,
    document: Value,
    /// In place of `{id}`, by what the path begins with.
    ids: Vec<(&'static str, String)>,
    /// Of an invitation that is pending, and of the manifest of `acme/app`.
    secret: String,
    digest: String,
}

impl Scene {
    async fn set() -> Self {
        let stack = Stack::start().await;
        let (admin, bob) = (stack.admin(), stack.user("bob").await);
        admin.does(Method::POST, "/orgs", &json!({ "name": "acme" })).await;
        admin.does(Method::POST, "/orgs/acme/teams", &json!({ "name": "dev" })).await;
        admin.does(Method::POST, "/orgs/acme/robots", &json!({ "name": "ci" })).await;
        let digest = admin.repository("acme/app").await.push_image("v1", "layer").await.digest;
        let invited = admin.does(Method::POST, "/orgs/acme/invitations", &json!({ "role": "member" })).await;
        let token = admin.does(Method::POST, "/user/tokens", &json!({ "name": "laptop" })).await;
        let refused = claims(&bob.token("repository:acme/app:pull").await)["jti"].as_str().unwrap().to_owned();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let ids = vec![
            ("/admin/decisions/", refused),
            ("/orgs/{org}/invitations/", text(&invited["id"])),
            ("/user/tokens/", text(&token["id"])),
        ];
        let document = stack.host.get("/api/v1/openapi.json").send().await.is(200).json();
        Self { stack, admin, document, ids, secret: text(&invited["secret"]), digest }
    }

    /// Path and content of every operation of a method.
    fn operations<'a>(&'a self, method: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let paths = self.document["paths"].as_object().unwrap().iter();
        paths.filter_map(move |(path, item)| Some((path.as_str(), item.get(method)?)))
    }

    /// The path of a thing that is there.
    fn address(&self, path: &str) -> String {
        let on = if path.starts_with("/repositories/") { "acme/app" } else { "acme" };
        let id = self.ids.iter().find(|(beginning, _)| path.starts_with(beginning)).map_or("", |(_, id)| id);
        [
            ("{org}", "acme"),
            ("{user}", "bob"),
            ("{team}", "dev"),
            ("{robot}", "ci"),
            ("{namespace}", "acme"),
            ("{name}", "acme/app"),
            ("{on}", on),
            ("{digest}", &self.digest),
            ("{secret}", &self.secret),
            ("{id}", id),
        ]
        .iter()
        .fold(path.to_owned(), |path, (name, value)| path.replace(name, value))
    }
}

/// The name of the schema of what an operation answers.
fn shown(operation: &Value, status: &str) -> String {
    let schema = &operation["responses"][status]["content"]["application/json"]["schema"]["$ref"];
    schema.as_str().unwrap_or_default().rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_head_of_everything_is_that_of_its_get() {
    let scene = Scene::set().await;
    let browser = Browser::sign_in(&scene.stack.host, "admin").await;
    let paths: Vec<_> = scene.operations("get").map(|(path, _)| path).collect();
    assert!(paths.len() > 30, "{paths:?}");
    let headers = |answer: &Answer| {
        let mut headers = answer.lasting_headers();
        // Of the bytes; when somebody was last here may be among them.
        if answer.what.contains("/session") {
            headers.remove("etag");
        }
        headers
    };
    for path in paths.into_iter().chain(["/openapi.json", "/orgs/none", "/orgs/{org}/invitations/none"]) {
        let address = scene.address(path);
        let get = browser.sends(&Method::GET, &address).send().await;
        assert_eq!(get.status, if path.ends_with("none") { 404 } else { 200 }, "{}: {}", get.what, get.text());
        let head = browser.sends(&Method::HEAD, &address).send().await.is(get.status);
        assert!(head.body.is_empty(), "{address}");
        assert_eq!(head.header("content-length"), get.body.len().to_string(), "{address}");
        assert_eq!(headers(&head), headers(&get), "{address}");
    }
    // What people and registries read beside it, too.
    for path in ["/docs/api", "/docs/errors/invalid", "/.well-known/jwks.json", "/v1/_ping", "/readyz"] {
        let get = scene.stack.host.get(path).send().await.is(200);
        let head = scene.stack.host.request(Method::HEAD, path).send().await.is(200);
        assert_eq!((head.header("content-length"), head.body.len()), (&*get.body.len().to_string(), 0), "{path}");
    }
    // Nothing at all is sent after it.
    let (head, body) = scene.stack.host.raw("HEAD /api/v1/orgs HTTP/1.1", b"").await;
    assert!(head.starts_with("HTTP/1.1 200") && body.is_empty(), "{head} {body:?}");
    // Who may not see the thing may not see its head, and where there is no GET there is no HEAD.
    scene.stack.anonymous().asks(Method::HEAD, "/api/v1/orgs/acme").send().await.is(404);
    scene.stack.anonymous().asks(Method::HEAD, "/api/v1/user").send().await.is(401);
    let none = scene.admin.asks(Method::HEAD, "/api/v1/users").send().await.is(405);
    assert_eq!(none.header("allow"), "POST");
    let wrong = scene.admin.asks(Method::PUT, "/api/v1/orgs").send().await.is(405);
    assert_eq!(wrong.header("allow"), "GET, HEAD, POST");
}

#[tokio::test]
async fn every_single_thing_has_a_strong_tag_and_is_shown_again_only_when_it_changed() {
    let scene = Scene::set().await;
    let browser = Browser::sign_in(&scene.stack.host, "admin").await;
    let mut count = 0;
    for (path, _) in scene.operations("get").filter(|(_, operation)| !shown(operation, "200").starts_with("List_")) {
        let address = scene.address(path);
        let tag = browser.sends(&Method::GET, &address).send().await.is(200).header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 10, "{address}: {tag}");
        let same = browser.sends(&Method::GET, &address).header("If-None-Match", &tag).send().await.is(304);
        assert_eq!((same.header("etag"), same.body.len()), (tag.as_str(), 0), "{address}");
        browser.sends(&Method::GET, &address).header("If-None-Match", "\"another\"").send().await.is(200);
        count += 1;
    }
    assert!(count > 10, "only {count} were looked at");
}

/// A body that is good, of each schema with which something is changed.
fn body(schema: &str) -> Value {
    match schema {
        "DefaultGrants" => json!({ "grants": [{ "subject": "user:bob", "role": "read" }] }),
        "Networks" => json!({ "allowed_networks": ["10.0.0.0/8", "127.0.0.1"] }),
        "PatchUser" => json!({ "is_auditor": true }),
        "PatchOrganisation" => json!({ "display_name": "Acme Ltd" }),
        "AccessTokenChange" => json!({ "allowed_networks": ["127.0.0.0/8"] }),
        _ => json!({ "description": "new" }),
    }
}

fn taken(operation: &Value) -> String {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    schema.as_str().unwrap_or_default().rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_change_answers_the_tag_that_its_thing_has_from_then_on() {
    let scene = Scene::set().await;
    let mut count = 0;
    for (method, verb) in [("patch", Method::PATCH), ("put", Method::PUT)] {
        for (path, operation) in scene.operations(method) {
            let address = format!("/api/v1{}", scene.address(path));
            if scene.document["paths"][path]["get"].is_null() {
                continue;
            }
            let before = scene.admin.asks(Method::GET, &address).send().await.is(200).header("etag").to_owned();
            let change = || scene.stack.host.request(verb.clone(), &address).basic("admin", PASSWORD);
            let change = |tag: &str| change().header("If-Match", tag).json(&body(&taken(operation))).send();
            change("\"another\"").await.is(412);
            let changed = change(&before).await.is(200);
            let after = scene.admin.asks(Method::GET, &address).send().await.is(200);
            assert!(changed.header("etag").len() > 10, "{address}");
            assert_eq!(changed.header("etag"), after.header("etag"), "{address}: {} {}", changed.text(), after.text());
            // PATCH and PUT of the same thing change it to the same.
            if method == "patch" || path.starts_with("/namespaces/") {
                assert_ne!(before, after.header("etag"), "{address}");
                change(&before).await.is(412);
            }
            count += 1;
        }
    }
    assert!(count > 8, "only {count} were changed");
    // Nor is a tag given where no GET would show what has it.
    let member = scene.admin.asks(Method::PUT, "/api/v1/orgs/acme/members/bob").json(&json!({ "role": "member" }));
    assert_eq!(member.send().await.is(200).header("etag"), "");
    let made = scene.admin.asks(Method::PUT, "/api/v1/repositories/acme/made").header("If-None-Match", "*");
    let made = made.json(&json!({})).send().await.is(201);
    let shown = scene.admin.asks(Method::GET, "/api/v1/repositories/acme/made").send().await.is(200);
    assert_eq!(made.header("etag"), shown.header("etag"));
}

#[tokio::test]
async fn what_is_replaced_as_a_whole_is_so_only_by_who_says_which_one_was_seen() {
    let scene = Scene::set().await;
    let documents: Vec<_> =
        scene.operations("put").filter(|(_, operation)| operation["responses"]["428"].is_object()).collect();
    assert_eq!(documents.len(), 2, "{documents:?}");
    for (path, operation) in documents {
        let mut headers = operation["parameters"].as_array().unwrap().iter().filter(|header| header["in"] == "header");
        assert!(headers.any(|header| header["name"] == "If-Match" && header["required"] == true), "{operation}");
        let address = format!("/api/v1{}", scene.address(path));
        let before = scene.admin.asks(Method::GET, &address).send().await.is(200).body;
        let replace = || scene.stack.host.request(Method::PUT, &address).json(&body(&taken(operation)));
        let blind = replace().basic("admin", PASSWORD).send().await.is(428).json();
        assert_eq!(blind["code"], "condition_needed");
        assert!(blind["detail"].as_str().unwrap().contains("send its ETag as If-Match"), "{blind}");
        assert_eq!(scene.admin.asks(Method::GET, &address).send().await.body, before, "nothing was changed");
        replace().basic("admin", PASSWORD).header("If-Match", "*").send().await.is(200);
        // Whatever else is wrong with the request, it says nothing of what is there.
        let hidden = scene.stack.host.request(Method::PUT, &address.replace("acme", "none")).json(&json!({}));
        hidden.basic("bob", PASSWORD).send().await.is(428);
        replace().basic("bob", PASSWORD).send().await.is(428);
    }
}
