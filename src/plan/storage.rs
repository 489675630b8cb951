//! Claims that the replicas of a plan cannot use together, and claims that get no volume.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Plan, Step};
use crate::action::Action;
use crate::figures::count;
use crate::manifest::pod_template;
use crate::object::{ObjectRef, is_built_in_group};
use crate::quantity::milli;
use crate::risk::{Risk, RiskKind};

/// The label that every node has with its own name.
const HOSTNAME: &str = "kubernetes.io/hostname";
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";
/// The provisioner of classes whose volumes people make by hand.
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";
/// Provisioners whose volumes are folders of one node: the scheduler keeps all pods of such a volume on that
/// node.
const LOCAL_PROVISIONERS: [&str; 5] = [
    NO_PROVISIONER,
    "docker.io/hostpath",
    "hostpath.csi.k8s.io",
    "k8s.io/minikube-hostpath",
    "rancher.io/local-path",
];

/// What the cluster has, as far as it could be read.
#[derive(Debug, Clone, Default)]
pub struct StorageFacts {
    /// The live claims that pods of the plan name.
    pub claims: BTreeMap<ObjectRef, Value>,
    /// The storage classes; `None` if they are not known.
    pub classes: Option<Vec<Value>>,
    /// The volumes; `None` if they are not known.
    pub volumes: Option<Vec<Value>>,
    /// The nodes; `None` if they are not known.
    pub nodes: Option<Vec<Value>>,
}

/// The risks of the claims in a plan.
#[must_use]
pub fn storage_risks(plan: &Plan, facts: &StorageFacts) -> Vec<Risk> {
    let written = || plan.steps.iter().filter(|step| step.action != Action::Keep);
    let shared = written().flat_map(|step| shared_claims(plan, facts, step));
    let missing = written().filter_map(|step| missing_volumes(plan, facts, step));
    let deleted = written().filter_map(deleted_claims);
    shared.chain(missing).chain(deleted).collect()
}

/// The claims that the pods of a step name, whether they exist or not.
#[must_use]
pub fn claims_of_pods(step: &Step) -> Vec<ObjectRef> {
    claims_of(&step.target.reference, &step.planned)
}

fn claims_of(object: &ObjectRef, workload: &Value) -> Vec<ObjectRef> {
    let template = pod_template(object, workload);
    let volumes = template.and_then(|template| template["spec"]["volumes"].as_array());
    let namespace = object.namespace.as_deref();
    volumes
        .into_iter()
        .flatten()
        .filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str())
        .map(|name| ObjectRef::new("", "PersistentVolumeClaim", namespace, name))
        .collect()
}

/// The claims that several replicas share and that not all of them can mount, as far as the plan changes
/// anything about it.
fn shared_claims(plan: &Plan, facts: &StorageFacts, step: &Step) -> Vec<Risk> {
    let object = &step.target.reference;
    let mut risks = sharing(plan, facts, object, &step.planned);
    if let Some(live) = &step.live
        && replicas(object, live) >= replicas(object, &step.planned)
    {
        let known = sharing(plan, facts, object, live);
        let is_new = |(kind, claim): &(RiskKind, ObjectRef)| {
            let mut known = known.iter();
            !known.any(|(known_kind, known_claim)| (known_kind, known_claim) == (kind, claim))
        };
        risks.retain(is_new);
    }
    let replicas = replicas(object, &step.planned);
    let told = risks.into_iter().map(|(kind, claim)| {
        let (reason, remedy) = if kind == RiskKind::SinglePodClaim {
            let reason = format!(
                "its {replicas} replicas share `{claim}`, but only one pod can mount a ReadWriteOncePod claim"
            );
            (reason, "use another access mode, or one replica".to_owned())
        } else {
            let reason = format!(
                "its {replicas} replicas share `{claim}`, which only one node can mount (ReadWriteOnce), and nothing keeps them on one node"
            );
            let remedy = format!(
                "add a required pod affinity with the topology key `{HOSTNAME}`, or use a claim with ReadWriteMany"
            );
            (reason, remedy)
        };
        Risk {
            kind,
            object: object.clone(),
            reason,
            remedy,
        }
    });
    told.collect()
}

/// The claims that the replicas of a workload share and that not all of them can mount.
fn sharing(
    plan: &Plan,
    facts: &StorageFacts,
    object: &ObjectRef,
    workload: &Value,
) -> Vec<(RiskKind, ObjectRef)> {
    if replicas(object, workload) < 2 {
        return Vec::new();
    }
    let kind = |claim: &ObjectRef| {
        let mut steps = plan.steps.iter();
        let planned = steps.find(|step| step.target.reference == *claim);
        let planned = planned.map(|step| &step.planned);
        let value = planned.or_else(|| facts.claims.get(claim))?;
        let modes: Vec<&str> = texts(&value["spec"]["accessModes"]).collect();
        match modes.as_slice() {
            ["ReadWriteOncePod"] => Some(RiskKind::SinglePodClaim),
            ["ReadWriteOnce"]
                if !is_kept_on_one_node(object, workload)
                    && !is_local(facts, value)
                    && usable_nodes(facts).is_some_and(|nodes| nodes > 1) =>
            {
                Some(RiskKind::SharedClaim)
            }
            _ => None,
        }
    };
    let claims = claims_of(object, workload);
    claims
        .into_iter()
        .filter_map(|claim| Some((kind(&claim)?, claim)))
        .collect()
}

