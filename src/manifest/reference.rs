//! The references between objects: which fields name which other objects.

use serde_json::Value;

use super::Manifest;

/// An object as another one names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference<'value> {
    pub(super) group: &'value str,
    pub(super) kind: &'value str,
    /// `None` for the namespace of the object that refers, and for cluster-scoped objects.
    pub(super) namespace: Option<&'value str>,
    pub(super) name: &'value str,
}

/// Where a name stands, `*` meaning every item of a list; and the group and kind that it names.
type Field = (&'static str, &'static str, &'static str);

/// The fields of a pod's `spec` that name objects which must exist before the pod can start.
const POD_FIELDS: [Field; 22] = [
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
pub(super) fn references(manifest: &Manifest) -> Vec<Reference<'_>> {
    let object = &manifest.reference;
    let mut references = Vec::new();
    let mut add = |value, fields: &[Field]| {
        for (path, group, kind) in fields {
            for name in find(value, path).into_iter().filter_map(Value::as_str) {
                references.push(Reference {
                    group,
                    kind,
                    namespace: None,
                    name,
                });
            }
        }
    };
    add(&manifest.value, fields(&object.group, &object.kind));
    if let Some(spec) = pod_template(manifest).and_then(|template| template.get("spec")) {
        add(spec, &POD_FIELDS);
    }
    if matches!(object.kind.as_str(), "RoleBinding" | "ClusterRoleBinding") {
        let roles = find(&manifest.value, "roleRef").into_iter();
        let subjects = find(&manifest.value, "subjects.*").into_iter();
        references.extend(roles.chain(subjects).filter_map(by_group_and_kind));
    }
    if object.kind == "HorizontalPodAutoscaler" {
        references.extend(
            find(&manifest.value, "spec.scaleTargetRef")
                .into_iter()
                .filter_map(by_version),
        );
    }
    for path in ["webhooks.*.clientConfig.service", "spec.service"] {
        if matches!(
            object.group.as_str(),
            "admissionregistration.k8s.io" | "apiregistration.k8s.io"
        ) {
            references.extend(find(&manifest.value, path).into_iter().filter_map(service));
        }
    }
    references
}

/// The template of an object's pods, or the pod itself: what has `metadata` and `spec`.
pub(super) fn pod_template(manifest: &Manifest) -> Option<&Value> {
    manifest.value.pointer(pod_template_path(manifest)?)
}

/// Where an object's pod template stands, as a JSON pointer.
///
/// Custom workloads are recognised by having a template in the usual place.
pub(super) fn pod_template_path(manifest: &Manifest) -> Option<&'static str> {
    if manifest.reference.is("", "Pod") {
        return Some("");
    }
    ["/spec/template", "/spec/jobTemplate/spec/template"]
        .into_iter()
        .find(|path| {
            let template = manifest.value.pointer(path);
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
    })
}

/// The service of a webhook or an aggregated API.
fn service(value: &Value) -> Option<Reference<'_>> {
    Some(Reference {
        group: "",
        kind: "Service",
        namespace: value.get("namespace").and_then(Value::as_str),
        name: value.get("name")?.as_str()?,
    })
}

/// The values at a path, `*` meaning every item of a list.
fn find<'value>(value: &'value Value, path: &str) -> Vec<&'value Value> {
    path.split('.').fold(vec![value], |values, step| {
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
