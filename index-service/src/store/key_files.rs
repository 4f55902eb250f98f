//! The files of the keys that sign registry tokens: one for each key, in a folder of their own.
//!
//! Each is made whole, under a name that nobody had, and readable by its owner only. Must not know what is written in one.

use super::files::{DataFolder, prepare, sync_folder_of};
use anyhow::Context;
use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

/// The folder of the keys, in the data folder.
const FOLDER: &str = "token-keys";

/// What every key's file name ends with.
const ENDING: &str = ".pem";

/// A key's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// Its name without the ending.
    pub name: String,
    /// All of its text.
    pub text: String,
}

impl DataFolder {
    /// Every key, in the order of the names; none if none was ever made.
    pub fn token_keys(&self) -> anyhow::Result<Vec<KeyFile>> {
        let folder = self.0.join(FOLDER);
        let unreadable = || format!("cannot read the keys in {}", folder.display());
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(unreadable),
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.with_context(unreadable)?;
            let Some(name) = entry.file_name().to_str().and_then(|name| name.strip_suffix(ENDING)).map(str::to_owned)
            else {
                continue;
            };
            let text = fs::read_to_string(entry.path());
            files
                .push(KeyFile { name, text: text.with_context(|| format!("cannot read {}", entry.path().display()))? });
        }
        files.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(files)
    }

    /// Keeps a new key.
    pub fn add_token_key(&self, file: &KeyFile) -> anyhow::Result<()> {
        let path = self.token_key(&file.name);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(self.0.join(FOLDER));
        made.with_context(|| format!("cannot make the folder of {}", path.display()))?;
        sync_folder_of(&self.0.join(FOLDER))?;
        let written = prepare(&path, &file.text)?.persist_noclobber(&path);
        written.with_context(|| format!("cannot write {}", path.display()))?;
        sync_folder_of(&path)
    }

    /// Removes a key for good; that it is gone already is well.
    pub fn remove_token_key(&self, name: &str) -> anyhow::Result<()> {
        let path = self.token_key(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => sync_folder_of(&path),
        }
    }

    fn token_key(&self, name: &str) -> PathBuf {
        self.0.join(FOLDER).join(format!("{name}{ENDING}"))
    }
}
