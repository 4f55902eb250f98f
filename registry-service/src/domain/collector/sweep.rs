//! Sweeping: going over everything stored, and what each thing's fate is by the marks.
//!
//! Must not decide a fate: `fates.rs` does.

use super::at_once::at_once;
use super::fates::Doomed;
use super::mark::{Fingerprint, Marks};
use super::{Collection, CollectionError, Report};
use crate::model::collection::{Event, Fate, Finding, Keeper, Kind, Phase};
use crate::store::{Beside, Lies, Lying, RepositoryLock, Run, Spot, Storage};
use shared::{Digest, RepositoryName};
use std::collections::HashSet;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

/// Spots looked at before the fate of the first is decided. For links it is also how many are swept before a repository's
/// lock is given back for a moment, so that nobody waits long for it.
const SPOTS_AT_ONCE: usize = 128;

/// A repository that is busy for longer is left to the next run.
const PATIENCE: Duration = Duration::from_secs(10);

const PAUSE: Duration = Duration::from_millis(2);

/// Which sweep of a round it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// After the first mark: hides what it does not keep, and takes over what earlier runs left hidden.
    Hiding,
    /// After the second: what was hidden by then goes back, or goes for good.
    Settling,
}

/// What a sweep did.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Swept {
    /// Something is hidden now that another mark decides on.
    pub hidden: bool,
    /// A manifest has gone.
    pub manifests_gone: bool,
}

pub(super) struct Sweeper<'a, 'r> {
    pub storage: &'a Storage,
    pub collection: &'a Collection,
    pub run: &'a Run,
    pub report: &'a mut Report<'r>,
    /// What this run has hidden or taken over: only there is something to settle.
    pub hidden: HashSet<Fingerprint>,
    /// What goes at the end of the batch that is being settled.
    pub doomed: Vec<Doomed>,
    /// Manifests that a dry run would have deleted by now.
    pub gone: HashSet<Fingerprint>,
    /// What a dry run has said already.
    pub told: HashSet<Fingerprint>,
}

/// One thing that is swept.
pub(super) struct Thing<'t> {
    pub kind: Kind,
    pub lies: Option<&'t Lies>,
    pub digest: &'t Digest,
    pub spot: &'t Spot,
}

/// What a spot was a moment ago. What is done by it is done by name, and does nothing to a name that has gone.
pub(super) struct Look {
    pub beside: Beside,
    pub lying: Option<Lying>,
}

/// A repository that is swept.
struct Place<'p> {
    lies: &'p Lies,
    name: &'p RepositoryName,
}

impl Thing<'_> {
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.kind, self.lies, self.digest)
    }
}

impl<'a, 'r> Sweeper<'a, 'r> {
    pub fn new(storage: &'a Storage, collection: &'a Collection, run: &'a Run, report: &'a mut Report<'r>) -> Self {
        let (hidden, gone, told) = (HashSet::new(), HashSet::new(), HashSet::new());
        Self { storage, collection, run, report, hidden, doomed: Vec::new(), gone, told }
    }

    pub fn phase(&mut self, phase: Phase) {
        (self.report)(Event::Phase(phase));
    }

    /// Goes over every blob, then over every link of every repository under its lock.
    pub fn sweep(&mut self, marks: &Marks, pass: Pass) -> Result<Swept, CollectionError> {
        self.phase(Phase::Sweeping);
        let mut swept = Swept::default();
        let storage = self.storage;
        storage.visit_blobs(|spots| self.sweep_spots(marks, pass, Kind::Blob, None, spots, &mut swept).map(drop))?;
        storage.visit_in_place(&mut |lies| {
            // What lies under a name that only a peer could have given has no lock; and what is put away keeps all it has.
            let Some(name) = lies.name() else { return Ok(()) };
            let place = Some(Place { lies: &lies, name: &name });
            let mut revisions = storage.revision_spots(&lies)?;
            if self.sweep_spots(marks, pass, Kind::Manifest, place.as_ref(), &mut revisions, &mut swept)? {
                let mut layers = storage.layer_spots(&lies)?;
                self.sweep_spots(marks, pass, Kind::Layer, place.as_ref(), &mut layers, &mut swept)?;
            }
            Ok::<_, CollectionError>(())
        })?;
        Ok(swept)
    }

    /// `false`: the repository is busy, or it has moved and may be another than was marked.
    fn sweep_spots(
        &mut self,
        marks: &Marks,
        pass: Pass,
        kind: Kind,
        place: Option<&Place<'_>>,
        spots: &mut dyn Iterator<Item = (Digest, Spot)>,
        swept: &mut Swept,
    ) -> Result<bool, CollectionError> {
        let lies = place.map(|place| place.lies);
        loop {
            let some: Vec<_> = spots.take(SPOTS_AT_ONCE).collect();
            if some.is_empty() {
                return Ok(true);
            }
            let _lock = match place.map(|place| self.share(place, marks)).transpose()? {
                Some(None) => return Ok(false),
                lock => lock,
            };
            let hidden = &self.hidden;
            let looks = at_once(&some, |(digest, spot)| {
                let is_wanted = pass == Pass::Hiding || hidden.contains(&Fingerprint::of(kind, lies, digest));
                is_wanted.then(|| Ok::<_, io::Error>(Look { beside: spot.beside()?, lying: spot.lying()? })).transpose()
            })?;
            for ((digest, spot), look) in some.iter().zip(&looks) {
                (self.report)(Event::Looked);
                let thing = Thing { kind, lies, digest, spot };
                let kept = thing.kept(marks);
                match (look, pass) {
                    (None, _) => {}
                    (Some(look), Pass::Hiding) => self.hide(&thing, look, kept, swept)?,
                    (Some(look), Pass::Settling) => self.settle(&thing, look, kept, swept)?,
                }
            }
            self.unlink_doomed()?;
        }
    }

    /// `None`: see [`Self::sweep_spots`].
    fn share(&self, place: &Place<'_>, marks: &Marks) -> io::Result<Option<RepositoryLock>> {
        let begun = Instant::now();
        let lock = loop {
            match self.storage.try_share(place.name)? {
                Some(lock) => break lock,
                None if begun.elapsed() < PATIENCE => thread::sleep(PAUSE),
                None => {
                    tracing::warn!(repository = %place.name, "busy for too long; the next collection looks at it again");
                    return Ok(None);
                }
            }
        };
        let has_moved = marks.has_moved(self.storage, place.lies)?;
        Ok((!has_moved).then_some(lock))
    }
}

impl Thing<'_> {
    pub fn finding(&self, size: u64, fate: Fate) -> Finding {
        let repository = self.lies.map(ToString::to_string);
        Finding { kind: self.kind, repository, digest: self.digest.clone(), size, fate }
    }

    fn kept(&self, marks: &Marks) -> Option<Keeper> {
        match (self.kind, self.lies) {
            (Kind::Layer, Some(lies)) => marks.layer(lies, self.digest),
            (Kind::Manifest, Some(lies)) => marks.manifest(lies, self.digest),
            _ => marks.blob(self.digest),
        }
    }
}
