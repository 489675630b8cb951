//! The revisions of a StatefulSet, and what each of them changed. Pure.
//!
//! The controller keeps every template that it has rolled out as a `ControllerRevision`
//! (`pkg/controller/history`); going back to an old one gives it a new number.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{ControllerRevision, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::fields::{FieldChange, Ownership, changes};
use crate::status::{KeptBecause, is_owned_by, kept_because, revision_of};

/// The annotation in which people note why they changed something (kubectl `--record`).
const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

/// A revision of a StatefulSet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    /// Its number: the highest is the newest.
    pub number: i64,
    /// The name of its `ControllerRevision`.
    pub name: String,
    /// When the controller first rolled it out.
    pub first_seen: Option<Timestamp>,
    /// Why, if somebody has noted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_cause: Option<String>,
    /// Whether it is the one that the controller updates to.
    pub is_update: bool,
    /// The pods that were created from it.
    pub pods: Vec<String>,
    /// How it differs from the revision before it; nothing for the oldest that is kept.
    pub changes: Vec<FieldChange>,
}

/// The revisions that are kept, the oldest first.
#[must_use]
pub fn history(
    stateful_set: &StatefulSet,
    revisions: &[ControllerRevision],
    pods: &[Pod],
) -> Vec<Revision> {
    let live = serde_json::to_value(stateful_set).unwrap_or_default();
    let ownership = Ownership::new(&live, None);
    let status = stateful_set.status.as_ref();
    let update = status.and_then(|status| status.update_revision.as_deref());
    let mut before: Option<Value> = None;
    let kept = sorted(stateful_set, revisions).into_iter();
    kept.map(|revision| {
        let template = template(revision).unwrap_or_default();
        let changes = before.replace(template.clone()).map(|before| {
            let whole = |template: &Value| json!({"spec": {"template": template}});
            let mut found = changes(&whole(&before), &whole(&template), &ownership);
            // Who owns a field now says nothing about a revision.
            for change in &mut found {
                change.owners.clear();
            }
            found
        });
        let metadata = &revision.metadata;
        let name = metadata.name.clone().unwrap_or_default();
        let annotations = metadata.annotations.as_ref();
        let at_it = pods.iter().filter(|pod| {
            is_owned_by(pod, stateful_set) && revision_of(pod) == Some(name.as_str())
        });
        Revision {
            number: number(revision),
            first_seen: metadata.creation_timestamp.as_ref().map(|time| time.0),
            change_cause: annotations.and_then(|all| all.get(CHANGE_CAUSE)).cloned(),
            is_update: update == Some(name.as_str()),
            pods: at_it.filter_map(|pod| pod.metadata.name.clone()).collect(),
            changes: changes.unwrap_or_default(),
            name,
        }
    })
    .collect()
}

/// Which revision to go back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// The one with this number.
    Number(i64),
    /// The one before the newest.
    Before,
    /// The last one whose rollout was complete.
    LastGood,
}

/// Why there is nothing to go back to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoTarget {
    /// There is no revision with this number.
    #[error("there is no revision {number}; the history has {}", numbers(.known))]
    Unknown {
        /// The number.
        number: i64,
        /// The numbers that there are.
        known: Vec<i64>,
    },
    /// Only the newest template is kept.
    #[error("there is no earlier revision")]
    NoneBefore,
    /// The update strategy is `OnDelete`.
    #[error("with the update strategy `OnDelete`, nothing tells which revision was complete")]
    ByHand,
    /// No other revision was ever complete.
    #[error("no other revision was ever complete")]
    NeverComplete,
}

fn numbers(known: &[i64]) -> String {
    match known {
        [] => "none".to_owned(),
        known => {
            let known: Vec<String> = known.iter().map(i64::to_string).collect();
            known.join(", ")
        }
    }
}

/// A revision to go back to.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Its number.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// Its pod template.
    pub template: Value,
}

/// The revision to go back to.
///
/// # Errors
/// [`NoTarget`].
pub fn target(
    stateful_set: &StatefulSet,
    revisions: &[ControllerRevision],
    goal: Goal,
) -> Result<Target, NoTarget> {
    // Only a rolling update moves the current revision (`completeRollingUpdate` in `stateful_set_utils.go`).
    let is_by_hand = kept_because(stateful_set) == Some(KeptBecause::OnDelete);
    if goal == Goal::LastGood && is_by_hand {
        return Err(NoTarget::ByHand);
    }
    let kept = sorted(stateful_set, revisions);
    let found = match goal {
        Goal::Number(wanted) => kept.iter().find(|revision| number(revision) == wanted),
        Goal::Before => kept.iter().rev().nth(1),
        Goal::LastGood => {
            // The controller moves the current revision to the update revision when the rollout is complete.
            let status = stateful_set.status.as_ref();
            let current = status.and_then(|status| status.current_revision.as_ref());
            let update = status.and_then(|status| status.update_revision.as_ref());
            let is_good = |revision: &&&ControllerRevision| {
                let name = revision.metadata.name.as_ref();
                name.is_some() && name == current && current != update
            };
            kept.iter().find(is_good)
        }
    };
    let found = found.and_then(|revision| {
        Some(Target {
            number: number(revision),
            name: revision.metadata.name.clone()?,
            template: template(revision)?,
        })
    });
    found.ok_or_else(|| match goal {
        Goal::Number(wanted) => NoTarget::Unknown {
            number: wanted,
            known: kept.iter().map(|revision| number(revision)).collect(),
        },
        Goal::Before => NoTarget::NoneBefore,
        Goal::LastGood => NoTarget::NeverComplete,
    })
}

