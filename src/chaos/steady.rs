//! Derives the settings of an experiment from its steady state.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::apps::v1::StatefulSet;
use tokio::time::{Instant, sleep};

use super::ChaosPlan;
use super::probe::Right;
use super::run::Run;
use crate::exit::Outcome;
use crate::fault::Fault;
use crate::ops::Context;
use crate::ops::error::OpsError;
use crate::ops::verify::verify;
use crate::report::{Endpoint, Problem, VerifyReport};
use crate::rollout::RESTARTED_AT;
use crate::status::change_since;

/// A pod that is Ready by its readiness probe may need a moment until it answers: a wrong answer is
/// final at once, no answer only after this time.
const SETTLING: Duration = Duration::from_secs(15);
const SETTLING_PAUSE: Duration = Duration::from_millis(500);
/// The timeout of a probe: this, or a multiple of the slowest answer in the steady state.
const PROBE_TIME: Duration = Duration::from_secs(1);
const PROBE_TIME_FACTOR: u64 = 5;
/// Larger than any error page, in bytes.
const LARGEST_PROBE: u64 = 1 << 20;

/// The pods that gave the answers of a verification.
pub(super) fn uids(report: &VerifyReport) -> BTreeMap<String, String> {
    let answers = report.replicas.iter();
    answers
        .filter_map(|answer| Some((answer.pod.clone(), answer.uid.clone()?)))
        .collect()
}

/// The timeout of a probe.
pub(super) fn probe_time(before: &VerifyReport) -> Duration {
    let slowest = before
        .replicas
        .iter()
        .filter_map(|answer| answer.latency_ms)
        .max()
        .unwrap_or(0);
    PROBE_TIME.max(Duration::from_millis(slowest * PROBE_TIME_FACTOR))
}

/// The largest answer that a probe reads completely, in bytes. An answer far larger than the steady state
/// is a different one; that is known long before its end.
pub(super) fn largest_probe(before: &VerifyReport) -> u64 {
    let answers = before.replicas.iter();
    let largest = answers.filter_map(|answer| answer.bytes).max().unwrap_or(0);
    LARGEST_PROBE.max(largest.saturating_mul(2))
}

/// The answer of each replica at an endpoint in the steady state.
pub(super) fn right_answers(before: &VerifyReport, endpoint: &Endpoint) -> Vec<Right> {
    before
        .replicas
        .iter()
        .filter(|answer| answer.endpoint == *endpoint)
        .filter_map(|answer| {
            let sha256 = answer.compared_sha256.clone().or(answer.sha256.clone())?;
            Some(Right {
                pod: answer.pod.clone(),
                sha256,
                bytes: answer.bytes,
                content_type: answer.content_type.clone(),
                content_encoding: answer.content_encoding.clone(),
                transport: answer.transport,
            })
        })
        .collect()
}

impl Run<'_> {
    /// How another client changed the StatefulSet since before the first fault, as a sentence: then the
    /// data before and after do not belong to the same workload. A different number of replicas shows in
    /// their names.
    pub(super) async fn others_change(&self) -> Option<String> {
        let context = self.context.clone().restarted();
        let reading = self.plan.workload.find(&context);
        match context.by_deadline(reading).await {
            Ok(now) => {
                let is_restart = self
                    .plan
                    .experiment
                    .settings
                    .fault
                    .is_some_and(Fault::changes_template);
                let now = now.map(|now| without_our_marks(now, is_restart));
                let before = without_our_marks(self.set.clone(), is_restart);
                let is_scaled = now
                    .as_ref()
                    .is_some_and(|now| now.spec.replicas != before.spec.replicas);
                let what = change_since(&before, now.as_ref()).filter(|_| !is_scaled)?;
                Some(format!("{what} during the experiment, but not by it"))
            }
            Err(error) => Some(format!(
                "cannot tell whether the StatefulSet is still the same: {error}"
            )),
        }
    }
}

/// A StatefulSet without the changes of the experiment itself; it is scaled back by then.
pub(super) fn without_our_marks(mut set: StatefulSet, is_restart: bool) -> StatefulSet {
    set.metadata.generation = None;
    if let Some(metadata) = set.spec.template.metadata.as_mut().filter(|_| is_restart) {
        let mut annotations = metadata.annotations.take().unwrap_or_default();
        annotations.remove(RESTARTED_AT);
        metadata.annotations = Some(annotations);
    }
    set
}

/// Verifies until the answers are final or the settling time is over; `None` if the deadline passes
/// before any answer.
pub(super) async fn settled(
    context: &Context,
    plan: &ChaosPlan,
) -> Result<Option<VerifyReport>, OpsError> {
    let until = (Instant::now() + SETTLING).min(context.deadline);
    let mut last = None;
    loop {
        let verification = &plan.verification;
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
                // A slow answer may be quick the next time.
                .any(|it| it.is_an_answer() && !matches!(it, Problem::TooSlow { .. }));
        last = Some(report);
        if is_final || Instant::now() >= until || context.stop.is_asked() {
            return Ok(last);
        }
        sleep(SETTLING_PAUSE).await;
    }
}
