//! Breaks a workload on purpose, follows its recovery, and proves that the data survived.

mod request;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use tokio::time::{Instant, sleep, sleep_until};

pub use self::request::{ChaosRequest, OlderRun};

use super::error::OpsError;
use super::rollout::{STALL, Seen, View};
use super::surroundings::add_log;
use super::verify::{Verification, verify};
use super::write::Write;
use super::{Context, Workload};
use crate::action::Action;
use crate::cluster::{ClusterError, Deletion, Grace};
use crate::diagnose::Diagnosis;
use crate::event::{EventKind, milliseconds};
use crate::exit::Outcome;
use crate::object::ObjectRef;
use crate::report::{
    Availability, ChaosReport, Experiment, Fault, Kill, Observed, Prober, Problem, RecoveryPhase,
    Selection, VerifyReport,
};
use crate::status::{PodSummary, RolloutState, expected_ordinals, is_ready, rollout_progress};

/// A pod that is Ready by its own probe may need a moment until it answers; a wrong answer is final
/// at once, silence only after this long.
const SETTLING: Duration = Duration::from_secs(15);
const SETTLING_PAUSE: Duration = Duration::from_millis(500);

/// What will be broken.
#[derive(Debug, Clone)]
pub struct ChaosPlan {
    /// The workload.
    pub workload: Workload,
    /// What every replica is asked.
    pub verification: Verification,
    /// The pod to delete, and no other: it is the one that was agreed to.
    pub pod: String,
}

/// The pod that would be deleted: the one with the lowest ordinal.
///
/// # Errors
/// [`OpsError::NoSuchWorkload`], or a failed exchange.
pub async fn target(context: &Context, workload: &Workload) -> Result<String, OpsError> {
    let set = context.by_deadline(workload.read(context)).await?;
    Ok(format!(
        "{}-{}",
        workload.name,
        expected_ordinals(&set).start
    ))
}

/// Verifies, deletes the pod of the plan, follows its replacement, verifies again.
///
/// # Errors
/// [`OpsError`]; whether the pod had been deleted by then is in the events.
pub async fn chaos(context: &Context, plan: &ChaosPlan) -> Result<ChaosReport, OpsError> {
    let ChaosPlan {
        workload,
        verification,
        ..
    } = plan;
    let before = verify(context, workload, verification).await?;
    let experiment = Experiment {
        fault: Some(Fault::Delete),
        selection: Selection::First,
        kills: 1,
        pods: vec![plan.pod.clone()],
        pause_ms: 0,
        control_ms: None,
        probe_interval_ms: 100,
        max_outage_ms: None,
        max_recovery_ms: None,
        endpoints: before.endpoints.clone(),
    };
    let observed = |before, kills, after, cause| Observed {
        experiment,
        before,
        kills,
        after,
        cause,
        availability: Availability::default(),
        prober: Prober::default(),
        compared: Vec::new(),
        refusals: Vec::new(),
        doubts: Vec::new(),
        failures: Vec::new(),
        not_restored: Vec::new(),
    };
    let target = before
        .replicas
        .iter()
        .find(|it| it.pod == plan.pod)
        .cloned();
    let (Outcome::Success, Some(target)) = (before.verdict, target) else {
        return Ok(ChaosReport::new(observed(before, Vec::new(), None, None)));
    };
    let uid = target.uid.clone().unwrap_or_default();
    let mut kill = Kill {
        number: 1,
        fault: Fault::Delete,
        at_ms: context.emitter.elapsed_ms(),
        pod: target.pod.clone(),
        uid_before: uid.clone(),
        uid_after: None,
        restarts_before: 0,
        restarts_after: None,
        proof: None,
        refused: None,
        phases: BTreeMap::new(),
        outage_ms: None,
        wrong_answers: 0,
    };
    let mut recovery = context
        .by_deadline(Recovery::watch(context, workload, &mut kill))
        .await?;
    context.in_time()?;
    context
        .by_deadline(delete(context, workload, &target.pod, &uid))
        .await?;
    let cause = recovery.follow().await?;
    let has_recovered = cause.is_none() && kill.phases.contains_key(&RecoveryPhase::Ready);
    let after = if has_recovered {
        settled(context, plan).await?
    } else {
        None
    };
    kill.proof = kill.uid_after.clone();
    Ok(ChaosReport::new(observed(before, vec![kill], after, cause)))
}

async fn delete(
    context: &Context,
    workload: &Workload,
    pod: &str,
    uid: &str,
) -> Result<(), OpsError> {
    let object = ObjectRef::new("", "Pod", Some(&workload.namespace), pod);
    let write = Write::start(context, &object, Action::Delete);
    let deleted = context
        .cluster
        .delete_pod(&workload.namespace, pod, uid, Grace::OfThePod)
        .await;
    let deleted = match deleted {
        Ok(Deletion::Accepted) => Ok(()),
        Ok(Deletion::AlreadyGone) => Err(ClusterError::Conflict {
            message: format!("`{object}` was replaced before it could be deleted"),
        }),
        Err(error) => Err(error),
    };
    write.finish(deleted.as_ref().err());
    deleted.map_err(OpsError::while_doing(format!("delete `{object}`")))
}

/// Verifies until the answers are final, or the pods have had their moment to begin answering;
/// `None` when the time is over before there is any answer.
async fn settled(context: &Context, plan: &ChaosPlan) -> Result<Option<VerifyReport>, OpsError> {
    let until = (Instant::now() + SETTLING).min(context.deadline);
    let mut last = None;
    loop {
        let report = match verify(context, &plan.workload, &plan.verification).await {
            Ok(report) => report,
            Err(OpsError::OutOfTime { .. }) => return Ok(last),
            Err(error) => return Err(error),
        };
        let is_final = report.verdict == Outcome::Success
            || report.groups.len() > 1
            || report
                .replicas
                .iter()
                .filter_map(|answer| answer.error.as_ref())
                .any(is_an_answer);
        last = Some(report);
        if is_final || Instant::now() >= until {
            return Ok(last);
        }
        sleep(SETTLING_PAUSE).await;
    }
}

