//! The list of moves of repositories: put away, restored, renamed. Each is written down before it begins, in a list whose lock is
//! held to its end, so that a collector that reads everything at its own pace misses none that moves meanwhile.

use super::locks::Lock;
use super::queues::{Queued, Turn};
use super::repositories::Lies;
use super::{Storage, disk, files, found};
use shared::RepositoryName;
use std::io::{self, Seek, SeekFrom};
use std::thread;
use std::time::{Duration, Instant};

/// A move is a handful of renames; whoever holds the list for longer hangs.
const PATIENCE: Duration = Duration::from_mins(1);

const PAUSE: Duration = Duration::from_millis(5);

/// The list, locked.
pub struct Moves {
    storage: Storage,
    lock: Lock,
}

impl Queued for Moves {
    fn keep(&mut self, turn: Turn) {
        self.lock.keep(turn);
    }
}

impl Storage {
    /// How long the list is now, in bytes: a place in it.
    pub fn moves_so_far(&self) -> io::Result<u64> {
        Ok(found(disk::metadata(&self.layout().moves()))?.map_or(0, |list| list.len()))
    }

    /// What has moved since the list was as long as `position`: where it lies, or may lie.
    pub fn moves_since(&self, position: u64) -> io::Result<Vec<Lies>> {
        if self.moves_so_far()? <= position {
            return Ok(Vec::new());
        }
        let list = found(disk::read(&self.layout().moves()))?.unwrap_or_default();
        let begin = usize::try_from(position).unwrap_or(usize::MAX);
        let text = String::from_utf8_lossy(list.get(begin..).unwrap_or_default()).into_owned();
        let pairs = text.lines().filter_map(|line| line.split_once(' '));
        Ok(pairs.flat_map(|(id, name)| [Lies::Under(name.to_owned()), Lies::PutAway(id.to_owned())]).collect())
    }

    /// Waits until nothing is on its way, and keeps it so.
    pub fn lock_moves(&self) -> io::Result<Moves> {
        let begun = Instant::now();
        loop {
            match self.try_lock_moves()? {
                Some(moves) => return Ok(moves),
                None if begun.elapsed() < PATIENCE => thread::sleep(PAUSE),
                None => {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "a repository has been moving for too long"));
                }
            }
        }
    }

    /// Tries to take the list, to move something. `None`: something else is on its way.
    pub fn try_lock_moves(&self) -> io::Result<Option<Moves>> {
        let lock = Lock::try_exclusive(&self.layout().moves())?;
        Ok(lock.map(|lock| Moves { storage: self.clone(), lock }))
    }

    /// Empties the list. Only who knows that no mark is under way may.
    pub fn clear_moves(&self) -> io::Result<()> {
        disk::set_len(self.lock_moves()?.lock.file(), 0)
    }
}

impl Moves {
    /// What has moved since the list was as long as `position`.
    pub fn since(&self, position: u64) -> io::Result<Vec<Lies>> {
        self.storage.moves_since(position)
    }

    /// Writes down, durably, that the repository `id` moves between `name` and the place for what is put away.
    pub fn note(&self, name: &RepositoryName, id: &str) -> io::Result<()> {
        let mut file = self.lock.file();
        file.seek(SeekFrom::End(0))?;
        files::write_all(file, &mut [io::IoSlice::new(format!("{id} {name}\n").as_bytes())])?;
        disk::sync_all(file)?;
        files::sync_dir(files::parent_of(&self.storage.layout().moves())?)
    }
}
