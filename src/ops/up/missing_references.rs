//! Objects that the set's pods refer to, but that exist neither in the set nor in the cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use futures::stream::{self, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use crate::action::Action;
use crate::cluster::ResourceKind;
use crate::manifest::{Reference, pod_template, references};
use crate::object::{ObjectRef, is_built_in_group};
use crate::ops::error::Problem;
use crate::ops::{CONCURRENCY, Context};
use crate::plan::{Plan, Step, findings, lonely_services};

/// At most this many existing keys of an object are named.
const NAMED_KEYS: usize = 5;

/// Everything that is known before the first write and keeps pods of the set from ever being Ready.
/// Problems that are only possible become warnings.
///
/// An object that cannot be read, for lack of permission or for any other reason, is not reported
/// as missing.
pub(crate) async fn check(context: &Context, plan: &Plan) -> Vec<Problem> {
    let wanted = wanted(plan);
    let read: BTreeSet<&ObjectRef> = wanted
        .iter()
        .filter(|wanted| wanted.brought.is_none() && !is_in_absent_namespace(plan, &wanted.object))
        .map(|wanted| &wanted.object)
        .collect();
    let found: BTreeMap<&ObjectRef, Option<Option<Value>>> = stream::iter(read)
        .map(async |object| (object, read_one(context, object).await))
        .buffered(CONCURRENCY)
        .collect()
        .await;
    let mut problems = Vec::new();
    for wanted in &wanted {
        let live = match (&wanted.brought, found.get(&wanted.object)) {
            (Some(brought), _) => Some(*brought),
            (None, Some(Some(live))) => live.as_ref(),
            (None, Some(None)) => continue,
            (None, None) => None,
        };
        let is_absent = is_in_absent_namespace(plan, &wanted.object);
        let Some(lack) = wanted.lack(live, is_absent) else {
            continue;
        };
        say(context, &mut problems, &wanted.by, lack, wanted.is_fatal);
    }
    for finding in findings(plan) {
        let said = (finding.reason, None);
        say(
            context,
            &mut problems,
            &finding.object,
            said,
            finding.is_fatal,
        );
    }
    for (service, selector) in lonely_services(plan) {
        let labels: Vec<String> = selector
            .iter()
            .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
            .collect();
        let labels = labels.join(",");
        let object = &service.target.reference;
        if !selects_pods(context, plan, object, &labels).await {
            let reason =
                format!("its selector `{labels}` matches no pod template of the set and no pod");
            say(context, &mut problems, object, (reason, None), false);
        }
    }
    problems
}

fn say(
    context: &Context,
    problems: &mut Vec<Problem>,
    object: &ObjectRef,
    (reason, hint): (String, Option<String>),
    is_fatal: bool,
) {
    if is_fatal {
        problems.push(Problem::NeverReady {
            object: object.clone(),
            reason,
            hint,
        });
    } else {
        context.warn(format!("`{object}`: {reason}"));
    }
}

/// An object that another one refers to.
struct Wanted<'plan> {
    by: ObjectRef,
    object: ObjectRef,
    field: &'static str,
    keys: Vec<&'plan str>,
    /// The object in the set, or the one that Kubernetes creates.
    brought: Option<&'plan Value>,
    /// Whether the pods can never start without it.
    is_fatal: bool,
}

impl Wanted<'_> {
    /// What is missing, as a clause, and a command that lists what exists, if there is anything to
    /// list.
    fn lack(
        &self,
        live: Option<&Value>,
        is_in_absent_namespace: bool,
    ) -> Option<(String, Option<String>)> {
        let object = &self.object;
        let place = object.namespace.as_ref();
        let on = place.map(|name| format!(" -n {name}")).unwrap_or_default();
        let Some(live) = live else {
            let place = place.map_or_else(
                || "in the cluster".to_owned(),
                |name| format!("in namespace `{name}`"),
            );
            let kind = object.kind.to_lowercase();
            let hint = format!("list what exists with `kubectl get {kind}{on}`");
            return Some((
                format!(
                    "its `{}` names `{object}`, which exists neither in the set nor {place}{}",
                    self.field,
                    self.consequence()
                ),
                Some(hint).filter(|_| !is_in_absent_namespace),
            ));
        };
        let keys: BTreeSet<&String> = ["data", "binaryData", "stringData"]
            .iter()
            .filter_map(|field| live[field].as_object())
            .flat_map(serde_json::Map::keys)
            .collect();
        let missing = self
            .keys
            .iter()
            .find(|key| !keys.iter().any(|there| there == *key))?;
        let there: Vec<String> = keys
            .iter()
            .take(NAMED_KEYS)
            .map(|key| format!("`{key}`"))
            .collect();
        let there = if there.is_empty() {
            "it has none".to_owned()
        } else {
            format!("it has {}", there.join(", "))
        };
        let hint = format!("list its keys with `kubectl describe {object}{on}`");
        Some((
            format!(
                "its `{}` names the key `{missing}` of `{object}`, which does not exist ({there}){}",
                self.field,
                self.consequence()
            ),
            Some(hint).filter(|_| self.brought.is_none()),
        ))
    }

    fn consequence(&self) -> &'static str {
        match self.field {
            "serviceName" => ": its pods get no DNS names",
            "imagePullSecrets" => ": images that need it cannot be pulled",
            _ => ": its pods cannot start",
        }
    }
}

