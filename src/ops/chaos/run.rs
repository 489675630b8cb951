//! An experiment under way: faults one after the other, each with its recovery and its proof.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use tokio::time::{Instant, sleep, sleep_until};

use super::ChaosPlan;
use super::fault::{Sent, send};
use super::phases::{find, note, show};
use super::plan::restore_command;
use super::probe::Probing;
use super::prober::Prober;
use super::recovery::{End, Recovery, Taken};
use super::restoration::{self, Change};
use super::safety;
use super::services::Services;
use super::steady::{largest_probe, probe_time, right_answers, settled, uids};
use crate::event::EventKind;
use crate::exit::Outcome;
use crate::ops::Context;
use crate::ops::error::OpsError;
use crate::ops::rollout::View;
use crate::ops::verify::question;
use crate::report::{Fault, Observed, ProbeState, RecoveryPhase, VerifyReport};
use crate::status::{PodSummary, RolloutProgress, rollout_progress};

/// Probes of each replica before the first fault, so that the prober itself is proven to work.
const WARM_UP: u64 = 3;
const LONGEST_WARM_UP: Duration = Duration::from_secs(5);

/// An experiment under way.
pub(super) struct Run<'a> {
    context: Context,
    plan: &'a ChaosPlan,
    view: View,
    pub(super) prober: Prober,
    _services: Services,
    shown: BTreeMap<String, PodSummary>,
    /// Every answer with other content so far.
    wrong: usize,
    /// The UID of every pod as it was last verified: nothing else is broken.
    verified: BTreeMap<String, String>,
}

impl<'a> Run<'a> {
    /// Begins to follow and to probe; returns when the pods are known as they are before the fault.
    pub(super) async fn begin(
        context: &Context,
        plan: &'a ChaosPlan,
        before: &VerifyReport,
    ) -> Result<Self, OpsError> {
        let mut view = context
            .by_deadline(View::open(context, &plan.workload))
            .await?;
        let doing = format!("watch the pods of `{}`", plan.workload.reference());
        let pods = async {
            view.pods
                .changed()
                .await
                .map_err(OpsError::while_doing(doing))
        };
        context.by_deadline(pods).await?;
        let set = view.set()?;
        let verification = &plan.request.verification;
        let mut question = question(&set, &plan.workload.reference(), verification)?;
        question.timeout = probe_time(before);
        question.largest_body = question.largest_body.min(largest_probe(before));
        let probing = Probing {
            namespace: plan.workload.namespace.clone(),
            expectation: verification.expectations[0].clone(),
            question,
            interval: Duration::from_millis(plan.experiment.probe_interval_ms),
        };
        let prober = Prober::start(
            &context.cluster,
            &context.emitter,
            &view.pods.sight(),
            &probing,
            right_answers(before),
        );
        let services = Services::follow(context, &plan.workload, &set, prober.endpoints());
        let mut shown = BTreeMap::new();
        show(context, &view, &mut shown);
        Ok(Self {
            context: context.clone(),
            plan,
            view,
            prober,
            _services: services,
            shown,
            wrong: 0,
            verified: uids(before),
        })
    }

    fn progress(&self) -> Result<RolloutProgress, OpsError> {
        let snapshot = self.view.snapshot()?;
        snapshot
            .map(|snapshot| rollout_progress(&snapshot))
            .ok_or_else(|| self.context.out_of_time())
    }

    /// What speaks against breaking the workload now.
    pub(super) async fn objections(&self) -> Result<Vec<String>, OpsError> {
        let progress = self.progress()?;
        let set = self.view.set()?;
        let objections = safety::objections(&self.context, self.plan, &set, &progress);
        self.context
            .by_deadline(async { Ok(objections.await) })
            .await
    }

    /// Probes until the prober itself is known to work.
    pub(super) async fn warm_up(&self, observed: &mut Observed) {
        let mut changes = self.prober.changes();
        let until = Instant::now() + LONGEST_WARM_UP;
        while !self.prober.has_probed_each(WARM_UP) {
            tokio::select! {
                biased;
                () = sleep_until(until) => break,
                () = self.context.stop.asked() => return,
                _ = changes.changed() => {}
            }
        }
        for (pod, sample) in self.prober.latest() {
            let is_right = sample.is_some_and(|it| it.state == ProbeState::Right);
            if !is_right {
                observed.doubts.push(format!(
                    "`{pod}` was not probed right before the first fault"
                ));
            }
        }
    }

