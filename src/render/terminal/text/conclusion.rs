//! The end of a run: its report in a few lines, or its error.

use std::fmt::Write;

use super::objects::{done, replaced, settled, state_line};
use super::steering::rollout_command;
use super::{chaos, diagnosis, diff, steering, verify};
use crate::action::Action;
use crate::event::{Conclusion, ErrorText, Event};
use crate::exit::Outcome;
use crate::figures::{count, took};
use crate::render::terminal::line::{Level, Line, Tone};
use crate::render::terminal::replicas::{self, Layout};
use crate::report::{
    DiffReport, DownReport, Report, RestoreReport, Restored, RolloutReport, UpReport, VerifyReport,
};
use crate::rollout::{RolloutProgress, RolloutState};
use crate::status::{KeptBecause, State};

/// The rows of a table of replicas, at most.
const REPLICA_ROWS: usize = 20;

/// The report of the command.
pub(super) fn lines(end: &Conclusion, event: &Event, width: usize) -> Vec<Line> {
    let elapsed = format!(" ({})", took(event.elapsed_ms));
    match &end.report {
        None => Vec::new(),
        Some(Report::Up(report)) => up(report, event, &elapsed, width),
        Some(Report::Diff(report)) => diff(report, &elapsed),
        Some(Report::Rollout(report)) => rollout_status(report, event, &elapsed, width),
        Some(Report::History(report)) => steering::history(report, event),
        Some(Report::Steering(report)) => steering::lines(report, event, &elapsed, width),
        Some(Report::Verify(report)) => verification(report, &elapsed),
        Some(Report::Chaos(report)) => {
            let mut lines = chaos::verdict(report, &elapsed, width);
            lines.extend(report.observed.cause.iter().flat_map(diagnosis::lines));
            lines
        }
        Some(Report::Restore(report)) => restore(report, &elapsed),
        Some(Report::Down(report)) => down(report, &elapsed),
        Some(Report::Logs { unread, .. }) => unread
            .iter()
            .map(|pod| Line::of(Outcome::Undecided).text(pod))
            .collect(),
    }
}

fn up(report: &UpReport, event: &Event, elapsed: &str, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    if report.dry_run {
        for applied in &report.objects {
            if let Some((tone, word)) = done(applied.action) {
                let line = Line::said(Level::Result).with(Tone::Strong, applied.object.to_string());
                lines.push(line.text(" ").with(tone, word).text(" (dry run)"));
            }
        }
    }
    for rollout in &report.rollouts {
        lines.extend(trouble(rollout, event, width));
    }
    lines.extend(report.unstuck.iter().map(steering::unstuck));
    lines.extend(report.rollouts.iter().filter_map(kept));
    for undone in &report.rolled_back {
        lines.extend(steering::lines(undone, event, "", width));
    }
    for waited in &report.waited {
        if matches!(waited.status.state, State::Failed | State::InProgress) {
            lines.push(state_line(&waited.object, &waited.status, Level::Problem));
        }
    }
    let left: Vec<String> = report.not_waited_for().map(ToString::to_string).collect();
    if !left.is_empty() {
        let text = format!("not waited for: {}", left.join(", "));
        lines.push(Line::said(Level::Result).with(Tone::Doubt, text));
    }
    // Worst first.
    let mut parts = rollout_shares(&report.rollouts);
    parts.extend(unready(report));
    let position = if report.outcome() == Outcome::Success {
        0
    } else {
        parts.len()
    };
    parts.splice(position..position, applied_counts(report));
    if let Some(removed) = &report.removed {
        lines.extend(kept_and_held(removed));
        parts.push("nothing was applied".to_owned());
    }
    if let Some(pruned) = &report.pruned {
        lines.extend(kept_and_held(pruned));
        parts.extend(deletions(pruned, "pruned"));
    }
    if parts.is_empty() {
        parts.push("nothing to apply".to_owned());
    }
    match &report.saved {
        Some(saved) => parts.push(format!(
            "nothing was stored: the plan is in `{}`",
            saved.file.display()
        )),
        None if report.dry_run => parts.push("dry run: nothing was stored".to_owned()),
        None => {}
    }
    lines.push(
        Line::summary(report.outcome())
            .text(parts.join(", "))
            .with(Tone::Faint, elapsed),
    );
    if let Some(saved) = &report.saved {
        lines.extend(diagnosis::hints(std::slice::from_ref(&saved.next)));
    }
    lines
}

