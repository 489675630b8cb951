//! No verdict contradicts the truth.

use std::time::Duration;

use apiserver_model::object::{number, text};
use cryptoctl::diagnose::{Cause, Diagnosis};
use cryptoctl::ops::OpsError;
use cryptoctl::report::{RolloutReport, UpReport};
use cryptoctl::rollout::RolloutState;
use serde_json::Value;

use super::{Case, experiments, replicas};
use crate::run::Said;
use crate::scenario::Operation;
use crate::set;
use crate::truth::{self, Span, container_state, has_condition, is_ready};

/// After a disturbance, every watch and request works again within this time.
const SETTLED: Duration = Duration::from_secs(30);

/// Every false verdict of an operation.
pub(super) fn broken(case: &Case<'_>) -> Vec<String> {
    let span = case.span();
    match &case.played.said {
        Said::Up(Ok(report)) => up(case, report),
        Said::Rollout(Ok(report)) => rollout(case, span, report),
        Said::Verify(Ok(report)) => replicas::broken(case, span, report),
        Said::Chaos(Ok(report)) => experiments::broken(case, report),
        Said::Up(Err(error))
        | Said::Rollout(Err(error))
        | Said::Verify(Err(error))
        | Said::Chaos(Err(error)) => untrue_error(case, error),
        Said::Hung | Said::Panicked => Vec::new(),
    }
}

fn untrue_error(case: &Case<'_>, error: &OpsError) -> Vec<String> {
    let is_true = match error {
        OpsError::NoSuchWorkload { .. } => {
            truth::ever(case.run, case.span(), |moment| moment.set.is_none())
        }
        OpsError::OutOfTime { .. } => {
            case.played.end >= case.played.start + case.played.act.timeout
        }
        _ => true,
    };
    if is_true {
        return Vec::new();
    }
    vec![format!("the error is not true: {error}")]
}

fn up(case: &Case<'_>, report: &UpReport) -> Vec<String> {
    let span = case.span();
    let mut wrong: Vec<String> = report
        .rollouts
        .iter()
        .flat_map(|report| rollout(case, span, report))
        .collect();
    if let Operation::Up { tag, .. } = case.played.act.operation {
        let image = set::image(tag);
        let stored = truth::ever(case.run, span, |moment| {
            moment
                .set
                .as_ref()
                .is_some_and(|set| text(set, "/spec/template/spec/containers/0/image") == image)
        });
        if !stored {
            wrong.push("it says that all is written, but the set was never stored".to_owned());
        }
    }
    for resource in ["configmaps", "services"] {
        let namespace = case.run.scenario.shape.namespace;
        let exists = case.run.history.iter().any(|change| {
            change.key.resource == resource
                && change.key.namespace == namespace
                && change.at <= span.to
        });
        if !exists {
            wrong.push(format!(
                "it says that all is written, but none of the {resource} is"
            ));
        }
    }
    wrong
}

fn rollout(case: &Case<'_>, span: Span, report: &RolloutReport) -> Vec<String> {
    match &report.progress.state {
        RolloutState::Complete => {
            if truth::ever(case.run, span, truth::Moment::is_complete) {
                return Vec::new();
            }
            vec!["it says that the rollout is complete, and it never was".to_owned()]
        }
        RolloutState::Failed { cause: diagnosis } => untrue_cause(case, span, diagnosis),
        RolloutState::Progressing { .. } => too_slow(case),
    }
}

/// A rollout that was complete for a while without disturbances has to be reported as complete.
fn too_slow(case: &Case<'_>) -> Vec<String> {
    let requests = &case.run.requests[case.played.requests.clone()];
    let struck = requests
        .iter()
        .filter(|request| request.fault.is_some())
        .map(|request| request.at);
    let disturbances = case.run.disturbances.iter().map(|(_, at, _)| *at);
    let last = struck
        .chain(disturbances)
        .max()
        .unwrap_or(case.played.start)
        .max(case.played.start);
    let quiet = Span {
        from: last + SETTLED,
        to: case.played.end,
    };
    // A restart costs the verdict for as long as the run before it took.
    let has_restarted = |moment: &truth::Moment| {
        moment.pods.values().any(|pod| {
            number(pod, "/status/containerStatuses/0/restartCount").is_some_and(|count| count > 0)
        })
    };
    if quiet.from + SETTLED > quiet.to
        || truth::ever(case.run, quiet, has_restarted)
        || truth::ever(case.run, quiet, |moment| !moment.is_complete())
    {
        return Vec::new();
    }
    vec!["the rollout has long been complete, and it is not seen".to_owned()]
}

/// A cause that no pod ever had.
pub(super) fn untrue_cause(case: &Case<'_>, span: Span, diagnosis: &Diagnosis) -> Vec<String> {
    let is_true = truth::ever(case.run, span, |moment| {
        !moment.is_complete() && moment.pods.values().any(|pod| shows(pod, diagnosis.cause))
    });
    if is_true {
        return Vec::new();
    }
    vec![format!(
        "it says that the rollout failed, and nothing was wrong: {diagnosis:?}"
    )]
}

fn shows(pod: &Value, cause: Cause) -> bool {
    let state = container_state(pod);
    let waits = |reasons: &[&str]| reasons.contains(&text(state, "/waiting/reason"));
    let pulls = waits(&["ErrImagePull", "ImagePullBackOff"]);
    let crashes = waits(&["CrashLoopBackOff"]) || !state["terminated"].is_null();
    let runs_unready = !state["running"].is_null() && !is_ready(pod);
    match cause {
        Cause::ImageNotFound => pulls,
        Cause::CrashLoop => crashes,
        Cause::Unschedulable => has_condition(pod, "PodScheduled", "False"),
        Cause::ReadinessProbe => runs_unready,
        Cause::StuckRevision => pulls || crashes || runs_unready,
        // The model's pods never fail in these ways.
        _ => false,
    }
}
