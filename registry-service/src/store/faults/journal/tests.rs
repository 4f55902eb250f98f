//! What the double loses, and what it keeps.

use super::*;
use crate::store::{directories, disk, files};

/// What is left of `path` below `root`.
fn left(journal: &Journal, loss: Loss, path: &str) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("left");
    journal.after_power_loss(&to, loss).unwrap();
    fs::read(to.join(path)).ok()
}

#[test]
fn only_what_was_synced_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    fs::write(root.join("before"), "before").unwrap();
    let journal = journal(&root).unwrap();
    let (all, bytes) = (Loss::Everything, Loss::Bytes);
    assert_eq!(left(&journal, all, "before").unwrap(), b"before");

    let file = disk::create_new(&root.join("file")).unwrap();
    files::write_all(&file, &mut [IoSlice::new(b"content")]).unwrap();
    assert_eq!(left(&journal, all, "file"), None);
    assert_eq!(left(&journal, bytes, "file").unwrap(), b"");
    disk::sync_data(&file).unwrap();
    assert_eq!(left(&journal, all, "file"), None, "the directory is not synced");
    assert_eq!(left(&journal, bytes, "file").unwrap(), b"content");
    disk::sync_dir(&root).unwrap();
    assert_eq!(left(&journal, all, "file").unwrap(), b"content");

    disk::set_len(&file, 3).unwrap();
    assert_eq!(left(&journal, all, "file").unwrap(), b"content");
    disk::rename(&root.join("file"), &root.join("before")).unwrap();
    disk::sync_data(&file).unwrap();
    assert_eq!(left(&journal, all, "before").unwrap(), b"before");
    assert_eq!(left(&journal, bytes, "before").unwrap(), b"con");
    assert_eq!(left(&journal, bytes, "file"), None);
    disk::sync_dir(&root).unwrap();
    assert_eq!(left(&journal, all, "before").unwrap(), b"con");
}

#[test]
fn durable_changes_are_left_as_they_were_made() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let journal = journal(&root).unwrap();
    directories::create_dirs(&root.join("deep/er")).unwrap();
    files::replace(&root.join("deep/er/one"), b"1").unwrap();
    files::create(&root.join("deep/er/two"), b"2").unwrap();
    for (path, content) in [("deep/er/one", b"1"), ("deep/er/two", b"2")] {
        assert_eq!(left(&journal, Loss::Everything, path).unwrap(), content);
    }
    files::remove(&root.join("deep/er/one")).unwrap();
    assert_eq!(left(&journal, Loss::Everything, "deep/er/one"), None);
}
