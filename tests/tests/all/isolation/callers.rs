//! Everybody of the table, with what they show at each door; and the two organisations that they meet.

use crate::support::{Browser, Host, Request, Stack, User, Wishes, claims, image};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::sync::Mutex;

/// What the image and the blob of each repository hold.
const LAYER: &str = "layer";

/// With this registries show that they are ours.
const INTERNAL_SECRET: &str = "of registries";

pub const BLOB: &[u8] = b"a blob that no manifest names";

/// Of the places `public`, `private`, `absent` and `deleted`: the namespace and the repository.
pub const PLACES: [(&str, &str, &str); 4] = [
    ("public", "open", "open/app"),
    ("private", "shut", "shut/app"),
    ("absent", "none", "shut/none"),
    ("deleted", "shut", "shut/old"),
];

/// People of the table, beside the administrator who is there from the start.
const PEOPLE: [&str; 8] = ["stranger", "member", "reader", "writer", "maintainer", "manager", "owner", "auditor"];

/// What somebody shows.
#[derive(Clone)]
pub enum Shown {
    Nothing,
    Password(String),
    /// An access token's secret, a robot's, or what is none.
    Bearer(String),
    /// The cookie of a session: from a page of ours, with what only that can show, or from one of another site.
    Cookie {
        browser: Box<Browser>,
        is_of_our_page: bool,
    },
}

/// The stage.
pub struct Callers {
    pub stack: Stack,
    /// With the routes that only registries and the index reach.
    pub inside: Host,
    pub registry: Host,
    wishes: Wishes,
    /// By name of the table: the secret of an access token.
    secrets: BTreeMap<&'static str, String>,
    /// What `disabled` had got before that, by repository.
    before: BTreeMap<String, String>,
    /// Where somebody signed in, by account.
    browsers: Mutex<BTreeMap<&'static str, Browser>>,
}

impl Callers {
    pub async fn new() -> Self {
        let stack = Stack::start().await;
        let admin = stack.admin();
        for name in ["carol", "disabled"].iter().chain(&PEOPLE) {
            stack.user(name).await;
        }
        let owner = admin.named("owner");
        for organisation in ["open", "shut"] {
            furnish(&owner, organisation).await;
        }
        owner.does(Method::PATCH, "/repositories/open/app", &json!({ "visibility": "public" })).await;
        owner.does(Method::PUT, "/repositories/shut/old", &json!({})).await;
        owner.does(Method::DELETE, "/repositories/shut/old", &Value::Null).await;
        let inside = stack.index_for_registries(INTERNAL_SECRET);
        let (registry, wishes) = (stack.replica(), Wishes::of(&stack).await);
        let (secrets, before, browsers) = (BTreeMap::new(), BTreeMap::new(), Mutex::default());
        let mut callers = Self { stack, inside, registry, wishes, secrets, before, browsers };
        callers.give_tokens().await;
        callers
    }

    async fn give_tokens(&mut self) {
        let admin = self.stack.admin();
        for name in PEOPLE.into_iter().chain(["admin"]) {
            self.secrets.insert(name, secret(&admin.named(name), json!({ "name": "all" })).await);
        }
        let owner = admin.named("owner");
        let limited = |limits: Value, name: &str| json!({ "name": name, "limits": limits });
        let readable = json!([{ "namespace": "open", "role": "read" }, { "namespace": "shut", "role": "read" }]);
        let elsewhere = json!([{ "namespace": "owner", "role": "admin" }]);
        self.secrets.insert("full", self.secrets["owner"].clone());
        self.secrets.insert("limited", secret(&owner, limited(readable, "limited")).await);
        self.secrets.insert("elsewhere", secret(&owner, limited(elsewhere, "elsewhere")).await);
        let robot = owner.does(Method::POST, "/orgs/shut/robots", &json!({ "name": "ci" })).await;
        self.secrets.insert("robot", robot["secret"].as_str().unwrap().to_owned());
        // One that was made and never granted anything.
        let stray = owner.does(Method::POST, "/orgs/shut/robots", &json!({ "name": "stray" })).await;
        self.secrets.insert("stray", stray["secret"].as_str().unwrap().to_owned());
        for namespace in ["open", "shut"] {
            let path = format!("/namespaces/{namespace}/grants/robot:shut+ci");
            owner.does(Method::PUT, &path, &json!({ "role": "write" })).await;
        }
        let soon = Timestamp::now() + SignedDuration::from_millis(300);
        let over = json!({ "name": "expired", "expires_at": soon.to_string() });
        self.secrets.insert("expired", secret(&owner, over).await);
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        for (_, _, name) in PLACES {
            self.before.insert(name.to_owned(), admin.named("disabled").token(&scope(name)).await);
        }
        admin.does(Method::PATCH, "/admin/users/auditor", &json!({ "is_auditor": true })).await;
        admin.does(Method::PATCH, "/admin/users/disabled", &json!({ "disabled": true })).await;
    }

    /// What `who` shows at the index's doors.
    pub async fn at_the_index(&self, who: &str, by_password: bool) -> Shown {
        match who {
            "nobody" => Shown::Nothing,
            "disabled" => Shown::Password(who.to_owned()),
            "registry" => Shown::Bearer(self.token_of("owner", "owner/elsewhere").await),
            "audience" => Shown::Bearer(self.forged("owner/elsewhere", &json!({ "aud": "another" })).await),
            "wish" => Shown::Bearer(self.wish()),
            "internal" => Shown::Bearer(INTERNAL_SECRET.to_owned()),
            "session" => self.cookie("owner", true).await,
            "foreign" => self.cookie("owner", false).await,
            "visitor" => self.cookie("stranger", true).await,
            _ if by_password && !is_credential(who) => Shown::Password(who.to_owned()),
            _ => Shown::Bearer(self.secrets[who].clone()),
        }
    }

