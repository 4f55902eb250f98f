//! Which repository of the index lies under a name: its id, written once, where nothing lay before.

use super::Storage;
use super::cached_read::read_small_blocking;
use super::directories;
use super::files::{self, Placed};
use shared::RepositoryName;
use std::io;

impl Storage {
    /// The id of what lies under `name`, or `None` if nothing of ours does.
    pub async fn repository_id(&self, name: &RepositoryName) -> io::Result<Option<String>> {
        Ok(self.read_small(self.layout().id(name)).await?.map(|file| file.content().to_owned()))
    }

    /// Whether what lies under `name` is the repository `id`.
    pub async fn holds(&self, name: &RepositoryName, id: &str) -> io::Result<bool> {
        Ok(self.read_small(self.layout().id(name)).await?.is_some_and(|file| file.content() == id))
    }

    /// The same as [`Storage::repository_id`], on a thread that may wait.
    pub fn repository_id_now(&self, name: &RepositoryName) -> io::Result<Option<String>> {
        read_small_blocking(&self.layout().id(name))
    }

    /// Says which repository lies under the name, where something does and nothing says so. Tells the id that is there
    /// afterwards.
    pub fn identify(&self, name: &RepositoryName, id: &str) -> io::Result<Option<String>> {
        let path = self.layout().id(name);
        if read_small_blocking(&path)?.is_none() {
            files::create(&path, id.as_bytes())?;
        }
        self.need_name(name)?;
        read_small_blocking(&path)
    }

    /// Gives the name to repository `id` if nothing lies there. Tells the id that is there afterwards; `None` when
    /// content without an id lies there.
    pub fn claim_name(&self, name: &RepositoryName, id: &str) -> io::Result<Option<String>> {
        let path = self.layout().id(name);
        let lies_there = files::exists(&self.layout().manifests(name))? || files::exists(&self.layout().layers(name))?;
        // Looked at in this order: who claims the name at the same time writes the id before it makes the folders.
        let there = match read_small_blocking(&path)? {
            None if lies_there => return Ok(None),
            None => match files::create(&path, id.as_bytes())? {
                Placed::New => Some(id.to_owned()),
                Placed::Taken => read_small_blocking(&path)?,
            },
            there => there,
        };
        // Whoever claimed the name may have been stopped before it lasted, and before it made the folders.
        self.need_name(name)?;
        Ok(there)
    }

    /// Makes sure that it lasts which repository lies under `name`, if something says so, and then that its folders are
    /// there: a name with folders and no id is nobody's.
    pub fn need_name(&self, name: &RepositoryName) -> io::Result<()> {
        files::rely_on(&self.layout().id(name))?;
        self.make_repository(name)
    }

    /// Whether the folders of `name` are there, whoever made them.
    pub fn has_repository(&self, name: &RepositoryName) -> io::Result<bool> {
        Ok(files::exists(&self.layout().layers(name))? && files::exists(&self.layout().manifests(name))?)
    }

    /// Makes the folders by which a peer finds a repository: by either of the two, depending on its version.
    pub fn make_repository(&self, name: &RepositoryName) -> io::Result<()> {
        directories::create_dirs(&self.layout().layers(name))?;
        directories::create_dirs(&self.layout().manifests(name))
    }
}
