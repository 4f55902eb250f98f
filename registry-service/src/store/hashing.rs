//! Digests computed while bytes pass, and their state saved between the requests of an upload.
//!
//! The saved state holds up to one unhashed block of the upload's content, so it lies with the upload and nowhere else.

use super::disk::{self, File};
use sha2::digest::common::hazmat::SerializableState;
use sha2::{Digest as _, Sha256, Sha512};
use shared::{Algorithm, Digest};
use std::fmt::Write;
use std::io;

/// Names the crate version whose state format is meant; another one is hashed again from the file.
const STATE_VERSION: &str = "sha2-0.11";

/// Bytes read at once when a file is hashed.
const BLOCK: usize = 256 * 1024;

/// A digest in the making.
#[derive(Clone)]
pub enum Hasher {
    /// Of SHA-256.
    Sha256(Sha256),
    /// Of SHA-512.
    Sha512(Sha512),
}

impl Hasher {
    /// One that has seen nothing.
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    /// Which digest it makes.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Sha256(_) => Algorithm::Sha256,
            Self::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// Takes in `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The digest of everything taken in.
    pub fn finish(self) -> Digest {
        match self {
            Self::Sha256(hasher) => Digest::from_bytes(Algorithm::Sha256, &hasher.finalize()),
            Self::Sha512(hasher) => Digest::from_bytes(Algorithm::Sha512, &hasher.finalize()),
        }
    }

    /// Its state after the first `offset` bytes as text, for [`Hasher::restore`].
    pub fn save(&self, offset: u64) -> String {
        let state = match self {
            Self::Sha256(hasher) => hasher.serialize().to_vec(),
            Self::Sha512(hasher) => hasher.serialize().to_vec(),
        };
        let mut text = format!("{STATE_VERSION}:{offset}:");
        for byte in state {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// Goes on from a saved state; `None` when it is not one of this version after so many bytes. Gone on with after fewer,
    /// it would take what is missing for what was there.
    pub fn restore(algorithm: Algorithm, offset: u64, state: &str) -> Option<Self> {
        let (own, hex) = state.strip_prefix(STATE_VERSION)?.strip_prefix(':')?.split_once(':')?;
        if own != offset.to_string() {
            return None;
        }
        let bytes: Vec<u8> = hex
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect::<Option<_>>()?;
        match algorithm {
            Algorithm::Sha256 => Sha256::deserialize(bytes.as_slice().try_into().ok()?).ok().map(Self::Sha256),
            Algorithm::Sha512 => Sha512::deserialize(bytes.as_slice().try_into().ok()?).ok().map(Self::Sha512),
        }
    }
}

/// The digest of some bytes.
pub fn digest_of(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    hasher.finish()
}

/// Takes in the first `length` bytes of `file`, from its beginning; an error if it is shorter.
pub(super) fn hash_file(algorithm: Algorithm, file: &File, length: u64) -> io::Result<Hasher> {
    hash_with(algorithm, file, length, &mut |_| ())
}

/// The same; `taken` is told of each block, in bytes.
pub(super) fn hash_with(
    algorithm: Algorithm,
    file: &File,
    length: u64,
    taken: &mut dyn FnMut(u64),
) -> io::Result<Hasher> {
    let mut hasher = Hasher::new(algorithm);
    let mut block = vec![0; BLOCK];
    let mut seen = 0;
    while seen < length {
        let wanted = usize::try_from(length - seen).unwrap_or(BLOCK).min(BLOCK);
        let read = disk::read_at(file, block.get_mut(..wanted).unwrap_or_default(), seen)?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "shorter than expected"));
        }
        hasher.update(block.get(..read).unwrap_or_default());
        seen += read as u64;
        taken(read as u64);
    }
    Ok(hasher)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_state_goes_on_where_it_stopped() {
        for algorithm in Algorithm::ALL {
            let mut begun = Hasher::new(algorithm);
            begun.update(&[7; 1000]);
            let mut resumed = Hasher::restore(algorithm, 1000, &begun.save(1000)).unwrap();
            resumed.update(&[8; 77]);
            let whole = [vec![7; 1000], vec![8; 77]].concat();
            assert_eq!(resumed.finish(), digest_of(algorithm, &whole));
        }
    }

    #[test]
    fn a_foreign_or_damaged_state_is_not_taken() {
        let state = Hasher::new(Algorithm::Sha256).save(7);
        let (cut, without) = (&state[..state.len() - 2], state.replace(":7:", ":"));
        for bad in ["", "sha2-0.10:7:00", "sha2-0.11:7:", "sha2-0.11:7:zz", cut, &without] {
            assert!(Hasher::restore(Algorithm::Sha256, 7, bad).is_none(), "{bad:?}");
        }
        assert!(Hasher::restore(Algorithm::Sha256, 7, &state).is_some());
        for (algorithm, offset) in [(Algorithm::Sha512, 7), (Algorithm::Sha256, 6), (Algorithm::Sha256, 0)] {
            assert!(Hasher::restore(algorithm, offset, &state).is_none(), "{algorithm:?} after {offset}");
        }
    }

    #[test]
    fn the_empty_digest_is_the_well_known_one() {
        let digest = digest_of(Algorithm::Sha256, b"");
        assert_eq!(digest.hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
