//! Collecting garbage from the command line: what a person at a terminal, or a program that reads JSON lines, is told.
//!
//! Must not decide what goes: `domain/collector/` does.

use crate::domain::collector::Collection;
use crate::model::collection::{Event, Fate, Finding, Keeper, Kind, Phase};
use crate::store::Storage;
use indicatif::{HumanBytes, HumanCount, ProgressBar};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

/// What to collect.
#[derive(Debug, Clone, clap::Args)]
pub struct CollectionArguments {
    /// Change nothing, and say what would go.
    #[arg(long)]
    pub dry_run: bool,
    /// Take away manifests that have no tag too, save parts of an index and what refers to a manifest that is there.
    #[arg(long)]
    pub delete_untagged: bool,
    /// What is younger stays; what goes is hidden for so long before it is deleted, and comes back if it is needed.
    #[arg(long, default_value = "24h", value_name = "DURATION")]
    pub grace: SignedDuration,
    /// What a tag that is still there pointed at so long ago stays.
    #[arg(long, default_value = "168h", value_name = "DURATION")]
    pub restore_window: SignedDuration,
    /// Say of everything that stays why it stays.
    #[arg(long)]
    pub verbose: bool,
}

/// How many, and how many bytes of them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// How many.
    pub count: u64,
    /// Their bytes on disk; links are not counted.
    pub bytes: u64,
}

/// What a collection came to.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Out of sight now; deleted by a collection after the grace.
    pub hidden: Sum,
    /// Out of sight since an earlier collection, and not long enough yet.
    pub waiting: Sum,
    /// Gone.
    pub deleted: Sum,
    /// Hidden before, and needed after all.
    pub brought_back: Sum,
    /// What stays, by reason.
    pub kept: BTreeMap<Keeper, Sum>,
    /// Manifests that are listed and whose bytes are nowhere.
    pub lost: u64,
}

impl Summary {
    /// Counts what `event` tells.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Round => self.kept.clear(),
            Event::Lost { .. } => self.lost += 1,
            Event::Found(finding) => {
                let sum = match finding.fate {
                    Fate::Hidden => &mut self.hidden,
                    Fate::Waiting => &mut self.waiting,
                    Fate::Deleted => &mut self.deleted,
                    Fate::BroughtBack => &mut self.brought_back,
                    Fate::Kept(keeper) => self.kept.entry(keeper).or_default(),
                };
                sum.count += 1;
                sum.bytes += if is_content(finding.kind) { finding.size } else { 0 };
            }
            Event::Phase(_) | Event::Looked => {}
        }
    }
}

/// Collects in the storage folder `root`, and says what went on standard output.
pub fn run(arguments: &CollectionArguments, root: &Path) -> anyhow::Result<Summary> {
    let stdout = io::stdout();
    anyhow::ensure!(root.is_dir(), "there is no storage folder {}", root.display());
    let storage = Storage::open(root)?;
    let mut report = Report {
        arguments,
        is_person: stdout.is_terminal(),
        summary: Summary::default(),
        progress: if io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() },
        out: stdout,
        failed: None,
    };
    let collection = Collection {
        now: Timestamp::now(),
        grace: arguments.grace,
        restore_window: arguments.restore_window,
        delete_untagged: arguments.delete_untagged,
        dry_run: arguments.dry_run,
    };
    let ended = collection.run(&storage, &mut |event| report.take(&event));
    report.progress.finish_and_clear();
    ended?;
    report.finish()
}

struct Report<'a, W> {
    arguments: &'a CollectionArguments,
    is_person: bool,
    summary: Summary,
    progress: ProgressBar,
    out: W,
    /// The output cannot be written; the collection goes on.
    failed: Option<io::Error>,
}

