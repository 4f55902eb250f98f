//! What a client may expect of one repository after what it was told, and after what it was not told.

use crate::support::Image;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of one blob or manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    There,
    Gone,
    /// A request about it had no good answer: either is right.
    Open,
}

/// What has become of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Done,
    /// No answer, or one that promises nothing.
    Nothing,
}

/// Everything that one client pushed to one repository.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// By digest: the bytes, and whether they are there.
    pub blobs: BTreeMap<String, (Vec<u8>, Known)>,
    /// By digest.
    pub manifests: BTreeMap<String, (Vec<u8>, Known)>,
    /// What each tag may mean; `None` is no tag.
    pub tags: BTreeMap<String, BTreeSet<Option<String>>>,
}

fn note(there: &mut BTreeMap<String, (Vec<u8>, Known)>, digest: &str, bytes: &[u8], known: Known, told: Told) {
    let entry = there.entry(digest.to_owned()).or_insert_with(|| (bytes.to_owned(), Known::Gone));
    if told == Told::Done {
        entry.1 = known;
    } else if entry.1 != known {
        entry.1 = Known::Open;
    }
}

impl Ledger {
    pub fn blob(&mut self, digest: &str, bytes: &[u8], known: Known, told: Told) {
        note(&mut self.blobs, digest, bytes, known, told);
    }

    pub fn manifest(&mut self, image: &Image, known: Known, told: Told) {
        note(&mut self.manifests, &image.digest, &image.manifest, known, told);
        if known == Known::Gone {
            for tag in self.tags.values_mut().filter(|tag| tag.contains(&Some(image.digest.clone()))) {
                tag.insert(None);
                if told == Told::Done {
                    tag.remove(&Some(image.digest.clone()));
                }
            }
        }
    }

    pub fn tag(&mut self, tag: &str, digest: Option<&str>, told: Told) {
        let meanings = self.tags.entry(tag.to_owned()).or_insert_with(|| [None].into());
        if told == Told::Done {
            meanings.clear();
        }
        meanings.insert(digest.map(str::to_owned));
    }
}
