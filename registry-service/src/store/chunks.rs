//! A file's bytes as a stream of chunks.
//!
//! A chunk is first asked for without waiting: bytes in the page cache are read on the async worker itself, and only
//! when the kernel would have to wait for the disk is the read moved to the blocking pool. A hop for each chunk would
//! cost more than the copy.

use super::checked::Check;
use super::disk::{self, File};
use super::share::{LARGEST, Share};
use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::BoxFuture;
use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Spare buffers kept by each thread.
const SPARE: usize = 8;

/// The bytes of a part of a file, in order. An error, or the file ending early, ends the stream with an error, so that
/// a short answer is never taken for a whole one.
pub struct Chunks {
    file: Arc<File>,
    begin: u64,
    offset: u64,
    end: u64,
    pending: Option<BoxFuture<'static, io::Result<Buffer>>>,
    share: Share,
    check: Option<Check>,
}

impl Chunks {
    /// The `length` bytes of `file` that begin at `offset`.
    pub(super) fn new(file: File, offset: u64, length: u64) -> Self {
        let end = offset.saturating_add(length);
        Self { file: Arc::new(file), begin: offset, offset, end, pending: None, share: Share::take(), check: None }
    }

    /// The same, and the end is given out only when `check` finds that all bytes of the file are good.
    pub(super) fn checked(self, check: Option<Check>) -> Self {
        Self { check, ..self }
    }

    fn emit(&mut self, buffer: Buffer) -> io::Result<Bytes> {
        if buffer.length == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is shorter than it was"));
        }
        self.offset += buffer.length as u64;
        if let Some(Check::InPassing(check)) = &mut self.check {
            check.see(buffer.as_ref());
            if self.offset == self.end {
                check.judge()?;
            }
        }
        Ok(Bytes::from_owner(buffer))
    }
}

impl Stream for Chunks {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(pending) = &mut self.pending {
            let read = ready!(pending.as_mut().poll(context));
            self.pending = None;
            return Poll::Ready(Some(read.and_then(|buffer| self.emit(buffer))));
        }
        let most = self.share.bytes(self.offset - self.begin, LARGEST);
        let Ok(wanted) = usize::try_from((self.end - self.offset).min(most as u64)) else {
            return Poll::Ready(None);
        };
        if wanted == 0 {
            return Poll::Ready(None);
        }
        let mut buffer = Buffer::take(wanted);
        let offset = self.offset;
        if self.end - offset == wanted as u64
            && let Some(Check::AtTheEnd(check)) = &self.check
        {
            let (check, file) = (check.clone(), Arc::clone(&self.file));
            self.pending = Some(Box::pin(async move {
                check.judge(Arc::clone(&file)).await?;
                read_later(file, buffer, offset).await
            }));
            return self.poll_next(context);
        }
        match disk::read_cached(&self.file, buffer.space(), offset) {
            Ok(Some(length)) => {
                buffer.length = length;
                Poll::Ready(Some(self.emit(buffer)))
            }
            Ok(None) => {
                self.pending = Some(Box::pin(read_later(Arc::clone(&self.file), buffer, offset)));
                self.poll_next(context)
            }
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }
}

async fn read_later(file: Arc<File>, mut buffer: Buffer, offset: u64) -> io::Result<Buffer> {
    let read = move || {
        buffer.length = disk::read_at(&file, buffer.space(), offset)?;
        Ok(buffer)
    };
    tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?
}

/// A buffer that goes back to its thread's spares when the last reader of its bytes has gone: clearing a fresh one for
/// each chunk would cost a tenth of the copy.
struct Buffer {
    bytes: Vec<u8>,
    length: usize,
    wanted: usize,
}

thread_local! {
    static SPARES: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

impl Buffer {
    fn take(wanted: usize) -> Self {
        let spare = SPARES.with_borrow_mut(Vec::pop).filter(|spare| spare.len() >= wanted);
        Self { bytes: spare.unwrap_or_else(|| vec![0; wanted]), length: 0, wanted }
    }

    fn space(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.wanted).unwrap_or_default()
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        // On a thread that is ending there is nobody to keep it for.
        let _ = SPARES.try_with(|spares| {
            let mut spares = spares.borrow_mut();
            if spares.len() < SPARE {
                spares.push(bytes);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;
    use std::io::Write;

    async fn read(content: &[u8], offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let mut file = tempfile::tempfile()?;
        file.write_all(content)?;
        let mut chunks = Chunks::new(file, offset, length);
        let mut all = Vec::new();
        while let Some(chunk) = chunks.next().await {
            all.extend_from_slice(&chunk?);
        }
        Ok(all)
    }

    #[tokio::test]
    async fn all_chunks_together_are_the_part_asked_for() {
        let content: Vec<u8> = (0..251).cycle().take(LARGEST * 2 + 100).collect();
        assert_eq!(read(&content, 0, content.len() as u64).await.unwrap(), content);
        assert_eq!(read(&content, 7, 5).await.unwrap(), content[7..12]);
        assert_eq!(read(b"", 0, 0).await.unwrap(), b"");
    }

    #[tokio::test]
    async fn a_file_that_ends_early_is_an_error() {
        let error = read(b"short", 0, 10).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
