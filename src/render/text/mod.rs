//! Events as lines of text: the one renderer for people. Bars are a layer above it.

mod chaos;
mod conclusion;
mod diagnosis;
mod diff;
mod logs;
mod objects;
mod rollout;
mod verify;

pub(crate) use self::chaos::phase_words;

use self::chaos::ChaosLines;
use self::logs::LogLines;
use self::objects::WaitingLines;
use self::rollout::RolloutLines;
use self::verify::VerifyLines;
use super::ledger::Ledger;
use super::line::{Level, Line, Tone};
use super::words::took;
use crate::event::{Event, EventKind};
use crate::exit::ExitStatus;

/// What has to be remembered between two events to say what has changed.
#[derive(Debug, Default)]
pub(crate) struct Text {
    breaks_things: bool,
    ledger: Ledger,
    waiting: WaitingLines,
    rollout: RolloutLines,
    verify: VerifyLines,
    chaos: ChaosLines,
    logs: LogLines,
}

impl Text {
    /// The lines that an event adds; tables are fitted to `width`.
    pub(crate) fn lines(&mut self, event: &Event, width: usize) -> Vec<Line> {
        self.ledger.record(&event.kind);
        let mut lines = match &event.kind {
            EventKind::Verifying { .. }
            | EventKind::Answered { .. }
            | EventKind::Warning { .. }
            | EventKind::ServerSilent { .. }
            | EventKind::ServerAnswers { .. } => Vec::new(),
            _ => self.verify.table(width),
        };
        lines.extend(self.of_its_own(event, width));
        lines
    }

    /// The lines on what an event says itself.
    fn of_its_own(&mut self, event: &Event, width: usize) -> Vec<Line> {
        match &event.kind {
            EventKind::Started(run) => {
                self.breaks_things = run.command == "chaos";
                Vec::new()
            }
            EventKind::Planned { .. }
            | EventKind::WriteStarted { .. }
            | EventKind::Experiment { .. }
            | EventKind::Fault { .. }
            | EventKind::Probe { .. }
            | EventKind::Probes { .. }
            | EventKind::Endpoints { .. }
            | EventKind::Round { .. } => Vec::new(),
            EventKind::WriteFinished {
                object,
                action,
                result,
            } => objects::written(object, *action, result)
                .into_iter()
                .collect(),
            EventKind::Waiting { object, status } => {
                self.waiting.lines(object, status).into_iter().collect()
            }
            // The pods' own rows say it in a run that breaks things.
            EventKind::Rollout { object, progress } => {
                self.rollout.lines(object, progress, self.breaks_things)
            }
            EventKind::Verifying {
                object, endpoints, ..
            } => {
                let moment = self.breaks_things.then(|| self.chaos.moment());
                self.verify.begin(object, endpoints, moment);
                Vec::new()
            }
            EventKind::Answered { answer, .. } => {
                self.verify.answered(answer);
                Vec::new()
            }
            EventKind::PodChanged { pod } => self.chaos.pod(pod, event.time, width),
            EventKind::Phase {
                phase, after_ms, ..
            } => vec![self.chaos.phase(*phase, *after_ms)],
            EventKind::LogLine {
                pod,
                ordinal,
                container,
                line,
            } => {
                vec![self.logs.line(pod, *ordinal, container, line)]
            }
            EventKind::Warning { message } => vec![warning(message)],
            EventKind::ServerSilent { reason } => {
                vec![warning(&format!(
                    "no usable answer: {reason}; trying again"
                ))]
            }
            EventKind::ServerAnswers { silent_for_ms } => {
                let text = format!(
                    "the API server answers again, after {}",
                    took(*silent_for_ms)
                );
                vec![Line::said(Level::Problem).text(text)]
            }
            EventKind::Finished(end) => {
                let mut lines = conclusion::lines(end, event, width);
                // A report says by itself what was done.
                if end.report.is_none() {
                    lines.extend(self.ledger.lines(end.status));
                }
                if matches!(end.status, ExitStatus::Interrupted | ExitStatus::Terminated) {
                    lines.extend(self.rollout.unfinished());
                }
                lines.extend(end.error.iter().flat_map(conclusion::error));
                lines
            }
        }
    }
}

fn warning(message: &str) -> Line {
    Line::said(Level::Problem)
        .with(Tone::Doubt, "warning: ")
        .text(message)
}
