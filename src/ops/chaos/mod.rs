//! Breaks a workload on purpose, follows its recovery, and proves that the data survived:
//! steady state, fault, continuous probing, recovery, steady state.

mod fault;
mod plan;
mod prober;
mod recovery;
mod request;
mod restoration;
mod safety;
mod services;

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

pub use self::plan::{ChaosPlan, plan_chaos};
pub use self::request::{ChaosRequest, OlderRun};
pub use self::restoration::restore;

use self::fault::{Sent, send};
use self::prober::{Prober, Probing, Right};
use self::recovery::{End, Recovery, Taken, find, note, show};
use self::services::Services;
use super::Context;
use super::error::OpsError;
use super::rollout::View;
use super::verify::{question, verify};
use crate::event::{EventKind, milliseconds};
use crate::exit::Outcome;
use crate::report::{
    ChaosReport, Compared, Kill, Observed, Percentiles, Problem, RecoveryPhase, VerifyReport,
};
use crate::status::{PodSummary, RolloutProgress, rollout_progress};

/// A pod that is Ready by its own probe may need a moment until it answers; a wrong answer is final
/// at once, silence only after this long.
const SETTLING: Duration = Duration::from_secs(15);
const SETTLING_PAUSE: Duration = Duration::from_millis(500);
/// Probes of each replica before the first fault, so that the prober itself is proven to work.
const WARM_UP: u64 = 3;
const LONGEST_WARM_UP: Duration = Duration::from_secs(5);
/// The time for the answer to a probe: this, or a multiple of the slowest answer of the steady state.
const PROBE_TIME: Duration = Duration::from_secs(1);
const PROBE_TIME_FACTOR: u64 = 5;
/// Slower than this by itself is no regression: two probe intervals and the clock's own steps.
const NOISE_MS: u64 = 250;

/// Carries out an experiment as it was settled and agreed to.
///
/// The time of the context holds for the first steady state, and anew for each fault with its recovery.
///
/// # Errors
/// [`OpsError`] when nothing was broken; what happens after the first fault is in the report.
pub async fn chaos(context: &Context, plan: &ChaosPlan) -> Result<ChaosReport, OpsError> {
    context.stop.heed();
    let before = verify(context, &plan.workload, &plan.request.verification).await?;
    context.emit(EventKind::Experiment {
        object: plan.workload.reference(),
        experiment: plan.experiment.clone(),
        replicas: names(&before),
        what: plan.what.clone(),
        reach: plan.reach.clone(),
    });
    let mut observed = Observed {
        experiment: plan.experiment.clone(),
        before,
        kills: Vec::new(),
        after: None,
        cause: None,
        availability: crate::report::Availability::default(),
        prober: crate::report::Prober {
            interval_ms: plan.experiment.probe_interval_ms,
            largest_gap_ms: 0,
        },
        compared: Vec::new(),
        refusals: Vec::new(),
        doubts: Vec::new(),
        failures: Vec::new(),
        not_restored: Vec::new(),
    };
    if observed.before.verdict != Outcome::Success {
        return Ok(ChaosReport::new(observed));
    }
    let mut run = Run::begin(context, plan, &observed.before).await?;
    observed.refusals = run.objections().await?;
    if observed.refusals.is_empty() {
        run.warm_up(&mut observed).await;
        let from_ms = context.emitter.elapsed_ms();
        if observed.experiment.fault.is_some() {
            run.faults(&mut observed).await?;
        } else {
            run.control(&mut observed).await;
        }
        (observed.availability, observed.prober) = run.prober.result(from_ms);
        observed.failures.extend(run.prober.wrong());
        observed.compared = compare(plan, &observed.kills);
    }
    Ok(ChaosReport::new(observed))
}

/// The replicas of a verification, by ordinal.
fn names(report: &VerifyReport) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for answer in &report.replicas {
        if !names.contains(&answer.pod) {
            names.push(answer.pod.clone());
        }
    }
    names
}

