//! The power goes: what was not synced is lost. Whatever had been acknowledged by then is there, the rest is whole or
//! nowhere.
//!
//! The index keeps what it committed: its database syncs by itself.

use super::checker::{check, check_storage, no_intent_is_left};
use super::chores::{Chore, Worker};
use super::ledger::{Ledger, Told};
use super::table::{Verb, named};
use super::verbs::{Client, Step, go_on, note, prepare, request, take_all, tidy_up};
use super::{ONCE, chosen};
use crate::support::{Repository, Stack, image, sha256};
use futures_util::FutureExt;
use futures_util::future::join_all;
use registry_service::store::faults::{Journal, Loss};
use std::panic::AssertUnwindSafe;
use std::path::Path;

/// The end of a verb: no point has this number.
const END: &str = "1000000";

/// A verb, done once on a repository of its own.
struct Run<'a> {
    stack: &'a Stack,
    verb: &'a Verb,
    what: String,
    /// A sync that is left out while the verb is done; empty for none.
    left_out: String,
}

impl<'a> Run<'a> {
    fn new(stack: &'a Stack, verb: &'a Verb, what: String) -> Self {
        Self { stack, verb, what, left_out: String::new() }
    }

    /// How many points the verb has.
    async fn count(&self) -> usize {
        let client = self.prepared(&mut Ledger::default()).await;
        let rule = self.stack.arm("sleep:0@1+");
        assert_eq!(take_all(&client, self.verb.steps, &mut Ledger::default()).await, Told::Done, "{}", self.what);
        rule.count()
    }

    /// Does the verb up to `point`, a number or a place, and lets the power go there, or, if it does not come to that
    /// point, at its end. What was there before is taken for synced. Tells whether it came to the point.
    async fn up_to(&self, point: &str) -> bool {
        let mut ledger = Ledger::default();
        let client = self.prepared(&mut ledger).await;
        let journal = self.stack.journal();
        let _left_out = (!self.left_out.is_empty()).then(|| self.stack.arm(&format!("skip@1+ {}", self.left_out)));
        let stop = self.stack.arm(&format!("stop@{point}"));
        for step in self.verb.steps {
            let request = request(&client, *step);
            tokio::pin!(request);
            tokio::select! {
                told = &mut request => note(&client, *step, &mut ledger, told),
                () = stop.reached() => {
                    let mut then = ledger.clone();
                    note(&client, *step, &mut then, Told::Nothing);
                    self.power_goes(&journal, &client, &then).await;
                    drop(stop);
                    request.await;
                    return true;
                }
            }
        }
        drop(stop);
        if self.verb.steps.iter().any(|step| matches!(step, Step::Work(Chore::Collect))) {
            ledger.blobs_may_be_back();
        }
        self.power_goes(&journal, &client, &ledger).await;
        false
    }

    /// Starts a registry on what is left after a power loss now, in each way of losing.
    async fn power_goes(&self, journal: &Journal, client: &Client, ledger: &Ledger) {
        let folder = tempfile::tempdir().unwrap();
        let mut left = Vec::new();
        for loss in [Loss::Everything, Loss::Bytes] {
            let root = folder.path().join(format!("{loss:?}"));
            journal.after_power_loss(&root, loss).unwrap();
            let worker = Worker::Beside(self.stack.registries().on(&root));
            let client = Client { app: self.started_on(client, &root), worker };
            let what = format!("{}, {loss:?} is lost", self.what);
            // What is hidden by now goes, and nobody was told that it is there.
            assert_eq!(client.worker.does(Chore::After(50)).await, Told::Done, "{what}: a collection");
            check(&client.app, &self.stack.admin(), ledger, &what).await;
            no_intent_is_left(&client.worker.base(), &what).await;
            left.push((client, what));
        }
        // They have one index, which from now on knows what the other of them did.
        for (mut client, what) in left {
            let mut ledger = ledger.clone();
            if self.verb.is_work() {
                assert_eq!(take_all(&client, self.verb.steps, &mut ledger).await, Told::Done, "{what}: the same again");
                client.app = self.started_on(&client, &client.worker.root());
                no_intent_is_left(&client.worker.base(), &what).await;
            }
            go_on(&client, &mut ledger, &what).await;
            tidy_up(&client, &mut ledger, &what).await;
            check_storage(&client.app, &ledger, &format!("{what}, tidied up")).await;
        }
    }

