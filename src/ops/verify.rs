//! Asks every replica that should exist, each through a port-forward of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;

use super::error::OpsError;
use super::workload::pod_selector;
use super::{Context, Workload};
use crate::answer::Answer;
use crate::cluster::{AskError, Question, ResourceKind};
use crate::event::{EventKind, milliseconds};
use crate::expectation::Expectation;
use crate::object::ObjectRef;
use crate::report::{Endpoint, Finding, FindingKind, Problem, ReplicaAnswer, VerifyReport, Via};
use crate::status::{PodSummary, expected_ordinals};

/// How often a question is repeated when the transport, not the replica, failed.
const REPEATS: u32 = 2;
const PAUSE: Duration = Duration::from_millis(250);

/// What every replica is asked, and within which bounds.
#[derive(Debug, Clone)]
pub struct Verification {
    /// What is expected, at one endpoint or several.
    pub expectations: Vec<Expectation>,
    /// The time for one answer.
    pub answer_time: Duration,
    /// The largest body that is read, in bytes.
    pub largest_body: u64,
    /// Replicas that are asked at once, at most.
    pub concurrency: usize,
}

/// Asks every replica and weighs the answers.
///
/// # Errors
/// [`OpsError::NoSuchWorkload`], [`OpsError::Question`], [`OpsError::OutOfTime`], or a failed
/// exchange.
pub async fn verify(
    context: &Context,
    workload: &Workload,
    verification: &Verification,
) -> Result<VerifyReport, OpsError> {
    context
        .by_deadline(ask_all(context, workload, verification))
        .await
}

async fn ask_all(
    context: &Context,
    workload: &Workload,
    verification: &Verification,
) -> Result<VerifyReport, OpsError> {
    let object = workload.reference();
    let set = workload.read(context).await?;
    let question = question(&set, &object, verification)?;
    let before = pods(context, workload, &set).await?;
    let ordinals = expected_ordinals(&set);
    context.emit(EventKind::Verifying {
        object: object.clone(),
        endpoints: vec![endpoint(&question)],
        replicas: u32::try_from(ordinals.len()).unwrap_or(u32::MAX),
    });
    let mut answers: Vec<ReplicaAnswer> = stream::iter(ordinals.clone())
        .map(|ordinal| ask(context, workload, &set, &before, ordinal, &question))
        .buffer_unordered(verification.concurrency)
        .collect()
        .await;
    if !answers.is_empty() {
        let after = pods(context, workload, &set).await?;
        for answer in &mut answers {
            discard_if_changed(answer, &before, &after);
        }
    }
    for answer in &answers {
        context.emit(EventKind::Answered {
            object: object.clone(),
            answer: answer.clone(),
        });
    }
    let findings = surplus(&set, &before, &ordinals);
    Ok(VerifyReport::new(
        object,
        vec![endpoint(&question)],
        answers,
        findings,
    ))
}

/// What every replica is asked at the first endpoint.
pub(super) fn question(
    set: &StatefulSet,
    object: &ObjectRef,
    verification: &Verification,
) -> Result<Question, OpsError> {
    let expectation = &verification.expectations[0];
    Ok(Question {
        port: port(set, object, expectation.port)?,
        path: expectation.path.clone(),
        timeout: verification.answer_time,
        largest_body: verification.largest_body,
        kept: if expectation.needs_body() {
            verification.largest_body
        } else {
            0
        },
    })
}

/// Where every replica is asked.
pub(super) fn endpoints(
    set: &StatefulSet,
    object: &ObjectRef,
    verification: &Verification,
) -> Result<Vec<Endpoint>, OpsError> {
    let expectations = verification.expectations.iter();
    expectations
        .map(|expectation| {
            Ok(Endpoint {
                port: port(set, object, expectation.port)?,
                path: expectation.path.clone(),
            })
        })
        .collect()
}

fn endpoint(question: &Question) -> Endpoint {
    Endpoint {
        port: question.port,
        path: question.path.clone(),
    }
}

type Pods = BTreeMap<String, Pod>;

async fn pods(context: &Context, workload: &Workload, set: &StatefulSet) -> Result<Pods, OpsError> {
    let selector = pod_selector(set);
    let pods: Vec<Pod> = context
        .cluster
        .list(
            &ResourceKind::pod(),
            Some(&workload.namespace),
            Some(&selector),
            None,
        )
        .await
        .map_err(OpsError::while_doing(format!(
            "list the pods of `{}`",
            workload.reference()
        )))?;
    Ok(pods
        .into_iter()
        .map(|pod| (pod.metadata.name.clone().unwrap_or_default(), pod))
        .collect())
}

fn port(set: &StatefulSet, object: &ObjectRef, named: Option<u16>) -> Result<u16, OpsError> {
    if let Some(port) = named {
        return Ok(port);
    }
    let containers = set
        .spec
        .template
        .spec
        .iter()
        .flat_map(|spec| &spec.containers);
    let ports: Vec<u16> = containers
        .flat_map(|container| container.ports.iter().flatten())
        .filter(|port| {
            port.protocol
                .as_deref()
                .is_none_or(|protocol| protocol == "TCP")
        })
        .filter_map(|port| u16::try_from(port.container_port).ok())
        .collect();
    match ports.as_slice() {
        [port] => Ok(*port),
        [] => Err(OpsError::Question {
            object: Box::new(object.clone()),
            reason: "its pod template names no TCP port".to_owned(),
            hint: "name the port with `--port PORT`".to_owned(),
        }),
        several => {
            let flags: Vec<String> = several
                .iter()
                .map(|port| format!("`--port {port}`"))
                .collect();
            Err(OpsError::Question {
                object: Box::new(object.clone()),
                reason: "its pod template names several ports".to_owned(),
                hint: format!("choose one: {}", flags.join(", ")),
            })
        }
    }
}

