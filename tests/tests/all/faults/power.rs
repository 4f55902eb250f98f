//! The power goes: what was not synced is lost. Whatever had been acknowledged by then is there, the rest is whole or
//! nowhere.
//!
//! The index keeps what it committed: its database syncs by itself.

use super::checker::check;
use super::chosen;
use super::ledger::{Ledger, Told};
use super::verbs::{Verb, named, note, request, take_all};
use crate::support::{Repository, Stack};
use futures_util::FutureExt;
use registry_service::store::faults::{Journal, Loss};
use std::panic::AssertUnwindSafe;

/// A verb on a storage whose losses are known.
struct Run<'a> {
    stack: &'a Stack,
    journal: &'a Journal,
    verb: &'a Verb,
    what: String,
    /// A sync that is left out while the verb is done; empty for none.
    left_out: String,
}

impl Run<'_> {
    /// Does the verb up to point `number` and lets the power go there, or, if it does not come to that point, at its end.
    async fn up_to(&self, number: usize) {
        let mut ledger = Ledger::default();
        let app = self.prepared(&mut ledger).await;
        let _left_out = (!self.left_out.is_empty()).then(|| self.stack.arm(&format!("skip@1+ {}", self.left_out)));
        let stop = self.stack.arm(&format!("stop@{number}"));
        for step in self.verb.steps {
            let request = request(&app, *step);
            tokio::pin!(request);
            tokio::select! {
                told = &mut request => note(&app, *step, &mut ledger, told),
                () = stop.reached() => {
                    let mut then = ledger.clone();
                    note(&app, *step, &mut then, Told::Nothing);
                    self.power_goes(&app, &then).await;
                    drop(stop);
                    request.await;
                    return;
                }
            }
        }
        drop(stop);
        self.power_goes(&app, &ledger).await;
    }

    /// Starts a registry on what is left after a power loss now.
    async fn power_goes(&self, app: &Repository, ledger: &Ledger) {
        for loss in [Loss::Everything, Loss::Bytes] {
            let folder = tempfile::tempdir().unwrap();
            let left = folder.path().join("left");
            self.journal.after_power_loss(&left, loss).unwrap();
            let app = app.on(&self.stack.registry_on(&left));
            let what = format!("{}, {loss:?} is lost", self.what);
            check(&app, &self.stack.admin(), ledger, &what).await;
        }
    }

    /// A repository of its own, as it is before the verb.
    async fn prepared(&self, ledger: &mut Ledger) -> Repository {
        let name = format!("admin/{}", self.what.replace([' ', ',', '@', ':'], ""));
        let scopes = format!("repository:{name}:pull,push,delete repository:{name}-source:pull,push");
        let app = Repository::new(&self.stack.host, &name, self.stack.admin().token(&scopes).await);
        let source = Repository { name: format!("{name}-source"), ..app.clone() };
        assert_eq!(take_all(&source, self.verb.source, &mut Ledger::default()).await, Told::Done, "{}", self.what);
        assert_eq!(take_all(&app, self.verb.before, ledger).await, Told::Done, "{}", self.what);
        app
    }
}

impl<'a> Run<'a> {
    fn new(stack: &'a Stack, journal: &'a Journal, verb: &'a Verb, what: String) -> Self {
        Self { stack, journal, verb, what, left_out: String::new() }
    }

    /// How many points the verb has, done on a repository of its own.
    async fn count(&self) -> usize {
        let app = self.prepared(&mut Ledger::default()).await;
        let rule = self.stack.arm("sleep:0@1+");
        assert_eq!(take_all(&app, self.verb.steps, &mut Ledger::default()).await, Told::Done, "{}", self.what);
        rule.count()
    }
}

async fn every_point(verb: &Verb) {
    let stack = Stack::start().await;
    let journal = stack.journal();
    let all = Run::new(&stack, &journal, verb, format!("{}, count", verb.name)).count().await;
    // One more than there are: at its end.
    let numbers = chosen(1, all + 1, 0);
    println!("{}: the power goes at {} of {all} points and the end", verb.name, numbers.len());
    for number in numbers {
        Run::new(&stack, &journal, verb, format!("{}, power@{number}", verb.name)).up_to(number).await;
    }
    Run::new(&stack, &journal, verb, format!("{}, power at its end", verb.name)).up_to(usize::MAX).await;
}

tests! { every_point:
    a_push_and_no_power: "push",
    a_tag_moved_and_no_power: "move a tag",
    a_tag_deleted_and_no_power: "delete a tag",
    a_manifest_deleted_and_no_power: "delete a manifest",
    a_blob_deleted_and_no_power: "delete a blob",
    a_mount_and_no_power: "mount",
}

/// Syncs without which something acknowledged is lost: (call, part of the path, a verb that notices).
const NEEDED: &[(&str, &str, &str)] = &[
    ("sync", "/_uploads/", "push"),
    ("sync", "/.", "push"),
    ("sync_dir", "/blobs/", "push"),
    ("sync_dir", "/_layers/", "push"),
    ("sync_dir", "/_layers/", "mount"),
    ("sync_dir", "/revisions/", "push"),
    ("sync_dir", "/tags/", "push"),
    ("sync_dir", "/current", "move a tag"),
    ("sync_dir", "/_manifests/tags", "delete a tag"),
    ("sync_dir", "/revisions/", "delete a manifest"),
    ("sync_dir", "/_layers/", "delete a blob"),
    ("sync_dir", "/ids/", "push"),
];

#[tokio::test]
async fn a_sync_that_is_left_out_is_noticed() {
    for (call, part, verb) in NEEDED {
        let verb = named(verb);
        let what = format!("{}, without {call} of {part}", verb.name);
        let lost = AssertUnwindSafe(async {
            let stack = Stack::start().await;
            let journal = stack.journal();
            let run = Run::new(&stack, &journal, verb, what.replace(['/', '.'], ""));
            Run { left_out: format!("{call} {part}"), ..run }.up_to(usize::MAX).await;
        });
        assert!(lost.catch_unwind().await.is_err(), "{what}: nobody notices");
    }
}
