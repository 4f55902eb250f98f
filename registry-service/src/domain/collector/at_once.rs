//! Doing several things at once, each of which mostly waits for the disk: of a volume whose directories are not in
//! memory, one reader alone reads some thousand entries a second, whatever the disk can do.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Threads for each core: enough for a disk to have several reads to choose from, few enough to leave a server beside
/// them its share.
const PER_CORE: usize = 4;

/// Does `work` for each of `items`, some at once; the results in the order of the items. Of several errors the first.
pub fn at_once<T: Sync, R: Send, E: Send>(items: &[T], work: impl Fn(&T) -> Result<R, E> + Sync) -> Result<Vec<R>, E> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get) * PER_CORE;
    let next = AtomicUsize::new(0);
    let take_turns = || {
        let mut done = Vec::new();
        while let Some((at, item)) = take(items, &next) {
            done.push((at, work(item)));
        }
        done
    };
    let mut done: Vec<_> = thread::scope(|scope| {
        // This thread does its part; that of one that could not be started is done by the others.
        let others: Vec<_> = (1..threads.min(items.len()))
            .filter_map(|_| thread::Builder::new().spawn_scoped(scope, take_turns).ok())
            .collect();
        let own = take_turns();
        // No code panics in `work`; a scope passes it on if it does.
        others.into_iter().filter_map(|other| other.join().ok()).flatten().chain(own).collect()
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

fn take<'t, T>(items: &'t [T], next: &AtomicUsize) -> Option<(usize, &'t T)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    items.get(at).map(|item| (at, item))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[test]
    fn every_item_has_its_result_in_order() {
        let items: Vec<_> = (0..1000).collect();
        let doubled: Result<Vec<_>, ()> = at_once(&items, |item| Ok(item * 2));
        assert_eq!(doubled.unwrap(), items.iter().map(|item| item * 2).collect::<Vec<_>>());
        assert_eq!(at_once(&[], |(): &()| Ok::<_, ()>(())), Ok(vec![]));
    }

    #[test]
    fn two_are_done_at_once_and_an_error_is_told() {
        // Neither gets past it without the other.
        let both = Barrier::new(2);
        let result = at_once(&[1, 2], |item| {
            both.wait();
            if *item == 2 { Err("two") } else { Ok(()) }
        });
        assert_eq!(result, Err("two"));
    }
}
