//! Which repositories lie in storage, whoever made them.
//!
//! A peer may have given names that this registry never would. Such a repository cannot be asked for: it is not listed,
//! not reindexed, and has no lock, so nothing in it is ever collected. What its manifests name is kept like that of any
//! other: the peer serves it again when the volume goes back.

use super::Storage;
use super::intents::entries;
use shared::RepositoryName;
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::Path;

/// A repository as it lies in storage.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Lies {
    /// Under this name, which a peer may have given.
    Under(String),
    /// Put away under this id.
    PutAway(String),
}

impl Lies {
    /// Its name, if it lies under one that this registry could have given.
    pub fn name(&self) -> Option<RepositoryName> {
        match self {
            Self::Under(name) => RepositoryName::parse(name).ok(),
            Self::PutAway(_) => None,
        }
    }
}

impl fmt::Display for Lies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Under(name) => f.write_str(name),
            Self::PutAway(id) => write!(f, "(put away) {id}"),
        }
    }
}

/// A directory that is called as a repository could be.
pub(super) struct Named<'n> {
    /// The whole name.
    pub name: &'n str,
    /// Whether one of the folders is there by which a peer finds a repository, also when nothing is in it (any more):
    /// Distribution 2.8 goes by `_layers`, 3 by `_manifests`.
    pub is_repository: bool,
    /// Whether there are unfinished uploads.
    pub has_uploads: bool,
}

impl Storage {
    /// Every repository that this registry could have named.
    pub fn repositories(&self) -> io::Result<BTreeSet<RepositoryName>> {
        let mut names = BTreeSet::new();
        self.visit_in_place(&mut |lies| {
            names.extend(lies.name());
            Ok::<_, io::Error>(())
        })?;
        Ok(names)
    }

    /// Visits every repository: first those that are put away, then those that lie under a name.
    pub fn visit_repositories<E: From<io::Error>>(
        &self,
        visit: &mut dyn FnMut(Lies) -> Result<(), E>,
    ) -> Result<(), E> {
        self.visit_put_away(visit)?;
        self.visit_in_place(visit)
    }

    /// Visits every repository that is put away.
    pub fn visit_put_away<E: From<io::Error>>(&self, visit: &mut dyn FnMut(Lies) -> Result<(), E>) -> Result<(), E> {
        entries(&self.layout().all_put_away())?.into_iter().map(Lies::PutAway).try_for_each(visit)
    }

    /// Visits every repository that lies under a name.
    pub fn visit_in_place<E: From<io::Error>>(&self, visit: &mut dyn FnMut(Lies) -> Result<(), E>) -> Result<(), E> {
        self.visit_names(&mut |named| {
            if named.is_repository { visit(Lies::Under(named.name.to_owned())) } else { Ok(()) }
        })
    }

    /// Visits everything that is called as a repository could be, in the order of names: in one walk that opens each
    /// directory of a name once and none below.
    pub(super) fn visit_names<E: From<io::Error>>(
        &self,
        visit: &mut dyn FnMut(Named<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        walk(&self.layout().repositories(), "", visit)
    }
}

/// The longest name, of any registry. Links of directories to each other could make it endless.
const LONGEST_NAME: usize = 255;

/// Names nest, and what belongs to a repository itself begins with `_`.
fn walk<E: From<io::Error>>(
    directory: &Path,
    name: &str,
    visit: &mut dyn FnMut(Named<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut parts = entries(directory)?;
    parts.sort_unstable();
    let has = |own: &str| parts.iter().any(|part| part == own);
    let (is_repository, has_uploads) = (has("_layers") || has("_manifests"), has("_uploads"));
    if !name.is_empty() && (is_repository || has_uploads) {
        visit(Named { name, is_repository, has_uploads })?;
    }
    for part in parts.iter().filter(|part| !part.starts_with(['_', '.'])) {
        let name = if name.is_empty() { part.clone() } else { format!("{name}/{part}") };
        if name.len() <= LONGEST_NAME {
            walk(&directory.join(part), &name, visit)?;
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
