//! Reads `table.txt`, and the routes that there are out of the pages where they stand. Must not ask anything.

use std::collections::{BTreeMap, BTreeSet};

const TABLE: &str = include_str!("table.txt");
const INDEX_ROUTES: &str = include_str!("../../../../index-service/src/http/mod.rs");
const REGISTRY_ROUTES: &str = include_str!("../../../../registry-service/src/http/mod.rs");

/// Where each kind of place of the registry is, as the table writes it.
const REGISTRY_PATHS: &[(&str, &str)] = &[
    ("Base", "/v2/"),
    ("Catalog", "/v2/_catalog"),
    ("Tags", "/v2/{name}/tags/list"),
    ("Referrers", "/v2/{name}/referrers/{digest}"),
    ("Uploads", "/v2/{name}/blobs/uploads/"),
    ("Upload", "/v2/{name}/blobs/uploads/{upload}"),
    ("Blob", "/v2/{name}/blobs/{digest}"),
    ("Manifest", "/v2/{name}/manifests/{reference}"),
];

/// A request before its places: `PUT`, `/api/v1/orgs/{org}/members/{user}`, `{"role":"member"}`.
#[derive(Clone)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub body: String,
}

/// What everybody is answered at one place.
pub struct Line {
    pub place: String,
    /// (who, status), in the order of the table.
    pub expected: Vec<(String, u16)>,
    pub undo: Vec<Call>,
}

/// One route.
pub struct Route {
    pub call: Call,
    /// Whether it is for the password alone.
    pub by_password: bool,
    pub lines: Vec<Line>,
}

impl Call {
    fn parse(text: &str) -> Self {
        let mut parts = text.splitn(3, ' ').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        Self { method: next(), path: next(), body: next() }
    }

    /// Method and path as the pages of routes have them.
    fn route(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        format!("{} {path}", self.method)
    }
}

/// Every route of the table.
pub fn table() -> Vec<Route> {
    let mut people = Vec::new();
    let mut credentials: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    let mut routes: Vec<Route> = Vec::new();
    let mut list = "";
    for text in TABLE.lines().filter(|text| !text.is_empty() && !text.starts_with('#')) {
        let words: Vec<&str> = text.split_whitespace().collect();
        match (words[0], text.starts_with(' ')) {
            ("callers", _) => people = words[1..].to_vec(),
            ("credentials", _) => {
                let of = words[2..].iter().map(|entry| entry.split_once(':').unwrap());
                credentials.insert(words[1], of.collect());
            }
            (_, false) => {
                let (call, of) = text.rsplit_once(" : ").unwrap_or_else(|| panic!("no credentials: {text}"));
                list = of.trim();
                let (call, by_password) = (Call::parse(call.trim_end()), list == "password");
                routes.push(Route { call, by_password, lines: Vec::new() });
            }
            ("undo", true) => {
                let undo = text.trim_start().strip_prefix("undo ").unwrap();
                let lines = &mut routes.last_mut().unwrap().lines;
                let (place, call) = undo.split_once(' ').unwrap();
                let is_of_one = lines.iter().any(|line| line.place == place);
                for line in lines.iter_mut().filter(|line| !is_of_one || line.place == place) {
                    line.undo.push(Call::parse(if is_of_one { call } else { undo }));
                }
            }
            (place, true) => {
                let statuses = words[1..].iter().map(|word| word.parse().unwrap());
                let of_people: Vec<(&str, u16)> = people.iter().copied().zip(statuses).collect();
                assert_eq!((of_people.len(), words.len()), (people.len(), people.len() + 1), "{text}");
                let of = |person: &str| of_people.iter().find(|(name, _)| *name == person).unwrap().1;
                let reads = ["GET", "HEAD"].contains(&routes.last().unwrap().call.method.as_str());
                let others = credentials[list].iter().map(|(who, what)| {
                    let (read, change) = what.split_once('|').unwrap_or((what, what));
                    let what = if reads { read } else { change };
                    (*who, what.parse().unwrap_or_else(|_| of(what)))
                });
                let expected = of_people.iter().copied().chain(others).map(|(who, status)| (who.to_owned(), status));
                let line = Line { place: place.to_owned(), expected: expected.collect(), undo: Vec::new() };
                routes.last_mut().unwrap().lines.push(line);
            }
        }
    }
    routes
}

#[test]
fn every_route_has_its_place_in_the_table() {
    let table = table();
    let mut listed: BTreeSet<String> = table.iter().map(|route| without_prefix(&route.call.route())).collect();
    assert_eq!(listed.len(), table.len(), "a route is there twice");
    let offered: BTreeSet<String> = index_routes().into_iter().chain(registry_routes()).collect();
    assert!(offered.len() > 80, "only {} routes were found", offered.len());
    let missing: Vec<_> = offered.difference(&listed).collect();
    assert!(missing.is_empty(), "the table says nothing of {missing:#?}");
    listed.retain(|route| !offered.contains(route));
    assert!(listed.is_empty(), "the table has what is not offered: {listed:#?}");
    for route in &table {
        let places: Vec<&str> = route.lines.iter().map(|line| line.place.as_str()).collect();
        let is_about_some = ["{org}", "{namespace}", "{on", "{name"].iter().any(|name| route.call.path.contains(name));
        let needed: &[&str] = if is_about_some { &["public", "private", "absent"] } else { &["any"] };
        assert!(places.starts_with(needed), "{} {} has {places:?}", route.call.method, route.call.path);
    }
}

/// The index's page has the paths below their scopes.
fn without_prefix(route: &str) -> String {
    let (method, path) = route.split_once(' ').unwrap();
    let prefixes = ["/api/v1", "/internal/v1", "/v1"];
    let below = prefixes.iter().find_map(|prefix| path.strip_prefix(prefix)).unwrap_or(path);
    // The registry's one internal route is written whole.
    format!("{method} {}", if below == "/move" { path } else { below })
}

/// `resource("/orgs").route(get().to(…)).route(post().to(…))`, or `single(…)` instead.
fn index_routes() -> Vec<String> {
    let resources = code(INDEX_ROUTES).replace("single(\"", "resource(\"");
    let resources = resources.split("resource(\"").skip(1).map(|resource| resource.split_once('"').unwrap());
    let routes = resources.flat_map(|(path, rest)| {
        let methods = rest.split(".route(").skip(1).map(|route| route.split('(').next().unwrap().to_uppercase());
        methods.map(|method| format!("{method} {path}")).collect::<Vec<_>>()
    });
    routes.collect()
}

/// `(Kind::Blob, &Method::GET | &Method::HEAD) => call(…)`, where HEAD is answered as GET is; and its internal one.
fn registry_routes() -> Vec<String> {
    let code = code(REGISTRY_ROUTES);
    let arms = code.lines().filter(|line| line.contains("=> call("));
    let mut routes: Vec<String> = arms
        .map(|arm| {
            let kind = arm.split("Kind::").nth(1).unwrap().split(',').next().unwrap();
            let method = arm.split("Method::").nth(1).unwrap().split([' ', ')']).next().unwrap();
            let path =
                REGISTRY_PATHS.iter().find(|(of, _)| *of == kind).unwrap_or_else(|| panic!("where is {kind}?")).1;
            format!("{method} {path}")
        })
        .collect();
    assert_eq!(code.matches(".route(").count(), 3, "a route of the registry stands where it is not looked for");
    routes.push("POST /internal/v1/move".to_owned());
    routes
}

fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}
