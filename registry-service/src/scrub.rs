//! Scrubbing from the command line: what a person at a terminal, or a program that reads JSON lines, is told.
//!
//! Must not decide what is damaged: `domain/scrub.rs` does.

use crate::domain::scrub::Scrub;
use crate::model::scrub::{Damaged, Event, Lacks};
use crate::store::Storage;
use anyhow::Context;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

/// How to scrub.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct ScrubArguments {
    /// Read no more than this in a second, as 100MiB.
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub rate: Option<u64>,
}

/// What a scrub came to.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Blobs read.
    pub blobs: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Blobs whose bytes are not what their digest says.
    pub damaged: u64,
    /// What repositories lack, once for each manifest that names it.
    pub lacking: u64,
}

impl Summary {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Total { .. } => {}
            Event::Read(bytes) => self.bytes += bytes,
            Event::Looked => self.blobs += 1,
            Event::Damaged(_) => self.damaged += 1,
            Event::Lacks(_) => self.lacking += 1,
        }
    }
}

/// Scrubs the storage folder `root`, and says what went on standard output. An error if anything is damaged or lacking.
pub fn run(arguments: ScrubArguments, root: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(root.is_dir(), "there is no storage folder {}", root.display());
    let storage = Storage::open(root)?;
    let stdout = io::stdout();
    let mut report = Report {
        is_person: stdout.is_terminal(),
        summary: Summary::default(),
        progress: if io::stderr().is_terminal() { progress_bar()? } else { ProgressBar::hidden() },
        out: stdout.lock(),
        failed: None,
    };
    let ended = Scrub { storage: &storage, rate: arguments.rate }.run(&mut |event| report.take(&event));
    report.progress.finish_and_clear();
    ended.context("what is stored cannot be read")?;
    let summary = report.finish()?;
    let is_well = summary.damaged == 0 && summary.lacking == 0;
    anyhow::ensure!(
        is_well,
        "{} damaged, {} lacking: push what is named above again",
        HumanCount(summary.damaged),
        HumanCount(summary.lacking)
    );
    Ok(())
}

struct Report<W> {
    is_person: bool,
    summary: Summary,
    progress: ProgressBar,
    out: W,
    /// The output cannot be written; the scrub goes on.
    failed: Option<io::Error>,
}

impl<W: Write> Report<W> {
    fn take(&mut self, event: &Event) {
        self.summary.take(event);
        match event {
            Event::Total { bytes, .. } => self.progress.set_length(*bytes),
            Event::Read(bytes) => self.progress.inc(*bytes),
            Event::Looked => {}
            Event::Damaged(damaged) => self.say(damaged, describe_damaged),
            Event::Lacks(lacks) => self.say(lacks, describe_lacks),
        }
    }

    fn say<T: Serialize>(&mut self, what: &T, describe: impl Fn(&T) -> String) {
        let line = if self.is_person { describe(what) } else { json(what) };
        let out = &mut self.out;
        let written = self.progress.suspend(|| writeln!(out, "{line}"));
        self.failed = self.failed.take().or(written.err());
    }

    fn finish(mut self) -> anyhow::Result<Summary> {
        let summary = self.summary.clone();
        self.say(&summary, |summary| {
            format!("{} blobs read ({})", HumanCount(summary.blobs), HumanBytes(summary.bytes))
        });
        match self.failed {
            None => Ok(summary),
            Some(error) => Err(error.into()),
        }
    }
}

fn progress_bar() -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  {eta}")?;
    Ok(ProgressBar::new(0).with_style(style))
}

fn describe_damaged(found: &Damaged) -> String {
    let fate = if found.quarantined { "put aside" } else { "replaced or removed meanwhile" };
    format!("damaged  {}  {fate}", found.damaged)
}

fn describe_lacks(found: &Lacks) -> String {
    let tags = if found.tags.is_empty() { String::new() } else { format!("  needed by {}", found.tags.join(", ")) };
    format!("lacking  {}  in {}@{}{tags}", found.lacks, found.repository, found.manifest)
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}

/// A number of bytes, as `500`, `64KiB`, `100MiB` or `1GB`.
fn bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 7] = [
        ("", 1),
        ("KB", 1000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
    ];
    let (number, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()));
    let unit = UNITS.iter().find(|(name, _)| *name == unit.trim()).map(|(_, size)| size);
    let bytes = unit.and_then(|size| number.parse::<u64>().ok()?.checked_mul(*size)).filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| "say a number of bytes, as 500, 64KiB, 100MiB or 1GB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_with_a_unit() {
        for (text, wanted) in [
            ("500", Some(500)),
            ("64KiB", Some(65536)),
            ("100MiB", Some(104_857_600)),
            ("1GB", Some(1_000_000_000)),
            ("1 GB", Some(1_000_000_000)),
            ("0", None),
            ("", None),
            ("MiB", None),
            ("-1", None),
            ("1.5MiB", None),
            ("99999999999GiB", None),
        ] {
            assert_eq!(bytes(text).ok(), wanted, "{text:?}");
        }
    }
}
