//! The recovery phases that a pod shows.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::Pod;

use super::recovery::TargetPod;
use crate::event::EventKind;
use crate::ops::Context;
use crate::ops::rollout::View;
use crate::report::{FaultRecord, RecoveryPhase};
use crate::status::{Ownership, PodRun, PodSummary, is_ready};

/// The phases of a pod that the fault replaces.
pub(super) fn replaced(target: &mut TargetPod, pod: Option<&Pod>) -> BTreeSet<RecoveryPhase> {
    let mut seen = BTreeSet::new();
    match pod {
        Some(pod) if pod.metadata.uid.as_deref() == Some(&target.record.uid_before) => {
            if pod.metadata.deletion_timestamp.is_some() {
                seen.insert(RecoveryPhase::Terminating);
            }
        }
        None => seen.extend([RecoveryPhase::Terminating, RecoveryPhase::Gone]),
        Some(pod) => {
            let run = PodRun::of(pod);
            target.record.uid_after = Some(run.uid.clone());
            target.record.restarts_after = Some(run.restarts);
            if let Some(proof) = run.proves_replacement_of(&target.old) {
                target.record.proof = Some(proof);
            }
            seen.extend([
                RecoveryPhase::Terminating,
                RecoveryPhase::Gone,
                RecoveryPhase::Replaced,
            ]);
            seen.extend(life(pod, &run));
        }
    }
    seen
}

/// The phases of a pod whose container the fault restarts.
pub(super) fn restarted(target: &mut TargetPod, pod: Option<&Pod>) -> BTreeSet<RecoveryPhase> {
    let mut seen = BTreeSet::new();
    let Some(pod) = pod else {
        return seen;
    };
    let run = PodRun::of_container(pod, &target.container);
    target.record.uid_after = Some(run.uid.clone());
    target.record.restarts_after = Some(run.restarts);
    if let Some(proof) = run.proves_restart_since(&target.old) {
        target.record.proof = Some(proof);
        seen.insert(RecoveryPhase::Started);
        if is_ready(pod) {
            seen.insert(RecoveryPhase::Ready);
        }
    }
    seen
}

/// The phases that a new pod has passed.
fn life(pod: &Pod, run: &PodRun) -> Vec<RecoveryPhase> {
    let mut seen = Vec::new();
    let spec = pod.spec.as_ref();
    if spec.is_some_and(|spec| spec.node_name.is_some()) {
        seen.push(RecoveryPhase::Scheduled);
    }
    // The kubelet mounts all volumes before it creates the sandbox that this condition reports (KEP-3085).
    if run.is_running() || has_condition(pod, "PodReadyToStartContainers", "True") {
        seen.push(RecoveryPhase::VolumeReady);
    }
    if run.is_running() {
        seen.push(RecoveryPhase::Started);
        if is_ready(pod) {
            seen.push(RecoveryPhase::Ready);
        }
    }
    seen
}

/// Records a phase, once.
pub(super) fn note(context: &Context, record: &mut FaultRecord, phase: RecoveryPhase) {
    let after_ms = context.emitter.elapsed_ms().saturating_sub(record.at_ms);
    if let Entry::Vacant(entry) = record.phases.entry(phase) {
        entry.insert(after_ms);
        context.emit(EventKind::Phase {
            number: record.number,
            pod: record.pod.clone(),
            phase,
            after_ms,
        });
    }
}

/// Emits the rows of replicas that changed.
pub(super) fn show(context: &Context, view: &View, shown: &mut BTreeMap<String, PodSummary>) {
    let pods = view.pods.current().unwrap_or_default();
    let Ok(set) = view.set() else { return };
    for pod in pods
        .iter()
        .filter(|pod| Ownership::of(pod, &set).is_replica())
    {
        let row = PodSummary::of(pod);
        if shown.get(&row.pod) != Some(&row) {
            context.emit(EventKind::PodChanged { pod: row.clone() });
            shown.insert(row.pod.clone(), row);
        }
    }
}

/// The pod with this name.
pub(super) fn find<'a>(pods: &'a [Pod], name: &str) -> Option<&'a Pod> {
    pods.iter()
        .find(|pod| pod.metadata.name.as_deref() == Some(name))
}

/// Whether the scheduler found no node for a pod.
pub(super) fn is_unschedulable(pod: &Pod) -> bool {
    has_condition(pod, "PodScheduled", "False")
}

fn has_condition(pod: &Pod, kind: &str, status: &str) -> bool {
    pod.status
        .as_ref()
        .and_then(|status| status.conditions.as_ref())
        .is_some_and(|conditions| {
            conditions
                .iter()
                .any(|condition| condition.type_ == kind && condition.status == status)
        })
}
