//! One fault and its recovery: sends the fault, follows the recovery, and decides whether the next fault
//! may follow.

use k8s_openapi::api::core::v1::Pod;

use super::fault::{Sent, send};
use super::phases::{find, note};
use super::recovery::{End, Recovery, TargetPod};
use super::restoration::{self, Change};
use super::run::Run;
use super::steady::{settled, uids};
use crate::event::EventKind;
use crate::exit::Outcome;
use crate::fault::Target;
use crate::figures::{count, duration};
use crate::ops::error::OpsError;
use crate::report::{FaultRecord, Observed, RecoveryPhase, VerifyReport};
use crate::status::{held_by, is_being_deleted};

impl Run<'_> {
    /// Sends one fault and follows its recovery; returns whether the next fault may follow.
    pub(super) async fn fault(
        &mut self,
        number: u32,
        observed: &mut Observed,
    ) -> Result<bool, OpsError> {
        let Some(fault) = self.plan.experiment.settings.fault else {
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
        self.bystanders.look(&pods, &[]);
        if let Some(name) = names.iter().find(|name| !self.is_verified(&pods, name)) {
            let reason = format!("`{name}` was replaced or deleted after it was verified");
            if observed.faults.is_empty() {
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
        let mut targets: Vec<TargetPod> = names
            .iter()
            .filter_map(|name| find(&pods, name))
            .map(|pod| TargetPod::new(pod, number, &self.plan.experiment, at_ms))
            .collect();
        let mut doubt = None;
        let change = match sent {
            Sent::Refused(reason) => {
                for target in &mut targets {
                    target.record.refused = Some(reason.clone());
                }
                observed
                    .faults
                    .extend(targets.into_iter().map(|it| it.record));
                observed.after = None;
                return Ok(false);
            }
            Sent::Doubtful(reason) => {
                doubt = Some(reason);
                None
            }
            Sent::Accepted(change) => change,
        };
        if fault.facts().target != Target::Node && doubt.is_none() {
            for target in &mut targets {
                note(&self.context, &mut target.record, RecoveryPhase::Accepted);
            }
        }
        let mut recovery = Recovery {
            context: &self.context,
            plan: self.plan,
            view: &mut self.view,
            prober: &self.prober,
            bystanders: &mut self.bystanders,
            shown: &mut self.shown,
            targets,
            change,
            is_doubtful: doubt.is_some(),
        };
        let followed = recovery.follow().await;
        let change = recovery.change.take();
        let targets = std::mem::take(&mut recovery.targets);
        if let Some(change) = change {
            match self.undo(&change).await {
                Ok(()) => self.context.warn(change.undone(&self.plan.workload)),
                Err(error) => observed.not_restored.push(format!(
                    "the change that the experiment made could not be undone ({error}): run `{}`",
                    self.plan.workload.restore_command()
                )),
            }
        }
        // A wrong answer ends the experiment, so all of them belong to this fault.
        let wrong_answers = self.prober.wrong_answers();
        for target in targets {
            let mut record = target.into_record();
            record.outage_ms = self.prober.outage_since(&record.pod, record.at_ms);
            record.wrong_answers = wrong_answers;
            if record.proof.is_none() && doubt.is_some() {
                record.refused.clone_from(&doubt);
            }
            observed.faults.push(record);
        }
        self.weigh(number, followed?, observed).await
    }

    fn is_verified(&self, pods: &[Pod], name: &String) -> bool {
        let pod = find(pods, name).filter(|pod| pod.metadata.deletion_timestamp.is_none());
        let uid = pod.and_then(|pod| pod.metadata.uid.as_ref());
        uid.is_some() && self.verified.get(name) == uid
    }

    /// Weighs how a recovery ended; returns whether the experiment continues.
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
                let held = self.held(&observed.faults);
                if self.context.in_time().is_err() {
                    // A pod that a finalizer or volume holds needs more than time.
                    let advice = if held.is_empty() {
                        "; allow more time with `--timeout`"
                    } else {
                        ""
                    };
                    observed.doubts.push(format!(
                        "the workload did not recover within {}{advice}",
                        duration(self.context.timeout)
                    ));
                }
                observed.doubts.extend(held);
                return Ok(false);
            }
            End::Stopped => {
                observed.is_stopped = true;
                observed.doubts.push(self.stopped(number));
                return Ok(false);
            }
            // The next verification tells lost data from one stale replica.
            End::WrongAnswer | End::Recovered => {}
        }
        observed.after = settled(&self.context, self.plan).await?;
        observed.remade = self.templates.all_remade();
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
            .faults
            .iter()
            .all(|record| record.proof.is_some() && record.refused.is_none());
        let is_whole = is_right && is_same && is_proven && self.prober.wrong().is_empty();
        if is_whole {
            self.templates.verify();
            observed.remade.clear();
        }
        Ok(is_whole)
    }

    /// The pods that are still terminating and what holds them, one sentence each.
    fn held(&self, faults: &[FaultRecord]) -> Vec<String> {
        let pods = self.view.pods.current().unwrap_or_default();
        let still = faults.iter().filter_map(|record| {
            let pod = find(&pods, &record.pod)?;
            let is_old = pod.metadata.uid.as_ref() == Some(&record.uid_before);
            let pod = serde_json::to_value(pod).ok().filter(|_| is_old)?;
            let holders = held_by(&pod);
            (is_being_deleted(&pod) && !holders.is_empty()).then(|| {
                let holders = holders.join("; ");
                format!("`{}` is still being deleted: {holders}", record.pod)
            })
        });
        still.collect()
    }

    /// The targets of a fault.
    fn pods(&self, number: u32, pods: &[Pod]) -> Vec<String> {
        let planned = &self.plan.experiment.pods;
        match self.plan.experiment.settings.fault {
            Some(fault) if fault.targets_workload() => planned.clone(),
            Some(fault) if fault.facts().target == Target::Node => {
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

    pub(super) fn stopped(&self, faults: u32) -> String {
        let all = self.plan.experiment.repeat;
        let others = if faults < all {
            "; the other faults were not sent"
        } else {
            ""
        };
        format!(
            "the experiment was stopped after {faults} of {}{others}",
            count(all, "fault")
        )
    }

    /// Undoes a change however the run ended, with a deadline of its own.
    async fn undo(&self, change: &Change) -> Result<(), OpsError> {
        let context = self.context.clone().restarted();
        let undoing = restoration::undo(&context, self.plan, change);
        context.by_deadline(undoing).await
    }
}
