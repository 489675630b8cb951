//! Renders events as lines of text. Bars are a layer above it.

mod chaos;
mod conclusion;
mod diagnosis;
mod diff;
mod facts;
mod logs;
mod objects;
mod rollout;
mod steering;
mod verify;

use self::chaos::ChaosLines;
use self::logs::LogLines;
use self::objects::WaitingLines;
use self::rollout::RolloutLines;
use self::verify::VerifyLines;
use super::ledger::Ledger;
use super::line::{Level, Line, Tone};
use crate::event::{Event, EventKind, WriteResult};
use crate::figures::took;

/// The state between events, which is needed to report changes.
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
    /// Notes that the plan was already shown in the question for consent.
    pub(crate) fn plan_is_told(&mut self) {
        self.chaos.plan_is_told();
    }

    /// The lines that an event adds; tables are fitted to `width`.
    pub(crate) fn lines(&mut self, event: &Event, width: usize) -> Vec<Line> {
        self.ledger.record(&event.kind);
        let is_said = self.chaos.implies_right();
        let said = self.of_its_own(event, width);
        match &event.kind {
            // These come between the answers of a verification.
            EventKind::Verifying { .. }
            | EventKind::Answered { .. }
            | EventKind::Probe { .. }
            | EventKind::Probes { .. }
            | EventKind::Endpoints { .. }
            | EventKind::PodChanged { .. }
            | EventKind::Warning { .. }
            | EventKind::ServerUnresponsive { .. }
            | EventKind::ServerAnswers { .. } => said,
            // The blast radius comes first, before earlier answers.
            EventKind::Experiment { .. } => {
                let table = self.asked(width, false);
                said.into_iter().chain(table).collect()
            }
            _ => self.asked(width, is_said).into_iter().chain(said).collect(),
        }
    }

    /// The answers of a verification that are not shown yet.
    fn asked(&mut self, width: usize, is_said: bool) -> Vec<Line> {
        if self.breaks_things {
            self.verify.brief(width, is_said)
        } else {
            self.verify.table(width)
        }
    }

    /// The lines of the event itself.
    fn of_its_own(&mut self, event: &Event, width: usize) -> Vec<Line> {
        match &event.kind {
            EventKind::Started(run) => {
                self.breaks_things = run.command == "chaos";
                self.chaos.started(run);
                Vec::new()
            }
            EventKind::Planned { steps } => {
                let settled = steps.iter().map(|step| (&step.object, &step.settlement));
                let lines = steps.iter().filter_map(|step| {
                    let (replacement, adoption) = (&step.replacement, &step.adoption);
                    objects::replaced(&step.object, replacement.as_ref(), adoption.as_ref())
                });
                lines.chain(objects::settled(settled)).collect()
            }
            EventKind::WriteStarted { .. }
            | EventKind::Probes { .. }
            | EventKind::Endpoints { .. } => Vec::new(),
            EventKind::Round {
                number,
                verdict,
                summary,
            } => vec![verify::round(*number, *verdict, summary)],
            EventKind::Experiment { .. }
            | EventKind::Fault { .. }
            | EventKind::Phase { .. }
            | EventKind::Probe { .. }
            | EventKind::PodChanged { .. } => self.chaos.lines(event, width),
            // The lines of the fault already say it.
            EventKind::WriteFinished {
                result: WriteResult::Done,
                ..
            } if self.breaks_things => Vec::new(),
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
            // In an experiment, the lines of the pods already say it.
            EventKind::Rollout { object, progress } => {
                self.rollout.lines(object, progress, self.breaks_things)
            }
            EventKind::Verifying {
                object,
                endpoints,
                may_differ,
                replicas,
            } => {
                let moment = self.breaks_things.then(|| self.chaos.moment());
                self.verify
                    .begin(object, endpoints, may_differ, *replicas, moment);
                Vec::new()
            }
            EventKind::Answered { answer, .. } => {
                self.verify.answered(answer);
                Vec::new()
            }
            EventKind::LogLine {
                pod,
                ordinal,
                container,
                line,
            } => {
                vec![self.logs.line(pod, *ordinal, container, line)]
            }
            EventKind::Evidence { folder } => vec![
                Line::said(Level::Result).text(format!("evidence saved in `{}`", folder.display())),
            ],
            EventKind::Warning { message } => vec![warning(message)],
            EventKind::ServerUnresponsive { reason } => {
                vec![warning(&format!("no usable response: {reason}; retrying"))]
            }
            EventKind::ServerAnswers {
                unresponsive_for_ms,
            } => {
                let text = format!(
                    "the API server responds again after {}",
                    took(*unresponsive_for_ms)
                );
                vec![Line::said(Level::Problem).text(text)]
            }
            EventKind::Finished(end) => {
                let mut lines = self.chaos.lines(event, width);
                lines.extend(conclusion::lines(end, event, width));
                // A report already says what was done.
                if end.report.is_none() {
                    lines.extend(self.ledger.lines(end.status));
                }
                if end.status.is_interruption() {
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
