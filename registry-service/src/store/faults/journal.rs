//! A lossy double of a disk: what would be there after a power loss, in which only what was synced lasts.
//!
//! Beside the real files below one root, every change is made to a model of them too, in which each file and each directory
//! has two states: as it is, and as it was when it was last synced.

use super::Change;
use crate::store::disk::File;
use rustix::fs::{SeekFrom, fstat, seek};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs;
use std::io::{self, IoSlice};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

static JOURNALS: LazyLock<Mutex<Vec<Arc<Mutex<Model>>>>> = LazyLock::new(Mutex::default);

/// How much is lost of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// All of it: bytes, and names made, moved and removed.
    Everything,
    /// Bytes alone: names are as they were at the end.
    Bytes,
}

/// A model of the storage below one root, kept up to date until it is dropped.
pub struct Journal(Arc<Mutex<Model>>);

struct Model {
    root: PathBuf,
    /// The first one is the root.
    nodes: Vec<Node>,
    /// By device and number.
    inodes: HashMap<(u64, u64), usize>,
}

type Entries = BTreeMap<OsString, usize>;

enum Node {
    File { now: Vec<u8>, synced: Vec<u8> },
    Directory { now: Entries, synced: Entries },
}

impl Node {
    fn directory() -> Self {
        Self::Directory { now: Entries::new(), synced: Entries::new() }
    }

