//! The memory of all streams of this process, in and out: one budget, of which each has an even share.
//!
//! Must not hold a buffer: it only says how large one may be.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// For all streams together. A connection's own buffer holds as much once or twice more.
const BUDGET: usize = 16 * 1024 * 1024;

/// Below this the system calls cost more than the bytes: with half of it 500 pulls at once take a quarter longer. With twice
/// as much they come to more than the 100 MiB of resident memory that are promised.
const SMALLEST: usize = 32 * 1024;

/// Of what is read above this nothing is won.
pub const LARGEST: usize = 256 * 1024;

/// So many chunks of a size a stream moves before it has larger ones.
const CHUNKS: u64 = 16;

static STREAMS: AtomicUsize = AtomicUsize::new(0);

/// One stream's share, until it is dropped.
#[derive(Debug)]
pub struct Share {
    /// The smallest that its part of the budget has been.
    part: Cell<usize>,
}

impl Share {
    /// For a stream that begins.
    pub fn take() -> Self {
        STREAMS.fetch_add(1, Ordering::Relaxed);
        Self { part: Cell::new(BUDGET) }
    }

    /// Bytes that a chunk of this stream may have now, at most `largest`: a power of two, so that the allocator uses freed
    /// ones again. They are few for a stream that has moved little by now, and for one that was in a crowd: connections
    /// keep the buffers that they once had, the first ones of a crowd and its last.
    pub fn bytes(&self, moved: u64, largest: usize) -> usize {
        let part = self.part.get().min(BUDGET / STREAMS.load(Ordering::Relaxed).max(1));
        self.part.set(part);
        chunk(part, moved, largest)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        STREAMS.fetch_sub(1, Ordering::Relaxed);
    }
}

fn chunk(part: usize, moved: u64, largest: usize) -> usize {
    let earned = usize::try_from(moved / CHUNKS).unwrap_or(largest);
    1 << part.min(earned).clamp(SMALLEST, largest).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_streams_have_smaller_chunks() {
        for (streams, bytes) in [(1, LARGEST), (64, LARGEST), (200, 64 * 1024), (5000, SMALLEST)] {
            assert_eq!(chunk(BUDGET / streams, u64::MAX, LARGEST), bytes, "{streams}");
        }
    }

    #[test]
    fn a_stream_begins_with_small_chunks() {
        for (moved, bytes) in [(0, SMALLEST), (1 << 20, 2 * SMALLEST), (4 << 20, LARGEST), (1 << 40, LARGEST)] {
            assert_eq!(chunk(BUDGET, moved, LARGEST), bytes, "{moved}");
        }
    }
}