impl<W: Write> Report<'_, W> {
    fn take(&mut self, event: &Event) {
        self.summary.take(event);
        match event {
            Event::Phase(phase) => {
                self.progress.set_position(0);
                self.progress.set_message(name_of(*phase));
            }
            Event::Looked => self.progress.inc(1),
            Event::Found(finding) if self.arguments.verbose || !matches!(finding.fate, Fate::Kept(_)) => {
                let line = if self.is_person { describe(finding) } else { json(finding) };
                self.line(&line);
            }
            Event::Lost { repository, digest } if self.is_person => {
                self.line(&format!(
                    "lost     manifest {repository}@{digest}: its bytes are nowhere; push it again or delete it"
                ));
            }
            Event::Lost { repository, digest } => {
                self.line(&json(&serde_json::json!({ "lost": digest.as_str(), "repository": repository })));
            }
            Event::Found(_) | Event::Round => {}
        }
    }

    fn line(&mut self, line: &str) {
        let out = &mut self.out;
        let written = self.progress.suspend(|| writeln!(out, "{line}"));
        self.failed = self.failed.take().or(written.err());
    }

    fn finish(mut self) -> anyhow::Result<Summary> {
        let line = if self.is_person { self.sentences() } else { json(&self.summary) };
        self.line(&line);
        match self.failed {
            None => Ok(self.summary),
            Some(error) => Err(error.into()),
        }
    }

    fn sentences(&self) -> String {
        let Summary { hidden, waiting, deleted, brought_back, kept, .. } = &self.summary;
        let would = if self.arguments.dry_run { "would be " } else { "" };
        let sum = |sum: &Sum| format!("{} ({})", HumanCount(sum.count), HumanBytes(sum.bytes));
        let mut lines: Vec<_> =
            kept.iter().map(|(keeper, kept)| format!("{} kept: {}", sum(kept), reason(*keeper))).collect();
        if waiting.count > 0 {
            lines.push(format!("{} wait for the grace of {:#} to pass", sum(waiting), self.arguments.grace));
        }
        if brought_back.count > 0 {
            lines.push(format!("{} {would}brought back", sum(brought_back)));
        }
        lines.push(format!("{} {would}hidden", sum(hidden)));
        lines.push(format!("{} {would}deleted", sum(deleted)));
        lines.join("\n")
    }
}

fn name_of(phase: Phase) -> &'static str {
    match phase {
        Phase::Marking => "reading manifests",
        Phase::Sweeping => "looking at blobs and links",
    }
}

fn describe(finding: &Finding) -> String {
    let fate = match finding.fate {
        Fate::Hidden => "hidden",
        Fate::Waiting => "waiting",
        Fate::Deleted => "deleted",
        Fate::BroughtBack => "back",
        Fate::Kept(_) => "kept",
    };
    let kind = match finding.kind {
        Kind::Blob => "blob",
        Kind::Damaged => "damaged",
        Kind::Layer => "layer",
        Kind::Manifest => "manifest",
    };
    let place = finding.repository.as_ref().map_or_else(String::new, |repository| format!("{repository}@"));
    let more = match finding.fate {
        Fate::Kept(keeper) => reason(keeper).to_owned(),
        _ if is_content(finding.kind) => HumanBytes(finding.size).to_string(),
        _ => String::new(),
    };
    format!("{fate:<8} {kind:<8} {place}{}  {more}", finding.digest).trim_end().to_owned()
}

/// Whether it has bytes that count; a link has none of its own.
fn is_content(kind: Kind) -> bool {
    matches!(kind, Kind::Blob | Kind::Damaged)
}

fn reason(keeper: Keeper) -> &'static str {
    match keeper {
        Keeper::Manifest => "a manifest needs it",
        Keeper::PutAway => "a deleted repository that can be restored needs it",
        Keeper::Intent => "it is being pushed or deleted",
        Keeper::Tag => "a tag points at it",
        Keeper::History => "a tag pointed at it not long ago",
        Keeper::Index => "an index lists it",
        Keeper::Subject => "it refers to a manifest that is there",
        Keeper::Grace => "younger than the grace",
        Keeper::NoRule => "manifests stay unless --delete-untagged is given",
        Keeper::OnlyCopy => "damaged, but all there is of what somebody needs: push it again",
        Keeper::Busy => "in use just now; the next collection looks again",
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}
