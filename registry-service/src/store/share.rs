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

    /// Bytes that a chunk of this stream may have now: a power of two, so that the allocator uses freed ones again.
    pub fn bytes(&self) -> usize {
        self.bytes_up_to(LARGEST)
    }

    /// The same, at most `largest` in place of [`LARGEST`].
    pub fn bytes_up_to(&self, largest: usize) -> usize {
        part_of(STREAMS.load(Ordering::Relaxed), largest)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        STREAMS.fetch_sub(1, Ordering::Relaxed);
    }
}

fn part_of(streams: usize, largest: usize) -> usize {
    1 << (BUDGET / streams.max(1)).clamp(SMALLEST, largest).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_streams_have_smaller_chunks() {
        for (streams, bytes) in [(0, LARGEST), (1, LARGEST), (128, LARGEST), (300, 64 * 1024), (5000, SMALLEST)] {
            assert_eq!(part_of(streams, LARGEST), bytes, "{streams}");
        }
    }
}
