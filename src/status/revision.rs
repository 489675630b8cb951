//! Which revision of its template a replica has, and at which one it would be recreated.
//!
//! The rules are those of `pkg/controller/statefulset`:
//! `updateStatefulSetAfterInvariantEstablished` (`stateful_set_control.go`) and
//! `newVersionedStatefulSetPod` (`stateful_set_utils.go`). Both count a partition from the first
//! ordinal, not from zero.

use std::ops::Range;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use serde::{Deserialize, Serialize};

use super::snapshot::expected_ordinals;

/// The label with a pod's revision (`apps/v1` `ControllerRevisionHashLabelKey`).
const REVISION_LABEL: &str = "controller-revision-hash";

/// On a StatefulSet whose rollout is paused: the partition from before the pause.
pub const PAUSED: &str = "cryptoctl/paused-partition";

/// Why a rollout does not update some replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum KeptBecause {
    /// The update strategy is `OnDelete`: they keep their revision until they are deleted.
    OnDelete,
    /// Their ordinals are below a partition by which this program has paused the rollout.
    Paused {
        /// The partition.
        partition: i32,
    },
    /// Their ordinals are below the partition, counted from the first ordinal.
    Partition {
        /// The partition.
        partition: i32,
    },
}

/// Replicas that keep an older revision during a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Their number.
    pub replicas: i32,
    /// The reason.
    #[serde(flatten)]
    pub because: KeptBecause,
}

/// The revision from which a pod was created, as the controller names it.
#[must_use]
pub fn revision_of(pod: &Pod) -> Option<&str> {
    let labels = pod.metadata.labels.as_ref()?;
    labels.get(REVISION_LABEL).map(String::as_str)
}

/// The hash at the end of a revision's name, such as `68d8b8b6bb`.
#[must_use]
pub fn revision_hash(revision: &str) -> &str {
    revision.rsplit('-').next().unwrap_or(revision)
}

/// Why replicas keep their revision; `None` if a rollout updates all of them.
#[must_use]
pub fn kept_because(stateful_set: &StatefulSet) -> Option<KeptBecause> {
    if strategy(stateful_set) == Some("OnDelete") {
        return Some(KeptBecause::OnDelete);
    }
    let partition = partition(stateful_set);
    (partition > 0).then_some(match paused(stateful_set) {
        Some(_) => KeptBecause::Paused { partition },
        None => KeptBecause::Partition { partition },
    })
}

/// The ordinals that a rollout updates. Lower ordinals keep their revision; with `OnDelete` all do.
#[must_use]
pub fn ordinals_that_move(stateful_set: &StatefulSet) -> Range<i32> {
    let Range { start, end } = expected_ordinals(stateful_set);
    let kept = match kept_because(stateful_set) {
        Some(KeptBecause::OnDelete) => i32::MAX,
        Some(KeptBecause::Paused { partition } | KeptBecause::Partition { partition }) => partition,
        None => 0,
    };
    start.saturating_add(kept).min(end)..end
}

/// The revision at which a replica is recreated; `None` until the controller has named one.
#[must_use]
pub fn next_revision(stateful_set: &StatefulSet, ordinal: i32) -> Option<&str> {
    let status = stateful_set.status.as_ref()?;
    let first = expected_ordinals(stateful_set).start;
    let keeps_current = ordinal < first.saturating_add(partition(stateful_set));
    let revision = if keeps_current {
        &status.current_revision
    } else {
        &status.update_revision
    };
    revision.as_deref()
}

fn strategy(stateful_set: &StatefulSet) -> Option<&str> {
    let strategy = stateful_set.spec.update_strategy.as_ref()?;
    strategy.type_.as_deref()
}

/// The partition to which a paused rollout returns; `None` if it is not paused.
#[must_use]
pub fn paused(stateful_set: &StatefulSet) -> Option<i32> {
    let annotations = stateful_set.metadata.annotations.as_ref()?;
    let before = annotations.get(PAUSED)?;
    Some(before.parse().unwrap_or(0))
}

/// The number of replicas that a rollout does not update, from the first ordinal on.
#[must_use]
pub fn partition(stateful_set: &StatefulSet) -> i32 {
    let strategy = stateful_set.spec.update_strategy.as_ref();
    let rolling = strategy.and_then(|strategy| strategy.rolling_update.as_ref());
    rolling.and_then(|rolling| rolling.partition).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn set(start: i32, strategy: &Value) -> StatefulSet {
        let set = json!({
            "metadata": {"name": "web"},
            "spec": {"replicas": 3, "selector": {}, "serviceName": "web", "template": {},
                     "ordinals": {"start": start}, "updateStrategy": strategy},
            "status": {"replicas": 3, "currentRevision": "web-a", "updateRevision": "web-b"},
        });
        serde_json::from_value(set).unwrap()
    }

    fn partition(partition: i32) -> Value {
        json!({"type": "RollingUpdate", "rollingUpdate": {"partition": partition}})
    }

    #[test]
    fn a_partition_counts_from_the_first_ordinal() {
        let table = [
            (0, partition(0), 0..3),
            (0, partition(1), 1..3),
            (5, partition(1), 6..8),
            (5, partition(7), 8..8),
            (5, json!({}), 5..8),
            (5, json!({"type": "OnDelete"}), 8..8),
        ];
        for (start, strategy, expected) in table {
            let set = set(start, &strategy);
            assert_eq!(ordinals_that_move(&set), expected, "{start} {strategy}");
        }
    }

    #[test]
    fn what_is_made_anew_is_old_below_a_partition_and_new_everywhere_else() {
        let table = [
            (partition(1), 5, "web-a"),
            (partition(1), 6, "web-b"),
            (json!({"type": "OnDelete"}), 5, "web-b"),
            (json!({"type": "RollingUpdate"}), 5, "web-b"),
        ];
        for (strategy, ordinal, expected) in table {
            let set = set(5, &strategy);
            assert_eq!(next_revision(&set, ordinal), Some(expected), "{strategy}");
        }
    }
}
