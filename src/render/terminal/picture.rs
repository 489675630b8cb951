//! The live rows: a fold over the events, and the rows at a given time. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::line::{Level, Line, Tone};
use super::live_experiment::ExperimentPicture;
use super::replicas::{self, Layout};
use crate::action::Action;
use crate::event::{Event, EventKind};
use crate::figures::{count, ticking};
use crate::object::ObjectRef;
use crate::rollout::{RolloutProgress, RolloutState};
use crate::status::{State, Status};

/// The cells of the bar of a rollout, if there is room.
const WHOLE_CELLS: usize = 20;

/// The time and the size of a drawing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// The wall clock, for ages.
    pub(crate) now: Timestamp,
    /// The time since the start of the run.
    pub(crate) elapsed: Duration,
    /// The columns of the terminal.
    pub(crate) width: usize,
    /// The available rows.
    pub(crate) height: usize,
}

/// The current state of the run.
#[derive(Debug, Default)]
pub(crate) struct Picture {
    writes: usize,
    written: usize,
    writing: Vec<(ObjectRef, Action)>,
    waiting: BTreeMap<ObjectRef, Status>,
    rollouts: BTreeMap<ObjectRef, RolloutProgress>,
    verifying: Option<(ObjectRef, usize, usize)>,
    experiment: ExperimentPicture,
    silence: Option<String>,
}

impl Picture {
    /// Records an event.
    pub(crate) fn record(&mut self, event: &Event) {
        self.experiment.record(event);
        match &event.kind {
            EventKind::Planned { steps } => {
                self.writes += steps
                    .iter()
                    .filter(|step| step.action != Action::Keep)
                    .count();
            }
            EventKind::WriteStarted { action, .. } | EventKind::WriteFinished { action, .. }
                if *action == Action::Keep => {}
            EventKind::WriteStarted { object, action } => {
                self.writing.push((object.clone(), *action));
            }
            EventKind::WriteFinished { object, .. } => {
                self.writing.retain(|(writing, _)| writing != object);
                self.written += 1;
            }
            EventKind::Waiting { object, status } => {
                if status.state == State::InProgress {
                    self.waiting.insert(object.clone(), status.clone());
                } else {
                    self.waiting.remove(object);
                }
            }
            EventKind::Rollout { object, progress } => {
                self.rollouts.insert(object.clone(), progress.clone());
            }
            EventKind::Verifying {
                object,
                endpoints,
                replicas,
                ..
            } => {
                // Each replica answers once at every endpoint.
                let replicas = usize::try_from(*replicas).unwrap_or(usize::MAX);
                let replicas = replicas.saturating_mul(endpoints.len());
                self.verifying = Some((object.clone(), 0, replicas));
            }
            EventKind::Answered { .. } => {
                if let Some((_, answered, replicas)) = &mut self.verifying {
                    *answered += 1;
                    if answered >= replicas {
                        self.verifying = None;
                    }
                }
            }
            EventKind::ServerUnresponsive { reason } => self.silence = Some(reason.clone()),
            EventKind::ServerAnswers { .. } => self.silence = None,
            EventKind::Started(_)
            | EventKind::PodChanged { .. }
            | EventKind::Phase { .. }
            | EventKind::Experiment { .. }
            | EventKind::Fault { .. }
            | EventKind::Probe { .. }
            | EventKind::Probes { .. }
            | EventKind::Endpoints { .. }
            | EventKind::Round { .. }
            | EventKind::LogLine { .. }
            | EventKind::Evidence { .. }
            | EventKind::Warning { .. }
            | EventKind::Finished(_) => {}
        }
    }

    /// What the run is waiting for, one phrase each.
    pub(crate) fn waits(&self, now_ms: u64) -> Vec<String> {
        let silence = self.silence.iter();
        let mut waits: Vec<String> = silence
            .map(|silence| format!("the API server, which is unresponsive ({silence})"))
            .collect();
        waits.extend(self.experiment.waits(now_ms));
        if let Some((object, action)) = self.writing.first() {
            waits.push(match action {
                Action::Delete => format!("the deletion of {object}"),
                Action::Replace => format!("the replacement of {object}"),
                _ => format!("the response to the write of {object}"),
            });
        }
        waits.extend(self.verifying.iter().map(|(object, answered, replicas)| {
            let replicas = count(*replicas, "replica");
            format!("{object}: {answered} of {replicas} answered")
        }));
        let waiting = self.waiting.iter();
        waits.extend(waiting.map(|(object, status)| format!("{object} {}", status.message)));
        waits.extend(self.rollouts.iter().filter_map(|(object, progress)| {
            let RolloutState::Progressing { message, .. } = &progress.state else {
                return None;
            };
            let (ready, desired) = (progress.ready, progress.desired);
            Some(format!("{object}: {ready} of {desired} Ready, {message}"))
        }));
        waits
    }

