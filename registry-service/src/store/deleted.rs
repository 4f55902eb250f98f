//! Repositories that are put away, and the parts of a repository on their way there and back.
//!
//! A repository is several directories, and each is renamed by itself, durably: the id first, so that nobody gets in any
//! more, and last on the way back. Never the directory of the name, because names nest. What was begun is noted by the id
//! before the first rename and stays noted: who finds a move that was not ended ends it, the collector leaves alone what
//! such a repository has under a name, and nobody under an old token gives the id to a name again.
//!
//! Must not decide whether a repository may move: `domain/repository_moves.rs` does.

use super::directories;
use super::files::{self, Placed};
use super::intents::entries;
use super::moves::Moves;
use super::{Storage, disk, found};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::RepositoryName;
use shared::moves::{Move, MoveRequest};
use std::io;
use std::path::{Path, PathBuf};

/// What was last begun to become of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastMove {
    /// The wish.
    #[serde(flatten)]
    pub request: MoveRequest,
    /// Whether it came to its end.
    pub is_done: bool,
}

impl LastMove {
    /// Whether the repository may lie under `name` now.
    fn leads_to(&self, name: &RepositoryName) -> bool {
        match &self.request.verb {
            Move::Restore => self.is_done && self.request.repository == *name,
            Move::Rename { to } => self.is_done && to == name,
            Move::PutAway | Move::Purge => false,
        }
    }
}

/// A repository that lies put away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutAway {
    /// Its id.
    pub id: String,
    /// The name under which it lay, if that is noted.
    pub name: Option<RepositoryName>,
    /// When that was noted.
    pub noted: Option<Timestamp>,
    /// Where it lies now.
    pub directory: PathBuf,
}

impl Storage {
    /// Every repository that lies put away, the latest first. One that is on its way there or back is left out.
    pub fn repositories_put_away(&self) -> io::Result<Vec<PutAway>> {
        let mut all = Vec::new();
        for id in entries(&self.layout().all_put_away())? {
            all.extend(self.repository_put_away(&id)?);
        }
        // By the time and not by the number of the wish: only an index that was restored from a backup has two of one name,
        // and it gives numbers again.
        all.sort_unstable_by(|one, other| (other.noted, &one.id).cmp(&(one.noted, &other.id)));
        Ok(all)
    }

    /// The same of one repository; `None` if it does not lie put away.
    pub fn repository_put_away(&self, repository_id: &str) -> io::Result<Option<PutAway>> {
        let last = self.last_move(repository_id)?;
        let mut is_there = false;
        for part in self.layout().parts_put_away(repository_id) {
            is_there |= files::exists(&part)?;
        }
        if !is_there || last.as_ref().is_some_and(|last| !last.is_done) {
            return Ok(None);
        }
        let name = last.map(|last| last.request).filter(|request| request.verb == Move::PutAway);
        let there = found(disk::metadata(&self.layout().last_move(repository_id)))?;
        let noted = there.map(|there| there.modified()).transpose()?.and_then(|at| Timestamp::try_from(at).ok());
        let directory = self.layout().put_away(repository_id).directory().to_owned();
        let name = name.map(|request| request.repository);
        Ok(Some(PutAway { id: repository_id.to_owned(), name, noted, directory }))
    }

    /// What was last begun to become of the repository; `None` if it has never moved.
    pub fn last_move(&self, repository_id: &str) -> io::Result<Option<LastMove>> {
        let Some(text) = found(disk::read(&self.layout().last_move(repository_id)))? else { return Ok(None) };
        serde_json::from_slice(&text).map(Some).map_err(io::Error::other)
    }

    /// Whether the repository has moved, and not to `name`.
    pub fn has_left(&self, name: &RepositoryName, repository_id: &str) -> io::Result<bool> {
        Ok(self.last_move(repository_id)?.is_some_and(|last| !last.leads_to(name)))
    }

    /// Notes durably what becomes of a repository now, or has become of it.
    pub fn note_move(&self, request: &MoveRequest, is_done: bool) -> io::Result<()> {
        let note = LastMove { request: request.clone(), is_done };
        let text = serde_json::to_vec(&note).map_err(io::Error::other)?;
        files::replace(&self.layout().last_move(&request.repository_id), &text)
    }

    /// Every move that was begun and not ended. Its mover is alive only if somebody holds the list of moves.
    pub fn unfinished_moves(&self) -> io::Result<Vec<MoveRequest>> {
        let mut unfinished = Vec::new();
        for id in entries(&self.layout().all_put_away())? {
            unfinished.extend(self.last_move(&id)?.filter(|last| !last.is_done).map(|last| last.request));
        }
        Ok(unfinished)
    }

    /// Whether a part of any repository lies under `name`.
    pub fn has_parts(&self, name: &RepositoryName) -> io::Result<bool> {
        for part in self.layout().parts(name) {
            if files::exists(&part)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Moves every part that lies under `name` to the place of the repository `repository_id`.
    pub fn put_away(&self, name: &RepositoryName, repository_id: &str, _held: &Moves) -> io::Result<()> {
        let parts = self.layout().parts(name);
        for (from, to) in parts.iter().zip(self.layout().parts_put_away(repository_id)) {
            self.move_part(from, &to)?;
        }
        // Made again by whoever lists referrers, from what it finds.
        files::remove(&self.layout().referrers_stamp(name)).map(drop)
    }

    /// Moves every part that is put away back under `name`.
    pub fn take_back(&self, repository_id: &str, name: &RepositoryName, _held: &Moves) -> io::Result<()> {
        let parts = self.layout().parts_put_away(repository_id);
        for (from, to) in parts.iter().zip(self.layout().parts(name)).rev() {
            self.move_part(from, &to)?;
        }
        Ok(())
    }

    /// Removes everything that is put away of the repository but the note of what became of it.
    pub fn purge_put_away(&self, repository_id: &str, _held: &Moves) -> io::Result<()> {
        for part in self.layout().parts_put_away(repository_id) {
            if found(disk::metadata(&part))?.is_some_and(|there| there.is_file()) {
                files::remove(&part)?;
            }
            files::remove_tree(&part)?;
        }
        files::remove_tree(&self.layout().put_away_tags(repository_id))
    }

    /// Removes the notes of repositories that were purged before `before`, when no call about them is under way any more.
    pub fn forget_purged(&self, before: Timestamp) -> io::Result<()> {
        for id in entries(&self.layout().all_put_away())? {
            let note = self.layout().last_move(&id);
            let is_purged = self.last_move(&id)?.is_some_and(|last| last.is_done && last.request.verb == Move::Purge);
            let Some(there) = found(disk::metadata(&note))?.filter(|_| is_purged) else { continue };
            if Timestamp::try_from(there.modified()?).is_ok_and(|noted| noted < before) {
                files::remove(&note)?;
                // Not empty: then a tag was put away there, and the next run looks again.
                let _ = disk::remove_dir(files::parent_of(&note)?);
            }
        }
        Ok(())
    }

    /// Moves one part, if it is there; one that a dead mover had moved is made durable.
    fn move_part(&self, from: &Path, to: &Path) -> io::Result<()> {
        if files::exists(from)? {
            let directory = files::parent_of(to)?;
            let placed = directories::in_directory(directory, || files::rename_no_replace(from, to))?;
            if placed == Placed::Taken {
                return Err(io::Error::other(format!("{} is in the way of a repository", to.display())));
            }
            self.pause("part moved");
        } else if files::exists(to)? {
            files::sync_dir(files::parent_of(to)?)?;
        }
        found(files::sync_dir(files::parent_of(from)?)).map(drop)
    }
}
