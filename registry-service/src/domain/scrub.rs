//! Reading everything that is stored again: what is not what its digest says is quarantined, and what repositories then
//! lack is named, with the tags that need it. While the registry serves.
//!
//! Must not speak to anybody: `scrub.rs` beside this room does.

use crate::model::manifest::Manifest;
use crate::model::scrub::{Damaged, Event, Lacks};
use crate::model::stored_manifest::named_digests;
use crate::store::{Lies, Storage};
use shared::Digest;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{Duration, Instant};

/// A look at everything.
pub struct Scrub<'a> {
    /// Where the bytes are.
    pub storage: &'a Storage,
    /// Bytes read in a second at most.
    pub rate: Option<u64>,
}

/// What a manifest needs: each with whether it is a manifest itself.
type Needs = BTreeMap<Digest, bool>;

impl Scrub<'_> {
    /// Looks at everything, and tells `report` what it finds. On a thread that may wait.
    pub fn run(&self, report: &mut dyn FnMut(Event)) -> io::Result<()> {
        report(self.total()?);
        let mut pace = Pace { rate: self.rate, begun: Instant::now(), read: 0 };
        self.storage.visit_blobs(|blobs| {
            for (digest, _) in blobs {
                let vetted = self.storage.vet_copies(&digest, &mut |bytes| {
                    pace.keep(bytes);
                    report(Event::Read(bytes));
                })?;
                for damaged in vetted.iter().filter(|vetted| !vetted.is_good) {
                    let quarantined = self.storage.quarantine(damaged)?;
                    report(Event::Damaged(Damaged { damaged: digest.clone(), quarantined }));
                }
                report(Event::Looked);
            }
            Ok::<_, io::Error>(())
        })?;
        self.storage.visit_repositories(&mut |lies| self.look_at_repository(&lies, report))
    }

    fn total(&self) -> io::Result<Event> {
        let (mut blobs, mut bytes) = (0, 0);
        self.storage.visit_blobs(|spots| {
            for (_, spot) in spots {
                blobs += 1;
                bytes += spot.lying()?.map_or(0, |lying| lying.size);
            }
            Ok::<_, io::Error>(())
        })?;
        Ok(Event::Total { blobs, bytes })
    }

    /// Names what the repository's manifests need and is nowhere.
    fn look_at_repository(&self, lies: &Lies, report: &mut dyn FnMut(Event)) -> io::Result<()> {
        let mut parents: BTreeMap<Digest, BTreeSet<Digest>> = BTreeMap::new();
        let mut lacking: Vec<(Digest, Digest)> = Vec::new();
        for (digest, _) in self.storage.revision_spots(lies)? {
            let missing = match self.needs(lies, &digest)? {
                // Deleted meanwhile, or a link that never was one.
                None => continue,
                Some(Err(content)) => vec![content],
                Some(Ok(needs)) => {
                    for (child, _) in needs.iter().filter(|(_, is_manifest)| **is_manifest) {
                        parents.entry(child.clone()).or_default().insert(digest.clone());
                    }
                    self.missing(lies, &needs)?
                }
            };
            // Pushed again or deleted while it was looked at: then it is looked at as it is now.
            let missing = if missing.is_empty() { missing } else { self.missing_now(lies, &digest)? };
            lacking.extend(missing.into_iter().map(|lacks| (digest.clone(), lacks)));
        }
        for (manifest, lacks) in lacking {
            let tags = self.tags_that_need(lies, &manifest, &parents)?;
            report(Event::Lacks(Lacks { repository: lies.to_string(), lacks, manifest, tags }));
        }
        Ok(())
    }

    fn missing_now(&self, lies: &Lies, digest: &Digest) -> io::Result<Vec<Digest>> {
        match self.needs(lies, digest)? {
            None => Ok(Vec::new()),
            Some(Err(content)) => Ok(vec![content]),
            Some(Ok(needs)) => self.missing(lies, &needs),
        }
    }

    /// What a manifest of the repository needs; or its own digest, if its bytes are nowhere. `None`: there is no link.
    fn needs(&self, lies: &Lies, digest: &Digest) -> io::Result<Option<Result<Needs, Digest>>> {
        let Some(content) = self.storage.revision_meanings(lies, digest)?.pop() else { return Ok(None) };
        let Some(bytes) = self.storage.read_blob(&content)?.good() else { return Ok(Some(Err(content))) };
        let needs = match Manifest::parse(&bytes, None) {
            Ok(manifest) => manifest.needs().map(|(digest, is_manifest)| (digest.clone(), is_manifest)).collect(),
            // An older format than is taken today.
            Err(_) => named_digests(&bytes).unwrap_or_default().into_iter().map(|digest| (digest, false)).collect(),
        };
        Ok(Some(Ok(needs)))
    }

    fn missing(&self, lies: &Lies, needs: &Needs) -> io::Result<Vec<Digest>> {
        let mut missing = Vec::new();
        for digest in needs.keys() {
            // By its link as a blob or as a manifest: an index may list blobs as well.
            let mut there = false;
            for content in self.storage.meanings(lies, digest)? {
                there |= self.storage.has_blob(&content)?;
            }
            if !there {
                missing.push(digest.clone());
            }
        }
        Ok(missing)
    }

    fn tags_that_need(
        &self,
        lies: &Lies,
        manifest: &Digest,
        parents: &BTreeMap<Digest, BTreeSet<Digest>>,
    ) -> io::Result<Vec<String>> {
        let Some(name) = lies.name() else { return Ok(Vec::new()) };
        let mut above = BTreeSet::from([manifest]);
        let mut next = vec![manifest];
        while let Some(digest) = next.pop() {
            next.extend(parents.get(digest).into_iter().flatten().filter(|parent| above.insert(*parent)));
        }
        let tags = self.storage.tags_now(&name)?.into_iter().filter(|(_, digest)| above.contains(digest));
        Ok(tags.map(|(tag, _)| tag.to_string()).collect())
    }
}

/// Keeps reading no faster than asked for.
struct Pace {
    rate: Option<u64>,
    begun: Instant,
    read: u64,
}

impl Pace {
    fn keep(&mut self, bytes: u64) {
        self.read += bytes;
        let Some(rate) = self.rate else { return };
        let due = Duration::from_millis(self.read.saturating_mul(1000) / rate.max(1));
        std::thread::sleep(due.saturating_sub(self.begun.elapsed()));
    }
}
