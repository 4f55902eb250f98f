//! Reading, mounting and deleting blobs.

use super::admission::Permit;
use super::manifest_deletes::holder_of;
use super::refusal::{Deletable, Refusal};
use super::{Registry, Repository};
use crate::store::hashing::digest_of;
use crate::store::{OpenBlob, Storage};
use bytes::Bytes;
use shared::{Action, Digest, RepositoryName, Scope};

/// Blobs of up to so many bytes are sent from memory.
const SMALL: u64 = 64 * 1024;

/// A blob's bytes, for a reader.
pub enum Blob {
    /// In memory.
    Small(Bytes),
    /// In storage.
    Open(OpenBlob),
}

impl Blob {
    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        match self {
            Self::Small(bytes) => bytes.len() as u64,
            Self::Open(blob) => blob.size,
        }
    }
}

impl Registry {
    /// A blob that `repository` has, to be sent.
    pub async fn blob_to_send(&self, repository: &Repository, digest: &Digest) -> Result<Blob, Refusal> {
        if let Some(content) = self.storage().layer(&repository.name, digest).await?
            && let Some(content) = self.parts.contents.get(&content)
        {
            return Ok(Blob::Small(content.bytes.clone()));
        }
        let blob = self.blob(repository, digest).await?;
        if blob.size > SMALL {
            return Ok(Blob::Open(blob));
        }
        let content = self.content(&blob.digest).await?.ok_or_else(|| Refusal::BlobUnknown(digest.clone()))?;
        Ok(Blob::Small(content.bytes.clone()))
    }

    /// Opens a blob that `repository` has.
    pub async fn blob(&self, repository: &Repository, digest: &Digest) -> Result<OpenBlob, Refusal> {
        let unknown = || Refusal::BlobUnknown(digest.clone());
        let (content, blob) = match self.blob_in_place(repository, digest).await? {
            Some(blob) => blob,
            // Nothing is moved where nothing may be written.
            None if self.parts.policy.read_only => self.blob_anywhere(repository, digest).await?.ok_or_else(unknown)?,
            // Who asks for it may be about to rely on it: a push begins with a HEAD.
            None if self.need_layer(repository, digest).await?.is_some() => {
                self.blob_in_place(repository, digest).await?.ok_or_else(unknown)?
            }
            None => return Err(unknown()),
        };
        if !self.has_other_size(&content, blob.size) {
            return Ok(blob);
        }
        // Looked at again while it is put away: a push may have healed it.
        let is_good = self.storage().run(move |storage| storage.check_blob(&content)).await?;
        if !is_good && self.parts.policy.read_only {
            return Err(unknown());
        }
        self.blob_in_place(repository, digest).await?.map(|(_, blob)| blob).ok_or_else(unknown)
    }

    /// Whether what is in memory of a content, or its being nothing, says that its size is not this one.
    fn has_other_size(&self, content: &Digest, size: u64) -> bool {
        match self.parts.contents.get(content) {
            Some(known) => known.bytes.len() as u64 != size,
            None => size == 0 && *content != digest_of(content.algorithm(), b""),
        }
    }

