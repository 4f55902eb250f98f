//! What clients do while something fails, as tables of steps: each verb once prepared without faults, then done with them,
//! then done again.

use super::ledger::{Known, Ledger, Told};
use crate::support::{Answer, Image, Repository, image, sha256};

/// One request, or the few that belong together.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// A blob by POST, PATCH and PUT.
    Chunked(&'static str),
    /// A blob by one POST.
    Whole(&'static str),
    /// An image of one layer under a tag: its manifest alone.
    Manifest {
        tag: &'static str,
        layer: &'static str,
    },
    DeleteTag(&'static str),
    DeleteManifest {
        layer: &'static str,
    },
    DeleteBlob(&'static str),
    /// A blob of the repository with `-source` behind the name.
    Mount(&'static str),
}

use Step::{Chunked, DeleteBlob, DeleteManifest, DeleteTag, Manifest, Mount, Whole};

/// A verb: its name, what there is before, and what is done.
pub struct Verb {
    pub name: &'static str,
    /// In the repository that is mounted from.
    pub source: &'static [Step],
    pub before: &'static [Step],
    pub steps: &'static [Step],
}

const CONFIG: &str = "{}";
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
    Verb { name: "delete a tag", source: &[], before: IMAGE, steps: &[DeleteTag("v1")] },
    Verb { name: "delete a manifest", source: &[], before: IMAGE, steps: &[DeleteManifest { layer: "old" }] },
    Verb { name: "delete a blob", source: &[], before: IMAGE, steps: &[DeleteBlob("loose")] },
    Verb { name: "mount", source: &[Whole("mounted")], before: IMAGE, steps: &[Mount("mounted")] },
];

/// The verb of this name.
pub fn named(name: &str) -> &'static Verb {
    VERBS.iter().find(|verb| verb.name == name).unwrap()
}

/// A blob, another one in each repository (the one mounted from has the same): what is stored already is stored otherwise.
fn blob_of(app: &Repository, content: &str) -> (String, Vec<u8>) {
    let own = format!("{content} of {}", app.name.trim_end_matches("-source"));
    let bytes = if content == CONFIG { CONFIG } else { &own };
    (sha256(bytes.as_bytes()), bytes.as_bytes().to_vec())
}

fn image_of(app: &Repository, layer: &str) -> Image {
    image(&[&blob_of(app, layer).1])
}

/// Whether the answer is the good one. A bad one may promise nothing: it is not this client's fault.
#[track_caller]
fn told(answer: Option<Answer>, good: &[u16]) -> Told {
    match answer {
        Some(answer) if good.contains(&answer.status) => Told::Done,
        Some(answer) => {
            assert!([500, 503, 507].contains(&answer.status), "{}: {} {}", answer.what, answer.status, answer.text());
            Told::Nothing
        }
        None => Told::Nothing,
    }
}

/// Asks for one step, as a client does.
pub async fn request(app: &Repository, step: Step) -> Told {
    match step {
        Chunked(content) => {
            let (digest, bytes) = blob_of(app, content);
            chunked(app, &digest, bytes).await
        }
        Whole(content) => {
            let (digest, bytes) = blob_of(app, content);
            told(app.post(&format!("blobs/uploads/?digest={digest}")).body(bytes).attempt().await, &[201])
        }
        Manifest { tag, layer } => {
            let manifest = image_of(app, layer).manifest;
            told(app.put(&format!("manifests/{tag}")).body(manifest).attempt().await, &[201])
        }
        DeleteTag(tag) => told(app.delete(&format!("manifests/{tag}")).attempt().await, &[202, 404]),
        DeleteManifest { layer } => {
            let digest = image_of(app, layer).digest;
            told(app.delete(&format!("manifests/{digest}")).attempt().await, &[202, 404])
        }
        DeleteBlob(content) => {
            let (digest, _) = blob_of(app, content);
            told(app.delete(&format!("blobs/{digest}")).attempt().await, &[202, 404])
        }
        Mount(content) => {
            let (digest, _) = blob_of(app, content);
            let path = format!("blobs/uploads/?mount={digest}&from={}-source", app.name);
            told(app.post(&path).attempt().await, &[201])
        }
    }
}

/// Writes down what the client of a step learned.
pub fn note(app: &Repository, step: Step, ledger: &mut Ledger, told: Told) {
    match step {
        Chunked(content) | Whole(content) | Mount(content) => {
            let (digest, bytes) = blob_of(app, content);
            ledger.blob(&digest, &bytes, Known::There, told);
        }
        DeleteBlob(content) => {
            let (digest, bytes) = blob_of(app, content);
            ledger.blob(&digest, &bytes, Known::Gone, told);
        }
        Manifest { tag, layer } => {
            let image = image_of(app, layer);
            ledger.manifest(&image, Known::There, told);
            ledger.tag(tag, Some(&image.digest), told);
        }
        DeleteManifest { layer } => ledger.manifest(&image_of(app, layer), Known::Gone, told),
        DeleteTag(tag) => ledger.tag(tag, None, told),
    }
}

async fn chunked(app: &Repository, digest: &str, content: Vec<u8>) -> Told {
    let Some(begun) = app.post("blobs/uploads/").attempt().await.filter(|answer| answer.status == 202) else {
        return Told::Nothing;
    };
    let location = begun.header("location").to_owned();
    if told(app.patch(&location).body(content).attempt().await, &[202]) == Told::Nothing {
        return Told::Nothing;
    }
    told(app.put(&format!("{location}?digest={digest}")).attempt().await, &[201])
}

/// Does the steps in order, to the first that is not answered well, as a client does.
pub async fn take_all(app: &Repository, steps: &[Step], ledger: &mut Ledger) -> Told {
    for step in steps {
        let told = request(app, *step).await;
        note(app, *step, ledger, told);
        if told == Told::Nothing {
            return Told::Nothing;
        }
    }
    Told::Done
}
