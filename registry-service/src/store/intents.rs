//! Intents: one small file for each tag or digest that is being changed, holding the manifest's digest.
//!
//! It is the lock under which that tag or digest changes, it keeps the manifest before it is visible, and it notes that
//! the index must be told. Written in place, never by rename over it: the lock belongs to the file.

use super::cached_read::read_small_blocking;
use super::locks::Lock;
use super::queues::{Queued, Turn};
use super::{Storage, disk, files, found};
use shared::{Digest, RepositoryName, Tag};
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};

/// What an intent is about. Digests come before tags in the order of locking.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntentTarget {
    /// A manifest.
    Manifest(Digest),
    /// A tag.
    Tag(Tag),
}

/// A locked intent.
pub struct Intent {
    /// What it is about.
    pub target: IntentTarget,
    /// What a holder that died had published in it.
    pub leftover: Option<Digest>,
    lock: Lock,
    path: PathBuf,
}

impl Queued for Intent {
    fn keep(&mut self, turn: Turn) {
        self.lock.keep(turn);
    }
}

impl Storage {
    /// Tries to lock the intent for `target`. `None`: somebody is changing it.
    pub fn try_intent(&self, name: &RepositoryName, target: &IntentTarget) -> io::Result<Option<Intent>> {
        let path = self.intent_path(name, target);
        let Some(lock) = Lock::try_exclusive(&path)? else { return Ok(None) };
        let leftover = Note::read(&path)?.map(|note| note.manifest);
        Ok(Some(Intent { target: target.clone(), leftover, lock, path }))
    }

    /// Whether the intent is there and nobody holds it, at this moment.
    pub fn is_leftover(&self, name: &RepositoryName, target: &IntentTarget) -> io::Result<bool> {
        let path = self.intent_path(name, target);
        Ok(found(Lock::try_exclusive_existing(&path))?.flatten().is_some())
    }

    /// Says durably that `digest` is about to become visible, or to go, under this intent.
    pub fn publish(&self, intent: &Intent, digest: &Digest) -> io::Result<()> {
        intent.write(digest.as_str())
    }

    /// Says durably that the manifest `digest` has been collected: the index must be told, and nothing is kept by this.
    pub fn publish_gone(&self, intent: &Intent, digest: &Digest) -> io::Result<()> {
        intent.write(&format!("{GONE}{digest}"))
    }

    /// The manifests that intents keep, each with the repository's name, whoever holds them.
    pub fn kept_by_intents(&self) -> io::Result<Vec<(RepositoryName, Digest)>> {
        let mut kept = Vec::new();
        for (name, target) in self.intents()? {
            let note = Note::read(&self.intent_path(&name, &target))?;
            kept.extend(note.filter(|note| note.keeps).map(|note| (name, note.manifest)));
        }
        Ok(kept)
    }

    /// Removes the intent, still locked: nothing is left to be told. Durable, because a repository is moved only when it
    /// has none, and one that came back under its old name would be nobody's to settle.
    pub fn remove_intent(&self, intent: &Intent) -> io::Result<()> {
        files::remove(&intent.path).map(drop)
    }

    /// Every intent that there is now, held or left over.
    pub fn intents(&self) -> io::Result<Vec<(RepositoryName, IntentTarget)>> {
        let mut all = Vec::new();
        walk(&self.layout().intents_root(), "", &mut all)?;
        Ok(all)
    }

    /// Those of one repository.
    pub fn intents_of(&self, name: &RepositoryName) -> io::Result<Vec<IntentTarget>> {
        let directory = self.layout().intents(name);
        let mut all = Vec::new();
        for part in entries(&directory)? {
            all.extend(targets(&directory, &part)?.unwrap_or_default());
        }
        Ok(all)
    }

    fn intent_path(&self, name: &RepositoryName, target: &IntentTarget) -> PathBuf {
        match target {
            IntentTarget::Manifest(digest) => self.layout().digest_intent(name, digest),
            IntentTarget::Tag(tag) => self.layout().tag_intent(name, tag),
        }
    }
}

