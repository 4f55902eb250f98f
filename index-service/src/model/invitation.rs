//! Invitations: a link with which whoever has it joins an organisation, once.

use super::access_token::{RANDOM_LENGTH, hash_of};
use super::organisation::MemberRole;
use super::word::words;
use jiff::{SignedDuration, Timestamp};
use shared::NamespaceName;

/// An invitation is good for so long, if its maker does not say.
pub const LASTS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// And for so long at most.
pub const LASTS_AT_MOST: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Teams that come with one at most.
pub const MAX_TEAMS: usize = 20;

/// What the secrets of invitations begin with, and those of nothing else.
const PREFIX: &str = "berth_inv_";

words! {
    /// What became of an invitation.
    InvitationState {
        /// Whoever has the link may accept it.
        Pending = "pending",
        /// Somebody joined with it.
        Accepted = "accepted",
        /// Whoever had it did not want to.
        Declined = "declined",
        /// An owner took it back.
        Revoked = "revoked",
        /// Its time is over.
        Expired = "expired",
    }
}

/// An invitation, without its secret.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Never used again for another.
    pub id: String,
    /// Where one joins.
    pub organisation: NamespaceName,
    /// What people call that.
    pub display_name: String,
    /// What one becomes there.
    pub role: MemberRole,
    /// The teams that one comes into; of those that it was made with, the ones that are left.
    pub teams: Vec<NamespaceName>,
    /// Whether whoever has no account may make one with it.
    pub allows_sign_up: bool,
    /// Who made it, by name.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it opens nothing.
    pub expires_at: Timestamp,
    /// How it ended, if somebody ended it.
    pub ended: Option<Ended>,
}

/// How an invitation ended before its time.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Accepted, declined or revoked.
    pub as_state: InvitationState,
    /// By whom, by name.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Invitation {
    /// What has become of it at `now`.
    pub fn state(&self, now: Timestamp) -> InvitationState {
        match &self.ended {
            Some(ended) => ended.as_state,
            None if self.expires_at <= now => InvitationState::Expired,
            None => InvitationState::Pending,
        }
    }
}

/// The secret in an invitation's link. It does not print itself.
pub struct InvitationSecret(String);

impl InvitationSecret {
    /// A new one, of [`RANDOM_LENGTH`] random letters and digits.
    pub fn new(random: &str) -> Self {
        Self(format!("{PREFIX}{random}"))
    }

    /// What somebody sent, if it looks like one.
    pub fn parse(text: &str) -> Option<Self> {
        let random = text.strip_prefix(PREFIX)?;
        (random.len() == RANDOM_LENGTH).then(|| Self(text.to_owned()))
    }

    /// The secret as its maker is shown it, once.
    pub fn into_text(self) -> String {
        self.0
    }

    /// What is kept of it.
    pub fn hash(&self) -> String {
        hash_of(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::access_token::Secret;

    #[test]
    fn an_invitation_is_pending_until_it_ends_or_its_time_is_over() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut invitation = Invitation {
            id: "inv_1".to_owned(),
            organisation: NamespaceName::parse("acme").unwrap(),
            display_name: "Acme".to_owned(),
            role: MemberRole::Member,
            teams: Vec::new(),
            allows_sign_up: false,
            created_by: "alice".to_owned(),
            created_at: at(0),
            expires_at: at(10),
            ended: None,
        };
        assert_eq!(invitation.state(at(9)), InvitationState::Pending);
        assert_eq!(invitation.state(at(10)), InvitationState::Expired);
        let as_state = InvitationState::Accepted;
        invitation.ended = Some(Ended { as_state, by: "bob".to_owned(), at: at(5) });
        assert_eq!(invitation.state(at(10)), InvitationState::Accepted);
    }

    #[test]
    fn the_secret_of_an_invitation_is_that_of_nothing_else() {
        let random = "a".repeat(RANDOM_LENGTH);
        let text = InvitationSecret::new(&random).into_text();
        assert!(InvitationSecret::parse(&text).is_some() && Secret::parse(&text).is_none());
        assert!(InvitationSecret::parse(&Secret::of_person(&random).into_text()).is_none());
        assert!(InvitationSecret::parse(&text[1..]).is_none() && InvitationSecret::parse(PREFIX).is_none());
    }
}
