//! Random numbers.

use std::hash::{BuildHasher, RandomState};

/// A random number below 2^53, so that every JSON reader returns it unchanged.
pub(super) fn seed() -> u64 {
    RandomState::new().hash_one(0) >> 11
}