    fn sync(&mut self) {
        match self {
            Self::File { now, synced } => synced.clone_from(now),
            Self::Directory { now, synced } => synced.clone_from(now),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins a journal of what lies below `root`, all of which is taken for synced.
pub fn journal(root: &Path) -> io::Result<Journal> {
    // Held, so that nothing changes meanwhile.
    let mut journals = locked(&JOURNALS);
    let root = root.canonicalize()?;
    let mut model = Model { root: root.clone(), nodes: vec![Node::directory()], inodes: HashMap::new() };
    model.read(&root, 0)?;
    model.nodes.iter_mut().for_each(Node::sync);
    let model = Arc::new(Mutex::new(model));
    journals.push(Arc::clone(&model));
    Ok(Journal(model))
}

impl Journal {
    /// Writes to the new folder `to` what would be there if the power went now.
    pub fn after_power_loss(&self, to: &Path, loss: Loss) -> io::Result<()> {
        locked(&self.0).write(0, to, loss)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        locked(&JOURNALS).retain(|other| !Arc::ptr_eq(other, &self.0));
    }
}

/// Makes a change, and notes it. No two at once, so that they are noted in the order in which they were made.
pub fn noting<T>(change: &Change<'_>, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let journals = locked(&JOURNALS);
    if journals.is_empty() {
        drop(journals);
        return make();
    }
    let done = make()?;
    for model in journals.iter() {
        locked(model).apply(change)?;
    }
    Ok(done)
}

/// Writes, and notes it.
pub fn noting_write(
    file: &File,
    slices: &[IoSlice<'_>],
    write: impl FnOnce(&[IoSlice<'_>]) -> io::Result<usize>,
) -> io::Result<usize> {
    let journals = locked(&JOURNALS);
    if journals.is_empty() {
        drop(journals);
        return write(slices);
    }
    let offset = seek(file, SeekFrom::Current(0))?;
    let written = write(slices)?;
    let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).take(written).collect();
    for model in journals.iter() {
        locked(model).written(file, offset, &bytes)?;
    }
    Ok(written)
}

impl Model {
    fn read(&mut self, folder: &Path, into: usize) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                let id = self.make(&path, Node::directory())?;
                self.read(&path, id.unwrap_or(into))?;
            } else {
                let now = fs::read(&path)?;
                self.make(&path, Node::File { now, synced: Vec::new() })?;
            }
        }
        Ok(())
    }

    fn apply(&mut self, change: &Change<'_>) -> io::Result<()> {
        match *change {
            Change::Create(path) => {
                self.make(path, Node::File { now: Vec::new(), synced: Vec::new() })?;
            }
            Change::CreateDir(path) => {
                self.make(path, Node::directory())?;
            }
            Change::SetLen(file, length) => {
                let length = usize::try_from(length).map_err(io::Error::other)?;
                if let Some(now) = self.bytes(file)? {
                    now.resize(length, 0);
                }
            }
            Change::Sync(file) => {
                let id = self.id_of(file)?;
                id.and_then(|id| self.nodes.get_mut(id)).into_iter().for_each(Node::sync);
            }
            Change::SyncDir(path) => {
                let id = self.find(path);
                id.and_then(|id| self.nodes.get_mut(id)).into_iter().for_each(Node::sync);
            }
            Change::Rename(from, to) => {
                let moved = self.unlink(from);
                if let (Some(id), Some((entries, name))) = (moved, self.place(to)) {
                    let replaced = entries.insert(name, id);
                    self.forget(replaced);
                }
            }
            Change::Unlink(path) | Change::RemoveDir(path) => {
                let unlinked = self.unlink(path);
                self.forget(unlinked);
            }
            // No time matters after a power loss.
            Change::Touch(_) => {}
        }
        Ok(())
    }

    fn written(&mut self, file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let Some(now) = self.bytes(file)? else { return Ok(()) };
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let end = offset + bytes.len();
        if now.len() < end {
            now.resize(end, 0);
        }
        if let Some(place) = now.get_mut(offset..end) {
            place.copy_from_slice(bytes);
        }
        Ok(())
    }

    /// The new node at `path`, which is there really; `None` if the path is not below the root.
    fn make(&mut self, path: &Path, node: Node) -> io::Result<Option<usize>> {
        let id = self.nodes.len();
        let Some((entries, name)) = self.place(path) else { return Ok(None) };
        entries.insert(name, id);
        self.nodes.push(node);
        let there = fs::metadata(path)?;
        self.inodes.insert((there.dev(), there.ino()), id);
        Ok(Some(id))
    }

    fn unlink(&mut self, path: &Path) -> Option<usize> {
        let (entries, name) = self.place(path)?;
        entries.remove(&name)
    }

    /// The numbers of what has gone are given to other files, perhaps while a power loss would bring it back.
    fn forget(&mut self, gone: Option<usize>) {
        self.inodes.retain(|_, id| Some(*id) != gone);
    }

    /// The directory above `path`, and the last name of it.
    fn place(&mut self, path: &Path) -> Option<(&mut Entries, OsString)> {
        let name = path.file_name()?.to_owned();
        let above = self.find(path.parent()?)?;
        match self.nodes.get_mut(above)? {
            Node::Directory { now, .. } => Some((now, name)),
            Node::File { .. } => None,
        }
    }

    fn find(&self, path: &Path) -> Option<usize> {
        path.strip_prefix(&self.root).ok()?.iter().try_fold(0, |id, name| match self.nodes.get(id)? {
            Node::Directory { now, .. } => now.get(name).copied(),
            Node::File { .. } => None,
        })
    }

    fn id_of(&self, file: &File) -> io::Result<Option<usize>> {
        let there = fstat(file)?;
        Ok(self.inodes.get(&(there.st_dev, there.st_ino)).copied())
    }

    fn bytes(&mut self, file: &File) -> io::Result<Option<&mut Vec<u8>>> {
        let node = self.id_of(file)?.and_then(|id| self.nodes.get_mut(id));
        Ok(match node {
            Some(Node::File { now, .. }) => Some(now),
            _ => None,
        })
    }

    fn write(&self, id: usize, to: &Path, loss: Loss) -> io::Result<()> {
        match self.nodes.get(id) {
            Some(Node::File { synced, .. }) => fs::write(to, synced),
            Some(Node::Directory { now, synced }) => {
                fs::create_dir(to)?;
                let entries = if loss == Loss::Everything { synced } else { now };
                entries.iter().try_for_each(|(name, id)| self.write(*id, &to.join(name), loss))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
