//! A small disk of its own, which can be really full. Only root can mount one.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A disk, until it is dropped.
pub struct Disk(TempDir);

impl Disk {
    /// A new one, with these options of tmpfs.
    pub fn mount(options: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder.path()).status();
        assert!(mounted.unwrap().success(), "only root can mount a disk");
        Self(folder)
    }

    /// Its root.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes every byte and every file that is left; what was written for that.
    pub fn fill(&self) -> Vec<PathBuf> {
        let mut ballast = Vec::new();
        for size in [64 * 1024, 1] {
            loop {
                let path = self.0.path().join(format!("ballast-{}", ballast.len()));
                let Ok(mut file) = File::create(&path) else { break };
                ballast.push(path);
                if file.write_all(&vec![0; size]).is_err() {
                    break;
                }
            }
        }
        ballast
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: servers of the test still have it open.
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}
