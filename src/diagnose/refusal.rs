//! The API server refused a pod of the controller: quota, admission, a name in use.

use std::collections::BTreeMap;

use super::{
    Cause, Diagnosis, Evidence, Finality, events, kubectl, last_seen, on, pod_name, pod_named,
    set_reference,
};
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
    let evidence = Evidence::event(event)?;
    let object = set_reference(snapshot);
    let Refusal {
        cause,
        reason,
        finality,
        next,
    } = Refusal::of(&evidence.words, object.namespace.as_deref());
    // A refusal from before this command may no longer hold: the controller retries at growing
    // intervals.
    let is_news = snapshot
        .since
        .is_none_or(|since| last_seen(event).is_some_and(|seen| seen >= since));
    let message = format!("the controller of `{object}` cannot create a pod: {reason}");
    let commands = [Some(kubectl("describe", &object)), next];
    Some(
        Diagnosis::new(cause, object, message)
            .because([evidence])
            .then(commands.into_iter().flatten())
            .is(if is_news { finality } else { Finality::Open }),
    )
}

fn misses_a_pod(snapshot: &Snapshot) -> bool {
    expected_ordinals(&snapshot.stateful_set)
        .any(|ordinal| pod_named(snapshot, &pod_name(snapshot, ordinal)).is_none())
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
        if let Some(refusal) = Self::by_others(words) {
            return refusal;
        }
        let on = on(namespace);
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
                Cause::MissingServiceAccount,
                "the controller manager has not created the ServiceAccount `default` in its namespace yet",
                Finality::Open,
                Some(format!("kubectl get serviceaccounts{on}")),
            );
        }
        if says("error looking up service account") {
            return new(
                Cause::MissingServiceAccount,
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

    /// A webhook or a policy that others have set up. This comes first: their texts may contain anything
    /// (`k8s.io/apiserver` `pkg/admission/plugin/webhook/errors/statuserror.go`, `pkg/admission/plugin/policy`).
    fn by_others(words: &str) -> Option<Self> {
        const WEBHOOKS: &str =
            "kubectl get mutatingwebhookconfigurations,validatingwebhookconfigurations";
        let says = |text: &str| words.contains(text);
        let (cause, reason, finality, next) =
            if says("failed calling webhook") || says("failed calling admission webhook") {
                let reason = "a webhook of admission does not answer";
                (Cause::WebhookUnavailable, reason, Finality::Open, WEBHOOKS)
            } else if says("admission webhook \"") && says(" denied the request") {
                let reason = "a webhook of admission refuses it";
                (Cause::WebhookDenied, reason, Finality::Lasting, WEBHOOKS)
            } else if says("ValidatingAdmissionPolicy ") && says(" denied request") {
                let reason = "a policy of admission refuses it";
                let next = "kubectl get validatingadmissionpolicies";
                (Cause::WebhookDenied, reason, Finality::Lasting, next)
            } else {
                return None;
            };
        Some(Self {
            cause,
            reason,
            finality,
            next: Some(next.to_owned()),
        })
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
