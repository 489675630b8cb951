//! The identity of a Kubernetes object, in readable form.

mod name;

use std::fmt;

pub use self::name::ObjectName;
pub(crate) use self::name::is_kind;

use serde::{Deserialize, Serialize};

/// The identity of an object: its kind, its namespace and its name.
///
/// The version is omitted on purpose: `apps/v1` and `apps/v1beta2` of one name are the same object,
/// so a set with both contains it twice.
///
/// Displays as kubectl prints objects, `statefulset/cryptoserver`. The group is only shown for
/// kinds that are not part of Kubernetes: `certificate.cert-manager.io/web`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectRef {
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind as spelled in manifests, such as `StatefulSet`.
    pub kind: String,
    /// The namespace; `None` for a cluster-scoped object, and for one whose manifest has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl ObjectRef {
    /// Creates an identity.
    #[must_use]
    pub fn new(group: &str, kind: &str, namespace: Option<&str>, name: &str) -> Self {
        Self {
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        }
    }

    /// The same object in another namespace.
    #[must_use]
    pub fn in_namespace(mut self, namespace: Option<String>) -> Self {
        self.namespace = namespace;
        self
    }

    /// Whether the object has this group and kind.
    #[must_use]
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }

    /// The kind in lower case; with its group if that is not part of Kubernetes, as kubectl prints it.
    #[must_use]
    pub fn kind_with_group(&self) -> String {
        let kind = self.kind.to_lowercase();
        if is_built_in_group(&self.group) {
            kind
        } else {
            format!("{kind}.{}", self.group)
        }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.kind_with_group(), self.name)
    }
}

/// Whether an API group is part of Kubernetes (`k8s.io/api`, one folder for each group, and the
/// groups of its two aggregated API servers).
#[must_use]
pub fn is_built_in_group(group: &str) -> bool {
    matches!(
        group,
        "" | "admissionregistration.k8s.io"
            | "apiextensions.k8s.io"
            | "apiregistration.k8s.io"
            | "apps"
            | "authentication.k8s.io"
            | "authorization.k8s.io"
            | "autoscaling"
            | "batch"
            | "certificates.k8s.io"
            | "coordination.k8s.io"
            | "discovery.k8s.io"
            | "events.k8s.io"
            | "extensions"
            | "flowcontrol.apiserver.k8s.io"
            | "internal.apiserver.k8s.io"
            | "networking.k8s.io"
            | "node.k8s.io"
            | "policy"
            | "rbac.authorization.k8s.io"
            | "resource.k8s.io"
            | "scheduling.k8s.io"
            | "storage.k8s.io"
            | "storagemigration.k8s.io"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_as_kubectl_prints() {
        let table = [
            ("apps", "StatefulSet", "statefulset/x"),
            ("", "PersistentVolumeClaim", "persistentvolumeclaim/x"),
            ("storage.k8s.io", "StorageClass", "storageclass/x"),
            (
                "cert-manager.io",
                "Certificate",
                "certificate.cert-manager.io/x",
            ),
            (
                "gateway.networking.k8s.io",
                "Gateway",
                "gateway.gateway.networking.k8s.io/x",
            ),
        ];
        for (group, kind, expected) in table {
            let object = ObjectRef {
                group: group.to_owned(),
                kind: kind.to_owned(),
                namespace: Some("ignored".to_owned()),
                name: "x".to_owned(),
            };
            assert_eq!(object.to_string(), expected);
        }
    }
}
