//! `rollout history`, and the subcommands of `rollout` that change something.

use super::conclusion::rollout_status;
use crate::event::Event;
use crate::exit::Outcome;
use crate::figures::{age, count};
use crate::object::ObjectRef;
use crate::render::terminal::line::{Level, Line, Tone};
use crate::report::{HistoryReport, Steered, SteeringReport};
use crate::rollout::{Revision, StuckPod};

/// The revisions, the oldest first, as kubectl lists them.
pub(super) fn history(report: &HistoryReport, event: &Event) -> Vec<Line> {
    if report.revisions.is_empty() {
        let text = format!("{} has no revisions yet", report.object);
        return vec![Line::said(Level::Result).text(text)];
    }
    let rows = report.revisions.iter().flat_map(|it| revision(it, event));
    rows.collect()
}

fn revision(revision: &Revision, event: &Event) -> Vec<Line> {
    let name = format!("revision {}", revision.number);
    let seen = revision.first_seen.map(|seen| {
        let since = event.time.duration_since(seen).try_into();
        format!("first seen {} ago", age(since.unwrap_or_default()))
    });
    let pods = match revision.pods.as_slice() {
        [] => "no pods".to_owned(),
        pods => pods.join(", "),
    };
    let update = revision.is_update.then(|| "update revision".to_owned());
    let parts: Vec<String> = [Some(revision.name.clone()), seen, update, Some(pods)]
        .into_iter()
        .flatten()
        .collect();
    let head = Line::data()
        .with(Tone::Strong, name)
        .text(format!(": {}", parts.join(", ")));
    let cause = revision.change_cause.as_ref();
    let cause = cause.map(|cause| Line::data().text(format!("  {cause}")));
    let changes = revision.changes.iter();
    let changes = changes.map(|change| Line::data().text(format!("  {}", change.words())));
    std::iter::once(head).chain(cause).chain(changes).collect()
}

/// What was changed, and the rollout that followed.
pub(super) fn lines(
    report: &SteeringReport,
    event: &Event,
    elapsed: &str,
    width: usize,
) -> Vec<Line> {
    let mut lines = steered(report);
    lines.extend(report.unstuck.iter().map(unstuck));
    if let Some(rollout) = &report.rollout {
        lines.extend(rollout_status(rollout, event, elapsed, width));
    }
    lines
}

fn steered(report: &SteeringReport) -> Vec<Line> {
    let said = |text: String| {
        let line = Line::of(Outcome::Success).with(Tone::Strong, report.object.to_string());
        line.text(text)
    };
    let command = |verb: &str| rollout_command(verb, &report.object);
    match &report.steered {
        Steered::Undone {
            revision, changes, ..
        } => {
            let head = said(format!(" rolled back to revision {revision}"));
            let rows = changes
                .iter()
                .map(|change| Line::said(Level::Result).text(format!("  {}", change.words())));
            std::iter::once(head).chain(rows).collect()
        }
        Steered::NotUndone { reason } => {
            let line = Line::of(Outcome::Undecided).with(Tone::Strong, report.object.to_string());
            vec![line.text(format!(" was not rolled back: {reason}"))]
        }
        Steered::Restarted => vec![said(" restarted".to_owned())],
        Steered::Paused { replicas } => vec![said(format!(
            " paused: its {} keep their revisions until `{}`",
            count(*replicas, "replica"),
            command("resume")
        ))],
        Steered::Resumed { partition: 0 } => vec![said(" resumed".to_owned())],
        Steered::Resumed { partition } => vec![said(format!(
            " resumed, with `partition: {partition}` as before"
        ))],
        Steered::Unstuck => Vec::new(),
        Steered::Nothing { reason } => vec![said(format!(" {reason}"))],
    }
}

pub(super) fn unstuck(pod: &StuckPod) -> Line {
    let StuckPod {
        pod,
        revision,
        wanted,
        ..
    } = pod;
    Line::of(Outcome::Success)
        .with(Tone::Strong, pod.to_string())
        .with(Tone::Bad, " deleted")
        .text(format!(
            ": it was stuck at revision {revision}, and is made anew at {wanted}"
        ))
}

/// A subcommand of `rollout` on a workload, to paste.
pub(super) fn rollout_command(verb: &str, object: &ObjectRef) -> String {
    let namespace = object.namespace.as_ref();
    let place = namespace.map_or_else(String::new, |name| format!(" -n {name}"));
    format!("cryptoctl rollout {verb} {object}{place}")
}