/// The number of pods of a workload.
fn replicas(object: &ObjectRef, workload: &Value) -> i64 {
    let is_replicated = object.group == "apps"
        && matches!(
            object.kind.as_str(),
            "StatefulSet" | "Deployment" | "ReplicaSet"
        );
    let replicas = workload["spec"]["replicas"].as_i64();
    if is_replicated {
        replicas.unwrap_or(1)
    } else {
        0
    }
}

/// Whether the pod template itself keeps all pods on one node.
fn is_kept_on_one_node(object: &ObjectRef, workload: &Value) -> bool {
    let Some(template) = pod_template(object, workload) else {
        return false;
    };
    let spec = &template["spec"];
    let affinity = &spec["affinity"];
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let near_a_pod = affinity["podAffinity"][required]
        .as_array()
        .is_some_and(|terms| terms.iter().any(|term| term["topologyKey"] == HOSTNAME));
    let names_one = |expression: &Value| {
        let values = expression["values"].as_array().map_or(0, Vec::len);
        expression["operator"] == "In" && values == 1 && expression["key"] == HOSTNAME
    };
    let terms = affinity["nodeAffinity"][required]["nodeSelectorTerms"].as_array();
    let on_a_node = terms.is_some_and(|terms| {
        let [term] = terms.as_slice() else {
            return false;
        };
        let expressions = term["matchExpressions"].as_array();
        expressions.is_some_and(|expressions| expressions.iter().any(names_one))
    });
    let is_named = spec["nodeName"].is_string() || spec["nodeSelector"][HOSTNAME].is_string();
    is_named || near_a_pod || on_a_node
}

/// Whether the volume of a claim is, or will be, a folder of one node.
fn is_local(facts: &StorageFacts, claim: &Value) -> bool {
    let name = &claim["spec"]["volumeName"];
    let volumes = facts.volumes.iter().flatten();
    let mut volume =
        volumes.filter(|volume| name.is_string() && volume["metadata"]["name"] == *name);
    if let Some(volume) = volume.next() {
        let terms = &volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"];
        return terms.to_string().contains(HOSTNAME) || volume["spec"]["hostPath"].is_object();
    }
    let class = class_of(facts, &claim["spec"]);
    class.is_some_and(|class| {
        let provisioner = class["provisioner"].as_str().unwrap_or_default();
        LOCAL_PROVISIONERS.contains(&provisioner)
    })
}

/// How many nodes take pods that tolerate nothing; `None` if the nodes are not known.
fn usable_nodes(facts: &StorageFacts) -> Option<usize> {
    let is_usable = |node: &&Value| {
        let spec = &node["spec"];
        let taints = spec["taints"].as_array();
        let mut taints = taints.into_iter().flatten();
        let repels = taints.any(|taint| taint["effect"] != "PreferNoSchedule");
        spec["unschedulable"] != true && !repels
    };
    Some(facts.nodes.as_ref()?.iter().filter(is_usable).count())
}

/// The storage class of a claim; `None` if it has none, or if the classes are not known.
fn class_of<'a>(facts: &'a StorageFacts, claim: &Value) -> Option<&'a Value> {
    let mut classes = facts.classes.iter().flatten();
    match claim["storageClassName"].as_str() {
        Some(name) => classes.find(|class| class["metadata"]["name"] == name),
        None => classes.find(|class| class["metadata"]["annotations"][DEFAULT_CLASS] == "true"),
    }
}

