//! Ranges of bytes: the `Range` of a download (RFC 9110, section 14.2) and the `Content-Range` of an upload's chunk
//! (OCI distribution spec 1.1, "Pushing a blob in chunks"), which are written differently.

/// What a `Range` header asks of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Everything: no header, another unit, or several ranges at once.
    Whole,
    /// The bytes from `first` up to and with `last`.
    Part {
        /// Offset of the first byte.
        first: u64,
        /// Offset of the last byte, clamped to the blob.
        last: u64,
    },
    /// Nothing that the blob has: 416.
    Unsatisfiable,
}

/// Reads a `Range` header for a blob of `size` bytes.
///
/// A range that ends before it begins is unsatisfiable, although RFC 9110 would let it be ignored: the conformance
/// program of the OCI asks for 416.
pub fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let Some(ranges) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else { return Wanted::Whole };
    if ranges.contains(',') {
        return Wanted::Whole;
    }
    let Some((first, last)) = ranges.trim().split_once('-') else { return Wanted::Whole };
    let (first, last) = match (digits(first), digits(last)) {
        (Some(first), Some(last)) => (first, last),
        (Some(first), None) if last.is_empty() => (first, u64::MAX),
        (None, Some(0)) if first.is_empty() => return Wanted::Unsatisfiable,
        (None, Some(suffix)) if first.is_empty() => (size.saturating_sub(suffix), u64::MAX),
        _ => return Wanted::Whole,
    };
    if first >= size || last < first {
        return Wanted::Unsatisfiable;
    }
    Wanted::Part { first, last: last.min(size - 1) }
}

/// The place of a chunk within its upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// Offset of its first byte.
    pub first: u64,
    /// How many bytes it has.
    pub length: u64,
}

/// Reads the `Content-Range` of a chunk: `<first>-<last>`, without a unit and without a total.
pub fn chunk(header: &str) -> Option<Chunk> {
    let (first, last) = header.split_once('-')?;
    let (first, last) = (digits(first)?, digits(last)?);
    let length = last.checked_sub(first)?.checked_add(1)?;
    Some(Chunk { first, length })
}

/// A number of digits only: `parse` alone would take a leading plus.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_a_blob_of_2048_bytes() {
        let part = |first, last| Wanted::Part { first, last };
        let cases = [
            ("bytes=500-1499", part(500, 1499)),
            ("bytes=500-", part(500, 2047)),
            ("bytes=-500", part(1548, 2047)),
            ("bytes=-5000", part(0, 2047)),
            ("bytes=2000-5000", part(2000, 2047)),
            ("bytes=0-2048", part(0, 2047)),
            ("bytes=5000-10000", Wanted::Unsatisfiable),
            ("bytes=2048-", Wanted::Unsatisfiable),
            ("bytes=500-0", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=0-1,5-6", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes=", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("lines=1-2", Wanted::Whole),
            ("bytes=99999999999999999999999-", Wanted::Whole),
        ];
        for (header, expected) in cases {
            assert_eq!(wanted(Some(header), 2048), expected, "{header}");
        }
        assert_eq!(wanted(None, 2048), Wanted::Whole);
    }

    #[test]
    fn nothing_of_an_empty_blob_can_be_had() {
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::Unsatisfiable);
        assert_eq!(wanted(Some("bytes=-5"), 0), Wanted::Unsatisfiable);
    }

    #[test]
    fn chunks_have_no_unit() {
        assert_eq!(chunk("0-0"), Some(Chunk { first: 0, length: 1 }));
        assert_eq!(chunk("10-19"), Some(Chunk { first: 10, length: 10 }));
        for bad in ["", "10", "10-", "-10", "bytes 0-9", "bytes=0-9", "9-0", "0-9/10", "+1-2", "0-18446744073709551615"]
        {
            assert_eq!(chunk(bad), None, "{bad:?}");
        }
    }
}
