//! Who may make an account without an administrator.

use super::word::words;

words! {
    /// How people come to accounts of their own: `INDEX_SIGNUP`.
    SignUp {
        /// Only administrators of the instance make them.
        Closed = "closed",
        /// Whoever was invited by a link that allows it.
        Invite = "invite",
        /// Whoever asks gets one.
        Open = "open",
    }
}
