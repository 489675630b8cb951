//! What a verification says about the steady state, for what follows.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::apps::v1::StatefulSet;
use tokio::time::{Instant, sleep};

use super::ChaosPlan;
use super::fault::RESTARTED_AT;
use super::probe::Right;
use super::run::Run;
use crate::exit::Outcome;
use crate::fault::Fault;
use crate::ops::Context;
use crate::ops::error::OpsError;
use crate::ops::verify::verify;
use crate::report::{Problem, VerifyReport};
use crate::status::change_since;

/// A pod that is Ready by its own probe may need a moment until it answers; a wrong answer is final
/// at once, silence only after this long.
const SETTLING: Duration = Duration::from_secs(15);
const SETTLING_PAUSE: Duration = Duration::from_millis(500);
/// The time for the answer to a probe: this, or a multiple of the slowest answer of the steady state.
const PROBE_TIME: Duration = Duration::from_secs(1);
const PROBE_TIME_FACTOR: u64 = 5;
/// Pages that speak of an error are smaller, in bytes.
const LARGEST_PROBE: u64 = 1 << 20;

/// The pods that gave the answers of a verification.
pub(super) fn uids(report: &VerifyReport) -> BTreeMap<String, String> {
    let answers = report.replicas.iter();
    answers
        .filter_map(|answer| Some((answer.pod.clone(), answer.uid.clone()?)))
        .collect()
}

/// How long the answer to a probe may take.
pub(super) fn probe_time(before: &VerifyReport) -> Duration {
    let slowest = before
        .replicas
        .iter()
        .filter_map(|answer| answer.latency_ms)
        .max()
        .unwrap_or(0);
    PROBE_TIME.max(Duration::from_millis(slowest * PROBE_TIME_FACTOR))
}

/// The largest answer that a probe reads to its end, in bytes. What is far larger than everything in
/// the steady state is another answer, and known to be one long before its end.
pub(super) fn largest_probe(before: &VerifyReport) -> u64 {
    let answers = before.replicas.iter();
    let largest = answers.filter_map(|answer| answer.bytes).max().unwrap_or(0);
    LARGEST_PROBE.max(largest.saturating_mul(2))
}

/// What each replica answered at the first endpoint in the steady state.
pub(super) fn right_answers(before: &VerifyReport) -> Vec<Right> {
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
                bytes: answer.bytes,
                content_type: answer.content_type.clone(),
                content_encoding: answer.content_encoding.clone(),
                via: answer.via,
            })
        })
        .collect()
}

impl Run<'_> {
    /// What somebody else has made of the StatefulSet since before the first fault, as a sentence: the
    /// data before and after are not those of one workload then. Other replicas show by their names.
    pub(super) async fn others_change(&self) -> Option<String> {
        let context = self.context.clone().restarted();
        let reading = self.plan.workload.find(&context);
        match context.by_deadline(reading).await {
            Ok(now) => {
                let is_restart = self
                    .plan
                    .experiment
                    .fault
                    .is_some_and(Fault::changes_template);
                let now = now.map(|now| without_our_marks(now, is_restart));
                let before = without_our_marks(self.set.clone(), is_restart);
                let is_scaled = now
                    .as_ref()
                    .is_some_and(|now| now.spec.replicas != before.spec.replicas);
                let what = change_since(&before, now.as_ref()).filter(|_| !is_scaled)?;
                Some(format!("{what} during the experiment, and not by it"))
            }
            Err(error) => Some(format!(
                "whether the StatefulSet is still the same is not known: {error}"
            )),
        }
    }
}

/// A StatefulSet without what an experiment itself changes of it; it is scaled back by then.
pub(super) fn without_our_marks(mut set: StatefulSet, is_restart: bool) -> StatefulSet {
    set.metadata.generation = None;
    if let Some(metadata) = set.spec.template.metadata.as_mut().filter(|_| is_restart) {
        let mut annotations = metadata.annotations.take().unwrap_or_default();
        annotations.remove(RESTARTED_AT);
        metadata.annotations = Some(annotations);
    }
    set
}

/// Verifies until the answers are final, or the pods have had their moment to begin answering;
/// `None` when the time is over before there is any answer.
pub(super) async fn settled(
    context: &Context,
    plan: &ChaosPlan,
) -> Result<Option<VerifyReport>, OpsError> {
    let until = (Instant::now() + SETTLING).min(context.deadline);
    let mut last = None;
    loop {
        let verification = &plan.request.verification;
        let report = match verify(context, &plan.workload, verification).await {
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
                // What was slow once may be quick the next time.
                .any(|it| it.is_an_answer() && !matches!(it, Problem::TooSlow { .. }));
        last = Some(report);
        if is_final || Instant::now() >= until || context.stop.is_asked() {
            return Ok(last);
        }
        sleep(SETTLING_PAUSE).await;
    }
}
