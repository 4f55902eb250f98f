//! Reading, mounting and deleting blobs.

use super::admission::Permit;
use super::manifest_deletes::holder_of;
use super::refusal::{CredentialFault, Refusal};
use super::{Registry, Repository};
use crate::store::OpenBlob;
use crate::store::hashing::digest_of;
use shared::{Action, Digest, RepositoryName, Scope};
use std::io;

impl Registry {
    /// Opens a blob that `repository` has.
    pub async fn blob(&self, repository: &Repository, digest: &Digest) -> Result<OpenBlob, Refusal> {
        let unknown = || Refusal::BlobUnknown(digest.clone());
        let content = self.storage().layer(&repository.name, digest).await?.ok_or_else(unknown)?;
        let blob = self.storage().open_blob(&content).await?.ok_or_else(unknown)?;
        if blob.size == 0 && content != digest_of(content.algorithm(), b"") {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("blob {content} has lost its bytes")).into());
        }
        Ok(blob)
    }

    /// Makes a blob of `from` readable in the permit's repository too. `false`: it cannot be had, for whatever reason,
    /// and the client uploads it; who may not read `from` learns nothing of what lies there.
    ///
    /// Without `from` only the repository itself is looked at.
    pub async fn mount(
        &self,
        permit: &Permit,
        digest: &Digest,
        from: Option<&RepositoryName>,
    ) -> Result<bool, Refusal> {
        let source = match from {
            Some(from) if *from != permit.repository.name => {
                if !permit.mentions(from) {
                    return Err(Refusal::Unauthorized {
                        fault: CredentialFault::Insufficient,
                        scopes: vec![
                            Scope::repository(permit.repository.name.as_str(), [Action::Pull, Action::Push]),
                            Scope::repository(from.as_str(), [Action::Pull]),
                        ],
                    });
                }
                permit.pullable(from)
            }
            _ => Some(permit.repository.clone()),
        };
        let Some(source) = source else { return Ok(false) };
        if !self.is_still(&source).await? {
            return Ok(false);
        }
        let lock = self.share(&permit.repository).await?;
        let (target, digest) = (permit.repository.name.clone(), digest.clone());
        let mounted = self.storage().run(move |storage| {
            let _lock = lock;
            let Some(content) = storage.layer_content(&source.name, &digest)? else { return Ok(false) };
            storage.pause("mount looked");
            if source.name != target {
                storage.link_layer(&target, &digest, &content)?;
            }
            Ok(true)
        });
        Ok(mounted.await?)
    }

    /// Takes a blob away from the permit's repository.
    pub async fn delete_blob(&self, permit: &Permit, digest: &Digest) -> Result<(), Refusal> {
        if self.storage().layer(&permit.repository.name, digest).await?.is_none() {
            return Err(Refusal::BlobUnknown(digest.clone()));
        }
        let lock = self.exclude(&permit.repository).await?;
        let (name, wanted) = (permit.repository.name.clone(), digest.clone());
        self.storage()
            .run(move |storage| {
                let _lock = lock;
                if let Some(holder) = holder_of(storage, &name, &wanted)? {
                    return Ok(Err(Refusal::InUse { wanted, holder }));
                }
                storage.pause("delete looked");
                Ok(if storage.unlink_layer(&name, &wanted)? { Ok(()) } else { Err(Refusal::BlobUnknown(wanted)) })
            })
            .await?
    }
}
