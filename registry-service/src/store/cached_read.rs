//! Reading a small file on an async worker when the kernel has it in memory, and on the blocking pool when it has not.
//!
//! Links, ids and tags are looked at in storage at every request (that is what keeps replicas coherent), nearly always
//! in memory: a hop to the blocking pool would cost ten times the read. A file that was read a moment ago and is still the
//! same one is not opened again: a look at its stamp costs a third of opening, reading and closing it.

use super::disk::{self, File, Metadata};
use super::{Storage, found};
use foldhash::fast::RandomState;
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, Stat, fstat, openat2, statat};
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use shared::Digest;
use std::ffi::OsString;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, UNIX_EPOCH};

/// Longer than every link (a sha512 digest has 135 bytes) and every id.
const SMALL: usize = 256;

/// Bytes of a link: `sha256:` and 64 digits, or `sha512:` and 128.
const LINK_LENGTHS: [i64; 2] = [71, 135];

/// Two changes within a tick of the clock have one time: only a change longer ago than every tick tells all later ones
/// apart from itself.
const SETTLED: Duration = Duration::from_secs(2);

/// Small files remembered, and for how long after they were last asked for: as long as the kernel surely has the path to
/// them in memory, so that a look at it waits for no disk.
const REMEMBERED: usize = 10_000;
const REMEMBERED_FOR: Duration = Duration::from_secs(10);

/// What tells a file, as it is now, from every other and from itself after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    /// Since 1970.
    changed_at: Duration,
}

impl Stamp {
    /// Of an open file.
    pub fn of_open(file: &Metadata) -> Self {
        Self::new(file.dev(), file.ino(), file.ctime(), file.ctime_nsec().try_into().unwrap_or_default())
    }

    fn of(stat: &Stat) -> Self {
        Self::new(stat.st_dev, stat.st_ino, stat.st_ctime, stat.st_ctime_nsec)
    }

    fn new(device: u64, inode: u64, seconds: i64, nanoseconds: u64) -> Self {
        let changed_at = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        Self { device, inode, changed_at: changed_at + Duration::from_nanos(nanoseconds) }
    }

    /// Whether both are of one file, changed or not.
    pub fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

    /// Whether every change from now on makes it another one.
    pub fn is_settled(&self) -> bool {
        self.is_older_than(SETTLED)
    }

    /// Whether the last change is longer ago than `age`. A time that is yet to come is none to rely on.
    pub fn is_older_than(&self, age: Duration) -> bool {
        (UNIX_EPOCH + self.changed_at).elapsed().is_ok_and(|since| since > age)
    }
}

/// Small files by their paths, each as long as its stamp is the same.
pub(super) struct SmallFiles {
    files: Cache<OsString, Arc<SmallFile>, UnitWeighter, RandomState>,
    began: Instant,
}

/// The content of a small file.
pub(super) struct SmallFile {
    content: String,
    /// What the content says as a link, once somebody asked.
    digest: OnceLock<Option<Digest>>,
    stamp: Stamp,
    /// When it was last asked for, in seconds since the cache began.
    asked: AtomicU64,
}

impl SmallFile {
    fn new(content: String, stamp: Stamp) -> Self {
        Self { content, digest: OnceLock::new(), stamp, asked: AtomicU64::default() }
    }

    /// All of it.
    pub fn content(&self) -> &str {
        &self.content
    }

    /// The digest in it; `None` if it is empty or garbled.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.get_or_init(|| parse_link(&self.content)).as_ref()
    }
}

impl SmallFiles {
    pub fn new() -> Self {
        let (hasher, lifecycle) = (RandomState::default(), DefaultLifecycle::default());
        let files = Cache::with(REMEMBERED, REMEMBERED as u64, UnitWeighter, hasher, lifecycle);
        Self { files, began: Instant::now() }
    }

    /// What is remembered of the file, if it was asked for lately.
    fn get(&self, path: &Path) -> Option<Arc<SmallFile>> {
        let known = self.files.get(path.as_os_str())?;
        let now = self.now();
        let is_late = now.saturating_sub(known.asked.load(Ordering::Relaxed)) >= REMEMBERED_FOR.as_secs();
        if is_late {
            // For everybody, until somebody has read it again.
            return None;
        }
        known.asked.store(now, Ordering::Relaxed);
        Some(known)
    }

