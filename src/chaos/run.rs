//! A running experiment: faults one by one, each with its recovery and its proof.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::apps::v1::StatefulSet;
use tokio::time::{Instant, sleep_until};

use super::ChaosPlan;
use super::bystanders::Bystanders;
use super::lease::Held;
use super::phases::show;
use super::probe::Probing;
use super::prober::Prober;
use super::safety;
use super::services::Services;
use super::steady::{largest_probe, probe_time, right_answers, uids};
use super::template::Templates;
use crate::cluster::Question;
use crate::ops::Context;
use crate::ops::error::OpsError;
use crate::ops::rollout::View;
use crate::ops::verify::compared;
use crate::report::{Observed, ProbeState, VerifyReport};
use crate::rollout::{RolloutProgress, rollout_progress};
use crate::status::PodSummary;

/// Probes of each replica before the first fault, which prove that the prober works.
const WARM_UP: u64 = 3;
/// How many bytes of an answer are kept, to compare with answers that break off.
const KEPT: u64 = 64 * 1024;
const LONGEST_WARM_UP: Duration = Duration::from_secs(5);

/// A running experiment.
pub(super) struct Run<'a> {
    pub(super) context: Context,
    pub(super) plan: &'a ChaosPlan,
    pub(super) view: View,
    pub(super) prober: Prober,
    pub(super) templates: Templates,
    pub(super) bystanders: Bystanders,
    /// The lease that prevents concurrent experiments.
    pub(super) lease: Option<Held>,
    _services: Services,
    pub(super) shown: BTreeMap<String, PodSummary>,
    /// The StatefulSet as it is before the first fault.
    pub(super) set: StatefulSet,
    /// The UID of every pod at its last verification: a fault hits only these pods.
    pub(super) verified: BTreeMap<String, String>,
}

