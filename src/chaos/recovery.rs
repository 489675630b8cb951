//! Follows what becomes of the pods that a fault took, phase by phase on one clock.

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
use crate::ops::rollout::{STALL, Seen, View};
use crate::ops::stalled_workload::add_log;
use crate::report::{Experiment, FaultRecord, ProbeState, RecoveryPhase};
use crate::rollout::{RolloutState, rollout_progress};
use crate::status::{PodRun, PodSummary, is_ready};

/// A pod that is Ready by its own probe may need a moment until it answers.
const SETTLING: Duration = Duration::from_secs(15);
/// Process 1 that has not ended by then ignores SIGTERM.
const LONGEST_STOP: Duration = Duration::from_secs(45);
/// A command that is said to have failed, and has ended the container all the same, shows by then.
const LONGEST_DOUBT: Duration = Duration::from_secs(10);
/// How often an eviction that a budget refuses is tried again, while a node is drained.
const EVICTION_PAUSE: Duration = Duration::from_secs(2);

/// How following a recovery ended.
#[derive(Debug)]
pub(super) enum End {
    /// Everything is as it should be, or has had its time to become so: the answers decide.
    Recovered,
    /// It cannot recover by itself, or had not when the time was over: what keeps it, if known.
    Stuck(Option<Diagnosis>),
    /// A replica answered with other content.
    WrongAnswer,
    /// The user asked to stop.
    Stopped,
}

/// One pod that a fault takes.
pub(super) struct Taken {
    pub(super) record: FaultRecord,
    pub(super) old: PodRun,
    /// The container that a signal is for.
    pub(super) container: String,
    pod: Pod,
    /// Whether it still has to be evicted, from a node that is drained.
    is_due: bool,
    /// Why its eviction was refused the last time.
    refusal: Option<String>,
}

impl Taken {
    /// A pod as it is right before the fault.
    pub(super) fn new(pod: &Pod, number: u32, experiment: &Experiment, at_ms: u64) -> Self {
        let fault = experiment.fault.unwrap_or(Fault::Delete);
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

    /// What became of it; one that was never evicted says why.
    pub(super) fn into_record(mut self) -> FaultRecord {
        if self.is_due {
            let reason = self.refusal.take();
            let reason = reason.unwrap_or_else(|| "its turn never came".to_owned());
            self.record.refused = Some(reason);
        }
        self.record
    }

    /// Whether its successor, or its restart, has been seen.
    fn has_changed(&self) -> bool {
        match self.record.fault.facts().proof {
            Proof::Restart => self.record.proof.is_some(),
            Proof::NewPod => self.record.uid_after.is_some(),
        }
    }

    /// Whether a pod is neither the one that was taken nor the one that has come back.
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

/// What is followed.
pub(super) struct Recovery<'a> {
    pub(super) context: &'a Context,
    pub(super) plan: &'a ChaosPlan,
    pub(super) view: &'a mut View,
    pub(super) prober: &'a Prober,
    pub(super) bystanders: &'a mut Bystanders,
    pub(super) shown: &'a mut BTreeMap<String, PodSummary>,
    pub(super) taken: Vec<Taken>,
    /// What has to be restored on the way.
    pub(super) change: Option<Change>,
    /// Whether the fault is said to have failed, so that it need not be waited for long.
    pub(super) is_doubtful: bool,
}

impl Recovery<'_> {
    /// Follows until the workload is whole again, cannot become so, or something ends it.
    ///
    /// # Errors
    /// A failed exchange.
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
            if self.taken.iter().any(|taken| taken.is_due) && Instant::now() >= next_eviction {
                self.evict_next().await?;
                next_eviction = Instant::now() + EVICTION_PAUSE;
            } else if !self.taken.iter().any(|taken| taken.is_due) {
                next_eviction = Instant::now() + Duration::from_hours(1);
            }
            self.restore_when_due().await?;
            // What was restored may have been all that was missing.
            self.note_phases();
            let Some(snapshot) = self.view.snapshot()? else {
                continue;
            };
            let has_changed = self.change.is_none() && self.taken.iter().all(Taken::is_over);
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

