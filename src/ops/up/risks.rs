//! Reads what the cluster has for the pods and claims of a plan, and finds what may keep them apart.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt};
use serde_json::Value;

use crate::action::Action;
use crate::cluster::ResourceKind;
use crate::manifest::pod_template;
use crate::object::ObjectRef;
use crate::ops::error::Problem;
use crate::ops::{CONCURRENCY, Context};
use crate::plan::{
    LimitFacts, Plan, Step, StorageFacts, claims_of_pods, limit_risks, storage_risks,
};
use crate::risk::{Risk, RiskKind};

/// The risks of a plan, beside those that are known already, that nobody has accepted; the others become warnings. What cannot be read, for
/// lack of permission or for any other reason, is no risk.
pub(crate) async fn check(
    context: &Context,
    plan: &Plan,
    mut risks: Vec<Risk>,
    accepted: &[RiskKind],
) -> Vec<Problem> {
    let (storage, limits) = tokio::join!(storage(context, plan), limits(context, plan));
    risks.extend(storage_risks(plan, &storage));
    risks.extend(limit_risks(plan, &limits));
    let (accepted, open): (Vec<_>, Vec<_>) = risks
        .into_iter()
        .partition(|risk| accepted.contains(&risk.kind));
    for risk in accepted {
        context.warn(format!("`{}`: {}", risk.object, risk.reason));
    }
    open.into_iter().map(Problem::Risk).collect()
}

async fn storage(context: &Context, plan: &Plan) -> StorageFacts {
    let written = || plan.steps.iter().filter(|step| step.action != Action::Keep);
    let named: BTreeSet<ObjectRef> = written().flat_map(claims_of_pods).collect();
    if named.is_empty() && !written().any(brings_claims) {
        return StorageFacts::default();
    }
    let volumes = ResourceKind::known("", "v1", "PersistentVolume", "persistentvolumes", false);
    let list = async |kind: ResourceKind| {
        let listed = context.cluster.list::<Value>(&kind, None, None, None).await;
        listed.ok()
    };
    let (classes, volumes, nodes, claims) = tokio::join!(
        list(ResourceKind::storage_class()),
        list(volumes),
        list(ResourceKind::node()),
        live_claims(context, plan, named)
    );
    StorageFacts {
        claims,
        classes,
        volumes,
        nodes,
    }
}

/// Whether a step creates a claim, or an object that makes some.
fn brings_claims(step: &Step) -> bool {
    let is_claim = step.target.reference.is("", "PersistentVolumeClaim");
    let templates = step.planned["spec"]["volumeClaimTemplates"].as_array();
    is_claim || templates.is_some_and(|templates| !templates.is_empty())
}

/// The live claims among those that pods name, as far as they are not in the set.
async fn live_claims(
    context: &Context,
    plan: &Plan,
    named: BTreeSet<ObjectRef>,
) -> BTreeMap<ObjectRef, Value> {
    let is_brought = |claim: &ObjectRef| {
        let mut steps = plan.steps.iter();
        steps.any(|step| step.target.reference == *claim)
    };
    let kind = ResourceKind::claim();
    stream::iter(named.into_iter().filter(|claim| !is_brought(claim)))
        .map(async |claim| {
            let namespace = claim.namespace.as_deref();
            let read = context.cluster.get::<Value>(&kind, namespace, &claim.name);
            let live = read.await.ok().flatten()?;
            Some((claim, live))
        })
        .buffer_unordered(CONCURRENCY)
        .filter_map(async |found| found)
        .collect()
        .await
}

/// The limits in the namespaces of the plan's workloads: those of the plan instead of the live ones.
async fn limits(context: &Context, plan: &Plan) -> BTreeMap<String, LimitFacts> {
    let written = plan.steps.iter().filter(|step| step.action != Action::Keep);
    let with_pods = written.filter(|step| {
        let template = pod_template(&step.target.reference, &step.planned);
        template.is_some()
    });
    let namespaces: BTreeSet<&String> = with_pods
        .filter_map(|step| step.target.reference.namespace.as_ref())
        .collect();
    stream::iter(namespaces)
        .map(async |namespace| {
            let exists = !plan.absent_namespaces.contains(namespace);
            let list = async |kind: &str, plural: &str| {
                let kind = ResourceKind::known("", "v1", kind, plural, true);
                let live = if exists {
                    let listed = context.cluster.list(&kind, Some(namespace), None, None);
                    listed.await.unwrap_or_default()
                } else {
                    Vec::new()
                };
                with_planned(plan, &kind, namespace, live)
            };
            let (quotas, ranges) = tokio::join!(
                list("ResourceQuota", "resourcequotas"),
                list("LimitRange", "limitranges")
            );
            (namespace.clone(), LimitFacts { quotas, ranges })
        })
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await
}

/// Live objects of a kind as they will be after the plan.
fn with_planned(
    plan: &Plan,
    kind: &ResourceKind,
    namespace: &str,
    mut live: Vec<Value>,
) -> Vec<Value> {
    for step in &plan.steps {
        let reference = &step.target.reference;
        let is_here = reference.namespace.as_deref() == Some(namespace);
        if !is_here || !reference.is("", &kind.resource.kind) {
            continue;
        }
        let used = live
            .iter()
            .position(|object| object["metadata"]["name"] == reference.name.as_str())
            .map(|place| live.remove(place)["status"].clone());
        let mut planned = step.planned.clone();
        planned["status"] = used.unwrap_or_default();
        live.push(planned);
    }
    live
}