impl<'a> Run<'a> {
    /// Starts to watch and to probe; returns once the state of the pods before the fault is known.
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
        let verification = &plan.verification;
        let endpoints = compared(&set, &plan.workload.reference(), verification)?;
        let endpoints = endpoints
            .into_iter()
            .map(|(endpoint, expectation, question)| {
                let right = right_answers(before, &endpoint);
                let probing = Probing {
                    namespace: plan.workload.namespace.clone(),
                    expectation,
                    question: Question {
                        timeout: probe_time(before),
                        largest_body: question.largest_body.min(largest_probe(before)),
                        kept: question.kept.max(KEPT),
                        ..question
                    },
                };
                (probing, right)
            });
        let templates = Templates::of(
            &set,
            view.sets.sight(),
            view.pods.sight(),
            plan.experiment.settings.fault,
        );
        let prober = Prober::start(
            &context.cluster,
            &context.emitter,
            &view.pods.sight(),
            &templates,
            Duration::from_millis(plan.experiment.settings.probe_interval_ms),
            endpoints.collect(),
        );
        let services = Services::follow(context, &plan.workload, &set, prober.endpoints());
        let mut shown = BTreeMap::new();
        show(context, &view, &mut shown);
        let bystanders = Bystanders::of(&view.pods.current().unwrap_or_default());
        Ok(Self {
            context: context.clone(),
            plan,
            view,
            prober,
            templates,
            bystanders,
            lease: None,
            _services: services,
            shown,
            verified: uids(before),
            set,
        })
    }

    fn progress(&self) -> Result<RolloutProgress, OpsError> {
        let snapshot = self.view.snapshot()?;
        snapshot
            .map(|snapshot| rollout_progress(&snapshot))
            .ok_or_else(|| self.context.out_of_time())
    }

    /// The objections to breaking the workload now.
    pub(super) async fn objections(&self) -> Result<Vec<String>, OpsError> {
        let progress = self.progress()?;
        let set = self.view.set()?;
        let objections = safety::objections(&self.context, self.plan, &set, &progress);
        self.context
            .by_deadline(async { Ok(objections.await) })
            .await
    }

    /// Probes until the prober is proven to work.
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
        // Nothing is broken yet, so the experiment does not cause these answers.
        let mut silent = self.not_right();
        for sentence in self.prober.bad_answers() {
            if !silent.contains(&sentence) {
                silent.push(sentence);
            }
        }
        if self.plan.experiment.settings.fault.is_some() {
            observed.refusals.extend(silent);
        } else {
            observed.doubts.extend(silent);
        }
    }

    /// Every replica whose latest probe got no right answer, one sentence each.
    fn not_right(&self) -> Vec<String> {
        let latest = self.prober.latest().into_iter();
        latest
            .filter(|(_, sample)| {
                let state = sample.as_ref().map(|sample| sample.state);
                state != Some(ProbeState::Right)
            })
            .map(|(pod, sample)| {
                let detail = sample.and_then(|sample| sample.detail);
                let detail = detail.unwrap_or_else(|| "no answer in time".to_owned());
                format!("`{pod}` did not answer a probe correctly: {detail}")
            })
            .collect()
    }

    /// Probes for a while and breaks nothing.
    pub(super) async fn control(&self, observed: &mut Observed) {
        let lasting = self.plan.experiment.settings.control_ms.unwrap_or_default();
        let until = Instant::now() + Duration::from_millis(lasting);
        let mut changes = self.prober.changes();
        while self.prober.wrong().is_empty() {
            tokio::select! {
                biased;
                () = sleep_until(until) => return,
                () = self.context.stop.asked() => {
                    observed.doubts.push("the experiment was stopped early".to_owned());
                    return;
                }
                _ = changes.changed() => {}
            }
        }
    }

    /// Sends all faults, one by one.
    pub(super) async fn faults(&mut self, observed: &mut Observed) -> Result<(), OpsError> {
        let beginning = self.context.clone();
        for number in 1..=self.plan.experiment.repeat {
            if number > 1 {
                self.context = beginning.clone().restarted();
                self.pause().await;
                let pods = self.view.pods.current().unwrap_or_default();
                self.bystanders.look(&pods, &[]);
                // A wrong answer ends the experiment at any time.
                if !self.prober.wrong().is_empty() {
                    if let Some(last) = observed.faults.last_mut() {
                        last.wrong_answers = self.prober.wrong_answers();
                    }
                    return Ok(());
                }
                if !self.may_go_on(number, observed).await {
                    return Ok(());
                }
            }
            if self.context.stop.is_asked() {
                observed.is_stopped = true;
                observed.doubts.push(self.stopped(number - 1));
                return Ok(());
            }
            match Box::pin(self.fault(number, observed)).await {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                // Nothing was broken yet, so this is an error, not a verdict.
                Err(error) if observed.faults.is_empty() => return Err(error),
                Err(error) => {
                    observed.doubts.push(told(number, &error));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Whether the next fault may be sent; objections are recorded.
    async fn may_go_on(&self, number: u32, observed: &mut Observed) -> bool {
        match self.objections().await {
            Ok(mut objections) => {
                objections.extend(self.not_right());
                objections.extend(self.lease.as_ref().and_then(Held::objection));
                let told = objections
                    .iter()
                    .map(|objection| format!("fault {number} was not sent: {objection}"));
                observed.doubts.extend(told);
                objections.is_empty()
            }
            Err(error) => {
                observed.doubts.push(told(number, &error));
                false
            }
        }
    }

    /// Waits between two faults, unless the run is stopped or a replica gives a wrong answer.
    async fn pause(&self) {
        let pause = Duration::from_millis(self.plan.experiment.settings.pause_ms);
        let until = Instant::now() + pause;
        let mut changes = self.prober.changes();
        while self.prober.wrong().is_empty() {
            tokio::select! {
                biased;
                () = self.context.stop.asked() => return,
                () = sleep_until(until) => return,
                _ = changes.changed() => {}
            }
        }
    }
}

fn told(number: u32, error: &OpsError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("fault {number}: {error}: {source}"),
        None => format!("fault {number}: {error}"),
    }
}
