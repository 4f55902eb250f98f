//! Where a subject asks from: as ranges of addresses are asked about it, and what counts as one address.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where a subject asks from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Not asked about here: a registry has compared the client's address itself, or nobody is asking at this moment.
    Anywhere,
    /// From this address; `None` if it is not known, which lies in no range.
    Client(Option<IpAddr>),
}

impl Origin {
    /// The address as rows compare it: `*` for [`Origin::Anywhere`], nothing for an unknown one.
    pub fn as_key(self) -> String {
        match self {
            Self::Anywhere => "*".to_owned(),
            Self::Client(None) => String::new(),
            Self::Client(Some(address)) => key(address),
        }
    }
}

/// The first and the last address of a range, as rows compare them.
pub fn bounds(range: &IpNet) -> [String; 2] {
    [range.network(), range.broadcast()].map(key)
}

/// What counts as one address: who has one of IPv6 has the 2^64 beside it too. Those that are not known are one.
pub fn network(from: Option<IpAddr>) -> IpAddr {
    match from.map(|from| from.to_canonical()) {
        Some(IpAddr::V6(from)) => IpAddr::V6(Ipv6Addr::from_bits(from.to_bits() & !u128::from(u64::MAX))),
        Some(from) => from,
        None => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    }
}

fn key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("4{:08x}", address.to_bits()),
        IpAddr::V6(address) => format!("6{:032x}", address.to_bits()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_what_one_client_has() {
        for (one, other, same) in [
            ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
        ] {
            let [one, other] = [one, other].map(|address| network(Some(address.parse().unwrap())));
            assert_eq!(one == other, same, "{one} {other}");
        }
    }

    #[test]
    fn a_range_holds_by_comparison_what_it_holds_as_a_range() {
        let addresses =
            ["9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0", "::", "fd00::", "fdff::1", "fe00::"];
        for range in ["10.0.0.0/8", "10.0.0.0/32", "0.0.0.0/0", "fd00::/8", "::/0"] {
            let range: IpNet = range.parse().unwrap();
            let [first, last] = bounds(&range);
            for address in addresses.map(|address| address.parse::<IpAddr>().unwrap()) {
                let key = Origin::Client(Some(address)).as_key();
                assert_eq!(first <= key && key <= last, range.contains(&address), "{address} in {range}");
            }
            for beside in [Origin::Anywhere, Origin::Client(None)].map(Origin::as_key) {
                assert!(beside < first || last < beside);
            }
        }
    }
}
