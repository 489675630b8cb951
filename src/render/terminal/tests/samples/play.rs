//! An experiment played event by event, as `ops` would emit it.

use std::collections::BTreeMap;

use super::prove::{answer, endpoint, verification};
use super::{KEYS, OTHER_KEYS, at, finished, started, stateful_set, written};
use crate::action::Action;
use crate::diagnose::{Cause, Diagnosis, Evidence, Finality};
use crate::event::{Event, EventKind};
use crate::exit::ExitStatus;
use crate::fault::Fault;
use crate::object::ObjectRef;
use crate::report::{
    ChaosReport, Experiment, ExperimentSettings, FaultRecord, Observed, ProbeCounts, ProbeState,
    Prober, RecoveryPhase, ReplicaAnswer, Report, Selection, VerifyReport,
};
use crate::timeline::Timeline;

pub(super) const REPLICAS: i32 = 2;
pub(super) const FIRST_FAULT_MS: u64 = 1_000;

/// The result of each fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Recovers,
    /// It recovers, but nothing proves that the pod is a new one.
    Unproven,
    /// It comes back with different data.
    Forgets,
    /// It never comes back.
    Crashes,
}

/// A run under construction.
pub(super) struct Play {
    events: Vec<Event>,
    timeline: Timeline,
    faults: Vec<FaultRecord>,
    pub(super) now_ms: u64,
}

pub(super) fn name(ordinal: i32) -> String {
    format!("cryptoserver-{ordinal}")
}

pub(super) fn uid(record: u32, pod: &str) -> String {
    let last = pod.bytes().last().unwrap();
    format!("6f0c2b1e-7a44-4d0e-9{last:03x}-{record:012x}")
}

impl Play {
    pub(super) fn new(experiment: &Experiment) -> Self {
        let pods: Vec<String> = (0..REPLICAS).map(name).collect();
        let mut play = Self {
            events: vec![started("chaos")],
            timeline: Timeline::default(),
            faults: Vec::new(),
            now_ms: 0,
        };
        play.push(
            5,
            EventKind::Experiment {
                object: stateful_set(),
                experiment: experiment.clone(),
                replicas: pods.clone(),
                what: what(experiment),
                blast_radius: vec![
                    "1 of 2 replicas stays up".into(),
                    "each pod has 10 s to stop".into(),
                    "each of 2 replicas is probed every 100 ms: GET /keys on port 80".into(),
                ],
            },
        );
        for pod in &pods {
            play.probe(40, pod, ProbeState::Right, None);
        }
        play.endpoints(41, &[0, 1]);
        play
    }

    pub(super) fn push(&mut self, at_ms: u64, kind: EventKind) {
        self.now_ms = self.now_ms.max(at_ms);
        self.timeline.record(&kind);
        self.events.push(at(at_ms, kind));
    }

    pub(super) fn probe(&mut self, at_ms: u64, pod: &str, state: ProbeState, detail: Option<&str>) {
        let kind = EventKind::Probe {
            pod: pod.to_owned(),
            state,
            at_ms,
            detail: detail.map(str::to_owned),
        };
        self.push(at_ms, kind);
    }

    pub(super) fn endpoints(&mut self, at_ms: u64, ordinals: &[i32]) {
        let ready: Vec<String> = ordinals.iter().copied().map(name).collect();
        let kind = EventKind::Endpoints {
            service: "cryptoserver".into(),
            ready,
            at_ms,
        };
        self.push(at_ms, kind);
    }

    /// Probes every replica every 100 ms until now.
    pub(super) fn counted(&mut self, largest_gap_ms: u64) {
        let until = self.now_ms;
        let mut counts = BTreeMap::new();
        for pod in (0..REPLICAS).map(name) {
            let mut of_pod = ProbeCounts::default();
            let outages = self.timeline.outages(&pod, until);
            for at_ms in (40..until).step_by(100) {
                let is_away = outages
                    .iter()
                    .any(|outage| (outage.from_ms..outage.until_ms).contains(&at_ms));
                of_pod.add(if is_away {
                    ProbeState::Silent
                } else {
                    ProbeState::Right
                });
            }
            counts.insert(pod, of_pod);
        }
        let kind = EventKind::Probes {
            counts,
            largest_gap_ms,
        };
        self.push(until, kind);
    }

