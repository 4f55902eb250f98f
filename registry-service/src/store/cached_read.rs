//! Reading a small file on an async worker when the kernel has it in memory, and on the blocking pool when it has not.
//!
//! Links, ids and tags are read at every request (that is what keeps replicas coherent), nearly always from memory:
//! a hop to the blocking pool would cost ten times the read.

use super::disk::{self, File};
use super::{Storage, found};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use shared::Digest;
use std::io::{self, IoSliceMut};
use std::path::{Path, PathBuf};

/// Longer than every link (a sha512 digest has 135 bytes) and every id.
const SMALL: usize = 256;

impl Storage {
    /// The content of a small file, or `None` if it is not there.
    pub(super) async fn read_small(&self, path: PathBuf) -> io::Result<Option<String>> {
        match self.read_small_cached(&path) {
            Ok(content) => Ok(content),
            Err(Errno::AGAIN | Errno::NOSYS | Errno::OPNOTSUPP) => self.run(move |_| read_small_blocking(&path)).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a file for reading if the path to it is in memory.
    pub(super) fn open_cached(&self, path: &Path) -> Result<File, Errno> {
        let below_root = self.layout().below_root(path).ok_or(Errno::INVAL)?;
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        openat2(&self.inner.root, &below_root, flags, Mode::empty(), ResolveFlags::CACHED).map(File::from)
    }

    /// The digest in a link, or `None` if there is no link, or one that is empty or garbled.
    pub(super) async fn read_link(&self, path: PathBuf) -> io::Result<Option<Digest>> {
        Ok(self.read_small(path).await?.and_then(|content| parse_link(&content)))
    }

    /// `EAGAIN` when the path or the content is not in memory.
    fn read_small_cached(&self, path: &Path) -> Result<Option<String>, Errno> {
        let file = match self.open_cached(path) {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut buffer = [0; SMALL];
        let length = preadv2(&file, &mut [IoSliceMut::new(&mut buffer)], 0, ReadWriteFlags::NOWAIT)?;
        let content = buffer.get(..length).unwrap_or_default();
        Ok(Some(String::from_utf8_lossy(content).into_owned()))
    }
}

/// The digest in a link, read on the blocking pool.
pub(super) fn read_link_blocking(path: &Path) -> io::Result<Option<Digest>> {
    Ok(read_small_blocking(path)?.and_then(|content| parse_link(&content)))
}

pub(super) fn read_small_blocking(path: &Path) -> io::Result<Option<String>> {
    let content = found(disk::read(path))?;
    Ok(content.map(|content| String::from_utf8_lossy(&content).into_owned()))
}

fn parse_link(content: &str) -> Option<Digest> {
    Digest::parse(content.trim_end()).ok()
}
