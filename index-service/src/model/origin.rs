//! Where a subject asks from, as ranges of addresses are asked about it.

use ipnet::IpNet;
use std::net::IpAddr;

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
