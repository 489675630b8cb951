//! Who owns a field: the name of a field manager, and how and when it last wrote.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The field manager of everything that this program applies.
pub const FIELD_MANAGER: &str = "cryptoctl";

/// The field manager of what an experiment changes for a while: never the one that applies, so that
/// an apply meanwhile says who has changed what.
pub const EXPERIMENT_MANAGER: &str = "cryptoctl-chaos";

/// The field manager of what makes pods roll without a change of the manifests: an apply neither conflicts
/// with it nor takes it back.
pub const ROLLOUT_MANAGER: &str = "cryptoctl-rollout";

/// The field managers of Kubernetes itself: what they write belongs to their work, and no manifest
/// declares it.
const CONTROLLERS: [&str; 8] = [
    "cloud-controller-manager",
    "clusterrole-aggregation-controller",
    // One program that contains all of them.
    "k3s",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubelet",
];

/// How a manager writes (`operation` of an entry of `managedFields`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// It applied the field.
    Apply,
    /// It wrote the field in another way: an update or a patch.
    Update,
}

/// The owner of fields. Displays as `kubectl (update of scale, 2026-11-30T10:00:00Z)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The field manager's name, such as `kubectl-edit`.
    pub manager: String,
    /// How it last wrote.
    pub operation: Operation,
    /// The subresource that it wrote, such as `scale`; empty for the object itself.
    pub subresource: String,
    /// When it last wrote, if the API server says so; to the second.
    pub time: Option<Timestamp>,
}

impl Owner {
    /// The owner that an entry of `metadata.managedFields` names.
    #[must_use]
    pub fn new(entry: &Value) -> Self {
        let text = |field: &str| entry[field].as_str().unwrap_or_default();
        Self {
            manager: text("manager").to_owned(),
            operation: match text("operation") {
                "Apply" => Operation::Apply,
                _ => Operation::Update,
            },
            subresource: text("subresource").to_owned(),
            time: text("time").parse().ok(),
        }
    }

    /// Whether it stands for what this program applies.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.operation == Operation::Apply
            && self.manager == FIELD_MANAGER
            && self.subresource.is_empty()
    }

    /// Whether it stands for what this program or Kubernetes itself writes in the course of its work.
    #[must_use]
    pub fn is_machinery(&self) -> bool {
        self.subresource == "status" || Self::is_machinery_name(&self.manager)
    }

    /// Whether a manager of this name is this program or a part of Kubernetes.
    pub(super) fn is_machinery_name(name: &str) -> bool {
        let own = [FIELD_MANAGER, EXPERIMENT_MANAGER, ROLLOUT_MANAGER];
        own.contains(&name) || CONTROLLERS.contains(&name)
    }

    /// Its name, with the subresource if it wrote one: `kubectl (scale)`.
    #[must_use]
    pub fn short(&self) -> String {
        match self.subresource.as_str() {
            "" => self.manager.clone(),
            subresource => format!("{} ({subresource})", self.manager),
        }
    }

    /// The names of several owners.
    #[must_use]
    pub fn short_list(owners: &[Self]) -> String {
        let names: Vec<String> = owners.iter().map(Self::short).collect();
        names.join(", ")
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.operation {
            Operation::Apply => "apply",
            Operation::Update => "update",
        };
        write!(formatter, "{} ({verb}", self.manager)?;
        if !self.subresource.is_empty() {
            write!(formatter, " of {}", self.subresource)?;
        }
        if let Some(time) = self.time {
            write!(formatter, ", {time}")?;
        }
        formatter.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_reads_as_who_wrote_how_and_when() {
        let owner = |operation, subresource: &str, time: Option<&str>| Owner {
            manager: "kubectl".to_owned(),
            operation,
            subresource: subresource.to_owned(),
            time: time.map(|time| time.parse().unwrap()),
        };
        let scaled = owner(Operation::Update, "scale", Some("2026-11-30T10:00:00Z"));
        assert_eq!(
            scaled.to_string(),
            "kubectl (update of scale, 2026-11-30T10:00:00Z)"
        );
        assert_eq!(scaled.short(), "kubectl (scale)");
        let applied = owner(Operation::Apply, "", None);
        assert_eq!(applied.to_string(), "kubectl (apply)");
        assert_eq!(applied.short(), "kubectl");
        assert!(!applied.is_machinery());
        assert!(owner(Operation::Update, "status", None).is_machinery());
    }
}
