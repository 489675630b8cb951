//! The ways to break a workload: a row of facts for each. `chaos/fault.rs` does what they say.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A way to break a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Deletes the pod with its own grace period.
    Delete,
    /// Deletes the pod with a grace period of 0: its processes may outlive it.
    ForceDelete,
    /// Asks for an eviction, which disruption budgets may refuse.
    Evict,
    /// Sends SIGTERM to process 1 of the container that serves the endpoint.
    Kill,
    /// Restarts the rollout, as `kubectl rollout restart` does.
    Restart,
    /// Scales to zero and back.
    Scale,
    /// Cordons the pod's node and evicts the workload's pods from it.
    Cordon,
}

/// What a fault is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// One pod.
    Pod,
    /// Every pod of the workload at once.
    Workload,
    /// The pods of the workload one after the other, by a new revision of the template.
    Rollout,
    /// The pods of the workload on one node.
    Node,
}

/// What proves that a fault has happened to a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A pod with another UID, and containers that started later.
    NewPod,
    /// The same pod, with a container that has restarted.
    Restart,
}

/// Whether disruption budgets have to allow it before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// Nobody asks them: so many disruptions as pods are away at once have to be allowed.
    Checked,
    /// The eviction asks them itself.
    AskedByEviction,
}

/// What has to be undone when the fault is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undo {
    /// Scaling the workload up again.
    ScaleUp,
    /// Uncordoning the node.
    Uncordon,
}

/// What is known of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Its name, as flags and reports spell it.
    pub name: &'static str,
    /// What it is sent to.
    pub target: Target,
    /// What proves that it has happened.
    pub proof: Proof,
    /// Whether disruption budgets have to allow it.
    pub budget: Budget,
    /// What has to be undone, if anything.
    pub undo: Option<Undo>,
    /// Whether a pod has its own grace period to stop.
    pub has_grace: bool,
    /// What it does, for whoever chooses among faults.
    pub help: &'static str,
    /// What it will do: `{pod}` is the pod, `{workload}` the workload, `{container}` the container, and
    /// `{count}` how many pods.
    plan: &'static str,
    /// What it does, to `{pods}`.
    doing: &'static str,
    /// What it did, to `{pods}`.
    done: &'static str,
    /// What a pod or workload was, as the end of a sentence.
    past: &'static str,
}

const DELETE: Facts = Facts {
    name: "delete",
    target: Target::Pod,
    proof: Proof::NewPod,
    budget: Budget::Checked,
    undo: None,
    has_grace: true,
    help: "Delete the pod, with its own grace period",
    plan: "delete {pod}",
    doing: "deleting {pods}",
    done: "{pods} deleted",
    past: "deleted",
};

const FORCE_DELETE: Facts = Facts {
    name: "force-delete",
    has_grace: false,
    help: "Delete the pod without any grace period: two pods may write at once",
    plan: "delete {pod} without grace",
    doing: "deleting {pods} without grace",
    done: "{pods} deleted without grace",
    past: "deleted without grace",
    ..DELETE
};

const EVICT: Facts = Facts {
    name: "evict",
    budget: Budget::AskedByEviction,
    help: "Evict the pod, as far as disruption budgets allow",
    plan: "evict {pod}",
    doing: "evicting {pods}",
    done: "{pods} evicted",
    past: "evicted",
    ..DELETE
};

const KILL: Facts = Facts {
    name: "kill",
    proof: Proof::Restart,
    has_grace: false,
    help: "Send SIGTERM to process 1 of the container that serves the endpoint",
    plan: "send SIGTERM to process 1 of container `{container}` of {pod}",
    doing: "sending SIGTERM to process 1 of {pods}",
    done: "SIGTERM sent to {pods}",
    past: "sent SIGTERM",
    ..DELETE
};

const RESTART: Facts = Facts {
    name: "restart",
    target: Target::Rollout,
    help: "Restart the rollout",
    plan: "restart {count} of the pods of {workload}",
    doing: "restarting {pods}",
    done: "{pods} restarted",
    past: "restarted",
    ..DELETE
};

const SCALE: Facts = Facts {
    name: "scale",
    target: Target::Workload,
    undo: Some(Undo::ScaleUp),
    help: "Scale to zero and back",
    plan: "scale {workload} to zero and back",
    doing: "scaling {pods} to zero and back",
    done: "{pods} scaled to zero and back",
    past: "scaled to zero and back",
    ..DELETE
};