    async fn blob_in_place(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<(Digest, OpenBlob)>, Refusal> {
        let Some(content) = self.storage().layer(&repository.name, digest).await? else { return Ok(None) };
        Ok(self.storage().open_blob(&content).await?.map(|blob| (content, blob)))
    }

    /// The same, hidden or not.
    async fn blob_anywhere(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<(Digest, OpenBlob)>, Refusal> {
        let (name, wanted) = (repository.name.clone(), digest.clone());
        let content = self.storage().run(move |storage| storage.layer_now(&name, &wanted)).await?;
        let Some(content) = content else { return Ok(None) };
        Ok(self.storage().open_blob_anywhere(&content).await?.map(|blob| (content, blob)))
    }

    /// The content that `repository` has under `digest`, brought back to its place if it is hidden.
    pub(super) async fn need_layer(&self, repository: &Repository, digest: &Digest) -> Result<Option<Digest>, Refusal> {
        let (name, wanted) = (repository.name.clone(), digest.clone());
        // Nothing is locked for what is nowhere: a push asks for each of its layers before it sends it.
        if self.storage().run(move |storage| storage.layer_now(&name, &wanted)).await?.is_none() {
            return Ok(None);
        }
        let lock = self.share(repository).await?;
        let (name, wanted) = (repository.name.clone(), digest.clone());
        let need = move |storage: &Storage| {
            storage.need_name(&name)?;
            storage.need_layer(&name, &wanted, &lock)
        };
        Ok(self.storage().run(need).await?)
    }

    /// Makes a blob of `from` readable in the permit's repository too. `false`: it cannot be had, for whatever reason,
    /// and the client uploads it; who may not read `from` learns nothing of what lies there.
    ///
    /// Without `from` those repositories are looked at that the request's own token may pull from, and no other. Who may
    /// pull from every repository gets what lies in storage: OCI distribution spec 1.1, end-11, "automatic content
    /// discovery".
    pub async fn mount(
        &self,
        permit: &Permit,
        digest: &Digest,
        from: Option<&RepositoryName>,
    ) -> Result<bool, Refusal> {
        let sources = match from {
            Some(from) if !permit.mentions(from) => {
                return Err(Refusal::Unauthorized {
                    fault: permit.insufficient(),
                    scopes: vec![
                        Scope::repository(permit.repository.name.as_str(), [Action::Pull, Action::Push]),
                        Scope::repository(from.as_str(), [Action::Pull]),
                    ],
                });
            }
            Some(from) => self.pullable(permit, from).await?.into_iter().collect(),
            None if permit.pulls_all() => return self.mount_stored(permit, digest).await,
            None => permit.all_pullable(),
        };
        for source in sources {
            if self.mount_from(permit, digest, source).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn mount_from(&self, permit: &Permit, digest: &Digest, source: Repository) -> Result<bool, Refusal> {
        if !self.is_still(&source).await? {
            return Ok(false);
        }
        let lock = self.share(&permit.repository).await?;
        let (guard, from, wanted) = (lock.clone(), source.clone(), digest.clone());
        let find = move |storage: &Storage| {
            let _guard = guard;
            // In the source, whose lock is not held, nothing is moved; the target gets a link of its own.
            let content = match storage.layer_now(&from.name, &wanted)? {
                Some(content) if storage.renew_blob(&content)? => content,
                _ => return Ok(None),
            };
            // Looked at again after it: another repository may have come to the name.
            let is_same = from.id.is_none() || storage.repository_id_now(&from.name)? == from.id;
            Ok(is_same.then_some(content))
        };
        let Some(content) = self.storage().run(find).await? else { return Ok(false) };
        self.storage().pause_task("mount looked").await;
        // The right may have been taken away since the request came: a link in another repository would outlast it.
        if source.name != permit.repository.name && !self.still_pulls(permit, &source).await? {
            return Ok(false);
        }
        let (target, digest) = (permit.repository.name.clone(), digest.clone());
        let link = move |storage: &Storage| {
            if source.name == target {
                return Ok(storage.need_layer(&target, &digest, &lock)?.is_some());
            }
            let _lock = lock;
            storage.link_layer(&target, &digest, &content).map(|()| true)
        };
        Ok(self.storage().run(link).await?)
    }

    async fn mount_stored(&self, permit: &Permit, digest: &Digest) -> Result<bool, Refusal> {
        let lock = self.share(&permit.repository).await?;
        let (target, digest) = (permit.repository.name.clone(), digest.clone());
        let mounted = self.storage().run(move |storage| {
            let _lock = lock;
            if !storage.renew_blob(&digest)? {
                return Ok(false);
            }
            storage.pause("mount looked");
            storage.link_layer(&target, &digest, &digest).map(|()| true)
        });
        Ok(mounted.await?)
    }

    /// Takes a blob away from the permit's repository.
    pub async fn delete_blob(&self, permit: &Permit, digest: &Digest) -> Result<(), Refusal> {
        self.require_deletes(Deletable::Blob)?;
        let lock = self.exclude(&permit.repository).await?;
        let (name, wanted) = (permit.repository.name.clone(), digest.clone());
        self.storage()
            .run(move |storage| {
                let _lock = lock;
                if storage.layer_now(&name, &wanted)?.is_none() {
                    // Who was told before that deleting it failed learns here that it is gone, so that has to last.
                    storage.make_layer_durable(&name, &wanted)?;
                    return Ok(Err(Refusal::BlobUnknown(wanted)));
                }
                if let Some(holder) = holder_of(storage, &name, &wanted)? {
                    return Ok(Err(Refusal::InUse { kind: Deletable::Blob, wanted, holder }));
                }
                storage.pause("delete looked");
                Ok(if storage.unlink_layer(&name, &wanted)? { Ok(()) } else { Err(Refusal::BlobUnknown(wanted)) })
            })
            .await?
    }
}
