//! Which texts can be a password, and which are too easy to guess to be a new one. Must not hash one.

use zxcvbn::zxcvbn;

/// Characters of a password: enough to resist guessing, few enough that hashing it costs nothing extra.
const LENGTH: std::ops::RangeInclusive<usize> = 8..=128;

/// Guesses that a new password outlives at least, by the judgement of `zxcvbn`: guessing over the network ends before. NIST
/// SP 800-63B asks for such a judgement in place of rules about digits and signs.
const LEAST_GUESSES: u64 = 100_000_000;

/// Characters of it that are judged: the work grows with their square, and what follows makes none easier to guess.
const JUDGED: usize = 64;

/// A password that an account is to have. It does not print itself.
pub enum NewPassword {
    /// Somebody chose it.
    Chosen(String),
    /// Nobody did: it is too long to guess, and no judgement of words is needed, which takes time and 15 MiB for good.
    Random(String),
}

impl NewPassword {
    /// The text, if the account `user` may have it; the error says to the person who chose it what to do.
    pub fn checked(self, user: &str) -> Result<String, String> {
        match self {
            Self::Random(text) => Ok(text),
            Self::Chosen(text) => {
                check_form(&text)?;
                check_strength(&text, user)?;
                Ok(text)
            }
        }
    }
}

/// Whether `text` can be anybody's password; what cannot be is refused before a hash is computed.
pub fn is_possible(text: &str) -> bool {
    LENGTH.contains(&text.chars().count()) && !text.contains('\0')
}

fn check_form(text: &str) -> Result<(), &'static str> {
    if !LENGTH.contains(&text.chars().count()) {
        return Err("a password has 8 to 128 characters");
    }
    if text.starts_with("berth_") {
        return Err("a password cannot begin as the secret of a token does, with berth_");
    }
    if text.contains('\0') {
        return Err("a password has no NUL character");
    }
    Ok(())
}

fn check_strength(text: &str, user: &str) -> Result<(), String> {
    let judged: String = text.chars().take(JUDGED).collect();
    let judgement = zxcvbn(&judged, &[user]);
    if judgement.guesses() >= LEAST_GUESSES {
        return Ok(());
    }
    let advice = judgement.feedback().map(ToString::to_string).unwrap_or_default();
    Err(format!("this password is too easy to guess. {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: impl Into<String>) -> Result<String, String> {
        NewPassword::Chosen(text.into()).checked("alice")
    }

    #[test]
    fn length_is_counted_in_characters() {
        let long = "vö£7kQ-xJ".repeat(15);
        for (length, good) in [(7, false), (8, true), (128, true), (129, false)] {
            let text: String = long.chars().take(length).collect();
            assert_eq!(parse(text.clone()).is_ok(), good, "{text}");
            assert_eq!(is_possible(&text), good, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_a_password_is_no_new_one() {
        for text in ["correct\0horse", "berth_pat_correct_horse"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(!is_possible("correct\0horse"));
    }

    #[test]
    fn what_is_guessed_soon_is_refused_with_advice() {
        let whole = "a".repeat(128);
        for text in ["password", "Passw0rd!", "qwertyuiop", "19840712", "abcdefgh", "alicealice", "alice2024", &whole] {
            let advice = parse(text).err().unwrap();
            assert!(advice.starts_with("this password is too easy to guess. ") && advice.ends_with('.'), "{advice}");
        }
        for text in ["correct horse", "battery staple", "tr0ub4dor&3x", "ein gutes Kennwort", "密码学是很有趣的"]
        {
            assert!(parse(text).is_ok(), "{text}: {:?}", parse(text).err());
        }
        // A good one for anybody else.
        assert!(NewPassword::Chosen("mallory-mallory".to_owned()).checked("mallory-mallory").is_err());
    }

    #[test]
    fn no_text_is_judged_for_long() {
        for piece in ["a", "ab", "4@8({[", "$s5", "password", "1111111aaa", "qwe", "20200101", "ä", "zxcvbnm,./", "(|)"]
        {
            let text: String = piece.repeat(128).chars().take(128).collect();
            let begun = std::time::Instant::now();
            let _ = parse(text);
            let took = begun.elapsed();
            assert!(took < std::time::Duration::from_secs(1), "{piece}: {took:?}");
        }
    }
}
