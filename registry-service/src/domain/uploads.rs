//! Uploading blobs: begun, gone on with and finished by any replica, written by one at a time.

use super::Registry;
use super::admission::Permit;
use super::refusal::Refusal;
use crate::model::range::Chunk;
use crate::model::upload::UploadId;
use crate::store::{Mode, Queue, Share, Storage, UploadSession};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use jiff::Timestamp;
use shared::{Algorithm, Digest};
use std::io;
use std::time::Duration;
use tokio::task::JoinHandle;

/// A client that sends nothing for so long has gone.
const INACTIVITY: Duration = Duration::from_mins(1);

/// A request of the same client that was cut may be ending just now: it is waited for as long as this, before the client
/// is told that somebody else is writing.
const LAST_WRITES: Duration = Duration::from_secs(1);

/// Bytes that are hashed and written in one hop to the blocking pool, while memory lasts: with half of it the hops make a
/// push a seventh dearer.
const BATCH: usize = 512 * 1024;

/// Where the bytes of a request belong.
#[derive(Debug, Clone, Copy, Default)]
pub struct Placement {
    /// The chunk's place, where the client says one; else the bytes follow what is there.
    pub chunk: Option<Chunk>,
    /// The body's length in bytes, where the client says it.
    pub length: Option<u64>,
}

impl Placement {
    fn check(self) -> Result<(), Refusal> {
        match (self.chunk, self.length) {
            (Some(chunk), Some(length)) if chunk.length != length => {
                Err(Refusal::Size("Content-Length and Content-Range do not agree"))
            }
            _ => Ok(()),
        }
    }
}

