//! The memory in which hashes are computed, used again for the next one.
//!
//! Each check runs on whatever thread is free, and an allocator that keeps memory by thread would in the end hold as much for
//! each of them. So there are as many pieces as checks ran at once, and no more; when no hash was computed for [`KEPT_FOR`], they
//! are given back.
//!
//! **Bounds**: pieces of [`KEPT_BLOCKS`] at most are kept; hashes that want more get memory of their own.

use argon2::{password_hash::PasswordHash, Algorithm, Argon2, Block, Params, Version};
use dovetail_sdk::{task, time};
use std::{
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        Arc, Mutex, PoisonError,
    },
    time::Duration,
};
use zeroize::Zeroizing;

/// Without a hash to compute the memory is kept for so long.
const KEPT_FOR: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Default)]
pub struct Scratch {
    pieces: Mutex<Vec<Vec<Block>>>,
    /// How often a piece was given back here.
    uses: AtomicU64,
    /// Whether a task waits for the end of the uses.
    watched: AtomicBool,
}

impl Scratch {
    /// Has the memory given back when it was not used for a while.
    pub fn give_back_later(self: &Arc<Self>) {
        if self.watched.swap(true, Ordering::AcqRel) {
            return;
        }
        let me = self.clone();
        // It ends with the instance, and so does the memory.
        drop(task::spawn(async move {
            loop {
                let seen = me.uses.load(Ordering::Acquire);
                time::sleep(KEPT_FOR).await;
                if me.uses.load(Ordering::Acquire) == seen {
                    break;
                }
            }
            me.watched.store(false, Ordering::Release);
            me.lock().clear();
        }));
    }

    /// Whether a password has this hash; `None` if the hash makes no sense.
    pub fn fits(&self, password: &[u8], hash: &PasswordHash<'_>) -> Option<bool> {
        let algorithm = Algorithm::try_from(hash.algorithm).ok()?;
        let version = hash.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
        let params = Params::try_from(hash).ok()?;
        let expected = hash.hash?;
        let mut octets = [0; MAX_SALT];
        let salt = hash.salt?.decode_b64(&mut octets).ok()?;
        let mut output = Zeroizing::new(vec![0; expected.len()]);
        let blocks = params.block_count();
        let mut memory = self.take();
        memory.resize(memory.len().max(blocks), Block::default());
        let argon2 = Argon2::new(algorithm, version, params);
        let done = argon2.hash_password_into_with_memory(password, salt, &mut output, memory.get_mut(..blocks)?);
        if memory.len() <= KEPT_BLOCKS {
            self.lock().push(memory);
            self.uses.fetch_add(1, Ordering::AcqRel);
        }
        done.ok()?;
        // Compared in constant time, as this type does.
        let output = argon2::password_hash::Output::new(&output).ok()?;
        Some(output == expected)
    }

    fn take(&self) -> Vec<Block> {
        self.lock().pop().unwrap_or_default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Vec<Block>>> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Scratch {
    /// What is in it was made of passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scratch({} pieces)", self.lock().len())
    }
}

/// Blocks of 1 KiB: 64 MiB, three times what hashes cost by default.
const KEPT_BLOCKS: usize = 64 * 1024;
/// Octets of the longest salt that the PHC form allows.
const MAX_SALT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::{hash, verify, Cost};

    #[test]
    fn memory_is_used_again_whatever_hashes_cost() {
        let scratch = Scratch::default();
        let costs = [64, 256, 64, 8].map(|memory_kib| Cost { memory_kib, passes: 1, lanes: 1 });
        for cost in costs {
            let made = hash(b"correct horse", cost).unwrap();
            assert!(verify(b"correct horse", &made, &scratch));
            assert!(!verify(b"another horse", &made, &scratch));
        }
        assert_eq!(format!("{scratch:?}"), "Scratch(1 pieces)");
        assert_eq!(scratch.lock()[0].len(), 256);
    }
}
