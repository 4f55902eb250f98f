//! What a client was told holds whatever fails: the disk, one call after the other, or the process.
#![allow(clippy::print_stdout, reason = "how many points there were is part of the report")]

/// A test for each verb, by its name in the table of verbs: what a room's own function does with it.
macro_rules! tests {
    ($all:ident: $($name:ident: $verb:literal),* $(,)?) => {$(
        #[tokio::test]
        async fn $name() {
            $all($crate::faults::verbs::named($verb)).await;
        }
    )*};
}

mod checker;
mod errors;
mod kills;
mod ledger;
mod power;
mod verbs;

/// In a run that is not long, so many points of a verb are tried, evenly spread.
const FAIR_PART: usize = 8;

/// Which of the points with the numbers `first` to `last` are tried: all in a long run, else a fair part, which is
/// another one for each `turn`.
fn chosen(first: usize, last: usize, turn: usize) -> Vec<usize> {
    let is_long = std::env::var_os("BERTH_TESTS_LONG").is_some();
    let stride = if is_long { 1 } else { (last + 1 - first).div_ceil(FAIR_PART).max(1) };
    (first + turn % stride..=last).step_by(stride).collect()
}
