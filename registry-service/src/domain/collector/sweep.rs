//! Sweeping: what the marks do not keep is hidden, put back, or unlinked.

use super::mark::{Fingerprint, Marks};
use super::{Collection, CollectionError};
use crate::model::collection::{Event, Fate, Finding, Keeper, Kind, Phase};
use crate::store::{Hidden, IntentTarget, Lies, RepositoryLock, Run, Spot, Storage};
use shared::{Digest, RepositoryName};
use std::collections::HashSet;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

/// Links swept before a repository's lock is given back for a moment, so that nobody waits long for it.
const LINKS_AT_ONCE: usize = 128;

/// A repository that is busy for longer is left to the next run.
const PATIENCE: Duration = Duration::from_secs(10);

const PAUSE: Duration = Duration::from_millis(2);

/// Which sweep of a round it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// After the first mark: hides.
    Hiding,
    /// After the second: puts back, and unlinks what has been hidden for long enough.
    Settling,
}

/// What a sweep did.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Swept {
    /// Something is hidden now.
    pub hidden: bool,
    /// A manifest has gone.
    pub manifests_gone: bool,
}

pub(super) struct Sweeper<'a> {
    pub storage: &'a Storage,
    pub collection: &'a Collection,
    pub run: &'a Run,
    pub report: &'a mut dyn FnMut(Event),
    /// Manifests that a dry run would have deleted by now.
    pub gone: HashSet<Fingerprint>,
    /// What a dry run has said already.
    pub told: HashSet<Fingerprint>,
}

/// One thing that is swept.
struct Thing<'t> {
    kind: Kind,
    lies: Option<&'t Lies>,
    digest: &'t Digest,
    spot: &'t Spot,
}

