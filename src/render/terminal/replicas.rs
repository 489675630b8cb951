//! Shows replicas in the words and columns of `kubectl get pods`.

use jiff::Timestamp;

use super::line::{Level, Line, Tone};
use super::table::{Column, Table};
use crate::figures::age;
use crate::object::ObjectRef;
use crate::rollout::{ReplicaProgress, RolloutProgress};
use crate::status::PodSummary;

/// The cells of a replica's bar: pod exists, containers created, containers running, Ready.
const BAR_CELLS: usize = 4;

/// The layout of a table of replicas.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// The wall clock, for ages.
    pub(crate) now: Timestamp,
    /// The columns of the terminal.
    pub(crate) width: usize,
    /// The available rows, including the titles.
    pub(crate) height: usize,
    /// Whether each replica has a bar.
    pub(crate) has_bars: bool,
    /// The importance of the table.
    pub(crate) level: Level,
}

/// A row for every replica. If there is not enough room, those that are not Ready come first.
pub(crate) fn table(object: &ObjectRef, progress: &RolloutProgress, layout: &Layout) -> Vec<Line> {
    let Some(room) = layout.height.checked_sub(1).filter(|&room| room > 0) else {
        return Vec::new();
    };
    let mut shown: Vec<&ReplicaProgress> = progress.replicas.iter().collect();
    let mut hidden = Vec::new();
    if shown.len() > room {
        shown.sort_by_key(|replica| (replica.ready, replica.ordinal));
        hidden = shown.split_off(room - 1);
    }
    let column = |title, importance| Column { title, importance };
    let mut columns = vec![
        column("NAME", 0),
        column("READY", 1),
        column("STATUS", 0),
        column("RESTARTS", 4),
        column("AGE", 2),
        column("REVISION", 5),
    ];
    if layout.has_bars {
        columns.insert(1, column("", 3));
    }
    let mut table = Table::new(&columns);
    for replica in shown {
        let pod = replica.pod.as_ref();
        let plain = |text: Option<String>| (Tone::Plain, text.unwrap_or_else(|| "-".to_owned()));
        let mut cells = vec![
            (Tone::Strong, format!("{}-{}", object.name, replica.ordinal)),
            plain(pod.map(|pod| format!("{}/{}", pod.ready.0, pod.ready.1))),
            (tone(replica), state(replica)),
            restarts(pod),
            plain(pod.map(|pod| pod_age(pod, layout.now))),
            plain(replica.revision.clone()),
        ];
        if layout.has_bars {
            cells.insert(1, (tone(replica), bar(replica)));
        }
        table.row(cells);
    }
    let mut lines = table.lines(layout.level, layout.width);
    if !hidden.is_empty() {
        let not_ready = hidden.iter().filter(|replica| !replica.ready).count();
        let text = format!("… and {} more, {not_ready} not Ready", hidden.len());
        lines.push(
            Line::said(layout.level)
                .with(Tone::Faint, text)
                .shortened(layout.width),
        );
    }
    lines
}

/// The state of a replica: kubectl's STATUS column, made more precise.
pub(crate) fn state(replica: &ReplicaProgress) -> String {
    match &replica.pod {
        None => "no pod".to_owned(),
        Some(_) if replica.ready => "Ready".to_owned(),
        Some(pod) if !replica.up_to_date => format!("{}, old revision", pod.status),
        Some(pod) if pod.status == "Running" => "Running, not Ready".to_owned(),
        Some(pod) => pod.status.clone(),
    }
}

/// Good, bad or not yet known.
pub(crate) fn tone(replica: &ReplicaProgress) -> Tone {
    match &replica.pod {
        _ if replica.ready => Tone::Good,
        Some(pod) if pod.is_in_trouble() => Tone::Bad,
        _ => Tone::Doubt,
    }
}

/// The RESTARTS column, which highlights restarts.
fn restarts(pod: Option<&PodSummary>) -> (Tone, String) {
    match pod.map(|pod| pod.restarts) {
        None => (Tone::Plain, "-".to_owned()),
        Some(0) => (Tone::Plain, "0".to_owned()),
        Some(restarts) => (Tone::Doubt, restarts.to_string()),
    }
}

/// The AGE column.
pub(crate) fn pod_age(pod: &PodSummary, now: Timestamp) -> String {
    pod.created.map_or_else(
        || "<unknown>".to_owned(),
        // If this clock is behind the API server's, the age is zero, not negative.
        |created| age(now.duration_since(created).try_into().unwrap_or_default()),
    )
}

/// The bar that shows the progress of a replica.
fn bar(replica: &ReplicaProgress) -> String {
    let full = match replica.pod.as_ref().map(|pod| pod.status.as_str()) {
        _ if replica.ready => BAR_CELLS,
        None => 0,
        Some("Pending" | "Terminating") => 1,
        Some("Running") => 3,
        Some(_) => 2,
    };
    "━".repeat(full) + &"╌".repeat(BAR_CELLS - full)
}
