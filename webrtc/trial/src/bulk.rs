//! The bytes of a bulk stream: a block of pseudo-random bytes over and over, so that they cost nothing to make.

use std::{
    io,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use futures::{AsyncWrite, AsyncWriteExt};
use sha2::{Digest, Sha256};

/// Bytes that are repeated.
pub const BLOCK_BYTES: usize = 1024 * 1024;
/// Bytes of a hash.
pub const HASH_BYTES: usize = 32;

/// Which way the bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the hub.
    Up,
    /// From the hub.
    Down,
}

impl Direction {
    /// What the opener writes first.
    #[must_use]
    pub fn letter(self) -> u8 {
        match self {
            Self::Up => b'u',
            Self::Down => b'd',
        }
    }

    /// Nothing for any other byte.
    #[must_use]
    pub fn of(letter: u8) -> Option<Self> {
        [Self::Up, Self::Down].into_iter().find(|direction| direction.letter() == letter)
    }
}

impl std::str::FromStr for Direction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "up" => Ok(Self::Up),
            "down" => Ok(Self::Down),
            _ => Err(format!("{text:?} is no direction; say up or down")),
        }
    }
}

/// Pseudo-random, the same everywhere: blocks of SHA-256 of a counter.
static BLOCK: LazyLock<Vec<u8>> = LazyLock::new(|| {
    (0..(BLOCK_BYTES / HASH_BYTES) as u64).flat_map(|count| Sha256::digest(count.to_be_bytes())).collect()
});

/// Makes them now, and not in the middle of something that is timed.
pub(crate) fn prepare() {
    LazyLock::force(&BLOCK);
}

/// The first so many bytes.
///
/// # Panics
/// For more than [`BLOCK_BYTES`].
#[must_use]
pub fn sample(count: usize) -> &'static [u8] {
    &BLOCK[..count]
}

/// Writes so many bytes.
///
/// # Errors
/// The writer's.
pub async fn write(writer: &mut (impl AsyncWrite + Unpin), count: u64) -> io::Result<()> {
    let mut left = count;
    while left > 0 {
        let part = left.min(BLOCK_BYTES as u64) as usize;
        writer.write_all(&BLOCK[..part]).await?;
        left -= part as u64;
    }
    Ok(())
}

/// Hashes of so many bytes; what was hashed once is not hashed again.
#[derive(Clone, Default)]
pub struct Hashes(Arc<Mutex<Vec<Sha256>>>);

impl std::fmt::Debug for Hashes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hashes")
    }
}

impl Hashes {
    /// The hash of the first so many bytes.
    #[must_use]
    pub fn of(&self, count: u64) -> [u8; HASH_BYTES] {
        let (blocks, rest) = (count / BLOCK_BYTES as u64, count % BLOCK_BYTES as u64);
        // A hash after each block: a hundred bytes for each MiB.
        let mut after = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while (after.len() as u64) < blocks {
            let mut hash = after.last().cloned().unwrap_or_default();
            hash.update(&*BLOCK);
            after.push(hash);
        }
        let whole = blocks.checked_sub(1).and_then(|last| after.get(last as usize)).cloned().unwrap_or_default();
        whole.chain_update(&BLOCK[..rest as usize]).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_that_of_the_bytes_written_however_it_was_come_by() {
        let hashes = Hashes::default();
        for count in [0, 1, 3 * BLOCK_BYTES as u64 + 7, BLOCK_BYTES as u64, 3 * BLOCK_BYTES as u64] {
            let mut written = Vec::new();
            futures::executor::block_on(write(&mut written, count)).unwrap();
            assert_eq!(written.len() as u64, count);
            assert_eq!(hashes.of(count), *Sha256::digest(&written), "{count}");
        }
    }
}
