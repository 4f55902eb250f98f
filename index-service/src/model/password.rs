//! Which texts can be a password. Must not hash one.

/// Characters of a password: enough to resist guessing, few enough that hashing it costs nothing extra.
const LENGTH: std::ops::RangeInclusive<usize> = 8..=128;

/// A new password that keeps the rules. It does not print itself.
pub struct NewPassword(String);

impl NewPassword {
    /// Checks `text`; the error is a sentence for the person who chose it.
    pub fn parse(text: String) -> Result<Self, &'static str> {
        if !LENGTH.contains(&text.chars().count()) {
            return Err("a password has 8 to 128 characters");
        }
        if text.starts_with("berth_") {
            return Err("a password cannot begin as the secret of a token does, with berth_");
        }
        if text.contains('\0') {
            return Err("a password has no NUL character");
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.0
    }
}

/// Whether `text` can be anybody's password; what cannot be is refused before a hash is computed.
pub fn is_possible(text: &str) -> bool {
    LENGTH.contains(&text.chars().count()) && !text.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters() {
        for (text, good) in
            [("ä".repeat(8), true), ("a".repeat(7), false), ("a".repeat(128), true), ("a".repeat(129), false)]
        {
            assert_eq!(NewPassword::parse(text.clone()).is_ok(), good, "{text}");
            assert_eq!(is_possible(&text), good, "{text}");
        }
    }

    #[test]
    fn nul_is_refused() {
        assert!(NewPassword::parse("password\0".to_owned()).is_err());
        assert!(!is_possible("password\0"));
    }
}