    pub(super) fn fault(&mut self, number: u32, fault: Fault, ordinal: i32, fate: Fate) {
        let pod = name(ordinal);
        let object = ObjectRef::new("", "Pod", Some("logaiter"), &pod);
        // Some are slower than others, as in a real cluster.
        let jitter = u64::from(number * 7_919 % 613);
        let begin = self.now_ms + 10;
        self.push(
            begin,
            EventKind::Fault {
                number,
                fault,
                pods: vec![pod.clone()],
            },
        );
        self.push(begin + 8, written(object, Action::Delete));
        let late = 1_180 + jitter;
        let phases = [
            (RecoveryPhase::Accepted, 8),
            (RecoveryPhase::Terminating, 15),
            (RecoveryPhase::Gone, late),
            (RecoveryPhase::Replaced, late + 21),
            (RecoveryPhase::Scheduled, late + 31),
            (RecoveryPhase::VolumeReady, late + 900),
            (RecoveryPhase::Started, late + 1_721),
            (RecoveryPhase::FirstRightAnswer, late + 3_100),
            (RecoveryPhase::Ready, late + 3_700 + jitter),
            (RecoveryPhase::AllEqual, late + 3_800 + jitter),
        ];
        let seen = if fate == Fate::Crashes {
            7
        } else {
            phases.len()
        };
        let mut kind = FaultRecord {
            number,
            fault,
            pod: pod.clone(),
            at_ms: begin,
            uid_before: uid(number - 1, &pod),
            uid_after: (fate != Fate::Unproven).then(|| uid(number, &pod)),
            restarts_before: 0,
            restarts_after: Some(0),
            proof: (fate != Fate::Unproven)
                .then(|| format!("a new UID, and a start {} ms later", late + 1_721)),
            refused: None,
            phases: BTreeMap::new(),
            outage_ms: None,
            wrong_answers: 0,
        };
        let others: Vec<i32> = (0..REPLICAS).filter(|other| *other != ordinal).collect();
        self.endpoints(begin + 90, &others);
        self.probe(begin + 600, &pod, ProbeState::Failing, Some("status 503"));
        self.probe(
            begin + 900,
            &pod,
            ProbeState::Silent,
            Some("nothing listens"),
        );
        for (phase, after_ms) in phases.into_iter().take(seen) {
            kind.phases.insert(phase, after_ms);
            let kind = EventKind::Phase {
                number,
                pod: pod.clone(),
                phase,
                after_ms,
            };
            self.push(begin + after_ms, kind);
        }
        match fate {
            Fate::Crashes => self.now_ms += 15_000,
            Fate::Forgets => {
                let other = Some("different content: 27 bytes, 9c4e21ab77d0");
                self.probe(begin + late + 3_100, &pod, ProbeState::Wrong, other);
                kind.wrong_answers = 1;
            }
            Fate::Recovers | Fate::Unproven => {
                self.probe(begin + late + 3_100, &pod, ProbeState::Right, None);
                kind.outage_ms = Some(late + 2_500);
            }
        }
        if fate != Fate::Crashes {
            self.endpoints(begin + late + 3_750 + jitter, &[0, 1]);
        }
        self.faults.push(kind);
        self.counted(104 + jitter / 10);
        self.now_ms += 50;
    }

    pub(super) fn verify(&mut self, at_ms: u64, answers: &[ReplicaAnswer]) -> VerifyReport {
        let (events, report) = verification(at_ms, answers);
        self.now_ms = at_ms + answers.len() as u64;
        self.events.extend(events);
        report
    }

    pub(super) fn finish(mut self, observed: impl FnOnce(&Self) -> Observed) -> Vec<Event> {
        let report = ChaosReport::new(observed(&self));
        let status = ExitStatus::from(report.outcome());
        let report = Some(Report::Chaos(Box::new(report)));
        self.events.push(finished(self.now_ms + 20, status, report));
        self.events
    }
}

pub(super) fn what(experiment: &Experiment) -> String {
    match (experiment.settings.fault, experiment.repeat) {
        (None, _) => "probe `statefulset/cryptoserver` in namespace `logaiter` and break nothing",
        (Some(_), 1) => "delete `pod/cryptoserver-0` in namespace `logaiter`",
        (Some(_), _) => {
            "delete one of 2 pods of `statefulset/cryptoserver` in namespace `logaiter`, again and again"
        }
    }
    .to_owned()
}

pub(super) fn experiment(faults: u32) -> Experiment {
    let pods = (0..faults).map(|record| name(i32::try_from(record).unwrap() % REPLICAS));
    Experiment {
        settings: ExperimentSettings {
            fault: Some(Fault::Delete),
            selection: if faults == 1 {
                Selection::First
            } else {
                Selection::AllInTurn
            },
            probe_interval_ms: 100,
            max_outage_ms: (faults > 1).then_some(10_000),
            max_recovery_ms: (faults > 1).then_some(20_000),
            ..ExperimentSettings::default()
        },
        repeat: faults,
        pods: pods.collect(),
        container: None,
        beside: Vec::new(),
        endpoints: vec![endpoint()],
    }
}

pub(super) fn observed(play: &Play, experiment: Experiment, before: VerifyReport) -> Observed {
    Observed {
        faults: play.faults.clone(),
        availability: play.timeline.availability(40, play.now_ms),
        prober: Prober {
            interval_ms: 100,
            largest_gap_ms: 164,
        },
        ..Observed::new(experiment, before)
    }
}

pub(super) fn same() -> Vec<ReplicaAnswer> {
    (0..REPLICAS).map(|ordinal| answer(ordinal, KEYS)).collect()
}

pub(super) fn played(faults: u32, fate: Fate) -> Vec<Event> {
    let experiment = experiment(faults);
    let mut play = Play::new(&experiment);
    let before = play.verify(60, &same());
    play.now_ms = FIRST_FAULT_MS;
    for number in 1..=faults {
        let ordinal = i32::try_from(number - 1).unwrap() % REPLICAS;
        play.fault(number, Fault::Delete, ordinal, fate);
    }
    let after = match fate {
        Fate::Crashes => None,
        Fate::Forgets => Some([answer(0, OTHER_KEYS), answer(1, KEYS)].to_vec()),
        Fate::Recovers | Fate::Unproven => Some(same()),
    };
    let after = after.map(|answers| play.verify(play.now_ms + 5, &answers));
    play.finish(|play| Observed {
        after,
        cause: (fate == Fate::Crashes).then(crashing),
        ..observed(play, experiment, before)
    })
}

fn crashing() -> Diagnosis {
    Diagnosis {
        cause: Cause::CrashLoop,
        object: ObjectRef::new("", "Pod", Some("logaiter"), &name(0)),
        container: Some("api".into()),
        message: "the container keeps ending, last with exit code 134".into(),
        evidence: vec![Evidence::log(
            &ObjectRef::new("", "Pod", Some("logaiter"), &name(0)),
            "api",
            "Keys file <keys.txt> already exists & create was passed".into(),
        )],
        next: vec!["kubectl logs pod/cryptoserver-0 -n logaiter --previous".into()],
        finality: Finality::Final,
    }
}
