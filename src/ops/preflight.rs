//! Finds what would make a write fail before the first write: kinds and storage classes that do not
//! exist, and missing permissions that no dry run shows.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt, TryStreamExt};
use kube::core::GroupVersionKind;
use serde_json::Value;

use super::error::{OpsError, Problem};
use super::{CONCURRENCY, Context, Set};
use crate::action::Action;
use crate::cluster::{ClusterError, ResourceKind};
use crate::manifest::{
    Manifest, NamespaceMismatch, Scope, move_to_data, pod_template, refuse_duplicates,
    resolve_namespace,
};
use crate::object::{ObjectRef, is_built_in_group};
use crate::plan::{Plan, Step, Target};

/// What is being done when a lookup of kinds fails, as a clause after "failed to".
const KINDS: &str = "look up the kinds that the API server serves";
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

/// Resolves every object of the set to its API path and its namespace. Objects whose kind is not
/// served are returned as problems.
///
/// # Errors
/// All namespaces that disagree with `-n`, all objects that occur twice, or a failed request.
pub(crate) async fn resolve(
    context: &Context,
    set: &Set,
) -> Result<(Vec<Target>, Vec<Problem>), OpsError> {
    let mut targets = Vec::new();
    let mut problems = Vec::new();
    let mut mismatches: Vec<NamespaceMismatch> = Vec::new();
    let mut resolved: Vec<Manifest> = Vec::new();
    let defined = defined_kinds(set.manifests.manifests());
    ask_for_kinds(context, set.manifests.manifests()).await?;
    for manifest in set.manifests.manifests() {
        let kind = manifest.gvk();
        let served = context
            .kinds
            .find(&context.cluster, &kind)
            .await
            .map_err(OpsError::while_doing(KINDS))?;
        let is_served = served.is_some();
        let defined = || {
            defined
                .get(&(kind.api_version(), kind.kind.clone()))
                .cloned()
        };
        let Some(kind) = served.or_else(defined) else {
            problems.push(Problem::KindNotServed {
                object: manifest.reference.clone(),
                api_version: manifest.gvk().api_version(),
            });
            continue;
        };
        let scope = if kind.namespaced {
            Scope::Namespaced
        } else {
            Scope::Cluster
        };
        let requested = context.namespace.as_deref();
        match resolve_namespace(manifest, scope, requested, context.default_namespace()) {
            Ok(namespace) => {
                let mut manifest = manifest.clone();
                manifest.set_namespace(namespace.as_deref());
                let mut body = manifest.value.clone();
                move_to_data(&mut body);
                targets.push(Target {
                    reference: manifest.reference.clone(),
                    kind,
                    body,
                    is_served,
                    layer: manifest.layer,
                });
                resolved.push(manifest);
            }
            Err(mismatch) => mismatches.push(mismatch),
        }
    }
    if !mismatches.is_empty() {
        return Err(OpsError::Namespaces(mismatches));
    }
    refuse_duplicates(&resolved)?;
    Ok((targets, problems))
}

/// Looks up all group versions of the set at once; those found are not looked up again.
async fn ask_for_kinds(context: &Context, manifests: &[Manifest]) -> Result<(), OpsError> {
    let one_of_each: BTreeMap<String, GroupVersionKind> = manifests
        .iter()
        .map(|manifest| (manifest.gvk().api_version(), manifest.gvk()))
        .collect();
    stream::iter(one_of_each.values())
        .map(|kind| context.kinds.find(&context.cluster, kind))
        .buffered(CONCURRENCY)
        .try_for_each(|_| std::future::ready(Ok(())))
        .await
        .map_err(OpsError::while_doing(KINDS))
}