/// An experiment under way.
struct Run<'a> {
    context: Context,
    plan: &'a ChaosPlan,
    view: View,
    prober: Prober,
    _services: Services,
    shown: BTreeMap<String, PodSummary>,
    /// Every answer with other content so far.
    wrong: usize,
}

impl<'a> Run<'a> {
    /// Begins to follow and to probe; returns when the pods are known as they are before the fault.
    async fn begin(
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
        })
    }

    fn progress(&self) -> Result<RolloutProgress, OpsError> {
        let snapshot = self.view.snapshot()?;
        snapshot
            .map(|snapshot| rollout_progress(&snapshot))
            .ok_or_else(|| self.context.out_of_time())
    }

    async fn objections(&self) -> Result<Vec<String>, OpsError> {
        let progress = self.progress()?;
        let set = self.view.set()?;
        let objections = safety::objections(&self.context, self.plan, &set, &progress);
        self.context
            .by_deadline(async { Ok(objections.await) })
            .await
    }

    /// Probes until the prober itself is known to work.
    async fn warm_up(&self, observed: &mut Observed) {
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
            let is_right = sample.is_some_and(|it| it.state == crate::report::ProbeState::Right);
            if !is_right {
                observed.doubts.push(format!(
                    "`{pod}` was not probed right before the first fault"
                ));
            }
        }
    }

    /// Probes for a while and breaks nothing.
    async fn control(&self, observed: &mut Observed) {
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
    async fn faults(&mut self, observed: &mut Observed) -> Result<(), OpsError> {
        let beginning = self.context.clone();
        for number in 1..=self.plan.experiment.kills {
            if number > 1 {
                self.context = beginning.clone().restarted();
                if !self.pause().await {
                    observed.doubts.push(stopped(number - 1));
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
            match self.fault(number, observed).await {
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
        let set = self.view.set()?;
        let pods = self.view.pods.current().unwrap_or_default();
        let mut names = self.pods(number, &pods);
        names.retain(|name| find(&pods, name).is_some());
        let Some(first) = names.first().and_then(|name| find(&pods, name)) else {
            return Err(OpsError::NoSuchPod {
                object: Box::new(self.plan.workload.reference()),
            });
        };
        self.context.emit(EventKind::Fault {
            number,
            fault,
            pods: names.clone(),
        });
        let at_ms = self.context.emitter.elapsed_ms();
        let sending = send(&self.context, self.plan, &set, first);
        let sent = self.context.by_deadline(sending).await?;
        let mut taken: Vec<Taken> = names
            .iter()
            .filter_map(|name| find(&pods, name))
            .map(|pod| Taken::new(pod, number, fault, at_ms))
            .collect();
        let change = match sent {
            Sent::Refused(reason) => {
                for taken in &mut taken {
                    taken.kill.refused = Some(reason.clone());
                }
                observed.kills.extend(taken.into_iter().map(|it| it.kill));
                observed.after = None;
                return Ok(false);
            }
            Sent::Accepted(change) => change,
        };
        if fault != crate::report::Fault::Cordon {
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
        };
        let followed = recovery.follow().await;
        let change = recovery.change.take();
        let taken = std::mem::take(&mut recovery.taken);
        if let Some(change) = change
            && let Err(error) = self.undo(&change).await
        {
            observed.not_restored.push(format!(
                "what the experiment changed could not be restored ({error}): run `cryptoctl chaos \
                 --restore`"
            ));
        }
        let wrong = self.prober.wrong().len();
        for taken in taken {
            let mut kill = taken.kill;
            kill.outage_ms = self.prober.outage_since(&kill.pod, kill.at_ms);
            kill.wrong_answers = (wrong - self.wrong) as u64;
            observed.kills.push(kill);
        }
        self.wrong = wrong;
        self.weigh(number, followed?, observed).await
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
                return Ok(false);
            }
            End::Stopped => {
                observed.doubts.push(stopped(number));
                return Ok(false);
            }
            // What the replicas agree on now tells lost data from one stale replica.
            End::WrongAnswer | End::Recovered => {}
        }
        observed.after = self.settled().await?;
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
    fn pods(&self, number: u32, pods: &[k8s_openapi::api::core::v1::Pod]) -> Vec<String> {
        use crate::report::Fault;
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

    /// Undoes a change however the run ends, in a time of its own.
    async fn undo(&self, change: &restoration::Change) -> Result<(), OpsError> {
        let context = self.context.clone().restarted();
        let undoing = restoration::undo(&context, &self.plan.workload, change);
        context.by_deadline(undoing).await
    }

    /// Verifies until the answers are final, or the pods have had their moment to begin answering;
    /// `None` when the time is over before there is any answer.
    async fn settled(&self) -> Result<Option<VerifyReport>, OpsError> {
        let until = (Instant::now() + SETTLING).min(self.context.deadline);
        let mut last = None;
        loop {
            let verification = &self.plan.request.verification;
            let report = match verify(&self.context, &self.plan.workload, verification).await {
                Ok(report) => report,
                Err(OpsError::OutOfTime { .. }) => return Ok(last),
                Err(error) => return Err(error),
            };
            let is_final = report.verdict == Outcome::Success
                || report.groups.len() > report.endpoints.len()
                || report
                    .replicas
                    .iter()
                    .filter_map(|answer| answer.error.as_ref())
                    .any(is_an_answer);
            last = Some(report);
            if is_final || Instant::now() >= until || self.context.stop.is_asked() {
                return Ok(last);
            }
            sleep(SETTLING_PAUSE).await;
        }
    }
}

fn is_an_answer(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::WrongStatus { .. } | Problem::Empty | Problem::TooLarge { .. }
    )
}

fn stopped(faults: u32) -> String {
    let noun = if faults == 1 { "fault" } else { "faults" };
    format!("it was stopped after {faults} {noun}")
}

fn told(number: u32, error: &OpsError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("fault {number}: {error}: {source}"),
        None => format!("fault {number}: {error}"),
    }
}

fn probe_time(before: &VerifyReport) -> Duration {
    let slowest = before
        .replicas
        .iter()
        .filter_map(|answer| answer.latency_ms)
        .max()
        .unwrap_or(0);
    PROBE_TIME.max(Duration::from_millis(slowest * PROBE_TIME_FACTOR))
}

/// What each replica answered at the first endpoint in the steady state.
fn right_answers(before: &VerifyReport) -> Vec<Right> {
    let first = before.endpoints.first();
    before
        .replicas
        .iter()
        .filter(|answer| Some(&answer.endpoint) == first)
        .filter_map(|answer| {
            let sha256 = answer.compared_sha256.clone().or(answer.sha256.clone())?;
            Some(Right {
                pod: answer.pod.clone(),
                sha256,
                content_type: answer.content_type.clone(),
            })
        })
        .collect()
}

/// This run's figures beside those of an older one.
fn compare(plan: &ChaosPlan, kills: &[Kill]) -> Vec<Compared> {
    let Some(older) = &plan.request.older else {
        return Vec::new();
    };
    let of_phase = |phase: RecoveryPhase| {
        let times = kills.iter().filter_map(move |kill| kill.phases.get(&phase));
        (phase.name(), Percentiles::of(times.copied()))
    };
    let outages = kills.iter().filter_map(|kill| kill.outage_ms);
    RecoveryPhase::ALL
        .into_iter()
        .map(of_phase)
        .chain([("outage", Percentiles::of(outages))])
        .filter_map(|(what, percentiles)| {
            let new_ms = percentiles?.p95;
            let old_ms = *older.figures.get(what)?;
            let slower = new_ms.saturating_sub(old_ms);
            Some(Compared {
                what: what.to_owned(),
                old_ms,
                new_ms,
                is_regression: slower > NOISE_MS && slower > share(old_ms, older.tolerance),
            })
        })
        .collect()
}

/// A share of a duration, in milliseconds.
fn share(of_ms: u64, share: f64) -> u64 {
    milliseconds(Duration::from_millis(of_ms).mul_f64(share.max(0.0)))
}
