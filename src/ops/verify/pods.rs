//! The pods of a workload, before its replicas are asked and after.

use std::collections::BTreeMap;
use std::ops::Range;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;

use crate::cluster::ResourceKind;
use crate::object::ObjectRef;
use crate::ops::error::OpsError;
use crate::ops::workload::pod_selector;
use crate::ops::{Context, Workload};
use crate::report::{Finding, FindingKind, Problem, ReplicaAnswer};
use crate::status::{self, PodSummary};

pub(in crate::ops) type Pods = BTreeMap<String, Pod>;

/// The pods that the StatefulSet's selector matches, by name.
///
/// # Errors
/// A failed exchange.
pub(in crate::ops) async fn list(
    context: &Context,
    workload: &Workload,
    set: &StatefulSet,
) -> Result<Pods, OpsError> {
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

/// The port that is named, or the only one of the pod template.
///
/// # Errors
/// [`OpsError::Question`].
pub(super) fn port(
    set: &StatefulSet,
    object: &ObjectRef,
    named: Option<u16>,
) -> Result<u16, OpsError> {
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

/// Whether a pod can be asked at all; what it lacks is proof enough by itself.
pub(super) fn askable(set: &StatefulSet, pod: Option<&Pod>) -> Result<(), Problem> {
    let Some(pod) = pod else {
        return Err(Problem::Missing);
    };
    if !is_owned(set, pod) {
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

/// Whether the StatefulSet is the pod's controller.
fn is_owned(set: &StatefulSet, pod: &Pod) -> bool {
    pod.metadata.owner_references.iter().flatten().any(|owner| {
        owner.controller == Some(true) && Some(&owner.uid) == set.metadata.uid.as_ref()
    })
}

/// Whether a pod of this name is Ready.
pub(super) fn is_ready(pods: &Pods, name: &str) -> bool {
    pods.get(name).is_some_and(status::is_ready)
}

/// Why an answer does not count: it counts only if it came from the very containers that were there
/// before and after.
pub(super) fn change(answer: &ReplicaAnswer, before: &Pods, after: &Pods) -> Option<Problem> {
    let old = before.get(&answer.pod)?;
    let new = after.get(&answer.pod);
    if new.is_some_and(|new| still_holds(answer, old, new)) {
        return None;
    }
    let what = match new {
        None => "the pod is gone",
        Some(new) if new.metadata.uid != old.metadata.uid => "the pod was replaced",
        Some(new) if runs(new) != runs(old) => "a container restarted",
        Some(new)
            if new.metadata.deletion_timestamp.is_some()
                && old.metadata.deletion_timestamp.is_none() =>
        {
            "the pod is being deleted"
        }
        Some(_) => return None,
    };
    Some(Problem::ChangedMeanwhile {
        what: what.to_owned(),
    })
}

/// Whether what was found of a pod without asking it is still so: a stranger remains one, whatever its
/// containers do, and so does a pod on its way out.
fn still_holds(answer: &ReplicaAnswer, old: &Pod, new: &Pod) -> bool {
    let is_same = new.metadata.uid == old.metadata.uid;
    match answer.error {
        Some(Problem::NotOwned) => {
            is_same && new.metadata.owner_references == old.metadata.owner_references
        }
        Some(Problem::Terminating) => is_same,
        _ => false,
    }
}

/// What there is beside the replicas.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) findings: Vec<Finding>,
    pub(super) notes: Vec<String>,
}

/// Pods that match the selector and should not exist.
pub(super) fn beside(
    set: &StatefulSet,
    before: &Pods,
    after: &Pods,
    ordinals: &Range<i32>,
) -> Beside {
    let name = set.metadata.name.as_deref().unwrap_or_default();
    let expected: Vec<String> = ordinals
        .clone()
        .map(|ordinal| format!("{name}-{ordinal}"))
        .collect();
    let mut beside = Beside::default();
    let extra = |pods: &'_ Pods| -> Vec<(String, Pod)> {
        let extra = pods.iter().filter(|(name, _)| !expected.contains(name));
        extra
            .map(|(name, pod)| (name.clone(), pod.clone()))
            .collect()
    };
    for (name, pod) in extra(after) {
        let (kind, what) = if has_ended(&pod) && !is_owned(set, &pod) {
            let note = format!("`{name}` matches the selector, but has ended: it was not counted");
            beside.notes.push(note);
            continue;
        } else if pod.metadata.deletion_timestamp.is_some() {
            (FindingKind::TerminatingPod, "and is still terminating")
        } else {
            (FindingKind::ExtraPod, "but does")
        };
        let message = format!("`{name}` matches the selector and should not exist, {what}");
        beside.findings.push(Finding::of_pod(kind, &name, message));
    }
    for (name, pod) in extra(before) {
        let was_leaving = pod.metadata.deletion_timestamp.is_some() || has_ended(&pod);
        if was_leaving || after.contains_key(&name) {
            continue;
        }
        let message =
            format!("`{name}` matched the selector and should not have existed; it is gone by now");
        let kind = FindingKind::TerminatingPod;
        beside.findings.push(Finding::of_pod(kind, &name, message));
    }
    beside
}

fn has_ended(pod: &Pod) -> bool {
    let phase = pod
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}