    /// Waits for anything new; returns whether the time is over.
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
            // In this order, so that a run can be repeated exactly, and the deadline is never starved.
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
        self.plan.experiment.fault.is_some_and(Fault::keeps_pod) && started.elapsed() >= longest
    }

    /// Whether every replica gives the right answer now, those that were taken by their new run.
    fn is_equal(&self) -> bool {
        let latest = self.prober.latest();
        let is_right = |pod: &String| {
            let sample = latest.get(pod).and_then(Option::as_ref);
            sample.is_some_and(|sample| sample.state == ProbeState::Right)
        };
        latest.keys().all(is_right)
            && self
                .taken
                .iter()
                .filter(|taken| taken.record.refused.is_none())
                .all(|taken| {
                    taken
                        .record
                        .phases
                        .contains_key(&RecoveryPhase::FirstRightAnswer)
                })
    }

    /// Undoes what has done its work: a scale to zero when no pod is left, a cordon when the pods
    /// that it drove away are Ready elsewhere, or cannot go anywhere.
    async fn restore_when_due(&mut self) -> Result<(), OpsError> {
        let Some(change) = &self.change else {
            return Ok(());
        };
        let pods = self.view.pods.current().unwrap_or_default();
        let is_due = match change {
            Change::Scaled => self
                .taken
                .iter()
                .all(|taken| find(&pods, &taken.record.pod).is_none()),
            Change::Cordoned { node } => {
                let new: Vec<&Pod> = self
                    .taken
                    .iter()
                    .filter(|taken| taken.has_changed())
                    .filter_map(|taken| find(&pods, &taken.record.pod))
                    .collect();
                let homeless = new.iter().find(|pod| is_unschedulable(pod));
                if let Some(pod) = homeless {
                    let name = pod.metadata.name.as_deref().unwrap_or_default();
                    self.context.warn(format!(
                        "no other node takes `{name}`: `{node}` is uncordoned"
                    ));
                }
                let all_moved =
                    self.taken.iter().all(Taken::is_over) && new.iter().all(|pod| is_ready(pod));
                homeless.is_some() || all_moved
            }
        };
        if is_due {
            restoration::undo(self.context, self.plan, change).await?;
            self.change = None;
            for taken in self.taken.iter_mut().filter(|taken| taken.is_due) {
                taken.is_due = false;
                taken.record.refused =
                    Some("its node had to take pods again before its turn came".to_owned());
            }
        }
        Ok(())
    }

    /// Evicts the next pod of a node that is drained, once the one before is Ready again.
    async fn evict_next(&mut self) -> Result<(), OpsError> {
        let pods = self.view.pods.current().unwrap_or_default();
        let is_waiting = self
            .taken
            .iter()
            .filter(|taken| !taken.is_due && taken.record.refused.is_none())
            .any(|taken| {
                !taken.has_changed() || !find(&pods, &taken.record.pod).is_some_and(is_ready)
            });
        let (context, workload) = (self.context, &self.plan.workload);
        let Some(next) = self.taken.iter_mut().find(|taken| taken.is_due) else {
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

    /// Notes what is seen of the pods that were taken; each phase once, when it was seen.
    fn note_phases(&mut self) {
        let pods = self.view.pods.current().unwrap_or_default();
        let latest = self.prober.latest();
        let names: Vec<&str> = self.taken.iter().map(|taken| &*taken.record.pod).collect();
        self.bystanders.look(&pods, &names);
        for taken in self.taken.iter_mut().filter(|taken| !taken.is_due) {
            if taken.record.refused.is_some() {
                continue;
            }
            let pod = find(&pods, &taken.record.pod);
            if pod.is_some_and(|pod| taken.is_another(pod)) {
                self.bystanders.replaced_again(&taken.record.pod);
            }
            let mut seen = match taken.record.fault.facts().proof {
                Proof::Restart => restarted(taken, pod),
                Proof::NewPod => replaced(taken, pod),
            };
            let run = pod.map(PodRun::of);
            let sample = latest.get(&taken.record.pod).and_then(Option::as_ref);
            let answers = sample.is_some_and(|sample| {
                sample.state == ProbeState::Right && sample.run.is_some() && sample.run == run
            });
            if answers && seen.contains(&RecoveryPhase::Started) {
                seen.insert(RecoveryPhase::FirstRightAnswer);
            }
            for phase in seen {
                note(self.context, &mut taken.record, phase);
            }
        }
        let is_whole = self.taken.iter().all(|taken| {
            taken.record.refused.is_some()
                || taken.record.phases.contains_key(&RecoveryPhase::Ready)
        });
        if is_whole && self.change.is_none() && self.is_equal() {
            for taken in &mut self.taken {
                if taken.record.refused.is_none() {
                    note(self.context, &mut taken.record, RecoveryPhase::AllEqual);
                }
            }
        }
    }
}
