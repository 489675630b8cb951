//! Accounts for the changes that were made, unknown or not made when a run ends early.

use std::collections::BTreeSet;

use super::line::{Level, Line, Tone};
use crate::action::Action;
use crate::event::{EventKind, PlannedStep, WriteResult};
use crate::exit::ExitStatus;
use crate::figures::count;
use crate::object::ObjectRef;

/// A fold over the events that plan, start and finish a write.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    planned: Vec<ObjectRef>,
    open: Vec<ObjectRef>,
    done: BTreeSet<ObjectRef>,
    /// The objects created in this run; if one of them is deleted again, nothing was changed.
    created: BTreeSet<ObjectRef>,
    refused: Vec<ObjectRef>,
    unknown: Vec<ObjectRef>,
    only_reads: bool,
}

impl Ledger {
    /// Records an event.
    pub(crate) fn record(&mut self, event: &EventKind) {
        match event {
            EventKind::Started(run) => {
                self.only_reads = !matches!(run.command.as_str(), "up" | "chaos" | "down");
            }
            EventKind::Planned { steps } => {
                self.planned.extend(
                    steps
                        .iter()
                        .filter(|step| is_write(step))
                        .map(|step| step.object.clone()),
                );
            }
            EventKind::WriteStarted { action, .. } | EventKind::WriteFinished { action, .. }
                if *action == Action::Keep => {}
            EventKind::WriteStarted { object, .. } => self.open.push(object.clone()),
            EventKind::WriteFinished {
                object,
                action,
                result,
            } => {
                self.open.retain(|open| open != object);
                match result {
                    WriteResult::Done
                        if *action == Action::Delete && self.created.remove(object) =>
                    {
                        self.done.remove(object);
                    }
                    WriteResult::Done => {
                        if *action == Action::Create {
                            self.created.insert(object.clone());
                        }
                        self.done.insert(object.clone());
                    }
                    WriteResult::Refused { .. } => self.refused.push(object.clone()),
                    WriteResult::Unknown { .. } => self.unknown.push(object.clone()),
                }
            }
            _ => {}
        }
    }

    /// The account of a run that ended with this status, if it made or planned any change.
    pub(crate) fn lines(&self, status: ExitStatus) -> Vec<Line> {
        let word = match status {
            ExitStatus::HungUp => "hung up",
            ExitStatus::Interrupted => "interrupted",
            ExitStatus::Terminated => "terminated",
            ExitStatus::Failed | ExitStatus::Undecided | ExitStatus::Bug => "stopped",
            _ => return Vec::new(),
        };
        if self.nothing_was_written() {
            let is_interruption = word != "stopped";
            let line = Line::said(Level::Problem).with(Tone::Bad, word);
            return match (is_interruption, self.only_reads) {
                (true, false) => vec![line.text(": nothing was changed")],
                (true, true) => vec![line],
                (false, _) => Vec::new(),
            };
        }
        let mut lines = vec![
            Line::said(Level::Problem)
                .with(Tone::Bad, word)
                .text(format!(": {}", self.share_that_was_done())),
        ];
        let done: Vec<ObjectRef> = self.done.iter().cloned().collect();
        lines.extend(list("done", Tone::Good, &done));
        // A write without a response may have happened.
        let unknown: Vec<ObjectRef> = self.unknown.iter().chain(&self.open).cloned().collect();
        lines.extend(list("unknown", Tone::Doubt, &unknown));
        lines.extend(list("refused", Tone::Bad, &self.refused));
        lines.extend(list("not done", Tone::Doubt, &self.not_done()));
        lines
    }

    fn nothing_was_written(&self) -> bool {
        self.done.is_empty() && self.unknown.is_empty() && self.open.is_empty()
    }

    fn share_that_was_done(&self) -> String {
        let done = self.done.len();
        // Writes outside of the plan count too.
        let all = self
            .planned
            .iter()
            .chain(&self.done)
            .chain(&self.open)
            .chain(&self.unknown)
            .chain(&self.refused)
            .collect::<BTreeSet<_>>()
            .len();
        format!("{done} of {} done", count(all, "change"))
    }

    fn not_done(&self) -> Vec<ObjectRef> {
        let is_accounted_for = |object: &&ObjectRef| {
            self.done.contains(object)
                || self.open.contains(object)
                || self.refused.contains(object)
                || self.unknown.contains(object)
        };
        self.planned
            .iter()
            .filter(|object| !is_accounted_for(object))
            .cloned()
            .collect()
    }
}

fn is_write(step: &PlannedStep) -> bool {
    step.action != Action::Keep
}

fn list(word: &str, tone: Tone, objects: &[ObjectRef]) -> Option<Line> {
    if objects.is_empty() {
        return None;
    }
    let names: Vec<String> = objects.iter().map(ToString::to_string).collect();
    Some(
        Line::said(Level::Problem)
            .with(tone, format!("  {word}: "))
            .text(names.join(", ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str) -> ObjectRef {
        ObjectRef::new("", "ConfigMap", Some("logaiter"), name)
    }

    fn plan(names: &[&str]) -> EventKind {
        let step = |name: &&str| PlannedStep::new(object(name), Action::Create);
        EventKind::Planned {
            steps: names.iter().map(step).collect(),
        }
    }

    fn started(name: &str) -> EventKind {
        EventKind::WriteStarted {
            object: object(name),
            action: Action::Create,
        }
    }

    fn finished(name: &str, result: WriteResult) -> EventKind {
        EventKind::WriteFinished {
            object: object(name),
            action: Action::Create,
            result,
        }
    }

    fn account(events: &[EventKind], status: ExitStatus) -> Vec<String> {
        let mut ledger = Ledger::default();
        for event in events {
            ledger.record(event);
        }
        ledger
            .lines(status)
            .iter()
            .map(|line| line.render(false))
            .collect()
    }

    #[test]
    fn every_object_is_accounted_for_once() {
        let lost = WriteResult::Unknown {
            reason: "the connection broke".into(),
        };
        let refused = WriteResult::Refused {
            reason: "quota".into(),
        };
        let events = [
            plan(&["a", "b", "c", "d", "e"]),
            started("a"),
            finished("a", WriteResult::Done),
            started("b"),
            finished("b", lost),
            started("c"),
            started("d"),
            finished("d", refused),
        ];
        assert_eq!(
            account(&events, ExitStatus::Interrupted),
            [
                "interrupted: 1 of 5 changes done",
                "  done: configmap/a",
                "  unknown: configmap/b, configmap/c",
                "  refused: configmap/d",
                "  not done: configmap/e",
            ]
        );
    }

    #[test]
    fn what_was_to_be_kept_is_no_change() {
        let (object, action) = (object("k"), Action::Keep);
        let steps = vec![PlannedStep::new(object.clone(), action)];
        let result = WriteResult::Done;
        let events = [
            EventKind::Planned { steps },
            EventKind::WriteFinished {
                object,
                action,
                result,
            },
        ];
        assert_eq!(
            account(&events, ExitStatus::Terminated),
            ["terminated: nothing was changed"]
        );
    }

    #[test]
    fn a_run_that_came_to_its_end_has_no_account() {
        let events = [plan(&["a"]), started("a"), finished("a", WriteResult::Done)];
        for status in [
            ExitStatus::Success,
            ExitStatus::Unhealthy,
            ExitStatus::Different,
        ] {
            assert!(account(&events, status).is_empty());
        }
    }

    #[test]
    fn a_failure_before_the_first_write_speaks_for_itself() {
        assert!(account(&[plan(&["a"])], ExitStatus::Failed).is_empty());
    }
}
