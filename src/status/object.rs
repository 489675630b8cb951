//! The state of any object except a StatefulSet, by the rules of its kind.
//!
//! The rules are those of the kinds' own controllers and of `kubectl rollout status`
//! (`k8s.io/kubectl` `pkg/polymorphichelpers/rollout_status.go`).

use serde_json::Value;

use super::{Status, is_being_deleted};
use crate::object::ObjectRef;

/// The state of a live object.
///
/// Kinds that only hold data (ConfigMap, Secret, Role …) are ready once they exist.
#[must_use]
pub fn status_of(reference: &ObjectRef, object: &Value) -> Status {
    if is_being_deleted(object) {
        let is_claim = reference.is("", "PersistentVolumeClaim");
        return Status::in_progress(if is_claim {
            "is being deleted: its data is lost with the last pod that mounts it"
        } else {
            "is being deleted"
        });
    }
    match (reference.group.as_str(), reference.kind.as_str()) {
        ("apps", "Deployment") => deployment(object),
        ("apps", "DaemonSet") => daemon_set(object),
        ("apps", "ReplicaSet") => replica_set(object),
        ("batch", "Job") => job(object),
        ("", "Pod") => pod(object),
        ("", "PersistentVolumeClaim") => claim(object),
        ("", "Namespace") => namespace(object),
        ("", "Service") => service(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        ("apiregistration.k8s.io", "APIService") => condition_is_true(object, "Available"),
        ("policy", "PodDisruptionBudget") => observed(object),
        (group, kind) if is_data(group, kind) => Status::ready(""),
        _ => Status {
            state: super::State::NotWaitedFor,
            message: "no rule for this kind".to_owned(),
        },
    }
}

fn is_data(group: &str, kind: &str) -> bool {
    match group {
        "" => matches!(
            kind,
            "ConfigMap"
                | "Secret"
                | "ServiceAccount"
                | "LimitRange"
                | "ResourceQuota"
                | "PersistentVolume"
                | "Endpoints"
        ),
        "batch" => kind == "CronJob",
        "autoscaling" => kind == "HorizontalPodAutoscaler",
        "networking.k8s.io" => kind != "Ingress",
        "rbac.authorization.k8s.io"
        | "storage.k8s.io"
        | "scheduling.k8s.io"
        | "node.k8s.io"
        | "discovery.k8s.io"
        | "admissionregistration.k8s.io" => true,
        _ => false,
    }
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

fn is_observed(object: &Value) -> bool {
    number(&object["status"]["observedGeneration"]) >= number(&object["metadata"]["generation"])
}

fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"]
        .as_array()?
        .iter()
        .find(|condition| condition["type"] == kind)
}

fn condition_message(condition: &Value) -> String {
    let reason = condition["reason"].as_str().unwrap_or("");
    let message = condition["message"].as_str().unwrap_or("");
    if message.is_empty() {
        reason.to_owned()
    } else {
        format!("{reason}: {message}")
    }
}

fn condition_is_true(object: &Value, kind: &str) -> Status {
    match condition(object, kind) {
        Some(condition) if condition["status"] == "True" => Status::ready(""),
        Some(condition) => Status::in_progress(condition_message(condition)),
        None => Status::in_progress(format!("waits for the condition {kind}")),
    }
}

fn observed(object: &Value) -> Status {
    if is_observed(object) {
        Status::ready("")
    } else {
        Status::in_progress("its controller has not seen it yet")
    }
}

fn deployment(object: &Value) -> Status {
    // Before the controller has seen the change, every condition describes the previous rollout.
    if !is_observed(object) {
        return Status::in_progress("its controller has not seen it yet");
    }
    if let Some(progressing) = condition(object, "Progressing")
        && progressing["reason"] == "ProgressDeadlineExceeded"
    {
        return Status::failed(condition_message(progressing));
    }
    let status = &object["status"];
    let desired = object["spec"]["replicas"].as_i64().unwrap_or(1);
    let updated = number(&status["updatedReplicas"]);
    let (total, available) = (
        number(&status["replicas"]),
        number(&status["availableReplicas"]),
    );
    if updated < desired {
        Status::in_progress(format!("{updated} of {desired} replicas updated"))
    } else if total > updated {
        Status::in_progress(format!("{} old replicas still run", total - updated))
    } else if available < updated {
        Status::in_progress(format!("{available} of {updated} replicas available"))
    } else {
        Status::ready(format!("{available} of {desired} replicas available"))
    }
}

fn daemon_set(object: &Value) -> Status {
    if !is_observed(object) {
        return Status::in_progress("its controller has not seen it yet");
    }
    let status = &object["status"];
    let desired = number(&status["desiredNumberScheduled"]);
    let updated = number(&status["updatedNumberScheduled"]);
    let available = number(&status["numberAvailable"]);
    let on_delete = object["spec"]["updateStrategy"]["type"] == "OnDelete";
    if updated < desired && !on_delete {
        Status::in_progress(format!("{updated} of {desired} pods updated"))
    } else if available < desired {
        Status::in_progress(format!("{available} of {desired} pods available"))
    } else {
        Status::ready(format!("{available} of {desired} pods available"))
    }
}

fn replica_set(object: &Value) -> Status {
    if !is_observed(object) {
        return Status::in_progress("its controller has not seen it yet");
    }
    let desired = object["spec"]["replicas"].as_i64().unwrap_or(1);
    let available = number(&object["status"]["availableReplicas"]);
    let words = format!("{available} of {desired} replicas available");
    if available < desired {
        Status::in_progress(words)
    } else {
        Status::ready(words)
    }
}

fn job(object: &Value) -> Status {
    if let Some(failed) = condition(object, "Failed")
        && failed["status"] == "True"
    {
        return Status::failed(condition_message(failed));
    }
    if let Some(complete) = condition(object, "Complete")
        && complete["status"] == "True"
    {
        return Status::ready("complete");
    }
    if object["spec"]["suspend"] == true {
        return Status::ready("suspended");
    }
    let done = number(&object["status"]["succeeded"]);
    let wanted = object["spec"]["completions"].as_i64().unwrap_or(1);
    Status::in_progress(format!("{done} of {wanted} completions"))
}

fn pod(object: &Value) -> Status {
    match object["status"]["phase"].as_str() {
        Some("Succeeded") => Status::ready("succeeded"),
        Some("Failed") => Status::failed(
            object["status"]["message"]
                .as_str()
                .unwrap_or("its containers failed")
                .to_owned(),
        ),
        _ => condition_is_true(object, "Ready"),
    }
}

fn claim(object: &Value) -> Status {
    match object["status"]["phase"].as_str() {
        Some("Bound") => Status::ready("bound"),
        Some("Lost") => Status::failed("its volume is gone"),
        _ => Status::in_progress("waits for a volume"),
    }
}

fn namespace(object: &Value) -> Status {
    match object["status"]["phase"].as_str() {
        Some("Terminating") => Status::failed("is being deleted"),
        _ => Status::ready(""),
    }
}

fn service(object: &Value) -> Status {
    let is_load_balancer = object["spec"]["type"] == "LoadBalancer";
    let has_address = object["status"]["loadBalancer"]["ingress"]
        .as_array()
        .is_some_and(|list| !list.is_empty());
    if is_load_balancer && !has_address {
        Status::in_progress("waits for its load balancer's address")
    } else {
        Status::ready("")
    }
}

fn definition(object: &Value) -> Status {
    if let Some(accepted) = condition(object, "NamesAccepted")
        && accepted["status"] == "False"
    {
        return Status::failed(condition_message(accepted));
    }
    condition_is_true(object, "Established")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::State;
    use super::*;

    fn state(group: &str, kind: &str, object: &Value) -> State {
        status_of(&ObjectRef::new(group, kind, None, "x"), object).state
    }

    #[test]
    fn a_deployment_is_ready_only_when_the_new_replicas_are_available_and_the_old_are_gone() {
        let table = [
            (
                json!({"updatedReplicas": 2, "replicas": 2, "availableReplicas": 2}),
                State::Ready,
            ),
            (
                json!({"updatedReplicas": 1, "replicas": 2, "availableReplicas": 2}),
                State::InProgress,
            ),
            (
                json!({"updatedReplicas": 2, "replicas": 3, "availableReplicas": 3}),
                State::InProgress,
            ),
            (
                json!({"updatedReplicas": 2, "replicas": 2, "availableReplicas": 1}),
                State::InProgress,
            ),
        ];
        for (status, expected) in table {
            let object = json!({"spec": {"replicas": 2}, "status": status});
            assert_eq!(state("apps", "Deployment", &object), expected, "{object}");
        }
    }

    #[test]
    fn a_status_of_an_older_generation_proves_nothing() {
        let object = json!({
            "metadata": {"generation": 2},
            "spec": {"replicas": 1},
            "status": {"observedGeneration": 1, "updatedReplicas": 1, "replicas": 1, "availableReplicas": 1},
        });
        assert_eq!(state("apps", "Deployment", &object), State::InProgress);
        assert_eq!(state("apps", "ReplicaSet", &object), State::InProgress);
    }

    #[test]
    fn the_failure_of_the_rollout_before_says_nothing_about_this_one() {
        let object = json!({
            "metadata": {"generation": 3},
            "status": {"observedGeneration": 2, "conditions": [
                {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]},
        });
        assert_eq!(state("apps", "Deployment", &object), State::InProgress);
    }

    #[test]
    fn an_exceeded_progress_deadline_is_a_failure() {
        let object = json!({"status": {"conditions": [
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]}});
        assert_eq!(state("apps", "Deployment", &object), State::Failed);
    }

    #[test]
    fn jobs_end_in_success_or_failure() {
        let with =
            |kind: &str| json!({"status": {"conditions": [{"type": kind, "status": "True"}]}});
        assert_eq!(state("batch", "Job", &with("Complete")), State::Ready);
        assert_eq!(state("batch", "Job", &with("Failed")), State::Failed);
        assert_eq!(state("batch", "Job", &json!({})), State::InProgress);
    }

    #[test]
    fn claims_and_definitions_wait_for_their_controllers() {
        let bound = json!({"status": {"phase": "Bound"}});
        assert_eq!(state("", "PersistentVolumeClaim", &bound), State::Ready);
        let pending = json!({"status": {"phase": "Pending"}});
        assert_eq!(
            state("", "PersistentVolumeClaim", &pending),
            State::InProgress
        );
        let group = "apiextensions.k8s.io";
        assert_eq!(
            state(group, "CustomResourceDefinition", &json!({})),
            State::InProgress
        );
    }

    #[test]
    fn an_unknown_kind_is_never_called_ready() {
        assert_eq!(
            state("example.org", "Widget", &json!({})),
            State::NotWaitedFor
        );
    }

    #[test]
    fn an_object_on_its_way_out_is_never_ready() {
        let object = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
        assert_eq!(state("", "ConfigMap", &object), State::InProgress);
    }
}
