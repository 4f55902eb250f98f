//! The process killed between any two calls to the disk, and at each place between two steps: what was acknowledged is
//! there after the next start, the rest is whole or nowhere, and the client's next attempt succeeds.

use super::checker::{check, no_intent_is_left};
use super::chores::Worker;
use super::ledger::{Ledger, Told};
use super::table::{VERBS, Verb};
use super::verbs::{Client, Step, prepare, take_all, tidy_up};
use super::{ONCE, chosen};
use crate::support::{Program, Repository};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const NAME: &str = "admin/app";

/// A data folder as it is before a verb, copied for each run: the first start of a Berth takes longer than a run.
struct Template {
    folder: TempDir,
    ledger: Ledger,
}

/// A client of the program, and a process for chores with these rules.
async fn client(program: &Program, data: &Path, faults: &str) -> Client {
    let scopes = format!("repository:{NAME}:pull,push,delete repository:{NAME}-source:pull,push");
    let app = Repository::new(&program.host, NAME, program.admin().token(&scopes).await);
    Client { app, worker: Worker::Process { data: data.to_owned(), faults: faults.to_owned() } }
}

/// The rules for the server, and those for who does the chores: `rule` is for whoever does the verb.
fn rules<'a>(verb: &Verb, rule: &'a str) -> (&'a str, &'a str) {
    if verb.is_work() { ("", rule) } else { (rule, "") }
}

impl Template {
    async fn before(verb: &Verb) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("template");
        let program = Program::start_well(&data).await;
        let mut ledger = Ledger::default();
        let client = Client { worker: Worker::Here(data.join("registry")), ..client(&program, &data, "").await };
        prepare(&client, verb, &mut ledger, verb.name).await;
        Self { folder, ledger }
    }

    fn copy(&self, name: &str) -> PathBuf {
        let to = self.folder.path().join(name);
        copy_tree(&self.folder.path().join("template"), &to);
        to
    }

    /// How many points there are up to when it is ready, and up to the end of the verb.
    async fn count(&self, verb: &Verb) -> (usize, usize) {
        let (data, record) = (self.copy("count"), self.folder.path().join("points"));
        let rule = format!("record:{}@1+", record.display());
        let (of_server, of_worker) = rules(verb, &rule);
        let program = Program::start(&data, of_server).await.unwrap();
        let client = client(&program, &data, of_worker).await;
        let count = || fs::read_to_string(&record).unwrap_or_default().lines().count();
        let ready = count();
        assert_eq!(take_all(&client, verb.steps, &mut self.ledger.clone()).await, Told::Done);
        (ready, count())
    }

    /// The verb with a kill at `point`, a number or a place, then everything a client may ask for. `false`: it had fewer
    /// points than when they were counted, as a collection that came to its end a round sooner.
    async fn run(&self, verb: &Verb, point: &str) -> bool {
        let kill = format!("kill@{point}");
        let what = format!("{}, {kill}", verb.name);
        let (data, record) = (self.copy(&kill.replace(' ', "-")), self.folder.path().join("met"));
        let mut ledger = self.ledger.clone();
        let rule = format!("record:{}@1+;{kill}", record.display());
        let (of_server, of_worker) = rules(verb, &rule);
        let mut is_killed = true;
        if let Some(mut program) = Program::start(&data, of_server).await {
            let told = take_all(&client(&program, &data, of_worker).await, verb.steps, &mut ledger).await;
            if verb.is_work() {
                is_killed = told == Told::Nothing;
                let met = fs::read_to_string(&record).unwrap().lines().count();
                let is_beyond = point.parse().is_ok_and(|number: usize| met < number);
                assert!(is_killed || is_beyond, "{what}: nothing killed it at {met} points");
            } else {
                program.ends().await;
            }
        }
        fs::remove_file(&record).unwrap();
        recovers(&data, verb, ledger, &what).await;
        is_killed
    }
}

