//! The verbs that something fails in, as tables of steps.

use super::chores::Chore;
use super::verbs::Step::{
    self, Begin, Chunk, Chunked, Damage, DeleteBlob, DeleteManifest, DeleteTag, Index, Manifest, Mount, Refer, Strand,
    Untold, Whole, Work,
};

/// A verb: its name, what there is before, and what is done.
pub struct Verb {
    pub name: &'static str,
    /// In the repository that is mounted from.
    pub source: &'static [Step],
    pub before: &'static [Step],
    pub steps: &'static [Step],
}

pub const CONFIG: &str = "{}";
const IMAGE: &[Step] = &[
    Whole(CONFIG),
    Whole("old"),
    Whole("loose"),
    Manifest { tag: "v1", layer: "old" },
    Manifest { tag: "same", layer: "old" },
];

pub const VERBS: &[Verb] = &[
    Verb {
        name: "push",
        source: &[],
        before: &[],
        steps: &[Chunked("new"), Whole(CONFIG), Manifest { tag: "v1", layer: "new" }],
    },
    Verb {
        name: "move a tag",
        source: &[],
        before: IMAGE,
        steps: &[Chunked("new"), Manifest { tag: "v1", layer: "new" }],
    },
    Verb {
        name: "push a referrer and an index",
        source: &[],
        before: IMAGE,
        steps: &[Refer { layer: "old" }, Index { tag: "v2", layer: "old" }],
    },
    Verb { name: "delete a tag", source: &[], before: IMAGE, steps: &[DeleteTag("v1")] },
    Verb { name: "delete a manifest", source: &[], before: IMAGE, steps: &[DeleteManifest { layer: "old" }] },
    Verb { name: "delete a blob", source: &[], before: IMAGE, steps: &[DeleteBlob("loose")] },
    Verb { name: "mount", source: &[Whole("mounted")], before: IMAGE, steps: &[Mount("mounted")] },
    Verb {
        name: "mount what is hidden",
        source: &[Whole("mounted"), Work(Chore::After(25))],
        before: IMAGE,
        steps: &[Mount("mounted")],
    },
    Verb {
        name: "collect",
        source: &[],
        before: &[
            Whole(CONFIG),
            Whole("old"),
            Whole("loose"),
            Whole("untagged"),
            Whole("deleted"),
            Manifest { tag: "v1", layer: "untagged" },
            Manifest { tag: "v1", layer: "old" },
            Manifest { tag: "v2", layer: "deleted" },
            Refer { layer: "old" },
            Refer { layer: "untagged" },
            DeleteManifest { layer: "deleted" },
        ],
        steps: &[Work(Chore::Collect)],
    },
    // What an earlier run has hidden is taken over, marked again, and goes.
    Verb {
        name: "collect what was hidden",
        source: &[],
        before: &[
            Whole(CONFIG),
            Whole("old"),
            Whole("loose"),
            Whole("untagged"),
            Whole("deleted"),
            Manifest { tag: "v1", layer: "untagged" },
            Manifest { tag: "v1", layer: "old" },
            Manifest { tag: "v2", layer: "deleted" },
            DeleteManifest { layer: "deleted" },
            Work(Chore::Abandon),
        ],
        steps: &[Work(Chore::Collect)],
    },
    Verb {
        name: "tell the index",
        source: &[],
        before: &[
            Whole(CONFIG),
            Whole("old"),
            Whole("new"),
            Manifest { tag: "v1", layer: "old" },
            Manifest { tag: "same", layer: "old" },
            Untold(&Manifest { tag: "v1", layer: "new" }),
            Untold(&DeleteTag("same")),
            Untold(&Refer { layer: "old" }),
        ],
        steps: &[Work(Chore::Settle)],
    },
    Verb { name: "chunk", source: &[], before: &[Whole("old")], steps: &[Chunk("new")] },
    Verb { name: "purge", source: &[], before: &[Whole("loose"), Begin, Strand], steps: &[Work(Chore::Purge)] },
    Verb {
        name: "scrub",
        source: &[],
        before: &[Whole(CONFIG), Whole("old"), Whole("loose"), Manifest { tag: "v1", layer: "old" }, Damage("loose")],
        steps: &[Work(Chore::Scrub)],
    },
];

impl Verb {
    /// Whether it is no client's, but work on the whole storage.
    pub fn is_work(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Work(_)))
    }
}

/// The verb of this name.
pub fn named(name: &str) -> &'static Verb {
    VERBS.iter().find(|verb| verb.name == name).unwrap()
}
