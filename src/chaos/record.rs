//! Records the probes of every replica.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::judge::Judgement;
use crate::emitter::Emitter;
use crate::event::EventKind;
use crate::figures::{milliseconds, took};
use crate::report::ProbeState;
use crate::status::PodRun;
use crate::timeline::Timeline;

/// A gap: three intervals without a result, at least a tenth of a second.
const STALL: u32 = 3;
const SHORTEST_STALL: Duration = Duration::from_millis(100);

/// One probe.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) state: ProbeState,
    /// The run of the probed pod.
    pub(super) run: Option<PodRun>,
    /// Its start and end, in milliseconds since the start of the run.
    pub(super) began_ms: u64,
    pub(super) ended_ms: u64,
    /// How long its slowest answer took, or was waited for, in milliseconds: less than from start to end if
    /// a kept connection failed first, or if there are several endpoints.
    pub(super) took_ms: u64,
    /// The answer in words, or why there is none.
    pub(super) detail: Option<String>,
    /// Whether an answer began but has no proven end.
    pub(super) is_cut: bool,
    /// Whether a complete answer arrived, even if it cannot be judged.
    pub(super) is_answered: bool,
}

impl Sample {
    /// A probe that began and ended at these moments.
    pub(super) fn new(
        judgement: Judgement,
        run: Option<PodRun>,
        (began_ms, ended_ms): (u64, u64),
        took_ms: u64,
    ) -> Self {
        Self {
            state: judgement.state,
            run,
            began_ms,
            ended_ms,
            took_ms,
            detail: judgement.detail,
            is_cut: judgement.is_cut,
            is_answered: judgement.is_answered,
        }
    }

    /// Whether it shows that the replica was probed and how it responded.
    fn is_decided(&self) -> bool {
        self.is_answered || self.state != ProbeState::Unknown
    }
}

/// All observations of all replicas.
pub(super) struct Record {
    emitter: Emitter,
    seen: Mutex<Seen>,
    changes: watch::Sender<u64>,
    /// A longer probe, or a longer pause between two probes, may hide an outage.
    stall_ms: u64,
}

/// Everything seen so far.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) timeline: Timeline,
    pub(super) replicas: BTreeMap<String, Replica>,
    /// Every answer with different content, one sentence each.
    pub(super) wrong: Vec<String>,
}

/// The observations of one replica.
#[derive(Default)]
pub(super) struct Replica {
    pub(super) latest: Option<Sample>,
    decided_until_ms: Option<u64>,
    largest_gap_ms: u64,
    /// Cut answers since the last right one of the same run.
    cut: u64,
    /// Cut answers of runs that answered correctly afterwards.
    pub(super) unexplained_cuts: u64,
    /// The first answer, complete or not, that was not right.
    pub(super) first_bad: Option<String>,
}

impl Replica {
    /// Counts a cut answer. If its run goes on, no fault explains it.
    fn count_cut(&mut self, sample: &Sample) {
        let latest = self.latest.as_ref();
        if latest.is_some_and(|latest| latest.run != sample.run) {
            self.cut = 0;
        }
        if sample.is_cut {
            self.cut += 1;
        }
        if sample.state == ProbeState::Right {
            self.unexplained_cuts += self.cut;
            self.cut = 0;
        }
    }

    /// The state before this probe's answer if it was a gap: either no request was sent, for example
    /// because this program stalled, or the replica hung. Both last from the end of the previous probe.
    fn hidden(&self, sample: &Sample, stall_ms: u64) -> Option<(ProbeState, u64, String)> {
        let latest = self.latest.as_ref()?;
        let idle = sample.began_ms.saturating_sub(latest.ended_ms);
        if idle > stall_ms && latest.state != ProbeState::Unknown {
            let detail = format!("not probed for {}", took(idle));
            return Some((ProbeState::Unknown, latest.ended_ms, detail));
        }
        let hung = sample.took_ms;
        let is_usual = hung <= stall_ms.max(latest.took_ms * 3);
        if sample.state == ProbeState::Right && latest.state == ProbeState::Right && !is_usual {
            let detail = format!("no answer for {}", took(hung));
            return Some((ProbeState::Silent, latest.ended_ms, detail));
        }
        None
    }

