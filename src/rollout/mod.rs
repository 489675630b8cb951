//! The progress of a StatefulSet's rollout, replica by replica. Pure.
//!
//! The StatefulSet's own counts lag behind and do not identify pods, so a rollout is complete only
//! when the counts and every expected pod agree.

mod change;
mod history;
mod steady;
mod stuck;

use k8s_openapi::api::apps::v1::StatefulSet;
use serde::{Deserialize, Serialize};

pub use self::change::{RESTARTED_AT, hold_all_but, restart, resume, with_template};
pub use self::history::{Goal, NoTarget, Revision, Target, history, target};
pub use self::steady::{may_be_ended, settled};
pub use self::stuck::{StuckPod, stuck_pods};
use crate::diagnose::{self, Diagnosis, Finality};
use crate::status::{
    Kept, PodSummary, Snapshot, expected_ordinals, is_ready, kept_because, ordinals_that_move,
    pod_of, revision_hash, revision_of, scaled_by_experiment,
};

/// An expected replica.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaProgress {
    /// The ordinal.
    pub ordinal: i32,
    /// The pod's row; `None` if it does not exist.
    pub pod: Option<PodSummary>,
    /// The hash at the end of its revision's name, such as `68d8b8b6bb`.
    pub revision: Option<String>,
    /// Whether that is the revision it should have.
    pub up_to_date: bool,
    /// Whether its pod is Ready.
    pub is_ready: bool,
    /// Whether it is Ready and has the right revision.
    pub ready: bool,
}

/// The state of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RolloutState {
    /// Every expected replica is Ready at its revision, and there are no other replicas.
    Complete,
    /// In progress.
    Progressing {
        /// What it waits for.
        message: String,
        /// Why it takes so long, if the cause is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        suspicion: Option<Diagnosis>,
    },
    /// It will not complete without a change.
    Failed {
        /// Why.
        cause: Diagnosis,
    },
}

/// The progress of a StatefulSet's rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutProgress {
    /// The revision that the rollout updates to, as the controller names it.
    pub revision: Option<String>,
    /// The number of expected replicas.
    pub desired: i32,
    /// Ready replicas, at any revision.
    pub ready: i32,
    /// Replicas at the revision that they should have.
    pub updated: i32,
    /// Replicas that keep an older revision because the update strategy says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
    /// Every expected replica, by ordinal.
    pub replicas: Vec<ReplicaProgress>,
    /// The state of the rollout.
    #[serde(flatten)]
    pub state: RolloutState,
}

/// Computes the progress of a rollout from a snapshot.
#[must_use]
pub fn rollout_progress(snapshot: &Snapshot) -> RolloutProgress {
    let stateful_set = &snapshot.stateful_set;
    let status = stateful_set.status.clone().unwrap_or_default();
    let replicas: Vec<ReplicaProgress> = expected_ordinals(stateful_set)
        .map(|ordinal| replica(snapshot, ordinal, status.update_revision.as_deref()))
        .collect();
    let count = |accept: fn(&&ReplicaProgress) -> bool| {
        i32::try_from(replicas.iter().filter(accept).count()).unwrap_or(i32::MAX)
    };
    let ready = count(|replica| replica.is_ready);
    let updated = count(|replica| replica.up_to_date);
    let kept = kept(stateful_set, &replicas, status.update_revision.as_deref());
    let waits_for = what_it_waits_for(snapshot, &replicas);
    let state = match (diagnose::workload(snapshot), waits_for) {
        (_, None) => RolloutState::Complete,
        (Some(cause), Some(_)) if cause.finality == Finality::Final => {
            RolloutState::Failed { cause }
        }
        (suspicion, Some(message)) => RolloutState::Progressing { message, suspicion },
    };
    RolloutProgress {
        revision: status.update_revision,
        desired: i32::try_from(replicas.len()).unwrap_or(i32::MAX),
        ready,
        updated,
        kept,
        replicas,
        state,
    }
}

