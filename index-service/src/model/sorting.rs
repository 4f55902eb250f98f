//! The order of a list. What has one key that is not unique has its name as the last.

/// From which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The smallest first.
    Up,
    /// The largest first.
    Down,
}

/// The order of a list of what has a name and a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sorting {
    /// By the time first.
    pub time: Option<Direction>,
    /// And by the name.
    pub name: Direction,
}

impl Sorting {
    /// The order that `keys` say, the first one first: `name`, or whatever the time is called, either with a `-` at its front
    /// for the largest first. `None` if a key is there twice.
    pub fn of<'a>(keys: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let (mut time, mut name, mut is_time_first) = (None, None, false);
        for key in keys {
            let (key, direction) = match key.strip_prefix('-') {
                Some(key) => (key, Direction::Down),
                None => (key, Direction::Up),
            };
            let before = if key == "name" {
                name.replace(direction)
            } else {
                // After the name, which is unique, nothing else decides.
                is_time_first = name.is_none();
                time.replace(direction)
            };
            if before.is_some() {
                return None;
            }
        }
        Some(Self { time: time.filter(|_| is_time_first), name: name.unwrap_or(Direction::Up) })
    }

    /// The same for a cursor, which leads on in one order alone.
    pub fn as_str(self) -> &'static str {
        match (self.time, self.name) {
            (None, Direction::Up) => "name",
            (None, Direction::Down) => "-name",
            (Some(Direction::Up), Direction::Up) => "time,name",
            (Some(Direction::Down), Direction::Up) => "-time,name",
            (Some(Direction::Up), Direction::Down) => "time,-name",
            (Some(Direction::Down), Direction::Down) => "-time,-name",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_key_decides_and_the_name_is_the_last() {
        for (keys, expected) in [
            (&[][..], Some("name")),
            (&["-name"], Some("-name")),
            (&["-updated_at"], Some("-time,name")),
            (&["updated_at", "-name"], Some("time,-name")),
            (&["-name", "updated_at"], Some("-name")),
            (&["name", "-name"], None),
            (&["name", "updated_at", "-updated_at"], None),
            (&["updated_at", "name", "-updated_at"], None),
            (&["created_at", "-created_at"], None),
        ] {
            assert_eq!(Sorting::of(keys.iter().copied()).map(Sorting::as_str), expected, "{keys:?}");
        }
    }
}
