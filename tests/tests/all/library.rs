//! The namespace `library`, which is nobody's, and governs bare names: who may push there, and who may not.

use crate::support::{Stack, User, claims};
use reqwest::Method;
use serde_json::{Value, json};

const BARE: &str = "ubuntu";
const WHOLE: &str = "library/ubuntu";

/// The actions of a token that asks for all.
async fn held(user: &User, repository: &str) -> Value {
    let token = user.token(&format!("repository:{repository}:pull,push,delete")).await;
    claims(&token)["access"][0]["actions"].clone()
}

#[tokio::test]
async fn administrators_and_whoever_is_granted_it_push_to_library_and_to_bare_names() {
    let stack = Stack::start().await;
    let (admin, bob, carol, mallory) =
        (stack.admin(), stack.user("bob").await, stack.user("carol").await, stack.user("mallory").await);
    for name in [BARE, WHOLE] {
        for user in [&bob, &carol, &mallory, &stack.anonymous()] {
            assert_eq!(held(user, name).await, json!([]), "{} on {name}", user.name);
        }
        assert_eq!(held(&admin, name).await, json!(["pull", "push", "delete"]));
    }
    admin.does(Method::PUT, "/namespaces/library/grants/user:bob", &json!({ "role": "write" })).await;
    for name in [BARE, WHOLE, "debian"] {
        assert_eq!(held(&bob, name).await, json!(["pull", "push"]), "{name}");
        bob.repository(name).await.push_image("v1", name).await;
        assert_eq!(held(&mallory, name).await, json!([]));
    }
    // On one of them: the bare one and the one below `library` are two.
    admin.does(Method::PUT, "/repositories/ubuntu/-/grants/user:carol", &json!({ "role": "maintain" })).await;
    assert_eq!(held(&carol, BARE).await, json!(["pull", "push", "delete"]));
    assert_eq!(held(&carol, WHOLE).await, json!([]));
    assert_eq!(held(&carol, "debian").await, json!([]));
    carol.repository(BARE).await.push_image("v2", "another").await;

    // A bare name is never that of a namespace.
    assert_eq!(held(&bob, "mallory").await, json!([]));
    assert_eq!(held(&admin, "mallory").await, json!([]));
    // To read them is for all, once they are public; to push is not.
    admin.does(Method::PATCH, "/repositories/ubuntu", &json!({ "visibility": "public" })).await;
    for user in [&mallory, &stack.anonymous()] {
        assert_eq!(held(user, BARE).await, json!(["pull"]), "{}", user.name);
        user.repository(BARE).await.get("manifests/v2").send().await.is(200);
    }
    let upload = mallory.repository(BARE).await.post("blobs/uploads/").send().await;
    upload.refuses(401, "UNAUTHORIZED");
    // Who runs it needs not be an administrator of the instance.
    admin.does(Method::PUT, "/namespaces/library/grants/user:bob", &json!({ "role": "admin" })).await;
    bob.does(Method::PUT, "/namespaces/library/grants/user:mallory", &json!({ "role": "read" })).await;
    assert_eq!(held(&mallory, WHOLE).await, json!(["pull"]));
}
