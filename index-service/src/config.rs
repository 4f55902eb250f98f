//! The index's settings, from the environment. Each field says its variable and its default.
//!
//! Must not open or make anything.

use crate::domain::GuessRates;
use crate::model::rate::Rate;
use crate::model::sign_up::SignUp;
use anyhow::{Context, bail};
use jiff::SignedDuration;
use server::Environment;
use shared::Networks;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Every variable of the index; a secret has a `*_FILE` twin.
const KNOWN: [&str; 21] = [
    "INDEX_PUBLIC_URL",
    "INDEX_HTTP_ADDR",
    "INDEX_DATA",
    "INDEX_DATABASE_URL",
    "INDEX_SIGNUP",
    "INDEX_ADMIN_USER",
    "INDEX_ADMIN_PASSWORD",
    "INDEX_ADMIN_PASSWORD_FILE",
    "INDEX_SERVICE",
    "INDEX_ISSUER",
    "INDEX_TOKEN_LIFETIME",
    "INDEX_TOKEN_X5C",
    "INDEX_INTERNAL_SECRET",
    "INDEX_INTERNAL_SECRET_FILE",
    "INDEX_INTERNAL_SECRET_PATH",
    "INDEX_REGISTRY_URL",
    "INDEX_TRUSTED_PROXIES",
    "INDEX_SIGN_UPS_PER_ADDRESS",
    "INDEX_WRONG_PASSWORDS_PER_ADDRESS",
    "INDEX_WRONG_PASSWORDS_PER_ACCOUNT",
    "INDEX_LOG_LEVEL",
];

/// How this index runs. It does not print itself: it holds secrets.
pub struct Settings {
    /// `INDEX_HTTP_ADDR`: where the split program listens. Default `127.0.0.1:5001`.
    pub address: SocketAddr,
    /// `INDEX_PUBLIC_URL`: the address for people and clients. Default `http://localhost:` and the port listened on.
    pub public_url: String,
    /// The origin of that address, as browsers write it.
    pub origin: String,
    /// `INDEX_DATA`: the folder of database, token key and first password. Default `./index-data`.
    pub data: PathBuf,
    /// `INDEX_DATABASE_URL`: as `sqlite:<path>`. Default `index.sqlite` in the data folder.
    pub database_url: String,
    /// `INDEX_SIGNUP`: who may make an account: with `closed` only an administrator, with `invite` also whoever has an
    /// invitation that allows it, with `open` everybody for oneself. Default `closed`.
    pub sign_up: SignUp,
    /// `INDEX_SIGN_UPS_PER_ADDRESS`: how many may sign up from one address in a minute; 0 for as many as like. Default 10.
    pub sign_ups_per_address: Rate,
    /// `INDEX_ADMIN_USER`: the account made at the first start. Default `admin`.
    pub admin_user: String,
    /// `INDEX_ADMIN_PASSWORD`, or a file in `INDEX_ADMIN_PASSWORD_FILE`: its password. Default: a random one.
    pub admin_password: Option<String>,
    /// `INDEX_SERVICE`: the registry that tokens are for, their `aud`. Default `berth`.
    pub service: String,
    /// `INDEX_ISSUER`: the `iss` of tokens. Default `berth`.
    pub issuer: String,
    /// `INDEX_TOKEN_LIFETIME`, from `5s` to `1h`, default `5m`: how long a registry token lives, in seconds. A push may outlive
    /// it, and what is revoked ends sooner. Clients take each token to live for a minute at least, so less than `1m` is for trying
    /// what they do when it has ended.
    pub token_lifetime: u64,
    /// `INDEX_TOKEN_X5C`: whether tokens carry the certificate of their key, for registries that know keys by a bundle of
    /// certificates alone. Default false: registries that know them by a key set refuse such tokens.
    pub x5c: bool,
    /// `INDEX_INTERNAL_SECRET`, or a file in `INDEX_INTERNAL_SECRET_FILE`: what registries show. Default: none.
    pub internal_secret: Option<String>,
    /// `INDEX_INTERNAL_SECRET_PATH`: without a secret given, a file with a random one, made if missing. Default: none,
    /// and with neither there is no internal API.
    pub internal_secret_path: Option<PathBuf>,
    /// `INDEX_REGISTRY_URL`, as `http://registry:5000`: a registry that the split program calls to put away, restore, purge
    /// and rename repositories. Default: none, and all of that waits.
    pub registry_url: Option<String>,
    /// `INDEX_TRUSTED_PROXIES`, as `10.0.0.0/8,fd00::/8`: proxies whose `X-Forwarded-For` counts. Default: none.
    pub trusted_proxies: Networks,
    /// `INDEX_WRONG_PASSWORDS_PER_ADDRESS`, default 20, and `INDEX_WRONG_PASSWORDS_PER_ACCOUNT`, default 60: how many wrong
    /// passwords a minute are looked at, from one address and for one account; 0 is no limit. Where an account signed in during
    /// the last 30 days, what others guess is not in its way; and from anywhere else a few tries a day are looked at, one by
    /// one, when the account's limit is reached. So a crowd locks nobody out.
    pub wrong_passwords: GuessRates,
    /// `INDEX_LOG_LEVEL`: `error`, `warn`, `info`, `debug`, `trace`, or a filter. Default `info`.
    pub log_level: String,
}

