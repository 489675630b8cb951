//! Follows the recovery of a fault's targets, phase by phase on one clock.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::ChaosPlan;
use super::bystanders::Bystanders;
use super::fault::{Sent, evict};
use super::phases::{find, is_unschedulable, note, replaced, restarted, show};
use super::prober::Prober;
use super::restoration::{self, Change};
use crate::diagnose::Diagnosis;
use crate::fault::{Fault, Proof, Target};
use crate::ops::Context;
use crate::ops::error::OpsError;
use crate::ops::rollout::View;
use crate::ops::seen::{STALL, Seen};
use crate::ops::stalled_workload::add_log;
use crate::report::{Experiment, FaultRecord, ProbeState, RecoveryPhase};
use crate::rollout::{RolloutState, rollout_progress};
use crate::status::{PodRun, PodSummary, is_ready};

/// A pod that is Ready by its readiness probe may need a moment until it answers.
const SETTLING: Duration = Duration::from_secs(15);
/// If process 1 is still running by then, it ignores SIGTERM.
const LONGEST_STOP: Duration = Duration::from_secs(45);
/// If a command that reported a failure ended the container nevertheless, it shows by then.
const LONGEST_DOUBT: Duration = Duration::from_secs(10);
/// The pause between attempts at an eviction that a disruption budget refuses.
const EVICTION_PAUSE: Duration = Duration::from_secs(2);

/// How a recovery ended.
#[derive(Debug)]
pub(super) enum End {
    /// The rollout is complete, and every replica answers or had its time to: the answers decide.
    Recovered,
    /// It cannot recover, or did not before the deadline: the cause, if known.
    Stuck(Option<Diagnosis>),
    /// A replica answered with different content.
    WrongAnswer,
    /// The user asked to stop.
    Stopped,
}

/// One target of a fault.
pub(super) struct TargetPod {
    pub(super) record: FaultRecord,
    pub(super) old: PodRun,
    /// The container that gets the signal.
    pub(super) container: String,
    pod: Pod,
    /// Whether it still has to be evicted from the cordoned node.
    is_due: bool,
    /// Why its last eviction was refused.
    refusal: Option<String>,
}

impl TargetPod {
    /// A target as it is just before the fault.
    pub(super) fn new(pod: &Pod, number: u32, experiment: &Experiment, at_ms: u64) -> Self {
        let fault = experiment.settings.fault.unwrap_or(Fault::Delete);
        let container = experiment.container.clone().unwrap_or_default();
        let old = match fault.facts().proof {
            Proof::Restart => PodRun::of_container(pod, &container),
            Proof::NewPod => PodRun::of(pod),
        };
        Self {
            record: FaultRecord {
                number,
                fault,
                pod: pod.metadata.name.clone().unwrap_or_default(),
                at_ms,
                uid_before: old.uid.clone(),
                uid_after: None,
                restarts_before: old.restarts,
                restarts_after: None,
                proof: None,
                refused: None,
                phases: BTreeMap::new(),
                outage_ms: None,
                wrong_answers: 0,
            },
            old,
            container,
            pod: pod.clone(),
            is_due: fault.facts().target == Target::Node,
            refusal: None,
        }
    }

    /// The record of the target; if it was never evicted, the record says why.
    pub(super) fn into_record(mut self) -> FaultRecord {
        if self.is_due {
            let reason = self.refusal.take();
            let reason =
                reason.unwrap_or_else(|| "the experiment ended before its eviction".to_owned());
            self.record.refused = Some(reason);
        }
        self.record
    }

    /// Whether its replacement or its restart was seen.
    fn has_changed(&self) -> bool {
        match self.record.fault.facts().proof {
            Proof::Restart => self.record.proof.is_some(),
            Proof::NewPod => self.record.uid_after.is_some(),
        }
    }

    /// Whether a pod is neither the target nor its replacement.
    fn is_another(&self, pod: &Pod) -> bool {
        let first = self
            .record
            .fault
            .keeps_pod()
            .then_some(&self.record.uid_before);
        let last = self.record.uid_after.as_ref().or(first);
        last.is_some_and(|last| pod.metadata.uid.as_ref() != Some(last))
    }

    fn is_over(&self) -> bool {
        self.has_changed() || self.record.refused.is_some()
    }
}

