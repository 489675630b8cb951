//! The order in which objects are applied, derived from what they refer to.
//!
//! Pure and deterministic: the same set gives the same layers, and objects of one layer keep the
//! order in which they were given.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::Manifest;
use super::reference::{Reference, pod_template, references};

/// Sorts manifests by their layer: whatever an object needs is in an earlier layer.
pub(super) fn put_in_order(manifests: &mut [Manifest]) {
    for (layer, members) in layers(manifests).into_iter().enumerate() {
        for member in members {
            manifests[member].layer = layer;
        }
    }
    manifests.sort_by_key(|manifest| manifest.layer);
}

/// The indexes of manifests in layers.
///
/// A circle of references is broken where the kind table says that an object usually comes
/// first, so every set has layers.
fn layers(manifests: &[Manifest]) -> Vec<Vec<usize>> {
    let index = Index::new(manifests);
    let needs: Vec<Vec<usize>> = (0..manifests.len())
        .map(|dependent| index.needs(dependent))
        .collect();
    let mut placed = vec![false; manifests.len()];
    let mut layers = Vec::new();
    loop {
        let waiting = || (0..manifests.len()).filter(|&object| !placed[object]);
        let mut layer: Vec<usize> = waiting()
            .filter(|&object| needs[object].iter().all(|&need| placed[need]))
            .collect();
        if layer.is_empty() {
            let Some(first) = waiting().min_by_key(|&object| usual_place(&manifests[object]))
            else {
                return layers;
            };
            layer.push(first);
        }
        for &object in &layer {
            placed[object] = true;
        }
        layers.push(layer);
    }
}

/// The manifests by what others call them.
struct Index<'set> {
    manifests: &'set [Manifest],
    by_name: HashMap<(&'set str, &'set str, &'set str), Vec<usize>>,
    namespaces: Vec<usize>,
    definitions: Vec<usize>,
    workloads: Vec<usize>,
    /// What decides over pods and claims at the moment of their creation.
    guards: Vec<usize>,
    /// What a claim gets its volume from; a class may be the default one.
    storage: Vec<usize>,
    webhooks: Vec<usize>,
}

impl<'set> Index<'set> {
    fn new(manifests: &'set [Manifest]) -> Self {
        let select = |predicate: fn(&Manifest) -> bool| -> Vec<usize> {
            (0..manifests.len())
                .filter(|&index| predicate(&manifests[index]))
                .collect()
        };
        let mut by_name: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, manifest) in manifests.iter().enumerate() {
            let object = &manifest.reference;
            let key = (
                object.group.as_str(),
                object.kind.as_str(),
                object.name.as_str(),
            );
            by_name.entry(key).or_default().push(index);
        }
        Self {
            manifests,
            by_name,
            namespaces: select(|manifest| manifest.reference.is("", "Namespace")),
            definitions: select(is_definition),
            workloads: select(|manifest| template(manifest).is_some()),
            guards: select(is_guard),
            storage: select(|manifest| {
                let object = &manifest.reference;
                object.is("storage.k8s.io", "StorageClass") || object.is("", "PersistentVolume")
            }),
            webhooks: select(is_webhook_configuration),
        }
    }

    /// The objects that must be applied before this one, itself excluded.
    fn needs(&self, dependent: usize) -> Vec<usize> {
        let manifest = &self.manifests[dependent];
        let mut needs = Vec::new();
        for reference in references(&manifest.reference, &manifest.value) {
            needs.extend(self.resolve(manifest, &reference));
        }
        needs.extend(
            self.namespaces.iter().filter(|&&namespace| {
                lives_in(manifest, &self.manifests[namespace].reference.name)
            }),
        );
        needs.extend(
            self.definitions
                .iter()
                .filter(|&&definition| defines(&self.manifests[definition], manifest)),
        );
        let near = |&&other: &&usize| share_namespace(manifest, &self.manifests[other]);
        let claims = claims_storage(manifest);
        if claims || template(manifest).is_some() {
            needs.extend(self.guards.iter().filter(near));
        }
        if claims {
            needs.extend(&self.storage);
        }
        if manifest.reference.is("policy", "PodDisruptionBudget") {
            let selector = manifest.value.pointer("/spec/selector/matchLabels");
            needs.extend(
                self.workloads
                    .iter()
                    .filter(near)
                    .filter(|&&workload| selects(selector, &self.manifests[workload])),
            );
        }
        if is_webhook_configuration(manifest) {
            // Once it is there, it may refuse what is applied while nobody answers for it.
            needs.extend((0..self.manifests.len()).filter(|other| !self.webhooks.contains(other)));
        }
        needs.retain(|&need| need != dependent);
        needs
    }

    /// The objects that a reference can mean. An object without a namespace may end in any.
    fn resolve(&self, from: &Manifest, reference: &Reference<'_>) -> Vec<usize> {
        let key = (reference.group, reference.kind, reference.name);
        let namespace = reference.namespace.or(from.reference.namespace.as_deref());
        let candidates = self.by_name.get(&key).into_iter().flatten().copied();
        candidates
            .filter(|&candidate| {
                let other = self.manifests[candidate].reference.namespace.as_deref();
                namespace.is_none() || other.is_none() || namespace == other
            })
            .collect()
    }
}

