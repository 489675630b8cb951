//! The pods of a workload, before and after the requests to its replicas.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use futures::future::join;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;

use crate::cluster::ResourceKind;
use crate::object::ObjectRef;
use crate::ops::error::OpsError;
use crate::ops::workload::pod_selector;
use crate::ops::{Context, Workload};
use crate::report::{Finding, FindingKind, Problem, ReplicaAnswer};
use crate::status::{self, Ownership, PodRun, PodSummary, is_owned_by, long_running};

pub(crate) type Pods = BTreeMap<String, Pod>;

/// The pods that the StatefulSet's selector matches, by name.
///
/// # Errors
/// A failed request.
pub(crate) async fn list(
    context: &Context,
    workload: &Workload,
    set: &StatefulSet,
) -> Result<Pods, OpsError> {
    list_selected(context, workload, &pod_selector(set)).await
}

/// The StatefulSet and its pods: in one round trip where the manifests know its selector.
///
/// # Errors
/// As [`Workload::read`] and [`list`].
pub(crate) async fn list_with_set(
    context: &Context,
    workload: &Workload,
) -> Result<(StatefulSet, Pods), OpsError> {
    let Some(selector) = &workload.selector else {
        let set = workload.read(context).await?;
        let pods = list(context, workload, &set).await?;
        return Ok((set, pods));
    };
    let (set, pods) = join(
        workload.read(context),
        list_selected(context, workload, selector),
    )
    .await;
    let set = set?;
    // The live selector decides: the manifests may be of another day.
    let pods = if pod_selector(&set) == *selector {
        pods?
    } else {
        list(context, workload, &set).await?
    };
    Ok((set, pods))
}

