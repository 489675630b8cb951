//! Pods of a plan that a quota or a limit range will refuse.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Plan, Step};
use crate::action::Action;
use crate::figures::count;
use crate::manifest::pod_template;
use crate::quantity::{milli, words};
use crate::risk::{Risk, RiskKind};

/// What one pod asks for, in thousandths, by the name of the quota's resource.
type Amounts = BTreeMap<String, i128>;

/// The quotas and limit ranges of one namespace: the live ones, and those of the plan.
#[derive(Debug, Clone, Default)]
pub struct LimitFacts {
    /// The quotas with what is used of them.
    pub quotas: Vec<Value>,
    /// The limit ranges.
    pub ranges: Vec<Value>,
}

/// The workloads of a plan whose pods will be refused; `facts` are by namespace.
#[must_use]
pub fn limit_risks(plan: &Plan, facts: &BTreeMap<String, LimitFacts>) -> Vec<Risk> {
    let written = plan.steps.iter().filter(|step| step.action != Action::Keep);
    written
        .filter_map(|step| {
            let object = &step.target.reference;
            let facts = facts.get(object.namespace.as_ref()?)?;
            let template = pod_template(object, &step.planned)?;
            let live = step.live.as_ref();
            // No pod comes that would not have come without the plan.
            if added_pods(step) <= 0
                && live.and_then(|live| pod_template(object, live)) == Some(template)
            {
                return None;
            }
            let spec = with_defaults(&template["spec"], &facts.ranges);
            let reason = out_of_range(&spec, &facts.ranges)
                .or_else(|| over_quota(step, &spec, &facts.quotas))?;
            Some(Risk {
                kind: RiskKind::Quota,
                object: object.clone(),
                reason,
                remedy: "change its resources, or have the limit raised".to_owned(),
            })
        })
        .collect()
}

/// The pod with what limit ranges set in its containers (`plugin/pkg/admission/limitranger`,
/// `defaultContainerResourceRequirements`).
fn with_defaults(spec: &Value, ranges: &[Value]) -> Value {
    let mut spec = spec.clone();
    let rules = rules(ranges, "Container");
    let containers = spec.get_mut("containers").and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten() {
        for rule in &rules {
            for (kind, defaults) in [("limits", "default"), ("requests", "defaultRequest")] {
                for (resource, amount) in rule[defaults].as_object().into_iter().flatten() {
                    let own = &mut container["resources"][kind][resource];
                    if own.is_null() {
                        *own = amount.clone();
                    }
                }
            }
        }
        // A request that is not set is the limit (`pkg/apis/core/v1/defaults.go`).
        let limits = container["resources"]["limits"].clone();
        for (resource, amount) in limits.as_object().into_iter().flatten() {
            let own = &mut container["resources"]["requests"][resource];
            if own.is_null() {
                *own = amount.clone();
            }
        }
    }
    spec
}

/// The rules of limit ranges for one type.
fn rules<'a>(ranges: &'a [Value], kind: &str) -> Vec<&'a Value> {
    ranges
        .iter()
        .filter_map(|range| range["spec"]["limits"].as_array())
        .flatten()
        .filter(|rule| rule["type"] == kind)
        .collect()
}

/// Why a limit range refuses the pod.
fn out_of_range(spec: &Value, ranges: &[Value]) -> Option<String> {
    let containers = spec["containers"].as_array();
    for rule in rules(ranges, "Container") {
        for container in containers.into_iter().flatten() {
            let name = container["name"].as_str().unwrap_or_default();
            let reason = breach(rule, |kind, resource| {
                container["resources"][kind][resource]
                    .as_str()
                    .and_then(milli)
            });
            if let Some(reason) = reason {
                return Some(format!(
                    "a limit range refuses its container `{name}`: {reason}"
                ));
            }
        }
    }
    let amounts = amounts(spec);
    rules(ranges, "Pod").into_iter().find_map(|rule| {
        let reason = breach(rule, |kind, resource| {
            amounts.get(&format!("{kind}.{resource}")).copied()
        })?;
        Some(format!("a limit range refuses each of its pods: {reason}"))
    })
}

