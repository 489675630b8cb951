//! Workloads outside of the set whose pods an object of the set would take for its own.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt};
use serde_json::Value;

use crate::action::Action;
use crate::cluster::ResourceKind;
use crate::manifest::ManifestSet;
use crate::object::{ObjectName, ObjectRef};
use crate::ops::{CONCURRENCY, Context};
use crate::plan::{Plan, Step, selects};
use crate::risk::{Risk, RiskKind};
use crate::status::has_controller;

/// The kinds that make pods and that people deploy, all of the group `apps`.
const KINDS: [(&str, &str); 4] = [
    ("DaemonSet", "daemonsets"),
    ("Deployment", "deployments"),
    ("ReplicaSet", "replicasets"),
    ("StatefulSet", "statefulsets"),
];

/// Workloads outside of the set.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    /// Those that the set takes the place of, because the user named them.
    pub(crate) replaced: ManifestSet,
    /// What the others mean for the set.
    pub(crate) risks: Vec<Risk>,
}

/// Looks for workloads whose pods match a selector that the plan brings.
pub(crate) async fn look(context: &Context, plan: &Plan, replaced: &[ObjectName]) -> Strangers {
    // Who is named goes, whenever the selectors came.
    let is_asked = |step: &&Step| is_selecting(step) && (!replaced.is_empty() || brings(step));
    let selecting: Vec<&Step> = plan.steps.iter().filter(is_asked).collect();
    let namespaces: BTreeSet<&str> = selecting
        .iter()
        .filter_map(|step| step.target.reference.namespace.as_deref())
        .filter(|name| !plan.absent_namespaces.iter().any(|absent| absent == name))
        .collect();
    let places = namespaces
        .into_iter()
        .flat_map(|namespace| KINDS.map(|kind| (namespace, kind)));
    let listed: Vec<Vec<Value>> = stream::iter(places)
        .map(|(namespace, (kind, plural))| list(context, namespace, kind, plural))
        .buffered(CONCURRENCY)
        .collect()
        .await;
    let mut gone = Vec::new();
    let mut risks = Vec::new();
    for workload in listed.into_iter().flatten() {
        let object = reference(&workload);
        let mut of_set = plan.steps.iter().map(|step| &step.target.reference);
        if of_set.any(|of_set| *of_set == object) || has_controller(&workload) {
            continue;
        }
        let is_near = |step: &&&Step| step.target.reference.namespace == object.namespace;
        let labels = &workload["spec"]["template"]["metadata"]["labels"];
        let selecting = selecting.iter().filter(is_near);
        let selecting: Vec<&&Step> = selecting
            .filter(|step| selects(&step.target.reference, &step.planned, labels))
            .collect();
        if selecting.is_empty() {
            continue;
        }
        if replaced.iter().any(|name| name.means(&object)) {
            gone.push(workload);
            continue;
        }
        // What was so before is no news.
        let new = selecting.iter().filter(|step| brings(step));
        let new: Vec<&ObjectRef> = new.map(|step| &step.target.reference).collect();
        if !new.is_empty() {
            risks.push(risk(object, &new));
        }
    }
    Strangers {
        replaced: ManifestSet::of_live(gone),
        risks,
    }
}

/// Whether a step brings a selector that was not there before.
fn brings(step: &Step) -> bool {
    is_selecting(step)
        && match &step.live {
            Some(live) if step.action != Action::Replace => {
                live["spec"]["selector"] != step.planned["spec"]["selector"]
            }
            _ => true,
        }
}

fn is_selecting(step: &Step) -> bool {
    let reference = &step.target.reference;
    reference.is("apps", "StatefulSet") || reference.is("", "Service")
}

fn risk(object: ObjectRef, by: &[&ObjectRef]) -> Risk {
    let names: Vec<String> = by.iter().map(|object| format!("`{object}`")).collect();
    let consequence = if by.iter().any(|object| object.is("", "Service")) {
        "its pods would get requests that are meant for the replicas"
    } else {
        "a Service could not tell its pods from the replicas"
    };
    Risk {
        kind: RiskKind::ForeignPods,
        reason: format!(
            "it is not in the set, but its pods match the selector of {}: {consequence}",
            names.join(" and ")
        ),
        remedy: "change the labels of its pods, or let the set take its place".to_owned(),
        object,
    }
}

/// The workloads of a kind; none if they cannot be read.
async fn list(context: &Context, namespace: &str, kind: &str, plural: &str) -> Vec<Value> {
    let known = ResourceKind::known("apps", "v1", kind, plural, true);
    let listed = context
        .cluster
        .list::<Value>(&known, Some(namespace), None, None);
    let mut workloads = listed.await.unwrap_or_default();
    for workload in &mut workloads {
        // The items of a list do not say what they are.
        workload["apiVersion"] = "apps/v1".into();
        workload["kind"] = kind.into();
    }
    workloads
}

fn reference(workload: &Value) -> ObjectRef {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &workload["metadata"];
    let (kind, name) = (text(&workload["kind"]), text(&metadata["name"]));
    ObjectRef::new("apps", &kind, metadata["namespace"].as_str(), &name)
}
