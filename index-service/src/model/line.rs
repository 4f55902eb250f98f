//! Texts of one line that people write about things. Must not know what they are written about.

use super::fault::Fault;

/// A field that holds one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    field: &'static str,
    may_be_blank: bool,
    max_characters: usize,
}

/// What people call an organisation.
pub const DISPLAY_NAME: Line = Line { field: "display_name", may_be_blank: false, max_characters: 100 };

/// What the owner calls an access token.
pub const TOKEN_NAME: Line = Line { field: "name", may_be_blank: false, max_characters: 100 };

/// About a namespace, a team or a robot.
pub const DESCRIPTION: Line = Line { field: "description", may_be_blank: true, max_characters: 200 };

/// About a repository.
pub const REPOSITORY_DESCRIPTION: Line = Line { field: "description", may_be_blank: true, max_characters: 1000 };

impl Line {
    /// Refuses what is too long, has control characters, or is blank where it must not be.
    pub fn check(self, text: &str) -> Result<(), Fault> {
        let is_blank = text.trim().is_empty();
        let is_good = (self.may_be_blank || !is_blank)
            && text.chars().count() <= self.max_characters
            && !text.chars().any(char::is_control);
        if is_good {
            return Ok(());
        }
        let Self { field, may_be_blank, max_characters } = self;
        let least = if may_be_blank { "at most" } else { "1 to" };
        let rule = format!("{field} has {least} {max_characters} characters and no control characters");
        Err(Fault::at(format!("/{field}"), "not_a_line", rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_not_too_long() {
        for (line, text, is_good) in [
            (DISPLAY_NAME, "Ä".repeat(100), true),
            (DISPLAY_NAME, "Ä".repeat(101), false),
            (DISPLAY_NAME, " ".to_owned(), false),
            (DESCRIPTION, String::new(), true),
            (DESCRIPTION, "two\nlines".to_owned(), false),
            (DESCRIPTION, "\u{7f}".to_owned(), false),
        ] {
            assert_eq!(line.check(&text).is_ok(), is_good, "{text:?}");
        }
        assert_eq!(
            TOKEN_NAME.check("").unwrap_err().to_string(),
            "name has 1 to 100 characters and no control characters"
        );
    }
}
