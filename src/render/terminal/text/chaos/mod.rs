//! An experiment: its blast radius, each fault with its recovery, and the other replicas in the
//! meantime. A single fault is shown phase by phase; of several faults, each has one line.

mod conclusion;

use std::collections::BTreeSet;

pub(super) use self::conclusion::verdict;

use super::facts;
use crate::event::{Event, EventKind, RunDescription};
use crate::fault::Fault;
use crate::figures::took;
use crate::render::phases;
use crate::render::terminal::line::{Level, Line, Tone};
use crate::report::{Experiment, ProbeState, RecoveryPhase};
use crate::timeline::{CurrentFault, Incident, Incidents, Timeline};

/// With at most this many targets of a fault, each has a line when it is Ready.
const TOLD_PODS: usize = 10;

/// The state of an experiment so far.
#[derive(Debug, Default)]
pub(super) struct ChaosLines {
    place: String,
    /// Whether the plan was already shown in the question for consent.
    is_told: bool,
    /// The number of faults.
    repeat: u32,
    fault: Option<CurrentFault>,
    incidents: Incidents,
    timeline: Timeline,
    /// The replicas whose trouble was reported.
    away: BTreeSet<String>,
}

impl ChaosLines {
    /// Notes that the plan was already shown.
    pub(super) fn plan_is_told(&mut self) {
        self.is_told = true;
    }

