//! Gathers the story of a run from its events, for all documents for people.

mod axis;
mod sentence;
mod strip;
mod words;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

pub(super) use self::strip::{Clip, Strip};
pub(super) use self::words::{NOT_ASKED, Pattern};

use super::DocumentError;
use crate::event::{Conclusion, Event, EventKind, RunDescription};
use crate::fault::Fault;
use crate::object::ObjectRef;
use crate::report::{
    ChaosReport, Endpoint, Experiment, ProbeState, ReplicaAnswer, Report, VerifyReport,
};
use crate::timeline::{Incident, Incidents, ServiceState};

/// A run of `verify` or `chaos`, from its first event to its last.
#[derive(Debug)]
pub(super) struct Story<'a> {
    /// The command and the cluster; `None` if the run failed before it knew them.
    pub(super) run: Option<&'a RunDescription>,
    /// The command.
    pub(super) command: &'a str,
    /// The start of the run.
    pub(super) began: Timestamp,
    /// How long it took, in milliseconds.
    pub(super) took_ms: u64,
    /// How it ended.
    pub(super) end: &'a Conclusion,
    /// The workload, once it was known.
    pub(super) object: Option<&'a ObjectRef>,
    /// The plan.
    pub(super) experiment: Option<&'a Experiment>,
    /// The faults that were sent.
    pub(super) faults: Vec<FaultSent<'a>>,
    /// The states of every replica over time.
    pub(super) strips: Vec<Strip<ProbeState>>,
    /// The states of every Service over time, as its clients may have seen them.
    pub(super) services: Vec<Strip<ServiceState>>,
    /// The incidents.
    pub(super) incidents: Vec<Incident>,
    /// When the API server was unresponsive, in milliseconds since the start of the run.
    pub(super) silences: Vec<(u64, u64)>,
    /// The answers of the last verification.
    pub(super) answers: Vec<&'a ReplicaAnswer>,
    /// Warnings, once each.
    pub(super) warnings: Vec<&'a str>,
}

/// A fault.
#[derive(Debug)]
pub(super) struct FaultSent<'a> {
    /// Its number, from 1.
    pub(super) number: u32,
    /// The fault.
    pub(super) fault: Fault,
    /// Its targets.
    pub(super) pods: &'a [String],
    /// When it was sent, in milliseconds since the start of the run.
    pub(super) at_ms: u64,
}

impl<'a> Story<'a> {
    /// The story of a finished run.
    pub(super) fn of(events: &'a [Event]) -> Result<Self, DocumentError> {
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return Err(DocumentError::Unfinished);
        };
        let EventKind::Finished(end) = &last.kind else {
            return Err(DocumentError::Unfinished);
        };
        let run = events.iter().find_map(|event| match &event.kind {
            EventKind::Started(run) => Some(run),
            _ => None,
        });
        let began = first.time
            - SignedDuration::from_millis(i64::try_from(first.elapsed_ms).unwrap_or_default());
        let mut story = Self {
            run,
            command: command(run, end)?,
            began,
            took_ms: last.elapsed_ms,
            end,
            object: None,
            experiment: None,
            faults: Vec::new(),
            strips: Vec::new(),
            services: Vec::new(),
            incidents: incidents(events),
            silences: Vec::new(),
            answers: Vec::new(),
            warnings: Vec::new(),
        };
        for event in events {
            story.fold(event);
        }
        let availability = story.chaos().map(|report| &report.observed.availability);
        (story.strips, story.services) = strip::strips(events, availability);
        if let Some(report) = story.chaos() {
            story.object = Some(&report.object);
            story.experiment = Some(&report.observed.experiment);
        }
        if let Some(report) = story.verification() {
            story.object = Some(&report.object);
        }
        Ok(story)
    }

    fn fold(&mut self, event: &'a Event) {
        match &event.kind {
            EventKind::Verifying { object, .. } => {
                self.object = Some(object);
                self.answers.clear();
            }
            EventKind::Answered { answer, .. } => self.answers.push(answer),
            EventKind::Experiment {
                object, experiment, ..
            } => {
                self.object = Some(object);
                self.experiment = Some(experiment);
            }
            EventKind::Fault {
                number,
                fault,
                pods,
            } => self.faults.push(FaultSent {
                number: *number,
                fault: *fault,
                pods,
                at_ms: event.elapsed_ms,
            }),
            EventKind::ServerAnswers {
                unresponsive_for_ms,
            } => {
                let until = event.elapsed_ms;
                self.silences
                    .push((until.saturating_sub(*unresponsive_for_ms), until));
            }
            EventKind::Warning { message } if !self.warnings.contains(&message.as_str()) => {
                self.warnings.push(message);
            }
            _ => {}
        }
    }

    /// The report of an experiment.
    pub(super) fn chaos(&self) -> Option<&'a ChaosReport> {
        match &self.end.report {
            Some(Report::Chaos(report)) => Some(report),
            _ => None,
        }
    }

    /// The report of a verification.
    pub(super) fn verification(&self) -> Option<&'a VerifyReport> {
        match &self.end.report {
            Some(Report::Verify(report)) => Some(report),
            _ => None,
        }
    }

    /// Whether this is a run of `chaos`.
    pub(super) fn is_experiment(&self) -> bool {
        self.command == "chaos"
    }

    /// The endpoints at which every replica is checked.
    pub(super) fn endpoints(&self) -> &'a [Endpoint] {
        match (self.chaos(), self.verification(), self.experiment) {
            (Some(report), _, _) => &report.observed.experiment.endpoints,
            (_, Some(report), _) => &report.endpoints,
            (_, _, Some(experiment)) => &experiment.endpoints,
            _ => &[],
        }
    }

    /// The legend of all strips: the patterns of the replicas, then those of the Services, each once.
    pub(super) fn key(&self) -> Vec<(&'static str, &'static str)> {
        let mut states: BTreeSet<ProbeState> = self.strips.iter().flat_map(Strip::states).collect();
        // The strip of the API server uses the pattern of a silent replica.
        states.extend((!self.silences.is_empty()).then_some(ProbeState::Silent));
        let of_services: BTreeSet<ServiceState> =
            self.services.iter().flat_map(Strip::states).collect();
        let replicas = states
            .into_iter()
            .map(|state| (state.class(), state.title()));
        let services = of_services
            .into_iter()
            .map(|state| (state.class(), state.title()));
        let mut key: Vec<(&str, &str)> = Vec::new();
        for (class, title) in replicas.chain(services) {
            if !key.contains(&(class, title)) {
                key.push((class, title));
            }
        }
        key
    }
}

fn incidents(events: &[Event]) -> Vec<Incident> {
    let mut incidents = Incidents::default();
    let seen = events.iter().filter_map(|event| incidents.record(event));
    seen.collect()
}

fn command<'a>(
    run: Option<&'a RunDescription>,
    end: &'a Conclusion,
) -> Result<&'a str, DocumentError> {
    let command = match (run, &end.report) {
        // `chaos --restore` is not an experiment.
        (Some(run), Some(Report::Restore(_))) => {
            return Err(DocumentError::OtherCommand {
                command: format!("{} --restore", run.command),
            });
        }
        (Some(run), _) => run.command.as_str(),
        (None, Some(Report::Chaos(_))) => "chaos",
        (None, Some(Report::Verify(_))) => "verify",
        (None, _) => "cryptoctl",
    };
    // A run that failed before it began belongs to the command that requested the document.
    if matches!(command, "verify" | "chaos" | "cryptoctl") {
        Ok(command)
    } else {
        Err(DocumentError::OtherCommand {
            command: command.to_owned(),
        })
    }
}
