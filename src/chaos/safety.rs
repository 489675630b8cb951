//! The safety checks before a fault.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::ChaosPlan;
use crate::cluster::ResourceKind;
use crate::fault::{Budget, Fault, Target};
use crate::figures::count;
use crate::ops::Context;
use crate::ops::cordoned_nodes::cordoned;
use crate::ops::workload::pod_labels;
use crate::rollout::{RolloutProgress, RolloutState};
use crate::status::SCALED_FROM;

/// Every objection to breaking the workload now, one sentence each.
pub(super) async fn objections(
    context: &Context,
    plan: &ChaosPlan,
    set: &StatefulSet,
    progress: &RolloutProgress,
) -> Vec<String> {
    let mut objections = Vec::new();
    let annotations = set.metadata.annotations.as_ref();
    if annotations.is_some_and(|annotations| annotations.contains_key(SCALED_FROM)) {
        objections.push(format!(
            "an earlier experiment was not undone: run `{}` first",
            plan.workload.restore_command()
        ));
    }
    if plan.experiment.settings.fault.is_some()
        && let Ok(nodes) = cordoned(context, &plan.workload).await
    {
        // Without permission to list nodes, no experiment can have cordoned one.
        objections.extend(nodes.iter().map(|node| {
            format!(
                "an earlier experiment left `node/{node}` cordoned: run `{}` first",
                plan.workload.restore_command()
            )
        }));
    }
    if plan.experiment.settings.allow_disruption
        || plan.experiment.settings.fault.is_none()
        || !objections.is_empty()
    {
        return objections;
    }
    if let RolloutState::Progressing { message, .. } = &progress.state {
        objections.push(if progress.ready < progress.desired {
            format!(
                "{} of {} replicas are Ready: {message}",
                progress.ready, progress.desired
            )
        } else {
            format!("the rollout is not complete: {message}")
        });
    }
    let hint = "; `--allow-disruption` proceeds anyway";
    // The API server checks the budgets when it handles an eviction.
    let needed = match plan.experiment.settings.fault.map(Fault::facts) {
        Some(facts) if facts.budget == Budget::AskedByEviction => 0,
        Some(facts) if facts.target == Target::Workload => progress.desired,
        Some(_) => 1,
        None => 0,
    };
    if needed > 0 {
        objections.extend(forbidding_budgets(context, plan, set, needed).await);
    }
    for objection in &mut objections {
        objection.push_str(hint);
    }
    objections
}

async fn forbidding_budgets(
    context: &Context,
    plan: &ChaosPlan,
    set: &StatefulSet,
    needed: i32,
) -> Vec<String> {
    let listed = context
        .cluster
        .list::<PodDisruptionBudget>(
            &ResourceKind::disruption_budget(),
            Some(&plan.workload.namespace),
            None,
            None,
        )
        .await;
    let budgets = match listed {
        Ok(budgets) => budgets,
        Err(error) => {
            return vec![format!(
                "cannot tell whether a disruption budget forbids it: {error}"
            )];
        }
    };
    let labels = pod_labels(set);
    budgets
        .into_iter()
        .filter(|budget| {
            let spec = budget.spec.as_ref();
            spec.and_then(|spec| spec.selector.as_ref())
                .is_some_and(|selector| selects(selector, &labels))
        })
        .filter_map(|budget| {
            let allowed = budget
                .status
                .and_then(|status| status.disruptions_allowed)
                .unwrap_or(0);
            let name = budget.metadata.name.unwrap_or_default();
            (allowed < needed).then(|| {
                format!(
                    "the disruption budget `{name}` allows {} now, but the fault needs {needed}",
                    count(allowed, "disruption")
                )
            })
        })
        .collect()
}

/// Whether a selector matches labels (`k8s.io/apimachinery` `LabelSelectorAsSelector`). An unknown
/// operator counts as a match, because checking one budget too many is safer.
fn selects(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let equal = selector
        .match_labels
        .iter()
        .flatten()
        .all(|(key, value)| labels.get(key) == Some(value));
    let expressions = selector.match_expressions.iter().flatten();
    equal
        && expressions.into_iter().all(|expression| {
            let values = expression.values.as_deref().unwrap_or_default();
            let label = labels.get(&expression.key);
            match expression.operator.as_str() {
                "In" => label.is_some_and(|label| values.contains(label)),
                "NotIn" => label.is_none_or(|label| !values.contains(label)),
                "Exists" => label.is_some(),
                "DoesNotExist" => label.is_none(),
                _ => true,
            }
        })
}
