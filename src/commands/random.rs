//! Chance, at the edge.

use std::hash::{BuildHasher, RandomState};

/// A number that is another one in every run. It is below 2^53, so that any reader of JSON gets it
/// back as it is.
pub(super) fn seed() -> u64 {
    RandomState::new().hash_one(0) >> 11
}