impl Sweeper<'_> {
    pub fn phase(&mut self, phase: Phase) {
        (self.report)(Event::Phase(phase));
    }

    /// Takes over everything that earlier runs left hidden.
    pub fn adopt(&mut self) -> Result<(), CollectionError> {
        self.visit(None, |sweeper, thing| {
            for hidden in thing.spot.hidden()? {
                hidden.adopt(sweeper.run)?;
            }
            Ok(())
        })
    }

    /// Goes over everything stored.
    pub fn sweep(&mut self, marks: &Marks, pass: Pass) -> Result<Swept, CollectionError> {
        self.phase(Phase::Sweeping);
        let mut swept = Swept::default();
        self.visit(Some(marks), |sweeper, thing| {
            let kept = match (thing.kind, thing.lies) {
                (Kind::Layer, Some(lies)) => marks.layer(lies, thing.digest),
                (Kind::Manifest, Some(lies)) => marks.manifest(lies, thing.digest),
                _ => marks.blob(thing.digest),
            };
            sweeper.settle_hidden(thing, kept, pass, &mut swept)?;
            if pass == Pass::Hiding {
                sweeper.hide(thing, kept, &mut swept)?;
            }
            Ok(())
        })?;
        Ok(swept)
    }

    /// What is hidden by this run, and was so when the mark began, goes back or goes for good.
    fn settle_hidden(
        &mut self,
        thing: &Thing<'_>,
        kept: Option<Keeper>,
        pass: Pass,
        swept: &mut Swept,
    ) -> Result<(), CollectionError> {
        let dry_run = self.collection.dry_run;
        for hidden in thing.spot.hidden()?.into_iter().filter(|hidden| dry_run || hidden.is_of(self.run)) {
            let size = Spot::hidden_size(&hidden)?;
            let is_due = hidden.since <= self.collection.before(self.collection.grace);
            let fate = match kept {
                Some(_) if dry_run => Fate::BroughtBack,
                Some(_) => {
                    thing.spot.put_back(&hidden)?;
                    Fate::BroughtBack
                }
                None if is_due => self.delete(thing, &hidden, swept)?,
                None if pass == Pass::Hiding => Fate::Waiting,
                // Said when it was hidden, a moment ago.
                None => continue,
            };
            self.tell(thing, size, fate);
        }
        Ok(())
    }

    fn hide(&mut self, thing: &Thing<'_>, kept: Option<Keeper>, swept: &mut Swept) -> Result<(), CollectionError> {
        let Some(lying) = thing.spot.lying()? else { return Ok(()) };
        let is_young = lying.since > self.collection.before(self.collection.grace);
        let goes_at_once = self.collection.grace.is_zero();
        let fate = match kept.or(is_young.then_some(Keeper::Grace)) {
            Some(keeper) => Fate::Kept(keeper),
            None if self.collection.dry_run && goes_at_once => self.would_go(thing, swept),
            None if self.collection.dry_run => Fate::Hidden,
            None => {
                swept.hidden |= thing.spot.hide(self.run)?;
                if goes_at_once {
                    // It is said what becomes of it when it has been marked again.
                    return Ok(());
                }
                Fate::Hidden
            }
        };
        self.tell(thing, lying.size, fate);
        Ok(())
    }

    fn delete(&mut self, thing: &Thing<'_>, hidden: &Hidden, swept: &mut Swept) -> Result<Fate, CollectionError> {
        if self.collection.dry_run {
            return Ok(self.would_go(thing, swept));
        }
        self.storage.pause("collector unlinks");
        match (thing.kind, thing.lies.and_then(Lies::name)) {
            (Kind::Manifest, Some(name)) => {
                if !self.delete_manifest(&name, thing, hidden)? {
                    return Ok(Fate::Kept(Keeper::Busy));
                }
                swept.manifests_gone = true;
            }
            _ => {
                thing.spot.unlink(hidden)?;
            }
        }
        thing.spot.remove_empty();
        Ok(Fate::Deleted)
    }

    /// Leaves an intent, by which the index is told. `false`: somebody is changing this manifest.
    fn delete_manifest(&self, name: &RepositoryName, thing: &Thing<'_>, hidden: &Hidden) -> io::Result<bool> {
        let target = IntentTarget::Manifest(thing.digest.clone());
        let Some(intent) = self.storage.try_intent(name, &target)? else { return Ok(false) };
        self.storage.publish_gone(&intent, thing.digest)?;
        let entry = self.storage.read_referrer(name, thing.digest)?.flatten();
        thing.spot.unlink_durably(hidden)?;
        if let Some((subject, _)) = entry
            && !self.storage.has_revision(name, thing.digest)?
        {
            self.storage.remove_referrer(name, &subject, thing.digest)?;
        }
        Ok(true)
    }

    fn would_go(&mut self, thing: &Thing<'_>, swept: &mut Swept) -> Fate {
        if thing.kind == Kind::Manifest && self.gone.insert(Fingerprint::of(thing.kind, thing.lies, thing.digest)) {
            swept.manifests_gone = true;
        }
        Fate::Deleted
    }

    fn tell(&mut self, thing: &Thing<'_>, size: u64, fate: Fate) {
        let is_repeated = self.collection.dry_run
            && !matches!(fate, Fate::Kept(_))
            && !self.told.insert(Fingerprint::of(thing.kind, thing.lies, thing.digest));
        if !is_repeated {
            let repository = thing.lies.map(ToString::to_string);
            let finding = Finding { kind: thing.kind, repository, digest: thing.digest.clone(), size, fate };
            (self.report)(Event::Found(finding));
        }
    }

    /// Visits every blob, then every link of every repository under its lock. With `marks`, repositories that have moved
    /// since then are passed over: they may be others than those that were marked.
    fn visit(
        &mut self,
        marks: Option<&Marks>,
        mut visit: impl FnMut(&mut Self, &Thing<'_>) -> Result<(), CollectionError>,
    ) -> Result<(), CollectionError> {
        let storage = self.storage;
        storage.visit_blobs(|digest, spot| {
            (self.report)(Event::Looked);
            visit(self, &Thing { kind: Kind::Blob, lies: None, digest, spot })
        })?;
        storage.visit_repositories(|lies| {
            // What is put away keeps all it has; what lies under a name that only a peer could have given has no lock.
            let Some(name) = lies.name() else { return Ok(()) };
            let links = [(Kind::Manifest, storage.revision_spots(lies)?), (Kind::Layer, storage.layer_spots(lies)?)];
            for (kind, spots) in links {
                for some in spots.chunks(LINKS_AT_ONCE) {
                    let Some(_lock) = self.share(&name)? else {
                        tracing::warn!(repository = %name, "busy for too long; the next collection looks at it again");
                        return Ok(());
                    };
                    if let Some(marks) = marks
                        && marks.has_moved(storage, lies)?
                    {
                        return Ok(());
                    }
                    for (digest, spot) in some {
                        (self.report)(Event::Looked);
                        visit(self, &Thing { kind, lies: Some(lies), digest, spot })?;
                    }
                }
            }
            Ok(())
        })
    }

    fn share(&self, name: &RepositoryName) -> io::Result<Option<RepositoryLock>> {
        let begun = Instant::now();
        loop {
            match self.storage.try_share(name)? {
                None if begun.elapsed() < PATIENCE => thread::sleep(PAUSE),
                shared => return Ok(shared),
            }
        }
    }
}
