//! The small secret files of the data folder: the first administrator's password, the internal secret, and that of cursors.
//!
//! Each is made whole and readable by its owner only, and is durable before anybody relies on it. Must not know what
//! is written in one.

use anyhow::Context;
use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The password of the first administrator, until it is changed.
const INITIAL_PASSWORD: &str = "initial-admin-password";

/// The secret that cursors are signed with.
const CURSOR_SECRET: &str = "cursor-secret";

/// Locked while the folder is opened.
const LOCK: &str = ".opening";

/// The folder with everything the index keeps.
#[derive(Debug, Clone)]
pub struct DataFolder(pub(super) PathBuf);

impl DataFolder {
    /// Opens the folder, makes it for its owner alone if it is missing, and finds out now whether it can be written.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .and_then(|()| tempfile::tempfile_in(path))
            .map_err(|error| anyhow::anyhow!("the data folder {} cannot be written: {error}", path.display()))?;
        Ok(Self(path.to_owned()))
    }

    /// Waits until no other process opens the same folder, and keeps others waiting as long as the answer lives: two first
    /// starts at once would make two first administrators.
    pub fn alone(&self) -> anyhow::Result<File> {
        let path = self.0.join(LOCK);
        let lock = File::create(&path).and_then(|file| file.lock().map(|()| file));
        lock.with_context(|| format!("cannot lock {}", path.display()))
    }

    /// The secret of cursors, made by `make` at the first start.
    pub fn cursor_secret(&self, make: impl FnOnce() -> String) -> anyhow::Result<String> {
        read_or_make(&self.0.join(CURSOR_SECRET), make)
    }

    /// Writes the first administrator's password, in place of what a start that did not finish may have left.
    pub fn write_initial_password(&self, password: &str) -> anyhow::Result<PathBuf> {
        let path = self.0.join(INITIAL_PASSWORD);
        let line = format!("{password}\n");
        prepare(&path, &line)?.persist(&path).with_context(|| format!("cannot write {}", path.display()))?;
        sync_folder_of(&path)?;
        Ok(path)
    }

    /// The first administrator's password, while its file is there and can be read.
    pub fn initial_password(&self) -> Option<String> {
        let text = fs::read_to_string(self.0.join(INITIAL_PASSWORD)).ok()?;
        Some(text.trim_end().to_owned())
    }

    /// Removes the first administrator's password if it is `password`, which is no longer in use.
    pub fn forget_initial_password(&self, password: &str) -> std::io::Result<()> {
        let path = self.0.join(INITIAL_PASSWORD);
        match fs::read_to_string(&path) {
            Ok(text) if text.trim_end() == password => fs::remove_file(path),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The secret in `path` without a line's end, made by `make` if there is no such file; when two processes make it at once,
/// one wins. An empty file is an error: everybody knows that secret.
pub fn read_or_make(path: &Path, make: impl FnOnce() -> String) -> anyhow::Result<String> {
    let read = || {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let secret = text.trim_end();
        anyhow::ensure!(!secret.is_empty(), "{} is empty; remove it to have one made", path.display());
        Ok(secret.to_owned())
    };
    if path.exists() {
        return read();
    }
    match prepare(path, &make())?.persist_noclobber(path) {
        Ok(_) => sync_folder_of(path)?,
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).with_context(|| format!("cannot write {}", path.display())),
    }
    read()
}

/// A complete, durable file beside `path`, of mode 0600, that waits for its name.
pub(super) fn prepare(path: &Path, text: &str) -> anyhow::Result<tempfile::NamedTempFile> {
    let write = || -> std::io::Result<tempfile::NamedTempFile> {
        let mut file = tempfile::NamedTempFile::new_in(folder_of(path))?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

pub(super) fn sync_folder_of(path: &Path) -> anyhow::Result<()> {
    let folder = folder_of(path);
    File::open(folder).and_then(|folder| folder.sync_all()).with_context(|| format!("cannot sync {}", folder.display()))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
