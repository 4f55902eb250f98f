//! Pages of lists: every list is ordered by one unique text, and a page begins after the last text of the one before.

/// Which page is wanted.
#[derive(Debug, Clone)]
pub struct Page {
    limit: u32,
    after: String,
}

impl Page {
    /// Entries on a page when the client does not say.
    pub const DEFAULT_LIMIT: u32 = 50;
    /// Entries on a page at most.
    pub const MAX_LIMIT: u32 = 200;

    /// The page of at most `limit` entries after `after`; `None` begins at the start.
    pub fn new(limit: Option<u32>, after: Option<String>) -> Self {
        Self { limit: limit.unwrap_or(Self::DEFAULT_LIMIT).clamp(1, Self::MAX_LIMIT), after: after.unwrap_or_default() }
    }

    /// The text before the first entry; every entry's text is larger than the empty one.
    pub fn after(&self) -> &str {
        &self.after
    }

    /// How many rows to read: one more than a page holds, to know whether another follows.
    pub fn rows_to_read(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The page made of the rows read, each known by its `key`.
    pub fn of<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> String) -> Paged<T> {
        let limit = self.limit as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(key) } else { None };
        Paged { items: rows, next }
    }
}

/// One page of a list.
#[derive(Debug)]
pub struct Paged<T> {
    /// Its entries.
    pub items: Vec<T>,
    /// The text after which the next page begins; `None` on the last one.
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_tells_where_the_next_one_begins() {
        let page = Page::new(Some(2), None);
        let first = page.of(vec!["a", "b", "c"], ToString::to_string);
        assert_eq!((first.items, first.next), (vec!["a", "b"], Some("b".to_owned())));
        let last = page.of(vec!["c"], ToString::to_string);
        assert_eq!((last.items, last.next), (vec!["c"], None));
    }

    #[test]
    fn no_client_gets_an_empty_or_endless_page() {
        assert_eq!(Page::new(Some(0), None).rows_to_read(), 2);
        assert_eq!(Page::new(Some(u32::MAX), None).rows_to_read(), 201);
        assert_eq!(Page::new(None, None).rows_to_read(), 51);
    }
}
