//! The evidence that only a stalled workload needs: what surrounds its pods that are not Ready, and last log lines.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::{join, join_all};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{
    Event, Node, PersistentVolume, PersistentVolumeClaim, Pod, Service,
};
use k8s_openapi::api::storage::v1::{StorageClass, VolumeAttachment};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{Context, Workload};
use crate::cluster::ResourceKind;
use crate::diagnose::{Cause, Diagnosis, Evidence};
use crate::rollout::may_be_ended;
use crate::status::{Snapshot, is_ready};

/// Evidence that takes longer than this is omitted.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// The number of log lines in the diagnosis of a crash.
const LOG_LINES: i64 = 10;

/// What surrounds a workload's pods that are not Ready, or may not stay Ready: a snapshot without the workload and its
/// pods. Nodes and classes that are known are not read again. A missing permission or a timeout only leaves the
/// diagnosis with less evidence; it is not a failure.
pub(crate) async fn surroundings(
    context: &Context,
    workload: &Workload,
    set: Option<&StatefulSet>,
    pods: &[Pod],
    known: Snapshot,
) -> Snapshot {
    let now = context.cluster.now();
    let unsure: Vec<&Pod> = pods
        .iter()
        .filter(|pod| !is_ready(pod) || may_be_ended(pod, now))
        .collect();
    let reading = near(context, workload, set, &unsure);
    let near = timeout(PATIENCE, reading).await.unwrap_or_default();
    let reading = farther(context, &unsure, &near, known);
    let farther = timeout(PATIENCE, reading).await.unwrap_or_default();
    Snapshot {
        claims: near.claims,
        events: near.events,
        has_service: near.has_service,
        ..farther
    }
}

/// The claims of the pods, the events of all of them, and the Service of the pods' DNS names.
async fn near(
    context: &Context,
    workload: &Workload,
    set: Option<&StatefulSet>,
    unsure: &[&Pod],
) -> Snapshot {
    let namespace = Some(workload.namespace.as_str());
    let claim_names = unsure
        .iter()
        .filter_map(|pod| pod.spec.as_ref())
        .flat_map(|spec| spec.volumes.iter().flatten())
        .filter_map(|volume| volume.persistent_volume_claim.as_ref())
        .map(|source| source.claim_name.as_str());
    let claims: Vec<PersistentVolumeClaim> =
        each(context, &ResourceKind::claim(), namespace, claim_names).await;
    let uids = unsure
        .iter()
        .filter_map(|pod| pod.metadata.uid.as_deref())
        .chain(
            claims
                .iter()
                .filter_map(|claim| claim.metadata.uid.as_deref()),
        )
        .chain(set.and_then(|set| set.metadata.uid.as_deref()));
    let event_kind = ResourceKind::event();
    let lists = uids.map(|uid| {
        let fields = format!("involvedObject.uid={uid}");
        let event_kind = &event_kind;
        async move {
            context
                .cluster
                .list::<Event>(event_kind, namespace, None, Some(&fields))
                .await
        }
    });
    let (events, has_service) = join(join_all(lists), has_service(context, namespace, set)).await;
    let events = events.into_iter().flat_map(Result::unwrap_or_default);
    Snapshot {
        events: events.collect(),
        claims: Some(claims),
        has_service,
        ..Snapshot::default()
    }
}

async fn has_service(
    context: &Context,
    namespace: Option<&str>,
    set: Option<&StatefulSet>,
) -> Option<bool> {
    let name = set?.spec.service_name.as_deref()?;
    let kind = ResourceKind::service();
    let read = context.cluster.get::<Service>(&kind, namespace, name).await;
    read.ok().map(|service| service.is_some())
}

