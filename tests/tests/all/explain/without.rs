//! What a right is without its first reason: what the explanation names is taken away, and given back.

use super::world::World;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One reason, and how it is taken away and given back.
struct Reason {
    path: String,
    away: (Method, Value),
    back: Value,
    /// Whether a reason goes with it.
    goes_too: fn(reason: &Value, organisation: &str) -> bool,
    /// What comes in its place.
    instead: Option<Value>,
}

impl Reason {
    /// The first of `reasons`, if it can be taken from `subject` on the repository `name`.
    fn first(reasons: &[Value], subject: &str, name: &str) -> Option<Self> {
        let reason = reasons.first()?;
        let text = |field: &str| reason[field].as_str();
        let plain = |path: String, away, back| {
            let goes_too = |_: &Value, _: &str| false;
            Some(Self { path, away, back, goes_too, instead: None })
        };
        let membership = || format!("/orgs/{}/members/{}", organisation(name), subject.trim_start_matches("user:"));
        match text("because")? {
            "grant" => {
                let on = match text("repository") {
                    Some(repository) => format!("/repositories/{repository}/-"),
                    None => format!("/namespaces/{}", text("namespace")?),
                };
                let path = format!("{on}/grants/{}", text("granted_to")?);
                plain(path, (Method::DELETE, Value::Null), json!({ "role": reason["role"] }))
            }
            "public" => {
                let away = (Method::PATCH, json!({ "visibility": "private" }));
                plain(format!("/repositories/{name}"), away, json!({ "visibility": "public" }))
            }
            "organisation_owner" => {
                let of_member = json!({ "role": "read", "because": "organisation_member" });
                let away = (Method::PUT, json!({ "role": "member" }));
                let reason = plain(membership(), away, json!({ "role": "owner" }))?;
                Some(Self { instead: Some(of_member), ..reason })
            }
            "organisation_member" => {
                // Who leaves it leaves its teams.
                let goes_too = |reason: &Value, organisation: &str| {
                    let holder = reason["granted_to"].as_str().unwrap_or_default();
                    holder.starts_with(&format!("team:{organisation}/"))
                };
                let reason = plain(membership(), (Method::DELETE, Value::Null), json!({ "role": "member" }))?;
                Some(Self { goes_too, ..reason })
            }
            // One's own namespace, and the administrator of the tests.
            _ => None,
        }
    }
}

/// The first part of a repository's name.
fn organisation(name: &str) -> &str {
    name.split('/').next().unwrap_or_default()
}

/// Takes the first reason of somebody's role on some repository away: then the next one gives the role. `false` if who was
/// met has none that can be taken.
pub async fn falls_to_the_next(world: &mut World) -> bool {
    let subject = world.random.below(world.subjects.len());
    let repository = world.random.below(world.repositories.len());
    let (subject, name) = (&world.subjects[subject], &world.repositories[repository]);
    let explained = world.explains(subject, name).await.is(200).json();
    let reasons = explained["reasons"].as_array().unwrap();
    let Some(reason) = Reason::first(reasons, &subject.name, name) else { return false };
    let left = reasons[1..].iter().filter(|other| !(reason.goes_too)(other, organisation(name)));
    let expected: Vec<Value> = left.cloned().chain(reason.instead.clone()).collect();

    let (method, body) = reason.away.clone();
    let taken = world.asks(method.clone(), &reason.path, &body).await;
    assert!((200..300).contains(&taken.status), "{}: {}: {explained}", taken.what, taken.text());
    let now = world.explains(subject, name).await.is(200).json();
    let what = format!("{} on {name} without its first reason: {explained}, then {now}", subject.name);
    let said = |reasons: &[Value]| reasons.iter().map(Value::to_string).collect::<BTreeSet<_>>();
    assert_eq!(said(now["reasons"].as_array().unwrap()), said(&expected), "{what}");
    // Of what is left it is the largest, in the order of what they allow.
    let rank = |role: &Value| super::world::ROLES.iter().position(|name| role == name);
    let next = expected.iter().map(|reason| &reason["role"]).max_by_key(|role| rank(role));
    assert_eq!(&now["role"], next.unwrap_or(&Value::Null), "{what}");
    world.holds(subject, name, "without its first reason").await;

    let back = if reason.back["visibility"].is_string() { Method::PATCH } else { Method::PUT };
    world.asks(back, &reason.path, &reason.back).await.is(200);
    true
}
