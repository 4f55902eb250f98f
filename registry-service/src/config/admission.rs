//! Settings of who is let in: nobody's means open, any of them closes, and one that is broken never opens.

use crate::http::Challenge;
use anyhow::Context;
use server::Environment;
use std::path::PathBuf;
use std::time::Duration;

/// How clients are let in.
#[derive(Debug, Clone)]
pub enum AdmissionSettings {
    /// No setting says anything: everybody, to everything.
    Open,
    /// `REGISTRY_AUTH_HTPASSWD_*`: whoever the file knows, to everything.
    Htpasswd {
        /// `…_PATH`, no default: the file.
        path: PathBuf,
        /// `…_REALM`, default `berth`: what a client shows when it asks for a password.
        realm: String,
    },
    /// `REGISTRY_AUTH_TOKEN_*` and `REGISTRY_INDEX_*`: by registry tokens that an index confirms.
    Tokens(TokenSettings),
}

/// Whose tokens are taken.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    /// `REGISTRY_AUTH_TOKEN_REALM`, no default: the token server's address that clients use.
    pub realm: String,
    /// `REGISTRY_AUTH_TOKEN_SERVICE`, default `berth`: whom the tokens are for.
    pub service: String,
    /// `REGISTRY_AUTH_TOKEN_ISSUER`, default `berth`: who must have issued them.
    pub issuer: String,
    /// `REGISTRY_INDEX_GRACE`, default `5m`: how long pulls with a token confirmed before go on without the index.
    pub grace: Duration,
}

/// Settings of which any one means that tokens are wanted.
const TOKEN_NAMES: [&str; 2] = ["REGISTRY_AUTH_TOKEN", "REGISTRY_INDEX"];

impl AdmissionSettings {
    pub(super) fn from_environment(environment: &Environment) -> anyhow::Result<Self> {
        let tokens = TOKEN_NAMES.iter().find_map(|prefix| environment.mention(prefix));
        let htpasswd = environment.mention("REGISTRY_AUTH_HTPASSWD");
        let chosen = environment.get("REGISTRY_AUTH");
        match (chosen, tokens, htpasswd) {
            (_, Some(tokens), Some(htpasswd)) => anyhow::bail!(
                "{} and {} are both set: keep the one or the other",
                environment.origin(tokens),
                environment.origin(htpasswd)
            ),
            (None | Some("token"), Some(_), None) | (Some("token"), None, None) => tokens_of(environment),
            (None | Some("htpasswd"), None, Some(_)) | (Some("htpasswd"), None, None) => htpasswd_of(environment),
            (None, None, None) => match environment.mention("REGISTRY_AUTH") {
                None => Ok(Self::Open),
                Some(other) => anyhow::bail!(
                    "{} says nothing that this registry knows; set REGISTRY_AUTH_HTPASSWD_PATH or \
                     REGISTRY_AUTH_TOKEN_REALM, or take it away to let everybody in",
                    environment.origin(other)
                ),
            },
            (Some(chosen), _, _) => anyhow::bail!(
                "{} is {chosen:?}, which does not go with the other settings; it can be htpasswd or token",
                environment.origin("REGISTRY_AUTH")
            ),
        }
    }

    /// What a client without credentials is answered; `None` where it needs none.
    pub(super) fn challenge(&self) -> Option<Challenge> {
        match self {
            Self::Open => None,
            Self::Htpasswd { realm, .. } => Some(Challenge::Basic { realm: realm.clone() }),
            Self::Tokens(tokens) => {
                Some(Challenge::Bearer { realm: tokens.realm.clone(), service: tokens.service.clone() })
            }
        }
    }
}

fn tokens_of(environment: &Environment) -> anyhow::Result<AdmissionSettings> {
    const REALM: &str = "REGISTRY_AUTH_TOKEN_REALM";
    let text = |name: &str| environment.get(name).unwrap_or("berth").to_owned();
    let realm = environment
        .get(REALM)
        .context("REGISTRY_AUTH_TOKEN_REALM is not set; it is the address of the index's /token that clients use")?;
    let (realm, service) = (realm.to_owned(), text("REGISTRY_AUTH_TOKEN_SERVICE"));
    for value in [&realm, &service] {
        anyhow::ensure!(
            may_stand_in_quotes(value) && !value.contains(' '),
            "{value:?} cannot stand in a challenge: use letters, digits and the punctuation of a URL"
        );
    }
    let place = super::without_scheme(&realm).split('?').next().unwrap_or_default();
    anyhow::ensure!(
        !place.is_empty() && !place.starts_with('/') && !place.contains("//"),
        "{}={realm:?} cannot be used: say it as https://registry.example/token",
        environment.origin(REALM)
    );
    let grace = super::duration(environment, "REGISTRY_INDEX_GRACE", 5 * 60)?;
    let issuer = text("REGISTRY_AUTH_TOKEN_ISSUER");
    Ok(AdmissionSettings::Tokens(TokenSettings { realm, service, issuer, grace }))
}

fn htpasswd_of(environment: &Environment) -> anyhow::Result<AdmissionSettings> {
    let path = environment
        .get("REGISTRY_AUTH_HTPASSWD_PATH")
        .context("REGISTRY_AUTH_HTPASSWD_PATH is not set; it is the file that `htpasswd -B` writes")?;
    let realm = environment.get("REGISTRY_AUTH_HTPASSWD_REALM").unwrap_or("berth").to_owned();
    anyhow::ensure!(may_stand_in_quotes(&realm), "{realm:?} cannot stand in a challenge: use plain letters and digits");
    Ok(AdmissionSettings::Htpasswd { path: path.into(), realm })
}

fn may_stand_in_quotes(value: &str) -> bool {
    value.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'))
}