/// The share of Ready replicas: in total if all are Ready, else for each rollout.
fn rollout_shares(rollouts: &[RolloutReport]) -> Vec<String> {
    match rollouts {
        [] => Vec::new(),
        [only] => vec![share(&only.progress)],
        several
            if several
                .iter()
                .all(|rollout| rollout.outcome() == Outcome::Success) =>
        {
            let ready: i32 = several.iter().map(|rollout| rollout.progress.ready).sum();
            let replicas = count(ready, "replica");
            vec![format!("all {replicas} Ready")]
        }
        several => several
            .iter()
            .filter(|rollout| rollout.outcome() != Outcome::Success)
            .map(|rollout| format!("{}: {}", rollout.object, share(&rollout.progress)))
            .collect(),
    }
}

/// The other objects that are not ready; the lines above say why.
fn unready(report: &UpReport) -> Option<String> {
    let names: Vec<String> = report
        .waited
        .iter()
        .filter(|waited| matches!(waited.status.state, State::InProgress | State::Failed))
        .map(|waited| waited.object.to_string())
        .collect();
    (!names.is_empty()).then(|| format!("not ready: {}", names.join(", ")))
}

fn applied_counts(report: &UpReport) -> Vec<String> {
    let unchanged = [Action::Keep, Action::Own, Action::Release];
    let unchanged: usize = unchanged.map(|action| report.count(action)).iter().sum();
    [
        (report.count(Action::Create), "created"),
        (report.count(Action::Change), "configured"),
        (report.count(Action::Replace), "replaced"),
        (report.count(Action::Delete), "deleted"),
        (unchanged, "unchanged"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, word)| format!("{number} {word}"))
    .collect()
}

/// The replicas of an incomplete rollout, and its cause or suspected cause.
fn trouble(report: &RolloutReport, event: &Event, width: usize) -> Vec<Line> {
    let progress = &report.progress;
    let diagnosis = match &progress.state {
        RolloutState::Complete => return Vec::new(),
        RolloutState::Failed { cause } => Some(cause),
        RolloutState::Progressing { suspicion, .. } => suspicion.as_ref(),
    };
    let mut lines = replica_table(report, event, Level::Problem, width);
    lines.extend(diagnosis.into_iter().flat_map(diagnosis::lines));
    lines
}

fn replica_table(report: &RolloutReport, event: &Event, level: Level, width: usize) -> Vec<Line> {
    let layout = Layout {
        now: event.time,
        width,
        height: REPLICA_ROWS,
        has_bars: false,
        level,
    };
    replicas::table(&report.object, &report.progress, &layout)
}

/// How many replicas of a rollout are Ready, and what the others are waiting for.
fn share(progress: &RolloutProgress) -> String {
    let desired = count(progress.desired, "replica");
    let mut share = format!("{} of {desired} Ready", progress.ready);
    if progress.updated < progress.desired {
        let _ = write!(share, ", {} updated", progress.updated);
    }
    match &progress.state {
        RolloutState::Complete | RolloutState::Failed { .. } => share,
        RolloutState::Progressing { message, .. } => format!("{share}; {message}"),
    }
}

/// The replicas that keep the old template, and why.
fn kept(report: &RolloutReport) -> Option<Line> {
    let progress = &report.progress;
    let kept = progress.kept.as_ref()?;
    let verb = if kept.replicas == 1 { "keeps" } else { "keep" };
    let share = format!(
        ": {} of {} {verb} the old template",
        kept.replicas,
        count(progress.desired, "replica")
    );
    let until = match kept.because {
        KeptBecause::OnDelete if kept.replicas == 1 => {
            "until it is deleted (update strategy `OnDelete`)".to_owned()
        }
        KeptBecause::OnDelete => "until they are deleted (update strategy `OnDelete`)".to_owned(),
        KeptBecause::Paused { .. } => {
            let command = rollout_command("resume", &report.object);
            format!("because the rollout is paused: resume it with `{command}`")
        }
        KeptBecause::Partition { partition } => format!("because of `partition: {partition}`"),
    };
    let line = Line::said(Level::Result).with(Tone::Strong, report.object.to_string());
    Some(line.with(Tone::Doubt, share).text(format!(" {until}")))
}

pub(super) fn rollout_status(
    report: &RolloutReport,
    event: &Event,
    elapsed: &str,
    width: usize,
) -> Vec<Line> {
    let mut lines = trouble(report, event, width);
    if lines.is_empty() {
        lines = replica_table(report, event, Level::Result, width);
    }
    lines.extend(kept(report));
    lines.push(
        Line::summary(report.outcome())
            .with(Tone::Strong, report.object.to_string())
            .text(format!(": {}", share(&report.progress)))
            .with(Tone::Faint, elapsed),
    );
    lines
}