async fn ask(
    context: &Context,
    workload: &Workload,
    set: &StatefulSet,
    pods: &Pods,
    ordinal: i32,
    question: &Question,
) -> ReplicaAnswer {
    let name = format!("{}-{ordinal}", workload.name);
    let pod = pods.get(&name);
    let mut answer = ReplicaAnswer {
        pod: name.clone(),
        ordinal,
        uid: pod.and_then(|pod| pod.metadata.uid.clone()),
        node: pod.and_then(|pod| pod.spec.as_ref()?.node_name.clone()),
        endpoint: endpoint(question),
        status: None,
        sha256: None,
        compared_sha256: None,
        bytes: None,
        content_type: None,
        latency_ms: None,
        via: Via::PortForward,
        repeats: 0,
        error: None,
    };
    if let Err(problem) = askable(set, pod) {
        answer.error = Some(problem);
        return answer;
    }
    loop {
        match context
            .cluster
            .ask(&workload.namespace, &name, question)
            .await
        {
            Ok(given) => return take(answer, given),
            Err(error) if error.is_transport() && answer.repeats < REPEATS => {
                answer.repeats += 1;
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => {
                answer.error = Some(problem(error, question));
                return answer;
            }
        }
    }
}

/// Whether a pod can be asked at all; what it lacks is proof enough by itself.
fn askable(set: &StatefulSet, pod: Option<&Pod>) -> Result<(), Problem> {
    let Some(pod) = pod else {
        return Err(Problem::Missing);
    };
    let owned = pod.metadata.owner_references.iter().flatten().any(|owner| {
        owner.controller == Some(true) && Some(&owner.uid) == set.metadata.uid.as_ref()
    });
    if !owned {
        return Err(Problem::NotOwned);
    }
    if pod.metadata.deletion_timestamp.is_some() {
        return Err(Problem::Terminating);
    }
    let statuses = pod
        .status
        .as_ref()
        .and_then(|status| status.container_statuses.as_ref());
    let runs = statuses.is_some_and(|statuses| {
        statuses.iter().any(|status| {
            status
                .state
                .as_ref()
                .is_some_and(|state| state.running.is_some())
        })
    });
    if runs {
        Ok(())
    } else {
        Err(Problem::NotRunning {
            state: PodSummary::of(pod).status,
        })
    }
}

fn take(mut answer: ReplicaAnswer, given: Answer) -> ReplicaAnswer {
    answer.status = Some(given.status.as_u16());
    answer.sha256 = Some(given.sha256);
    answer.bytes = Some(given.bytes);
    answer.content_type = given.content_type;
    answer.latency_ms = Some(milliseconds(given.latency));
    answer.error = if given.status != http::StatusCode::OK {
        Some(Problem::WrongStatus {
            status: given.status.as_u16(),
        })
    } else if given.bytes == 0 {
        Some(Problem::Empty)
    } else {
        None
    };
    answer
}

fn problem(error: AskError, question: &Question) -> Problem {
    match error {
        AskError::NotListening => Problem::NotListening,
        AskError::NotOpenedInTime => Problem::NotAsked {
            reason: error.to_string(),
        },
        AskError::NotOpened(source) => Problem::NotAsked {
            reason: source.to_string(),
        },
        AskError::NotForwarded(words) => Problem::NotAsked { reason: words },
        AskError::BrokenOff(reason) => Problem::Incomplete { reason },
        AskError::NoProvenEnd => Problem::Incomplete {
            reason: error.to_string(),
        },
        AskError::TooLarge(limit) => Problem::TooLarge { limit },
        AskError::TimedOut => Problem::NoAnswer {
            after_ms: milliseconds(question.timeout),
        },
    }
}

/// An answer counts only if it came from the very containers that were there before and after.
fn discard_if_changed(answer: &mut ReplicaAnswer, before: &Pods, after: &Pods) {
    let Some(old) = before.get(&answer.pod) else {
        return;
    };
    let what = match after.get(&answer.pod) {
        None => "the pod is gone",
        Some(new) if new.metadata.uid != old.metadata.uid => "the pod was replaced",
        Some(new) if runs(new) != runs(old) => "a container restarted",
        Some(new)
            if new.metadata.deletion_timestamp.is_some()
                && old.metadata.deletion_timestamp.is_none() =>
        {
            "the pod is being deleted"
        }
        Some(_) => return,
    };
    answer.error = Some(Problem::ChangedMeanwhile {
        what: what.to_owned(),
    });
}

/// The identity of every run of every container of a pod.
fn runs(pod: &Pod) -> Vec<(&str, Option<&str>, i32)> {
    pod.status
        .iter()
        .flat_map(|status| status.container_statuses.iter().flatten())
        .map(|status| {
            (
                status.name.as_str(),
                status.container_id.as_deref(),
                status.restart_count,
            )
        })
        .collect()
}

/// Pods of the StatefulSet that should not exist.
fn surplus(set: &StatefulSet, pods: &Pods, ordinals: &std::ops::Range<i32>) -> Vec<Finding> {
    let name = set.metadata.name.clone().unwrap_or_default();
    let expected: Vec<String> = ordinals
        .clone()
        .map(|ordinal| format!("{name}-{ordinal}"))
        .collect();
    pods.keys()
        .filter(|pod| !expected.contains(pod))
        .map(|pod| Finding {
            kind: FindingKind::ExtraPod,
            first_difference: None,
            pod: Some(pod.clone()),
            message: format!("`{pod}` matches the selector, but should not exist"),
        })
        .collect()
}