    /// The current rows, which fit into the frame.
    pub(crate) fn rows(&self, frame: &Frame) -> Vec<Line> {
        let time = ticking(frame.elapsed);
        let mut rows = self.headings(&time);
        for (object, progress) in &self.rollouts {
            rows.push(whole(object, progress, &time, frame.width));
            rows.extend(reason(progress));
        }
        let mut rows: Vec<Line> = rows
            .into_iter()
            .flat_map(|row| row.wrapped(frame.width))
            .map(|row| row.shortened(frame.width))
            .collect();
        let room = frame.height.saturating_sub(rows.len());
        rows.extend(self.experiment.rows(frame, room));
        let room = frame.height.saturating_sub(rows.len());
        let share = room / self.rollouts.len().max(1);
        for (object, progress) in &self.rollouts {
            let layout = Layout {
                now: frame.now,
                width: frame.width,
                height: share,
                has_bars: true,
                level: Level::Step,
            };
            rows.extend(replicas::table(object, progress, &layout));
        }
        rows.truncate(frame.height);
        rows
    }

    /// The activities besides rollouts, one row each.
    fn headings(&self, time: &str) -> Vec<Line> {
        let row = || Line::said(Level::Step);
        let mut rows = Vec::new();
        if let Some(silence) = &self.silence {
            let text = format!("the API server is unresponsive: {silence}");
            rows.push(row().with(Tone::Doubt, text));
        }
        if let Some((object, action)) = self.writing.first() {
            let verb = match action {
                Action::Delete => "deleting",
                Action::Replace => "replacing",
                _ => "applying",
            };
            let number = self.written + 1;
            let share = format!("{verb} {number} of {}: ", self.writes.max(number));
            rows.push(
                row()
                    .text(share)
                    .with(Tone::Strong, object.to_string())
                    .with(Tone::Faint, format!("  {time}")),
            );
        }
        if let Some((object, answered, replicas)) = &self.verifying {
            rows.push(
                row()
                    .text("checking ")
                    .with(Tone::Strong, object.to_string())
                    .text(format!(
                        ": {answered} of {} answered",
                        count(*replicas, "replica")
                    ))
                    .with(Tone::Faint, format!("  {time}")),
            );
        }
        for (object, status) in &self.waiting {
            let words = format!(" {}", status.message);
            rows.push(
                row()
                    .with(Tone::Strong, object.to_string())
                    .with(Tone::Doubt, words),
            );
        }
        rows
    }
}

/// The summary row of a rollout.
fn whole(object: &ObjectRef, progress: &RolloutProgress, time: &str, width: usize) -> Line {
    let name = object.to_string();
    let share = format!("{}/{} Ready", progress.ready, progress.desired);
    let used = name.chars().count() + share.chars().count() + time.chars().count() + 6;
    let cells = width.saturating_sub(used).min(WHOLE_CELLS);
    let line = Line::said(Level::Step).with(Tone::Strong, &name).text("  ");
    let ready = usize::try_from(progress.ready).unwrap_or(0);
    let desired = usize::try_from(progress.desired).unwrap_or(0).max(1);
    let full = cells * ready.min(desired) / desired;
    line.with(Tone::Good, "━".repeat(full))
        .with(Tone::Faint, "╌".repeat(cells - full))
        .text(if cells > 0 { "  " } else { "" })
        .text(share)
        .with(Tone::Faint, format!("  {time}"))
}

/// What a rollout is waiting for, and why that may take long.
fn reason(progress: &RolloutProgress) -> Vec<Line> {
    let row = |tone, text: &str| Line::said(Level::Step).with(tone, text);
    match &progress.state {
        RolloutState::Complete => Vec::new(),
        RolloutState::Progressing { message, suspicion } => {
            let mut rows = vec![row(Tone::Doubt, &format!("  waiting: {message}"))];
            rows.extend(suspicion.iter().map(|suspicion| {
                let awaited = suspicion.cause.waits_for();
                row(
                    Tone::Doubt,
                    &format!("  waiting for {awaited}: {}", suspicion.message),
                )
            }));
            rows
        }
        RolloutState::Failed { cause } => vec![row(Tone::Bad, &format!("  ✗ {}", cause.message))],
    }
}