/// The revisions of this very StatefulSet by number.
fn sorted<'a>(
    stateful_set: &StatefulSet,
    revisions: &'a [ControllerRevision],
) -> Vec<&'a ControllerRevision> {
    let uid = stateful_set.metadata.uid.as_ref();
    let is_own = |revision: &&ControllerRevision| {
        let owners = revision.metadata.owner_references.iter().flatten();
        let mut owners = owners.filter(|owner| owner.controller == Some(true));
        owners.any(|owner| Some(&owner.uid) == uid)
    };
    let mut own: Vec<&ControllerRevision> = revisions.iter().filter(is_own).collect();
    own.sort_by_key(|revision| number(revision));
    own
}

fn number(revision: &ControllerRevision) -> i64 {
    revision.revision.unwrap_or(0)
}

/// The pod template of a revision: its data is a patch that replaces the whole template (`getPatch` in
/// `pkg/controller/statefulset/stateful_set_utils.go`).
fn template(revision: &ControllerRevision) -> Option<Value> {
    let mut template = revision.data.0.pointer("/spec/template")?.clone();
    template.as_object_mut()?.shift_remove("$patch");
    Some(template)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set() -> StatefulSet {
        let set = json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "s"},
            "spec": {"selector": {}, "serviceName": "web", "template": {}},
            "status": {"replicas": 1, "currentRevision": "web-a", "updateRevision": "web-b"},
        });
        serde_json::from_value(set).unwrap()
    }

    fn revision(number: i64, name: &str, image: &str, owner: &str) -> ControllerRevision {
        let revision = json!({
            "metadata": {"name": name, "creationTimestamp": "2026-11-30T10:00:00Z",
                "annotations": {CHANGE_CAUSE: "a new image"},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web",
                    "uid": owner, "controller": true}]},
            "revision": number,
            "data": {"spec": {"template": {"$patch": "replace",
                "spec": {"containers": [], "schedulerName": image}}}},
        });
        serde_json::from_value(revision).unwrap()
    }

    fn revisions() -> Vec<ControllerRevision> {
        vec![
            revision(2, "web-b", "new", "s"),
            revision(9, "web-x", "foreign", "another"),
            revision(1, "web-a", "old", "s"),
        ]
    }

    #[test]
    fn each_revision_tells_what_it_changed_and_who_lives_by_it() {
        let pod = json!({"metadata": {"name": "web-0", "labels": {"controller-revision-hash": "web-a"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web",
                "uid": "s", "controller": true}]}});
        let pods = [serde_json::from_value(pod).unwrap()];
        let [old, new] = history(&set(), &revisions(), &pods).try_into().unwrap();
        assert_eq!((old.number, old.is_update, old.pods.len()), (1, false, 1));
        assert_eq!(old.changes, []);
        assert_eq!((new.number, new.is_update, new.pods.len()), (2, true, 0));
        let [change] = new.changes.try_into().unwrap();
        assert_eq!(change.field, ".spec.template.spec.schedulerName");
        assert_eq!((change.before, change.after), (json!("old"), json!("new")));
        assert_eq!(new.change_cause.as_deref(), Some("a new image"));
        assert!(new.first_seen.is_some());
    }

    #[test]
    fn the_target_is_the_one_that_was_asked_for() {
        let to = |goal| target(&set(), &revisions(), goal).map(|target| target.name);
        assert_eq!(to(Goal::Before).as_deref(), Ok("web-a"));
        assert_eq!(to(Goal::LastGood).as_deref(), Ok("web-a"));
        assert_eq!(to(Goal::Number(2)).as_deref(), Ok("web-b"));
        let error = to(Goal::Number(9)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no revision 9; the history has 1, 2"
        );
        let only = [revision(1, "web-a", "old", "s")];
        assert_eq!(
            target(&set(), &only, Goal::Before),
            Err(NoTarget::NoneBefore)
        );
        let mut complete = set();
        complete.status.as_mut().unwrap().current_revision = Some("web-b".to_owned());
        assert_eq!(
            target(&complete, &revisions(), Goal::LastGood),
            Err(NoTarget::NeverComplete)
        );
    }
}
