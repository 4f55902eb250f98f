//! What clients do while something fails, step by step: each verb once prepared without faults, then done with them, then
//! done again.

use super::chores::{Chore, Worker};
use super::ledger::{Known, Ledger, Told};
use super::leftovers::nothing_is_left;
use super::table::{CONFIG, Verb};
use crate::support::{Answer, Call, Image, Repository, Stack, artifact, child_descriptor, data, image, index, sha256};
use serde_json::json;
use shared::media_type::OCI_MANIFEST;
use std::fs;

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
    /// A manifest about an image of one layer, by its digest.
    Refer {
        layer: &'static str,
    },
    /// An index of an image of one layer under a tag.
    Index {
        tag: &'static str,
        layer: &'static str,
    },
    /// An upload that is begun, gone on with, and never finished.
    Begin,
    /// An upload that has the first half of a blob's bytes, acknowledged.
    Chunk(&'static str),
    /// A temporary file, as a stopped writer leaves it.
    Strand,
    /// The blob's bytes are changed behind everybody's back.
    Damage(&'static str),
    /// A request at a registry that cannot tell the index of it at its end: nobody is told that it was done.
    Untold(&'static Step),
    /// No request: work on the whole storage.
    Work(Chore),
}

use Step::{
    Begin, Chunk, Chunked, Damage, DeleteBlob, DeleteManifest, DeleteTag, Index, Manifest, Mount, Refer, Strand,
    Untold, Whole, Work,
};

/// A client of one repository, and who does the chores of the storage that it lies in.
#[derive(Clone)]
pub struct Client {
    pub app: Repository,
    pub worker: Worker,
}

impl Client {
    /// A client of a repository of its own, which is named after `what` is done there. This process does the chores.
    pub async fn beside(stack: &Stack, what: &str) -> Self {
        let name = format!("admin/{}", what.replace(|letter: char| !letter.is_ascii_alphanumeric(), ""));
        let scopes = format!("repository:{name}:pull,push,delete repository:{name}-source:pull,push");
        let app = Repository::new(&stack.host, &name, stack.admin().token(&scopes).await);
        Self { app, worker: Worker::Beside(stack.registries().clone()) }
    }

    /// The same in the repository that is mounted from.
    pub fn of_source(&self) -> Self {
        let app = Repository { name: format!("{}-source", self.app.name), ..self.app.clone() };
        Self { app, worker: self.worker.clone() }
    }
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

fn reference_to(app: &Repository, layer: &str) -> Image {
    let manifest = artifact(&image_of(app, layer).digest, &json!({}));
    Image { digest: sha256(&manifest), manifest, blobs: vec![CONFIG.into()] }
}

fn index_of(app: &Repository, layer: &str) -> Image {
    let manifest = index(&[child_descriptor(OCI_MANIFEST, &image_of(app, layer).manifest)]);
    Image { digest: sha256(&manifest), manifest, blobs: Vec::new() }
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
pub async fn request(client: &Client, step: Step) -> Told {
    let app = &client.app;
    match step {
        Work(chore) => client.worker.does(chore).await,
        Untold(step) => untold(client, *step).await,
        Begin => begun(app, b"begun".to_vec()).await.map_or(Told::Nothing, |_| Told::Done),
        Chunk(content) => {
            let (_, mut bytes) = blob_of(app, content);
            bytes.truncate(bytes.len() / 2);
            begun(app, bytes).await.map_or(Told::Nothing, |_| Told::Done)
        }
        Strand => {
            let folder = client.worker.base().join(format!("repositories/{}/_layers", app.name));
            fs::write(folder.join(".00000000-0000-4000-8000-000000000001"), "sha256:").unwrap();
            Told::Done
        }
        Damage(content) => {
            let (digest, bytes) = blob_of(app, content);
            fs::write(client.worker.base().join(data(&digest)), vec![b'x'; bytes.len()]).unwrap();
            Told::Done
        }
        Refer { layer } => {
            let Image { digest, manifest, .. } = reference_to(app, layer);
            told(app.put(&format!("manifests/{digest}")).body(manifest).attempt().await, &[201])
        }
        Index { tag, layer } => {
            let manifest = index_of(app, layer).manifest;
            told(app.put(&format!("manifests/{tag}")).body(manifest).attempt().await, &[201])
        }
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
pub fn note(client: &Client, step: Step, ledger: &mut Ledger, told: Told) {
    let app = &client.app;
    match step {
        // What is hidden comes back when somebody asks for it.
        Begin | Strand | Work(Chore::Purge | Chore::After(_) | Chore::Abandon | Chore::Settle) => {}
        // It was done, whatever its client knows.
        Untold(step) => note(client, *step, ledger, told),
        Work(Chore::Collect) => ledger.collected(true, told),
        Work(Chore::CollectBlobs) => ledger.collected(false, told),
        Work(Chore::Scrub) => ledger.scrubbed(told),
        Damage(content) => {
            let (digest, bytes) = blob_of(app, content);
            ledger.blob(&digest, &bytes, Known::Damaged, told);
        }
        Chunk(content) => ledger.chunk = Some((blob_of(app, content).1, told)),
        Refer { layer } => ledger.manifest(&reference_to(app, layer), Known::There, told),
        Index { tag, layer } => {
            let index = index_of(app, layer);
            ledger.manifest(&index, Known::There, told);
            ledger.tag(tag, Some(&index.digest), told);
        }
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

/// Does `step` where the index is not told of it, and leaves its intents.
async fn untold(client: &Client, step: Step) -> Told {
    let Worker::Beside(registries) = &client.worker else { panic!("nobody here knows the index") };
    let (host, index) = registries.unsteady_replica(Some(Call::Commit));
    let client = Client { app: client.app.on(&host), worker: client.worker.clone() };
    let refused = Box::pin(request(&client, step)).await == Told::Nothing;
    if refused && index.count(Call::Commit) > 0 { Told::Done } else { Told::Nothing }
}

async fn chunked(app: &Repository, digest: &str, content: Vec<u8>) -> Told {
    let Some(location) = begun(app, content).await else { return Told::Nothing };
    told(app.put(&format!("{location}?digest={digest}")).attempt().await, &[201])
}

/// Begins an upload and sends its bytes; tells where it is.
async fn begun(app: &Repository, content: Vec<u8>) -> Option<String> {
    let begun = app.post("blobs/uploads/").attempt().await.filter(|answer| answer.status == 202)?;
    let location = begun.header("location").to_owned();
    let sent = told(app.patch(&location).body(content).attempt().await, &[202]);
    (sent == Told::Done).then_some(location)
}

/// Goes on with the upload of which half of the bytes may be acknowledged. If they are, they are still there, and it comes
/// to its end with every byte.
pub async fn go_on(client: &Client, ledger: &mut Ledger, what: &str) {
    let Some((bytes, told)) = ledger.chunk.take() else { return };
    let (app, half) = (&client.app, bytes.len() / 2);
    let uploads = client.worker.base().join(format!("repositories/{}/_uploads", app.name));
    let mut is_whole = false;
    for upload in fs::read_dir(uploads).into_iter().flatten() {
        let location = format!("blobs/uploads/{}", upload.unwrap().file_name().to_str().unwrap());
        let asked = app.get(&location).send().await;
        if asked.status == 204 && asked.header("range") == format!("0-{}", half - 1) {
            app.patch(&location).body(bytes[half..].to_vec()).send().await.is(202);
            let digest = sha256(&bytes);
            app.put(&format!("{location}?digest={digest}")).send().await.is(201);
            ledger.blob(&digest, &bytes, Known::There, Told::Done);
            is_whole = true;
        }
    }
    assert!(is_whole || told != Told::Done, "{what}: acknowledged bytes of an upload are gone");
}

/// Does the steps in order, to the first that is not answered well, as a client does.
pub async fn take_all(client: &Client, steps: &[Step], ledger: &mut Ledger) -> Told {
    for step in steps {
        let told = request(client, *step).await;
        note(client, *step, ledger, told);
        if told == Told::Nothing {
            return Told::Nothing;
        }
    }
    Told::Done
}

/// Does all that has to be done before the verb: none of it may fail.
pub async fn prepare(client: &Client, verb: &Verb, ledger: &mut Ledger, what: &str) {
    assert_eq!(take_all(&client.of_source(), verb.source, &mut Ledger::default()).await, Told::Done, "{what}: source");
    assert_eq!(take_all(client, verb.before, ledger).await, Told::Done, "{what}: before");
}

/// Takes away what nobody can see, which must succeed.
pub async fn tidy_up(client: &Client, ledger: &mut Ledger, what: &str) {
    const ALL: &[Step] = &[Work(Chore::Purge), Work(Chore::CollectBlobs)];
    let worker = Worker::Here(client.worker.root());
    let client = Client { worker, app: client.app.clone() };
    assert_eq!(take_all(&client, ALL, ledger).await, Told::Done, "{what}: tidying up");
    nothing_is_left(&client.worker.base(), what);
}
