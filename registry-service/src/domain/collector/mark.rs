//! Marking: everything that some manifest needs, read from storage.
//!
//! Keepers are all manifests that have an intent, are hidden, put away or in place, tagged or not, read in this order, in
//! which a manifest moves: one that is brought back or becomes visible meanwhile is met at least once.

use super::at_once::at_once;
use super::{Collection, CollectionError, Report};
use crate::model::collection::{Event, Keeper, Kind};
use crate::model::stored_manifest::{named_digests, subject};
use crate::store::{Lies, Storage, WholeBlob};
use shared::Digest;
use shared::moves::{Move, MoveRequest};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A thing, in eight bytes: millions are remembered at once. Two that meet in one keep each other, which does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint(u64);

impl Fingerprint {
    pub fn of(kind: Kind, lies: Option<&Lies>, digest: &Digest) -> Self {
        let mut hasher = DefaultHasher::new();
        (kind, lies, digest).hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// Repositories that are found before some of them are read at once.
const AHEAD: usize = 64;

/// What is kept, and why.
pub(super) struct Marks {
    kept: HashMap<Fingerprint, Keeper>,
    /// Where the list of moves stood when the mark began.
    began_at_move: u64,
    /// Names where a dead mover left a part of a repository.
    half_moved: HashSet<String>,
    delete_untagged: bool,
}

impl Marks {
    /// Reads every keeper. What is in `gone` is taken for gone already: a dry run deletes nothing, and goes on as if it had.
    pub fn read(
        storage: &Storage,
        collection: &Collection,
        gone: &HashSet<Fingerprint>,
        report: &mut Report<'_>,
    ) -> Result<Self, CollectionError> {
        let began_at_move = storage.moves_so_far()?;
        let (kept, report) = (Mutex::default(), Mutex::new(report));
        let marking = Marking { storage, collection, gone, report, kept };
        for (name, digest) in storage.kept_by_intents()? {
            let lies = Lies::Under(name.to_string());
            marking.kept().keep(Kind::Manifest, Some(&lies), &digest, Keeper::Intent);
            marking.read_manifest(&lies, &digest, Keeper::Intent)?;
        }
        storage.pause("collector read intents");
        // All that are put away before the first that is in place: this is the way that one takes which is restored.
        marking.read_repositories(|visit| storage.visit_put_away(visit))?;
        marking.read_repositories(|visit| storage.visit_in_place(visit))?;
        // Whoever moves a repository holds the list to the end of it: none is missed because it was on its way.
        let moves = storage.lock_moves()?;
        for lies in moves.since(began_at_move)? {
            marking.read_repository(&lies)?;
        }
        let mut half_moved = HashSet::new();
        for request in storage.unfinished_moves()? {
            half_moved.extend(marking.keep_all_of(&request)?);
        }
        drop(moves);
        storage.pause("collector marked");
        let kept = marking.kept.into_inner().unwrap_or_else(PoisonError::into_inner).0;
        Ok(Self { kept, began_at_move, half_moved, delete_untagged: collection.delete_untagged })
    }

    /// Whether the repository, or a part of it, may be another one than was marked.
    pub fn has_moved(&self, storage: &Storage, lies: &Lies) -> io::Result<bool> {
        let is_half_moved = matches!(lies, Lies::Under(name) if self.half_moved.contains(name));
        Ok(is_half_moved || storage.moves_since(self.began_at_move)?.contains(lies))
    }

    /// Why the bytes of `content` are kept, if they are.
    pub fn blob(&self, content: &Digest) -> Option<Keeper> {
        self.kept.get(&Fingerprint::of(Kind::Blob, None, content)).copied()
    }

    /// Why the repository's link to a blob is kept, if it is.
    pub fn layer(&self, lies: &Lies, digest: &Digest) -> Option<Keeper> {
        self.kept.get(&Fingerprint::of(Kind::Layer, Some(lies), digest)).copied()
    }

    /// Why the repository's manifest is kept, if it is.
    pub fn manifest(&self, lies: &Lies, digest: &Digest) -> Option<Keeper> {
        let kept = self.kept.get(&Fingerprint::of(Kind::Manifest, Some(lies), digest)).copied();
        kept.or((!self.delete_untagged).then_some(Keeper::NoRule))
    }
}

/// What is kept so far.
#[derive(Default)]
struct Kept(HashMap<Fingerprint, Keeper>);

impl Kept {
    /// Tells whether it was not kept yet. The first reason stays.
    fn keep(&mut self, kind: Kind, lies: Option<&Lies>, digest: &Digest, keeper: Keeper) -> bool {
        let mut is_new = false;
        self.0.entry(Fingerprint::of(kind, lies, digest)).or_insert_with(|| {
            is_new = true;
            keeper
        });
        is_new
    }
}

struct Marking<'a, 'r> {
    storage: &'a Storage,
    collection: &'a Collection,
    gone: &'a HashSet<Fingerprint>,
    report: Mutex<&'a mut Report<'r>>,
    kept: Mutex<Kept>,
}

impl Marking<'_, '_> {
    /// No code panics while it holds this lock.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, event: Event) {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)(event);
    }

    fn read_repositories(
        &self,
        walk: impl FnOnce(&mut dyn FnMut(Lies) -> Result<(), CollectionError>) -> Result<(), CollectionError>,
    ) -> Result<(), CollectionError> {
        let mut some = Vec::with_capacity(AHEAD);
        walk(&mut |lies| {
            some.push(lies);
            if some.len() == AHEAD {
                at_once(&some, |lies| self.read_repository(lies))?;
                some.clear();
            }
            Ok(())
        })?;
        at_once(&some, |lies| self.read_repository(lies)).map(drop)
    }

    fn read_repository(&self, lies: &Lies) -> Result<(), CollectionError> {
        let keeper = match lies {
            Lies::Under(_) => Keeper::Manifest,
            Lies::PutAway(_) => Keeper::PutAway,
        };
        let mut present = HashSet::new();
        let mut referrers = Vec::new();
        for (digest, _) in self.storage.revision_spots(lies)? {
            if self.gone.contains(&Fingerprint::of(Kind::Manifest, Some(lies), &digest)) {
                continue;
            }
            for content in self.storage.revision_meanings(lies, &digest)? {
                self.report(Event::Looked);
                present.insert(digest.clone());
                if let Some(subject) = self.read_manifest_as(lies, &digest, &content, keeper)? {
                    referrers.push((digest.clone(), subject));
                }
            }
        }
        self.read_history(lies, &present)?;
        if self.collection.delete_untagged {
            for digest in self.storage.tagged(lies)? {
                self.kept().keep(Kind::Manifest, Some(lies), &digest, Keeper::Tag);
            }
            for (referrer, _) in referrers.iter().filter(|(_, subject)| present.contains(subject)) {
                self.kept().keep(Kind::Manifest, Some(lies), referrer, Keeper::Subject);
            }
        }
        Ok(())
    }

    /// A repository that lies in two places: its manifests are read in one, and what its links say is kept in both. Returns
    /// the names.
    fn keep_all_of(&self, request: &MoveRequest) -> Result<Vec<String>, CollectionError> {
        let mut names = vec![request.repository.to_string()];
        if let Move::Rename { to } = &request.verb {
            names.push(to.to_string());
        }
        let under_names = names.iter().cloned().map(Lies::Under);
        for lies in under_names.chain([Lies::PutAway(request.repository_id.clone())]) {
            for (digest, _) in self.storage.layer_spots(&lies)? {
                for content in self.storage.meanings(&lies, &digest)? {
                    self.kept().keep(Kind::Blob, None, &content, Keeper::PutAway);
                }
            }
        }
        Ok(names)
    }

    /// What a tag pointed at within the restore window, with all it needs, though it may be deleted.
    fn read_history(&self, lies: &Lies, present: &HashSet<Digest>) -> Result<(), CollectionError> {
        if self.collection.restore_window.is_zero() {
            return Ok(());
        }
        let since = self.collection.before(self.collection.restore_window);
        for digest in self.storage.tagged_since(lies, since)? {
            self.kept().keep(Kind::Manifest, Some(lies), &digest, Keeper::History);
            if !present.contains(&digest) {
                self.read_manifest(lies, &digest, Keeper::History)?;
            }
        }
        Ok(())
    }

    /// A manifest that need not be visible: if its bytes are nowhere, it keeps nothing. Nor if they are something else and it
    /// was deleted, which is how somebody gets rid of it: nobody can restore it.
    fn read_manifest(&self, lies: &Lies, digest: &Digest, keeper: Keeper) -> Result<(), CollectionError> {
        let keeps = match self.storage.read_blob(digest)? {
            WholeBlob::Good(_) | WholeBlob::Unreadable(_) => true,
            WholeBlob::Damaged => keeper != Keeper::History,
            WholeBlob::Quarantined | WholeBlob::Nowhere => false,
        };
        if keeps {
            self.read_manifest_as(lies, digest, digest, keeper)?;
        }
        Ok(())
    }

    /// Keeps the manifest's bytes, which are `content`, and everything that they name. Returns its subject.
    fn read_manifest_as(
        &self,
        lies: &Lies,
        digest: &Digest,
        content: &Digest,
        keeper: Keeper,
    ) -> Result<Option<Digest>, CollectionError> {
        let unreadable = || CollectionError::Unreadable { repository: lies.to_string(), digest: digest.clone() };
        let bytes = match self.storage.read_blob(content)? {
            WholeBlob::Good(bytes) => bytes,
            WholeBlob::Damaged | WholeBlob::Unreadable(_) | WholeBlob::Quarantined => return Err(unreadable()),
            WholeBlob::Nowhere => {
                self.report(Event::Lost { repository: lies.to_string(), digest: digest.clone() });
                return Ok(None);
            }
        };
        let mut named = named_digests(&bytes).ok_or_else(unreadable)?;
        let mut kept = self.kept();
        kept.keep(Kind::Blob, None, content, keeper);
        // What is left is met for the first time in this repository.
        named.retain(|named| {
            kept.keep(Kind::Blob, None, named, keeper);
            if self.collection.delete_untagged {
                kept.keep(Kind::Manifest, Some(lies), named, Keeper::Index);
            }
            kept.keep(Kind::Layer, Some(lies), named, keeper)
        });
        drop(kept);
        for named in named {
            for meaning in self.storage.meanings(lies, &named)?.iter().filter(|meaning| **meaning != named) {
                self.kept().keep(Kind::Blob, None, meaning, keeper);
            }
        }
        Ok(subject(&bytes))
    }
}
