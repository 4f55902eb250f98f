//! The isolation matrix: every route, for everybody, about what is public, private and absent, as `table.txt` says; and
//! what is private looks like what is absent to who may not see it, to the byte.

mod callers;
mod table;

use crate::privacy::outline;
use crate::support::{Answer, Host, sha256};
use callers::{BLOB, Callers, PLACES, Shown, manifest, showing};
use std::collections::BTreeMap;
use table::{Call, Route, table};

/// Who must not learn whether something private is there.
const OUTSIDERS: [&str; 10] =
    ["nobody", "stranger", "elsewhere", "registry", "wish", "audience", "disabled", "stray", "internal", "visitor"];

/// What lets whoever signs in have a token: no two answers are the same.
const TOKENS: &str = "/token";

#[tokio::test]
async fn everybody_is_answered_what_the_table_says() {
    let callers = Callers::new().await;
    let mut wrong = Vec::new();
    for route in table() {
        hold(&callers, &route, &mut wrong).await;
    }
    assert!(wrong.is_empty(), "{} are not as in the table:\n{}", wrong.len(), wrong.join("\n"));
}

async fn hold(callers: &Callers, route: &Route, wrong: &mut Vec<String>) {
    let Call { method, path, .. } = &route.call;
    let mut private = BTreeMap::new();
    for line in &route.lines {
        let (_, namespace, name) = PLACES.iter().find(|(place, _, _)| *place == line.place).unwrap_or(&PLACES[2]);
        for (who, status) in &line.expected {
            let shown = if path.starts_with("/v2/") {
                callers.at_the_registry(who, name).await
            } else {
                callers.at_the_index(who, route.by_password).await
            };
            let answer = ask(callers, &route.call, (namespace, name), who, &shown).await;
            if answer.status != *status {
                wrong.push(format!(
                    "{method} {path}, {}: {who} is answered {}, not {status}: {}",
                    line.place,
                    answer.status,
                    answer.text()
                ));
            }
            wrong.extend(shows_a_page(&answer));
            let is_repository = ["{name}", "{name:", "{on:"].iter().any(|part| path.contains(part));
            let seen = outline(&answer, if is_repository { name } else { namespace });
            if line.place == "private" && OUTSIDERS.contains(&who.as_str()) && !path.starts_with(TOKENS) {
                private.insert(who, seen);
            } else if line.place == "absent" && private.get(who).is_some_and(|private| *private != seen) {
                wrong.push(format!(
                    "{method} {path}: {who} sees private and absent differ: {:?}, {seen:?}",
                    private[who]
                ));
            }
            for undo in &line.undo {
                let shown = callers.puts_back(undo.path.starts_with("/v2/"), name).await;
                ask(callers, undo, (namespace, name), who, &shown).await;
            }
        }
    }
}

/// What of an answer would let a page of another site read it, or show it in a frame: W3C Fetch, section 3.3; CSP, section
/// 6.4.2.
fn shows_a_page(answer: &Answer) -> Option<String> {
    let shared = answer.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
    if let Some(header) = shared {
        return Some(format!("{} has {header}", answer.what));
    }
    let is_page = answer.header("content-type").starts_with("text/html");
    let is_framed = is_page && !answer.header("content-security-policy").contains("frame-ancestors 'none'");
    is_framed.then(|| format!("{} may stand in a frame: {:?}", answer.what, answer.headers))
}

#[tokio::test]
async fn no_page_of_another_site_is_told_that_it_may_ask() {
    let callers = Callers::new().await;
    for route in table() {
        // As a browser asks before a request that no form could send.
        let asked =
            callers.stack.host.request(reqwest::Method::OPTIONS, &route.call.path.replace(['{', '}', ':', '+'], ""));
        let asked = asked.header("Origin", "https://evil.example");
        let asked = asked.header("Access-Control-Request-Method", route.call.method.clone());
        let answer = asked.header("Access-Control-Request-Headers", "authorization,x-csrf-token").send().await;
        assert!((400..500).contains(&answer.status), "{}: {}", answer.what, answer.status);
        assert_eq!(shows_a_page(&answer), None);
    }
}

async fn ask(callers: &Callers, call: &Call, (namespace, name): (&str, &str), who: &str, shown: &Shown) -> Answer {
    let filled = |text: &str| {
        let digest = if call.path.contains("/blobs/") { sha256(BLOB) } else { sha256(&manifest()) };
        // A repository that is absent is so in a namespace that is there.
        let namespace = if call.path.contains("{name:.+}") { name.split('/').next().unwrap() } else { namespace };
        [
            ("{name:.+}", name),
            ("{name}", name),
            ("{on:.+}", name),
            ("{on}", namespace),
            ("{org}", namespace),
            ("{namespace}", namespace),
            ("{subject:.+}", "user:carol"),
            ("{user}", "carol"),
            ("{team}", "dev"),
            ("{robot}", "spare"),
            ("{id}", "none"),
            ("{code}", "not_found"),
            ("{secret}", "berth_inv_none"),
            ("{digest}", digest.as_str()),
            ("{reference}", "v1"),
            ("{upload}", "00000000-0000-4000-8000-000000000000"),
            ("CALLER", who),
        ]
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    };
    let host: &Host = match call.path.as_str() {
        "/internal/v1/move" => &callers.registry,
        path if path.starts_with("/internal/") => &callers.inside,
        _ => &callers.stack.host,
    };
    let request = showing(host.replacing(call.method.parse().unwrap(), &filled(&call.path)), shown);
    let request = match call.body.as_str() {
        "" => request,
        "MANIFEST" => request.body(manifest()),
        "BLOB" => request.body(BLOB),
        json => request.header("Content-Type", "application/json").body(filled(json)),
    };
    request.send().await
}
