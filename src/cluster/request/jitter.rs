//! Spreads repetitions in time, so that many clients do not come back in step.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A source of pauses; clones share it.
#[derive(Clone)]
pub(crate) struct Jitter(Arc<AtomicU64>);

impl Jitter {
    /// The same pauses in every run.
    pub(crate) fn fixed() -> Self {
        Self(Arc::new(AtomicU64::new(1)))
    }

    /// Other pauses in every run.
    pub(crate) fn random() -> Self {
        Self(Arc::new(AtomicU64::new(RandomState::new().hash_one(0))))
    }

    /// Between half of a pause and all of it.
    pub(crate) fn pause(&self, longest: Duration) -> Duration {
        // splitmix64: one addition for each draw, mixed afterwards.
        let mut bits = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let thousandth = u32::try_from((bits >> 33) % 501).unwrap_or_default();
        longest / 2 + longest / 1000 * thousandth
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_differ_within_their_bounds() {
        let jitter = Jitter::random();
        let longest = Duration::from_secs(2);
        let pauses: Vec<Duration> = (0..100).map(|_| jitter.pause(longest)).collect();
        assert!(
            pauses
                .iter()
                .all(|pause| *pause >= longest / 2 && *pause <= longest)
        );
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }
}
