//! `berth user|org|team|repo …`: the REST API as commands, of the index on this machine or of a server.
//!
//! Every command is one request, or the pages of one list. Must not decide anything: the API does.

mod commands;
mod output;
mod place;

use commands::{
    Call, Decision, Grant, Image, Invitation, Namespace, Org, Repo, Robot, Session, Tag, Team, Token, User, said,
};
use index_service::{ResetPasswordArguments, Settings, reset_password};
use output::print;
use place::Place;
use reqwest::header::IF_MATCH;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use server::{Environment, Failure, logging};
use std::path::PathBuf;

/// What the help of the program says of its exit codes.
pub const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 said in a wrong way, 3 not found, 4 denied, 5 in conflict with what is there.";

/// What is administered.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Who you are.
    Whoami(Whoami),
    /// Accounts of people.
    User(With<Users>),
    /// Where you are signed in with a browser.
    Session(With<Session>),
    /// Your own access tokens.
    Token(With<Token>),
    /// Organisations, their members and invitations.
    Org(With<Org>),
    /// Invitations to you.
    Invitation(With<Invitation>),
    /// Teams of an organisation.
    Team(With<Team>),
    /// Machine accounts of an organisation.
    Robot(With<Robot>),
    /// Namespaces: what holds for all repositories in one.
    Namespace(With<Namespace>),
    /// Repositories.
    Repo(With<Repo>),
    /// Roles on a namespace or a repository.
    Grant(With<Grant>),
    /// Tags of a repository.
    Tag(With<Tag>),
    /// What was pushed.
    Image(With<Image>),
    /// Why a client was refused.
    Decision(With<Decision>),
}

/// What is done about accounts.
#[derive(clap::Subcommand)]
pub enum Users {
    /// Give an account another password and sign it out everywhere.
    ResetPassword(ResetPasswordArguments),
    /// What the API does.
    #[command(flatten)]
    Api(User),
}

/// A command that has no further words.
#[derive(clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct Whoami {
    #[command(flatten)]
    target: Target,
}

/// A command, and where it goes.
#[derive(clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct With<C: clap::Subcommand> {
    #[command(subcommand)]
    what: C,
    #[command(flatten)]
    target: Target,
}

/// Where a command goes, as whom, and what it prints.
#[derive(clap::Args)]
pub struct Target {
    /// A server, as `https://registry.example.com`, with an access token for it in `BERTH_TOKEN` or in the file that
    /// `BERTH_TOKEN_FILE` names. Without it: the index in the data folder, whether it is served or not.
    #[arg(long, global = true, env = "BERTH_SERVER", value_name = "URL")]
    server: Option<String>,
    /// Who asks the server, with the password in `BERTH_PASSWORD`: for what no access token opens.
    #[arg(long = "user", global = true, value_name = "ACCOUNT")]
    asking: Option<String>,
    /// The folder with everything, without a server.
    #[arg(long, global = true, env = "BERTH_DATA", default_value = "./berth-data")]
    data: PathBuf,
    /// The administrator who acts there. Default: the one of the first start.
    #[arg(long = "as", global = true, value_name = "ACCOUNT")]
    acting: Option<String>,
    /// Print JSON, as the API answers it.
    #[arg(long, global = true)]
    json: bool,
}

/// Carries a command out, and prints what came of it.
pub async fn run(command: Command, mut environment: Environment) -> anyhow::Result<()> {
    let (call, target) = match command {
        Command::Whoami(Whoami { target }) => (Call::show(&["user"]), target),
        Command::User(With { what: Users::ResetPassword(arguments), target }) => {
            if target.server.is_none() {
                return reset_password(&arguments, &target.settings(&mut environment)?).await;
            }
            let body = said(json!({ "password": arguments.given()? }));
            (Call::post(&["admin", "users", &arguments.name, "reset-password"], body), target)
        }
        Command::User(With { what: Users::Api(user), target }) => (user.call()?, target),
        Command::Session(with) => (with.what.call(), with.target),
        Command::Token(with) => (with.what.call(), with.target),
        Command::Org(with) => (with.what.call(), with.target),
        Command::Invitation(with) => (with.what.call()?, with.target),
        Command::Team(with) => (with.what.call(), with.target),
        Command::Robot(with) => (with.what.call(), with.target),
        Command::Namespace(with) => (with.what.call(), with.target),
        Command::Repo(with) => (with.what.call(), with.target),
        Command::Grant(with) => (with.what.call(), with.target),
        Command::Tag(with) => (with.what.call(), with.target),
        Command::Image(with) => (with.what.call(), with.target),
        Command::Decision(with) => (with.what.call(), with.target),
    };
    let place = target.place(&mut environment).await?;
    let answered = ask(&place, &call).await;
    place.leave().await;
    print(&answered?, call.columns, target.json)
}

impl Target {
    fn settings(&self, environment: &mut Environment) -> anyhow::Result<Settings> {
        environment.or_set("INDEX_DATA", self.data.to_string_lossy());
        logging::start(environment.get("INDEX_LOG_LEVEL").unwrap_or("warn"))?;
        Settings::read(environment)
    }

    async fn place(&self, environment: &mut Environment) -> anyhow::Result<Place> {
        let Some(url) = &self.server else {
            if self.asking.is_some() {
                return Err(usage("--user is for a --server; on the machine itself say --as"));
            }
            return Place::here(&self.settings(environment)?, self.acting.as_deref()).await;
        };
        if self.acting.is_some() {
            return Err(usage("--as is for the machine itself; with --server say --user"));
        }
        let variable = if self.asking.is_some() { "BERTH_PASSWORD" } else { "BERTH_TOKEN" };
        let secret = environment.secret(variable)?;
        let secret = secret.ok_or_else(|| usage(&format!("--server needs {variable}")))?;
        Place::server(url, self.asking.clone(), secret)
    }
}

/// What is answered: of a list, the entries of all its pages; nothing, if there is nothing to say.
async fn ask(place: &Place, call: &Call) -> anyhow::Result<Value> {
    if call.columns.is_empty() {
        let mut request = place.request(call.method.clone(), &call.path, &call.query, call.body.as_ref())?;
        if call.replaces {
            request = request.header(IF_MATCH, "*");
        }
        return answer(request.send().await?).await;
    }
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = call.query.iter().cloned().chain(cursor.map(|cursor| ("cursor", cursor)));
        let request = place.request(Method::GET, &call.path, &page.collect::<Vec<_>>(), None)?;
        let mut page = answer(request.send().await?).await?;
        if let Some(items) = page.get_mut("items").and_then(Value::as_array_mut) {
            all.append(items);
        }
        cursor = page.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() {
            return Ok(Value::Array(all));
        }
    }
}

/// The body of a good answer; the sentence of another one.
async fn answer(response: Response) -> anyhow::Result<Value> {
    let status = response.status();
    let body: Value = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
    if status.is_success() {
        return Ok(body);
    }
    let said = body.get("detail").or(body.get("title")).and_then(Value::as_str).unwrap_or("it does not say why");
    Err(Failure { code: exit_code(status), said: format!("{said} ({status})") }.into())
}

/// A command that does not say what it must.
fn usage(said: &str) -> anyhow::Error {
    Failure { code: 2, said: said.to_owned() }.into()
}

/// What a program that starts commands goes by, as [`EXIT_CODES`] says.
fn exit_code(status: StatusCode) -> u8 {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => 2,
        StatusCode::NOT_FOUND | StatusCode::GONE => 3,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => 4,
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => 5,
        _ => 1,
    }
}
