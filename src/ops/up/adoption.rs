//! The pods that a StatefulSet finds when it is created.

use std::collections::BTreeSet;

use serde_json::Value;

use super::dry_run::Rules;
use crate::cluster::{ClusterError, ResourceKind};
use crate::fields::FieldPath;
use crate::ops::Context;
use crate::ops::workload::selector_of;
use crate::plan::{Step, Target};
use crate::replacement::{Adoption, SERVICE_NAME, adopted, mark, ordinal_of};

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
    let is_matched = live["spec"]["selector"] == planned["spec"]["selector"];
    let Ok(listed) = list(context, target, live).await else {
        let pods = live["status"]["replicas"].as_u64().unwrap_or_default();
        let pods = usize::try_from(pods).unwrap_or_default();
        return Pods {
            adoption: Adoption::of_number(planned, pods, live),
            are_matched: is_matched,
        };
    };
    let uid = live["metadata"]["uid"].as_str();
    let name = &target.reference.name;
    let own = || adopted(&listed, name, uid);
    let are_matched = is_matched || {
        let matched = list(context, target, planned).await.unwrap_or_default();
        let matched: BTreeSet<&str> = matched.iter().filter_map(uid_of).collect();
        own().all(|pod| uid_of(pod).is_some_and(|uid| matched.contains(uid)))
    };
    Pods {
        adoption: Adoption::of(planned, own(), Some(live)),
        are_matched,
    }
}

fn uid_of(pod: &Value) -> Option<&str> {
    pod["metadata"]["uid"].as_str()
}

/// Looks for pods that a new StatefulSet takes over: one before it was deleted without them, by somebody or
/// by a run that was interrupted. A number of replicas that is not ours stays as it was.
pub(crate) async fn find(context: &Context, step: &mut Step, rules: Rules<'_>) {
    let target = &step.target;
    let object = &target.reference;
    if step.live.is_some() || !object.is("apps", "StatefulSet") {
        return;
    }
    let pods = match list(context, target, &step.planned).await {
        Ok(pods) => pods,
        Err(error) => {
            return context.warn(format!(
                "`{object}`: whether it takes over pods is not known: {error}"
            ));
        }
    };
    let free: Vec<&Value> = adopted(&pods, &object.name, None).collect();
    let highest = free.iter().filter_map(|pod| ordinal_of(pod, &object.name));
    let replicas = replicas();
    let is_declared = replicas.get(&target.body).is_some();
    let choices = rules.choices;
    let mut yielded = choices.yielded.iter().chain(&choices.always_yielded);
    let is_yielded = yielded.any(|pattern| pattern.means(object, &replicas));
    if let Some(highest) = highest.max().filter(|_| is_yielded || !is_declared) {
        let spec = &mut step.planned["spec"];
        let start = spec["ordinals"]["start"].as_i64().unwrap_or(0);
        spec["replicas"] = Value::from(highest + 1 - start);
        if is_declared {
            let mut sent = target.body.clone();
            replicas.remove_alone(&mut sent);
            step.sent = Some(sent);
        }
    }
    step.adoption = Adoption::of(&step.planned, free.iter().copied(), None);
    let is_marked = |pod: &&Value| !pod["metadata"]["annotations"][SERVICE_NAME].is_null();
    let is_renamed = step.adoption.as_ref().is_some_and(Adoption::is_renamed);
    if is_renamed || free.iter().any(is_marked) {
        mark(&mut step.planned);
    }
}

/// The path of the number of replicas.
pub(crate) fn replicas() -> FieldPath {
    FieldPath::of_fields(&["spec", "replicas"])
}

/// The pods that match the selector of a StatefulSet.
async fn list(
    context: &Context,
    target: &Target,
    stateful_set: &Value,
) -> Result<Vec<Value>, ClusterError> {
    let namespace = target.reference.namespace.as_deref();
    let selector = selector_of(&stateful_set["spec"]["selector"]);
    let Some(selector) = selector else {
        return Ok(Vec::new());
    };
    let kind = ResourceKind::pod();
    let pods = context
        .cluster
        .list(&kind, namespace, Some(&selector), None);
    pods.await
}
