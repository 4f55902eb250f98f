//! A disk that fails, is full or slow at one call: each call of each verb in turn. The process goes on, and so does its
//! client a moment later.

use super::checker::{check, no_intent_is_left};
use super::chores::Worker;
use super::chosen;
use super::ledger::{Ledger, Told};
use super::table::Verb;
use super::verbs::{Client, prepare, take_all, tidy_up};
use crate::support::{Repository, Stack};

/// (what a rule says, whether the client may not notice).
const FAULTS: &[(&str, bool)] = &[("eio", false), ("enospc", false), ("sleep:50", true), ("half", true)];

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
    /// Does the verb with the fault where `hit` says. Returns how many points had it.
    async fn at(&self, hit: &str) -> usize {
        let what = format!("{}, {}@{hit}", self.verb.name, self.fault);
        let name = format!("admin/{}{}", what.replace([' ', ',', ':', '@', '+'], ""), self.operation);
        let client = client(self.stack, &name).await;
        let mut ledger = Ledger::default();
        prepare(&client, self.verb, &mut ledger, &what).await;

        let rule = self.stack.arm(format!("{}@{hit} {}", self.fault, self.operation).trim_end());
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

async fn client(stack: &Stack, name: &str) -> Client {
    let scopes = format!("repository:{name}:pull,push,delete repository:{name}-source:pull,push");
    let app = Repository::new(&stack.host, name, stack.admin().token(&scopes).await);
    Client { app, worker: Worker::Beside(stack.registries().clone()) }
}

async fn every_point(verb: &Verb) {
    let stack = Stack::start().await;
    for (turn, (fault, is_harmless)) in FAULTS.iter().enumerate() {
        let operation = if *fault == "half" { "write" } else { "" };
        let run = Run { stack: &stack, verb, fault, operation, is_harmless: *is_harmless };
        let all = Run { fault: "sleep:0", is_harmless: true, ..run }.at("1+").await;
        let numbers = chosen(1, all, (turn, FAULTS.len()));
        println!("faults: {}, {fault} at {} of {all} points", verb.name, numbers.len());
        for number in numbers {
            run.at(&number.to_string()).await;
        }
    }
}

tests! { every_point:
    a_push_on_a_failing_disk: "push",
    a_tag_moved_on_a_failing_disk: "move a tag",
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