    /// Probes for a while and breaks nothing.
    pub(super) async fn control(&self, observed: &mut Observed) {
        let until = Instant::now() + self.plan.request.control;
        let mut changes = self.prober.changes();
        while self.prober.wrong().is_empty() {
            tokio::select! {
                biased;
                () = sleep_until(until) => return,
                () = self.context.stop.asked() => {
                    observed.doubts.push("it was stopped before its end".to_owned());
                    return;
                }
                _ = changes.changed() => {}
            }
        }
    }

    /// All faults, one after the other.
    pub(super) async fn faults(&mut self, observed: &mut Observed) -> Result<(), OpsError> {
        let beginning = self.context.clone();
        for number in 1..=self.plan.experiment.kills {
            if number > 1 {
                self.context = beginning.clone().restarted();
                if !self.pause().await {
                    observed.doubts.push(self.stopped(number - 1));
                    return Ok(());
                }
                let objections = self.objections().await;
                match objections {
                    Ok(objections) if objections.is_empty() => {}
                    Ok(objections) => {
                        observed
                            .doubts
                            .extend(objections.into_iter().map(|objection| {
                                format!("fault {number} did not take place: {objection}")
                            }));
                        return Ok(());
                    }
                    Err(error) => {
                        observed.doubts.push(told(number, &error));
                        return Ok(());
                    }
                }
            }
            match Box::pin(self.fault(number, observed)).await {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                // Nothing was broken yet: that is no verdict, but an error.
                Err(error) if observed.kills.is_empty() => return Err(error),
                Err(error) => {
                    observed.doubts.push(told(number, &error));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Waits between two faults; returns whether to go on.
    async fn pause(&self) -> bool {
        tokio::select! {
            biased;
            () = self.context.stop.asked() => false,
            () = sleep(self.plan.request.pause) => true,
        }
    }

    /// One fault and its recovery; returns whether the next one may follow.
    async fn fault(&mut self, number: u32, observed: &mut Observed) -> Result<bool, OpsError> {
        let Some(fault) = self.plan.experiment.fault else {
            return Ok(false);
        };
        self.context.in_time()?;
        let workload = self.view.set()?;
        let pods = self.view.pods.current().unwrap_or_default();
        let mut names = self.pods(number, &pods);
        names.retain(|name| find(&pods, name).is_some());
        let Some(first) = names.first().and_then(|name| find(&pods, name)) else {
            return Err(OpsError::NoSuchPod {
                object: Box::new(self.plan.workload.reference()),
            });
        };
        if let Some(name) = names.iter().find(|name| !self.is_verified(&pods, name)) {
            let reason = format!("`{name}` was replaced after it had been verified");
            if observed.kills.is_empty() {
                observed.refusals.push(reason);
            } else {
                observed.doubts.push(reason);
            }
            return Ok(false);
        }
        self.context.emit(EventKind::Fault {
            number,
            fault,
            pods: names.clone(),
        });
        let at_ms = self.context.emitter.elapsed_ms();
        let sending = send(&self.context, self.plan, &workload, first);
        let sent = self.context.by_deadline(sending).await;
        if sent.is_err() {
            restoration::undo_in_doubt(&self.context, self.plan, first).await;
        }
        let sent = sent?;
        let mut taken: Vec<Taken> = names
            .iter()
            .filter_map(|name| find(&pods, name))
            .map(|pod| Taken::new(pod, number, fault, at_ms))
            .collect();
        let mut doubt = None;
        let change = match sent {
            Sent::Refused(reason) => {
                for taken in &mut taken {
                    taken.kill.refused = Some(reason.clone());
                }
                observed.kills.extend(taken.into_iter().map(|it| it.kill));
                observed.after = None;
                return Ok(false);
            }
            Sent::Doubtful(reason) => {
                doubt = Some(reason);
                None
            }
            Sent::Accepted(change) => change,
        };
        if fault != Fault::Cordon && doubt.is_none() {
            for taken in &mut taken {
                note(&self.context, &mut taken.kill, RecoveryPhase::Accepted);
            }
        }
        let mut recovery = Recovery {
            context: &self.context,
            plan: self.plan,
            view: &mut self.view,
            prober: &self.prober,
            shown: &mut self.shown,
            taken,
            change,
            is_doubtful: doubt.is_some(),
        };
        let followed = recovery.follow().await;
        let change = recovery.change.take();
        let taken = std::mem::take(&mut recovery.taken);
        if let Some(change) = change {
            match self.undo(&change).await {
                Ok(()) => self.context.warn(change.undone(&self.plan.workload)),
                Err(error) => observed.not_restored.push(format!(
                    "what the experiment changed could not be restored ({error}): run `{}`",
                    restore_command(&self.plan.workload)
                )),
            }
        }
        let wrong = self.prober.wrong().len();
        for taken in taken {
            let mut kill = taken.kill;
            kill.outage_ms = self.prober.outage_since(&kill.pod, kill.at_ms);
            kill.wrong_answers = (wrong - self.wrong) as u64;
            if kill.proof.is_none() {
                kill.refused.clone_from(&doubt);
            }
            observed.kills.push(kill);
        }
        self.wrong = wrong;
        self.weigh(number, followed?, observed).await
    }

    fn is_verified(&self, pods: &[Pod], name: &String) -> bool {
        let uid = find(pods, name).and_then(|pod| pod.metadata.uid.as_ref());
        uid.is_some() && self.verified.get(name) == uid
    }

    /// What the end of a recovery means for the experiment; returns whether to go on.
    async fn weigh(
        &mut self,
        number: u32,
        end: End,
        observed: &mut Observed,
    ) -> Result<bool, OpsError> {
        observed.after = None;
        match end {
            End::Stuck(cause) => {
                observed.cause = cause;
                if self.context.in_time().is_err() {
                    observed.doubts.push(format!(
                        "the time for it, {} s, was over before the workload had recovered; \
                         `--timeout` gives it more",
                        self.context.timeout.as_secs_f32()
                    ));
                }
                return Ok(false);
            }
            End::Stopped => {
                observed.is_stopped = true;
                observed.doubts.push(self.stopped(number));
                return Ok(false);
            }
            // What the replicas agree on now tells lost data from one stale replica.
            End::WrongAnswer | End::Recovered => {}
        }
        observed.after = settled(&self.context, self.plan).await?;
        if let Some(after) = &observed.after {
            self.verified = uids(after);
        }
        let is_right = observed
            .after
            .as_ref()
            .is_some_and(|after| after.verdict == Outcome::Success);
        let is_same = observed
            .after
            .as_ref()
            .and_then(VerifyReport::agreed_sha256)
            == observed.before.agreed_sha256();
        let is_proven = observed
            .kills
            .iter()
            .all(|kill| kill.proof.is_some() && kill.refused.is_none());
        Ok(is_right && is_same && is_proven && self.prober.wrong().is_empty())
    }

    /// The pods that a fault takes.
    fn pods(&self, number: u32, pods: &[Pod]) -> Vec<String> {
        let planned = &self.plan.experiment.pods;
        match self.plan.experiment.fault {
            Some(fault) if fault.takes_all() => planned.clone(),
            Some(Fault::Cordon) => {
                let index = (number as usize).saturating_sub(1);
                let node = planned
                    .get(index)
                    .and_then(|name| find(pods, name))
                    .and_then(|pod| pod.spec.as_ref()?.node_name.clone());
                let mut here: Vec<String> = pods
                    .iter()
                    .filter(|pod| {
                        node.is_some()
                            && pod.spec.as_ref().and_then(|spec| spec.node_name.clone()) == node
                    })
                    .filter_map(|pod| pod.metadata.name.clone())
                    .filter(|name| self.prober.latest().contains_key(name))
                    .collect();
                here.sort();
                here
            }
            _ => {
                let index = (number as usize).saturating_sub(1);
                planned.get(index).cloned().into_iter().collect()
            }
        }
    }

    fn stopped(&self, faults: u32) -> String {
        let all = self.plan.experiment.kills;
        let others = if faults < all { "; the others were not sent" } else { "" };
        format!("it was stopped after {faults} of {all} faults{others}")
    }

    /// Undoes a change however the run ends, in a time of its own.
    async fn undo(&self, change: &Change) -> Result<(), OpsError> {
        let context = self.context.clone().restarted();
        let undoing = restoration::undo(&context, &self.plan.workload, change);
        context.by_deadline(undoing).await
    }
}

fn told(number: u32, error: &OpsError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("fault {number}: {error}: {source}"),
        None => format!("fault {number}: {error}"),
    }
}