    /// When a verification takes place, relative to the fault.
    pub(super) fn moment(&self) -> &'static str {
        if self.fault.is_some() {
            "after the fault"
        } else {
            "before the fault"
        }
    }

    /// Whether the lines of the faults already say that a verification succeeded.
    pub(super) fn implies_right(&self) -> bool {
        self.is_brief() && self.fault.is_some()
    }

    /// Notes the cluster.
    pub(super) fn started(&mut self, run: &RunDescription) {
        self.place = match &run.context {
            Some(context) => format!("in context `{context}` ({})", run.server),
            None => format!("on {}", run.server),
        };
    }

    /// The lines of an event of an experiment.
    pub(super) fn lines(&mut self, event: &Event, width: usize) -> Vec<Line> {
        self.timeline.record(&event.kind);
        let incident = self.incidents.record(event);
        match &event.kind {
            EventKind::Experiment {
                experiment,
                what,
                blast_radius,
                ..
            } => self.experiment(experiment, what, blast_radius, width),
            EventKind::Fault { fault, pods, .. } => {
                let lines = self.unfinished().into_iter().collect();
                CurrentFault::record(&mut self.fault, event);
                if self.is_brief() {
                    return lines;
                }
                let line = Line::said(Level::Progress).with(Tone::Strong, fault.doing(pods));
                vec![line]
            }
            EventKind::Phase {
                pod,
                phase,
                after_ms,
                ..
            } => {
                CurrentFault::record(&mut self.fault, event);
                let line = self.phase(pod, *phase, *after_ms);
                line.into_iter().collect()
            }
            EventKind::Probe {
                pod,
                state,
                at_ms,
                detail,
            } => {
                let line = self.probe(pod, *state, *at_ms, detail.as_deref());
                line.into_iter().collect()
            }
            EventKind::PodChanged { .. } => {
                let incident = incident.iter();
                incident.map(|incident| self.incident(incident)).collect()
            }
            EventKind::Finished(_) => self.unfinished().into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn is_brief(&self) -> bool {
        self.repeat > 1
    }

    fn experiment(
        &mut self,
        experiment: &Experiment,
        what: &str,
        blast_radius: &[String],
        width: usize,
    ) -> Vec<Line> {
        self.repeat = experiment.repeat;
        if self.is_told {
            return Vec::new();
        }
        let line = Line::said(Level::Progress).text("this will ");
        let mut lines = vec![line.with(Tone::Strong, what)];
        let sentences = std::iter::once(&self.place).chain(blast_radius);
        lines.extend(sentences.flat_map(|sentence| facts::entry(Level::Progress, sentence, width)));
        lines
    }

    fn phase(&self, pod: &str, phase: RecoveryPhase, after_ms: u64) -> Option<Line> {
        let is_brief = self.is_brief();
        let number = self.number();
        let sent = self.fault.as_ref()?;
        if is_brief {
            return (phase == RecoveryPhase::AllEqual && sent.is_over()).then(|| {
                let done = sent.fault.done(&sent.pods);
                Line::said(Level::Progress)
                    .with(Tone::Good, "✓ ")
                    .text(format!("{number}: {done}, all equal"))
                    .text(format!(" after {}", took(after_ms)))
            });
        }
        let words = told(sent.fault, phase);
        let text = if sent.pods.len() == 1 {
            words
        } else {
            let is_told = match phase {
                RecoveryPhase::AllEqual => sent.is_over(),
                other => other == RecoveryPhase::Ready && sent.pods.len() <= TOLD_PODS,
            };
            if !is_told {
                return None;
            }
            match phase {
                RecoveryPhase::AllEqual => words,
                _ => format!("{pod}: {words}"),
            }
        };
        Some(step("✓", Tone::Good, Some(after_ms), &text, Level::Step))
    }

    /// The number of the current fault, in words.
    fn number(&self) -> String {
        let number = self.fault.as_ref().map_or(0, |sent| sent.number);
        format!("fault {number} of {}", self.repeat)
    }

    /// The line about an unfinished fault, if there are several faults.
    fn unfinished(&mut self) -> Option<Line> {
        if !self.is_brief() {
            return None;
        }
        let number = self.number();
        let sent = self.fault.take().filter(|sent| !sent.is_over())?;
        let doing = sent.fault.doing(&sent.pods);
        let last = match sent.last {
            None => "no phase was seen".to_owned(),
            Some((phase, after_ms)) => format!(
                "last seen after {}: {}",
                took(after_ms),
                told(sent.fault, phase)
            ),
        };
        let line = Line::said(Level::Progress).with(Tone::Doubt, "? ");
        Some(line.text(format!("{number}: {doing}; {last}")))
    }

    /// The line about a new state of a replica, unless a fault explains it.
    fn probe(
        &mut self,
        pod: &str,
        state: ProbeState,
        at_ms: u64,
        detail: Option<&str>,
    ) -> Option<Line> {
        let is_recovering = self.incidents.is_recovering(pod);
        let after_ms = self.since_fault(at_ms);
        let detail = detail
            .map(|detail| format!(": {detail}"))
            .unwrap_or_default();
        let (mark, tone, text) = match state {
            ProbeState::Right => {
                if !self.away.remove(pod) {
                    return None;
                }
                let text = match self.timeline.outages(pod, at_ms).pop() {
                    Some(outage) if outage.is_over && outage.until_ms == at_ms => {
                        let away = took(outage.length_ms());
                        format!("{pod} answers again after {away}")
                    }
                    _ => format!("{pod} can be probed again and answers correctly"),
                };
                ("✓", Tone::Good, text)
            }
            ProbeState::Wrong => (
                "✗",
                Tone::Bad,
                format!("{pod} gives a different answer{detail}"),
            ),
            // The phases and the outage already cover the target of the fault.
            _ if is_recovering => return None,
            ProbeState::Failing => (
                "✗",
                Tone::Bad,
                format!("{pod} answers with an error{detail}"),
            ),
            ProbeState::Silent => ("✗", Tone::Bad, format!("{pod} does not answer{detail}")),
            ProbeState::Unknown => ("?", Tone::Doubt, format!("{pod} cannot be probed{detail}")),
        };
        if state != ProbeState::Right {
            self.away.insert(pod.to_owned());
        }
        Some(step(mark, tone, after_ms, &text, Level::Progress))
    }

    fn incident(&self, incident: &Incident) -> Line {
        let pod = &incident.pod;
        let is_well = pod.status == "Running" && pod.ready.0 == pod.ready.1;
        let (mark, tone) = match (incident.is_trouble, is_well) {
            (true, _) => ("✗", Tone::Bad),
            (false, true) => ("✓", Tone::Good),
            (false, false) => ("?", Tone::Doubt),
        };
        let after_ms = self.since_fault(incident.at_ms);
        step(mark, tone, after_ms, &incident.to_string(), Level::Progress)
    }

    /// Milliseconds since the fault, if it is shown phase by phase.
    fn since_fault(&self, at_ms: u64) -> Option<u64> {
        let sent = self.fault.as_ref().filter(|_| !self.is_brief())?;
        Some(at_ms.saturating_sub(sent.at_ms))
    }
}

/// A phase by its name and meaning.
fn told(fault: Fault, phase: RecoveryPhase) -> String {
    format!("{}: {}", phase.title(), phases::meaning(fault, phase))
}

/// A step on the clock of the fault.
fn step(mark: &str, tone: Tone, after_ms: Option<u64>, text: &str, level: Level) -> Line {
    let line = Line::said(level).with(tone, format!("  {mark} "));
    let line = match after_ms {
        Some(after_ms) => {
            let after = format!("+{}", took(after_ms));
            line.with(Tone::Faint, format!("{after:<8}  "))
        }
        None => line,
    };
    line.text(text)
}
