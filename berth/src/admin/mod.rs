//! `berth user|org|team|robot|token|grant …`: the REST API as commands, of the index on this machine or of a server.
//!
//! Every command is one request, or the pages of one list. Must not decide anything: the API does.

mod commands;
mod output;
mod place;

use anyhow::{Context, bail, ensure};
use commands::{Call, Grant, Org, Robot, Team, Token, User};
use index_service::{ResetPasswordArguments, Settings, reset_password};
use output::print;
use place::Place;
use reqwest::{Method, Response};
use serde_json::Value;
use server::{Environment, logging};
use std::path::PathBuf;

/// What is administered.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Accounts of people.
    User(With<Users>),
    /// Organisations and their members.
    Org(With<Org>),
    /// Teams of an organisation.
    Team(With<Team>),
    /// Machine accounts of an organisation.
    Robot(With<Robot>),
    /// Your own access tokens.
    Token(With<Token>),
    /// Roles on a namespace or a repository.
    Grant(With<Grant>),
}

/// What is done about accounts.
#[derive(clap::Subcommand)]
pub enum Users {
    /// Give an account another password and sign it out everywhere, on this machine.
    ResetPassword(ResetPasswordArguments),
    /// What the API does.
    #[command(flatten)]
    Api(User),
}

/// A command, and where it goes.
#[derive(clap::Args)]
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
        Command::User(With { what: Users::ResetPassword(arguments), target }) => {
            ensure!(target.server.is_none(), "reset-password is for the machine itself, without --server");
            return reset_password(&arguments, &target.settings(&mut environment)?).await;
        }
        Command::User(With { what: Users::Api(user), target }) => (user.call()?, target),
        Command::Org(with) => (with.what.call(), with.target),
        Command::Team(with) => (with.what.call(), with.target),
        Command::Robot(with) => (with.what.call(), with.target),
        Command::Token(with) => (with.what.call()?, with.target),
        Command::Grant(with) => (with.what.call(), with.target),
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
            ensure!(self.asking.is_none(), "--user is for a --server; on the machine itself say --as");
            return Place::here(&self.settings(environment)?, self.acting.as_deref()).await;
        };
        ensure!(self.acting.is_none(), "--as is for the machine itself; with --server say --user");
        let variable = if self.asking.is_some() { "BERTH_PASSWORD" } else { "BERTH_TOKEN" };
        let secret = environment.secret(variable)?.with_context(|| format!("--server needs {variable}"))?;
        Place::server(url, self.asking.clone(), secret)
    }
}

/// What is answered: of a list, the entries of all its pages; nothing, if there is nothing to say.
async fn ask(place: &Place, call: &Call) -> anyhow::Result<Value> {
    if call.columns.is_empty() {
        return answer(place.request(call.method.clone(), &call.path, &[], call.body.as_ref())?.send().await?).await;
    }
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page: Vec<_> = cursor.as_deref().map(|cursor| ("cursor", cursor)).into_iter().collect();
        let mut page = answer(place.request(Method::GET, &call.path, &page, None)?.send().await?).await?;
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
    bail!("{said} ({status})")
}