    fn insert(&self, path: &Path, file: &Arc<SmallFile>) {
        file.asked.store(self.now(), Ordering::Relaxed);
        self.files.insert(path.as_os_str().to_owned(), Arc::clone(file));
    }

    fn now(&self) -> u64 {
        self.began.elapsed().as_secs()
    }
}

impl Storage {
    /// A small file, or `None` if it is not there.
    pub(super) async fn read_small(&self, path: PathBuf) -> io::Result<Option<Arc<SmallFile>>> {
        if let Some(known) = self.inner.small_files.get(&path) {
            match statat(&self.inner.base, self.below_base(&path), AtFlags::empty()) {
                Ok(stat) if Stamp::of(&stat) == known.stamp => return Ok(Some(known)),
                Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
                _ => {}
            }
        }
        match self.read_small_cached(&path) {
            Ok(file) => Ok(file),
            Err(Errno::AGAIN | Errno::NOSYS | Errno::OPNOTSUPP) => {
                let content = self.run(move |_| read_small_blocking(&path)).await?;
                Ok(content.map(|content| Arc::new(SmallFile::new(content, Stamp::default()))))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a file for reading if the path to it is in memory.
    pub(super) fn open_cached(&self, path: &Path) -> Result<File, Errno> {
        self.open_cached_with(path, OFlags::RDONLY)
    }

    /// The stamp of a file or directory, if the path to it is in memory.
    pub(super) fn stamp_cached(&self, path: &Path) -> Result<Stamp, Errno> {
        Ok(Stamp::of(&fstat(self.open_cached_with(path, OFlags::PATH)?)?))
    }

    /// The digest in a link, or `None` if there is no link, or one that is empty or garbled.
    pub(super) async fn read_link(&self, path: PathBuf) -> io::Result<Option<Digest>> {
        Ok(self.read_small(path).await?.and_then(|file| file.digest().cloned()))
    }

    /// Whether a file has as many bytes as a link, which is all that shows without opening it. May wait for the disk.
    pub(super) fn is_long_as_a_link(&self, path: &Path) -> bool {
        let found = statat(&self.inner.base, self.below_base(path), AtFlags::empty());
        found.is_ok_and(|found| LINK_LENGTHS.contains(&found.st_size))
    }

    /// `EAGAIN` when the path or the content is not in memory.
    fn read_small_cached(&self, path: &Path) -> Result<Option<Arc<SmallFile>>, Errno> {
        let file = match self.open_cached(path) {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(error) => return Err(error),
        };
        // Before the content: a change in between makes another stamp, and never an old content under a new one.
        let stamp = Stamp::of(&fstat(&file)?);
        let mut buffer = [0; SMALL];
        let length = preadv2(&file, &mut [IoSliceMut::new(&mut buffer)], 0, ReadWriteFlags::NOWAIT)?;
        let content = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
        let file = Arc::new(SmallFile::new(content, stamp));
        if stamp.is_settled() {
            self.inner.small_files.insert(path, &file);
        }
        Ok(Some(file))
    }

    fn open_cached_with(&self, path: &Path, flags: OFlags) -> Result<File, Errno> {
        let flags = flags | OFlags::CLOEXEC;
        let below_base = self.below_base(path);
        openat2(&self.inner.base, below_base, flags, Mode::empty(), ResolveFlags::CACHED).map(File::from)
    }

    /// Looked up from the directory that is held open, a path is shorter.
    fn below_base<'a>(&self, path: &'a Path) -> &'a Path {
        self.layout().below_base(path)
    }
}

/// The stamp of a file or directory, looked at on the blocking pool.
pub(super) fn stamp_blocking(path: &Path) -> io::Result<Option<Stamp>> {
    found(rustix::fs::stat(path).map_err(io::Error::from)).map(|stat| stat.map(|stat| Stamp::of(&stat)))
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