fn verification(report: &VerifyReport, elapsed: &str) -> Vec<Line> {
    let summary = Line::summary(report.outcome());
    let level = summary.level;
    let mut lines = vec![summary.text(&report.summary).with(Tone::Faint, elapsed)];
    lines.extend(verify::details(report, level));
    lines
}

fn diff(report: &DiffReport, elapsed: &str) -> Vec<Line> {
    let mut lines = diff::lines(report);
    let objects = report.objects.iter();
    let becomes = objects
        .clone()
        .filter_map(|it| replaced(&it.object, it.replacement.as_ref(), it.adoption.as_ref()));
    let settled = settled(objects.map(|object| (&object.object, &object.settlement)));
    // What a plan says in passing is a result here.
    lines.extend(becomes.chain(settled).map(|mut line| {
        line.level = Level::Result;
        line
    }));
    lines.push(
        Line::summary(report.outcome())
            .text(diff::counts(report))
            .with(Tone::Faint, elapsed),
    );
    lines.extend(diagnosis::hints(&report.hints));
    lines
}

fn restore(report: &RestoreReport, elapsed: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = report
        .restored
        .iter()
        .map(|Restored { object, what }| {
            let line = Line::said(Level::Result).with(Tone::Strong, object.to_string());
            line.text(format!(" {what}"))
        })
        .collect();
    let text = if lines.is_empty() {
        format!("no experiment on `{}` left anything to undo", report.object)
    } else {
        format!("{} restored", count(lines.len(), "object"))
    };
    lines.push(
        Line::summary(report.outcome())
            .text(text)
            .with(Tone::Faint, elapsed),
    );
    lines
}

fn down(report: &DownReport, elapsed: &str) -> Vec<Line> {
    let mut lines = kept_and_held(report);
    let parts = deletions(report, "deleted");
    let text = if parts.is_empty() {
        "nothing to delete".to_owned()
    } else {
        parts.join(", ")
    };
    lines.push(
        Line::summary(report.outcome())
            .text(text)
            .with(Tone::Faint, elapsed),
    );
    lines
}

/// What was left, and why.
fn kept_and_held(report: &DownReport) -> Vec<Line> {
    let mut lines = Vec::new();
    for kept in &report.kept {
        let line = Line::said(Level::Result).with(Tone::Strong, kept.object.to_string());
        lines.push(
            line.with(Tone::Good, " kept")
                .text(format!(": {}", kept.reason)),
        );
    }
    for object in &report.remaining {
        let line = Line::of(Outcome::Undecided).with(Tone::Strong, object.to_string());
        let held = report.held.iter().find(|held| held.object == *object);
        let by = held.map(|held| held.by.join("; ")).unwrap_or_default();
        lines.push(if by.is_empty() {
            line.text(" is still there")
        } else {
            line.text(format!(" is still there, held by {by}"))
        });
    }
    if !report.not_deleted.is_empty() {
        let names: Vec<String> = report.not_deleted.iter().map(ToString::to_string).collect();
        let line = Line::of(Outcome::Undecided)
            .text("not deleted, because earlier objects are still there: ");
        lines.push(line.text(names.join(", ")));
    }
    lines
}

/// The number of objects for each result of a deletion; `deleted` is the word for the good one.
fn deletions(report: &DownReport, deleted: &str) -> Vec<String> {
    [
        (report.deleted.len(), deleted),
        (report.remaining.len(), "still there"),
        (report.not_deleted.len(), "not deleted"),
        (report.kept.len(), "kept"),
        (report.absent.len(), "not found"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, word)| format!("{number} {word}"))
    .collect()
}

/// The error with its causes and hints.
pub(crate) fn error(error: &ErrorText) -> Vec<Line> {
    let problem = || Line::said(Level::Problem);
    let mut lines = Vec::new();
    for (index, line) in error.message.lines().enumerate() {
        let start = if index == 0 {
            problem().with(Tone::Bad, "error: ")
        } else {
            problem().text("  ")
        };
        lines.push(start.text(line));
    }
    for cause in &error.causes {
        for (index, line) in cause.lines().enumerate() {
            let start = if index == 0 { "  caused by: " } else { "    " };
            lines.push(problem().with(Tone::Faint, start).text(line));
        }
    }
    lines.extend(diagnosis::hints(&error.hints));
    lines
}
