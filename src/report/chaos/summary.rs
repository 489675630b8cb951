//! Summarises the durations of each phase over many recoveries.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FaultRecord, RecoveryPhase};

/// With fewer durations, the 95th percentile equals the maximum.
const ENOUGH: u64 = 10;

/// The extremes, the median and the 95th percentile (nearest rank), in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Percentiles {
    /// The number of durations; 0 in reports of older versions.
    #[serde(default)]
    pub samples: u64,
    /// The shortest.
    #[serde(default)]
    pub min: u64,
    /// The median; for an even number, the mean of the two in the middle.
    pub p50: u64,
    /// The 95th percentile; with fewer than ten durations it equals `max`.
    pub p95: u64,
    /// The longest.
    pub max: u64,
}

impl Percentiles {
    /// The percentiles of these durations; `None` without any.
    #[must_use]
    pub fn of(durations: impl IntoIterator<Item = u64>) -> Option<Self> {
        let mut sorted: Vec<u64> = durations.into_iter().collect();
        sorted.sort_unstable();
        let rank = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100);
            sorted.get(rank.saturating_sub(1)).copied()
        };
        Some(Self {
            samples: sorted.len() as u64,
            min: *sorted.first()?,
            p50: middle(&sorted)?,
            p95: rank(95)?,
            max: *sorted.last()?,
        })
    }

    /// Whether there are too few durations for a 95th percentile.
    #[must_use]
    pub fn are_few(&self) -> bool {
        (1..ENOUGH).contains(&self.samples)
    }
}

/// The median of sorted durations.
fn middle(sorted: &[u64]) -> Option<u64> {
    let half = sorted.len() / 2;
    let upper = *sorted.get(half)?;
    if !sorted.len().is_multiple_of(2) {
        return Some(upper);
    }
    Some(sorted.get(half.checked_sub(1)?)?.midpoint(upper))
}

/// The percentiles of every phase that was seen.
pub(super) fn summary(faults: &[FaultRecord]) -> BTreeMap<RecoveryPhase, Percentiles> {
    let of = |phase| {
        let times = faults
            .iter()
            .filter_map(|record| record.phases.get(&phase).copied());
        Some((phase, Percentiles::of(times)?))
    };
    RecoveryPhase::ALL.into_iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_in_the_middle_and_the_others_were_measured() {
        assert_eq!(Percentiles::of([]), None);
        let of = |list: &[u64]| Percentiles::of(list.iter().copied()).unwrap();
        let one = of(&[7]);
        assert_eq!((one.p50, one.p95, one.max), (7, 7, 7));
        let two = of(&[9, 1]);
        assert_eq!((two.p50, two.p95, two.max), (5, 9, 9));
        let hundred = Percentiles::of(1..=100).unwrap();
        assert_eq!((hundred.p50, hundred.p95, hundred.max), (50, 95, 100));
        assert_eq!((hundred.samples, hundred.min), (100, 1));
    }

    #[test]
    fn of_fewer_than_ten_nothing_is_said_of_19_in_20() {
        let of = |samples| Percentiles::of(1..=samples).unwrap();
        assert!(of(1).are_few() && of(9).are_few());
        assert!(!of(10).are_few());
    }
}