/// Starts it again: everything is as its client was told, and the verb can be done again.
async fn recovers(data: &Path, verb: &Verb, mut ledger: Ledger, what: &str) {
    let mut program = Program::start_well(data).await;
    let mut client = client(&program, data, "").await;
    check(&client.app, &program.admin(), &ledger, what).await;
    assert_eq!(take_all(&client, verb.steps, &mut ledger).await, Told::Done, "{what}: the same again");
    if verb.is_work() {
        // What a collection leaves to be told is told at the next start, or after a while.
        drop(program);
        program = Program::start_well(data).await;
        client.app = client.app.on(&program.host);
    }
    no_intent_is_left(&client.worker.base(), what).await;
    tidy_up(&client, &mut ledger, what).await;
    check(&client.app, &program.admin(), &ledger, &format!("{what}, the same again")).await;
    // Before the folder: it may still make a file there.
    drop(program);
    fs::remove_dir_all(data).unwrap();
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_tree(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

/// A verb, and places between two of its steps where it is killed in every run, whatever other points are chosen: a change
/// is announced, has looked at what it needs, is judged, is visible, is known to the index; what an earlier run had hidden
/// has been taken over, is marked again, and goes.
const PLACES: &[(&str, &[&str])] = &[
    ("move a tag", &["announced", "looked", "judged", "made", "committed"]),
    ("delete a manifest", &["announced", "looked", "judged", "made", "committed"]),
    ("collect what was hidden", &["collector hid", "collector unlinks"]),
];

async fn every_point(verb: &Verb) {
    let template = Template::before(verb).await;
    let (ready, all) = template.count(verb).await;
    let mut killed = 0;
    for number in chosen(ready + 1, all, ONCE) {
        killed += usize::from(template.run(verb, &number.to_string()).await);
    }
    println!("faults: {}, killed at {killed} of {} points", verb.name, all - ready);
    assert!(killed > 0, "a verb that changes nothing");
    for place in PLACES.iter().filter(|(name, _)| *name == verb.name).flat_map(|(_, places)| *places) {
        template.run(verb, &format!("1 pause {place}")).await;
    }
}

tests! { every_point:
    a_push_that_is_killed: "push",
    a_tag_moved_and_killed: "move a tag",
    a_push_of_a_referrer_and_an_index_that_is_killed: "push a referrer and an index",
    a_tag_deleted_and_killed: "delete a tag",
    a_manifest_deleted_and_killed: "delete a manifest",
    a_blob_deleted_and_killed: "delete a blob",
    a_mount_that_is_killed: "mount",
    a_mount_of_what_is_hidden_that_is_killed: "mount what is hidden",
    a_collection_that_is_killed: "collect",
    a_collection_of_what_was_hidden_that_is_killed: "collect what was hidden",
    a_purge_that_is_killed: "purge",
    a_scrub_that_is_killed: "scrub",
}

/// A push stopped before the index knows; then the next start, which tells it, killed at each of its points.
#[tokio::test]
async fn telling_the_index_that_is_killed() {
    let is_told = |step: &Step| matches!(step, Step::Manifest { .. } | Step::Refer { .. });
    for verb in VERBS.iter().filter(|verb| verb.steps.iter().any(is_told)) {
        let mut template = Template::before(verb).await;
        let data = template.folder.path().join("template");
        let mut program = Program::start(&data, "kill pause made").await.unwrap();
        let client = client(&program, &data, "").await;
        assert_eq!(take_all(&client, verb.steps, &mut template.ledger).await, Told::Nothing);
        program.ends().await;

        let (counted, record) = (template.copy("count"), template.folder.path().join("points"));
        let program = Program::start(&counted, &format!("record:{}@1+", record.display())).await.unwrap();
        no_intent_is_left(&counted.join("registry/docker/registry/v2"), verb.name).await;
        drop(program);
        let points = fs::read_to_string(&record).unwrap().lines().count();
        let numbers = chosen(1, points, ONCE);
        println!("faults: telling the index, {}, killed at {} of {points} points", verb.name, numbers.len());
        for number in numbers {
            let data = template.copy(&format!("kill-{number}"));
            if let Some(mut program) = Program::start(&data, &format!("kill@{number}")).await {
                program.ends().await;
            }
            recovers(&data, verb, template.ledger.clone(), &format!("telling the index, kill@{number}")).await;
        }
    }
}
