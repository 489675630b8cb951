//! The references between objects: which fields name which other objects.

use serde_json::Value;

use crate::object::ObjectRef;

/// An object as another one names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference<'value> {
    pub(crate) group: &'value str,
    pub(crate) kind: &'value str,
    /// `None` for the namespace of the object that refers, and for cluster-scoped objects.
    pub(crate) namespace: Option<&'value str>,
    pub(crate) name: &'value str,
    /// The field that names it: the last one of its path that says something.
    pub(crate) field: &'static str,
    /// Whether the object that refers can do without it (`optional: true`).
    pub(crate) is_optional: bool,
    /// The keys of it that are named too.
    pub(crate) keys: Vec<&'value str>,
}

/// Where a name stands, `*` meaning every item of a list; and the group and kind that it names.
type Field = (&'static str, &'static str, &'static str);

/// The fields of a pod's `spec` that name objects which must exist before the pod can start.
const POD_FIELDS: [Field; 23] = [
    (
        "containers.*.env.*.valueFrom.configMapKeyRef.name",
        "",
        "ConfigMap",
    ),
    (
        "containers.*.env.*.valueFrom.secretKeyRef.name",
        "",
        "Secret",
    ),
    ("containers.*.envFrom.*.configMapRef.name", "", "ConfigMap"),
    ("containers.*.envFrom.*.secretRef.name", "", "Secret"),
    ("imagePullSecrets.*.name", "", "Secret"),
    (
        "initContainers.*.env.*.valueFrom.configMapKeyRef.name",
        "",
        "ConfigMap",
    ),
    (
        "initContainers.*.env.*.valueFrom.secretKeyRef.name",
        "",
        "Secret",
    ),
    (
        "initContainers.*.envFrom.*.configMapRef.name",
        "",
        "ConfigMap",
    ),
    ("initContainers.*.envFrom.*.secretRef.name", "", "Secret"),
    ("priorityClassName", "scheduling.k8s.io", "PriorityClass"),
    (
        "resourceClaims.*.resourceClaimName",
        "resource.k8s.io",
        "ResourceClaim",
    ),
    (
        "resourceClaims.*.resourceClaimTemplateName",
        "resource.k8s.io",
        "ResourceClaimTemplate",
    ),
    ("runtimeClassName", "node.k8s.io", "RuntimeClass"),
    // The older name of the next one, which the API server still takes.
    ("serviceAccount", "", "ServiceAccount"),
    ("serviceAccountName", "", "ServiceAccount"),
    ("volumes.*.configMap.name", "", "ConfigMap"),
    ("volumes.*.csi.driver", "storage.k8s.io", "CSIDriver"),
    ("volumes.*.csi.nodePublishSecretRef.name", "", "Secret"),
    (
        "volumes.*.ephemeral.volumeClaimTemplate.spec.storageClassName",
        "storage.k8s.io",
        "StorageClass",
    ),
    (
        "volumes.*.persistentVolumeClaim.claimName",
        "",
        "PersistentVolumeClaim",
    ),
    (
        "volumes.*.projected.sources.*.configMap.name",
        "",
        "ConfigMap",
    ),
    ("volumes.*.projected.sources.*.secret.name", "", "Secret"),
    ("volumes.*.secret.secretName", "", "Secret"),
];

/// The fields of other kinds.
fn fields(group: &str, kind: &str) -> &'static [Field] {
    match (group, kind) {
        ("", "PersistentVolume") => &[("spec.storageClassName", "storage.k8s.io", "StorageClass")],
        ("", "PersistentVolumeClaim") => &[
            ("spec.storageClassName", "storage.k8s.io", "StorageClass"),
            ("spec.volumeName", "", "PersistentVolume"),
        ],
        ("", "ServiceAccount") => &[
            ("imagePullSecrets.*.name", "", "Secret"),
            ("secrets.*.name", "", "Secret"),
        ],
        ("apps", "StatefulSet") => &[
            ("spec.serviceName", "", "Service"),
            (
                "spec.volumeClaimTemplates.*.spec.storageClassName",
                "storage.k8s.io",
                "StorageClass",
            ),
        ],
        ("networking.k8s.io", "Ingress") => &[
            ("spec.defaultBackend.service.name", "", "Service"),
            ("spec.ingressClassName", "networking.k8s.io", "IngressClass"),
            (
                "spec.rules.*.http.paths.*.backend.service.name",
                "",
                "Service",
            ),
            ("spec.tls.*.secretName", "", "Secret"),
        ],
        ("storage.k8s.io", "StorageClass") => &[("provisioner", "storage.k8s.io", "CSIDriver")],
        _ => &[],
    }
}