    /// The client's repository on a registry that starts now, and settles what it finds.
    fn started_on(&self, client: &Client, root: &Path) -> Repository {
        client.app.on(&self.stack.registry_on(root))
    }

    /// A repository of its own, as it is before the verb.
    async fn prepared(&self, ledger: &mut Ledger) -> Client {
        let client = Client::beside(self.stack, &self.what).await;
        prepare(&client, self.verb, ledger, &self.what).await;
        client
    }
}

async fn every_point(verb: &Verb) {
    let stack = Stack::start().await;
    let all = Run::new(&stack, verb, format!("{}, count", verb.name)).count().await;
    assert!(all > 0, "{}: a verb that changes nothing", verb.name);
    // One more than there are: at its end.
    let numbers = chosen(1, all + 1, ONCE);
    println!("faults: {}, no power at {} of {all} points, and at the end", verb.name, numbers.len());
    for number in numbers {
        Run::new(&stack, verb, format!("{}, power@{number}", verb.name)).up_to(&number.to_string()).await;
    }
    Run::new(&stack, verb, format!("{}, power at its end", verb.name)).up_to(END).await;
    for (_, place) in PLACES.iter().filter(|(name, _)| *name == verb.name) {
        let run = Run::new(&stack, verb, format!("{}, power at {place}", verb.name));
        assert!(run.up_to(&format!("1 pause {place}")).await, "{}: it does not come there", run.what);
    }
}

/// A verb, and a place between two of its steps where the power goes in every run, whatever other points are chosen: a
/// change is visible, and the index knows nothing of it or all; what an earlier run had hidden has been taken over.
const PLACES: &[(&str, &str)] = &[
    ("move a tag", "made"),
    ("move a tag", "committed"),
    ("delete a manifest", "made"),
    ("delete a manifest", "committed"),
    ("collect what was hidden", "collector hid"),
];

tests! { every_point:
    a_push_and_no_power: "push",
    a_chunk_and_no_power: "chunk",
    a_tag_moved_and_no_power: "move a tag",
    a_push_of_a_referrer_and_an_index_and_no_power: "push a referrer and an index",
    a_tag_deleted_and_no_power: "delete a tag",
    a_manifest_deleted_and_no_power: "delete a manifest",
    a_blob_deleted_and_no_power: "delete a blob",
    a_mount_and_no_power: "mount",
    a_mount_of_what_is_hidden_and_no_power: "mount what is hidden",
    a_collection_and_no_power: "collect",
    a_collection_of_what_was_hidden_and_no_power: "collect what was hidden",
    a_purge_and_no_power: "purge",
    a_scrub_and_no_power: "scrub",
    telling_the_index_and_no_power: "tell the index",
}

/// The intents are published, what they announce is visible, and the index does not know.
const UNTOLD: &str = "1 pause made";

