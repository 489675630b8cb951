//! An experiment: how far it reaches, each fault with the recovery from it, and what the other
//! replicas do meanwhile. One fault is told phase by phase; of many, each in one line.

mod verdict;
mod words;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use self::verdict::verdict;
pub(crate) use self::words::{phase_name, phases};

use super::facts;
use crate::event::{Event, EventKind, RunDescription};
use crate::render::line::{Level, Line, Tone};
use crate::render::replicas::is_trouble;
use crate::render::words::{count, took};
use crate::report::{Experiment, Fault, ProbeState, RecoveryPhase};
use crate::status::PodSummary;

/// The pods of one fault of which each is told when it is Ready, at most.
const TOLD_PODS: usize = 10;

/// What was seen of an experiment so far.
#[derive(Debug, Default)]
pub(super) struct ChaosLines {
    place: String,
    /// The number of faults.
    kills: u32,
    fault: Option<Sent>,
    /// The last row of each pod.
    pods: BTreeMap<String, PodSummary>,
    /// Since when a replica has not answered right, in milliseconds of the run.
    away: BTreeMap<String, u64>,
}

/// The fault that was sent last.
#[derive(Debug)]
struct Sent {
    number: u32,
    fault: Fault,
    pods: Vec<String>,
    at_ms: u64,
    last: Option<(RecoveryPhase, u64)>,
    /// The pods that are as before.
    recovered: BTreeSet<String>,
}

impl Sent {
    fn is_over(&self) -> bool {
        self.pods.iter().all(|pod| self.recovered.contains(pod))
    }
}

