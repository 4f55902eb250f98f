//! Which addresses are served, and which address a client has behind proxies.

use ipnet::IpNet;
use std::net::IpAddr;

/// The ranges that an operator has named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressRules {
    /// Who is served; everybody if there is none.
    pub allowed: Vec<IpNet>,
    /// Proxies whose word about a client's address counts.
    pub proxies: Vec<IpNet>,
}

impl AddressRules {
    /// Whether a client is served that is connected from `peer`, through what `forwarded`, the values of
    /// `X-Forwarded-For`, says.
    pub fn admit(&self, peer: Option<IpAddr>, forwarded: &[&str]) -> bool {
        if self.allowed.is_empty() {
            return true;
        }
        self.client(peer, forwarded).is_some_and(|client| contains(&self.allowed, client))
    }

    /// The last hop that no trusted proxy stands for. Each proxy adds, at the end, whom it was asked by: what stands
    /// before the first stranger is that stranger's own word. `None` if a trusted proxy says what is no address.
    fn client(&self, peer: Option<IpAddr>, forwarded: &[&str]) -> Option<IpAddr> {
        let mut client = peer?.to_canonical();
        for hop in forwarded.iter().rev().flat_map(|value| value.rsplit(',')) {
            if !contains(&self.proxies, client) {
                break;
            }
            client = hop.trim().parse::<IpAddr>().ok()?.to_canonical();
        }
        Some(client)
    }
}

fn contains(ranges: &[IpNet], address: IpAddr) -> bool {
    ranges.iter().any(|range| range.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (peer, `X-Forwarded-For`, served?) with 10.1.0.0/16 and `fd00::/8` allowed, and 10.9.0.1 and 10.9.0.2 as proxies.
    const CLIENTS: &[(&str, &[&str], bool)] = &[
        ("10.1.2.3", &[], true),
        ("10.2.2.3", &[], false),
        ("fd00::1", &[], true),
        ("fe80::1", &[], false),
        ("::ffff:10.1.2.3", &[], true),
        ("10.2.2.3", &["10.1.2.3"], false),
        ("10.1.2.3", &["8.8.8.8"], true),
        ("10.9.0.1", &["10.1.2.3"], true),
        ("10.9.0.1", &["8.8.8.8"], false),
        ("10.9.0.1", &["10.1.2.3, 8.8.8.8"], false),
        ("10.9.0.1", &["8.8.8.8, 10.1.2.3"], true),
        ("10.9.0.1", &["10.1.2.3, 10.9.0.2"], true),
        ("10.9.0.1", &["8.8.8.8,10.9.0.2"], false),
        ("10.9.0.1", &["8.8.8.8", "10.1.2.3"], true),
        ("10.9.0.1", &["10.1.2.3", "8.8.8.8"], false),
        ("10.9.0.1", &["10.1.2.3, nonsense"], false),
        ("10.9.0.1", &["nonsense, 10.1.2.3"], true),
        ("10.9.0.1", &[""], false),
        ("10.9.0.1", &[], false),
    ];

    #[test]
    fn the_last_hop_that_no_trusted_proxy_stands_for_decides() {
        let ranges = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let rules = AddressRules {
            allowed: ranges(&["10.1.0.0/16", "fd00::/8"]),
            proxies: ranges(&["10.9.0.1/32", "10.9.0.2/32"]),
        };
        for (peer, forwarded, served) in CLIENTS {
            assert_eq!(rules.admit(Some(peer.parse().unwrap()), forwarded), *served, "{peer} {forwarded:?}");
        }
        assert!(!rules.admit(None, &[]));
        assert!(AddressRules::default().admit(None, &[]));
    }
}
