//! Random choices from a seed.

use std::time::Duration;

use apiserver_model::Random;

/// Draws by a seed.
#[derive(Debug)]
pub(crate) struct Draw(Random);

impl Draw {
    /// The same seed always draws the same values.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(Random::seeded(seed ^ 0x5eed))
    }

    /// From 0 to below a limit.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0.number() % limit.max(1)
    }

    /// True with this probability, in percent.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub(crate) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        let index = usize::try_from(self.below(of.len() as u64)).unwrap();
        of[index].clone()
    }

    /// From one to another number of milliseconds; small ones are as likely as large ones.
    pub(crate) fn milliseconds(&mut self, from: u64, to: u64) -> Duration {
        let span = (to - from).max(1);
        let most = span >> self.below(u64::from(u64::BITS - span.leading_zeros()));
        Duration::from_millis(from + self.below(most + 1))
    }
}