/// Everything that an object names and that should exist before it.
pub(crate) fn references<'value>(
    object: &'value ObjectRef,
    value: &'value Value,
) -> Vec<Reference<'value>> {
    let mut references = Vec::new();
    let mut add = |value, fields: &[Field]| {
        for &(path, group, kind) in fields {
            let (parent, last) = path.rsplit_once('.').unwrap_or(("", path));
            for parent in find(value, parent) {
                let Some(name) = parent.get(last).and_then(Value::as_str) else {
                    continue;
                };
                if name.is_empty() {
                    continue;
                }
                let items = find(parent, "items.*.key").into_iter();
                references.push(Reference {
                    group,
                    kind,
                    namespace: None,
                    name,
                    field: if last == "name" {
                        parent_field(path)
                    } else {
                        last
                    },
                    is_optional: parent.get("optional") == Some(&Value::Bool(true)),
                    keys: items
                        .chain(parent.get("key"))
                        .filter_map(Value::as_str)
                        .collect(),
                });
            }
        }
    };
    add(value, fields(&object.group, &object.kind));
    if let Some(spec) = pod_template(object, value).and_then(|template| template.get("spec")) {
        add(spec, &POD_FIELDS);
    }
    if matches!(object.kind.as_str(), "RoleBinding" | "ClusterRoleBinding") {
        let roles = find(value, "roleRef").into_iter();
        let subjects = find(value, "subjects.*").into_iter();
        references.extend(roles.chain(subjects).filter_map(by_group_and_kind));
    }
    if object.kind == "HorizontalPodAutoscaler" {
        references.extend(
            find(value, "spec.scaleTargetRef")
                .into_iter()
                .filter_map(by_version),
        );
    }
    for path in ["webhooks.*.clientConfig.service", "spec.service"] {
        if matches!(
            object.group.as_str(),
            "admissionregistration.k8s.io" | "apiregistration.k8s.io"
        ) {
            references.extend(find(value, path).into_iter().filter_map(service));
        }
    }
    references
}

/// The last field of a path that is neither a list's item nor the name itself.
fn parent_field(path: &'static str) -> &'static str {
    path.rsplit('.')
        .skip(1)
        .find(|field| *field != "*")
        .unwrap_or(path)
}

/// The template of an object's pods, or the pod itself: what has `metadata` and `spec`.
pub(crate) fn pod_template<'value>(
    object: &ObjectRef,
    value: &'value Value,
) -> Option<&'value Value> {
    value.pointer(pod_template_path(object, value)?)
}

/// Where an object's pod template stands, as a JSON pointer.
///
/// Custom workloads are recognised by having a template in the usual place.
pub(super) fn pod_template_path(object: &ObjectRef, value: &Value) -> Option<&'static str> {
    if object.is("", "Pod") {
        return Some("");
    }
    ["/spec/template", "/spec/jobTemplate/spec/template"]
        .into_iter()
        .find(|path| {
            let template = value.pointer(path);
            template.is_some_and(|template| template.pointer("/spec/containers").is_some())
        })
}

/// A `roleRef` or a subject.
fn by_group_and_kind(value: &Value) -> Option<Reference<'_>> {
    Some(Reference {
        group: value
            .get("apiGroup")
            .and_then(Value::as_str)
            .unwrap_or_default(),
        kind: value.get("kind")?.as_str()?,
        namespace: value.get("namespace").and_then(Value::as_str),
        name: value.get("name")?.as_str()?,
        field: "roleRef",
        is_optional: false,
        keys: Vec::new(),
    })
}

/// A `scaleTargetRef`.
fn by_version(value: &Value) -> Option<Reference<'_>> {
    let version = value
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or_default();
    Some(Reference {
        group: version.split_once('/').map_or("", |(group, _)| group),
        kind: value.get("kind")?.as_str()?,
        namespace: None,
        name: value.get("name")?.as_str()?,
        field: "scaleTargetRef",
        is_optional: false,
        keys: Vec::new(),
    })
}

/// The service of a webhook or an aggregated API.
fn service(value: &Value) -> Option<Reference<'_>> {
    Some(Reference {
        group: "",
        kind: "Service",
        namespace: value.get("namespace").and_then(Value::as_str),
        name: value.get("name")?.as_str()?,
        field: "service",
        is_optional: false,
        keys: Vec::new(),
    })
}

/// The values at a path, `*` meaning every item of a list.
fn find<'value>(value: &'value Value, path: &str) -> Vec<&'value Value> {
    let steps = path.split('.').filter(|step| !step.is_empty());
    steps.fold(vec![value], |values, step| {
        let mut found = Vec::new();
        for value in values {
            match (step, value) {
                ("*", Value::Array(items)) => found.extend(items),
                ("*", _) => {}
                (key, value) => found.extend(value.get(key)),
            }
        }
        found
    })
}
