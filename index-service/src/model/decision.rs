//! What was decided about a registry token that grants less than was asked for.

use super::account::Subject;
use super::origin::network;
use jiff::Timestamp;
use std::net::IpAddr;

/// One decision, under the id that a refusal shows.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The `jti` of the token.
    pub id: String,
    /// For whom.
    pub subject: Subject,
    /// From where it was asked, if that is known.
    pub address: Option<IpAddr>,
    /// The scopes asked for.
    pub asked: String,
    /// Those granted.
    pub granted: String,
    /// When.
    pub decided_at: Timestamp,
}

impl Decision {
    /// Who must not push out other people's decisions with theirs: an account, or whoever is anonymous at one address. No
    /// account's name begins with an `@`.
    pub fn asker(&self) -> String {
        if self.subject.is_anonymous() {
            return format!("@{}", network(self.address));
        }
        self.subject.as_str().to_owned()
    }
}
