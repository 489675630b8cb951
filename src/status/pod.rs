//! A pod in one row, in the words of `kubectl get pods`.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod};
use serde::{Deserialize, Serialize};

/// One row of `kubectl get pods`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodSummary {
    /// The pod's name.
    pub pod: String,
    /// Its UID.
    pub uid: String,
    /// Ready containers and all containers.
    pub ready: (usize, usize),
    /// The STATUS column.
    pub status: String,
    /// Restarts of all containers together.
    pub restarts: i32,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// The node it runs on.
    pub node: Option<String>,
}

impl PodSummary {
    /// Summarises a pod.
    #[must_use]
    pub fn of(pod: &Pod) -> Self {
        let metadata = &pod.metadata;
        let containers = containers(pod);
        Self {
            pod: metadata.name.clone().unwrap_or_default(),
            uid: metadata.uid.clone().unwrap_or_default(),
            ready: (
                containers
                    .iter()
                    .filter(|container| container.ready)
                    .count(),
                pod.spec
                    .as_ref()
                    .map_or(containers.len(), |spec| spec.containers.len()),
            ),
            status: status_words(pod),
            restarts: restarts(pod),
            created: metadata.creation_timestamp.as_ref().map(|time| time.0),
            node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        }
    }

    /// Whether its STATUS is one that does not pass by itself, as a rule.
    #[must_use]
    pub fn is_in_trouble(&self) -> bool {
        let status = self.status.rsplit(':').next().unwrap_or(&self.status);
        [
            "BackOff", "Err", "Evicted", "Failed", "Invalid", "Killed", "Unknown",
        ]
        .iter()
        .any(|word| status.contains(word))
    }
}

/// Whether the pod's Ready condition is true and the pod is not on its way out.
#[must_use]
pub fn is_ready(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none()
        && pod
            .status
            .as_ref()
            .and_then(|status| status.conditions.as_ref())
            .is_some_and(|conditions| {
                conditions
                    .iter()
                    .any(|condition| condition.type_ == "Ready" && condition.status == "True")
            })
}

/// Restarts of all containers together, init containers included.
#[must_use]
pub fn restarts(pod: &Pod) -> i32 {
    containers(pod)
        .iter()
        .chain(init_containers(pod))
        .map(|status| status.restart_count)
        .sum()
}

fn containers(pod: &Pod) -> &[ContainerStatus] {
    pod.status
        .as_ref()
        .and_then(|status| status.container_statuses.as_deref())
        .unwrap_or_default()
}

fn init_containers(pod: &Pod) -> &[ContainerStatus] {
    pod.status
        .as_ref()
        .and_then(|status| status.init_container_statuses.as_deref())
        .unwrap_or_default()
}

/// The STATUS column, by the rules of `k8s.io/kubernetes` `pkg/printers/internalversion/printers.go`.
fn status_words(pod: &Pod) -> String {
    let status = pod.status.clone().unwrap_or_default();
    if pod.metadata.deletion_timestamp.is_some() {
        let lost = status.reason.as_deref() == Some("NodeLost");
        return if lost { "Unknown" } else { "Terminating" }.to_owned();
    }
    if let Some(words) = initialising(pod) {
        return words;
    }
    let containers = containers(pod);
    let reasons: Vec<String> = containers
        .iter()
        .filter_map(|container| container.state.as_ref().and_then(not_running_reason))
        .collect();
    if let Some(reason) = reasons.last() {
        let completed = reason == "Completed";
        if completed && containers.iter().any(|container| container.ready) {
            return "Running".to_owned();
        }
        return reason.clone();
    }
    status
        .reason
        .or(status.phase)
        .unwrap_or_else(|| "Unknown".to_owned())
}

fn initialising(pod: &Pod) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let total = spec.init_containers.as_ref().map_or(0, Vec::len);
    for (index, container) in init_containers(pod).iter().enumerate() {
        let state = container.state.clone().unwrap_or_default();
        if state
            .terminated
            .as_ref()
            .is_some_and(|ended| ended.exit_code == 0)
            || container.started == Some(true)
        {
            continue;
        }
        return Some(match not_running_reason(&state) {
            Some(reason) if reason != "PodInitializing" => format!("Init:{reason}"),
            _ => format!("Init:{index}/{total}"),
        });
    }
    None
}

fn not_running_reason(state: &ContainerState) -> Option<String> {
    if let Some(waiting) = &state.waiting {
        return waiting.reason.clone().filter(|reason| !reason.is_empty());
    }
    let ended = state.terminated.as_ref()?;
    Some(match (ended.reason.as_deref(), ended.signal) {
        (Some(reason), _) if !reason.is_empty() => reason.to_owned(),
        (_, Some(signal)) if signal != 0 => format!("Signal:{signal}"),
        _ => format!("ExitCode:{}", ended.exit_code),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn summary(status: &Value) -> PodSummary {
        let pod = json!({
            "metadata": {"name": "web-0", "uid": "u"},
            "spec": {"containers": [{"name": "api"}], "initContainers": [{"name": "keys"}]},
            "status": status,
        });
        PodSummary::of(&serde_json::from_value(pod).unwrap())
    }

    #[test]
    fn says_what_kubectl_says() {
        let waiting = |reason: &str| {
            json!([{"name": "api", "image": "", "imageID": "", "ready": false, "restartCount": 3,
                    "state": {"waiting": {"reason": reason}}}])
        };
        let table = [
            (json!({"phase": "Pending"}), "Pending"),
            (
                json!({"phase": "Running", "containerStatuses": waiting("CrashLoopBackOff")}),
                "CrashLoopBackOff",
            ),
            (
                json!({"phase": "Pending", "initContainerStatuses": waiting("PodInitializing")}),
                "Init:0/1",
            ),
            (
                json!({"phase": "Pending", "initContainerStatuses": waiting("ErrImagePull")}),
                "Init:ErrImagePull",
            ),
            (
                json!({"phase": "Running", "containerStatuses": [
                {"name": "api", "image": "", "imageID": "", "ready": false, "restartCount": 0,
                 "state": {"terminated": {"exitCode": 134}}}]}),
                "ExitCode:134",
            ),
            (json!({"phase": "Failed", "reason": "Evicted"}), "Evicted"),
        ];
        for (status, expected) in table {
            assert_eq!(summary(&status).status, expected, "{status}");
        }
    }

    #[test]
    fn a_pod_on_its_way_out_is_not_ready() {
        let ready = json!({"conditions": [{"type": "Ready", "status": "True"}]});
        let mut pod: Pod = serde_json::from_value(json!({"status": ready})).unwrap();
        assert!(is_ready(&pod));
        pod.metadata.deletion_timestamp =
            serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
        assert!(!is_ready(&pod));
        assert_eq!(PodSummary::of(&pod).status, "Terminating");
    }

    #[test]
    fn init_containers_count_as_restarts_too() {
        let container = |count: i32| json!([{"name": "c", "image": "", "imageID": "", "ready": false, "restartCount": count}]);
        let status =
            json!({"containerStatuses": container(1), "initContainerStatuses": container(2)});
        assert_eq!(summary(&status).restarts, 3);
    }
}
