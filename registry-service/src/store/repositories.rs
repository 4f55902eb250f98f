//! Which repositories lie in storage, whoever made them.

use super::{Storage, disk, found};
use shared::RepositoryName;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;

/// A folder that belongs to a repository itself, and not to one that lies below its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Layers,
    Manifests,
    Uploads,
}

impl Part {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "_layers" => Some(Self::Layers),
            "_manifests" => Some(Self::Manifests),
            "_uploads" => Some(Self::Uploads),
            _ => None,
        }
    }
}

impl Storage {
    /// Every repository, in one walk that opens each directory of a name once and none below.
    ///
    /// A name is a repository if one of the folders is there by which a peer finds it, also when nothing is in it (any
    /// more): Distribution 2.8 goes by `_layers`, 3 by `_manifests`.
    pub fn repositories(&self) -> io::Result<BTreeSet<RepositoryName>> {
        let mut names = BTreeSet::new();
        visit_parts(&self.layout().repositories(), &mut |name, part| {
            if part != Part::Uploads {
                names.insert(name.clone());
            }
            Ok(())
        })?;
        Ok(names)
    }
}

/// Visits the folders of every repository below `root`, in no order.
pub(super) fn visit_parts(
    root: &Path,
    visit: &mut dyn FnMut(&RepositoryName, Part) -> io::Result<()>,
) -> io::Result<()> {
    walk(root, None, visit)
}

/// Looks at `directory`, which is that of `name`, or the root.
fn walk(
    directory: &Path,
    name: Option<&RepositoryName>,
    visit: &mut dyn FnMut(&RepositoryName, Part) -> io::Result<()>,
) -> io::Result<()> {
    let Some(entries) = found(disk::read_dir(directory))? else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let part = entry.file_name();
        let Some(part) = part.to_str() else { continue };
        if let Some(part) = Part::parse(part) {
            name.map_or(Ok(()), |name| visit(name, part))?;
            continue;
        }
        let below = name.map_or_else(|| part.to_owned(), |name| format!("{name}/{part}"));
        // Nothing that is no name leads to one. A link to a directory does, and ends where a name would be too long.
        let Ok(below) = RepositoryName::parse(&below) else { continue };
        let kind = entry.file_type()?;
        let path = entry.path();
        if kind.is_dir() || kind.is_symlink() && found(disk::metadata(&path))?.is_some_and(|there| there.is_dir()) {
            walk(&path, Some(&below), visit)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_has_one_of_two_folders_and_others_may_lie_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("docker/registry/v2/repositories");
        for directory in [
            "app/_layers/sha256/00",
            "app/tools/_manifests/tags/_layers",
            "app-two/deep/er/_layers",
            "begun/_uploads/1",
            "empty",
            "Not-a-name/_layers",
            "not/_a/name/_layers",
        ] {
            std::fs::create_dir_all(root.join(directory)).unwrap();
        }
        std::fs::write(root.join("app/_stray"), "").unwrap();
        std::fs::write(root.join("file"), "").unwrap();
        std::os::unix::fs::symlink(root.join("app"), root.join("linked")).unwrap();
        let names = Storage::open(folder.path()).unwrap().repositories().unwrap();
        let names: Vec<_> = names.iter().map(RepositoryName::as_str).collect();
        assert_eq!(names, ["app", "app-two/deep/er", "app/tools", "linked", "linked/tools"]);
    }

    #[test]
    fn a_storage_without_repositories_has_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Storage::open(folder.path()).unwrap().repositories().unwrap().is_empty());
    }
}