/// The replicas that keep an older revision because of the update strategy.
fn kept(
    stateful_set: &StatefulSet,
    replicas: &[ReplicaProgress],
    update_revision: Option<&str>,
) -> Option<Kept> {
    let because = kept_because(stateful_set)?;
    let newest = revision_hash(update_revision?);
    let first_to_move = ordinals_that_move(stateful_set).start;
    let is_older = |replica: &&ReplicaProgress| {
        let revision = replica.revision.as_deref();
        replica.ordinal < first_to_move && revision.is_some_and(|revision| revision != newest)
    };
    let count = i32::try_from(replicas.iter().filter(is_older).count()).unwrap_or(i32::MAX);
    (count > 0).then_some(Kept {
        replicas: count,
        because,
    })
}

fn replica(snapshot: &Snapshot, ordinal: i32, update_revision: Option<&str>) -> ReplicaProgress {
    let stateful_set = &snapshot.stateful_set;
    let pod = pod_of(snapshot, ordinal);
    let revision = pod.and_then(revision_of);
    // The controller has not named a new revision yet.
    let is_meant_to_move =
        ordinals_that_move(stateful_set).contains(&ordinal) && update_revision.is_some();
    let up_to_date = !is_meant_to_move || revision == update_revision;
    ReplicaProgress {
        ordinal,
        pod: pod.map(PodSummary::of),
        up_to_date: pod.is_some() && up_to_date,
        is_ready: pod.is_some_and(is_ready),
        ready: up_to_date && pod.is_some_and(is_ready),
        revision: revision.map(|revision| revision_hash(revision).to_owned()),
    }
}

/// Why the rollout is not complete; `None` if nothing is missing.
fn what_it_waits_for(snapshot: &Snapshot, replicas: &[ReplicaProgress]) -> Option<String> {
    let metadata = &snapshot.stateful_set.metadata;
    let status = snapshot.stateful_set.status.clone().unwrap_or_default();
    if metadata.deletion_timestamp.is_some() {
        return Some("the StatefulSet is being deleted".to_owned());
    }
    if status.observed_generation.unwrap_or(0) < metadata.generation.unwrap_or(0) {
        return Some("its controller has not seen it yet".to_owned());
    }
    if replicas.is_empty()
        && let Some(words) = scaled_by_experiment(&snapshot.stateful_set)
    {
        return Some(words);
    }
    if let Some(replica) = replicas.iter().find(|replica| !replica.ready) {
        let ordinal = replica.ordinal;
        return Some(match &replica.pod {
            None => format!("replica {ordinal} does not exist yet"),
            Some(pod) if !replica.up_to_date => {
                format!(
                    "replica {ordinal} still has its old revision ({})",
                    pod.status
                )
            }
            Some(pod) => format!("replica {ordinal} is not Ready ({})", pod.status),
        });
    }
    let expected = i32::try_from(replicas.len()).unwrap_or(i32::MAX);
    if status.replicas > expected {
        let surplus = status.replicas - expected;
        let noun = if surplus == 1 {
            "replica is"
        } else {
            "replicas are"
        };
        return Some(format!("{surplus} surplus {noun} left"));
    }
    let available = status.available_replicas.unwrap_or(0);
    if available < expected {
        let waiting = expected - available;
        let seconds = snapshot.stateful_set.spec.min_ready_seconds.unwrap_or(0);
        let (noun, have) = if waiting == 1 {
            ("replica", "has")
        } else {
            ("replicas", "have")
        };
        // They are Ready: a second number without its reason would contradict the first.
        return Some(if seconds > 0 {
            format!(
                "{waiting} {noun} {have} not been Ready for {seconds} s yet (`minReadySeconds`)"
            )
        } else {
            format!("its controller has not counted {waiting} Ready {noun} as available yet")
        });
    }
    None
}

#[cfg(test)]
mod tests;