impl Registry {
    /// Begins an upload.
    pub async fn begin_upload(
        &self,
        permit: &Permit,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<UploadId, Refusal> {
        let id = UploadId::random();
        let lock = self.share(&permit.repository).await?;
        let (name, opener) = (permit.repository.name.clone(), permit.opener(now));
        let begin =
            move |storage: &Storage| storage.begin_upload(&name, id, opener, algorithm, &now.to_string(), &lock);
        self.storage().run(begin).await?;
        Ok(id)
    }

    /// How many bytes of an upload are acknowledged. They last: whoever is told does not send them again.
    pub async fn upload_offset(&self, permit: &Permit, id: UploadId) -> Result<u64, Refusal> {
        let offset = self.offset_now(permit, id).await?;
        self.make_upload_durable(permit, id).await?;
        Ok(offset)
    }

    async fn offset_now(&self, permit: &Permit, id: UploadId) -> Result<u64, Refusal> {
        let name = permit.repository.name.clone();
        let state = self.storage().run(move |storage| storage.upload_state(&name, id)).await?;
        match state {
            Some(state) if permit.opened(&state.opener) => Ok(state.offset),
            _ => Err(Refusal::UploadUnknown),
        }
    }

    /// Adds a request's body to an upload. Returns the bytes acknowledged now. A body that ends early adds nothing.
    pub async fn append_upload<B, E>(
        &self,
        permit: &Permit,
        id: UploadId,
        placement: Placement,
        body: B,
    ) -> Result<u64, Refusal>
    where
        B: Stream<Item = Result<Bytes, E>> + Unpin,
    {
        placement.check()?;
        let session = self.resume(permit, id, placement).await?;
        let mut session = self.receive(session, placement, body).await?;
        let acknowledge = move |_: &Storage| session.acknowledge().map(|()| session.offset());
        self.storage().run(acknowledge).await.map_err(|error| match error.kind() {
            // The repository has been put away while the client was sending.
            io::ErrorKind::NotFound => Refusal::UploadUnknown,
            _ => error.into(),
        })
    }

    /// Ends an upload, with the last of its bytes if the request has some: from now on it is the blob `digest`.
    pub async fn finish_upload<B, E>(
        &self,
        permit: &Permit,
        id: UploadId,
        placement: Placement,
        body: B,
        digest: &Digest,
    ) -> Result<(), Refusal>
    where
        B: Stream<Item = Result<Bytes, E>> + Unpin,
    {
        placement.check()?;
        let session = match self.resume(permit, id, placement).await {
            Err(Refusal::UploadUnknown) => return self.finished_before(permit, digest).await,
            other => other?,
        };
        let session = self.receive(session, placement, body).await?;
        let algorithm = digest.algorithm();
        let seal = move |_: &Storage| session.seal(algorithm).map(|actual| (session, actual));
        let (mut session, actual) = self.storage().run(seal).await?;
        if actual != *digest {
            self.storage().run(move |_| session.remove()).await?;
            return Err(Refusal::DigestMismatch { claimed: digest.clone(), actual });
        }
        self.storage().pause_task("upload sealed").await;
        loop {
            // Before the lock, because hashing a large blob takes long, and who holds it keeps deletes waiting.
            let digest = actual.clone();
            let vet = move |storage: &Storage| session.vet(storage, &digest).map(|()| session);
            session = self.storage().run(vet).await?;
            self.storage().pause_task("blob vetted").await;
            let lock = self.share(&permit.repository).await.map_err(|refusal| match refusal {
                // It has been put away while the client was sending, and the upload with it.
                Refusal::RepositoryUnknown(_) => Refusal::UploadUnknown,
                other => other,
            })?;
            let (name, digest) = (permit.repository.name.clone(), actual.clone());
            let finish = move |storage: &Storage| session.finish(storage, &name, &lock, &digest);
            match self.storage().run(finish).await? {
                None => return Ok(()),
                // Other bytes have come to the place meanwhile.
                Some(unfinished) => session = unfinished,
            }
        }
    }

    /// Throws an upload away.
    pub async fn cancel_upload(&self, permit: &Permit, id: UploadId) -> Result<(), Refusal> {
        let session = self.resume(permit, id, Placement::default()).await.map_err(|refusal| match refusal {
            // Where it stands is no answer to who does not go on with it.
            Refusal::UploadOffset { .. } => Refusal::Busy,
            other => other,
        })?;
        Ok(self.storage().run(move |_| session.remove()).await?)
    }

    /// The final request of an upload, repeated because its answer was lost, gets the same answer: finished uploads are
    /// not remembered, so any id gets it for a blob that the repository has.
    async fn finished_before(&self, permit: &Permit, digest: &Digest) -> Result<(), Refusal> {
        if self.need_layer(&permit.repository, digest).await?.is_some() { Ok(()) } else { Err(Refusal::UploadUnknown) }
    }

    /// Takes an upload to write it, if the request's bytes come next.
    async fn resume(&self, permit: &Permit, id: UploadId, placement: Placement) -> Result<UploadSession, Refusal> {
        let offset = self.offset_now(permit, id).await?;
        let name = permit.repository.name.clone();
        let attempt = move |storage: &Storage| storage.resume_upload(&name, id);
        let resumed = self.wait_at_most(LAST_WRITES, Queue::Upload(id), Mode::Exclusive, attempt).await;
        let session = match resumed {
            Ok(Some(session)) => session,
            Ok(None) => return Err(self.stands_at(permit, id, offset).await),
            Err(Refusal::Storage(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Refusal::UploadUnknown);
            }
            Err(refusal) => return Err(refusal),
        };
        match placement.chunk {
            Some(chunk) if chunk.first != session.offset() => Err(self.stands_at(permit, id, session.offset()).await),
            _ => Ok(session),
        }
    }

    /// Tells a client where to go on.
    async fn stands_at(&self, permit: &Permit, id: UploadId, offset: u64) -> Refusal {
        match self.make_upload_durable(permit, id).await {
            Ok(()) => Refusal::UploadOffset { name: permit.repository.name.clone(), id, offset },
            Err(refusal) => refusal,
        }
    }

    async fn make_upload_durable(&self, permit: &Permit, id: UploadId) -> Result<(), Refusal> {
        let name = permit.repository.name.clone();
        Ok(self.storage().run(move |storage| storage.make_upload_durable(&name, id)).await?)
    }

    /// Writes a body as it comes: while one batch is hashed and written, the next is gathered.
    async fn receive<B, E>(
        &self,
        session: UploadSession,
        placement: Placement,
        mut body: B,
    ) -> Result<UploadSession, Refusal>
    where
        B: Stream<Item = Result<Bytes, E>> + Unpin,
    {
        let expected = placement.chunk.map(|chunk| chunk.length).or(placement.length);
        let wrong_length = || Refusal::Size("the body is not as long as the request says");
        let mut received = 0;
        let mut writer = Writer::Idle(Box::new(session), Vec::new());
        // What comes goes to the blocking pool in batches, to be hashed and written in one hop. Two shares: while one batch
        // is written the next is gathered.
        let (share, _writing) = (Share::take(), Share::take());
        let mut batch = Vec::new();
        let cut = loop {
            let mut bytes = match tokio::time::timeout(INACTIVITY, body.next()).await {
                Ok(Some(Ok(bytes))) => bytes,
                Ok(None) if expected.is_some_and(|expected| expected != received) => break Some(wrong_length()),
                Ok(None) => break None,
                Ok(Some(Err(_))) | Err(_) => break Some(Refusal::BodyCut),
            };
            received += bytes.len() as u64;
            if expected.is_some_and(|expected| expected < received) {
                break Some(wrong_length());
            }
            // Copied: so the server reads into the same few buffers again, which the processor has in its cache.
            while !bytes.is_empty() {
                let room = share.bytes(received, BATCH).saturating_sub(batch.len());
                let some = bytes.split_to(room.min(bytes.len()));
                // The first of a body may be all of it; whoever sends more gets the whole share at once.
                batch.reserve_exact(if batch.is_empty() { some.len() } else { room });
                batch.extend_from_slice(&some);
                if !bytes.is_empty() {
                    (writer, batch) = writer.write(self.storage(), batch).await?;
                    batch.shrink_to(share.bytes(received, BATCH));
                }
            }
        };
        if !batch.is_empty() && cut.is_none() {
            (writer, _) = writer.write(self.storage(), batch).await?;
        }
        // Not before the write under way has ended: who was cut may come again at once, and needs the lock.
        let (session, _) = writer.idle().await?;
        cut.map_or(Ok(session), Err)
    }
}

/// Hashes and writes one batch of an upload at a time.
enum Writer {
    /// With an empty batch, to gather the next in.
    Idle(Box<UploadSession>, Vec<u8>),
    Writing(JoinHandle<io::Result<(UploadSession, Vec<u8>)>>),
}

impl Writer {
    /// Has `batch` written as soon as the one before is. Gives that one back, empty.
    async fn write(self, storage: &Storage, batch: Vec<u8>) -> io::Result<(Self, Vec<u8>)> {
        let (mut session, empty) = self.idle().await?;
        let writing = storage.start(move |_| session.append(&batch).map(|()| (session, batch)));
        Ok((Self::Writing(writing), empty))
    }

    async fn idle(self) -> io::Result<(UploadSession, Vec<u8>)> {
        match self {
            Self::Idle(session, empty) => Ok((*session, empty)),
            Self::Writing(writing) => {
                let (session, mut written) = writing.await.map_err(io::Error::other)??;
                written.clear();
                Ok((session, written))
            }
        }
    }
}