impl Settings {
    /// Reads them; an error names the variable.
    pub fn read(environment: &Environment) -> anyhow::Result<Self> {
        let text = |name: &str, default: &str| environment.get(name).unwrap_or(default).to_owned();
        let address: SocketAddr =
            environment.parse("INDEX_HTTP_ADDR")?.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 5001)));
        let data = PathBuf::from(text("INDEX_DATA", "./index-data"));
        let database = data.join("index.sqlite");
        let database = database.to_str().context("INDEX_DATA is not UTF-8")?;
        let public_url = public_url(environment, address.port())?;
        Ok(Self {
            address,
            origin: origin(&public_url)?,
            public_url,
            database_url: text("INDEX_DATABASE_URL", &format!("sqlite:{database}")),
            data,
            sign_up: environment.parse("INDEX_SIGNUP")?.unwrap_or(SignUp::Closed),
            sign_ups_per_address: Rate::a_minute(environment.parse("INDEX_SIGN_UPS_PER_ADDRESS")?.unwrap_or(10)),
            admin_user: text("INDEX_ADMIN_USER", "admin"),
            admin_password: environment.secret("INDEX_ADMIN_PASSWORD")?,
            service: text("INDEX_SERVICE", "berth"),
            issuer: text("INDEX_ISSUER", "berth"),
            token_lifetime: token_lifetime(environment)?,
            x5c: environment.flag("INDEX_TOKEN_X5C", false)?,
            internal_secret: environment.secret("INDEX_INTERNAL_SECRET")?,
            internal_secret_path: environment.get("INDEX_INTERNAL_SECRET_PATH").map(PathBuf::from),
            registry_url: url(environment, "INDEX_REGISTRY_URL")?,
            trusted_proxies: environment.networks("INDEX_TRUSTED_PROXIES")?,
            wrong_passwords: GuessRates {
                per_address: Rate::a_minute(environment.parse("INDEX_WRONG_PASSWORDS_PER_ADDRESS")?.unwrap_or(20)),
                per_account: Rate::a_minute(environment.parse("INDEX_WRONG_PASSWORDS_PER_ACCOUNT")?.unwrap_or(60)),
            },
            log_level: text("INDEX_LOG_LEVEL", "info"),
        })
    }

    /// Warns about variables that look like the index's and are not.
    pub fn warn_about_unknown(environment: &Environment) {
        environment.warn_about_unknown("INDEX_", &KNOWN);
    }
}

