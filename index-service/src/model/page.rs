//! Pages of lists: every list is ordered by one unique text, and a page begins after the last text of the one before.

use super::{Direction, Sorting};

/// Which page is wanted.
#[derive(Debug, Clone, Default)]
pub struct Page {
    limit: Option<u32>,
    after: Option<String>,
    is_counted: bool,
    sorting: Option<Sorting>,
}

impl Page {
    /// Entries on a page when the client does not say.
    pub const DEFAULT_LIMIT: u32 = 50;
    /// Entries on a page at most.
    pub const MAX_LIMIT: u32 = 200;

    /// The page of at most `limit` entries after `after`; `None` begins at the start.
    pub fn new(limit: Option<u32>, after: Option<String>) -> Self {
        Self { limit, after, ..Self::default() }
    }

    /// The same page, together with the length of the whole list.
    #[must_use]
    pub fn counted(self, is_counted: bool) -> Self {
        Self { is_counted, ..self }
    }

    /// The same page of a list that has several orders. `None` if the page was to begin after a text of another one.
    pub fn sorted(self, sorting: Sorting) -> Option<Self> {
        let after = match &self.after {
            Some(text) => Some(text.strip_prefix(sorting.as_str())?.strip_prefix(' ')?.to_owned()),
            None => None,
        };
        Some(Self { after, sorting: Some(sorting), ..self })
    }

    /// In which order, if the list has several.
    pub fn sorting(&self) -> Option<Sorting> {
        self.sorting
    }

    /// Whether the length of the whole list is wanted too.
    pub fn is_counted(&self) -> bool {
        self.is_counted
    }

    /// The text before the first entry: every entry's is beyond the empty one, and before the largest letter.
    pub fn after(&self) -> &str {
        let goes_down = self.sorting.is_some_and(|sorting| sorting.name == Direction::Down);
        self.after.as_deref().unwrap_or(if goes_down { "\u{10ffff}" } else { "" })
    }

    fn limit(&self) -> u32 {
        self.limit.unwrap_or(Self::DEFAULT_LIMIT).clamp(1, Self::MAX_LIMIT)
    }

    /// How many rows to read: one more than a page holds, to know whether another follows.
    pub fn rows_to_read(&self) -> i64 {
        i64::from(self.limit()) + 1
    }

    /// The page made of the rows read, each with its text, of a list of `total` entries.
    pub fn of<T>(&self, mut rows: Vec<(T, String)>, total: Option<u64>) -> Paged<T> {
        let limit = self.limit() as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let text_after = |text: &String| match self.sorting {
            Some(sorting) => format!("{} {text}", sorting.as_str()),
            None => text.clone(),
        };
        let next = if more { rows.last().map(|(_, text)| text_after(text)) } else { None };
        Paged { items: rows.into_iter().map(|(entry, _)| entry).collect(), next, total }
    }
}

/// One page of a list.
#[derive(Debug)]
pub struct Paged<T> {
    /// Its entries.
    pub items: Vec<T>,
    /// The text after which the next page begins; `None` on the last one.
    pub next: Option<String>,
    /// How many entries the whole list has, if that was asked for.
    pub total: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_tells_where_the_next_one_begins() {
        let page = Page::new(Some(2), None);
        let rows = |letters: &[&str]| letters.iter().map(|letter| ((), (*letter).to_owned())).collect::<Vec<_>>();
        let first = page.of(rows(&["a", "b", "c"]), None);
        assert_eq!((first.items.len(), first.next), (2, Some("b".to_owned())));
        let last = page.of(rows(&["c"]), None);
        assert_eq!((last.items.len(), last.next), (1, None));
    }

    #[test]
    fn a_page_of_another_order_does_not_go_on_from_this_one() {
        let (up, down) = (Sorting::of(["name"]).unwrap(), Sorting::of(["-name"]).unwrap());
        let page = Page::new(Some(1), None).sorted(down).unwrap();
        assert!(page.after() > "zzz", "from the end");
        let next = page.of(vec![((), "b".to_owned()), ((), "a".to_owned())], None).next;
        assert_eq!(Page::new(None, next.clone()).sorted(down).unwrap().after(), "b");
        assert!(Page::new(None, next).sorted(up).is_none());
    }

    #[test]
    fn no_client_gets_an_empty_or_endless_page() {
        assert_eq!(Page::new(Some(0), None).rows_to_read(), 2);
        assert_eq!(Page::new(Some(u32::MAX), None).rows_to_read(), 201);
        assert_eq!(Page::new(None, None).rows_to_read(), 51);
    }
}
