//! A rollout as one line for every change of a replica, and as a table of its last state.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::object::ObjectRef;
use crate::render::line::{Level, Line, Tone};
use crate::render::table::{Column, Table};
use crate::render::words::{age, count};
use crate::status::{PodSummary, ReplicaProgress, RolloutProgress, RolloutState};

/// The last known state of every replica.
#[derive(Debug, Default)]
pub(super) struct RolloutLines {
    known: BTreeMap<ObjectRef, RolloutProgress>,
}

impl RolloutLines {
    /// What has changed since the last state; without the replicas if something else shows them.
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
        // A replica's own line has already said what the rollout waits for.
        if lines.is_empty() && !without_replicas && old_message != Some(message) {
            let line = Line::said(Level::Step).with(Tone::Strong, object.to_string());
            lines.push(
                line.with(Tone::Doubt, " waiting")
                    .text(format!(": {message}")),
            );
        }
        if let Some(suspicion) = suspicion
            && old_suspicion.map(|old| &old.message) != Some(&suspicion.message)
        {
            let line = Line::said(Level::Progress)
                .with(Tone::Doubt, "? ")
                .text(&suspicion.message);
            lines.push(line);
        }
        lines
    }
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
            // What is well at first sight, or not there yet, is no change.
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

/// The state of a replica in the words of `kubectl get pods`, Ready included.
pub(crate) fn state_words(replica: &ReplicaProgress) -> String {
    let Some(pod) = &replica.pod else {
        return "no pod".to_owned();
    };
    let words = if replica.ready {
        "Ready".to_owned()
    } else if !replica.up_to_date {
        format!("{}, old revision", pod.status)
    } else if pod.status == "Running" {
        "Running, not Ready".to_owned()
    } else {
        pod.status.clone()
    };
    match usize::try_from(pod.restarts) {
        Ok(restarts @ 1..) => format!("{words}, {}", count(restarts, "restart")),
        _ => words,
    }
}

/// Good, bad or not known yet.
pub(crate) fn tone(replica: &ReplicaProgress) -> Tone {
    match &replica.pod {
        _ if replica.ready => Tone::Good,
        Some(pod) if is_trouble(&pod.status) => Tone::Bad,
        _ => Tone::Doubt,
    }
}

/// Whether a STATUS is one that does not pass by itself, as a rule.
pub(crate) fn is_trouble(status: &str) -> bool {
    let status = status.rsplit(':').next().unwrap_or(status);
    [
        "Err", "BackOff", "Error", "Killed", "Invalid", "Evicted", "Unknown", "Failed",
    ]
    .iter()
    .any(|word| status.contains(word))
}

/// A table of the replicas as they are, in the columns of `kubectl get pods`.
pub(super) fn table(
    object: &ObjectRef,
    progress: &RolloutProgress,
    now: Timestamp,
    level: Level,
    width: usize,
) -> Vec<Line> {
    let column = |title, importance| Column { title, importance };
    let mut table = Table::new(&[
        column("NAME", 0),
        column("READY", 1),
        column("STATUS", 0),
        column("RESTARTS", 2),
        column("AGE", 3),
        column("REVISION", 4),
    ]);
    for replica in &progress.replicas {
        let pod = replica.pod.as_ref();
        let plain = |text: Option<String>| (Tone::Plain, text.unwrap_or_else(|| "-".to_owned()));
        let status = pod.map_or_else(|| "no pod".to_owned(), |pod| pod.status.clone());
        let revision = replica.revision.as_ref().map(|revision| {
            if replica.up_to_date {
                revision.clone()
            } else {
                format!("{revision} (old)")
            }
        });
        table.row(vec![
            (Tone::Strong, format!("{}-{}", object.name, replica.ordinal)),
            plain(pod.map(|pod| format!("{}/{}", pod.ready.0, pod.ready.1))),
            (tone(replica), status),
            plain(pod.map(|pod| pod.restarts.to_string())),
            plain(pod.map(|pod| pod_age(pod, now))),
            plain(revision),
        ]);
    }
    table.lines(level, width)
}

/// The AGE column.
pub(crate) fn pod_age(pod: &PodSummary, now: Timestamp) -> String {
    pod.created.map_or_else(
        || "<unknown>".to_owned(),
        // A clock behind that of the API server makes no negative age.
        |created| age(now.duration_since(created).try_into().unwrap_or_default()),
    )
}
