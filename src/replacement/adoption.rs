//! What a new StatefulSet finds of an earlier one.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::figures::count;

/// The pods that a StatefulSet takes over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adoption {
    /// How many there are.
    pub pods: usize,
    /// How many of another ordinal there are, which are removed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub removed: usize,
    /// Why and by whom they are replaced; `None` if that is not known or not so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolls: Option<Roll>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over references"
)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// A replacement of pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roll {
    /// Who replaces them.
    pub by: RolledBy,
    /// Why.
    pub because: Because,
}

/// What replaces pods that were made from another template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolledBy {
    /// The controller, one after the other.
    Controller,
    /// The same, except for those that a partition holds back.
    BeyondPartition,
    /// Whoever deletes them.
    OnDelete,
}

/// Why pods are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// They have the names of another Service.
    DnsName,
    /// They were made from another template.
    Template,
}

impl RolledBy {
    /// What the update strategy of a StatefulSet says.
    fn of(stateful_set: &Value) -> Self {
        let strategy = &stateful_set["spec"]["updateStrategy"];
        let partition = strategy["rollingUpdate"]["partition"].as_i64();
        if strategy["type"] == "OnDelete" {
            Self::OnDelete
        } else if partition.is_some_and(|partition| partition > 0) {
            Self::BeyondPartition
        } else {
            Self::Controller
        }
    }
}

/// The ordinals that a StatefulSet should have.
#[must_use]
pub fn ordinals(stateful_set: &Value) -> Range<i64> {
    let spec = &stateful_set["spec"];
    let start = spec["ordinals"]["start"].as_i64().unwrap_or(0);
    start..start.saturating_add(spec["replicas"].as_i64().unwrap_or(1))
}

/// The ordinal at the end of a name of a StatefulSet's pod or claim; `None` for any other name.
#[must_use]
pub fn ordinal(name: &str, start: &str) -> Option<i64> {
    let ordinal = name.strip_prefix(start)?.strip_prefix('-')?;
    ordinal.parse::<u32>().ok().map(i64::from)
}

/// The ordinal of a StatefulSet's pod.
#[must_use]
pub fn ordinal_of(pod: &Value, stateful_set: &str) -> Option<i64> {
    ordinal(pod["metadata"]["name"].as_str()?, stateful_set)
}

/// The pods that a StatefulSet would adopt: those of its ordinals whose controller is the one
/// that goes, or nobody.
pub fn adopted<'pod>(
    pods: &'pod [Value],
    stateful_set: &str,
    leaving: Option<&str>,
) -> impl Iterator<Item = &'pod Value> {
    pods.iter().filter(move |pod| {
        let metadata = &pod["metadata"];
        let owners = metadata["ownerReferences"].as_array();
        let mut owners = owners.into_iter().flatten();
        let is_free = match owners.find(|owner| owner["controller"] == true) {
            None => metadata["deletionTimestamp"].is_null(),
            Some(owner) => owner["uid"].as_str() == leaving,
        };
        is_free && ordinal_of(pod, stateful_set).is_some()
    })
}