/// The kinds that definitions in the set will define.
fn defined_kinds(manifests: &[Manifest]) -> BTreeMap<(String, String), ResourceKind> {
    let definitions = manifests.iter().filter(|manifest| {
        manifest
            .reference
            .is("apiextensions.k8s.io", "CustomResourceDefinition")
    });
    let mut kinds = BTreeMap::new();
    for definition in definitions {
        let spec = &definition.value["spec"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (group, kind) = (text(&spec["group"]), text(&spec["names"]["kind"]));
        let plural = text(&spec["names"]["plural"]);
        for definition_version in spec["versions"].as_array().into_iter().flatten() {
            let version = text(&definition_version["name"]);
            let namespaced = spec["scope"] == "Namespaced";
            let served = ResourceKind {
                has_status_subresource: definition_version["subresources"]["status"].is_object(),
                ..ResourceKind::known(&group, &version, &kind, &plural, namespaced)
            };
            kinds.insert((format!("{group}/{version}"), kind.clone()), served);
        }
    }
    kinds
}

/// Storage classes that claims name, but that exist neither in the set nor in the cluster, with
/// those that do exist.
///
/// A class without an object is fine if a volume of that class was created by hand.
pub(crate) async fn storage_classes(
    context: &Context,
    plan: &Plan,
) -> Result<Vec<Problem>, OpsError> {
    let named: Vec<NamedClass> = plan.steps.iter().flat_map(named_classes).collect();
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let listed = context
        .cluster
        .list::<Value>(&ResourceKind::storage_class(), None, None, None)
        .await;
    let classes = match listed {
        Ok(classes) => classes,
        // Without permission to read classes, nothing is known about them.
        Err(ClusterError::Forbidden { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(OpsError::while_doing("list the storage classes")(error)),
    };
    let available: Vec<(String, bool)> = classes
        .iter()
        .map(|class| {
            let metadata = &class["metadata"];
            let name = metadata["name"].as_str().unwrap_or_default().to_owned();
            (name, metadata["annotations"][DEFAULT_CLASS] == "true")
        })
        .collect();
    let mut problems = Vec::new();
    for NamedClass {
        object,
        class,
        is_of_claim,
    } in named
    {
        if is_brought(plan, &class) {
            continue;
        }
        if available.iter().any(|(name, _)| *name == class) || has_volume_of(context, &class).await
        {
            continue;
        }
        problems.push(Problem::StorageClassMissing {
            object,
            class,
            available: available.clone(),
            is_of_claim,
        });
    }
    Ok(problems)
}

/// Whether the set itself contains a class, or a volume of that class.
fn is_brought(plan: &Plan, class: &str) -> bool {
    plan.steps.iter().any(|step| {
        let reference = &step.target.reference;
        let is_class = reference.is("storage.k8s.io", "StorageClass") && reference.name == class;
        let is_volume = reference.is("", "PersistentVolume")
            && step.target.body["spec"]["storageClassName"] == class;
        is_class || is_volume
    })
}

/// A storage class that an object names.
struct NamedClass {
    object: ObjectRef,
    class: String,
    /// Whether a claim or a claim template names it, not an ephemeral volume of a pod.
    is_of_claim: bool,
}

fn named_classes(step: &Step) -> Vec<NamedClass> {
    let body = &step.target.body;
    let reference = &step.target.reference;
    let is_new = step.live.is_none();
    let of_claims: Vec<&Value> = if reference.is("", "PersistentVolumeClaim") && is_new {
        vec![&body["spec"]]
    } else if reference.is("apps", "StatefulSet") && is_new {
        let templates = body["spec"]["volumeClaimTemplates"].as_array();
        let templates = templates.into_iter().flatten();
        templates.map(|template| &template["spec"]).collect()
    } else {
        Vec::new()
    };
    // A template may change at any time, and the next pods change with it.
    let has_pods = step.action != Action::Keep && is_built_in_group(&reference.group);
    let template = pod_template(reference, body).filter(|_| has_pods);
    let volumes = template.and_then(|template| template["spec"]["volumes"].as_array());
    let volumes = volumes.into_iter().flatten();
    let of_pods = volumes.map(|volume| &volume["ephemeral"]["volumeClaimTemplate"]["spec"]);
    let of_claims = of_claims.into_iter().map(|spec| (spec, true));
    of_claims
        .chain(of_pods.map(|spec| (spec, false)))
        .filter_map(|(spec, is_of_claim)| {
            let class = spec["storageClassName"].as_str()?;
            (!class.is_empty()).then(|| NamedClass {
                object: reference.clone(),
                class: class.to_owned(),
                is_of_claim,
            })
        })
        .collect()
}

async fn has_volume_of(context: &Context, class: &str) -> bool {
    let volumes = ResourceKind::known("", "v1", "PersistentVolume", "persistentvolumes", false);
    let listed = context
        .cluster
        .list::<Value>(&volumes, None, None, None)
        .await;
    listed.is_ok_and(|volumes| {
        volumes
            .iter()
            .any(|volume| volume["spec"]["storageClassName"] == class)
    })
}

/// A permission check: may the user do `verb` with this kind in this namespace?
struct Question {
    verb: &'static str,
    kind: ResourceKind,
    namespace: Option<String>,
}

/// Permissions that no dry run shows: to create a namespace and its objects, and to watch what the
/// command waits for.
pub(crate) async fn permissions(
    context: &Context,
    plan: &Plan,
    waits: bool,
) -> Result<Vec<Problem>, OpsError> {
    let questions = questions(plan, waits);
    let answers = stream::iter(&questions)
        .map(|question| {
            let namespace = question.namespace.as_deref();
            context
                .cluster
                .may(question.verb, &question.kind, None, namespace)
        })
        .buffered(CONCURRENCY)
        .try_collect::<Vec<bool>>()
        .await
        .map_err(OpsError::while_doing("check your permissions"))?;
    let refused = questions
        .iter()
        .zip(answers)
        .filter(|(_, allowed)| !allowed);
    Ok(refused
        .map(|(question, _)| Problem::NotAllowed {
            what: format!("{} {}", question.verb, question.kind.resource.plural),
            scope: scope(question.namespace.as_deref()),
        })
        .collect())
}

fn questions(plan: &Plan, waits: bool) -> Vec<Question> {
    let mut questions: BTreeMap<_, Question> = BTreeMap::new();
    let mut ask = |verb: &'static str, kind: &ResourceKind, namespace: Option<&str>| {
        let resource = (kind.resource.group.clone(), kind.resource.plural.clone());
        let namespace = namespace.map(str::to_owned);
        questions
            .entry((resource, namespace.clone(), verb))
            .or_insert_with(|| Question {
                verb,
                kind: kind.clone(),
                namespace,
            });
    };
    if !plan.absent_namespaces.is_empty() {
        ask("create", &ResourceKind::namespace(), None);
    }
    for step in &plan.steps {
        let reference = &step.target.reference;
        let namespace = reference.namespace.as_deref();
        let is_absent = |name: &str| plan.absent_namespaces.iter().any(|absent| absent == name);
        if namespace.is_some_and(is_absent) {
            // Server-side apply is a PATCH, and also needs "create" if the object does not exist
            // (`k8s.io/apiserver` `pkg/endpoints/handlers/patch.go`).
            ask("patch", &step.target.kind, namespace);
            ask("create", &step.target.kind, namespace);
        }
        if step.action == Action::Replace {
            // The new one is also created by a PATCH, and the old one has to be seen going.
            for verb in ["delete", "create", "list", "watch"] {
                ask(verb, &step.target.kind, namespace);
            }
        }
        if !waits || step.action == Action::Keep {
            continue;
        }
        for verb in ["list", "watch"] {
            if reference.is("apps", "StatefulSet") {
                ask(verb, &ResourceKind::pod(), namespace);
            }
            if may_take_time(reference) {
                ask(verb, &step.target.kind, namespace);
            }
        }
    }
    questions.into_values().collect()
}

/// Whether an object of this kind may not be ready at once, so that it has to be watched.
fn may_take_time(reference: &ObjectRef) -> bool {
    matches!(
        (reference.group.as_str(), reference.kind.as_str()),
        (
            "apps",
            "StatefulSet" | "Deployment" | "DaemonSet" | "ReplicaSet"
        ) | ("batch", "Job")
            | ("", "Pod" | "PersistentVolumeClaim")
            | ("policy", "PodDisruptionBudget")
            | ("apiextensions.k8s.io", "CustomResourceDefinition")
            | ("apiregistration.k8s.io", "APIService")
    )
}

pub(crate) fn scope(namespace: Option<&str>) -> String {
    match namespace {
        Some(namespace) => format!("in namespace `{namespace}`"),
        None => "at the cluster scope".to_owned(),
    }
}
