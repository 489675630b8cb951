//! The API server refused a pod of the controller: quota, admission, a name in use.

use std::collections::BTreeMap;

use super::{Cause, Diagnosis, Finality, events, kubectl, last_seen};
use crate::object::ObjectRef;
use crate::quantity;
use crate::status::{Snapshot, expected_ordinals};

pub(super) fn diagnose(snapshot: &Snapshot) -> Option<Diagnosis> {
    let metadata = &snapshot.stateful_set.metadata;
    let uid = metadata.uid.as_deref();
    let event = events(snapshot, uid, &["FailedCreate"]).next_back()?;
    let created = events(snapshot, uid, &["SuccessfulCreate"]).next_back();
    let is_over = created.is_some_and(|created| last_seen(created) > last_seen(event));
    if is_over || !misses_a_pod(snapshot) {
        return None;
    }
    let words = event.message.clone()?;
    let name = metadata.name.as_deref().unwrap_or_default();
    let namespace = metadata.namespace.as_deref();
    let object = ObjectRef::new("apps", "StatefulSet", namespace, name);
    let Refusal {
        cause,
        reason,
        finality,
        next,
    } = Refusal::of(&words, namespace);
    // A refusal from before this command may no longer hold: the controller retries at growing
    // intervals.
    let is_news = snapshot
        .since
        .is_none_or(|since| last_seen(event).is_some_and(|seen| seen >= since));
    let mut commands = vec![kubectl("describe", &object)];
    commands.extend(next);
    Some(Diagnosis {
        cause,
        message: format!("the controller of `{object}` cannot create a pod: {reason}"),
        evidence: vec![words],
        next: commands,
        finality: if is_news { finality } else { Finality::Open },
        container: None,
        object,
    })
}

fn misses_a_pod(snapshot: &Snapshot) -> bool {
    let name = snapshot.stateful_set.metadata.name.as_deref();
    let name = name.unwrap_or_default();
    expected_ordinals(&snapshot.stateful_set).any(|ordinal| {
        let wanted = format!("{name}-{ordinal}");
        !snapshot
            .pods
            .iter()
            .any(|pod| pod.metadata.name.as_deref() == Some(&wanted))
    })
}

struct Refusal {
    cause: Cause,
    reason: &'static str,
    finality: Finality,
    next: Option<String>,
}

impl Refusal {
    /// The reason of a refusal. The API server returns typed errors to the controller, but its
    /// events only contain their text (`plugin/pkg/admission`,
    /// `staging/src/k8s.io/pod-security-admission`).
    fn of(words: &str, namespace: Option<&str>) -> Self {
        let on = namespace
            .map(|name| format!(" -n {name}"))
            .unwrap_or_default();
        let new = |cause, reason, finality, next| Self {
            cause,
            reason,
            finality,
            next,
        };
        let says = |text: &str| words.contains(text);
        if says("violates PodSecurity") {
            let namespace = namespace.unwrap_or("default");
            return new(
                Cause::PodSecurity,
                "the Pod Security Standard of its namespace forbids it",
                Finality::Final,
                Some(format!("kubectl get namespace {namespace} --show-labels")),
            );
        }
        if says("failed quota:") {
            return new(
                Cause::Quota,
                "a quota requires its containers to set requests or limits",
                Finality::Final,
                Some(format!("kubectl describe resourcequota{on}")),
            );
        }
        if says("exceeded quota:") {
            return new(
                Cause::Quota,
                "it would exceed a quota",
                if is_beyond(words) {
                    Finality::Final
                } else {
                    Finality::Lasting
                },
                Some(format!("kubectl describe resourcequota{on}")),
            );
        }
        let is_limited = ["minimum ", "maximum "]
            .iter()
            .any(|bound| says(bound) && says(" usage per ") || says("limit to request ratio per"));
        if is_limited {
            return new(
                Cause::LimitRange,
                "a LimitRange forbids its resource requests or limits",
                Finality::Final,
                Some(format!("kubectl describe limitrange{on}")),
            );
        }
        if says("serviceaccount \"default\" not found") {
            // The controller manager creates it, and recreates it.
            return new(
                Cause::MissingReference,
                "the controller manager has not created the ServiceAccount `default` in its namespace yet",
                Finality::Open,
                Some(format!("kubectl get serviceaccounts{on}")),
            );
        }
        if says("error looking up service account") {
            return new(
                Cause::MissingReference,
                "its service account does not exist",
                Finality::Lasting,
                Some(format!("kubectl get serviceaccounts{on}")),
            );
        }
        if says("no PriorityClass with name") {
            return new(
                Cause::MissingReference,
                "its priority class does not exist",
                Finality::Lasting,
                Some("kubectl get priorityclasses".to_owned()),
            );
        }
        if says("RuntimeClass") && says("not found") {
            return new(
                Cause::MissingReference,
                "its runtime class does not exist",
                Finality::Lasting,
                Some("kubectl get runtimeclasses".to_owned()),
            );
        }
        if says("must be no more than 63") && says("metadata.labels") {
            return new(
                Cause::InvalidPod,
                "the StatefulSet's name is too long: its pods' labels would exceed 63 characters",
                Finality::Final,
                None,
            );
        }
        if says(" is invalid: ") {
            return new(
                Cause::InvalidPod,
                "the pod would be invalid",
                Finality::Final,
                None,
            );
        }
        new(Cause::PodRefused, "it is refused", Finality::Open, None)
    }
}

/// Whether one pod requests more than a quota allows in total, even if nothing else is used:
/// `exceeded quota: NAME, requested: pods=1, used: pods=0, limited: pods=0` (`k8s.io/apiserver`
/// `pkg/admission/plugin/resourcequota/controller.go`).
fn is_beyond(words: &str) -> bool {
    let part = |name: &str| {
        let (_, rest) = words.split_once(name)?;
        let (part, _) = rest.split_once(", used: ").unwrap_or((rest, ""));
        Some(part)
    };
    let amounts = |part: &str| -> BTreeMap<String, i128> {
        part.split(',')
            .filter_map(|entry| entry.trim().split_once('='))
            .filter_map(|(name, amount)| Some((name.to_owned(), quantity::milli(amount)?)))
            .collect()
    };
    let requested = amounts(part("requested: ").unwrap_or_default());
    let limited = amounts(part("limited: ").unwrap_or_default());
    requested
        .iter()
        .any(|(name, amount)| limited.get(name).is_some_and(|limit| amount > limit))
}
