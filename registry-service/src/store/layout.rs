//! Where everything lies on disk. The only file that makes paths.
//!
//! ```text
//! <root>/docker/registry/v2/
//!   blobs/<alg>/<2 hex>/<hex>/data                        content
//!   blobs/<alg>/<2 hex>/<hex>/berth-damaged.<unique>      ours: what lay there and was not that content
//!   repositories/<name>/
//!     _layers/<alg>/<hex>/link                            the repository has this blob
//!     _manifests/revisions/<alg>/<hex>/link               the repository has this manifest
//!     _manifests/tags/<tag>/current/link                  where the tag points
//!     _manifests/tags/<tag>/index/<alg>/<hex>/link        where it has pointed
//!     _uploads/<uuid>/data, startedat                     an unfinished blob
//!     _uploads/<uuid>/berth, lock                         ours: what is acknowledged of it; its writer's lock
//!   berth/                                                ours: Distribution does not look here
//!     intents/<name>/_digests/<alg>/<hex>                 a manifest that is being changed
//!     intents/<name>/_tags/<tag>                          a tag that is being changed
//!     ids/<name>/_id                                      which repository of the index lies under the name
//!     referrers/<name>/_subjects/<alg>/<hex>/<alg>/<hex>   a manifest (second) that is about another one (first)
//!     referrers/<name>/_stamp                             when these were complete
//!     locks/<name>/_repository, _gate                     the repository's locks
//!     deleted/<repository id>/_id, _manifests, _layers, …  a repository that is put away
//!     deleted/<repository id>/_move                       the last move of the repository, wherever it lies now
//!     deleted/<repository id>/_tags/<tag>.<unique>        tags put away whole
//!     deleted/_nobody/_tags/<tag>.<unique>                the same for a moment, where no index gives ids
//!     moves                                               repositories that were put away, restored or renamed
//!     gc.lock                                             held by the one collector that runs
//! ```
//!
//! Beside `data` and `link` lies what the collector hides: `berth-trash.<since>.<run>`, see `store/trash.rs`.
//!
//! A file named `link` holds a digest, and that digest, not the link's place, is what it means. Names nest (`acme/app`
//! with a tag `v1` beside a repository `acme/app/v1`), so what lies under a name begins with `_`, which no part of a
//! name can; ours does so too. Temporary names begin with a dot.

mod repository;

pub use repository::RepositoryPaths;

use crate::model::upload::UploadId;
use shared::{Digest, RepositoryName, Tag};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Distribution's own first folders below the root directory.
const BELOW_ROOT: &str = "docker/registry/v2";

/// Paths below one root directory. All are absolute, save where said.
pub struct Layout {
    base: PathBuf,
}

impl Layout {
    pub fn new(root: &Path) -> Self {
        Self { base: root.join(BELOW_ROOT) }
    }

