//! A clock that is wrong: processes started with it see another time of day than everybody else, as libfaketime has it. How
//! long something takes, and the times of files, are as they are.

use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A clock, which can be set while processes go by it.
pub struct Clock(TempDir);

impl Clock {
    /// So many seconds ahead of the others, or behind.
    pub fn off_by(seconds: i64) -> Self {
        let clock = Self(tempfile::tempdir().unwrap());
        clock.set(seconds);
        clock
    }

    /// The same from now on.
    pub fn set(&self, seconds: i64) {
        // Whole, because it is read at any time.
        let new = self.0.path().join("new");
        fs::write(&new, format!("{seconds:+}\n")).unwrap();
        fs::rename(&new, self.file()).unwrap();
    }

    /// What a process is started with that is to go by this clock.
    pub fn variables(&self) -> Vec<(String, String)> {
        let variable = |name: &str, value: String| (name.to_owned(), value);
        vec![
            variable("LD_PRELOAD", library().display().to_string()),
            variable("FAKETIME_TIMESTAMP_FILE", self.file().display().to_string()),
            variable("FAKETIME_NO_CACHE", "1".to_owned()),
            variable("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            variable("NO_FAKE_STAT", "1".to_owned()),
        ]
    }

    /// Removes what the library leaves of a process that was killed.
    pub fn forget(process: u32) {
        for name in [format!("faketime_shm_{process}"), format!("sem.faketime_sem_{process}")] {
            // Of a process that came to its end nothing is left.
            let _ = fs::remove_file(Path::new("/dev/shm").join(name));
        }
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("offset")
    }
}

/// Where Debian's package faketime has it, on whichever architecture.
fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let found = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|library| library.exists());
    found.expect("Debian's package faketime is installed")
}
