//! Ranges of addresses, and which address a client has behind proxies.
//!
//! Must not know where an address or a header comes from.

use crate::name::RepositoryName;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Ranges of addresses, each as `10.0.0.0/8`, or as `10.0.0.1` for a single one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Networks(Vec<IpNet>);

/// From where a registry token may be used. It does not say so itself: the index does when it confirms it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// For anything at all: the ranges of the secret that it was issued for.
    #[serde(default, skip_serializing_if = "Networks::is_empty")]
    pub token: Networks,
    /// For repositories whose namespace has ranges of its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub repositories: BTreeMap<RepositoryName, Networks>,
}

impl Reach {
    /// Whether the token opens anything for a client at `from`.
    pub fn admits(&self, from: Option<IpAddr>) -> bool {
        self.token.admit(from)
    }

    /// Whether it opens anything of `repository` for a client at `from`.
    pub fn opens(&self, repository: &RepositoryName, from: Option<IpAddr>) -> bool {
        self.admits(from) && self.repositories.get(repository).is_none_or(|networks| networks.admit(from))
    }
}

/// Why a text is no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no range of addresses: say it as 10.0.0.0/8, fd00::/8, or 10.0.0.1 for a single address")]
pub struct NetworkError(String);

impl Networks {
    /// Each range once, in order.
    pub fn ranges(&self) -> &[IpNet] {
        &self.0
    }

    /// Whether no range is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `address` lies in one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|range| range.contains(&address))
    }

    /// Whether they let in a client at `address`: everybody where no range is named, nobody whose address is not known else.
    pub fn admit(&self, address: Option<IpAddr>) -> bool {
        self.is_empty() || address.is_some_and(|address| self.contains(address))
    }

    /// The address of a client that is connected from `peer` through what `forwarded`, the values of `X-Forwarded-For`, says,
    /// where these are the ranges of the proxies that are trusted.
    ///
    /// It is the last hop that no trusted proxy stands for. Each proxy adds, at the end, whom it was asked by: what stands
    /// before the first stranger is that stranger's own word. `None` if a trusted proxy says what is no address.
    pub fn client_behind(&self, peer: Option<IpAddr>, forwarded: &[&str]) -> Option<IpAddr> {
        let mut client = peer?.to_canonical();
        for hop in forwarded.iter().rev().flat_map(|value| value.rsplit(',')) {
            if !self.contains(client) {
                break;
            }
            client = hop.trim().parse::<IpAddr>().ok()?.to_canonical();
        }
        Some(client)
    }
}

fn range(text: &str) -> Result<IpNet, NetworkError> {
    let range = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(|one| IpNet::from(one.to_canonical())));
    range.map(|range| range.trunc()).map_err(|_| NetworkError(text.to_owned()))
}

impl TryFrom<Vec<String>> for Networks {
    type Error = NetworkError;

    fn try_from(texts: Vec<String>) -> Result<Self, NetworkError> {
        let mut ranges: Vec<IpNet> = texts.iter().map(|text| range(text.trim())).collect::<Result<_, _>>()?;
        ranges.sort_unstable();
        ranges.dedup();
        Ok(Self(ranges))
    }
}

impl From<Networks> for Vec<String> {
    fn from(networks: Networks) -> Self {
        networks.0.iter().map(IpNet::to_string).collect()
    }
}

/// With commas between them; nothing where there is none.
impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Vec::from(self.clone()).join(","))
    }
}

impl FromStr for Networks {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        text.split(',').map(str::to_owned).collect::<Vec<_>>().try_into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(text: &str) -> Networks {
        text.parse().unwrap()
    }

    #[test]
    fn ranges_are_written_as_they_are_meant() {
        for (text, written) in [
            ("", ""),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("fd00::/8, 10.1.2.3/8, 10.0.0.0/8", "10.0.0.0/8,fd00::/8"),
            ("127.0.0.1,::ffff:127.0.0.2", "127.0.0.1/32,127.0.0.2/32"),
        ] {
            assert_eq!(networks(text).to_string(), written, "{text}");
            assert_eq!(networks(written), networks(text), "{text}");
        }
        for text in ["x", "10.0.0.0/33", "10.0.0.0/8,", ",", "10.0.0", "fd00::/129", "10.0.0.0-10.0.0.9"] {
            assert!(text.parse::<Networks>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_who_is_in_a_range_is_let_in_where_there_is_one() {
        let inside = networks("10.0.0.0/8,fd00::/8");
        for (address, is_in) in
            [("10.1.2.3", true), ("11.1.2.3", false), ("::ffff:10.1.2.3", true), ("fd00::1", true), ("fe80::1", false)]
        {
            let address = Some(address.parse().unwrap());
            assert_eq!(inside.admit(address), is_in, "{address:?}");
            assert!(Networks::default().admit(address));
        }
        assert!(!inside.admit(None) && Networks::default().admit(None));
    }

    /// (peer, `X-Forwarded-For`, client) with 10.9.0.1 and 10.9.0.2 as proxies.
    const CLIENTS: &[(&str, &[&str], &str)] = &[
        ("10.1.2.3", &[], "10.1.2.3"),
        ("::ffff:10.1.2.3", &[], "10.1.2.3"),
        ("10.2.2.3", &["10.1.2.3"], "10.2.2.3"),
        ("10.9.0.1", &["10.1.2.3"], "10.1.2.3"),
        ("10.9.0.1", &["10.1.2.3, 8.8.8.8"], "8.8.8.8"),
        ("10.9.0.1", &["8.8.8.8, 10.1.2.3"], "10.1.2.3"),
        ("10.9.0.1", &["10.1.2.3, 10.9.0.2"], "10.1.2.3"),
        ("10.9.0.1", &["8.8.8.8,10.9.0.2"], "8.8.8.8"),
        ("10.9.0.1", &["8.8.8.8", "10.1.2.3"], "10.1.2.3"),
        ("10.9.0.1", &["10.1.2.3", "8.8.8.8"], "8.8.8.8"),
        ("10.9.0.1", &["10.1.2.3, nonsense"], ""),
        ("10.9.0.1", &["nonsense, 10.1.2.3"], "10.1.2.3"),
        ("10.9.0.1", &[""], ""),
        ("10.9.0.1", &[], "10.9.0.1"),
        ("10.9.0.1", &["fd00::1"], "fd00::1"),
    ];

    #[test]
    fn the_client_is_the_last_hop_that_no_trusted_proxy_stands_for() {
        let proxies = networks("10.9.0.1,10.9.0.2");
        for (peer, forwarded, client) in CLIENTS {
            let found = proxies.client_behind(Some(peer.parse().unwrap()), forwarded);
            assert_eq!(found, client.parse().ok(), "{peer} {forwarded:?}");
        }
        assert_eq!(proxies.client_behind(None, &[]), None);
    }
}
