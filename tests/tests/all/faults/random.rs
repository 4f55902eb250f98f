//! What a soak does next, all of it from one seed: what each of several clients asks for, what is done to the whole
//! storage, and what a process suffers.

use super::chores::Chore;
use super::table::CONFIG;
use super::verbs::Step::{
    self, Begin, Chunked, Damage, DeleteBlob, DeleteManifest, DeleteTag, Manifest, Mount, Refer, Strand, Whole, Work,
};

/// The tag that every client moves and deletes.
pub const SHARED: &str = "latest";

/// What one client alone has to do with.
struct Own {
    layers: [&'static str; 3],
    /// Of the image that it puts under the shared tag, and never deletes.
    lasting: &'static str,
    tags: [&'static str; 2],
    loose: [&'static str; 2],
}

const OWN: [Own; 3] = [
    Own { layers: ["one", "two", "three"], lasting: "first", tags: ["v1", "v2"], loose: ["loose", "loose too"] },
    Own { layers: ["four", "five", "six"], lasting: "second", tags: ["v3", "v4"], loose: ["looser", "looser too"] },
    Own { layers: ["seven", "eight", "nine"], lasting: "third", tags: ["v5", "v6"], loose: ["loosest", "loosest too"] },
];

const MOUNTED: &[&str] = &["shared", "common"];

/// A generator of numbers that look random (splitmix64).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn one_of(&mut self, all: &[&'static str]) -> &'static str {
        all[self.below(all.len())]
    }

    /// Whether something happens that does once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Lists of steps that are done at once, each by a client of its own; in a list each needs the one before it.
    pub fn lists(&mut self) -> Vec<Vec<Step>> {
        if self.once_in(4) {
            return vec![self.work()];
        }
        let clients = 1 + self.below(OWN.len());
        OWN[..clients].iter().map(|own| self.requests(own)).collect()
    }

    fn requests(&mut self, own: &Own) -> Vec<Step> {
        let (layer, tag, loose) = (self.one_of(&own.layers), self.one_of(&own.tags), self.one_of(&own.loose));
        match self.below(20) {
            0..5 => vec![Whole(CONFIG), Chunked(layer), Manifest { tag, layer }],
            5..9 => {
                let layer = own.lasting;
                vec![Whole(CONFIG), Whole(layer), Manifest { tag: SHARED, layer }]
            }
            9..11 => vec![Whole(CONFIG), Whole(layer), Manifest { tag, layer }, Refer { layer }],
            11..13 => vec![DeleteTag(tag)],
            13 => vec![DeleteTag(SHARED)],
            14 => vec![DeleteManifest { layer }],
            15 => vec![Whole(loose)],
            16 => vec![DeleteBlob(loose)],
            17..19 => vec![Mount(self.one_of(MOUNTED))],
            _ => vec![Begin],
        }
    }

    /// Work on the whole storage takes what somebody is about to need, so nobody else does anything.
    fn work(&mut self) -> Vec<Step> {
        let loose = self.one_of(&OWN[0].loose);
        match self.below(6) {
            0 => vec![Whole(loose), Damage(loose), Work(Chore::Scrub)],
            1 => vec![Whole(CONFIG), Strand, Work(Chore::Purge)],
            2 => vec![Work(Chore::CollectBlobs)],
            3 => vec![Whole(loose), Work(Chore::Abandon), Work(Chore::Collect)],
            _ => vec![Work(Chore::Collect)],
        }
    }

    /// What a process that starts now suffers, if it lives so long: `first` is past its start.
    pub fn faults(&mut self, first: usize) -> String {
        let errors = ["eio", "enospc", "half", "sleep:20"].map(|fault| format!("{fault}@{}", first + self.below(300)));
        format!("{};kill@{}", errors.join(";"), 1 + self.below(300))
    }
}
