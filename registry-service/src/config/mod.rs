//! The registry's settings, from `REGISTRY_*` variables under the names that users of Distribution know.
//!
//! Must not do what a setting asks for. A setting that would open a door if it were ignored stops the start instead.

mod admission;
mod names;

pub use admission::{AdmissionSettings, TokenSettings};

use crate::domain::Policy;
use crate::http::Front;
use anyhow::Context;
use names::{FORBIDDING, KNOWN, REFUSED, WORDS_OR_MAPS};
use server::{Environment, TlsFiles};
use shared::Networks;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

const HOUR: u64 = 60 * 60;

/// What both the split program and `berth` need.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY`, default `/var/lib/registry`: the folder with everything stored.
    pub root: PathBuf,
    /// `REGISTRY_AUTH_*` and `REGISTRY_INDEX_*`; with none of them the registry is open.
    pub admission: AdmissionSettings,
    /// What clients may do at all.
    pub policy: Policy,
    /// `REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_*`.
    pub purge: PurgeSettings,
    /// `REGISTRY_HTTP_HOST`, no default: the URL that clients use, where a `Location` must say it.
    pub host: Option<String>,
    /// `REGISTRY_HTTP_ALLOW`, default everybody: from where it is served, as `10.0.0.0/8,fd00::/8`.
    pub allowed: Networks,
    /// `REGISTRY_HTTP_TRUSTED_PROXIES`, default nobody: proxies whose word about a client's address counts.
    pub trusted_proxies: Networks,
    /// `REGISTRY_HTTP_TLS_CERTIFICATE` and `…_KEY`, no default: with them only TLS is spoken.
    pub tls: Option<TlsFiles>,
    /// `REGISTRY_HTTP_ACCEL`, no default: the internal location, as `/berth-blobs/`, from which the nginx in front sends
    /// the files below `blobs/`. Only where nothing but that nginx reaches this registry.
    pub accel: Option<String>,
}

/// When uploads that nobody goes on with are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurgeSettings {
    /// `…_ENABLED`, default true.
    pub enabled: bool,
    /// `…_AGE`, default `168h`: from its beginning.
    pub age: Duration,
    /// `…_INTERVAL`, default `24h`: between two looks.
    pub interval: Duration,
    /// `…_DRYRUN`, default false: only tell which would go.
    pub dry_run: bool,
}

/// What only the split program needs.
#[derive(Debug, Clone)]
pub struct SplitSettings {
    /// The rest.
    pub common: Settings,
    /// `REGISTRY_INDEX_URL`, as `http://index:5001`: the index; there whenever tokens are asked for, and only then.
    pub index_url: Option<String>,
    /// `REGISTRY_HTTP_ADDR`, default `:5000`, which is `0.0.0.0:5000`: where to listen.
    pub address: SocketAddr,
}

/// Reads variables that hold a map, as `REGISTRY_STORAGE_MAINTENANCE_READONLY={enabled: true}`; an error names one of which
/// the map cannot be read.
pub fn spread_maps(environment: &mut Environment) -> anyhow::Result<()> {
    let is_below = |known: &str, name: &str| known.strip_prefix(name).is_some_and(|rest| rest.starts_with('_'));
    let known = || KNOWN.iter().copied().chain(REFUSED.iter().map(|(name, _)| *name));
    environment.spread_maps("REGISTRY_", |name, value| {
        let is_word = value.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let may_be_a_map = !KNOWN.contains(&name) || WORDS_OR_MAPS.contains(&name) && !is_word;
        may_be_a_map && known().any(|known| is_below(known, name))
    })
}

impl Settings {
    /// Reads the environment; an error names the variable and what to do.
    pub fn from_environment(environment: &Environment) -> anyhow::Result<Self> {
        for (prefix, reason) in REFUSED {
            if let Some(name) = environment.mention(prefix) {
                anyhow::bail!("{} is set, but {reason}", environment.origin(name));
            }
        }
        FORBIDDING.iter().try_for_each(|prefix| environment.refuse_unknown(prefix, KNOWN))?;
        let version = environment.get("REGISTRY_VERSION").unwrap_or("0.1");
        anyhow::ensure!(version == "0.1", "the settings file has version {version}, and only 0.1 is known");
        let storage = environment.get("REGISTRY_STORAGE").unwrap_or("filesystem");
        anyhow::ensure!(
            storage == "filesystem",
            "storage is {storage:?}, but this registry stores on a file system only"
        );
        let admission = AdmissionSettings::from_environment(environment)?;
        environment.warn_about_unknown("REGISTRY_", KNOWN);
        Ok(Self {
            root: environment.get("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY").unwrap_or("/var/lib/registry").into(),
            admission,
            policy: Policy {
                deletes: environment.flag("REGISTRY_STORAGE_DELETE_ENABLED", true)?,
                read_only: environment.flag("REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED", false)?,
            },
            purge: PurgeSettings {
                enabled: environment.flag("REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_ENABLED", true)?,
                age: duration(environment, "REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_AGE", 168 * HOUR)?,
                interval: duration(environment, "REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_INTERVAL", 24 * HOUR)?,
                dry_run: environment.flag("REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_DRYRUN", false)?,
            },
            host: host(environment)?,
            allowed: environment.networks("REGISTRY_HTTP_ALLOW")?,
            trusted_proxies: environment.networks("REGISTRY_HTTP_TRUSTED_PROXIES")?,
            tls: tls(environment)?,
            accel: accel(environment)?,
        })
    }