impl Adoption {
    /// What a planned StatefulSet takes over of these pods; `None` if there is nothing. `live` is the one
    /// before it, if that is known.
    #[must_use]
    pub fn of<'pod>(
        planned: &Value,
        pods: impl IntoIterator<Item = &'pod Value>,
        live: Option<&Value>,
    ) -> Option<Self> {
        let name = planned["metadata"]["name"].as_str().unwrap_or_default();
        let service = planned["spec"]["serviceName"].as_str().unwrap_or_default();
        let wanted = ordinals(planned);
        let (mut kept, mut removed, mut is_other) = (0, 0, false);
        for pod in pods {
            if ordinal_of(pod, name).is_some_and(|ordinal| wanted.contains(&ordinal)) {
                kept += 1;
                is_other |= pod["spec"]["subdomain"].as_str().unwrap_or_default() != service;
            } else {
                removed += 1;
            }
        }
        Self::new(planned, kept, removed, is_other, live)
    }

    /// The same for pods of which only the number is known.
    #[must_use]
    pub fn of_number(planned: &Value, pods: usize, live: &Value) -> Option<Self> {
        let wanted = planned["spec"]["replicas"].as_u64().unwrap_or(1);
        let kept = pods.min(usize::try_from(wanted).unwrap_or(usize::MAX));
        Self::new(planned, kept, pods - kept, false, Some(live))
    }

    fn new(
        planned: &Value,
        pods: usize,
        removed: usize,
        is_other: bool,
        live: Option<&Value>,
    ) -> Option<Self> {
        let differs =
            |field: &str| live.is_some_and(|it| it["spec"][field] != planned["spec"][field]);
        let because = if is_other || differs("serviceName") {
            Some(Because::DnsName)
        } else if differs("template") {
            Some(Because::Template)
        } else {
            None
        };
        let by = RolledBy::of(planned);
        (pods + removed > 0).then(|| Self {
            pods,
            removed,
            rolls: because
                .filter(|_| pods > 0)
                .map(|because| Roll { by, because }),
        })
    }

    /// Whether the pods get other DNS names.
    #[must_use]
    pub fn is_renamed(&self) -> bool {
        self.rolls
            .is_some_and(|roll| roll.because == Because::DnsName)
    }

    /// What becomes of the pods, as a clause.
    pub(super) fn clause(&self) -> String {
        let are_removed = |number: usize| if number == 1 { "is" } else { "are" };
        let removed = match (self.pods, self.removed) {
            (_, 0) => String::new(),
            (0, removed) => {
                let verb = are_removed(removed);
                return format!("its {} {verb} removed", count(removed, "pod"));
            }
            (_, removed) => format!("; {removed} {} removed", are_removed(removed)),
        };
        let keep = if self.pods == 1 { "keeps" } else { "keep" };
        let pods = count(self.pods, "pod");
        let rolled = self.rolls.map(|roll| self.rolled(roll)).unwrap_or_default();
        format!("its {pods} {keep} running{rolled}{removed}")
    }

    fn rolled(&self, roll: Roll) -> String {
        let why = match (roll.because, self.pods) {
            (Because::DnsName, 1) => "its DNS name changes",
            (Because::DnsName, _) => "their DNS names change",
            (Because::Template, 1) => "its template changes",
            (Because::Template, _) => "their template changes",
        };
        match roll.by {
            RolledBy::OnDelete if self.pods == 1 => format!("; {why} when you delete it"),
            RolledBy::OnDelete => format!("; {why} when you delete them"),
            RolledBy::Controller if self.pods == 1 => {
                format!(", and then it is replaced, because {why}")
            }
            RolledBy::Controller => {
                format!(", and then they are replaced one after the other, because {why}")
            }
            RolledBy::BeyondPartition => format!(
                ", and then those that the partition does not hold back are replaced one after the other, because {why}; the others get the new template when they are made again"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(name: &str, subdomain: &str, owner: Option<&str>) -> Value {
        let owners: Vec<Value> = owner
            .map(|uid| json!({"uid": uid, "controller": true}))
            .into_iter()
            .collect();
        json!({
            "metadata": {"name": name, "ownerReferences": owners},
            "spec": {"subdomain": subdomain},
        })
    }

    #[test]
    fn only_free_pods_of_its_ordinals_are_adopted() {
        let mut leaving = pod("web-3", "a", None);
        leaving["metadata"]["deletionTimestamp"] = json!("2026-11-30T10:00:00Z");
        let pods = [
            pod("web-0", "a", Some("live")),
            pod("web-1", "a", None),
            pod("web-2", "a", Some("other")),
            leaving,
            pod("web-x", "a", None),
            pod("webber-0", "a", None),
        ];
        let names: Vec<&str> = adopted(&pods, "web", Some("live"))
            .filter_map(|pod| pod["metadata"]["name"].as_str())
            .collect();
        assert_eq!(names, ["web-0", "web-1"]);
    }

    fn planned(service: &str, more: &Value) -> Value {
        let mut planned = json!({"metadata": {"name": "web"}, "spec": {
            "serviceName": service, "replicas": 2, "template": {"image": 1}}});
        let fields = more.as_object().into_iter().flatten();
        for (name, value) in fields {
            planned["spec"][name] = value.clone();
        }
        planned
    }

    fn clause(service: &str, more: &Value, pods: usize, live: Option<&Value>) -> String {
        let pods: Vec<Value> = (0..pods)
            .map(|ordinal| pod(&format!("web-{ordinal}"), "a", None))
            .collect();
        let adoption = Adoption::of(&planned(service, more), &pods, live).unwrap();
        adoption.clause()
    }

    #[test]
    fn what_becomes_of_pods_is_said() {
        let live = planned("a", &json!({}));
        let of = |service: &str, more: Value, pods| clause(service, &more, pods, Some(&live));
        assert_eq!(of("a", json!({}), 2), "its 2 pods keep running");
        assert_eq!(
            of("b", json!({}), 2),
            "its 2 pods keep running, and then they are replaced one after the other, because their DNS names change"
        );
        assert_eq!(
            of("a", json!({"template": {"image": 2}}), 1),
            "its 1 pod keeps running, and then it is replaced, because its template changes"
        );
        assert_eq!(
            of("a", json!({}), 5),
            "its 2 pods keep running; 3 are removed"
        );
        assert_eq!(of("b", json!({"replicas": 0}), 1), "its 1 pod is removed");
        assert_eq!(
            of("b", json!({"updateStrategy": {"type": "OnDelete"}}), 2),
            "its 2 pods keep running; their DNS names change when you delete them"
        );
        let partition = json!({"updateStrategy": {"rollingUpdate": {"partition": 1}}});
        let held = of("b", partition, 2);
        assert!(
            held.contains("those that the partition does not hold back"),
            "{held}"
        );
        let none: [Value; 0] = [];
        assert_eq!(Adoption::of(&planned("a", &json!({})), &none, None), None);
    }

    #[test]
    fn pods_of_which_only_the_number_is_known_count_too() {
        let live = planned("a", &json!({}));
        let adoption = Adoption::of_number(&planned("b", &json!({})), 3, &live).unwrap();
        assert_eq!((adoption.pods, adoption.removed), (2, 1));
        assert!(adoption.is_renamed());
    }
}
