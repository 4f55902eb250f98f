//! `garbage-collect`: a collection as Distribution's command does it, and told in its words.

use crate::domain::collector::Collection;
use crate::model::collection::{Event, Fate, Kind};
use crate::store::Storage;
use jiff::{SignedDuration, Timestamp};
use std::io::{self, Write};
use std::path::Path;

/// What to collect.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Change nothing, and say what would go.
    #[arg(short, long)]
    dry_run: bool,
    /// Take away manifests that have no tag too, save parts of an index and what refers to a manifest that is there.
    #[arg(short = 'm', long)]
    delete_untagged: bool,
    /// What is younger stays. With none, a push that is going on now may have to be repeated.
    #[arg(long, default_value = "0s", value_name = "DURATION")]
    grace: SignedDuration,
}

/// Collects in the storage folder `root`.
pub fn run(arguments: &Arguments, root: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(root.is_dir(), "there is no storage folder {}", root.display());
    let storage = Storage::open(root)?;
    let collection = Collection {
        now: Timestamp::now(),
        grace: arguments.grace,
        restore_window: SignedDuration::ZERO,
        delete_untagged: arguments.delete_untagged,
        dry_run: arguments.dry_run,
    };
    let (mut marked, mut blobs, mut manifests) = (0_u64, 0_u64, 0_u64);
    let mut out = Output { stdout: io::stdout(), failed: None };
    collection.run(&storage, &mut |event| match event {
        Event::Round => marked = 0,
        Event::Found(finding) => match (finding.kind, finding.fate) {
            (Kind::Blob, Fate::Kept(_) | Fate::BroughtBack) => marked += 1,
            (Kind::Blob, Fate::Hidden | Fate::Deleted) => {
                blobs += 1;
                out.line(&format!("blob eligible for deletion: {}", finding.digest));
            }
            (Kind::Manifest, Fate::Hidden | Fate::Deleted) => {
                manifests += 1;
                out.line(&format!("manifest eligible for deletion: {}", finding.digest));
            }
            _ => {}
        },
        Event::Phase(_) | Event::Looked | Event::Lost { .. } => {}
    })?;
    out.line(&format!("{marked} blobs marked, {blobs} blobs and {manifests} manifests eligible for deletion"));
    out.failed.map_or(Ok(()), |error| Err(error.into()))
}

/// What cannot be written does not end the collection.
struct Output<W> {
    stdout: W,
    failed: Option<io::Error>,
}

impl<W: Write> Output<W> {
    fn line(&mut self, line: &str) {
        let written = writeln!(self.stdout, "{line}");
        self.failed = self.failed.take().or(written.err());
    }
}
