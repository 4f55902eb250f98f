//! Listing the manifests that are about another one.
//!
//! Entries in storage make the list cheap. What a peer wrote has none, so entries are completed when a list is made, which
//! shows it in any case: also where nothing can be written. An entry is shown only while the repository has its manifest.
//! A list that an old client keeps under a tag (`sha256-…`) adds nothing: what counts is each manifest's own word, and a
//! manifest listed there is in the repository.

use super::refusal::Refusal;
use super::{Registry, Repository};
use crate::model::referrer::Referrer;
use crate::store::Storage;
use shared::{Digest, RepositoryName};
use std::io;

/// Entries looked at for one page: a page that is filtered may show fewer.
const LOOKED_AT: usize = 1000;

/// Bytes of descriptors on a page, which holds one at least: clients read no list above 4 MiB.
const PAGE_BYTES: usize = 4 * 1024 * 1024 - 64 * 1024;

/// What is asked of a list of referrers.
pub struct ReferrerQuery {
    /// The manifest that they are about; it need not exist.
    pub subject: Digest,
    /// Only those of one of these types; empty for all.
    pub artifact_types: Vec<String>,
    /// At most so many.
    pub limit: usize,
    /// Only those after this one.
    pub after: Option<String>,
}

/// One page of them.
#[derive(Default)]
pub struct ReferrerPage {
    /// The descriptors, in the order of their digests.
    pub items: Vec<Referrer>,
    /// The last one looked at, if more follow.
    pub next: Option<Digest>,
}

impl Registry {
    /// The manifests of `repository` that are about a subject.
    pub async fn referrers(&self, repository: &Repository, query: ReferrerQuery) -> Result<ReferrerPage, Refusal> {
        let name = repository.name.clone();
        let is_complete = self.storage().run(move |storage| storage.referrers_are_complete(&name)).await?;
        let unlisted =
            if is_complete { Vec::new() } else { self.complete_referrers(repository, &query.subject).await? };
        let name = repository.name.clone();
        Ok(self.storage().run(move |storage| page(storage, &name, &query, unlisted)).await?)
    }

    /// Enters what has no entry yet, if that can be done. Returns those of it that are about `subject`.
    async fn complete_referrers(&self, repository: &Repository, subject: &Digest) -> Result<Vec<Digest>, Refusal> {
        // One repository at a time: it may have a hundred thousand manifests, and others need the disk too.
        let _turn = self.parts.completing_referrers.lock().await;
        let name = repository.name.clone();
        let unlisted = self.storage().run(move |storage| storage.unlisted_referrers(&name)).await?;
        let about_it = unlisted.iter().filter(|(about, _)| about == subject).map(|(_, digest)| digest.clone());
        let about_it = about_it.collect();
        if !unlisted.is_empty()
            && !self.parts.policy.read_only
            && let Err(error) = self.enter_referrers(repository, unlisted).await
        {
            tracing::warn!(%error, repository = %repository.name, "manifests that a peer wrote have no entries yet");
        }
        Ok(about_it)
    }

    async fn enter_referrers(&self, repository: &Repository, unlisted: Vec<(Digest, Digest)>) -> Result<(), Refusal> {
        tracing::info!(repository = %repository.name, count = unlisted.len(), "listing manifests that a peer wrote");
        let (lock, name) = (self.share(repository).await?, repository.name.clone());
        let enter = move |storage: &Storage| {
            let _lock = lock;
            for (_, digest) in unlisted {
                // It may have been deleted before the lock was ours.
                if let Some((subject, referrer)) = storage.read_referrer(&name, &digest)?.flatten() {
                    storage.add_referrer(&name, &subject, &referrer)?;
                }
            }
            Ok(())
        };
        Ok(self.storage().run(enter).await?)
    }
}

/// `unlisted` are those about the subject that may have no entry in storage.
fn page(
    storage: &Storage,
    name: &RepositoryName,
    query: &ReferrerQuery,
    unlisted: Vec<Digest>,
) -> io::Result<ReferrerPage> {
    let mut digests = storage.referrer_digests(name, &query.subject)?;
    digests.extend(unlisted);
    digests.sort_unstable();
    digests.dedup();
    let after = query.after.as_deref().unwrap_or_default();
    let begin = digests.partition_point(|digest| digest.as_str() <= after);
    let mut page = ReferrerPage::default();
    let (mut bytes, mut last) = (0, None);
    for (looked_at, digest) in digests.iter().skip(begin).enumerate() {
        if page.items.len() == query.limit || looked_at == LOOKED_AT {
            page.next = last;
            break;
        }
        if let Some((referrer, size)) = shown(storage, name, query, digest)? {
            if !page.items.is_empty() && bytes + size > PAGE_BYTES {
                page.next = last;
                break;
            }
            bytes += size;
            page.items.push(referrer);
        }
        last = Some(digest.clone());
    }
    Ok(page)
}

/// The entry, if it is to be shown, and its length in bytes as it is sent.
fn shown(
    storage: &Storage,
    name: &RepositoryName,
    query: &ReferrerQuery,
    digest: &Digest,
) -> io::Result<Option<(Referrer, usize)>> {
    if !storage.has_revision(name, digest)? {
        return Ok(None);
    }
    let Some(referrer) = storage.referrer(name, &query.subject, digest)? else { return Ok(None) };
    let has_type = |wanted: &String| referrer.artifact_type.as_ref() == Some(wanted);
    if !query.artifact_types.is_empty() && !query.artifact_types.iter().any(has_type) {
        return Ok(None);
    }
    let size = serde_json::to_vec(&referrer).map_err(io::Error::other)?.len();
    Ok(Some((referrer, size)))
}

/// Puts the entry of a manifest right after a writer died: it is there if the manifest is. The caller holds its intent.
pub(super) fn settle_referrer(storage: &Storage, name: &RepositoryName, digest: &Digest) -> io::Result<()> {
    let Some(bytes) = storage.read_blob(digest)?.good() else { return Ok(()) };
    match Referrer::read(digest, &bytes) {
        Some((subject, referrer)) if storage.has_revision(name, digest)? => {
            storage.add_referrer(name, &subject, &referrer)
        }
        Some((subject, _)) => storage.remove_referrer(name, &subject, digest),
        None => Ok(()),
    }
}