impl ChaosLines {
    /// When a verification takes place, seen from the fault.
    pub(super) fn moment(&self) -> &'static str {
        if self.fault.is_some() {
            "after the fault"
        } else {
            "before the fault"
        }
    }

    /// Whether the lines of the faults say already that a verification was right.
    pub(super) fn implies_right(&self) -> bool {
        self.is_brief() && self.fault.is_some()
    }

    /// Where everything takes place.
    pub(super) fn started(&mut self, run: &RunDescription) {
        self.place = match &run.context {
            Some(context) => format!("in context `{context}` ({})", run.server),
            None => format!("on {}", run.server),
        };
    }

    /// The lines on an event of an experiment.
    pub(super) fn lines(&mut self, event: &Event, width: usize) -> Vec<Line> {
        match &event.kind {
            EventKind::Experiment {
                experiment,
                what,
                reach,
                ..
            } => self.experiment(experiment, what, reach, width),
            EventKind::Fault {
                number,
                fault,
                pods,
            } => {
                let lines = self.unfinished().into_iter().collect();
                self.fault = Some(Sent {
                    number: *number,
                    fault: *fault,
                    pods: pods.clone(),
                    at_ms: event.elapsed_ms,
                    last: None,
                    recovered: BTreeSet::new(),
                });
                if self.is_brief() {
                    return lines;
                }
                let line =
                    Line::said(Level::Progress).with(Tone::Strong, words::doing(*fault, pods));
                vec![line]
            }
            EventKind::Phase {
                pod,
                phase,
                after_ms,
                ..
            } => self.phase(pod, *phase, *after_ms).into_iter().collect(),
            EventKind::Probe {
                pod,
                state,
                at_ms,
                detail,
            } => {
                let line = self.probe(pod, *state, *at_ms, detail.as_deref());
                line.into_iter().collect()
            }
            EventKind::PodChanged { pod } => {
                let line = self.pod(pod, event.elapsed_ms);
                line.into_iter().collect()
            }
            EventKind::Finished(_) => self.unfinished().into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn is_brief(&self) -> bool {
        self.kills > 1
    }

    fn experiment(
        &mut self,
        experiment: &Experiment,
        what: &str,
        reach: &[String],
        width: usize,
    ) -> Vec<Line> {
        self.kills = experiment.kills;
        let line = Line::said(Level::Progress).text("this will ");
        let mut lines = vec![line.with(Tone::Strong, what)];
        let sentences = std::iter::once(&self.place).chain(reach);
        lines.extend(sentences.flat_map(|sentence| facts::entry(Level::Progress, sentence, width)));
        lines
    }

    fn phase(&mut self, pod: &str, phase: RecoveryPhase, after_ms: u64) -> Option<Line> {
        let is_brief = self.is_brief();
        let number = self.number();
        let sent = self.fault.as_mut()?;
        sent.last = Some((phase, after_ms));
        if phase == RecoveryPhase::AllEqual {
            sent.recovered.insert(pod.to_owned());
        }
        if is_brief {
            return (phase == RecoveryPhase::AllEqual && sent.is_over()).then(|| {
                let deed = words::done(sent.fault, &sent.pods);
                Line::said(Level::Progress)
                    .with(Tone::Good, "✓ ")
                    .text(format!("{number}: {deed}, all equal"))
                    .text(format!(" after {}", took(after_ms)))
            });
        }
        let words = words::phase(sent.fault, phase);
        let text = if sent.pods.len() == 1 {
            words.to_owned()
        } else {
            let is_told = match phase {
                RecoveryPhase::AllEqual => sent.is_over(),
                other => other == RecoveryPhase::Ready && sent.pods.len() <= TOLD_PODS,
            };
            if !is_told {
                return None;
            }
            match phase {
                RecoveryPhase::AllEqual => words.to_owned(),
                _ => format!("{pod}: {words}"),
            }
        };
        Some(step("✓", Tone::Good, Some(after_ms), &text, Level::Step))
    }

    /// The kill under way, by its number.
    fn number(&self) -> String {
        let number = self.fault.as_ref().map_or(0, |sent| sent.number);
        format!("kill {number} of {}", self.kills)
    }

    /// The line on a fault whose end was not seen, when there are several.
    fn unfinished(&mut self) -> Option<Line> {
        if !self.is_brief() {
            return None;
        }
        let number = self.number();
        let sent = self.fault.take().filter(|sent| !sent.is_over())?;
        let doing = words::doing(sent.fault, &sent.pods);
        let last = match sent.last {
            None => "nothing was seen of it".to_owned(),
            Some((phase, after_ms)) => format!(
                "last seen after {}: {}",
                took(after_ms),
                words::phase(sent.fault, phase)
            ),
        };
        let line = Line::said(Level::Progress).with(Tone::Doubt, "? ");
        Some(line.text(format!("{number}: {doing}; {last}")))
    }

    /// Whether a replica is expected to be away, because it is the one that was taken.
    fn is_taken(&self, pod: &str) -> bool {
        self.fault.as_ref().is_some_and(|sent| {
            sent.pods.iter().any(|name| name == pod) && !sent.recovered.contains(pod)
        })
    }

    /// What the answers of a replica come to from now on, unless a fault explains it.
    fn probe(
        &mut self,
        pod: &str,
        state: ProbeState,
        at_ms: u64,
        detail: Option<&str>,
    ) -> Option<Line> {
        let is_taken = self.is_taken(pod);
        let after_ms = self.since_fault(at_ms);
        let detail = detail
            .map(|detail| format!(": {detail}"))
            .unwrap_or_default();
        let (mark, tone, text) = match state {
            ProbeState::Right => {
                let since = self.away.remove(pod)?;
                let away = took(at_ms.saturating_sub(since));
                ("✓", Tone::Good, format!("{pod} answers again after {away}"))
            }
            ProbeState::Wrong => (
                "✗",
                Tone::Bad,
                format!("{pod} answers something else{detail}"),
            ),
            // The phases and the outage tell that the pod that was taken is away.
            _ if is_taken => return None,
            ProbeState::Failing => (
                "✗",
                Tone::Bad,
                format!("{pod} does not answer right{detail}"),
            ),
            ProbeState::Silent => ("✗", Tone::Bad, format!("{pod} does not answer{detail}")),
            ProbeState::Unknown => ("?", Tone::Doubt, format!("{pod} cannot be asked{detail}")),
        };
        if state != ProbeState::Right {
            self.away.entry(pod.to_owned()).or_insert(at_ms);
        }
        Some(step(mark, tone, after_ms, &text, Level::Progress))
    }

    /// A pod that is in trouble, or that changes although it was left alone.
    fn pod(&mut self, pod: &PodSummary, elapsed_ms: u64) -> Option<Line> {
        let before = self.pods.insert(pod.pod.clone(), pod.clone())?;
        let is_same = (&before.status, before.ready) == (&pod.status, pod.ready);
        let is_in_trouble = is_trouble(&pod.status);
        if is_same || !is_in_trouble && (self.is_taken(&pod.pod) || self.fault.is_none()) {
            return None;
        }
        let is_well = pod.status == "Running" && pod.ready.0 == pod.ready.1;
        let (mark, tone) = match (is_in_trouble, is_well) {
            (true, _) => ("✗", Tone::Bad),
            (false, true) => ("✓", Tone::Good),
            (false, false) => ("?", Tone::Doubt),
        };
        let mut text = format!(
            "{}: {}, {}/{} Ready",
            pod.pod, pod.status, pod.ready.0, pod.ready.1
        );
        if pod.restarts > 0 {
            let restarts = usize::try_from(pod.restarts).unwrap_or(0);
            text.push_str(", ");
            text.push_str(&count(restarts, "restart"));
        }
        let after_ms = self.since_fault(elapsed_ms);
        Some(step(mark, tone, after_ms, &text, Level::Progress))
    }

    /// Milliseconds since the fault, where a fault is told step by step.
    fn since_fault(&self, at_ms: u64) -> Option<u64> {
        let sent = self.fault.as_ref().filter(|_| !self.is_brief())?;
        Some(at_ms.saturating_sub(sent.at_ms))
    }
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
