//! Small files that take effect when they change, without a restart.
//!
//! They are read again and compared, once a second: no time stamp can miss a change, and no event can be lost.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

const INTERVAL: Duration = Duration::from_secs(1);

/// Reads every file, whole.
pub fn read_all(paths: &[PathBuf]) -> io::Result<Vec<Vec<u8>>> {
    paths.iter().map(|path| read(path)).collect()
}

/// Calls `apply` with the contents of all files whenever one is no longer what it was; and with the error, once, when one
/// cannot be read any more. `known` is what the caller has applied. Never returns: run it as a task.
pub async fn follow<F>(paths: Vec<PathBuf>, known: Vec<Vec<u8>>, mut apply: F)
where
    F: FnMut(io::Result<Vec<Vec<u8>>>),
{
    let mut known = Some(known);
    let mut timer = tokio::time::interval(INTERVAL);
    loop {
        timer.tick().await;
        let paths = paths.clone();
        let read =
            tokio::task::spawn_blocking(move || read_all(&paths)).await.unwrap_or_else(|error| Err(error.into()));
        match read {
            Ok(contents) if known.as_ref() == Some(&contents) => {}
            Ok(contents) => {
                known = Some(contents.clone());
                apply(Ok(contents));
            }
            Err(error) => {
                if known.take().is_some() {
                    apply(Err(error));
                }
            }
        }
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    std::fs::read(path)
        .map_err(|error| io::Error::new(error.kind(), format!("{} cannot be read: {error}", path.display())))
}
