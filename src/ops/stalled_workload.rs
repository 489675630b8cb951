//! The evidence that only a stalled workload needs: claims, events and last log lines.

use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{Event, Node, PersistentVolumeClaim, Pod};
use tokio::time::timeout;

use super::{Context, Workload};
use crate::cluster::ResourceKind;
use crate::diagnose::{Cause, Diagnosis};
use crate::rollout::may_be_ended;
use crate::status::is_ready;

/// Evidence that takes longer than this is omitted.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// The number of log lines in the diagnosis of a crash.
const LOG_LINES: i64 = 10;

/// The claims and events around a workload's pods that are not Ready, or may not stay Ready.
#[derive(Default)]
pub(crate) struct Surroundings {
    /// `None` before the first read, or if the read took too long.
    pub(crate) claims: Option<Vec<PersistentVolumeClaim>>,
    pub(crate) events: Vec<Event>,
    /// `None` while no pod waits for a node, or without permission.
    pub(crate) nodes: Option<Vec<Node>>,
}

impl Surroundings {
    /// Reads them; known nodes are not read again. A missing permission or a timeout only leaves
    /// the diagnosis with less evidence; it is not a failure.
    pub(crate) async fn read(
        context: &Context,
        workload: &Workload,
        set: Option<&StatefulSet>,
        pods: &[Pod],
        nodes: Option<Vec<Node>>,
    ) -> Self {
        let reading = read(context, workload, set, pods);
        let mut found = timeout(PATIENCE, reading).await.unwrap_or_default();
        found.nodes = nodes;
        if found.nodes.is_none() && pods.iter().any(has_no_node) {
            let kind = ResourceKind::node();
            let listing = context.cluster.list::<Node>(&kind, None, None, None);
            let listed = timeout(PATIENCE, listing).await;
            found.nodes = listed.ok().and_then(Result::ok);
        }
        found
    }
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

async fn read(
    context: &Context,
    workload: &Workload,
    set: Option<&StatefulSet>,
    pods: &[Pod],
) -> Surroundings {
    let namespace = Some(workload.namespace.as_str());
    let now = context.cluster.now();
    let unsure: Vec<&Pod> = pods
        .iter()
        .filter(|pod| !is_ready(pod) || may_be_ended(pod, now))
        .collect();
    let claim_names = unsure
        .iter()
        .filter_map(|pod| pod.spec.as_ref())
        .flat_map(|spec| spec.volumes.iter().flatten())
        .filter_map(|volume| volume.persistent_volume_claim.as_ref())
        .map(|source| source.claim_name.as_str());
    let claim_kind = ResourceKind::claim();
    let reads = claim_names.map(|name| {
        context
            .cluster
            .get::<PersistentVolumeClaim>(&claim_kind, namespace, name)
    });
    let claims: Vec<PersistentVolumeClaim> = join_all(reads)
        .await
        .into_iter()
        .filter_map(|read| read.ok().flatten())
        .collect();
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
    let events = join_all(lists)
        .await
        .into_iter()
        .flat_map(Result::unwrap_or_default)
        .collect();
    Surroundings {
        claims: Some(claims),
        events,
        nodes: None,
    }
}

/// Adds the last log lines of a crashing container to the evidence.
pub(crate) async fn add_log(context: &Context, namespace: &str, diagnosis: &mut Diagnosis) {
    let crashed = matches!(
        diagnosis.cause,
        Cause::CrashLoop | Cause::Completed | Cause::LivenessProbe | Cause::StuckRevision
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
            diagnosis.evidence.extend(lines);
            return;
        }
    }
}