/// Syncs without which something acknowledged is lost, or the index is never told: (call, part of the path, a verb that
/// notices, where the power goes).
const NEEDED: &[(&str, &str, &str, &str)] = &[
    ("sync", "/_uploads/", "push", END),
    ("sync", "/current/.", "push", END),
    // Of a chunk's bytes alone: the end of an upload syncs them again.
    ("sync", "/data", "chunk", END),
    ("sync_dir", "/_uploads/", "chunk", END),
    ("sync_dir", "/blobs/", "push", END),
    ("sync_dir", "/_layers/", "push", END),
    ("sync_dir", "/_layers/", "mount", END),
    ("sync_dir", "/revisions/", "push", END),
    ("sync_dir", "/tags/", "push", END),
    ("sync_dir", "/current", "move a tag", END),
    ("sync_dir", "/_manifests/tags", "delete a tag", END),
    ("sync_dir", "/_layers/", "mount what is hidden", END),
    ("sync_dir", "/blobs/", "mount what is hidden", END),
    ("sync_dir", "/revisions/", "delete a manifest", END),
    ("sync_dir", "/_layers/", "delete a blob", END),
    ("sync_dir", "/ids/", "push", END),
    ("sync", "/intents/", "move a tag", UNTOLD),
    ("sync_dir", "/_tags", "move a tag", UNTOLD),
    ("sync_dir", "/_digests", "delete a manifest", UNTOLD),
    ("sync_dir", "/revisions/", "collect", END),
    ("sync", "/intents/", "collect", "2 unlink /revisions/"),
];

/// What is on the disk when the power goes depends on how far other threads of the verb have come, and on a slow machine
/// nothing may be missing by chance.
const TRIES: usize = 3;

#[tokio::test]
async fn a_sync_that_is_left_out_is_noticed() {
    let runs = NEEDED.iter().map(|(call, part, verb, point)| async move {
        let verb = named(verb);
        let what = format!("{}, without {call} of {part}", verb.name);
        for _ in 0..TRIES {
            let lost = AssertUnwindSafe(async {
                let stack = Stack::start().await;
                let run = Run::new(&stack, verb, what.clone());
                Run { left_out: format!("{call} {part}"), ..run }.up_to(point).await;
            });
            if lost.catch_unwind().await.is_err() {
                return;
            }
        }
        panic!("{what}: nobody notices");
    });
    // All at once: those that the index is not told of wait long for it.
    join_all(runs).await;
}

/// Whether bytes that a second repository pushes outlive a power loss, after a first one has pushed the same without
/// `first`, a sync; the second leaves out `then`. `HEX` stands for the digest.
async fn outlives(what: &str, first: &str, then: Option<&str>) -> bool {
    let stack = Stack::start().await;
    let (one, two) = (stack.admin().repository("admin/one").await, stack.admin().repository("admin/two").await);
    let pushed = image(&[b"shared"]);
    let (path, digest) = match what {
        "blob" => (format!("blobs/{}", sha256(b"shared")), sha256(b"shared")),
        _ => (format!("manifests/{}", pushed.digest), pushed.digest.clone()),
    };
    let hex = digest.trim_start_matches("sha256:");
    let push = async |app: &Repository| match what {
        "blob" => drop(app.push_blob(b"shared").await),
        _ => drop(app.push_manifest(&pushed.manifest).await),
    };
    for app in [&one, &two] {
        app.push_blob(b"{}").await;
        if what == "manifest" {
            app.push_blob(b"shared").await;
        }
    }
    let journal = stack.journal();
    let skip = |rule: &str| stack.arm(&format!("skip@1+ {}", rule.replace("HEX", hex)));
    let left_out = skip(first);
    push(&one).await;
    drop(left_out);
    let left_out = then.map(skip);
    push(&two).await;
    drop(left_out);
    let folder = tempfile::tempdir().unwrap();
    let left = folder.path().join("left");
    journal.after_power_loss(&left, Loss::Everything).unwrap();
    let answer = two.on(&stack.registry_on(&left)).get(&path).attempt().await;
    answer.is_some_and(|answer| answer.status == 200 && sha256(&answer.body) == digest)
}

#[tokio::test]
async fn bytes_that_somebody_else_did_not_sync_are_synced() {
    for (what, first, then) in [
        ("blob", "sync /_uploads/", "sync HEX"),
        ("blob", "sync_dir HEX", "sync_dir HEX"),
        ("manifest", "sync HEX/.", "sync HEX"),
        ("manifest", "sync_dir HEX", "sync_dir HEX"),
    ] {
        assert!(outlives(what, first, None).await, "{what}, first without {first}");
        assert!(!outlives(what, first, Some(then)).await, "{what}, without {then}: nobody notices");
    }
}
