//! The pods that a StatefulSet finds when it is created.

use serde_json::Value;

use crate::cluster::ResourceKind;
use crate::ops::Context;
use crate::ops::workload::selector_of;
use crate::plan::{Step, Target};
use crate::replacement::{Adoption, adopted};

/// The pods of a StatefulSet that goes.
pub(crate) struct Pods {
    /// What becomes of them.
    pub(crate) adoption: Option<Adoption>,
    /// Whether all of them match the selector of the new set.
    pub(crate) are_matched: bool,
}

/// The pods of a live StatefulSet, for the one that takes its place. If they cannot be read, its status and
/// its specification say enough.
pub(crate) async fn pods(
    context: &Context,
    target: &Target,
    live: &Value,
    planned: &Value,
) -> Pods {
    let is_same = |field: &str| live["spec"][field] == planned["spec"][field];
    let is_matched = is_same("selector");
    let is_renamed = !is_same("serviceName");
    let Some(listed) = list(context, target, live).await else {
        let pods = live["status"]["replicas"].as_u64().unwrap_or_default();
        let pods = usize::try_from(pods).unwrap_or_default();
        return Pods {
            adoption: Adoption::of_number(planned, pods, is_renamed),
            are_matched: is_matched,
        };
    };
    let uid = live["metadata"]["uid"].as_str();
    let name = &target.reference.name;
    let own = || adopted(&listed, name, uid);
    let are_matched = is_matched || {
        let matched = list(context, target, planned).await.unwrap_or_default();
        adopted(&matched, name, uid).count() >= own().count()
    };
    Pods {
        adoption: Adoption::of(planned, own(), is_renamed),
        are_matched,
    }
}

/// Looks for pods that a new StatefulSet takes over: one before it was deleted without them, by somebody or
/// by a run that was interrupted.
pub(crate) async fn find(context: &Context, step: &mut Step) {
    let target = &step.target;
    if step.live.is_some() || !target.reference.is("apps", "StatefulSet") {
        return;
    }
    let pods = list(context, target, &step.planned)
        .await
        .unwrap_or_default();
    let free = adopted(&pods, &target.reference.name, None);
    step.adoption = Adoption::of(&step.planned, free, false);
}

/// The pods that match the selector of a StatefulSet; `None` if they cannot be read.
async fn list(context: &Context, target: &Target, stateful_set: &Value) -> Option<Vec<Value>> {
    let namespace = target.reference.namespace.as_deref();
    let selector = selector_of(&stateful_set["spec"]["selector"])?;
    let kind = ResourceKind::pod();
    let pods = context
        .cluster
        .list(&kind, namespace, Some(&selector), None);
    pods.await.ok()
}
