//! Every operation of the REST API is a command, or says here why it is none: each is run beside a server in its folder, and
//! against a server by its address, where a listener on the way hears that it is that operation.

use crate::administration::run;
use crate::openapi::is_of;
use crate::support::{Browser, PASSWORD, Stack};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// (operation, command line, standard input, what it prints), in this order. `{id}` and `{secret}` are those that were
/// printed last; what stands for the others is in `World`.
const COMMANDS: &[(&str, &str, &str, &str)] = &[
    ("user_show", "whoami", "", r#""name": "admin""#),
    ("admin_users_create", "user create dave --admin", "a long password\n", r#""is_admin": true"#),
    ("admin_users_list", "user list --search dave --disabled false --sort -name", "", r#""dave""#),
    ("admin_users_show", "user show dave", "", r#""name": "dave""#),
    ("admin_users_change", "user set dave --admin false --auditor true", "", r#""is_auditor": true"#),
    ("admin_users_change", "user set dave --auditor false", "", r#""is_auditor": false"#),
    ("admin_users_change", "user disable dave", "", r#""disabled": true"#),
    ("admin_users_change", "user enable dave", "", r#""disabled": false"#),
    ("admin_users_reset_password", "user reset-password dave --password-stdin", "a longer password\n", ""),
    ("organisations_create", "org create acme --display-name Acme", "", r#""display_name": "Acme""#),
    ("organisations_list", "org list --search cm", "", r#""acme""#),
    ("organisations_show", "org show acme", "", r#""name": "acme""#),
    ("organisations_change", "org set acme --display-name Company", "", r#""display_name": "Company""#),
    ("members_put", "org add-member acme bob --owner", "", r#""role": "owner""#),
    ("members_list", "org members acme", "", r#""bob""#),
    ("teams_create", "team create acme dev --description builders", "", r#""description": "builders""#),
    ("teams_change", "team set acme dev --name ops --description runners", "", r#""description": "runners""#),
    ("teams_list", "team list acme", "", r#""name": "ops""#),
    ("teams_show", "team show acme ops", "", r#""name": "ops""#),
    ("teams_put_member", "team add-member acme ops bob", "", r#""user": "bob""#),
    ("teams_list_members", "team members acme ops", "", r#""user": "bob""#),
    ("grants_put_on_namespace", "grant put acme team:acme/ops write", "", r#""role": "write""#),
    ("teams_list_grants", "team grants acme ops", "", r#""namespace": "acme""#),
    ("grants_list_of_namespace", "grant list acme", "", r#""subject": "team:acme/ops""#),
    ("grants_delete_on_namespace", "grant delete acme team:acme/ops", "", ""),
    ("invitations_create", "org invite acme --owner --team ops --expires-at {soon}", "", r#""role": "owner""#),
    ("invitations_list", "org invitations acme", "", r#""ops""#),
    ("invitations_show", "org show-invitation acme {id}", "", r#""state": "pending""#),
    ("invitations_offer", "invitation show", "{secret}\n", r#""organisation": "acme""#),
    ("invitations_revoke", "org revoke-invitation acme {id}", "", ""),
    ("invitations_decline", "invitation decline", "{declined}\n", ""),
    ("invitations_accept", "invitation accept", "{accepted}\n", r#""organisation": "guests""#),
    ("robots_create", "robot create acme ci --description x --network 127.0.0.0/8", "", r#""127.0.0.0/8""#),
    ("robots_list", "robot list acme", "", r#""acme+ci""#),
    ("robots_show", "robot show acme ci", "", r#""description": "x""#),
    ("robots_change", "robot set acme ci --description y", "", r#""description": "y""#),
    ("robots_change", "robot set-networks acme ci 10.0.0.0/8 ::1/128", "", r#""10.0.0.0/8""#),
    ("robots_change", "robot disable acme ci", "", r#""disabled": true"#),
    ("robots_change", "robot enable acme ci", "", r#""disabled": false"#),
    ("robots_rotate", "robot rotate acme ci --overlap 60 --expires-at {soon}", "", r#""secret": "berth_rob_"#),
    ("repositories_put", "repo create acme/app --visibility private --description x", "", r#""private""#),
    (
        "repositories_list",
        "repo list --namespace acme --namespace none --visibility private --search ap --sort -updated_at,name",
        "",
        "acme/app",
    ),
    ("repositories_show", "repo show acme/app", "", r#""description": "x""#),
    ("repositories_change", "repo set acme/app --visibility public --description y", "", r#""public""#),
    ("repositories_change", "repo set acme/app --official true", "", r#""official": true"#),
    ("grants_put_on_repository", "grant put acme/app user:carol read", "", r#""role": "read""#),
    ("grants_list_of_repository", "grant list acme/app", "", r#""user:carol""#),
    ("collaborators_list", "namespace collaborators acme", "", r#""user": "carol""#),
    ("explain_show", "repo explain acme/app --subject user:carol", "", r#""subject": "user:carol""#),
    ("grants_delete_on_repository", "grant delete acme/app user:carol", "", ""),
    ("namespaces_list", "namespace list", "", r#""acme""#),
    ("namespaces_change", "namespace set acme --description z --default-visibility public", "", r#""public""#),
    ("namespaces_show", "namespace show acme", "", r#""description": "z""#),
    ("default_grants_put", "namespace set-default-grants acme team:acme/ops=write", "", r#""role": "write""#),
    ("default_grants_show", "namespace default-grants acme", "", r#""subject": "team:acme/ops""#),
    ("networks_put", "namespace set-networks acme 127.0.0.0/8", "", r#""127.0.0.0/8""#),
    ("networks_show", "namespace networks acme", "", r#""127.0.0.0/8""#),
    ("networks_put", "namespace set-networks acme", "", r#""allowed_networks": []"#),
    ("moves_rename", "repo rename acme/app acme/tool", "", ""),
    ("moves_delete", "repo delete acme/tool", "", ""),
    ("moves_list_deleted", "namespace deleted acme", "", r#""name": "acme/tool""#),
    ("moves_restore", "repo restore acme/tool", "", ""),
    ("moves_delete", "repo delete acme/tool", "", ""),
    ("moves_purge", "repo purge acme/tool", "", ""),
    ("content_tags", "tag list admin/app", "", "{digest}"),
    ("content_manifest", "image inspect admin/app@{digest}", "", r#""role": "layer""#),
    ("decisions_show", "decision show {decision}", "", r#""subject": "user:bob""#),
    (
        "access_tokens_create",
        "token create laptop --limit acme=read --limit acme/app=write --network 127.0.0.0/8 --expires-at {soon}",
        "",
        r#""127.0.0.0/8""#,
    ),
    ("access_tokens_list", "token list", "", "{id}"),
    ("access_tokens_show", "token show {id}", "", r#""repository": "acme/app""#),
    ("access_tokens_change", "token set-networks {id} 10.0.0.0/8", "", r#""10.0.0.0/8""#),
    ("access_tokens_rotate", "token rotate {id} --overlap 60 --expires-at {soon}", "", r#""secret": "berth_pat_"#),
    ("access_tokens_delete", "token delete {id}", "", ""),
    ("session_list", "session list", "", r#""user_agent""#),
    ("session_delete_one", "session end {id}", "", ""),
    ("session_delete_all", "session end-all", "", ""),
    ("teams_delete_member", "team remove-member acme ops bob", "", ""),
    ("teams_delete", "team delete acme ops", "", ""),
    ("robots_delete", "robot delete acme ci", "", ""),
    ("members_delete", "org remove-member acme bob", "", ""),
    ("organisation_moves_rename", "org rename acme corp", "", r#""name": "corp""#),
    ("organisations_delete", "org delete corp", "", ""),
    ("user_change_password", "user change-password", "{password}\na long password\n", ""),
];

/// Operations without a command, and why.
const WITHOUT: &[(&str, &str)] = &[
    ("session_create", "a browser signs in, and keeps a cookie; a command keeps nothing"),
    ("session_show", "it is about the cookie that came with it"),
    ("session_delete", "it ends the session of the cookie that came with it; `session end` ends any"),
    ("sign_up_create", "whoever has no account has nothing to show to a server; `user create` makes accounts"),
];

/// Method and path of each operation in `docs/`.
fn operations() -> BTreeMap<String, (String, String)> {
    let document: Value = serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap();
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            operations.insert(id, (method.to_uppercase(), path.clone()));
        }
    }
    operations
}

#[test]
fn every_operation_is_a_command_or_has_a_reason_to_be_none() {
    let performed: BTreeSet<_> = COMMANDS.iter().map(|row| row.0.to_owned()).collect();
    let without: BTreeSet<_> = WITHOUT.iter().map(|row| row.0.to_owned()).collect();
    assert!(performed.is_disjoint(&without));
    assert_eq!(operations().into_keys().collect::<BTreeSet<_>>(), &performed | &without);
}

/// What the commands find, and what stands for words in braces.
struct World {
    stack: Stack,
    words: BTreeMap<&'static str, String>,
}

impl World {
    async fn new() -> Self {
        let stack = Stack::start().await;
        let (admin, bob) = (stack.admin(), stack.user("bob").await);
        stack.user("carol").await;
        Browser::sign_in(&stack.host, "admin").await;
        Browser::sign_in(&stack.host, "admin").await;
        let image = admin.repository("admin/app").await.push_image("v1", "layer").await;
        bob.does(Method::POST, "/orgs", &json!({ "name": "guests" })).await;
        let mut words = BTreeMap::from([("digest", image.digest), ("password", PASSWORD.to_owned())]);
        for word in ["accepted", "declined"] {
            let made = bob.does(Method::POST, "/orgs/guests/invitations", &json!({ "role": "member" })).await;
            words.insert(word, made["secret"].as_str().unwrap().to_owned());
        }
        let refusal = bob.repository("admin/app").await.post("blobs/uploads/").send().await.is(401).json();
        let decision = refusal["errors"][0]["detail"]["decision"].as_str().unwrap().to_owned();
        words.insert("decision", decision);
        words.insert("soon", (Timestamp::now() + SignedDuration::from_hours(24)).to_string());
        Self { stack, words }
    }

    fn filled(&self, text: &str) -> String {
        self.words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(&format!("{{{word}}}"), value))
    }

    /// Runs a row, which must end well.
    async fn run(&mut self, row: &(&str, &str, &str, &str), variables: &[(&str, &str)], more: &str) {
        let (_, line, input, holds) = row;
        let line = self.filled(line);
        let output = run(&format!("{line} --json{more}"), variables, &self.filled(input)).await;
        let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{line}: {said}");
        assert!(printed.contains(&self.filled(holds)), "{line}: {printed}");
        let answer: Value = serde_json::from_str(&printed).unwrap_or_default();
        for word in ["id", "secret"] {
            let value = answer[word].as_str().or(answer[0][word].as_str());
            self.words.extend(value.map(|value| (word, value.to_owned())));
        }
        // A command on the machine itself wishes of storage, and the server carries it out by its timer.
        self.stack.carry_out_wishes(0).await;
    }
}

#[tokio::test]
async fn every_command_does_its_work_on_the_machine_itself() {
    let mut world = World::new().await;
    let folder = world.stack.folder().to_str().unwrap().to_owned();
    for row in COMMANDS {
        world.run(row, &[("BERTH_DATA", &folder)], "").await;
    }
}

#[tokio::test]
async fn every_command_is_its_operation_against_a_server() {
    let mut world = World::new().await;
    let operations = operations();
    let (address, heard) = listener_before(world.stack.host.address()).await;
    let server = format!("http://{address}");
    for row in COMMANDS {
        world.run(row, &[("BERTH_SERVER", &server), ("BERTH_PASSWORD", PASSWORD)], " --user admin").await;
        let (method, path) = &operations[row.0];
        let heard = std::mem::take(&mut *heard.lock().unwrap());
        let [request] = &heard[..] else { panic!("{}: {heard:?}", row.1) };
        let (sent, target) = request.split_once(' ').unwrap();
        let asked = target.split([' ', '?']).next().unwrap().strip_prefix("/api/v1").unwrap();
        assert!(sent == method && is_of(asked, path), "{} is {method} {path}, not {request}", row.1);
    }
}

/// An address at which `server` is reached, and the first line of what was said on each connection.
async fn listener_before(server: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let notes = heard.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut begun = vec![0; 64 * 1024];
            let read = client.read(&mut begun).await.unwrap();
            let line = String::from_utf8_lossy(&begun[..read]).lines().next().unwrap_or_default().to_owned();
            notes.lock().unwrap().push(line);
            let mut to_server = TcpStream::connect(server).await.unwrap();
            to_server.write_all(&begun[..read]).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut to_server).await });
        }
    });
    (address, heard)
}
