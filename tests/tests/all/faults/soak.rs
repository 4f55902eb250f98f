//! Random steps of several clients at once on two replicas that die at random points, by a seed that is printed; storage
//! and index are checked against a ledger after each death and at the end. `BERTH_TESTS_SEED=<seed>` does one again.

use super::checker::{check, check_storage, files, no_intent_is_left};
use super::chores::{Chore, Worker};
use super::is_long;
use super::ledger::{Known, Ledger, Told};
use super::random::{Random, SHARED};
use super::verbs::Step::{DeleteTag, Manifest, Mount, Whole, Work};
use super::verbs::{Client, Step, note, request, take_all, tidy_up};
use crate::support::{Host, Program, Repository, Stack};
use futures_util::future::join_all;
use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const NAME: &str = "admin/app";
const SCOPES: &str = "repository:admin/app:pull,push,delete repository:admin/app-source:pull,push";

/// How many registries may die. The index has one of its own, to which nothing happens.
const REPLICAS: usize = 2;

/// So many of the latest steps are told of after a mistake.
const REMEMBERED: usize = 200;

/// Steps in a run that is not long.
const FEW: usize = 40;

/// How long a long run takes.
const LONG: Duration = Duration::from_mins(5);

struct Soak {
    random: Random,
    stack: Stack,
    /// The index as the replicas ask it.
    index: Host,
    replicas: Vec<Program>,
    ledger: Ledger,
    seed: u64,
    step: usize,
    deaths: usize,
    /// What was done last, for whoever wants to know how it came to a mistake.
    latest: VecDeque<String>,
}

/// What a client did, and what it learned.
struct Learned {
    client: Client,
    steps: Vec<(Step, Told)>,
}

impl Drop for Soak {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.stack.keep();
            println!("what came before it, in {}:", self.stack.folder().display());
            self.latest.iter().for_each(|done| println!("{done}"));
        }
    }
}

/// Does `steps` in order, to the first that is not answered well.
async fn go_about(client: Client, steps: Vec<Step>) -> Learned {
    let mut learned = Vec::new();
    for step in steps {
        if let Mount(content) = step
            && take_all(&client.of_source(), &[Whole(content)], &mut Ledger::default()).await == Told::Nothing
        {
            break;
        }
        // What an intent keeps that somebody left is not known, nor whether a replica that runs on has the good bytes of
        // what is damaged in its memory.
        let is_sure =
            files(&client.worker.base().join("berth/intents")).is_empty() && !matches!(step, Work(Chore::Scrub));
        let told = request(&client, step).await;
        learned.push((step, if matches!(step, Work(_)) && !is_sure { Told::Nothing } else { told }));
        if told == Told::Nothing {
            break;
        }
    }
    Learned { client, steps: learned }
}

impl Soak {
    async fn begin(seed: u64) -> Self {
        let stack = Stack::start().await;
        let index = Program::index_of(&stack);
        let mut soak = Self {
            random: Random(seed),
            stack,
            index,
            replicas: Vec::new(),
            ledger: Ledger::default(),
            seed,
            step: 0,
            deaths: 0,
            latest: VecDeque::new(),
        };
        for _ in 0..REPLICAS {
            let replica = soak.start().await;
            soak.replicas.push(replica);
        }
        soak
    }

    fn what(&self) -> String {
        format!("seed {}, step {}", self.seed, self.step)
    }

    /// A replica, which may not come up at once.
    async fn start(&mut self) -> Program {
        let faults = self.random.faults(40);
        match Program::start_replica(&self.stack, &self.index, &[("BERTH_FAULTS", faults.as_str())]).await {
            Some(replica) => replica,
            None => self.start_well().await,
        }
    }

    async fn start_well(&self) -> Program {
        Program::start_replica(&self.stack, &self.index, &[]).await.expect("a process that nobody kills")
    }

    /// The repository as a client sees it at this registry.
    async fn app(&self, host: &Host) -> Repository {
        Repository::new(host, NAME, self.stack.admin().token(SCOPES).await)
    }

