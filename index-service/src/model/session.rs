//! Sessions: a sign-in that a browser continues for some time, and the secret that it is known by. Must not know cookies.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use std::net::IpAddr;

/// How long a session lives, however much it is used.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How long it lives without being used.
const IDLE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Sessions of one account at most: the one unused for longest gives way.
pub const MAX_SESSIONS: u32 = 50;

/// Characters that are kept of what a browser calls itself.
const MAX_USER_AGENT: usize = 200;

/// What the secrets of sessions begin with: no password does, and no access token.
const PREFIX: &str = "berth_ses_";

/// Letters and digits after it: 256 bits.
pub const RANDOM_LENGTH: usize = 43;

/// A session, without its secret.
#[derive(Debug, Clone)]
pub struct Session {
    /// Never used again for another.
    pub id: String,
    /// What the browser calls itself.
    pub user_agent: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was used last; up to a minute behind.
    pub last_used_at: Timestamp,
    /// From which address, where that is known.
    pub last_used_from: Option<IpAddr>,
}

/// The secret of a session. It does not print itself.
#[derive(Clone)]
pub struct SessionSecret(String);

impl Session {
    /// When it ends if it is not used again.
    pub fn ends_at(&self) -> Timestamp {
        (self.created_at + LIFETIME).min(self.last_used_at + IDLE)
    }

    /// Whether its time is over at `now`.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends_at() <= now
    }
}

/// At `now` every session is over that began, or was used last, at these times or before.
pub fn over_since(now: Timestamp) -> (Timestamp, Timestamp) {
    (now - LIFETIME, now - IDLE)
}

/// What is kept of a browser's name for itself.
pub fn user_agent(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(MAX_USER_AGENT).collect()
}

impl SessionSecret {
    /// A new secret of [`RANDOM_LENGTH`] random letters and digits.
    pub fn new(random: &str) -> Self {
        Self(format!("{PREFIX}{random}"))
    }

    /// What a browser sent, if it looks like one.
    pub fn parse(text: &str) -> Option<Self> {
        let random = text.strip_prefix(PREFIX)?;
        (random.len() == RANDOM_LENGTH).then(|| Self(text.to_owned()))
    }

    /// The secret as only its browser may see it.
    pub fn as_text(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn hash(&self) -> String {
        hash(&self.0)
    }

    /// What pages of ours are told and those of others cannot guess. Nothing that is kept leads to it.
    pub fn csrf_token(&self) -> String {
        hash(&format!("csrf {}", self.0))
    }
}

fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(days: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * days)
    }

    #[test]
    fn a_session_ends_unused_or_old() {
        for (created, used, now, over) in
            [(0, 0, 6, false), (0, 0, 7, true), (0, 25, 29, false), (0, 29, 30, true), (5, 30, 34, false)]
        {
            let (created_at, last_used_at) = (time(created), time(used));
            let (id, user_agent, last_used_from) = (String::new(), String::new(), None);
            let session = Session { id, user_agent, created_at, last_used_at, last_used_from };
            let (created_over, used_over) = over_since(time(now));
            assert_eq!(session.is_over(time(now)), over, "{created} {used} {now}");
            assert_eq!(created_at <= created_over || last_used_at <= used_over, over, "{created} {used} {now}");
        }
    }

    #[test]
    fn neither_what_is_kept_nor_what_pages_are_told_leads_to_the_secret() {
        let secret = SessionSecret::parse(&format!("berth_ses_{}", "x".repeat(RANDOM_LENGTH))).unwrap();
        assert_ne!(secret.hash(), secret.csrf_token());
        assert!(!secret.as_text().contains(&secret.csrf_token()));
        assert!(SessionSecret::parse("berth_ses_").is_none() && SessionSecret::parse("berth_pat_x").is_none());
    }

    #[test]
    fn a_browser_is_called_by_one_short_line() {
        assert_eq!(user_agent("Mozilla/5.0\r\n(X11)"), "Mozilla/5.0(X11)");
        assert_eq!(user_agent(&"x".repeat(5000)).len(), MAX_USER_AGENT);
    }
}
