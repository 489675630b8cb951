//! Refused pods.

use serde_json::{Value, json};

use super::super::*;
use super::{pod, snapshot};

/// The diagnosis of a set without its pod, from the event that says why.
fn refused(words: &str) -> Diagnosis {
    let event = json!({"metadata": {}, "involvedObject": {"uid": "s"}, "reason": "FailedCreate",
        "message": words, "lastTimestamp": "2026-01-01T00:00:05Z"});
    let mut refused = snapshot(pod("web-b", &json!({})), Vec::new(), vec![event]);
    refused.pods.clear();
    refused.since = Some("2026-01-01T00:00:00Z".parse().unwrap());
    workload(&refused).unwrap()
}

#[test]
fn what_refuses_a_pod_is_told_apart() {
    let create = "create Pod web-0 in StatefulSet web failed error: pods \"web-0\" is forbidden: ";
    let table = [
        (
            "violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false",
            Cause::PodSecurity,
            Finality::Final,
        ),
        (
            "exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2",
            Cause::Quota,
            Finality::Lasting,
        ),
        (
            "exceeded quota: q, requested: limits.cpu=2,pods=1, used: limits.cpu=0,pods=0, limited: limits.cpu=500m,pods=9",
            Cause::Quota,
            Finality::Final,
        ),
        (
            "failed quota: q: must specify limits.cpu for: api",
            Cause::Quota,
            Finality::Final,
        ),
        (
            "maximum cpu usage per Container is 100m, but limit is 1",
            Cause::LimitRange,
            Finality::Final,
        ),
        (
            "error looking up service account n/robot: serviceaccount \"robot\" not found",
            Cause::MissingServiceAccount,
            Finality::Lasting,
        ),
        (
            "no PriorityClass with name high was found",
            Cause::MissingReference,
            Finality::Lasting,
        ),
        (
            "admission webhook \"w\" denied the request: no",
            Cause::WebhookDenied,
            Finality::Lasting,
        ),
        (
            "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: violates PodSecurity of ours",
            Cause::WebhookDenied,
            Finality::Lasting,
        ),
        (
            "failed calling webhook \"w\": failed to call webhook: context deadline exceeded",
            Cause::WebhookUnavailable,
            Finality::Open,
        ),
        (
            "object is being deleted: pods \"web-0\" already exists",
            Cause::PodRefused,
            Finality::Open,
        ),
    ];
    for (words, cause, finality) in table {
        let diagnosis = refused(&format!("{create}{words}"));
        assert_eq!(
            (diagnosis.cause, diagnosis.finality),
            (cause, finality),
            "{words}"
        );
        assert!(diagnosis.evidence[0].words.contains(words), "{words}");
    }
    let long = refused(
        "create Pod web-0 in StatefulSet web failed error: Pod \"web-0\" is invalid: metadata.labels: Invalid value: \"web-0\": must be no more than 63 bytes",
    );
    assert_eq!(
        (long.cause, long.finality),
        (Cause::InvalidPod, Finality::Final)
    );
    assert!(
        long.message.contains("name is too long"),
        "{}",
        long.message
    );
}

#[test]
fn a_refusal_of_another_time_decides_nothing() {
    let event = |reason: &str, at: &str| {
        json!({"metadata": {}, "involvedObject": {"uid": "s"}, "reason": reason,
            "message": "violates PodSecurity", "lastTimestamp": at})
    };
    let of = |events: Vec<Value>| {
        let mut refused = snapshot(pod("web-b", &json!({})), Vec::new(), events);
        refused.pods.clear();
        refused.since = Some("2026-01-01T00:00:10Z".parse().unwrap());
        let found = workload(&refused).unwrap();
        (found.cause, found.finality)
    };
    let before = event("FailedCreate", "2026-01-01T00:00:05Z");
    let refused = (Cause::PodSecurity, Finality::Open);
    assert_eq!(of(vec![before.clone()]), refused);
    let made = event("SuccessfulCreate", "2026-01-01T00:00:06Z");
    let created = (Cause::Unknown, Finality::Open);
    assert_eq!(of(vec![made, before]), created, "it was created since");
}