impl Intent {
    fn write(&self, content: &str) -> io::Result<()> {
        let mut file = self.lock.file();
        disk::set_len(file, 0)?;
        io::Seek::rewind(&mut file)?;
        files::write_all(file, &mut [IoSlice::new(content.as_bytes())])?;
        disk::sync_all(file)?;
        files::sync_dir(files::parent_of(&self.path)?)
    }
}

/// What stands before the digest of a manifest that has been collected.
const GONE: &str = "gone ";

/// What an intent says.
struct Note {
    manifest: Digest,
    /// Whether the manifest, and all it needs, is kept from the collector meanwhile.
    keeps: bool,
}

impl Note {
    /// `None`: empty or torn, so never published.
    fn read(path: &Path) -> io::Result<Option<Self>> {
        let content = read_small_blocking(path)?.unwrap_or_default();
        let (text, keeps) =
            content.trim_end().strip_prefix(GONE).map_or((content.trim_end(), true), |text| (text, false));
        Ok(Digest::parse(text).ok().map(|manifest| Self { manifest, keeps }))
    }
}

fn walk(directory: &Path, name: &str, all: &mut Vec<(RepositoryName, IntentTarget)>) -> io::Result<()> {
    for part in entries(directory)? {
        match (targets(directory, &part)?, RepositoryName::parse(name)) {
            (Some(targets), Ok(name)) => all.extend(targets.into_iter().map(|target| (name.clone(), target))),
            _ if name.is_empty() => walk(&directory.join(&part), &part, all)?,
            _ => walk(&directory.join(&part), &format!("{name}/{part}"), all)?,
        }
    }
    Ok(())
}

/// What `part` of the intents of one repository is about; `None` if it belongs to one whose name goes on there.
fn targets(directory: &Path, part: &str) -> io::Result<Option<Vec<IntentTarget>>> {
    let below = directory.join(part);
    Ok(match part {
        "_tags" => {
            let tags = entries(&below)?.into_iter().filter_map(|tag| Tag::parse(&tag).ok());
            Some(tags.map(IntentTarget::Tag).collect())
        }
        "_digests" => Some(digests(&below)?.into_iter().map(IntentTarget::Manifest).collect()),
        _ => None,
    })
}

/// The names in a directory; none when it is not there.
pub(super) fn entries(directory: &Path) -> io::Result<Vec<String>> {
    let Some(entries) = found(disk::read_dir(directory))? else { return Ok(Vec::new()) };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// The digests that have a place in a directory: `<alg>/<hex>`.
pub(super) fn digests(directory: &Path) -> io::Result<Vec<Digest>> {
    let mut all = Vec::new();
    for algorithm in entries(directory)? {
        let names = entries(&directory.join(&algorithm))?;
        all.extend(names.iter().filter_map(|hex| Digest::parse(&format!("{algorithm}:{hex}")).ok()));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_holder_published_is_found_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(folder.path()).unwrap();
        let name = RepositoryName::parse("acme/tools/app").unwrap();
        let digest = Digest::parse(&format!("sha256:{}", "0".repeat(64))).unwrap();
        let tag = IntentTarget::Tag(Tag::parse("v1").unwrap());

        let intent = storage.try_intent(&name, &tag).unwrap().unwrap();
        assert_eq!(intent.leftover, None);
        assert!(storage.try_intent(&name, &tag).unwrap().is_none(), "one holder at a time");
        storage.publish(&intent, &digest).unwrap();
        drop(intent);

        assert_eq!(storage.intents().unwrap(), [(name.clone(), tag.clone())]);
        let next = storage.try_intent(&name, &tag).unwrap().unwrap();
        assert_eq!(next.leftover, Some(digest));
        storage.remove_intent(&next).unwrap();
        assert_eq!(storage.intents().unwrap(), []);
    }
}