fn public_url(environment: &Environment, port: u16) -> anyhow::Result<String> {
    Ok(url(environment, "INDEX_PUBLIC_URL")?.unwrap_or_else(|| format!("http://localhost:{port}")))
}

fn token_lifetime(environment: &Environment) -> anyhow::Result<u64> {
    const NAME: &str = "INDEX_TOKEN_LIFETIME";
    let lifetime = environment.parse::<SignedDuration>(NAME)?.unwrap_or(SignedDuration::from_mins(5));
    if !(SignedDuration::from_secs(5)..=SignedDuration::from_hours(1)).contains(&lifetime) {
        bail!("{NAME} is from 5s to 1h");
    }
    Ok(lifetime.unsigned_abs().as_secs())
}

fn origin(public_url: &str) -> anyhow::Result<String> {
    let url =
        reqwest::Url::parse(public_url).with_context(|| format!("INDEX_PUBLIC_URL={public_url:?} cannot be used"))?;
    Ok(url.origin().ascii_serialization())
}

fn url(environment: &Environment, name: &str) -> anyhow::Result<Option<String>> {
    let Some(url) = environment.get(name) else { return Ok(None) };
    if !url.starts_with("http://") && !url.starts_with("https://") {
        bail!("{name}={url:?} cannot be used: it begins with http:// or https://");
    }
    Ok(Some(url.trim_end_matches('/').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> anyhow::Result<Settings> {
        Settings::read(&variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn everything_has_a_default() {
        let settings = settings(&[("INDEX_HTTP_ADDR", "0.0.0.0:80"), ("INDEX_DATA", "/data")]).unwrap();
        assert_eq!(settings.public_url, "http://localhost:80");
        assert_eq!(settings.database_url, "sqlite:/data/index.sqlite");
        assert_eq!(settings.admin_user, "admin");
        let GuessRates { per_address, per_account } = settings.wrong_passwords;
        assert_eq!((per_address, per_account), (Rate::a_minute(20), Rate::a_minute(60)));
    }

    #[test]
    fn a_public_url_loses_its_last_slash_and_has_a_scheme() {
        assert_eq!(settings(&[("INDEX_PUBLIC_URL", "https://hub/")]).unwrap().public_url, "https://hub");
        assert!(settings(&[("INDEX_PUBLIC_URL", "hub")]).is_err());
        assert!(settings(&[("INDEX_PUBLIC_URL", "https://")]).is_err());
        let origin = settings(&[("INDEX_PUBLIC_URL", "https://Hub.example:443/berth/")]).unwrap().origin;
        assert_eq!(origin, "https://hub.example");
        assert!(settings(&[("INDEX_REGISTRY_URL", "registry:5000")]).is_err());
    }

    #[test]
    fn a_token_lives_for_some_seconds_at_least_and_an_hour_at_most() {
        let lifetime = |text| settings(&[("INDEX_TOKEN_LIFETIME", text)]).map(|settings| settings.token_lifetime).ok();
        let lifetimes = ["", "5s", "90s", "1h", "4s", "61m", "-5m", "5"].map(lifetime);
        assert_eq!(lifetimes, [Some(300), Some(5), Some(90), Some(3600), None, None, None, None]);
    }

    #[test]
    fn sign_up_is_closed_unless_it_is_opened_in_so_many_words() {
        for (variables, expected) in [
            (&[] as &[_], Some(SignUp::Closed)),
            (&[("INDEX_SIGNUP", "closed")], Some(SignUp::Closed)),
            (&[("INDEX_SIGNUP", "invite")], Some(SignUp::Invite)),
            (&[("INDEX_SIGNUP", "open")], Some(SignUp::Open)),
            (&[("INDEX_SIGNUP", "yes")], None),
            (&[("INDEX_SIGNUP", "Open")], None),
        ] {
            assert_eq!(settings(variables).ok().map(|settings| settings.sign_up), expected, "{variables:?}");
        }
    }
}