const CORDON: Facts = Facts {
    name: "cordon",
    target: Target::Node,
    budget: Budget::AskedByEviction,
    undo: Some(Undo::Uncordon),
    help: "Cordon the pod's node, and evict this workload's pods from it",
    plan: "cordon the node of {pod} and evict the pods of {workload} from it",
    doing: "cordoning the node of {pods} and evicting from it",
    done: "{pods} evicted from a cordoned node",
    past: "evicted from its cordoned node",
    ..DELETE
};

/// What a plan speaks of.
#[derive(Debug, Clone, Copy)]
pub struct Planned<'a> {
    /// The pod, or what stands for several.
    pub pod: &'a str,
    /// The workload.
    pub workload: &'a str,
    /// The container whose process is signalled, if one is.
    pub container: Option<&'a str>,
    /// How many pods.
    pub count: usize,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 7] = [
        Self::Delete,
        Self::ForceDelete,
        Self::Evict,
        Self::Kill,
        Self::Restart,
        Self::Scale,
        Self::Cordon,
    ];

    /// What is known of it.
    #[must_use]
    pub fn facts(self) -> &'static Facts {
        match self {
            Self::Delete => &DELETE,
            Self::ForceDelete => &FORCE_DELETE,
            Self::Evict => &EVICT,
            Self::Kill => &KILL,
            Self::Restart => &RESTART,
            Self::Scale => &SCALE,
            Self::Cordon => &CORDON,
        }
    }

    /// Its name, as flags and reports spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// Whether it is sent to the whole workload, and not to a pod or a node that is chosen.
    #[must_use]
    pub fn targets_workload(self) -> bool {
        matches!(self.facts().target, Target::Workload | Target::Rollout)
    }

    /// Whether a pod proves it by a restart, and stays the same otherwise.
    #[must_use]
    pub fn keeps_pod(self) -> bool {
        self.facts().proof == Proof::Restart
    }

    /// Whether it gives the workload a new revision of the template by itself.
    #[must_use]
    pub fn changes_template(self) -> bool {
        self.facts().target == Target::Rollout
    }

    /// What it will do, as the end of "this will …".
    #[must_use]
    pub fn plan(self, planned: &Planned<'_>) -> String {
        self.facts()
            .plan
            .replace("{pod}", planned.pod)
            .replace("{workload}", planned.workload)
            .replace("{container}", planned.container.unwrap_or_default())
            .replace("{count}", &planned.count.to_string())
    }

    /// What it does, and to whom: "deleting web-0".
    #[must_use]
    pub fn doing(self, pods: &[String]) -> String {
        self.facts().doing.replace("{pods}", &named(pods))
    }

    /// What it did, and to whom: "web-0 deleted".
    #[must_use]
    pub fn done(self, pods: &[String]) -> String {
        self.facts().done.replace("{pods}", &named(pods))
    }

    /// What its target was, as the end of a sentence: "deleted".
    #[must_use]
    pub fn past(self) -> &'static str {
        self.facts().past
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

fn named(pods: &[String]) -> String {
    match pods {
        [pod] => pod.clone(),
        several => format!("{} pods", several.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_reports() {
        for fault in Fault::ALL {
            assert_eq!(
                serde_json::to_value(fault).unwrap(),
                serde_json::json!(fault.name())
            );
        }
    }

    #[test]
    fn every_sentence_is_filled_in() {
        let planned = Planned {
            pod: "`pod/web-0`",
            workload: "`statefulset/web`",
            container: Some("main"),
            count: 2,
        };
        let pods = ["web-0".to_owned()];
        for fault in Fault::ALL {
            for sentence in [fault.plan(&planned), fault.doing(&pods), fault.done(&pods)] {
                assert!(!sentence.contains(['{', '}']), "{sentence}");
                assert!(
                    sentence.contains("web") || sentence.contains('2'),
                    "{sentence}"
                );
            }
        }
    }

    #[test]
    fn what_is_changed_beyond_the_pods_is_undone() {
        for fault in Fault::ALL {
            let facts = fault.facts();
            let changes = matches!(facts.target, Target::Workload | Target::Node);
            assert_eq!(facts.undo.is_some(), changes, "{fault}");
        }
    }
}
