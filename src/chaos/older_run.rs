//! Compares the figures of this run with those of an older run.

use std::time::Duration;

use super::ChaosPlan;
use crate::figures::milliseconds;
use crate::report::{Compared, FaultRecord, Percentiles, RecoveryPhase};

/// A difference below this is noise, not a regression: two default probe intervals and clock steps.
const NOISE_MS: u64 = 250;

/// Compares the figures of this run with those of an older run.
pub(super) fn compare(plan: &ChaosPlan, faults: &[FaultRecord]) -> Vec<Compared> {
    let Some(older) = &plan.older else {
        return Vec::new();
    };
    let of_phase = |phase: RecoveryPhase| {
        let times = faults
            .iter()
            .filter_map(move |record| record.phases.get(&phase));
        (phase.name(), Percentiles::of(times.copied()))
    };
    let outages = faults.iter().filter_map(|record| record.outage_ms);
    RecoveryPhase::ALL
        .into_iter()
        .map(of_phase)
        .chain([("outage", Percentiles::of(outages))])
        .filter_map(|(what, percentiles)| {
            let new_ms = percentiles?.p95;
            let old_ms = *older.figures.get(what)?;
            let slower = new_ms.saturating_sub(old_ms);
            Some(Compared {
                what: what.to_owned(),
                old_ms,
                new_ms,
                is_regression: slower > NOISE_MS && slower > share(old_ms, older.tolerance),
            })
        })
        .collect()
}

/// A share of a duration, in milliseconds.
fn share(of_ms: u64, share: f64) -> u64 {
    milliseconds(Duration::from_millis(of_ms).mul_f64(share.max(0.0)))
}
