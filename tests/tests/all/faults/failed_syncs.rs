//! A sync that fails is a request that fails, each sync of each request in turn: nobody is told that something was done of
//! which the disk has just said that it may not last. The same again succeeds, and that lasts: what the first attempt left
//! is relied on by nobody who has not synced it.

use super::checker::{check_storage, no_intent_is_left};
use super::chores::Worker;
use super::chosen;
use super::ledger::{Ledger, Told};
use super::table::Verb;
use super::verbs::{Client, prepare, take_all};
use crate::support::Stack;
use registry_service::store::faults::Loss;

/// (which syncs a rule means, whether those are among them by which the removal of an intent lasts).
///
/// Files come first: meanwhile the folders are made that all repositories of a storage have in common. What lies among
/// blobs is counted by itself, because it is chance whether two of them lie in one directory.
const SYNCS: &[(&str, bool)] = &[
    ("sync", false),
    ("sync_dir v2/blobs/", false),
    ("sync_dir v2/repositories/", false),
    ("sync_dir v2/berth/", true),
];

/// What came of a verb while a sync failed.
struct Run {
    told: Told,
    /// How many syncs the rule met.
    met: usize,
    /// How many intents were removed.
    removed: usize,
}

impl Run {
    /// Does the verb while `rule` is in force, and then once more.
    async fn with(stack: &Stack, verb: &Verb, rule: &str) -> Self {
        let what = format!("{}, {rule}", verb.name);
        let client = Client::beside(stack, &what).await;
        let mut ledger = Ledger::default();
        prepare(&client, verb, &mut ledger, &what).await;
        let journal = stack.journal();
        let removals = stack.arm("sleep:0@1+ unlink /intents/");
        let armed = stack.arm(rule);
        let told = take_all(&client, verb.steps, &mut ledger).await;
        let run = Self { told, met: armed.count(), removed: removals.count() };
        drop((armed, removals));
        assert_eq!(take_all(&client, verb.steps, &mut ledger).await, Told::Done, "{what}: the same again");
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join("left");
        journal.after_power_loss(&left, Loss::Everything).unwrap();
        // A timer would do it in the middle of another run.
        stack.settle().await;
        check_storage(&client.app, &ledger, &what).await;
        let what = format!("{what}, and then no power");
        let worker = Worker::Beside(stack.registries().on(&left));
        let started = client.app.on(&stack.registry_on(&left));
        no_intent_is_left(&worker.base(), &what).await;
        check_storage(&started, &ledger, &what).await;
        run
    }
}

async fn every_sync(verb: &Verb) {
    let stack = Stack::start().await;
    let (mut all, mut tried) = (0, 0);
    for (turn, (syncs, remove_intents)) in SYNCS.iter().enumerate() {
        let good = Run::with(&stack, verb, &format!("sleep:0@1+ {syncs}")).await;
        assert_eq!(good.told, Told::Done, "{}", verb.name);
        let mut acknowledged = Vec::new();
        let numbers = chosen(1, good.met, (turn, SYNCS.len()));
        all += good.met;
        for number in numbers {
            let run = Run::with(&stack, verb, &format!("eio@{number} {syncs}")).await;
            tried += run.met;
            if run.met > 0 && run.told == Told::Done {
                acknowledged.push(number);
            }
        }
        // Whoever finds an intent again settles it once more: the sync after its removal alone may fail.
        let may_fail = if *remove_intents { good.removed } else { 0 };
        let what = format!("{}, done although one of these failed, {syncs}", verb.name);
        assert!(acknowledged.len() <= may_fail, "{what}: {acknowledged:?}");
    }
    println!("faults: {}, {tried} of {all} syncs fail", verb.name);
    assert!(tried > 0, "{}: nothing is synced", verb.name);
}

tests! { every_sync:
    a_push_fails_with_each_of_its_syncs: "push",
    a_push_of_a_referrer_and_an_index_fails_with_each_of_its_syncs: "push a referrer and an index",
    a_mount_fails_with_each_of_its_syncs: "mount",
    a_mount_of_what_is_hidden_fails_with_each_of_its_syncs: "mount what is hidden",
    a_tag_is_not_deleted_with_any_sync_failing: "delete a tag",
    a_manifest_is_not_deleted_with_any_sync_failing: "delete a manifest",
    a_blob_is_not_deleted_with_any_sync_failing: "delete a blob",
}
