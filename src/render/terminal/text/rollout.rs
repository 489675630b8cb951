//! A rollout: one line for every change of a replica.

use std::collections::BTreeMap;

use super::diagnosis;
use crate::diagnose::Diagnosis;
use crate::figures::count;
use crate::object::ObjectRef;
use crate::render::terminal::line::{Level, Line, Tone};
use crate::render::terminal::replicas::{state, tone};
use crate::rollout::{ReplicaProgress, RolloutProgress, RolloutState};

/// The last known state of every replica.
#[derive(Debug, Default)]
pub(super) struct RolloutLines {
    known: BTreeMap<ObjectRef, RolloutProgress>,
}

impl RolloutLines {
    /// The changes since the last state; without the replicas if other lines show them.
    pub(super) fn lines(
        &mut self,
        object: &ObjectRef,
        progress: &RolloutProgress,
        without_replicas: bool,
    ) -> Vec<Line> {
        let before = self.known.insert(object.clone(), progress.clone());
        let mut lines = Vec::new();
        if !without_replicas {
            lines.extend(replica_lines(object, before.as_ref(), progress));
        }
        let RolloutState::Progressing { message, suspicion } = &progress.state else {
            return lines;
        };
        let (old_message, old_suspicion) = match before.as_ref().map(|before| &before.state) {
            Some(RolloutState::Progressing { message, suspicion }) => {
                (Some(message), suspicion.as_ref())
            }
            _ => (None, None),
        };
        // The replica's own line already says that it is not Ready; only other reasons need a line.
        let is_all_ready = progress.ready == progress.desired;
        let is_said =
            !lines.is_empty() && !(is_all_ready && (before.is_none() || has_restarted(progress)));
        if !is_said && !without_replicas && old_message != Some(message) {
            let line = Line::said(Level::Step).with(Tone::Strong, object.to_string());
            lines.push(
                line.with(Tone::Doubt, " waiting")
                    .text(format!(": {message}")),
            );
        }
        if let Some(suspicion) = suspicion {
            lines.extend(suspected(object, suspicion, old_suspicion));
        }
        lines
    }

    /// The rollouts that continue in the cluster after this run.
    pub(super) fn unfinished(&self) -> Vec<Line> {
        self.known
            .iter()
            .filter(|(_, progress)| matches!(progress.state, RolloutState::Progressing { .. }))
            .map(|(object, progress)| {
                Line::said(Level::Problem)
                    .with(Tone::Doubt, "  still in progress: ")
                    .with(Tone::Strong, object.to_string())
                    .text(format!(
                        " ({} of {} Ready)",
                        progress.ready, progress.desired
                    ))
            })
            .collect()
    }
}

/// What may lengthen a rollout: its sentence once, and its evidence once there is some.
fn suspected(object: &ObjectRef, new: &Diagnosis, old: Option<&Diagnosis>) -> Vec<Line> {
    let known = old.filter(|old| old.message == new.message);
    let mut lines = Vec::new();
    if known.is_none() {
        let line = Line::said(Level::Step).with(Tone::Strong, object.to_string());
        lines.push(
            line.with(
                Tone::Doubt,
                format!(" waiting for {}", new.cause.waits_for()),
            )
            .text(format!(": {}", new.message)),
        );
    }
    if known.is_none_or(|old| old.evidence.is_empty()) {
        let evidence = diagnosis::evidence(new);
        lines.extend(
            evidence.map(|text| Line::said(Level::Step).with(Tone::Faint, "  | ").text(text)),
        );
    }
    lines
}

fn has_restarted(progress: &RolloutProgress) -> bool {
    let mut pods = progress.replicas.iter().flat_map(|replica| &replica.pod);
    pods.any(|pod| pod.restarts > 0)
}

fn replica_lines(
    object: &ObjectRef,
    before: Option<&RolloutProgress>,
    progress: &RolloutProgress,
) -> Vec<Line> {
    let old = |ordinal| {
        before.and_then(|before| {
            before
                .replicas
                .iter()
                .find(|replica| replica.ordinal == ordinal)
        })
    };
    progress
        .replicas
        .iter()
        .filter_map(|replica| match (before, old(replica.ordinal)) {
            // A replica that is Ready from the start or does not exist yet is no change.
            (None, _) if replica.ready || replica.pod.is_none() => None,
            (_, None) => Some(replica_line(object, None, replica)),
            (_, Some(old))
                if state_words(old) == state_words(replica) && !was_replaced(old, replica) =>
            {
                None
            }
            (_, Some(old)) => Some(replica_line(object, Some(old), replica)),
        })
        .collect()
}

fn replica_line(object: &ObjectRef, old: Option<&ReplicaProgress>, new: &ReplicaProgress) -> Line {
    let name = format!("{}-{}", object.name, new.ordinal);
    let line = Line::said(Level::Step).with(Tone::Strong, name).text("  ");
    let line = match old {
        Some(old) => line.with(Tone::Faint, format!("{} → ", state_words(old))),
        None => line,
    };
    let line = line.with(tone(new), state_words(new));
    if old.is_some_and(|old| was_replaced(old, new)) {
        line.with(Tone::Faint, " (a new pod)")
    } else {
        line
    }
}

fn was_replaced(old: &ReplicaProgress, new: &ReplicaProgress) -> bool {
    match (&old.pod, &new.pod) {
        (Some(old), Some(new)) => old.uid != new.uid,
        _ => false,
    }
}

/// The state of a replica and its restarts.
fn state_words(replica: &ReplicaProgress) -> String {
    let restarts = replica.pod.as_ref().map_or(0, |pod| pod.restarts);
    match restarts {
        0 => state(replica),
        _ => format!("{}, {}", state(replica), count(restarts, "restart")),
    }
}
