//! The faults: one row of facts for each. `chaos/fault.rs` sends them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A fault: one way to break a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Deletes the pod with its own grace period.
    Delete,
    /// Deletes the pod with grace period 0: its processes may outlive it.
    ForceDelete,
    /// Requests an eviction, which a disruption budget may refuse.
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
    /// The pods of the workload one by one, through a new template revision.
    Rollout,
    /// The pods of the workload on one node.
    Node,
}

/// What proves that a fault hit a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A pod with a different UID, whose containers started later.
    NewPod,
    /// The same pod with a restarted container.
    Restart,
}

/// How disruption budgets apply to a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// The API server does not check them, so the program does: they must allow as many disruptions as
    /// pods go down at once.
    Checked,
    /// The API server checks them when it handles the eviction.
    AskedByEviction,
}

/// How a fault is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undo {
    /// Scale the workload back up.
    ScaleUp,
    /// Uncordon the node.
    Uncordon,
}

/// The facts about one fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The name in flags and reports.
    pub name: &'static str,
    /// Its target.
    pub target: Target,
    /// What proves that it hit its target.
    pub proof: Proof,
    /// How disruption budgets apply to it.
    pub budget: Budget,
    /// How it is undone, if it must be.
    pub undo: Option<Undo>,
    /// Whether the pod gets its own grace period to stop.
    pub has_grace: bool,
    /// The help text of the flag.
    pub help: &'static str,
    /// The sentence before the fault; `{pod}`, `{workload}`, `{container}` and the `{count}` of pods are
    /// filled in.
    plan: &'static str,
    /// The sentence during the fault, about `{pods}`.
    doing: &'static str,
    /// The sentence after the fault, about `{pods}`.
    done: &'static str,
    /// The participle after "the pod was", such as "deleted".
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
    help: "Delete the pod with grace period 0: two pods may write at once",
    plan: "force-delete {pod} (grace period 0)",
    doing: "force-deleting {pods}",
    done: "{pods} force-deleted",
    past: "force-deleted",
    ..DELETE
};

const EVICT: Facts = Facts {
    name: "evict",
    budget: Budget::AskedByEviction,
    help: "Evict the pod, if disruption budgets allow it",
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
    doing: "cordoning the node and evicting {pods}",
    done: "{pods} evicted from a cordoned node",
    past: "evicted from its cordoned node",
    ..DELETE
};

/// The words to fill into the sentence of a plan.
#[derive(Debug, Clone, Copy)]
pub struct Planned<'a> {
    /// The pod, or a phrase for several.
    pub pod: &'a str,
    /// The workload.
    pub workload: &'a str,
    /// The container that gets the signal, if the fault sends one.
    pub container: Option<&'a str>,
    /// The number of pods.
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

    /// The facts about this fault.
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

    /// The name in flags and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// Whether it targets the whole workload, not one pod or node.
    #[must_use]
    pub fn targets_workload(self) -> bool {
        matches!(self.facts().target, Target::Workload | Target::Rollout)
    }

    /// Whether the pod survives it and only a container restarts.
    #[must_use]
    pub fn keeps_pod(self) -> bool {
        self.facts().proof == Proof::Restart
    }

    /// Whether it creates a new template revision.
    #[must_use]
    pub fn changes_template(self) -> bool {
        self.facts().target == Target::Rollout
    }

    /// The fault before it is sent, to follow "this will": "delete `pod/web-0`".
    #[must_use]
    pub fn plan(self, planned: &Planned<'_>) -> String {
        self.facts()
            .plan
            .replace("{pod}", planned.pod)
            .replace("{workload}", planned.workload)
            .replace("{container}", planned.container.unwrap_or_default())
            .replace("{count}", &planned.count.to_string())
    }

    /// The fault while it is sent: "deleting web-0".
    #[must_use]
    pub fn doing(self, pods: &[String]) -> String {
        self.facts().doing.replace("{pods}", &named(pods))
    }

    /// The fault after it was sent: "web-0 deleted".
    #[must_use]
    pub fn done(self, pods: &[String]) -> String {
        self.facts().done.replace("{pods}", &named(pods))
    }

    /// The participle after "the pod was": "deleted".
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