/// How resources break a rule: `amount` gives the requests and limits.
fn breach(rule: &Value, amount: impl Fn(&str, &str) -> Option<i128>) -> Option<String> {
    for (bound, kind, is_too_much) in [("max", "limits", true), ("min", "requests", false)] {
        for (resource, allowed) in rule[bound].as_object().into_iter().flatten() {
            let Some(edge) = allowed.as_str().and_then(milli) else {
                continue;
            };
            let own = amount(kind, resource);
            let breaks = match own {
                None => true,
                Some(own) if is_too_much => own > edge,
                Some(own) => own < edge,
            };
            if breaks {
                let kind = kind.trim_end_matches('s');
                let edge = words(edge);
                return Some(match own.map(words) {
                    None => format!("it has no {resource} {kind}, and the {bound}imum is {edge}"),
                    Some(own) if is_too_much => {
                        format!("its {resource} {kind} of {own} is above the maximum of {edge}")
                    }
                    Some(own) => {
                        format!("its {resource} {kind} of {own} is below the minimum of {edge}")
                    }
                });
            }
        }
    }
    None
}

/// What a pod asks for in total.
fn amounts(spec: &Value) -> Amounts {
    let mut total = Amounts::new();
    for container in spec["containers"].as_array().into_iter().flatten() {
        for kind in ["requests", "limits"] {
            let resources = container["resources"][kind].as_object();
            for (resource, amount) in resources.into_iter().flatten() {
                let amount = amount.as_str().and_then(milli).unwrap_or_default();
                *total.entry(format!("{kind}.{resource}")).or_default() += amount;
            }
        }
    }
    total
}

/// Why a quota refuses pods that the step adds (`plugin/pkg/admission/resourcequota`).
fn over_quota(step: &Step, spec: &Value, quotas: &[Value]) -> Option<String> {
    let added = added_pods(step);
    if added <= 0 {
        return None;
    }
    let amounts = amounts(spec);
    // A quota with scopes counts only some pods.
    let is_plain = |quota: &&Value| {
        quota["spec"]["scopes"].is_null() && quota["spec"]["scopeSelector"].is_null()
    };
    quotas.iter().filter(is_plain).find_map(|quota| {
        let name = quota["metadata"]["name"].as_str().unwrap_or_default();
        let hard = quota["spec"]["hard"].as_object();
        hard.into_iter().flatten().find_map(|(resource, hard)| {
            let hard = hard.as_str().and_then(milli)?;
            let used = quota["status"]["used"][resource].as_str();
            let used = used.and_then(milli).unwrap_or_default();
            let one = match resource.as_str() {
                "pods" | "count/pods" => 1000,
                "cpu" | "memory" => *amounts.get(&format!("requests.{resource}"))?,
                named if named.starts_with("requests.") || named.starts_with("limits.") => {
                    match amounts.get(named) {
                        Some(amount) => *amount,
                        None if matches!(named.split_once('.'), Some((_, "cpu" | "memory"))) => {
                            return Some(format!(
                                "the quota `{name}` demands a value for `{named}`, but its containers set none"
                            ));
                        }
                        None => return None,
                    }
                }
                _ => return None,
            };
            let needed = one.checked_mul(added)?;
            let left = (hard - used).max(0);
            (needed > left).then(|| {
                let pods = count(u64::try_from(added).unwrap_or_default(), "pod");
                format!(
                    "the quota `{name}` allows {} more of `{resource}`, but {pods} need {}",
                    words(left),
                    words(needed)
                )
            })
        })
    })
}

/// How many more pods there will be.
fn added_pods(step: &Step) -> i128 {
    let reference = &step.target.reference;
    let pods = |object: &Value| match (reference.group.as_str(), reference.kind.as_str()) {
        ("", "Pod") => 1,
        ("apps", "StatefulSet" | "Deployment" | "ReplicaSet") => {
            object["spec"]["replicas"].as_i64().unwrap_or(1)
        }
        _ => 0,
    };
    // Pods that a new set takes over are there already.
    let adopted = step.adoption.as_ref().map_or(0, |adoption| adoption.pods);
    let there = match &step.live {
        Some(live) => pods(live),
        None => i64::try_from(adopted).unwrap_or(i64::MAX),
    };
    i128::from(pods(&step.planned).saturating_sub(there))
}

#[cfg(test)]
mod tests;