/// Whether an object lives in a namespace, or may end there.
fn lives_in(manifest: &Manifest, namespace: &str) -> bool {
    match manifest.reference.namespace.as_deref() {
        Some(own) => own == namespace,
        None => !is_cluster_scoped(manifest),
    }
}

fn share_namespace(one: &Manifest, other: &Manifest) -> bool {
    match (&one.reference.namespace, &other.reference.namespace) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

fn is_definition(manifest: &Manifest) -> bool {
    manifest
        .reference
        .is("apiextensions.k8s.io", "CustomResourceDefinition")
}

fn defines(definition: &Manifest, manifest: &Manifest) -> bool {
    let field = |path| definition.value.pointer(path).and_then(Value::as_str);
    field("/spec/group") == Some(manifest.reference.group.as_str())
        && field("/spec/names/kind") == Some(manifest.reference.kind.as_str())
}

fn is_guard(manifest: &Manifest) -> bool {
    matches!(
        (
            manifest.reference.group.as_str(),
            manifest.reference.kind.as_str()
        ),
        ("", "LimitRange" | "ResourceQuota")
            | ("scheduling.k8s.io", "PriorityClass")
            | ("networking.k8s.io", "NetworkPolicy")
            | (
                "rbac.authorization.k8s.io",
                "RoleBinding" | "ClusterRoleBinding"
            )
    )
}

/// Whether an object is a claim, or makes some for its pods.
fn claims_storage(manifest: &Manifest) -> bool {
    manifest.reference.is("", "PersistentVolumeClaim")
        || manifest
            .value
            .pointer("/spec/volumeClaimTemplates")
            .is_some()
}

fn template(manifest: &Manifest) -> Option<&Value> {
    pod_template(&manifest.reference, &manifest.value)
}

fn is_webhook_configuration(manifest: &Manifest) -> bool {
    manifest.reference.group == "admissionregistration.k8s.io"
        && manifest.reference.kind.ends_with("WebhookConfiguration")
}

/// Whether labels of a selector are all on a workload's pods; an empty selector selects all.
fn selects(selector: Option<&Value>, workload: &Manifest) -> bool {
    let none = Map::new();
    let labels = template(workload)
        .and_then(|template| template.pointer("/metadata/labels"))
        .and_then(Value::as_object)
        .unwrap_or(&none);
    selector
        .and_then(Value::as_object)
        .unwrap_or(&none)
        .iter()
        .all(|(key, value)| labels.get(key) == Some(value))
}

fn is_cluster_scoped(manifest: &Manifest) -> bool {
    matches!(
        (
            manifest.reference.group.as_str(),
            manifest.reference.kind.as_str()
        ),
        ("", "Namespace" | "Node" | "PersistentVolume")
            | (
                "rbac.authorization.k8s.io",
                "ClusterRole" | "ClusterRoleBinding"
            )
            | (
                "storage.k8s.io",
                "StorageClass" | "CSIDriver" | "CSINode" | "VolumeAttachment"
            )
            | ("networking.k8s.io", "IngressClass")
            | ("scheduling.k8s.io", "PriorityClass")
            | ("node.k8s.io", "RuntimeClass")
            | (
                "admissionregistration.k8s.io"
                    | "apiextensions.k8s.io"
                    | "apiregistration.k8s.io"
                    | "certificates.k8s.io"
                    | "flowcontrol.apiserver.k8s.io",
                _
            )
    )
}

/// Where a kind usually stands, for what references alone do not decide.
fn usual_place(manifest: &Manifest) -> u8 {
    match manifest.reference.kind.as_str() {
        "Namespace" => 0,
        "CustomResourceDefinition" => 1,
        "StorageClass" | "PriorityClass" | "RuntimeClass" | "IngressClass" => 2,
        "ServiceAccount" | "Secret" | "ConfigMap" | "PersistentVolume" => 3,
        "PersistentVolumeClaim" | "Role" | "ClusterRole" => 4,
        "RoleBinding" | "ClusterRoleBinding" | "Service" => 5,
        _ => 6,
    }
}

#[cfg(test)]
mod tests;
