//! The memory of all streams of this process, in and out: one budget, of which each has an even share.
//!
//! Must not hold a buffer: it only says how large one may be.

use std::sync::atomic::{AtomicUsize, Ordering};

/// For all streams together. A connection's own buffer holds as much once more: 500 pulls at once come to 106 MiB of
/// resident memory with 48 here, which is more than the 100 that are promised.
const BUDGET: usize = 32 * 1024 * 1024;

/// Below this the system calls cost more than the bytes.
const SMALLEST: usize = 64 * 1024;

/// Of what is read above this nothing is won.
pub const LARGEST: usize = 256 * 1024;

/// So many chunks of a size a stream moves before it has larger ones.
const CHUNKS: u64 = 16;

static STREAMS: AtomicUsize = AtomicUsize::new(0);

/// One stream's share, until it is dropped.
#[derive(Debug)]
pub struct Share(());

impl Share {
    /// For a stream that begins.
    pub fn take() -> Self {
        STREAMS.fetch_add(1, Ordering::Relaxed);
        Self(())
    }

    /// Bytes that a chunk of this stream may have now, at most `largest`: a power of two, so that the allocator uses freed
    /// ones again. A stream that has moved little by now has small ones, however few there are: a crowd comes one after the
    /// other, and what the first of it have taken, their connections keep.
    pub fn bytes(&self, moved: u64, largest: usize) -> usize {
        part_of(STREAMS.load(Ordering::Relaxed), moved, largest)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        STREAMS.fetch_sub(1, Ordering::Relaxed);
    }
}

fn part_of(streams: usize, moved: u64, largest: usize) -> usize {
    let earned = usize::try_from(moved / CHUNKS).unwrap_or(largest);
    1 << (BUDGET / streams.max(1)).min(earned).clamp(SMALLEST, largest).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_streams_have_smaller_chunks() {
        for (streams, bytes) in [(0, LARGEST), (1, LARGEST), (128, LARGEST), (300, 64 * 1024), (5000, SMALLEST)] {
            assert_eq!(part_of(streams, u64::MAX, LARGEST), bytes, "{streams}");
        }
    }

    #[test]
    fn a_stream_begins_with_small_chunks() {
        for (moved, bytes) in [(0, SMALLEST), (2 << 20, 2 * SMALLEST), (4 << 20, LARGEST), (1 << 40, LARGEST)] {
            assert_eq!(part_of(1, moved, LARGEST), bytes, "{moved}");
        }
    }
}
