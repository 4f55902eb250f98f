//! The file that `htpasswd -B` writes: a line for each user, with a bcrypt hash of the password.

use bcrypt::HashParts;
use std::collections::HashMap;

/// Users and their hashes.
#[derive(Default)]
pub struct PasswordFile {
    hashes: HashMap<String, String>,
    /// The hash that takes longest to check.
    costliest: Option<String>,
}

/// A line that lets nobody in.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Complaint {
    /// It is not `user:hash`.
    #[error("line {0} is not a name, a colon and a hash")]
    Shape(usize),
    /// The hash is not bcrypt's.
    #[error("line {0} does not hold a bcrypt hash and lets nobody in; write it with htpasswd -B")]
    Hash(usize),
}

impl PasswordFile {
    /// Parses `text`. What cannot be used is complained about and left out. Empty lines and comments are no lines.
    pub fn parse(text: &str) -> (Self, Vec<Complaint>) {
        let (mut file, mut complaints) = (Self::default(), Vec::new());
        let mut highest = 0;
        for (index, line) in text.lines().enumerate() {
            let (number, line) = (index + 1, line.trim());
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((user, hash)) = line.split_once(':').filter(|(user, _)| !user.is_empty()) else {
                complaints.push(Complaint::Shape(number));
                continue;
            };
            let Some(cost) = cost(hash) else {
                complaints.push(Complaint::Hash(number));
                continue;
            };
            if cost > highest {
                highest = cost;
                file.costliest = Some(hash.to_owned());
            }
            file.hashes.insert(user.to_owned(), hash.to_owned());
        }
        (file, complaints)
    }

    /// The user's hash.
    pub fn hash_of(&self, user: &str) -> Option<&str> {
        self.hashes.get(user).map(String::as_str)
    }

    /// A hash to check a password against when the user is unknown, so that the answer takes as long.
    pub fn decoy(&self) -> Option<&str> {
        self.costliest.as_deref()
    }
}

/// `None` if it is not a bcrypt hash.
fn cost(hash: &str) -> Option<u32> {
    let is_bcrypt = ["$2y$", "$2a$", "$2b$"].iter().any(|kind| hash.starts_with(kind));
    is_bcrypt.then(|| hash.parse::<HashParts>().ok().map(|parts| parts.get_cost()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2y$05$VBwjUXYSWDhfZqLNqRjTz.9lyjKR3RBzlHkW0MMjY0bMbPBNnYsnu";

    #[test]
    fn each_line_lets_one_in_or_is_complained_about() {
        let text = format!(
            "# people\n\nann:{HASH}\r\n  bob:{HASH}\nmd5:$apr1$x$y\nplain:secret\nsha:{{SHA}}x\ncut:$2y$05$abc\n:{HASH}\nnobody\n"
        );
        let (file, complaints) = PasswordFile::parse(&text);
        assert_eq!((file.hash_of("ann"), file.hash_of("bob")), (Some(HASH), Some(HASH)));
        for user in ["md5", "plain", "sha", "cut", "", "nobody"] {
            assert_eq!(file.hash_of(user), None, "{user}");
        }
        let hashes = [5, 6, 7, 8].map(Complaint::Hash);
        let shapes = [9, 10].map(Complaint::Shape);
        assert_eq!(complaints, hashes.into_iter().chain(shapes).collect::<Vec<_>>());
    }

    #[test]
    fn an_unknown_name_costs_as_much_as_the_costliest() {
        let dear = HASH.replace("$05$", "$12$");
        let (file, _) = PasswordFile::parse(&format!("a:{HASH}\nb:{dear}\nc:{HASH}\n"));
        assert_eq!(file.decoy(), Some(dear.as_str()));
    }
}
