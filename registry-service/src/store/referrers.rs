//! Entries for referrers: for each manifest with a subject a small file below the subject, holding its descriptor.
//!
//! What an entry says is true of the manifest's bytes wherever they lie, so an entry is never wrong. It may outlive its
//! manifest: whether the repository still has that one is for the reader to look up. And it may be missing where a peer
//! wrote the manifest: that is noticed by the times of change of the directories in which revisions come and go.

use super::cached_read::read_small_blocking;
use super::intents::digests;
use super::{Storage, disk, files, found};
use crate::model::referrer::Referrer;
use shared::{Algorithm, Digest, RepositoryName};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// After this, a directory's time of change tells every later change apart.
const SETTLED: Duration = Duration::from_secs(2);

/// What is known of a repository's manifests: of each of `looked_at` its subject, if it has one. `stamp` is that of the
/// directories when these were all, and had entries.
#[derive(Default)]
pub(super) struct Known {
    stamp: Option<String>,
    looked_at: HashMap<Digest, Option<Digest>>,
}

impl Known {
    /// How much it weighs in memory, in manifests.
    pub(super) fn weight(&self) -> u32 {
        u32::try_from(self.looked_at.len() + 1).unwrap_or(u32::MAX)
    }
}

impl Storage {
    /// Enters a manifest that `name` has among the referrers of `subject`.
    pub fn add_referrer(&self, name: &RepositoryName, subject: &Digest, referrer: &Referrer) -> io::Result<()> {
        let content = serde_json::to_vec(referrer).map_err(io::Error::other)?;
        files::replace(&self.layout().referrer(name, subject, &referrer.digest), &content)
    }

    /// Takes the entry away again, if it is there.
    pub fn remove_referrer(&self, name: &RepositoryName, subject: &Digest, digest: &Digest) -> io::Result<()> {
        files::remove(&self.layout().referrer(name, subject, digest)).map(drop)
    }

    /// The digests of all manifests that have ever been entered among the referrers of `subject`, in order.
    pub fn referrer_digests(&self, name: &RepositoryName, subject: &Digest) -> io::Result<Vec<Digest>> {
        let mut all = digests(&self.layout().referrers(name, subject))?;
        all.sort_unstable();
        Ok(all)
    }

    /// The descriptor of a manifest that is about `subject`, by its entry; if that is missing or cannot be read, by the
    /// manifest.
    pub fn referrer(&self, name: &RepositoryName, subject: &Digest, digest: &Digest) -> io::Result<Option<Referrer>> {
        let entry = found(disk::read(&self.layout().referrer(name, subject, digest)))?;
        if let Some(referrer) = entry.and_then(|content| serde_json::from_slice(&content).ok()) {
            return Ok(Some(referrer));
        }
        let read = self.read_referrer(name, digest)?.flatten();
        Ok(read.filter(|(about, _)| about == subject).map(|(_, referrer)| referrer))
    }

    /// A manifest of `name` with its subject, from its bytes: `None` if the manifest is not there, or damaged, `Some(None)`
    /// if it has no subject.
    pub fn read_referrer(
        &self,
        name: &RepositoryName,
        digest: &Digest,
    ) -> io::Result<Option<Option<(Digest, Referrer)>>> {
        let Some(content) = self.revision_now(name, digest)? else { return Ok(None) };
        Ok(self.read_blob(&content)?.good().map(|bytes| Referrer::read(digest, &bytes)))
    }

    /// Whether nothing came or went among the manifests of `name` since their entries were found complete.
    pub fn referrers_are_complete(&self, name: &RepositoryName) -> io::Result<bool> {
        let Some((stamp, _)) = self.revisions_stamp(name)? else { return Ok(true) };
        if self.inner.referrers.get(name).is_some_and(|known| known.stamp.as_ref() == Some(&stamp)) {
            return Ok(true);
        }
        // As another process found them, or this one before it was stopped.
        Ok(read_small_blocking(&self.layout().referrers_stamp(name))?.as_ref() == Some(&stamp))
    }

    /// The manifests of `name` with a subject that have no entry, each after its subject. If there are none, that is
    /// remembered, in storage too where that can be written.
    pub fn unlisted_referrers(&self, name: &RepositoryName) -> io::Result<Vec<(Digest, Digest)>> {
        // Taken before anything is looked at: what comes meanwhile changes it.
        let Some((stamp, is_settled)) = self.revisions_stamp(name)? else { return Ok(Vec::new()) };
        let known = self.inner.referrers.get(name).unwrap_or_default();
        let (mut looked_at, mut unlisted, mut all_there) = (HashMap::new(), Vec::new(), true);
        for digest in digests(&self.layout().revisions(name))? {
            let about = match known.looked_at.get(&digest) {
                Some(subject) => Some(subject.clone()),
                None => self.read_referrer(name, &digest)?.map(|about| about.map(|(subject, _)| subject)),
            };
            // Its directory is there before its link, which comes without another change of the stamp.
            let Some(subject) = about else {
                all_there = false;
                continue;
            };
            // Also of one that was looked at: its entry goes with it, and it may have come again.
            if let Some(subject) = &subject
                && !files::exists(&self.layout().referrer(name, subject, &digest))?
            {
                unlisted.push((subject.clone(), digest.clone()));
            }
            looked_at.insert(digest, subject);
        }
        let is_complete = all_there && is_settled && unlisted.is_empty();
        if is_complete
            && !self.inner.is_read_only
            && let Err(error) = files::replace(&self.layout().referrers_stamp(name), stamp.as_bytes())
        {
            tracing::warn!(%error, repository = %name, "that its referrers are all listed is not remembered");
        }
        let known = Known { stamp: is_complete.then_some(stamp), looked_at };
        self.inner.referrers.insert(name.clone(), Arc::new(known));
        Ok(unlisted)
    }

    /// When a manifest last came to `name` or went, and whether that is long enough ago to be told from a later time; `None`
    /// if none ever came.
    fn revisions_stamp(&self, name: &RepositoryName) -> io::Result<Option<(String, bool)>> {
        let (mut times, mut is_settled, mut is_there) = (Vec::new(), true, false);
        for algorithm in Algorithm::ALL {
            let directory = found(disk::metadata(&self.layout().revisions(name).join(algorithm.as_str())))?;
            let changed_at = directory.map(|directory| directory.modified()).transpose()?;
            is_there |= changed_at.is_some();
            // Two changes within a tick of the clock have one time, so a recent one proves nothing.
            is_settled &= changed_at.is_none_or(|at| at.elapsed().is_ok_and(|age| age > SETTLED));
            let since_epoch = changed_at.and_then(|at: SystemTime| at.duration_since(UNIX_EPOCH).ok());
            times.push(format!("{} {}", algorithm.as_str(), since_epoch.unwrap_or_default().as_nanos()));
        }
        Ok(is_there.then(|| (times.join("\n"), is_settled)))
    }
}
