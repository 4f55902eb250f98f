//! Uploads: unfinished blobs, each in a directory of its own, written by one process at a time.
//!
//! A directory without our own `berth` file was begun by a peer and is left alone.

use super::directories;
use super::disk::{self, File};
use super::files;
use super::hashing::{Hasher, hash_file};
use super::locks::{Lock, RepositoryLock};
use super::quarantine::Vetted;
use super::queues::{Queued, Turn};
use super::{Storage, found};
use crate::model::upload::{Opener, UploadId, UploadState};
use shared::{Algorithm, Digest, RepositoryName};
use std::io::{self, IoSlice, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// An upload that this process writes. Dropping it keeps what was acknowledged and nothing else.
pub struct UploadSession {
    directory: PathBuf,
    lock: Lock,
    file: File,
    hasher: Hasher,
    opener: Opener,
    offset: u64,
    /// So many of them a client was told of when this process took the upload.
    acknowledged: u64,
    /// What lies in the blob's place already, if it was looked at.
    vetted: Option<Vetted>,
}

impl Queued for UploadSession {
    fn keep(&mut self, turn: Turn) {
        self.lock.keep(turn);
    }
}

impl Storage {
    /// Begins an upload. Durable on return, as everything that is acknowledged.
    pub fn begin_upload(
        &self,
        name: &RepositoryName,
        id: UploadId,
        opener: Opener,
        algorithm: Algorithm,
        started_at: &str,
        _shared: &RepositoryLock,
    ) -> io::Result<()> {
        let directory = self.layout().upload(name, id);
        let state = UploadState { opener, offset: 0, algorithm, hash: Hasher::new(algorithm).save(0) };
        begin_in(&directory, started_at, &state).inspect_err(|_| {
            // Nobody is told of it. What stays on a disk that fails is purged like any other.
            let _ = files::remove_tree(&directory);
        })
    }

    /// What is acknowledged of an upload; `None` if there is none of that id.
    pub fn upload_state(&self, name: &RepositoryName, id: UploadId) -> io::Result<Option<UploadState>> {
        read_state(&self.layout().upload(name, id))
    }

    /// Makes sure that what is acknowledged of an upload lasts: whoever wrote that may have been stopped before it did.
    pub fn make_upload_durable(&self, name: &RepositoryName, id: UploadId) -> io::Result<()> {
        if self.inner.is_read_only {
            return Ok(());
        }
        // Where it has ended meanwhile nothing is made of it.
        found(files::sync(&self.layout().upload(name, id).join("berth"))).map(drop)
    }

    /// Takes an upload to write it. `Ok(None)`: somebody else is writing it. Not found: it is finished or cancelled.
    pub fn resume_upload(&self, name: &RepositoryName, id: UploadId) -> io::Result<Option<UploadSession>> {
        let directory = self.layout().upload(name, id);
        let Some(lock) = Lock::try_exclusive_existing(&directory.join("lock"))? else { return Ok(None) };
        let state = read_state(&directory)?.ok_or(io::ErrorKind::NotFound)?;
        let mut file = disk::open_to_write(&directory.join("data"))?;
        // A file shorter than what is acknowledged has lost bytes; filling it up would make a blob of zeros.
        if file.metadata()?.len() < state.offset {
            tracing::error!(upload = %directory.display(), "acknowledged bytes of an upload are gone");
            return Err(io::ErrorKind::NotFound.into());
        }
        // Bytes beyond the acknowledged ones belong to a request that failed.
        disk::set_len(&file, state.offset)?;
        let hasher = match Hasher::restore(state.algorithm, state.offset, &state.hash) {
            Some(hasher) => hasher,
            None => hash_file(state.algorithm, &file, state.offset)?,
        };
        file.seek(SeekFrom::Start(state.offset))?;
        Ok(Some(UploadSession {
            directory,
            lock,
            file,
            hasher,
            opener: state.opener,
            offset: state.offset,
            acknowledged: state.offset,
            vetted: None,
        }))
    }
}

impl UploadSession {
    /// How many bytes it has, acknowledged or not.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Writes and hashes `bytes`. If that fails, what is not acknowledged goes: on a full disk nobody waits for the client to
    /// come again.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        files::write_all(&self.file, &mut [IoSlice::new(bytes)]).inspect_err(|_| self.give_back())?;
        self.hasher.update(bytes);
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Best effort: whoever goes on with the upload does the same.
    fn give_back(&self) {
        if let Err(error) = disk::set_len(&self.file, self.acknowledged) {
            tracing::debug!(%error, upload = %self.directory.display(), "bytes that nobody acknowledged stay for now");
        }
    }

    /// Makes everything written so far durable and acknowledged.
    pub fn acknowledge(&mut self) -> io::Result<()> {
        disk::sync_data(&self.file)?;
        let state = UploadState {
            opener: self.opener.clone(),
            offset: self.offset,
            algorithm: self.hasher.algorithm(),
            hash: self.hasher.save(self.offset),
        };
        write_state(&self.directory, &state)
    }

    /// Makes everything written so far durable, and tells its digest.
    pub fn seal(&self, algorithm: Algorithm) -> io::Result<Digest> {
        disk::sync_data(&self.file)?;
        if algorithm == self.hasher.algorithm() {
            return Ok(self.hasher.clone().finish());
        }
        Ok(hash_file(algorithm, &self.file, self.offset)?.finish())
    }

    /// Hashes what lies in the place of the blob `digest` already: [`UploadSession::finish`] does not.
    pub fn vet(&mut self, storage: &Storage, digest: &Digest) -> io::Result<()> {
        self.vetted = storage.vet_blob(digest)?;
        Ok(())
    }

    /// Turns the sealed upload into the blob `digest`, which is the digest of its bytes, readable in `name`. Gives the
    /// session back if something lies in the blob's place that was not looked at.
    pub fn finish(
        self,
        storage: &Storage,
        name: &RepositoryName,
        _shared: &RepositoryLock,
        digest: &Digest,
    ) -> io::Result<Option<Self>> {
        if self.file.metadata()?.len() != self.offset {
            return Err(io::Error::other("the upload's file changed under its writer"));
        }
        if !storage.place_blob(digest, &self.directory.join("data"), self.vetted.as_ref())? {
            return Ok(Some(self));
        }
        storage.pause("blob placed");
        storage.link_layer(name, digest, digest)?;
        self.remove().map(|()| None)
    }

    /// Throws the upload away.
    pub fn remove(self) -> io::Result<()> {
        let removed = files::remove_tree(&self.directory);
        // Held to here: until the directory has gone nobody else may take the upload.
        drop(self.lock);
        removed
    }
}

fn begin_in(directory: &Path, started_at: &str, state: &UploadState) -> io::Result<()> {
    let started = directories::in_directory(directory, || disk::create_new(&directory.join("startedat")))?;
    files::write_all(&started, &mut [IoSlice::new(started_at.as_bytes())])?;
    disk::create_new(&directory.join("lock"))?;
    disk::create_new(&directory.join("data"))?;
    write_state(directory, state)
}

fn read_state(directory: &Path) -> io::Result<Option<UploadState>> {
    let Some(text) = found(disk::read(&directory.join("berth")))? else { return Ok(None) };
    // Written whole or not at all, so this is nothing of ours: there is no such upload.
    Ok(serde_json::from_slice(&text).ok())
}

/// Whole, so that a reader on another replica never sees half of it; and synced, because a client that was told how many
/// bytes are there does not send them again. Where the repository has been moved away nothing is made under its name.
fn write_state(directory: &Path, state: &UploadState) -> io::Result<()> {
    files::replace_there(&directory.join("berth"), &serde_json::to_vec(state).map_err(io::Error::other)?)
}
