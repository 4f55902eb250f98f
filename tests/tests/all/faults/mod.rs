//! What a client was told holds whatever fails: the disk, one call after the other, or the process.
#![allow(clippy::print_stdout, reason = "how many points there were is part of the report")]

/// A test for each verb, by its name in the table of verbs: what a room's own function does with it.
macro_rules! tests {
    ($all:ident: $($name:ident: $verb:literal),* $(,)?) => {$(
        #[tokio::test]
        async fn $name() {
            $all($crate::faults::table::named($verb)).await;
        }
    )*};
}

mod checker;
mod chores;
mod errors;
mod failed_syncs;
mod kills;
mod ledger;
mod leftovers;
mod power;
mod random;
mod soak;
mod table;
mod verbs;

/// In a run that is not long, so many points of a verb are tried, evenly spread, by each of the rooms.
const FAIR_PART: usize = 8;

/// Which of the points with the numbers `first` to `last` are tried in one of several turns: all in a long run, else a
/// fair part of all turns together, another one in each.
fn chosen(first: usize, last: usize, (turn, turns): (usize, usize)) -> Vec<usize> {
    let stride = if is_long() { 1 } else { (last + 1 - first).div_ceil(FAIR_PART.div_ceil(turns)).max(1) };
    (first + turn * stride / turns % stride..=last).step_by(stride).collect()
}

/// The first turn of one.
const ONCE: (usize, usize) = (0, 1);

/// Whether this run may take long.
fn is_long() -> bool {
    std::env::var_os("BERTH_TESTS_LONG").is_some()
}