/// What does not belong to the namespace, each only if a rule asks for it: the nodes of the pods; all nodes for a pod
/// that has none; the classes of claims without a volume; the volumes of pods that no node takes; the attachments of a
/// volume that another node has.
async fn farther(context: &Context, unsure: &[&Pod], near: &Snapshot, known: Snapshot) -> Snapshot {
    let hosts = unsure
        .iter()
        .filter_map(|pod| pod.spec.as_ref()?.node_name.as_deref());
    let hosts = each::<Node>(context, &ResourceKind::node(), None, hosts).await;
    let is_homeless = unsure.iter().any(|pod| has_no_node(pod));
    let nodes = match known.nodes {
        None if is_homeless => all::<Node>(context, &ResourceKind::node()).await,
        nodes => nodes,
    };
    let claims = near.claims.as_deref().unwrap_or_default();
    let is_unbound = claims.iter().any(|claim| {
        let status = claim.status.as_ref();
        status.and_then(|status| status.phase.as_deref()) != Some("Bound")
    });
    let classes = match known.classes {
        None if is_unbound => all::<StorageClass>(context, &ResourceKind::storage_class()).await,
        classes => classes,
    };
    let volumes = claims
        .iter()
        .filter(|_| is_homeless)
        .filter_map(|claim| claim.spec.as_ref()?.volume_name.as_deref());
    let kind = ResourceKind::known("", "v1", "PersistentVolume", "persistentvolumes", false);
    let volumes = each::<PersistentVolume>(context, &kind, None, volumes).await;
    let mut events = near.events.iter();
    let is_refused = events.any(|event| event.reason.as_deref() == Some("FailedAttachVolume"));
    let attachments = if is_refused {
        let group = "storage.k8s.io";
        let kind = ResourceKind::known(group, "v1", "VolumeAttachment", "volumeattachments", false);
        all::<VolumeAttachment>(context, &kind).await
    } else {
        None
    };
    Snapshot {
        hosts,
        nodes,
        classes,
        volumes,
        attachments: attachments.unwrap_or_default(),
        ..Snapshot::default()
    }
}

/// The objects with these names, as far as they exist and may be read.
async fn each<T: DeserializeOwned>(
    context: &Context,
    kind: &ResourceKind,
    namespace: Option<&str>,
    names: impl Iterator<Item = &str>,
) -> Vec<T> {
    let names: BTreeSet<&str> = names.collect();
    let reads = names
        .into_iter()
        .map(|name| context.cluster.get::<T>(kind, namespace, name));
    let read = join_all(reads).await;
    read.into_iter()
        .filter_map(|read| read.ok().flatten())
        .collect()
}

/// All objects of a kind without a namespace; `None` without permission.
async fn all<T: DeserializeOwned>(context: &Context, kind: &ResourceKind) -> Option<Vec<T>> {
    let listed = context.cluster.list::<T>(kind, None, None, None).await;
    listed.ok()
}

/// Whether the scheduler has found no node for a pod.
fn has_no_node(pod: &Pod) -> bool {
    let conditions = pod
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    conditions
        .filter(|condition| condition.type_ == "PodScheduled")
        .any(|condition| condition.reason.as_deref() == Some("Unschedulable"))
}

/// Adds the last log lines of a crashing container to the evidence.
pub(crate) async fn add_log(context: &Context, namespace: &str, diagnosis: &mut Diagnosis) {
    let crashed = matches!(
        diagnosis.cause,
        Cause::CrashLoop
            | Cause::Completed
            | Cause::CommandNotFound
            | Cause::InitContainer
            | Cause::LivenessProbe
            | Cause::OnDelete
            | Cause::OutOfMemory
            | Cause::Partition
            | Cause::StuckRevision
    );
    let Some(container) = diagnosis.container.clone().filter(|_| crashed) else {
        return;
    };
    let pod = diagnosis.object.name.clone();
    for previous in [true, false] {
        let reading = context
            .cluster
            .log_excerpt(namespace, &pod, &container, previous, LOG_LINES);
        if let Ok(Ok(lines)) = timeout(PATIENCE, reading).await
            && !lines.is_empty()
        {
            let object = diagnosis.object.clone();
            let lines = lines.into_iter();
            let lines = lines.map(|line| Evidence::log(&object, &container, line));
            diagnosis.evidence.extend(lines);
            return;
        }
    }
}