async fn list_selected(
    context: &Context,
    workload: &Workload,
    selector: &str,
) -> Result<Pods, OpsError> {
    let pods: Vec<Pod> = context
        .cluster
        .list(
            &ResourceKind::pod(),
            Some(&workload.namespace),
            Some(selector),
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

/// The named port, or the only port of the pod template.
///
/// # Errors
/// [`OpsError::Question`].
pub(crate) fn port(
    set: &StatefulSet,
    object: &ObjectRef,
    named: Option<u16>,
) -> Result<u16, OpsError> {
    if let Some(port) = named {
        return Ok(port);
    }
    let containers = set.spec.template.spec.iter().flat_map(long_running);
    // Several containers may name the same port: they share their pod's network.
    let ports: BTreeSet<u16> = containers
        .flat_map(|container| container.ports.iter().flatten())
        .filter(|port| {
            port.protocol
                .as_deref()
                .is_none_or(|protocol| protocol == "TCP")
        })
        .filter_map(|port| u16::try_from(port.container_port).ok())
        .collect();
    match ports.iter().collect::<Vec<_>>().as_slice() {
        [port] => Ok(**port),
        [] => Err(OpsError::Question {
            object: Box::new(object.clone()),
            reason: "its pod template declares no TCP port".to_owned(),
            hint: "name the port with `--port PORT`".to_owned(),
        }),
        several => {
            let flags: Vec<String> = several
                .iter()
                .map(|port| format!("`--port {port}`"))
                .collect();
            Err(OpsError::Question {
                object: Box::new(object.clone()),
                reason: "its pod template declares several ports".to_owned(),
                hint: format!("choose one: {}", flags.join(", ")),
            })
        }
    }
}

/// Whether a request to a pod is possible; if not, its state is proof enough.
pub(crate) fn askable(set: &StatefulSet, pod: Option<&Pod>) -> Result<(), Problem> {
    let Some(pod) = pod else {
        return Err(Problem::Missing);
    };
    if !is_owned_by(pod, set) {
        return Err(Problem::NotOwned);
    }
    if pod.metadata.deletion_timestamp.is_some() {
        return Err(Problem::Terminating);
    }
    if PodRun::of(pod).is_running() {
        Ok(())
    } else {
        Err(Problem::NotRunning {
            state: PodSummary::of(pod).status,
        })
    }
}

/// Whether a pod of this name is Ready.
pub(crate) fn is_ready(pods: &Pods, name: &str) -> bool {
    pods.get(name).is_some_and(status::is_ready)
}

/// Why an answer does not count. It counts only if it came from the very containers that ran before
/// and after, and if nothing else can have sent it.
pub(crate) fn doubt(answer: &ReplicaAnswer, before: &Pods, after: &Pods) -> Option<Problem> {
    let old = before.get(&answer.pod)?;
    change(answer, old, after.get(&answer.pod)).or_else(|| {
        let is_given = answer.error.as_ref().is_none_or(Problem::is_an_answer);
        let others = before.values().chain(after.values());
        let reason = status::shared_network(old, others).filter(|_| is_given);
        reason.map(|reason| Problem::NotProven { reason })
    })
}

fn change(answer: &ReplicaAnswer, old: &Pod, new: Option<&Pod>) -> Option<Problem> {
    if new.is_some_and(|new| still_holds(answer, old, new)) {
        return None;
    }
    let is_leaving = |pod: &Pod| pod.metadata.deletion_timestamp.is_some();
    let what = match new {
        None => "the pod is gone".to_owned(),
        Some(new) => match PodRun::of(new).change_since(&PodRun::of(old)) {
            Some(what) => what,
            None if is_leaving(new) && !is_leaving(old) => "the pod is being deleted".to_owned(),
            None => return None,
        },
    };
    Some(Problem::ChangedMeanwhile { what })
}

/// Whether the state of a pod that got no request still holds: a pod of another owner stays one
/// whatever its containers do, and a terminating pod stays terminating.
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

/// Pods other than the replicas.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    pub(crate) findings: Vec<Finding>,
    pub(crate) notes: Vec<String>,
}

/// Pods that match the selector but should not exist. A pod of another controller is not one of
/// them: it only shares the labels.
pub(crate) fn beside(
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
    let extra = |pods: &'_ Pods| -> Vec<(String, Pod)> {
        let extra = pods.iter().filter(|(name, _)| !expected.contains(name));
        extra
            .map(|(name, pod)| (name.clone(), pod.clone()))
            .collect()
    };
    let mut beside = Beside::default();
    let mut strangers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, pod) in extra(after) {
        let ownership = Ownership::of(&pod, set);
        let is_leaving = pod.metadata.deletion_timestamp.is_some();
        let (kind, what) = match ownership {
            Ownership::Other(controller) => {
                if !is_leaving && !has_ended(&pod) {
                    strangers
                        .entry(controller.to_string())
                        .or_default()
                        .push(name);
                }
                continue;
            }
            Ownership::Nobody if has_ended(&pod) => {
                beside.notes.push(format!(
                    "`{name}` matches the selector but has ended: it was not counted"
                ));
                continue;
            }
            _ if is_leaving => (FindingKind::TerminatingPod, "; it is still terminating"),
            _ => (FindingKind::ExtraPod, ""),
        };
        let message = format!("`{name}` matches the selector but should not exist{what}");
        beside.findings.push(Finding::of_pod(kind, &name, message));
    }
    for (name, pod) in extra(before) {
        let was_leaving = pod.metadata.deletion_timestamp.is_some() || has_ended(&pod);
        let is_of_another = matches!(Ownership::of(&pod, set), Ownership::Other(_));
        if was_leaving || is_of_another || after.contains_key(&name) {
            continue;
        }
        let message =
            format!("`{name}` matched the selector but should not have existed; it is gone now");
        let kind = FindingKind::TerminatingPod;
        beside.findings.push(Finding::of_pod(kind, &name, message));
    }
    beside.notes.extend(strangers.iter().map(of_another));
    beside
}

/// Pods that only share the labels: nothing is wrong with them, but a Service may route to them.
fn of_another((controller, pods): (&String, &Vec<String>)) -> String {
    match pods.as_slice() {
        [pod] => format!(
            "`{pod}` matches the selector but belongs to `{controller}`: it is not a replica, but a \
             Service with this selector routes to it too"
        ),
        several => format!(
            "{} pods match the selector but belong to `{controller}`: they are not replicas, but a \
             Service with this selector routes to them too",
            several.len()
        ),
    }
}

fn has_ended(pod: &Pod) -> bool {
    let phase = pod
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(ports: &[serde_json::Value]) -> StatefulSet {
        let containers: Vec<_> = ports
            .iter()
            .map(|ports| json!({"name": "c", "ports": ports}))
            .collect();
        serde_json::from_value(json!({"spec": {
            "serviceName": "s",
            "selector": {},
            "template": {"spec": {"containers": containers}},
        }}))
        .unwrap()
    }

    #[test]
    fn a_port_that_two_containers_name_is_one() {
        let object = ObjectRef::new("apps", "StatefulSet", Some("n"), "web");
        let once = json!([{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}]);
        let again = json!([{"containerPort": 80}]);
        assert_eq!(
            port(&set(&[once.clone(), again]), &object, None).unwrap(),
            80
        );
        let other = json!([{"containerPort": 81}]);
        let error = port(&set(&[once, other]), &object, None).unwrap_err();
        assert!(error.to_string().contains("several ports"), "{error}");
    }
}
