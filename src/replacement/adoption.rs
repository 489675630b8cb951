//! What a new StatefulSet finds of an earlier one.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::figures::count;

/// The pods that a StatefulSet takes over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adoption {
    /// How many there are.
    pub pods: usize,
    /// What replaces them, because they have the names of another Service; `None` if they have not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolls: Option<Roll>,
}

/// What replaces pods that were made from another template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Roll {
    /// The controller, one after the other.
    Controller,
    /// The same, except for those that a partition holds back.
    BeyondPartition,
    /// Whoever deletes them.
    OnDelete,
}

impl Roll {
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

/// The pods that a StatefulSet would adopt: those of its ordinals whose controller is the one
/// that goes, or nobody.
pub fn adopted<'pod>(
    pods: &'pod [Value],
    stateful_set: &str,
    leaving: Option<&str>,
) -> impl Iterator<Item = &'pod Value> {
    pods.iter().filter(move |pod| {
        let metadata = &pod["metadata"];
        let name = metadata["name"].as_str().unwrap_or_default();
        let ordinal = name
            .strip_prefix(stateful_set)
            .and_then(|rest| rest.strip_prefix('-'));
        let has_ordinal = ordinal.is_some_and(|text| text.parse::<u32>().is_ok());
        let owners = metadata["ownerReferences"].as_array();
        let mut controllers = owners.into_iter().flatten();
        let controllers = controllers.find(|owner| owner["controller"] == true);
        let is_free = match controllers {
            None => metadata["deletionTimestamp"].is_null(),
            Some(owner) => owner["uid"].as_str() == leaving,
        };
        has_ordinal && is_free
    })
}

impl Adoption {
    /// What a planned StatefulSet takes over; `None` if there is nothing. `is_renamed` says that the one
    /// before it had another Service.
    #[must_use]
    pub fn of<'pod>(
        planned: &Value,
        pods: impl IntoIterator<Item = &'pod Value>,
        is_renamed: bool,
    ) -> Option<Self> {
        let service = planned["spec"]["serviceName"].as_str().unwrap_or_default();
        let subdomains = pods
            .into_iter()
            .map(|pod| pod["spec"]["subdomain"].as_str());
        let subdomains: Vec<&str> = subdomains.map(Option::unwrap_or_default).collect();
        let is_other = subdomains.iter().any(|subdomain| *subdomain != service);
        Self::of_number(planned, subdomains.len(), is_renamed || is_other)
    }

    /// The same for pods of which only the number is known.
    #[must_use]
    pub fn of_number(planned: &Value, pods: usize, is_renamed: bool) -> Option<Self> {
        (pods > 0).then(|| Self {
            pods,
            rolls: is_renamed.then(|| Roll::of(planned)),
        })
    }

    /// What becomes of the pods, as a clause.
    pub(super) fn clause(&self) -> String {
        let pods = count(self.pods, "pod");
        let is_one = self.pods == 1;
        let (keep, names) = if is_one {
            ("keeps", "its DNS name changes")
        } else {
            ("keep", "their DNS names change")
        };
        let rolled = match self.rolls {
            None => String::new(),
            Some(Roll::Controller) if is_one => {
                format!(", and then it is replaced, because {names}")
            }
            Some(Roll::Controller) => {
                format!(", and then they are replaced one after the other, because {names}")
            }
            Some(Roll::BeyondPartition) => format!(
                ", and then those that the partition does not hold back are replaced one after the other, because {names}"
            ),
            Some(Roll::OnDelete) => format!("; {names} when you delete them"),
        };
        format!("its {pods} {keep} running{rolled}")
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

    #[test]
    fn pods_roll_only_for_another_service() {
        let planned = |service: &str| json!({"spec": {"serviceName": service}});
        let pods = [pod("web-0", "a", None), pod("web-1", "a", None)];
        let of = |service: &str| Adoption::of(&planned(service), &pods, false).unwrap();
        assert_eq!(of("a").rolls, None);
        assert_eq!(of("b").rolls, Some(Roll::Controller));
        assert_eq!(Adoption::of(&planned("a"), &[], true), None);
        let rolled = |strategy: Value| {
            let mut planned = planned("b");
            planned["spec"]["updateStrategy"] = strategy;
            Adoption::of(&planned, &pods, false).unwrap().clause()
        };
        let by_hand = rolled(json!({"type": "OnDelete"}));
        assert!(
            by_hand.ends_with("their DNS names change when you delete them"),
            "{by_hand}"
        );
        let held = rolled(json!({"rollingUpdate": {"partition": 1}}));
        assert!(
            held.contains("those that the partition does not hold back"),
            "{held}"
        );
    }
}