fn is_an_answer(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::WrongStatus { .. } | Problem::Empty | Problem::TooLarge { .. }
    )
}

/// Follows the pods of a workload from before the fault.
struct Recovery<'a> {
    context: &'a Context,
    workload: &'a Workload,
    kill: &'a mut Kill,
    view: View,
    shown: BTreeMap<String, PodSummary>,
    accepted: Instant,
}

impl<'a> Recovery<'a> {
    /// Starts to follow; returns when the pods are known as they are before the fault.
    async fn watch(
        context: &'a Context,
        workload: &'a Workload,
        kill: &'a mut Kill,
    ) -> Result<Self, OpsError> {
        let mut view = View::open(context, workload).await?;
        let doing = format!("watch the pods of `{}`", workload.reference());
        view.pods
            .changed()
            .await
            .map_err(OpsError::while_doing(doing))?;
        let shown = BTreeMap::new();
        let mut recovery = Self {
            context,
            workload,
            kill,
            view,
            shown,
            accepted: Instant::now(),
        };
        recovery.show();
        Ok(recovery)
    }

    /// Follows until the workload is whole again, cannot become so, or time is over; returns what
    /// keeps it from being whole, as far as that is known.
    async fn follow(&mut self) -> Result<Option<Diagnosis>, OpsError> {
        self.accepted = Instant::now();
        let doing =
            || OpsError::while_doing(format!("watch the pods of `{}`", self.workload.reference()));
        let mut seen = Seen::default();
        let mut next_look = Instant::now() + STALL;
        loop {
            let is_over = tokio::select! {
                // In this order, so that a run can be repeated exactly, and the deadline is never starved.
                biased;
                () = sleep_until(self.context.deadline) => true,
                changed = self.view.pods.changed() => { changed.map_err(doing())?; false }
                changed = self.view.sets.changed() => { changed.map_err(doing())?; false }
                () = sleep_until(next_look) => {
                    self.view.look_around(self.context, self.workload).await;
                    next_look = Instant::now() + STALL;
                    false
                }
            };
            self.show();
            self.note_phases();
            let Some(snapshot) = self.view.snapshot()? else {
                continue;
            };
            let is_replaced = self.kill.uid_after.is_some();
            match seen.judge(rollout_progress(&snapshot)).state {
                RolloutState::Complete if is_replaced => return Ok(None),
                RolloutState::Failed { mut cause } if is_replaced => {
                    add_log(self.context, &self.workload.namespace, &mut cause).await;
                    return Ok(Some(cause));
                }
                RolloutState::Progressing { suspicion, .. } if is_over => return Ok(suspicion),
                _ if is_over => return Ok(None),
                _ => {}
            }
        }
    }

    /// Emits the rows that changed.
    fn show(&mut self) {
        let pods = self.view.pods.current().unwrap_or_default();
        for pod in pods.iter() {
            let row = PodSummary::of(pod);
            if self.shown.get(&row.pod) != Some(&row) {
                self.context
                    .emit(EventKind::PodChanged { pod: row.clone() });
                self.shown.insert(row.pod.clone(), row);
            }
        }
    }

    /// Notes what the watch shows of the replaced pod; each phase once, with the time it was seen.
    fn note_phases(&mut self) {
        let pods = self.view.pods.current().unwrap_or_default();
        let pod = pods
            .iter()
            .find(|pod| pod.metadata.name.as_deref() == Some(&self.kill.pod));
        let mut seen = BTreeSet::new();
        let uid = pod.and_then(|pod| pod.metadata.uid.clone());
        match pod {
            Some(pod) if uid.as_deref() == Some(&self.kill.uid_before) => {
                if pod.metadata.deletion_timestamp.is_some() {
                    seen.insert(RecoveryPhase::Terminating);
                }
            }
            None => {
                seen.extend([RecoveryPhase::Terminating, RecoveryPhase::Gone]);
            }
            Some(pod) => {
                self.kill.uid_after = uid;
                seen.extend([
                    RecoveryPhase::Terminating,
                    RecoveryPhase::Gone,
                    RecoveryPhase::Replaced,
                ]);
                if pod
                    .spec
                    .as_ref()
                    .is_some_and(|spec| spec.node_name.is_some())
                {
                    seen.insert(RecoveryPhase::Scheduled);
                }
                if has_started(pod) {
                    seen.insert(RecoveryPhase::Started);
                }
                if is_ready(pod) {
                    seen.insert(RecoveryPhase::Ready);
                }
            }
        }
        let after_ms = milliseconds(self.accepted.elapsed());
        for phase in seen {
            if let Entry::Vacant(entry) = self.kill.phases.entry(phase) {
                entry.insert(after_ms);
                let pod = self.kill.pod.clone();
                self.context.emit(EventKind::Phase {
                    number: self.kill.number,
                    pod,
                    phase,
                    after_ms,
                });
            }
        }
    }
}

fn has_started(pod: &Pod) -> bool {
    pod.status
        .as_ref()
        .and_then(|status| status.container_statuses.as_ref())
        .is_some_and(|statuses| {
            statuses.iter().any(|status| {
                status
                    .state
                    .as_ref()
                    .is_some_and(|state| state.running.is_some())
            })
        })
}
