//! A disk that fails, is full or slow at one call: each call of each verb in turn. The process goes on, and so does its
//! client a moment later.

use super::checker::{check, no_intent_is_left};
use super::chosen;
use super::ledger::{Ledger, Told};
use super::table::Verb;
use super::verbs::{Client, Step, prepare, take_all, tidy_up};
use crate::support::Stack;

/// (what a rule says, whether the client may not notice).
const FAULTS: &[(&str, bool)] = &[("eio", false), ("enospc", false), ("sleep:50", true), ("half", true)];

/// Of so many points that are tried nobody may come to one, near the end: a run has a few points fewer than another where
/// two blobs lie in one directory, which is made and removed once for both.
const TRIED_FOR_ONE_MISSED: usize = 8;

/// A verb, and what fails.
struct Run<'a> {
    stack: &'a Stack,
    verb: &'a Verb,
    fault: &'a str,
    /// What it happens to; empty for every call.
    operation: &'a str,
    /// Nothing fails, it only takes longer.
    is_harmless: bool,
}

impl Run<'_> {
    /// How many points the verb has. The first run on a storage makes folders that all others have in common, so the second
    /// one counts.
    async fn count(&self) -> usize {
        Run { fault: "sleep:1", is_harmless: true, ..*self }.at("1+").await;
        Run { fault: "sleep:0", is_harmless: true, ..*self }.at("1+").await
    }

    /// Does the verb with the fault where `hit` says. Returns how many points had it.
    async fn at(&self, hit: &str) -> usize {
        let rule = format!("{}@{hit} {}", self.fault, self.operation);
        let what = format!("{}, {}", self.verb.name, rule.trim_end());
        let client = Client::beside(self.stack, &what).await;
        let mut ledger = Ledger::default();
        prepare(&client, self.verb, &mut ledger, &what).await;

        let rule = self.stack.arm(&rule);
        let told = take_all(&client, self.verb.steps, &mut ledger).await;
        let count = rule.count();
        drop(rule);
        if self.is_harmless {
            assert_eq!(told, Told::Done, "{what}");
        }
        self.stack.settle().await;
        check(&client.app, &self.stack.admin(), &ledger, &what).await;
        assert_eq!(take_all(&client, self.verb.steps, &mut ledger).await, Told::Done, "{what}: the same again");
        self.stack.settle().await;
        no_intent_is_left(&client.worker.base(), &what).await;
        tidy_up(&client, &mut ledger, &what).await;
        check(&client.app, &self.stack.admin(), &ledger, &format!("{what}, the same again")).await;
        count
    }
}

async fn every_point(verb: &Verb) {
    let (mut tried, mut missed) = (0, Vec::new());
    for (turn, (fault, is_harmless)) in FAULTS.iter().enumerate() {
        // One of its own for each: a collection looks at everything that the runs before it have left.
        let stack = Stack::start().await;
        let operation = if *fault == "half" { "write" } else { "" };
        let run = Run { stack: &stack, verb, fault, operation, is_harmless: *is_harmless };
        let all = run.count().await;
        // To delete a blob is to unlink its link: nothing is written.
        let writes = !matches!(verb.steps, [Step::DeleteBlob(_)]);
        assert!(all > 0 || operation == "write" && !writes, "{}, {fault}: no points", verb.name);
        let numbers = chosen(1, all, (turn, FAULTS.len()));
        println!("faults: {}, {fault} at {} of {all} points", verb.name, numbers.len());
        tried += numbers.len();
        for number in numbers {
            if run.at(&number.to_string()).await == 0 {
                missed.push(format!("{fault}@{number} of {all}"));
            }
        }
    }
    let may_be_missed = tried.div_ceil(TRIED_FOR_ONE_MISSED);
    assert!(missed.len() <= may_be_missed, "{}: {tried} tried, and nobody came to {missed:?}", verb.name);
}

tests! { every_point:
    a_push_on_a_failing_disk: "push",
    a_tag_moved_on_a_failing_disk: "move a tag",
    a_push_of_a_referrer_and_an_index_on_a_failing_disk: "push a referrer and an index",
    a_tag_deleted_on_a_failing_disk: "delete a tag",
    a_manifest_deleted_on_a_failing_disk: "delete a manifest",
    a_blob_deleted_on_a_failing_disk: "delete a blob",
    a_mount_on_a_failing_disk: "mount",
    a_mount_of_what_is_hidden_on_a_failing_disk: "mount what is hidden",
    a_collection_on_a_failing_disk: "collect",
    a_collection_of_what_was_hidden_on_a_failing_disk: "collect what was hidden",
    a_purge_on_a_failing_disk: "purge",
    a_scrub_on_a_failing_disk: "scrub",
    telling_the_index_on_a_failing_disk: "tell the index",
}
