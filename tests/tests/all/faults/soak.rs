//! Random steps on two replicas that die at random points, by a seed that is printed; checked against a ledger after each
//! death and at the end. `BERTH_TESTS_SEED=<seed>` does one again.

use super::checker::{check_storage, files, no_intent_is_left};
use super::chores::{Chore, Worker};
use super::is_long;
use super::ledger::{Known, Ledger, Told};
use super::table::CONFIG;
use super::verbs::Step::{Begin, Chunked, Damage, DeleteBlob, DeleteManifest, DeleteTag, Manifest, Mount, Refer};
use super::verbs::Step::{Strand, Whole, Work};
use super::verbs::{Client, Step, note, request, take_all, tidy_up};
use crate::support::{Program, Repository};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const NAME: &str = "acme/app";
const LAYERS: &[&str] = &["one", "two", "three", "four", "five", "six"];
const TAGS: &[&str] = &["v1", "v2", "v3", "latest"];
const LOOSE: &[&str] = &["loose", "looser", "loosest"];
const MOUNTED: &[&str] = &["shared", "common"];

/// The last of the replicas: it only reads, and nothing happens to it.
const OBSERVER: usize = 2;

/// So many of the latest steps are told of after a mistake.
const REMEMBERED: usize = 200;

/// Steps in a run that is not long.
const FEW: usize = 60;

/// How long a long run takes.
const LONG: Duration = Duration::from_mins(5);

/// A generator of numbers that look random (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn one_of(&mut self, all: &[&'static str]) -> &'static str {
        all[self.below(all.len())]
    }

    /// Whether something happens that does once in `times`.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// A client's next few steps, of which each needs the one before it.
    fn steps(&mut self) -> Vec<Step> {
        let (layer, tag, loose) = (self.one_of(LAYERS), self.one_of(TAGS), self.one_of(LOOSE));
        match self.below(20) {
            0..6 => vec![Whole(CONFIG), Chunked(layer), Manifest { tag, layer }],
            6..8 => vec![Whole(CONFIG), Whole(layer), Manifest { tag, layer }, Refer { layer }],
            8..10 => vec![DeleteTag(tag)],
            10 => vec![DeleteManifest { layer }],
            11 => vec![Whole(loose)],
            12 => vec![DeleteBlob(loose)],
            13 => vec![Whole(loose), Damage(loose), Work(Chore::Scrub)],
            14 => vec![Mount(self.one_of(MOUNTED))],
            15 => vec![Begin],
            16 => vec![Whole(CONFIG), Strand, Work(Chore::Purge)],
            17 => vec![Work(Chore::CollectBlobs)],
            _ => vec![Work(Chore::Collect)],
        }
    }

    /// What a process that starts now suffers, if it lives so long: `first` is past its start.
    fn faults(&mut self, first: usize) -> String {
        let errors = ["eio", "enospc", "half", "sleep:20"].map(|fault| format!("{fault}@{}", first + self.below(300)));
        format!("{};kill@{}", errors.join(";"), 1 + self.below(300))
    }
}

struct Soak {
    random: Random,
    folder: TempDir,
    replicas: Vec<Program>,
    ledger: Ledger,
    seed: u64,
    step: usize,
    deaths: usize,
    /// What was done last, for whoever wants to know how it came to a mistake.
    latest: VecDeque<String>,
}

impl Drop for Soak {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            println!("what came before it, in {}:", self.folder.path().display());
            self.latest.iter().for_each(|done| println!("{done}"));
        }
    }
}

impl Soak {
    async fn begin(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let random = Random(seed);
        let mut soak = Self {
            random,
            folder,
            replicas: Vec::new(),
            ledger: Ledger::default(),
            seed,
            step: 0,
            deaths: 0,
            latest: VecDeque::new(),
        };
        for _ in 0..OBSERVER {
            let replica = soak.start().await;
            soak.replicas.push(replica);
        }
        soak.replicas.push(Program::start_registry(&soak.data(), "").await.unwrap());
        soak
    }

    fn what(&self) -> String {
        format!("seed {}, step {}", self.seed, self.step)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A replica, which may not come up at once.
    async fn start(&mut self) -> Program {
        let faults = self.random.faults(40);
        match Program::start_registry(&self.data(), &faults).await {
            Some(replica) => replica,
            None => Program::start_registry(&self.data(), "").await.unwrap(),
        }
    }

    fn client(&self, replica: usize, faults: String) -> Client {
        let app = Repository::new(&self.replicas[replica].host, NAME, String::new());
        Client { app, worker: Worker::Process { data: self.data(), faults } }
    }

    /// Does the next few steps on one of the replicas, and starts again whichever is dead then.
    async fn go_on(&mut self) {
        self.step += 1;
        let replica = self.random.below(OBSERVER);
        let faults = if self.random.once_in(2) { self.random.faults(1) } else { String::new() };
        let work_faults = faults.clone();
        let client = self.client(replica, faults);
        let steps = self.random.steps();
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
            let known = if matches!(step, Work(_)) && !is_sure { Told::Nothing } else { told };
            note(&client, step, &mut self.ledger, known);
            self.remember(format!(
                "{}: {step:?} on {replica}: {told:?}, taken for {known:?}; {work_faults}",
                self.step
            ));
            if told == Told::Nothing {
                break;
            }
        }
        let is_killed = self.random.once_in(15);
        for number in 0..OBSERVER {
            if number == replica && is_killed {
                self.replicas[number].kill();
            } else if self.replicas[number].host.get("/v2/").attempt().await.is_some() {
                continue;
            } else {
                self.replicas[number].ends().await;
            }
            self.deaths += 1;
            self.remember(format!("{}: {number} is dead", self.step));
            self.replicas[number] = self.start().await;
            check_storage(&self.client(OBSERVER, String::new()).app, &self.ledger, &self.what()).await;
        }
    }

    fn remember(&mut self, done: String) {
        if self.latest.len() == REMEMBERED {
            self.latest.pop_front();
        }
        self.latest.push_back(done);
    }

    async fn end(mut self) {
        for number in 0..OBSERVER {
            self.replicas[number].kill();
            self.replicas[number] = Program::start_registry(&self.data(), "").await.unwrap();
        }
        let client = self.client(0, String::new());
        check_storage(&client.app, &self.ledger, &self.what()).await;
        no_intent_is_left(&client.worker.base(), &self.what()).await;
        let mut ledger = self.ledger.clone();
        tidy_up(&client, &mut ledger, &self.what()).await;
        for replica in 0..=OBSERVER {
            check_storage(&self.client(replica, String::new()).app, &ledger, &self.what()).await;
        }
        let manifests = ledger.manifests.values().filter(|(_, known)| *known == Known::There).count();
        println!("soak: {} steps, {} deaths, {manifests} manifests at the end", self.step, self.deaths);
    }
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_soak() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let seed = std::env::var("BERTH_TESTS_SEED").map_or(now, |seed| seed.parse().unwrap());
    println!("soak with BERTH_TESTS_SEED={seed}");
    let begun = Instant::now();
    let mut soak = Soak::begin(seed).await;
    while if is_long() { begun.elapsed() < LONG } else { soak.step < FEW } {
        soak.go_on().await;
    }
    soak.end().await;
}