    /// The directory that all paths lie below.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// A path that was made here, seen from the base. By its length: comparing part by part costs as much as reading a
    /// small file.
    pub fn below_base<'a>(&self, path: &'a Path) -> &'a Path {
        let below = path.as_os_str().as_bytes().get(self.base.as_os_str().len() + 1..);
        Path::new(OsStr::from_bytes(below.unwrap_or_default()))
    }

    pub fn blob(&self, digest: &Digest) -> PathBuf {
        let fan_out = digest.hex().get(..2).unwrap_or_default();
        below(&self.base, &["blobs", digest.algorithm().as_str(), fan_out, digest.hex(), "data"])
    }

    /// A blob's place within `blobs/`.
    pub fn below_blobs(digest: &Digest) -> String {
        let fan_out = digest.hex().get(..2).unwrap_or_default();
        format!("{}/{fan_out}/{}/data", digest.algorithm().as_str(), digest.hex())
    }

    pub fn blobs(&self) -> PathBuf {
        self.base.join("blobs")
    }

    /// Below it every repository, by name.
    pub fn repositories(&self) -> PathBuf {
        self.base.join("repositories")
    }

    pub fn repository(&self, name: &RepositoryName) -> RepositoryPaths {
        self.repository_of_peer(name.as_str())
    }

    /// The same for a name that a peer may have given.
    pub fn repository_of_peer(&self, name: &str) -> RepositoryPaths {
        RepositoryPaths(below(&self.base, &["repositories", name]))
    }

    /// Below it every repository that is put away, by id.
    pub fn all_put_away(&self) -> PathBuf {
        self.ours("deleted")
    }

    pub fn put_away(&self, repository_id: &str) -> RepositoryPaths {
        RepositoryPaths(self.all_put_away().join(repository_id))
    }

    /// Everything that makes up a repository under its name, each thing in a directory of its own. The id comes first.
    pub fn parts(&self, name: &RepositoryName) -> [PathBuf; 5] {
        let RepositoryPaths(directory) = self.repository(name);
        let [manifests, layers, uploads] = ["_manifests", "_layers", "_uploads"].map(|part| directory.join(part));
        [self.id(name), manifests, layers, uploads, self.all_referrers(name)]
    }

    /// The same, in the same order, of a repository that is put away.
    pub fn parts_put_away(&self, repository_id: &str) -> [PathBuf; 5] {
        let RepositoryPaths(directory) = self.put_away(repository_id);
        ["_id", "_manifests", "_layers", "_uploads", "_subjects"].map(|part| directory.join(part))
    }

    /// What was last begun to become of the repository: stays with its id, wherever the repository lies.
    pub fn last_move(&self, repository_id: &str) -> PathBuf {
        self.put_away(repository_id).0.join("_move")
    }

    pub fn layers(&self, name: &RepositoryName) -> PathBuf {
        self.repository(name).layers()
    }

    pub fn layer_link(&self, name: &RepositoryName, digest: &Digest) -> PathBuf {
        self.repository(name).layer_link(digest)
    }

    pub fn manifests(&self, name: &RepositoryName) -> PathBuf {
        self.repository(name).manifests()
    }

    pub fn revisions(&self, name: &RepositoryName) -> PathBuf {
        self.repository(name).revisions()
    }

    pub fn revision_link(&self, name: &RepositoryName, digest: &Digest) -> PathBuf {
        self.repository(name).revision_link(digest)
    }

    pub fn tags(&self, name: &RepositoryName) -> PathBuf {
        self.repository(name).tags()
    }

    pub fn tag(&self, name: &RepositoryName, tag: &Tag) -> PathBuf {
        self.repository(name).tags().join(tag.as_str())
    }

    pub fn tag_current(&self, name: &RepositoryName, tag: &Tag) -> PathBuf {
        self.repository(name).tag_current(tag.as_str())
    }

    pub fn tag_index(&self, name: &RepositoryName, tag: &Tag, digest: &Digest) -> PathBuf {
        link_below(&self.repository(name).tag_index(tag.as_str()), digest)
    }

    pub fn uploads(&self, name: &RepositoryName) -> PathBuf {
        self.repository(name).0.join("_uploads")
    }

    pub fn upload(&self, name: &RepositoryName, id: UploadId) -> PathBuf {
        self.uploads(name).join(id.to_string())
    }

    fn ours(&self, part: &str) -> PathBuf {
        self.base.join("berth").join(part)
    }

    pub fn intents_root(&self) -> PathBuf {
        self.ours("intents")
    }

    /// Below it the intents of one repository, and of those whose names begin with its own.
    pub fn intents(&self, name: &RepositoryName) -> PathBuf {
        self.intents_root().join(name.as_str())
    }

    pub fn digest_intent(&self, name: &RepositoryName, digest: &Digest) -> PathBuf {
        self.intents(name).join("_digests").join(by_digest(digest))
    }

    pub fn tag_intent(&self, name: &RepositoryName, tag: &Tag) -> PathBuf {
        self.intents(name).join("_tags").join(tag.as_str())
    }

    pub fn id(&self, name: &RepositoryName) -> PathBuf {
        below(&self.base, &["berth", "ids", name.as_str(), "_id"])
    }

    /// Below it every entry for a manifest with a subject.
    fn all_referrers(&self, name: &RepositoryName) -> PathBuf {
        self.ours("referrers").join(name.as_str()).join("_subjects")
    }

    /// Holds an entry for each manifest that has `subject` as its subject.
    pub fn referrers(&self, name: &RepositoryName, subject: &Digest) -> PathBuf {
        self.all_referrers(name).join(by_digest(subject))
    }

    pub fn referrer(&self, name: &RepositoryName, subject: &Digest, digest: &Digest) -> PathBuf {
        self.referrers(name, subject).join(by_digest(digest))
    }

    pub fn referrers_stamp(&self, name: &RepositoryName) -> PathBuf {
        self.ours("referrers").join(name.as_str()).join("_stamp")
    }

    pub fn locks_root(&self) -> PathBuf {
        self.ours("locks")
    }

    pub fn repository_lock(&self, name: &RepositoryName) -> PathBuf {
        self.locks_root().join(name.as_str()).join("_repository")
    }

    pub fn repository_gate(&self, name: &RepositoryName) -> PathBuf {
        self.locks_root().join(name.as_str()).join("_gate")
    }

    /// A place for a tag that is put away; `unique` keeps two of the same name apart.
    pub fn deleted_tag(&self, repository_id: Option<&str>, tag: &Tag, unique: &str) -> PathBuf {
        self.put_away_tags(repository_id.unwrap_or("_nobody")).join(format!("{tag}.{unique}"))
    }

    /// Below it the tags of a repository that were put away.
    pub fn put_away_tags(&self, repository_id: &str) -> PathBuf {
        self.put_away(repository_id).0.join("_tags")
    }

    /// Held by the one collector that runs.
    pub fn collector_lock(&self) -> PathBuf {
        self.ours("gc.lock")
    }

    /// Every move of a repository since the last collection began, a line each; held while one is under way.
    pub fn moves(&self) -> PathBuf {
        self.ours("moves")
    }
}

/// What a blob that was found damaged is renamed to, beside its place, with something unique behind it.
pub const QUARANTINED: &str = "berth-damaged.";

/// Where the damaged bytes at `path` are put.
pub fn quarantined(path: &Path, unique: &str) -> PathBuf {
    path.with_file_name(format!("{QUARANTINED}{unique}"))
}

/// The link for `digest` below a directory of links.
pub fn link_below(directory: &Path, digest: &Digest) -> PathBuf {
    below(directory, &[digest.algorithm().as_str(), digest.hex(), "link"])
}

/// Joined in memory that is taken once: several paths are made for every request.
fn below(directory: &Path, parts: &[&str]) -> PathBuf {
    let length = parts.iter().fold(directory.as_os_str().len(), |length, part| length + 1 + part.len());
    // Not by `PathBuf::push`, which looks at every part for what none of these is: absolute, or empty.
    let mut path = OsString::with_capacity(length);
    path.push(directory);
    for part in parts {
        path.push("/");
        path.push(part);
    }
    path.into()
}

fn by_digest(digest: &Digest) -> String {
    format!("{}/{}", digest.algorithm().as_str(), digest.hex())
}

#[cfg(test)]
mod tests;