    /// The longest gap so far, in milliseconds.
    pub(super) fn gap(&self, now_ms: u64) -> u64 {
        let is_unknown = self
            .latest
            .as_ref()
            .is_some_and(|sample| !sample.is_decided());
        let open = self
            .decided_until_ms
            .filter(|_| is_unknown)
            .map_or(0, |until| now_ms.saturating_sub(until));
        self.largest_gap_ms.max(open)
    }
}

impl Record {
    /// An empty record of these pods.
    pub(super) fn of(emitter: Emitter, pods: &[String], interval: Duration) -> Self {
        let replicas = pods.iter().cloned();
        Self {
            emitter,
            seen: Mutex::new(Seen {
                timeline: Timeline::of(replicas.clone()),
                replicas: replicas.map(|pod| (pod, Replica::default())).collect(),
                wrong: Vec::new(),
            }),
            changes: watch::Sender::new(0),
            stall_ms: milliseconds(interval.max(SHORTEST_STALL) * STALL),
        }
    }

    /// Everything seen so far.
    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A counter that changes with every probe.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Milliseconds since the start of the run.
    pub(super) fn now_ms(&self) -> u64 {
        self.emitter.elapsed_ms()
    }

    /// Emits an event and records it, so that the report matches the events.
    pub(super) fn emit(&self, seen: &mut Seen, event: EventKind) {
        seen.timeline.record(&event);
        self.emitter.send(event);
    }

    /// Notes that only a new connection got a right answer.
    pub(super) fn reconnected(&self, pod: &str) {
        self.seen().timeline.counts_mut(pod).reconnected += 1;
    }

    /// Adds a probe.
    pub(super) fn add(&self, pod: &str, sample: Sample) {
        let mut guard = self.seen();
        let seen = &mut *guard;
        let Some(replica) = seen.replicas.get_mut(pod) else {
            return;
        };
        let counts = seen.timeline.counts_mut(pod);
        counts.add(sample.state);
        counts.cut += u64::from(sample.is_cut);
        let mut told = Vec::new();
        replica.count_cut(&sample);
        if sample.is_cut || matches!(sample.state, ProbeState::Wrong | ProbeState::Failing) {
            replica.first_bad = replica.first_bad.take().or(sample.detail.clone());
        }
        let mut before = replica.latest.as_ref().map(|latest| latest.state);
        if let Some((state, at_ms, detail)) = replica.hidden(&sample, self.stall_ms) {
            counts.add(state);
            told.push(EventKind::Probe {
                pod: pod.to_owned(),
                state,
                at_ms,
                detail: Some(detail),
            });
            before = Some(state);
        }
        if sample.is_decided() {
            let idle = replica
                .decided_until_ms
                .map_or(0, |until| sample.began_ms.saturating_sub(until));
            replica.largest_gap_ms = replica.largest_gap_ms.max(idle);
            replica.decided_until_ms = Some(sample.ended_ms);
        }
        let is_change = before != Some(sample.state);
        if is_change {
            // An outage begins with the last right answer: the time in between is unknown.
            let at_ms = match (before, &replica.latest) {
                (Some(ProbeState::Right), Some(latest)) => latest.ended_ms,
                _ => sample.ended_ms,
            };
            told.push(EventKind::Probe {
                pod: pod.to_owned(),
                state: sample.state,
                at_ms,
                detail: sample.detail.clone(),
            });
        }
        if sample.state == ProbeState::Wrong && is_change {
            let detail = sample.detail.clone().unwrap_or_default();
            seen.wrong.push(format!("`{pod}` answered with {detail}"));
        }
        replica.latest = Some(sample);
        for event in told {
            self.emit(seen, event);
        }
        drop(guard);
        self.changes.send_modify(|number| *number += 1);
    }
}
