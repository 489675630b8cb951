//! The kinds that are served, and the ones that custom resource definitions add.

use serde_json::{Value, json};

use super::schema::{self, Type};

/// A served kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kind {
    /// API group; "" for core.
    pub(crate) group: String,
    /// API version.
    pub(crate) version: String,
    /// `StatefulSet`.
    pub(crate) name: String,
    /// `statefulsets`.
    pub(crate) resource: String,
    /// `sts`.
    pub(crate) short_names: Vec<String>,
    /// Lives in a namespace.
    pub(crate) namespaced: bool,
    /// Has a status of its own endpoint, hence a generation.
    pub(crate) has_status: bool,
    /// Its fields.
    pub(crate) schema: Type,
}

impl Kind {
    /// `apps/v1` or `v1`.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `statefulsets.apps`, as messages name a resource.
    pub(crate) fn qualified(&self) -> String {
        qualify(&self.resource, &self.group)
    }

    /// `StatefulSet.apps`, as messages name a kind.
    pub(crate) fn qualified_kind(&self) -> String {
        qualify(&self.name, &self.group)
    }

    /// `Status.details` of a refusal about an object of this kind.
    pub(crate) fn details(&self, name: &str) -> Value {
        let mut details = json!({});
        for (field, value) in [
            ("name", name),
            ("group", &self.group),
            ("kind", &self.resource),
        ] {
            if !value.is_empty() {
                details[field] = value.into();
            }
        }
        details
    }

    /// Whether it is the kind of that group and resource.
    pub(crate) fn is(&self, group: &str, resource: &str) -> bool {
        self.group == group && self.resource == resource
    }
}

fn qualify(name: &str, group: &str) -> String {
    if group.is_empty() {
        name.to_owned()
    } else {
        format!("{name}.{group}")
    }
}

/// group, version, kind, resource, short names, namespaced, status.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    bool,
    bool,
);

const BUILT_IN: &[Row] = &[
    ("", "v1", "Namespace", "namespaces", &["ns"], false, true),
    (
        "",
        "v1",
        "LimitRange",
        "limitranges",
        &["limits"],
        true,
        false,
    ),
    ("", "v1", "Node", "nodes", &["no"], false, true),
    (
        "",
        "v1",
        "PersistentVolume",
        "persistentvolumes",
        &["pv"],
        false,
        true,
    ),
    ("", "v1", "ConfigMap", "configmaps", &["cm"], true, false),
    ("", "v1", "Event", "events", &["ev"], true, false),
    (
        "",
        "v1",
        "PersistentVolumeClaim",
        "persistentvolumeclaims",
        &["pvc"],
        true,
        true,
    ),
    ("", "v1", "Pod", "pods", &["po"], true, true),
    (
        "",
        "v1",
        "ResourceQuota",
        "resourcequotas",
        &["quota"],
        true,
        true,
    ),
    ("", "v1", "Secret", "secrets", &[], true, false),
    ("", "v1", "Service", "services", &["svc"], true, true),
    (
        "",
        "v1",
        "ServiceAccount",
        "serviceaccounts",
        &["sa"],
        true,
        false,
    ),
    (
        "apps",
        "v1",
        "ControllerRevision",
        "controllerrevisions",
        &[],
        true,
        false,
    ),
    ("apps", "v1", "DaemonSet", "daemonsets", &["ds"], true, true),
    (
        "apps",
        "v1",
        "Deployment",
        "deployments",
        &["deploy"],
        true,
        true,
    ),
    (
        "apps",
        "v1",
        "ReplicaSet",
        "replicasets",
        &["rs"],
        true,
        true,
    ),
    (
        "apps",
        "v1",
        "StatefulSet",
        "statefulsets",
        &["sts"],
        true,
        true,
    ),
    ("batch", "v1", "Job", "jobs", &[], true, true),
    ("batch", "v1", "CronJob", "cronjobs", &["cj"], true, true),
    (
        "coordination.k8s.io",
        "v1",
        "Lease",
        "leases",
        &[],
        true,
        false,
    ),
    (
        "policy",
        "v1",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        &["pdb"],
        true,
        true,
    ),
    (
        "discovery.k8s.io",
        "v1",
        "EndpointSlice",
        "endpointslices",
        &[],
        true,
        false,
    ),
    (
        "networking.k8s.io",
        "v1",
        "Ingress",
        "ingresses",
        &["ing"],
        true,
        true,
    ),
    (
        "networking.k8s.io",
        "v1",
        "NetworkPolicy",
        "networkpolicies",
        &["netpol"],
        true,
        false,
    ),
    (
        "storage.k8s.io",
        "v1",
        "StorageClass",
        "storageclasses",
        &["sc"],
        false,
        false,
    ),
    (
        "rbac.authorization.k8s.io",
        "v1",
        "ClusterRole",
        "clusterroles",
        &[],
        false,
        false,
    ),
    (
        "rbac.authorization.k8s.io",
        "v1",
        "ClusterRoleBinding",
        "clusterrolebindings",
        &[],
        false,
        false,
    ),
    (
        "rbac.authorization.k8s.io",
        "v1",
        "Role",
        "roles",
        &[],
        true,
        false,
    ),
    (
        "rbac.authorization.k8s.io",
        "v1",
        "RoleBinding",
        "rolebindings",
        &[],
        true,
        false,
    ),
    (
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        &["crd"],
        false,
        true,
    ),
];

/// Every kind of a fresh cluster.
pub(crate) fn built_in() -> Vec<Kind> {
    BUILT_IN.iter().map(kind).collect()
}

fn kind(&(group, version, kind, resource, short_names, namespaced, has_status): &Row) -> Kind {
    let package = if group.is_empty() {
        "core"
    } else {
        group.split('.').next().unwrap_or(group)
    };
    Kind {
        group: group.into(),
        version: version.into(),
        name: kind.into(),
        resource: resource.into(),
        short_names: short_names.iter().map(|&name| name.to_owned()).collect(),
        namespaced,
        has_status,
        schema: schema::type_of(&format!("{package}.{version}.{kind}")),
    }
}

/// The kinds that a custom resource definition adds, one for each served version.
pub(crate) fn defined_by(definition: &Value) -> Vec<Kind> {
    let text = |pointer: &str| super::object::text(definition, pointer).to_owned();
    super::object::items(definition, "/spec/versions")
        .filter(|version| version["served"] == true)
        .map(|version| Kind {
            group: text("/spec/group"),
            version: super::object::text(version, "/name").to_owned(),
            name: text("/spec/names/kind"),
            resource: text("/spec/names/plural"),
            short_names: super::object::items(definition, "/spec/names/shortNames")
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect(),
            namespaced: text("/spec/scope") == "Namespaced",
            has_status: super::object::has(version, "/subresources/status"),
            schema: schema::type_of("custom"),
        })
        .collect()
}
