//! What becomes of one thing: it is hidden, goes back, goes for good, or stays.

use super::CollectionError;
use super::at_once::at_once;
use super::sweep::{Look, Sweeper, Swept, Thing};
use crate::model::collection::{Event, Fate, Finding, Keeper, Kind};
use crate::store::{Hidden, IntentTarget, Lies, PutAside, Spot};
use shared::RepositoryName;
use std::io;

/// What goes for good at the end of a batch, and what is said of it then.
pub(super) struct Doomed {
    spot: Spot,
    hidden: Hidden,
    finding: Finding,
}

impl Sweeper<'_, '_> {
    /// After the first mark.
    pub(super) fn hide(
        &mut self,
        thing: &Thing<'_>,
        look: &Look,
        kept: Option<Keeper>,
        swept: &mut Swept,
    ) -> Result<(), CollectionError> {
        for damaged in &look.beside.damaged {
            self.remove_damaged(thing, damaged, kept)?;
        }
        for hidden in &look.beside.hidden {
            self.take_over(thing, hidden, kept, swept)?;
        }
        let Some(lying) = look.lying else { return Ok(()) };
        let is_young = lying.since > self.collection.before(self.collection.grace);
        let goes_at_once = self.collection.grace.is_zero();
        let fate = match kept.or(is_young.then_some(Keeper::Grace)) {
            Some(keeper) => Fate::Kept(keeper),
            None if self.collection.dry_run && goes_at_once => self.would_go(thing, swept),
            None if self.collection.dry_run => Fate::Hidden,
            None => {
                if thing.spot.hide(self.run)? {
                    self.hidden.insert(thing.fingerprint());
                    swept.hidden = true;
                }
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

    /// After the second mark.
    pub(super) fn settle(
        &mut self,
        thing: &Thing<'_>,
        look: &Look,
        kept: Option<Keeper>,
        swept: &mut Swept,
    ) -> Result<(), CollectionError> {
        for hidden in look.beside.hidden.iter().filter(|hidden| hidden.is_of(self.run)) {
            let size = Spot::hidden_size(hidden)?;
            let fate = match kept {
                Some(_) => {
                    thing.spot.put_back(hidden)?;
                    Fate::BroughtBack
                }
                None if self.is_due(hidden) => {
                    self.storage.pause("collector unlinks");
                    let name = thing.lies.filter(|_| thing.kind == Kind::Manifest).and_then(Lies::name);
                    let Some(name) = name else {
                        let finding = thing.finding(size, Fate::Deleted);
                        self.doomed.push(Doomed { spot: thing.spot.clone(), hidden: hidden.clone(), finding });
                        continue;
                    };
                    self.delete_manifest(&name, thing, hidden, swept)?
                }
                // Said when it was hidden, a moment ago.
                None => continue,
            };
            self.tell(thing, size, fate);
        }
        Ok(())
    }

    /// What an earlier run has hidden. It goes only after a mark that began when it bore this run's name.
    fn take_over(
        &mut self,
        thing: &Thing<'_>,
        hidden: &Hidden,
        kept: Option<Keeper>,
        swept: &mut Swept,
    ) -> Result<(), CollectionError> {
        let dry_run = self.collection.dry_run;
        let size = Spot::hidden_size(hidden)?;
        let fate = match kept {
            Some(_) => {
                if !dry_run {
                    thing.spot.put_back(hidden)?;
                }
                Fate::BroughtBack
            }
            None if !self.is_due(hidden) => Fate::Waiting,
            None if dry_run => self.would_go(thing, swept),
            None => {
                hidden.adopt(self.run)?;
                self.hidden.insert(thing.fingerprint());
                swept.hidden = true;
                return Ok(());
            }
        };
        self.tell(thing, size, fate);
        Ok(())
    }

    /// Bytes that were found damaged go when they are of no use any more: nobody needs them, or good ones lie in their
    /// place. Nothing brings them back, so they need not be hidden first.
    fn remove_damaged(
        &mut self,
        thing: &Thing<'_>,
        damaged: &PutAside,
        kept: Option<Keeper>,
    ) -> Result<(), CollectionError> {
        let Some(lying) = damaged.lying()? else { return Ok(()) };
        let fate = if lying.since > self.collection.before(self.collection.grace) {
            Fate::Kept(Keeper::Grace)
        } else if kept.is_some() && !self.storage.vet_blob(thing.digest)?.is_some_and(|vetted| vetted.is_good) {
            Fate::Kept(Keeper::OnlyCopy)
        } else {
            if !self.collection.dry_run {
                damaged.unlink()?;
                thing.spot.remove_empty();
            }
            Fate::Deleted
        };
        self.tell(&Thing { kind: Kind::Damaged, ..*thing }, lying.size, fate);
        Ok(())
    }

    /// Whether it has been hidden for long enough to go.
    fn is_due(&self, hidden: &Hidden) -> bool {
        hidden.since <= self.collection.before(self.collection.grace)
    }

    /// Unlinks what a batch has doomed: several at once, because a file system may give blocks back to its disk one by one,
    /// and wait for each.
    pub(super) fn unlink_doomed(&mut self) -> Result<(), CollectionError> {
        let doomed = std::mem::take(&mut self.doomed);
        let were_there = at_once(&doomed, |doomed| {
            let was_there = doomed.spot.unlink(&doomed.hidden)?;
            doomed.spot.remove_empty();
            Ok::<_, io::Error>(was_there)
        })?;
        for (doomed, was_there) in doomed.into_iter().zip(were_there) {
            (self.report)(Event::Found(Finding { fate: fate_of_unlinked(was_there), ..doomed.finding }));
        }
        Ok(())
    }

    /// Leaves an intent, by which the index is told, unless somebody is changing this manifest.
    fn delete_manifest(
        &self,
        name: &RepositoryName,
        thing: &Thing<'_>,
        hidden: &Hidden,
        swept: &mut Swept,
    ) -> io::Result<Fate> {
        let target = IntentTarget::Manifest(thing.digest.clone());
        let Some(intent) = self.storage.try_intent(name, &target)? else { return Ok(Fate::Kept(Keeper::Busy)) };
        self.storage.publish_gone(&intent, thing.digest)?;
        let entry = self.storage.read_referrer(name, thing.digest)?.flatten();
        let was_there = thing.spot.unlink_durably(hidden)?;
        if let Some((subject, _)) = entry
            && !self.storage.has_revision(name, thing.digest)?
        {
            self.storage.remove_referrer(name, &subject, thing.digest)?;
        }
        thing.spot.remove_empty();
        swept.manifests_gone |= was_there;
        Ok(fate_of_unlinked(was_there))
    }

    fn would_go(&mut self, thing: &Thing<'_>, swept: &mut Swept) -> Fate {
        if thing.kind == Kind::Manifest && self.gone.insert(thing.fingerprint()) {
            swept.manifests_gone = true;
        }
        Fate::Deleted
    }

    fn tell(&mut self, thing: &Thing<'_>, size: u64, fate: Fate) {
        let is_repeated =
            self.collection.dry_run && !matches!(fate, Fate::Kept(_)) && !self.told.insert(thing.fingerprint());
        if !is_repeated {
            (self.report)(Event::Found(thing.finding(size, fate)));
        }
    }
}

/// A hidden name that has gone before it was unlinked was taken by who needed the thing.
fn fate_of_unlinked(was_there: bool) -> Fate {
    if was_there { Fate::Deleted } else { Fate::BroughtBack }
}
