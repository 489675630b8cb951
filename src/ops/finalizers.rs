//! What holds an object whose deletion was accepted: its finalizers, and what they wait for.

use k8s_openapi::api::core::v1::Pod;
use kube::core::ResourceExt;
use serde_json::Value;

use super::Context;
use super::custom_resources::instances;
use super::down::placed;
use crate::cluster::ResourceKind;
use crate::object::ObjectRef;

/// At most this many holders of one kind are named; the first ones show why.
const NAMED: usize = 3;

/// Everything that holds an object, as clauses after "held by". Holders that cannot be read, or not
/// in time, are left out; the finalizer itself is always named.
pub(crate) async fn holders(context: &Context, object: &ObjectRef, live: &Value) -> Vec<String> {
    let mut holders = Vec::new();
    for finalizer in finalizers(live) {
        let behind = match finalizer {
            // `k8s.io/apimachinery` `pkg/apis/meta/v1/types.go`, `FinalizerDeleteDependents`.
            "foregroundDeletion" => dependents(context, object, live).await,
            // `pkg/volume/util/finalizer.go`.
            "kubernetes.io/pvc-protection" => users(context, object).await,
            "kubernetes.io/pv-protection" => claim(live),
            // `apiextensions-apiserver` `pkg/apis/apiextensions/v1/types.go`.
            "customresourcecleanup.apiextensions.k8s.io" => of_definition(context, live).await,
            _ => Vec::new(),
        };
        if behind.is_empty() {
            holders.push(format!("its finalizer `{finalizer}`"));
        }
        holders.extend(some(behind));
    }
    if object.is("", "Namespace") {
        let inside = held_content(context, object, live).await;
        holders.extend(if inside.is_empty() {
            remaining_content(live)
        } else {
            some(inside)
        });
    }
    if object.is("", "Pod") && holders.is_empty() {
        holders.push("its containers, which are still stopping".to_owned());
    }
    holders
}

/// The first holders, and how many more there are.
fn some(mut holders: Vec<String>) -> Vec<String> {
    let more = holders.len().saturating_sub(NAMED);
    holders.truncate(NAMED);
    holders.extend((more > 0).then(|| format!("{more} more")));
    holders
}

fn finalizers(live: &Value) -> impl Iterator<Item = &str> {
    let finalizers = live["metadata"]["finalizers"].as_array();
    finalizers.into_iter().flatten().filter_map(Value::as_str)
}

/// The pods of the namespace for which `is_meant` is true.
async fn pods(
    context: &Context,
    namespace: Option<&str>,
    is_meant: impl Fn(&Pod) -> bool,
) -> Vec<Pod> {
    let kind = ResourceKind::pod();
    let listed = context.cluster.list::<Pod>(&kind, namespace, None, None);
    let mut pods = listed.await.unwrap_or_default();
    pods.retain(is_meant);
    pods
}

/// The pods that an object owns, each with its own finalizers.
async fn dependents(context: &Context, object: &ObjectRef, live: &Value) -> Vec<String> {
    let uid = live["metadata"]["uid"].as_str().unwrap_or_default();
    let is_owned = |pod: &Pod| pod.owner_references().iter().any(|owner| owner.uid == uid);
    let owned = pods(context, object.namespace.as_deref(), is_owned).await;
    owned.iter().map(held_pod).collect()
}

fn held_pod(pod: &Pod) -> String {
    let name = format!("pod/{}", pod.name_any());
    match pod.finalizers() {
        [] => format!("{name}, which is still stopping"),
        finalizers => with_finalizers(&name, finalizers),
    }
}

fn with_finalizers(object: &str, finalizers: &[String]) -> String {
    format!("{object} with its finalizer `{}`", finalizers.join("`, `"))
}

/// The pods that use a claim.
async fn users(context: &Context, claim: &ObjectRef) -> Vec<String> {
    let mounts = |pod: &Pod| {
        let volumes = pod
            .spec
            .iter()
            .flat_map(|spec| spec.volumes.iter().flatten());
        let mut claims = volumes.filter_map(|volume| volume.persistent_volume_claim.as_ref());
        claims.any(|source| source.claim_name == claim.name)
    };
    let users = pods(context, claim.namespace.as_deref(), mounts).await;
    let named = users.iter().map(ResourceExt::name_any);
    named
        .map(|name| format!("pod/{name}, which uses it"))
        .collect()
}

/// The claim that a volume is bound to.
fn claim(volume: &Value) -> Vec<String> {
    let claim = &volume["spec"]["claimRef"];
    let Some(name) = claim["name"].as_str() else {
        return Vec::new();
    };
    let claim = ObjectRef::new(
        "",
        "PersistentVolumeClaim",
        claim["namespace"].as_str(),
        name,
    );
    vec![format!("{}, which is bound to it", placed(&claim))]
}

/// The objects of a definition's kind, with their finalizers.
async fn of_definition(context: &Context, definition: &Value) -> Vec<String> {
    let instances = instances(context, definition).await;
    let instances = instances.unwrap_or_default().into_iter();
    instances
        .map(|(object, live)| {
            let finalizers: Vec<String> = finalizers(&live).map(str::to_owned).collect();
            if finalizers.is_empty() {
                placed(&object)
            } else {
                with_finalizers(&placed(&object), &finalizers)
            }
        })
        .collect()
}

/// The objects in a namespace that have finalizers, once its controller reports that some do.
async fn held_content(context: &Context, object: &ObjectRef, namespace: &Value) -> Vec<String> {
    let conditions = namespace["status"]["conditions"].as_array();
    let is_held = conditions.into_iter().flatten().any(|condition| {
        condition["type"] == "NamespaceFinalizersRemaining" && condition["status"] == "True"
    });
    if !is_held {
        return Vec::new();
    }
    let held = context.cluster.held_contents(&object.name).await;
    let held = held.unwrap_or_default().into_iter();
    held.map(|(object, finalizers)| with_finalizers(&object.to_string(), &finalizers))
        .collect()
}

/// The remaining content of a namespace, in the words of its controller (`k8s.io/api`
/// `core/v1/types.go`, `NamespaceConditionType`).
fn remaining_content(namespace: &Value) -> Vec<String> {
    let conditions = namespace["status"]["conditions"].as_array();
    let is_meant = |condition: &&Value| {
        condition["status"] == "True"
            && matches!(
                condition["type"].as_str(),
                Some(
                    "NamespaceContentRemaining"
                        | "NamespaceFinalizersRemaining"
                        | "NamespaceDeletionDiscoveryFailure"
                        | "NamespaceDeletionContentFailure"
                        | "NamespaceDeletionGroupVersionParsingFailure"
                )
            )
    };
    let conditions = conditions.into_iter().flatten().filter(is_meant);
    let messages = conditions.filter_map(|condition| condition["message"].as_str());
    messages
        .map(|message| format!("its content: {}", message.trim_end_matches('.')))
        .collect()
}
