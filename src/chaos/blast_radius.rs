//! The blast radius of an experiment, in sentences for the person who consents to it.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::StatefulSet;

use crate::fault::{Fault, Target};
use crate::figures::took;
use crate::ops::Workload;
use crate::ops::verify::pods::Pods;
use crate::report::{Endpoint, Experiment, Selection};
use crate::status::{
    KeptBecause, expected_ordinals, kept_because, next_revision, revision_hash, revision_of,
};

/// The blast radius of the experiment, one sentence each.
pub(super) fn blast_radius(
    experiment: &Experiment,
    workload: &Workload,
    set: &StatefulSet,
    names: &[String],
    pods: &Pods,
    probed: &[Endpoint],
) -> Vec<String> {
    let mut lines = Vec::new();
    let all = names.len();
    let node_of = |name: &String| pods.get(name)?.spec.as_ref()?.node_name.as_deref();
    let facts = experiment.settings.fault.map(Fault::facts);
    match facts.map(|facts| facts.target) {
        None => {}
        Some(Target::Workload) => lines.push(format!(
            "no replica stays up; the experiment scales back to {all} afterwards; if \
             this program is killed, run `{}`",
            workload.restore_command()
        )),
        Some(Target::Rollout) => {
            lines.push(format!(
                "one of {all} replicas is down at a time, as in any rollout"
            ));
        }
        Some(Target::Node) => {
            let node = experiment.pods.first().and_then(node_of);
            let node = node.unwrap_or("unknown");
            let here: Vec<String> = names
                .iter()
                .filter(|name| node_of(name) == Some(node))
                .cloned()
                .collect();
            lines.push(format!(
                "node `{node}` accepts no new pods until it is uncordoned; {} evicted from it; pods of \
                 other workloads stay",
                match here.as_slice() {
                    [one] => format!("`{one}` is"),
                    several => format!("{} are", listed(several)),
                }
            ));
        }
        Some(Target::Pod) => {
            if experiment.repeat > 1 {
                let seed = match experiment.settings.selection {
                    Selection::Random { seed } => format!(" (seed {seed})"),
                    _ => String::new(),
                };
                lines.push(format!("in this order{seed}: {}", listed(&experiment.pods)));
            }
            lines.push(staying(experiment.pods.first(), names, pods));
        }
    }
    if experiment.settings.fault == Some(Fault::ForceDelete) {
        lines.push(
            "without a grace period, an old process may still write when its replacement starts: two \
             writers may overlap"
                .to_owned(),
        );
    }
    if facts.is_some_and(|facts| facts.has_grace) {
        let spec = set.spec.template.spec.as_ref();
        let grace = spec.and_then(|spec| spec.termination_grace_period_seconds);
        let grace = grace.unwrap_or(30);
        lines.push(format!("each pod has {grace} s to stop"));
    }
    lines.extend(remade(experiment, set, names, pods));
    let requests = |is_probed: bool| -> Vec<String> {
        let endpoints = experiment.endpoints.iter();
        endpoints
            .filter(|endpoint| probed.contains(endpoint) == is_probed)
            .map(|endpoint| format!("GET {} on port {}", endpoint.path, endpoint.port))
            .collect()
    };
    lines.push(format!(
        "each of {all} replicas is probed every {}: {}",
        took(experiment.settings.probe_interval_ms),
        requests(true).join(", ")
    ));
    let others = requests(false);
    if !others.is_empty() {
        lines.push(format!(
            "replicas may differ, so verified only before and after each fault: {}",
            others.join(", ")
        ));
    }
    lines
}

/// How many replicas stay up during a fault on one pod; missing and terminating pods do not count.
fn staying(target: Option<&String>, names: &[String], pods: &Pods) -> String {
    let is_there = |name: &&String| {
        let pod = pods.get(*name);
        pod.is_some_and(|pod| pod.metadata.deletion_timestamp.is_none())
    };
    let gone: Vec<String> = names
        .iter()
        .filter(|name| !is_there(name) && Some(*name) != target)
        .cloned()
        .collect();
    let count = names.len().saturating_sub(gone.len() + 1);
    let verb = if count == 1 { "stays up" } else { "stay up" };
    let what = if gone.iter().all(|name| pods.contains_key(name)) {
        "already terminating"
    } else {
        "missing or already terminating"
    };
    let why = match gone.as_slice() {
        [] => String::new(),
        [one] => format!(": `{one}` is {what}"),
        several => format!(": {} are {what}", listed(several)),
    };
    format!("{count} of {} replicas {verb}{why}", names.len())
}

/// The targets that come back at a different template revision, one sentence each.
fn remade(
    experiment: &Experiment,
    set: &StatefulSet,
    names: &[String],
    pods: &Pods,
) -> Vec<String> {
    let Some(fault) = experiment.settings.fault.filter(|fault| !fault.keeps_pod()) else {
        return Vec::new();
    };
    let targets: BTreeSet<&String> = match fault.facts().target {
        // The experiment itself creates the new revision.
        Target::Rollout => return Vec::new(),
        // Every pod may be on the node.
        Target::Node => names.iter().collect(),
        Target::Pod | Target::Workload => experiment.pods.iter().collect(),
    };
    let why = match kept_because(set) {
        Some(KeptBecause::OnDelete) => ", because `OnDelete` has kept the old revision",
        _ => "",
    };
    let each = expected_ordinals(set)
        .zip(names)
        .filter(|(_, name)| targets.contains(name));
    each.filter_map(|(ordinal, name)| {
        let now = revision_of(pods.get(name)?)?;
        let next = next_revision(set, ordinal)?;
        (now != next).then(|| {
            format!(
                "`{name}` comes back at a different template revision ({} now, {} then){why}: its \
                 content may change too",
                revision_hash(now),
                revision_hash(next)
            )
        })
    })
    .collect()
}

pub(super) fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = names
        .iter()
        .take(10)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = names.len().saturating_sub(quoted.len());
    let end = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{end}", quoted.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_terminating_does_not_stay() {
        let names: Vec<String> = ["web-0", "web-1", "web-2"].map(str::to_owned).to_vec();
        let words = |leaving: &[&str]| {
            let pods = names.iter().map(|name| {
                let time = leaving.contains(&name.as_str());
                let time = time.then_some("2026-01-01T00:00:00Z");
                let pod = json!({"metadata": {"name": name, "deletionTimestamp": time}});
                (name.clone(), serde_json::from_value(pod).unwrap())
            });
            staying(names.get(1), &names, &pods.collect())
        };
        assert_eq!(words(&[]), "2 of 3 replicas stay up");
        assert_eq!(words(&["web-1"]), "2 of 3 replicas stay up");
        assert_eq!(
            words(&["web-0"]),
            "1 of 3 replicas stays up: `web-0` is already terminating"
        );
        assert_eq!(
            words(&["web-0", "web-2"]),
            "0 of 3 replicas stay up: `web-0`, `web-2` are already terminating"
        );
    }
}
