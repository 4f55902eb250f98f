//! The process killed between any two calls to the disk, and at each place between two steps: what was acknowledged is
//! there after the next start, the rest is whole or nowhere, and the client's next attempt succeeds.

use super::checker::{check, no_intent_is_left};
use super::chosen;
use super::ledger::{Ledger, Told};
use super::verbs::{Step, VERBS, Verb, take_all};
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

async fn repository(program: &Program) -> Repository {
    let scopes = format!("repository:{NAME}:pull,push,delete repository:{NAME}-source:pull,push");
    Repository::new(&program.host, NAME, program.admin().token(&scopes).await)
}

impl Template {
    async fn before(verb: &Verb) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = Program::start_well(&folder.path().join("template")).await;
        let app = repository(&program).await;
        let source = Repository { name: format!("{NAME}-source"), ..app.clone() };
        assert_eq!(take_all(&source, verb.source, &mut Ledger::default()).await, Told::Done);
        let mut ledger = Ledger::default();
        assert_eq!(take_all(&app, verb.before, &mut ledger).await, Told::Done);
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
        let program = Program::start(&data, &format!("record:{}@1+", record.display())).await.unwrap();
        let app = repository(&program).await;
        let count = || fs::read_to_string(&record).unwrap_or_default().lines().count();
        let ready = count();
        assert_eq!(take_all(&app, verb.steps, &mut self.ledger.clone()).await, Told::Done);
        (ready, count())
    }

    /// The verb with a kill at point `number`, then everything a client may ask for.
    async fn run(&self, verb: &Verb, number: usize) {
        let what = format!("{}, kill@{number}", verb.name);
        let data = self.copy(&format!("kill-{number}"));
        let mut ledger = self.ledger.clone();
        if let Some(mut program) = Program::start(&data, &format!("kill@{number}")).await {
            let app = repository(&program).await;
            take_all(&app, verb.steps, &mut ledger).await;
            program.ends().await;
        }
        recovers(&data, verb, ledger, &what).await;
    }
}

/// Starts it again: everything is as its client was told, and the verb can be done again.
async fn recovers(data: &Path, verb: &Verb, mut ledger: Ledger, what: &str) {
    let program = Program::start_well(data).await;
    let app = repository(&program).await;
    check(&app, &program.admin(), &ledger, what).await;
    assert_eq!(take_all(&app, verb.steps, &mut ledger).await, Told::Done, "{what}: the same again");
    check(&app, &program.admin(), &ledger, &format!("{what}, the same again")).await;
    no_intent_is_left(&data.join("registry/docker/registry/v2"), what).await;
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

async fn every_point(verb: &Verb) {
    let template = Template::before(verb).await;
    let (ready, all) = template.count(verb).await;
    let numbers = chosen(ready + 1, all, 0);
    println!("{}: killed at {} of {} points", verb.name, numbers.len(), all - ready);
    assert!(!numbers.is_empty(), "a verb that changes nothing");
    for number in numbers {
        template.run(verb, number).await;
    }
}

tests! { every_point:
    a_push_that_is_killed: "push",
    a_tag_moved_and_killed: "move a tag",
    a_tag_deleted_and_killed: "delete a tag",
    a_manifest_deleted_and_killed: "delete a manifest",
    a_blob_deleted_and_killed: "delete a blob",
    a_mount_that_is_killed: "mount",
}

/// A push stopped before the index knows; then the next start, which tells it, killed at each of its points.
#[tokio::test]
async fn telling_the_index_that_is_killed() {
    for verb in VERBS.iter().filter(|verb| verb.steps.iter().any(|step| matches!(step, Step::Manifest { .. }))) {
        let mut template = Template::before(verb).await;
        let data = template.folder.path().join("template");
        let mut program = Program::start(&data, "kill pause made").await.unwrap();
        let app = repository(&program).await;
        assert_eq!(take_all(&app, verb.steps, &mut template.ledger).await, Told::Nothing);
        program.ends().await;

        let (counted, record) = (template.copy("count"), template.folder.path().join("points"));
        let program = Program::start(&counted, &format!("record:{}@1+", record.display())).await.unwrap();
        no_intent_is_left(&counted.join("registry/docker/registry/v2"), verb.name).await;
        drop(program);
        let points = fs::read_to_string(&record).unwrap().lines().count();
        println!("telling the index, {}: {points} points", verb.name);
        for number in chosen(1, points, 0) {
            let data = template.copy(&format!("kill-{number}"));
            if let Some(mut program) = Program::start(&data, &format!("kill@{number}")).await {
                program.ends().await;
            }
            recovers(&data, verb, template.ledger.clone(), &format!("telling the index, kill@{number}")).await;
        }
    }
}