/// The claims of a new step for which nothing makes a volume.
fn missing_volumes(plan: &Plan, facts: &StorageFacts, step: &Step) -> Option<Risk> {
    let object = &step.target.reference;
    let volumes = facts.volumes.as_ref()?;
    facts.classes.as_ref()?;
    if step.live.is_some() {
        return None;
    }
    let of_set = plan.steps.iter();
    let of_set = of_set.filter(|step| step.target.reference.is("", "PersistentVolume"));
    let of_set = of_set.map(|step| &step.planned);
    let volumes: Vec<&Value> = volumes.iter().chain(of_set).collect();
    let brings_a_class = |name: &str| {
        let mut steps = plan.steps.iter();
        steps.any(|step| {
            let reference = &step.target.reference;
            reference.is("storage.k8s.io", "StorageClass") && reference.name == name
        })
    };
    let lacking = |claim: &Value, names: &[String]| {
        let class = claim["storageClassName"].as_str();
        if class.is_some_and(brings_a_class) {
            return None;
        }
        let provisioner = class_of(facts, claim).map(|class| &class["provisioner"]);
        let is_by_hand = match (class, provisioner) {
            (Some(""), _) => true,
            (_, Some(provisioner)) => provisioner == NO_PROVISIONER,
            // Without any class, a default class may come later.
            _ => false,
        };
        let fitting = volumes
            .iter()
            .filter(|volume| fits(volume, claim, object, names));
        let fitting = fitting.count();
        (is_by_hand && fitting < names.len()).then_some(fitting)
    };
    let risk = |what: String, fitting: usize| Risk {
        kind: RiskKind::NoVolume,
        object: object.clone(),
        reason: format!(
            "{what}, and its storage class makes none; {}",
            found(fitting)
        ),
        remedy: "create volumes that fit, or name a class that makes them".to_owned(),
    };
    if object.is("", "PersistentVolumeClaim") {
        let fitting = lacking(&step.planned["spec"], std::slice::from_ref(&object.name))?;
        return Some(risk("it needs a volume".to_owned(), fitting));
    }
    if !object.is("apps", "StatefulSet") || !is_built_in_group(&object.group) {
        return None;
    }
    let start = step.planned["spec"]["ordinals"]["start"]
        .as_i64()
        .unwrap_or(0);
    let templates = step.planned["spec"]["volumeClaimTemplates"].as_array();
    templates.into_iter().flatten().find_map(|template| {
        let name = template["metadata"]["name"].as_str().unwrap_or_default();
        let claim = |ordinal: i64| format!("{name}-{}-{ordinal}", object.name);
        let names: Vec<String> = (start..start.saturating_add(replicas(object, &step.planned)))
            .map(claim)
            .collect();
        let fitting = lacking(&template["spec"], &names)?;
        let what = format!(
            "its claim template `{name}` needs {}",
            count(names.len(), "volume")
        );
        Some(risk(what, fitting))
    })
}

fn found(fitting: usize) -> String {
    match fitting {
        0 => "no available volume fits".to_owned(),
        1 => "1 available volume fits".to_owned(),
        more => format!("{more} available volumes fit"),
    }
}

/// Whether a claim could be bound to a volume (`pkg/controller/volume/persistentvolume/volume_host.go`,
/// `FindMatchingVolume`).
fn fits(volume: &Value, claim: &Value, object: &ObjectRef, names: &[String]) -> bool {
    let spec = &volume["spec"];
    if let Some(wanted) = claim["volumeName"].as_str()
        && volume["metadata"]["name"] != wanted
    {
        return false;
    }
    let bound = &spec["claimRef"];
    let is_for_us = object.namespace.as_deref() == bound["namespace"].as_str()
        && names.iter().any(|name| bound["name"] == name.as_str());
    let is_free =
        bound.is_null() && matches!(volume["status"]["phase"].as_str(), None | Some("Available"));
    let class = |value: &Value| {
        value["storageClassName"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let modes: Vec<&str> = texts(&spec["accessModes"]).collect();
    let has_modes = texts(&claim["accessModes"]).all(|mode| modes.contains(&mode));
    let amount = |value: &Value| {
        value["storage"]
            .as_str()
            .and_then(milli)
            .unwrap_or_default()
    };
    let mode = |value: &Value| {
        value["volumeMode"]
            .as_str()
            .unwrap_or("Filesystem")
            .to_owned()
    };
    let labels = &volume["metadata"]["labels"];
    let selector = claim["selector"]["matchLabels"].as_object();
    let mut selector = selector.into_iter().flatten();
    (is_free || is_for_us)
        && class(spec) == class(claim)
        && has_modes
        && amount(&spec["capacity"]) >= amount(&claim["resources"]["requests"])
        && mode(spec) == mode(claim)
        && selector.all(|(key, value)| labels[key] == *value)
}

/// A retention policy that deletes claims and was not there before (KEP-1847).
fn deleted_claims(step: &Step) -> Option<Risk> {
    let object = &step.target.reference;
    let has_templates = |object: &Value| {
        let templates = object["spec"]["volumeClaimTemplates"].as_array();
        templates.is_some_and(|templates| !templates.is_empty())
    };
    if !object.is("apps", "StatefulSet") || !has_templates(&step.planned) {
        return None;
    }
    let policy = |object: &Value, when: &str| {
        object["spec"]["persistentVolumeClaimRetentionPolicy"][when] == "Delete"
    };
    let comes = |when: &&str| {
        let before = step.live.as_ref().is_some_and(|live| policy(live, when));
        policy(&step.planned, when) && !before
    };
    let deletions: Vec<&str> = ["whenDeleted", "whenScaled"]
        .into_iter()
        .filter(comes)
        .collect();
    if deletions.is_empty() {
        return None;
    }
    let words = deletions.iter().map(|when| match *when {
        "whenDeleted" => "when it is deleted",
        _ => "when it is scaled down",
    });
    let words: Vec<&str> = words.collect();
    Some(Risk {
        kind: RiskKind::ClaimDeletion,
        object: object.clone(),
        reason: format!(
            "its persistentVolumeClaimRetentionPolicy deletes claims and their data {}",
            words.join(" and ")
        ),
        remedy: "set the policy to `Retain`".to_owned(),
    })
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

#[cfg(test)]
mod tests;