/// A recovery that is being followed.
pub(super) struct Recovery<'a> {
    pub(super) context: &'a Context,
    pub(super) plan: &'a ChaosPlan,
    pub(super) view: &'a mut View,
    pub(super) prober: &'a Prober,
    pub(super) bystanders: &'a mut Bystanders,
    pub(super) shown: &'a mut BTreeMap<String, PodSummary>,
    pub(super) targets: Vec<TargetPod>,
    /// The change to undo on the way.
    pub(super) change: Option<Change>,
    /// Whether the fault reported a failure, so that its effect is not awaited for long.
    pub(super) is_doubtful: bool,
}

impl Recovery<'_> {
    /// Follows until the workload has recovered or cannot recover, or until the run is stopped.
    ///
    /// # Errors
    /// A failed request.
    pub(super) async fn follow(&mut self) -> Result<End, OpsError> {
        let started = Instant::now();
        let mut seen = Seen::default();
        let mut next_look = started + STALL;
        let mut next_eviction = started;
        let mut whole_since = None;
        let mut changes = self.prober.changes();
        loop {
            let is_over = self
                .wait(&mut changes, next_look.min(next_eviction), whole_since)
                .await?;
            if Instant::now() >= next_look {
                self.view
                    .look_around(self.context, &self.plan.workload)
                    .await;
                next_look = Instant::now() + STALL;
            }
            show(self.context, self.view, self.shown);
            self.note_phases();
            if !self.prober.wrong().is_empty() {
                return Ok(End::WrongAnswer);
            }
            if self.context.stop.is_asked() {
                return Ok(End::Stopped);
            }
            if self.targets.iter().any(|target| target.is_due) && Instant::now() >= next_eviction {
                self.evict_next().await?;
                next_eviction = Instant::now() + EVICTION_PAUSE;
            } else if !self.targets.iter().any(|target| target.is_due) {
                next_eviction = Instant::now() + Duration::from_hours(1);
            }
            self.restore_when_due().await?;
            // Undoing the change may complete the recovery.
            self.note_phases();
            let Some(snapshot) = self.view.snapshot()? else {
                continue;
            };
            let has_changed = self.change.is_none() && self.targets.iter().all(TargetPod::is_over);
            match seen.judge(rollout_progress(&snapshot)).state {
                RolloutState::Complete if has_changed => {
                    let since = *whole_since.get_or_insert_with(Instant::now);
                    if self.is_equal() || since.elapsed() >= SETTLING {
                        return Ok(End::Recovered);
                    }
                }
                RolloutState::Complete if self.ignores_the_signal(started) => {
                    return Ok(End::Recovered);
                }
                RolloutState::Failed { mut cause } if has_changed => {
                    add_log(self.context, &self.plan.workload.namespace, &mut cause).await;
                    return Ok(End::Stuck(Some(cause)));
                }
                RolloutState::Progressing { suspicion, .. } if is_over => {
                    return Ok(End::Stuck(suspicion));
                }
                RolloutState::Progressing { .. } => whole_since = None,
                _ => {}
            }
            if is_over {
                return Ok(End::Stuck(None));
            }
        }
    }

    /// Waits for news; returns whether the deadline has passed.
    async fn wait(
        &mut self,
        probes: &mut watch::Receiver<u64>,
        next_look: Instant,
        whole_since: Option<Instant>,
    ) -> Result<bool, OpsError> {
        let doing = || {
            let object = self.plan.workload.reference();
            OpsError::while_doing(format!("watch the pods of `{object}`"))
        };
        let settled = whole_since.map_or(next_look, |since| since + SETTLING);
        tokio::select! {
            // A fixed order makes runs repeatable and never starves the deadline.
            biased;
            () = sleep_until(self.context.deadline) => return Ok(true),
            () = self.context.stop.asked() => {}
            changed = self.view.pods.changed() => changed.map_err(doing())?,
            changed = self.view.sets.changed() => changed.map_err(doing())?,
            () = sleep_until(next_look.min(settled)) => {}
            // It cannot fail: the prober lives.
            _ = probes.changed() => {}
        }
        Ok(false)
    }

    fn ignores_the_signal(&self, started: Instant) -> bool {
        let longest = if self.is_doubtful {
            LONGEST_DOUBT
        } else {
            LONGEST_STOP
        };
        self.plan
            .experiment
            .settings
            .fault
            .is_some_and(Fault::keeps_pod)
            && started.elapsed() >= longest
    }

    /// Whether every replica answers correctly now, and every target with its new run.
    fn is_equal(&self) -> bool {
        let latest = self.prober.latest();
        let is_right = |pod: &String| {
            let sample = latest.get(pod).and_then(Option::as_ref);
            sample.is_some_and(|sample| sample.state == ProbeState::Right)
        };
        latest.keys().all(is_right)
            && self
                .targets
                .iter()
                .filter(|target| target.record.refused.is_none())
                .all(|target| {
                    target
                        .record
                        .phases
                        .contains_key(&RecoveryPhase::FirstRightAnswer)
                })
    }

    /// Undoes a change that has served its purpose: a scale to zero when no pod is left; a cordon when
    /// the evicted pods are Ready elsewhere or cannot be scheduled.
    async fn restore_when_due(&mut self) -> Result<(), OpsError> {
        let Some(change) = &self.change else {
            return Ok(());
        };
        let pods = self.view.pods.current().unwrap_or_default();
        let is_due = match change {
            Change::Scaled => self
                .targets
                .iter()
                .all(|target| find(&pods, &target.record.pod).is_none()),
            Change::Cordoned { node } => {
                let new: Vec<&Pod> = self
                    .targets
                    .iter()
                    .filter(|target| target.has_changed())
                    .filter_map(|target| find(&pods, &target.record.pod))
                    .collect();
                let homeless = new.iter().find(|pod| is_unschedulable(pod));
                if let Some(pod) = homeless {
                    let name = pod.metadata.name.as_deref().unwrap_or_default();
                    self.context.warn(format!(
                        "no other node can take `{name}`: uncordoning `{node}`"
                    ));
                }
                let all_moved = self.targets.iter().all(TargetPod::is_over)
                    && new.iter().all(|pod| is_ready(pod));
                homeless.is_some() || all_moved
            }
        };
        if is_due {
            restoration::undo(self.context, self.plan, change).await?;
            self.change = None;
            for target in self.targets.iter_mut().filter(|target| target.is_due) {
                target.is_due = false;
                target.record.refused =
                    Some("its node was uncordoned before its eviction".to_owned());
            }
        }
        Ok(())
    }

    /// Evicts the next pod from the cordoned node, once the previous one is Ready again.
    async fn evict_next(&mut self) -> Result<(), OpsError> {
        let pods = self.view.pods.current().unwrap_or_default();
        let is_waiting = self
            .targets
            .iter()
            .filter(|target| !target.is_due && target.record.refused.is_none())
            .any(|target| {
                !target.has_changed() || !find(&pods, &target.record.pod).is_some_and(is_ready)
            });
        let (context, workload) = (self.context, &self.plan.workload);
        let Some(next) = self.targets.iter_mut().find(|target| target.is_due) else {
            return Ok(());
        };
        if is_waiting {
            return Ok(());
        }
        next.record.at_ms = context.emitter.elapsed_ms();
        match evict(context, workload, &next.pod).await? {
            Sent::Accepted(_) => {
                next.is_due = false;
                note(context, &mut next.record, RecoveryPhase::Accepted);
            }
            Sent::Refused(reason) | Sent::Doubtful(reason) => next.refusal = Some(reason),
        }
        Ok(())
    }

    /// Records the phases of the targets, each once, when it is first seen.
    fn note_phases(&mut self) {
        let pods = self.view.pods.current().unwrap_or_default();
        let latest = self.prober.latest();
        let names: Vec<&str> = self
            .targets
            .iter()
            .map(|target| &*target.record.pod)
            .collect();
        self.bystanders.look(&pods, &names);
        for target in self.targets.iter_mut().filter(|target| !target.is_due) {
            if target.record.refused.is_some() {
                continue;
            }
            let pod = find(&pods, &target.record.pod);
            if pod.is_some_and(|pod| target.is_another(pod)) {
                self.bystanders.replaced_again(&target.record.pod);
            }
            let mut seen = match target.record.fault.facts().proof {
                Proof::Restart => restarted(target, pod),
                Proof::NewPod => replaced(target, pod),
            };
            let run = pod.map(PodRun::of);
            let sample = latest.get(&target.record.pod).and_then(Option::as_ref);
            let answers = sample.is_some_and(|sample| {
                sample.state == ProbeState::Right && sample.run.is_some() && sample.run == run
            });
            if answers && seen.contains(&RecoveryPhase::Started) {
                seen.insert(RecoveryPhase::FirstRightAnswer);
            }
            for phase in seen {
                note(self.context, &mut target.record, phase);
            }
        }
        let is_whole = self.targets.iter().all(|target| {
            target.record.refused.is_some()
                || target.record.phases.contains_key(&RecoveryPhase::Ready)
        });
        if is_whole && self.change.is_none() && self.is_equal() {
            for target in &mut self.targets {
                if target.record.refused.is_none() {
                    note(self.context, &mut target.record, RecoveryPhase::AllEqual);
                }
            }
        }
    }
}