    /// What `who` shows at the registry's, about the repository `name`.
    pub async fn at_the_registry(&self, who: &str, name: &str) -> Shown {
        Shown::Bearer(match who {
            "session" | "foreign" | "visitor" => return self.at_the_index(who, false).await,
            "internal" => INTERNAL_SECRET.to_owned(),
            "disabled" => self.before[name].clone(),
            "registry" => self.token_of("owner", "owner/elsewhere").await,
            "audience" => self.forged(name, &json!({ "aud": "another" })).await,
            "expired" => self.forged(name, &json!({ "exp": Timestamp::now().as_second() - 120 })).await,
            "wish" => self.wish(),
            _ => self.token_of(who, name).await,
        })
    }

    /// A session of this account, which some requests end.
    async fn cookie(&self, account: &'static str, is_of_our_page: bool) -> Shown {
        let mut browsers = self.browsers.lock().await;
        let lasts = match browsers.get(account) {
            Some(browser) => browser.is_signed_in().await,
            None => false,
        };
        if !lasts {
            browsers.insert(account, Browser::sign_in(&self.stack.host, account).await);
        }
        Shown::Cookie { browser: Box::new(browsers[account].clone()), is_of_our_page }
    }

    async fn token_of(&self, who: &str, name: &str) -> String {
        let asked = self.stack.host.get(&format!("/token?service=berth&scope={}", scope(name).replace(' ', "%20")));
        let asked = if who == "nobody" { asked } else { asked.token(&self.secrets[who]) };
        asked.send().await.is(200).json()["token"].as_str().unwrap().to_owned()
    }

    /// The owner's token with some claims changed, and signed rightly.
    async fn forged(&self, name: &str, changes: &Value) -> String {
        let mut claims = claims(&self.token_of("owner", name).await);
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        self.wishes.sign(&claims)
    }

    /// A wish about what is not there.
    fn wish(&self) -> String {
        let verb = json!({ "verb": "put_away", "repository": "shut/none", "repository_id": "none" });
        self.wishes.sign(&self.wishes.claims(&verb))
    }

    /// As the administrator, who puts things back.
    pub async fn puts_back(&self, is_registry: bool, name: &str) -> Shown {
        if is_registry { self.at_the_registry("admin", name).await } else { self.at_the_index("admin", true).await }
    }
}

/// Not a person of the table.
fn is_credential(who: &str) -> bool {
    ["robot", "stray", "full", "limited", "elsewhere", "expired"].contains(&who)
}

fn scope(name: &str) -> String {
    format!("repository:{name}:pull,push,delete registry:catalog:*")
}

/// Makes an organisation with everybody and everything in it that the table speaks of.
async fn furnish(owner: &User, organisation: &str) {
    let does = async |method: Method, path: &str, body: Value| {
        owner.does(method, &path.replace("ORG", organisation), &body).await;
    };
    does(Method::POST, "/orgs", json!({ "name": organisation })).await;
    for (name, role) in [("member", "member"), ("carol", "member"), ("disabled", "owner")] {
        does(Method::PUT, &format!("/orgs/ORG/members/{name}"), json!({ "role": role })).await;
    }
    for (name, role) in [("reader", "read"), ("writer", "write"), ("maintainer", "maintain"), ("manager", "admin")] {
        does(Method::PUT, &format!("/namespaces/ORG/grants/user:{name}"), json!({ "role": role })).await;
    }
    does(Method::POST, "/orgs/ORG/teams", json!({ "name": "dev" })).await;
    does(Method::PUT, "/orgs/ORG/teams/dev/members/carol", Value::Null).await;
    does(Method::POST, "/orgs/ORG/robots", json!({ "name": "spare" })).await;
    let app = owner.repository(&format!("{organisation}/app")).await;
    app.push_image("v1", LAYER).await;
    app.push_blob(BLOB).await;
    does(Method::PUT, "/namespaces/ORG/grants/user:carol", json!({ "role": "read" })).await;
    does(Method::PUT, "/repositories/ORG/app/-/grants/user:carol", json!({ "role": "read" })).await;
}

async fn secret(of: &User, body: Value) -> String {
    of.does(Method::POST, "/user/tokens", &body).await["secret"].as_str().unwrap().to_owned()
}

/// The manifest of each repository.
pub fn manifest() -> Vec<u8> {
    image(&[LAYER.as_bytes()]).manifest
}

/// The request with what is shown. But for a page of ours it comes from one of another site, which then may not read the
/// answer.
pub fn showing(request: Request, shown: &Shown) -> Request {
    let elsewhere = |request: Request| request.header("Origin", "https://evil.example");
    match shown {
        Shown::Nothing => elsewhere(request),
        Shown::Password(name) => elsewhere(request).basic(name, crate::support::PASSWORD),
        Shown::Bearer(secret) => elsewhere(request).token(secret),
        Shown::Cookie { browser, is_of_our_page: false } => elsewhere(request).header("Cookie", &browser.cookie),
        Shown::Cookie { browser, is_of_our_page: true } => {
            let request = request.header("Cookie", &browser.cookie).header("Origin", &browser.origin);
            request.header("X-CSRF-Token", &browser.csrf_token)
        }
    }
}