    /// Does the next few steps, some lists of them at once, and starts again whichever replica is dead then.
    async fn go_on(&mut self) {
        self.step += 1;
        let faults = if self.random.once_in(2) { self.random.faults(1) } else { String::new() };
        let app = self.app(&self.stack.host).await;
        let mut clients = Vec::new();
        for steps in self.random.lists() {
            let replica = self.random.below(REPLICAS);
            self.remember(format!("{}: {steps:?} on {replica}; {faults}", self.step));
            let worker = Worker::Process { data: self.stack.folder().to_owned(), faults: faults.clone() };
            clients.push(go_about(Client { app: app.on(&self.replicas[replica].host), worker }, steps));
        }
        match join_all(clients).await.as_slice() {
            [alone] => self.note(alone),
            all => self.note_all(all),
        }

        let killed = self.random.once_in(15).then(|| self.random.below(REPLICAS));
        for number in 0..REPLICAS {
            if killed == Some(number) {
                self.replicas[number].kill();
            } else if self.replicas[number].host.get("/v2/").attempt().await.is_some() {
                continue;
            } else {
                self.replicas[number].ends().await;
            }
            self.deaths += 1;
            self.remember(format!("{}: {number} is dead", self.step));
            self.replicas[number] = self.start().await;
            self.check().await;
        }
    }

    fn note(&mut self, Learned { client, steps }: &Learned) {
        for (step, told) in steps {
            note(client, *step, &mut self.ledger, *told);
            self.remember(format!("{}: {step:?}: taken for {told:?}", self.step));
        }
    }

    /// Writes down what clients learned who went about at once. They had nothing in common but blobs, which stay, and one
    /// tag: that means what one of them last made of it, or, if none is sure to have done so, what it meant before.
    fn note_all(&mut self, learned: &[Learned]) {
        let before = self.ledger.tags.remove(SHARED).unwrap_or_else(|| [None].into());
        let (mut after, mut is_changed) = (BTreeSet::new(), false);
        for one in learned {
            self.ledger.tags.insert(SHARED.to_owned(), BTreeSet::new());
            self.note(one);
            after.extend(self.ledger.tags.remove(SHARED).unwrap_or_default());
            is_changed |= one.steps.iter().any(|(step, told)| {
                *told == Told::Done && matches!(step, Manifest { tag: SHARED, .. } | DeleteTag(SHARED))
            });
        }
        if !is_changed {
            after.extend(before);
        }
        self.ledger.tags.insert(SHARED.to_owned(), after);
    }

    /// Nobody does anything now: storage is as clients were told, and the index knows it once it was told too.
    async fn check(&self) {
        let worker = Worker::Beside(self.stack.registries().clone());
        assert_eq!(worker.does(Chore::Settle).await, Told::Done, "{}: telling the index", self.what());
        check(&self.app(&self.stack.host).await, &self.stack.admin(), &self.ledger, &self.what()).await;
    }

    fn remember(&mut self, done: String) {
        if self.latest.len() == REMEMBERED {
            self.latest.pop_front();
        }
        self.latest.push_back(done);
    }

    async fn end(mut self) {
        for number in 0..REPLICAS {
            self.replicas[number].kill();
            self.replicas[number] = self.start_well().await;
        }
        self.check().await;
        let (app, worker) = (self.app(&self.stack.host).await, Worker::Here(self.stack.root().to_owned()));
        no_intent_is_left(&worker.base(), &self.what()).await;
        let mut ledger = self.ledger.clone();
        tidy_up(&Client { app: app.clone(), worker }, &mut ledger, &self.what()).await;
        for host in self.replicas.iter().map(|replica| &replica.host).chain([&self.stack.host]) {
            check_storage(&app.on(host), &ledger, &self.what()).await;
        }
        let manifests = ledger.manifests.values().filter(|(_, known)| *known == Known::There).count();
        println!("faults: soak, {} steps, {} deaths, {manifests} manifests at the end", self.step, self.deaths);
    }
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_soak() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let seed = std::env::var("BERTH_TESTS_SEED").map_or(now, |seed| seed.parse().unwrap());
    println!("faults: soak with BERTH_TESTS_SEED={seed}");
    let begun = Instant::now();
    let mut soak = Soak::begin(seed).await;
    while if is_long() { begun.elapsed() < LONG } else { soak.step < FEW } {
        soak.go_on().await;
    }
    soak.end().await;
}
