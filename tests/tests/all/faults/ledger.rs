//! What a client may expect of one repository after what it was told, and after what it was not told.

use crate::support::Image;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of one blob or manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    There,
    Gone,
    /// A request about it had no good answer: either is right.
    Open,
    /// Its bytes were changed behind everybody's back, and nobody knows that they are good again: they may be there or
    /// not, and wrong ones are never served.
    Damaged,
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
    /// A blob of which an upload has the first half, and whether that was acknowledged.
    pub chunk: Option<(Vec<u8>, Told)>,
}

fn note(there: &mut BTreeMap<String, (Vec<u8>, Known)>, digest: &str, bytes: &[u8], known: Known, told: Told) {
    let entry = there.entry(digest.to_owned()).or_insert_with(|| (bytes.to_owned(), Known::Gone));
    if told == Told::Done {
        entry.1 = known;
    } else if ![known, Known::Damaged].contains(&entry.1) {
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

    /// A collection: what no manifest needs goes; with `untagged` manifests go too that no tag points at and that refer to
    /// nothing that stays.
    pub fn collected(&mut self, untagged: bool, told: Told) {
        let tagged = |is_sure: bool| {
            let tags = self.tags.values().filter(|meanings| !is_sure || meanings.len() == 1);
            tags.flatten().flatten().cloned().collect()
        };
        let there = |is_sure: bool| {
            let is_there = |known: Known| known == Known::There || !is_sure && known == Known::Open;
            self.manifests.iter().filter(|(_, (_, known))| is_there(*known)).map(|(digest, _)| digest.clone()).collect()
        };
        let roots: [BTreeSet<String>; 2] = [true, false].map(|sure| if untagged { tagged(sure) } else { there(sure) });
        let [stays, may_stay] = roots.map(|roots| self.needed_by(roots));
        for (digest, (_, known)) in self.blobs.iter_mut().chain(&mut self.manifests) {
            if stays.contains(digest) || *known == Known::Gone {
                continue;
            }
            let goes = told == Told::Done && !may_stay.contains(digest);
            *known = match known {
                _ if goes => Known::Gone,
                Known::Damaged => Known::Damaged,
                _ => Known::Open,
            };
        }
    }

    /// A power loss after a collection: that a blob has gone need not last, as long as its manifest has gone for good.
    pub fn blobs_may_be_back(&mut self) {
        let gone = self.blobs.values_mut().filter(|(_, known)| *known == Known::Gone);
        gone.for_each(|(_, known)| *known = Known::Open);
    }

    /// A scrub: what is damaged goes.
    pub fn scrubbed(&mut self, told: Told) {
        let damaged = self.blobs.values_mut().filter(|(_, known)| *known == Known::Damaged);
        damaged.filter(|_| told == Told::Done).for_each(|(_, known)| *known = Known::Gone);
    }

    /// These manifests, what they need, and what refers to them.
    fn needed_by(&self, mut needed: BTreeSet<String>) -> BTreeSet<String> {
        loop {
            let before = needed.len();
            for (digest, (bytes, _)) in &self.manifests {
                let manifest: Value = serde_json::from_slice(bytes).unwrap();
                if manifest["subject"]["digest"].as_str().is_some_and(|subject| needed.contains(subject)) {
                    needed.insert(digest.clone());
                }
                if needed.contains(digest) {
                    let lists = ["layers", "manifests"].into_iter().filter_map(|list| manifest[list].as_array());
                    let parts = lists.flatten().chain([&manifest["config"]]);
                    let parts = parts.filter_map(|part| part["digest"].as_str());
                    needed.extend(parts.map(str::to_owned));
                }
            }
            if needed.len() == before {
                return needed;
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
