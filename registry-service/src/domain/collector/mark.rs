//! Marking: everything that some manifest needs, read from storage.
//!
//! Keepers are all manifests that have an intent, are hidden, put away or in place, tagged or not, read in this order, in
//! which a manifest moves: one that is brought back or becomes visible meanwhile is met at least once.

use super::{Collection, CollectionError};
use crate::model::collection::{Event, Keeper, Kind};
use crate::model::stored_manifest::{named_digests, subject};
use crate::store::{Lies, Storage};
use shared::Digest;
use shared::moves::{Move, MoveRequest};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;

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
        report: &mut dyn FnMut(Event),
    ) -> Result<Self, CollectionError> {
        let began_at_move = storage.moves_so_far()?;
        let (kept, half_moved) = (HashMap::new(), HashSet::new());
        let marks = Self { kept, began_at_move, half_moved, delete_untagged: collection.delete_untagged };
        let mut marking = Marking { storage, collection, gone, report, marks };
        for (name, digest) in storage.kept_by_intents()? {
            let lies = Lies::Under(name.to_string());
            marking.keep(Kind::Manifest, Some(&lies), &digest, Keeper::Intent);
            marking.read_manifest(&lies, &digest, Keeper::Intent)?;
        }
        storage.pause("collector read intents");
        storage.visit_repositories(|lies| marking.read_repository(lies))?;
        // Whoever moves a repository holds the list to the end of it: none is missed because it was on its way.
        let moves = storage.lock_moves()?;
        for lies in moves.since(began_at_move)? {
            marking.read_repository(&lies)?;
        }
        for request in storage.unfinished_moves()? {
            marking.keep_all_of(&request)?;
        }
        drop(moves);
        storage.pause("collector marked");
        Ok(marking.marks)
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

struct Marking<'a> {
    storage: &'a Storage,
    collection: &'a Collection,
    gone: &'a HashSet<Fingerprint>,
    report: &'a mut dyn FnMut(Event),
    marks: Marks,
}

impl Marking<'_> {
    /// Tells whether it was not kept yet. The first reason stays.
    fn keep(&mut self, kind: Kind, lies: Option<&Lies>, digest: &Digest, keeper: Keeper) -> bool {
        let mut is_new = false;
        self.marks.kept.entry(Fingerprint::of(kind, lies, digest)).or_insert_with(|| {
            is_new = true;
            keeper
        });
        is_new
    }

    fn read_repository(&mut self, lies: &Lies) -> Result<(), CollectionError> {
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
                (self.report)(Event::Looked);
                present.insert(digest.clone());
                if let Some(subject) = self.read_manifest_as(lies, &digest, &content, keeper)? {
                    referrers.push((digest.clone(), subject));
                }
            }
        }
        self.read_history(lies, &present)?;
        if self.collection.delete_untagged {
            for digest in self.storage.tagged(lies)? {
                self.keep(Kind::Manifest, Some(lies), &digest, Keeper::Tag);
            }
            for (referrer, _) in referrers.iter().filter(|(_, subject)| present.contains(subject)) {
                self.keep(Kind::Manifest, Some(lies), referrer, Keeper::Subject);
            }
        }
        Ok(())
    }

    /// A repository that lies in two places: its manifests are read in one, and what its links say is kept in both.
    fn keep_all_of(&mut self, request: &MoveRequest) -> Result<(), CollectionError> {
        let mut names = vec![request.repository.to_string()];
        if let Move::Rename { to } = &request.verb {
            names.push(to.to_string());
        }
        let under_names = names.iter().cloned().map(Lies::Under);
        for lies in under_names.chain([Lies::PutAway(request.repository_id.clone())]) {
            for (digest, _) in self.storage.layer_spots(&lies)? {
                for content in self.storage.meanings(&lies, &digest)? {
                    self.keep(Kind::Blob, None, &content, Keeper::PutAway);
                }
            }
        }
        self.marks.half_moved.extend(names);
        Ok(())
    }

    /// What a tag pointed at within the restore window, with all it needs, though it may be deleted.
    fn read_history(&mut self, lies: &Lies, present: &HashSet<Digest>) -> Result<(), CollectionError> {
        if self.collection.restore_window.is_zero() {
            return Ok(());
        }
        let since = self.collection.before(self.collection.restore_window);
        for digest in self.storage.tagged_since(lies, since)? {
            self.keep(Kind::Manifest, Some(lies), &digest, Keeper::History);
            if !present.contains(&digest) {
                self.read_manifest(lies, &digest, Keeper::History)?;
            }
        }
        Ok(())
    }

    /// A manifest that need not be visible: if its bytes are nowhere, it keeps nothing.
    fn read_manifest(&mut self, lies: &Lies, digest: &Digest, keeper: Keeper) -> Result<(), CollectionError> {
        if self.storage.read_blob(digest)?.is_some() {
            self.read_manifest_as(lies, digest, digest, keeper)?;
        }
        Ok(())
    }

    /// Keeps the manifest's bytes, which are `content`, and everything that they name. Returns its subject.
    fn read_manifest_as(
        &mut self,
        lies: &Lies,
        digest: &Digest,
        content: &Digest,
        keeper: Keeper,
    ) -> Result<Option<Digest>, CollectionError> {
        let unreadable = || CollectionError::Unreadable { repository: lies.to_string(), digest: digest.clone() };
        let Some(bytes) = self.storage.read_blob(content)? else {
            if self.storage.blob_spot(content).is_quarantined()? {
                return Err(unreadable());
            }
            (self.report)(Event::Lost { repository: lies.to_string(), digest: digest.clone() });
            return Ok(None);
        };
        self.keep(Kind::Blob, None, content, keeper);
        for named in named_digests(&bytes).ok_or_else(unreadable)? {
            self.keep(Kind::Blob, None, &named, keeper);
            if self.collection.delete_untagged {
                self.keep(Kind::Manifest, Some(lies), &named, Keeper::Index);
            }
            if self.keep(Kind::Layer, Some(lies), &named, keeper) {
                for meaning in self.storage.meanings(lies, &named)? {
                    self.keep(Kind::Blob, None, &meaning, keeper);
                }
            }
        }
        Ok(subject(&bytes))
    }
}
