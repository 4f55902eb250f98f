//! The registry's settings, from `REGISTRY_*` variables under the names that users of Distribution know.

use crate::http::Challenge;
use anyhow::Context;
use server::Environment;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

const KNOWN: [&str; 9] = [
    "REGISTRY_HTTP_ADDR",
    "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY",
    "REGISTRY_INDEX_URL",
    "REGISTRY_INDEX_SECRET",
    "REGISTRY_INDEX_GRACE",
    "REGISTRY_AUTH_TOKEN_REALM",
    "REGISTRY_AUTH_TOKEN_SERVICE",
    "REGISTRY_AUTH_TOKEN_ISSUER",
    "REGISTRY_LOG_LEVEL",
];

/// What both the split program and `berth` need.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY`, default `/var/lib/registry`: the folder with everything stored.
    pub root: PathBuf,
    /// `REGISTRY_AUTH_TOKEN_REALM`, no default; and `REGISTRY_AUTH_TOKEN_SERVICE`, default `berth`.
    pub challenge: Challenge,
    /// `REGISTRY_AUTH_TOKEN_ISSUER`, default `berth`: who must have issued a token.
    pub issuer: String,
    /// `REGISTRY_INDEX_GRACE`, default `5m`: how long pulls with a token confirmed before go on without the index.
    pub grace: Duration,
}

/// What only the split program needs.
#[derive(Debug, Clone)]
pub struct SplitSettings {
    /// The rest.
    pub common: Settings,
    /// `REGISTRY_HTTP_ADDR`, default `0.0.0.0:5000`: where to listen.
    pub address: SocketAddr,
    /// `REGISTRY_INDEX_URL`, no default: the index, as `http://index:5001`.
    pub index_url: String,
}

impl Settings {
    /// Reads the environment; an error names the variable and what to do.
    pub fn from_environment(environment: &Environment) -> anyhow::Result<Self> {
        environment.warn_about_unknown("REGISTRY_", &KNOWN);
        let text = |name: &str, default: &str| environment.get(name).unwrap_or(default).to_owned();
        let realm = environment.get("REGISTRY_AUTH_TOKEN_REALM").context(
            "REGISTRY_AUTH_TOKEN_REALM is not set; it is the address of the index's /token that clients use",
        )?;
        let challenge = Challenge { realm: realm.to_owned(), service: text("REGISTRY_AUTH_TOKEN_SERVICE", "berth") };
        for value in [&challenge.realm, &challenge.service] {
            anyhow::ensure!(
                !value.contains(['"', '\\']) && value.chars().all(|letter| letter.is_ascii_graphic()),
                "{value:?} cannot stand in a challenge: use letters, digits and the punctuation of a URL"
            );
        }
        let grace = environment.parse::<jiff::SignedDuration>("REGISTRY_INDEX_GRACE")?;
        Ok(Self {
            root: text("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "/var/lib/registry").into(),
            challenge,
            issuer: text("REGISTRY_AUTH_TOKEN_ISSUER", "berth"),
            grace: grace.map_or(Ok(Duration::from_mins(5)), Duration::try_from).context("REGISTRY_INDEX_GRACE")?,
        })
    }
}

impl SplitSettings {
    /// Reads the environment; an error names the variable and what to do.
    pub fn from_environment(environment: &Environment) -> anyhow::Result<Self> {
        let index_url = environment
            .get("REGISTRY_INDEX_URL")
            .context("REGISTRY_INDEX_URL is not set; it is the index's own address, as http://index:5001")?;
        Ok(Self {
            index_url: index_url.to_owned(),
            address: environment.parse("REGISTRY_HTTP_ADDR")?.unwrap_or_else(|| ([0, 0, 0, 0], 5000).into()),
            common: Settings::from_environment(environment)?,
        })
    }
}