/// What the pods of a plan refer to, without optional references.
fn wanted(plan: &Plan) -> Vec<Wanted<'_>> {
    let mut all: Vec<Wanted<'_>> = Vec::new();
    for step in plan.steps.iter().filter(|step| may_have_pods(step)) {
        let by = &step.target.reference;
        let may_come_later = plan.steps.iter().any(|other| makes_objects(step, other));
        for reference in references(by, &step.target.body) {
            if reference.is_optional || !is_checked(&reference) {
                continue;
            }
            let made = made_by_itself(&reference);
            let is_namespaced = !matches!(reference.kind, "PriorityClass" | "RuntimeClass");
            let namespace = reference.namespace.or(by.namespace.as_deref());
            let object = ObjectRef::new(
                reference.group,
                reference.kind,
                namespace.filter(|_| is_namespaced),
                reference.name,
            );
            let brought = plan
                .steps
                .iter()
                .find(|step| step.target.reference == object)
                .map(|step| &step.planned)
                .or(made);
            let can_do_without = matches!(reference.field, "serviceName" | "imagePullSecrets");
            let is_known = |known: &Wanted<'_>| {
                known.by == *by && known.object == object && known.keys == reference.keys
            };
            if !all.iter().any(is_known) {
                all.push(Wanted {
                    by: by.clone(),
                    object,
                    field: reference.field,
                    keys: reference.keys,
                    brought,
                    is_fatal: !can_do_without && !may_come_later,
                });
            }
        }
    }
    all
}

/// Whether a step writes an object that has pods, or will have pods.
fn may_have_pods(step: &Step) -> bool {
    step.action != Action::Keep
        && pod_template(&step.target.reference, &step.target.body).is_some()
        && step.planned["spec"]["replicas"] != 0
}

/// Whether another object of the set may create what a workload needs: a custom resource whose
/// operator creates a Secret, a Job, or a program that creates one.
fn makes_objects(step: &Step, other: &Step) -> bool {
    let (own, other_reference) = (&step.target.reference, &other.target.reference);
    own != other_reference
        && (!is_built_in_group(&other_reference.group)
            || pod_template(other_reference, &other.target.body).is_some())
}

fn is_checked(reference: &Reference<'_>) -> bool {
    matches!(
        (reference.group, reference.kind),
        (
            "",
            "ConfigMap" | "Secret" | "ServiceAccount" | "PersistentVolumeClaim" | "Service"
        ) | ("scheduling.k8s.io", "PriorityClass")
            | ("node.k8s.io", "RuntimeClass")
    )
}

/// The objects that controllers create in every namespace and that matter here
/// (`pkg/controller/serviceaccount`, `pkg/controller/certificates/rootcacertpublisher`).
fn made_by_itself(reference: &Reference<'_>) -> Option<&'static Value> {
    static ROOT_CERTIFICATE: LazyLock<Value> =
        LazyLock::new(|| json!({ "data": { "ca.crt": "" } }));
    match (reference.kind, reference.name) {
        ("ServiceAccount", "default") => Some(&Value::Null),
        ("ConfigMap", "kube-root-ca.crt") => Some(&ROOT_CERTIFICATE),
        _ => None,
    }
}

fn is_in_absent_namespace(plan: &Plan, object: &ObjectRef) -> bool {
    let namespace = object.namespace.as_ref();
    namespace.is_some_and(|name| plan.absent_namespaces.contains(name))
}

/// The object; `None` when it is not known whether it exists.
async fn read_one(context: &Context, object: &ObjectRef) -> Option<Option<Value>> {
    let plural = match object.kind.as_str() {
        "PriorityClass" => "priorityclasses".to_owned(),
        "RuntimeClass" => "runtimeclasses".to_owned(),
        kind => format!("{}s", kind.to_lowercase()),
    };
    let namespace = object.namespace.as_deref();
    let (group, kind) = (&object.group, &object.kind);
    let kind = ResourceKind::known(group, "v1", kind, &plural, namespace.is_some());
    let read = context.cluster.get(&kind, namespace, &object.name).await;
    read.ok()
}

/// Whether pods with these labels already exist, as far as that can be read.
async fn selects_pods(context: &Context, plan: &Plan, service: &ObjectRef, labels: &str) -> bool {
    if is_in_absent_namespace(plan, service) {
        return false;
    }
    let namespace = service.namespace.as_deref();
    let listed = context
        .cluster
        .list::<Pod>(&ResourceKind::pod(), namespace, Some(labels), None)
        .await;
    listed.map_or(true, |pods| !pods.is_empty())
}