    /// What is told to clients from outside.
    pub fn front(&self) -> Front {
        Front {
            challenge: self.admission.challenge(),
            host: self.host.clone(),
            allowed: self.allowed.clone(),
            trusted_proxies: self.trusted_proxies.clone(),
            accel: self.accel.clone(),
        }
    }
}

impl SplitSettings {
    /// Reads the environment; an error names the variable and what to do.
    pub fn from_environment(environment: &Environment) -> anyhow::Result<Self> {
        let common = Settings::from_environment(environment)?;
        let index_url = environment.get("REGISTRY_INDEX_URL").map(str::to_owned);
        anyhow::ensure!(
            index_url.is_some() || !matches!(common.admission, AdmissionSettings::Tokens(_)),
            "REGISTRY_INDEX_URL is not set; it is the index's own address, as http://index:5001"
        );
        Ok(Self { address: address(environment)?, index_url, common })
    }
}

/// Where to listen: a port alone, as `:5000`, means every address of IPv4, and `[::]:5000` those of IPv6 too.
pub fn address(environment: &Environment) -> anyhow::Result<SocketAddr> {
    const NAME: &str = "REGISTRY_HTTP_ADDR";
    let text = environment.get(NAME).unwrap_or(":5000");
    let whole = if text.starts_with(':') { format!("0.0.0.0{text}") } else { text.to_owned() };
    let unusable =
        || format!("{}={text:?} cannot be used: say an address and a port, as :5000", environment.origin(NAME));
    let mut found = whole.to_socket_addrs().with_context(unusable)?;
    found.next().with_context(unusable)
}

/// A time, as `168h` or `1h30m`.
fn duration(environment: &Environment, name: &str, default_seconds: u64) -> anyhow::Result<Duration> {
    let parsed = environment.parse::<jiff::SignedDuration>(name)?;
    let time = parsed.map_or(Ok(Duration::from_secs(default_seconds)), Duration::try_from);
    time.with_context(|| format!("{} is less than nothing", environment.origin(name)))
}

/// A location of nginx: a path that begins and ends with a slash.
fn accel(environment: &Environment) -> anyhow::Result<Option<String>> {
    const NAME: &str = "REGISTRY_HTTP_ACCEL";
    let Some(location) = environment.get(NAME) else { return Ok(None) };
    let is_plain = location.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_".contains(&byte));
    anyhow::ensure!(
        is_plain && location.len() > 1 && location.starts_with('/') && location.ends_with('/'),
        "{}={location:?} cannot be used: say it as /berth-blobs/",
        environment.origin(NAME)
    );
    Ok(Some(location.to_owned()))
}

/// `scheme://host`, without a path: everything is served from the root.
fn host(environment: &Environment) -> anyhow::Result<Option<String>> {
    const NAME: &str = "REGISTRY_HTTP_HOST";
    let Some(host) = environment.get(NAME).map(|host| host.trim_end_matches('/')) else { return Ok(None) };
    let authority = without_scheme(host);
    let is_plain = !authority.is_empty() && authority.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
    anyhow::ensure!(
        is_plain,
        "{}={host:?} cannot be used: say it as https://registry.example",
        environment.origin(NAME)
    );
    Ok(Some(host.to_owned()))
}

/// What follows the scheme of a URL of HTTP; empty if it is none.
fn without_scheme(url: &str) -> &str {
    url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default()
}

fn tls(environment: &Environment) -> anyhow::Result<Option<TlsFiles>> {
    const LEAST: &str = "REGISTRY_HTTP_TLS_MINIMUMTLS";
    let least = environment.get(LEAST).unwrap_or("tls1.2");
    anyhow::ensure!(
        matches!(least, "tls1.0" | "tls1.1" | "tls1.2"),
        "{}={least:?} cannot be had: clients may speak 1.2 as well as 1.3; let a proxy in front refuse it",
        environment.origin(LEAST)
    );
    let [certificate, key] =
        ["REGISTRY_HTTP_TLS_CERTIFICATE", "REGISTRY_HTTP_TLS_KEY"].map(|name| environment.get(name));
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate: certificate.into(), key: key.into() })),
        (None, None) if environment.mention("REGISTRY_HTTP_TLS").is_none() => Ok(None),
        _ => anyhow::bail!("TLS needs both REGISTRY_HTTP_TLS_CERTIFICATE and REGISTRY_HTTP_TLS_KEY"),
    }
}
