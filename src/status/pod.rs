//! A pod as a row of `kubectl get pods`.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, ContainerState, ContainerStatus, Pod, PodCondition};
use serde::{Deserialize, Serialize};

use super::container::{is_sidecar, long_running, long_running_statuses};

/// One row of `kubectl get pods`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodSummary {
    /// The pod's name.
    pub pod: String,
    /// Its UID.
    pub uid: String,
    /// Ready containers and all containers, native sidecars included.
    pub ready: (usize, usize),
    /// The STATUS column.
    pub status: String,
    /// Restarts of all containers together, as kubectl counts them.
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
        let row = Row::of(pod);
        Self {
            pod: metadata.name.clone().unwrap_or_default(),
            uid: metadata.uid.clone().unwrap_or_default(),
            ready: row.ready,
            status: row.status,
            restarts: row.restarts,
            created: metadata.creation_timestamp.as_ref().map(|time| time.0),
            node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        }
    }

    /// Whether its STATUS usually does not resolve itself.
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

/// Whether the pod is Ready and is not being deleted.
#[must_use]
pub fn is_ready(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none() && has_condition(pod, "Ready")
}

/// The columns that kubectl computes, by the rules of `printPod` in `k8s.io/kubernetes`
/// `pkg/printers/internalversion/printers.go`.
struct Row {
    ready: (usize, usize),
    status: String,
    restarts: i32,
}

impl Row {
    fn of(pod: &Pod) -> Self {
        let mut row = Self::before_its_containers(pod);
        let is_initialized = has_condition(pod, "Initialized");
        let is_initializing = row.initialize(pod);
        if !is_initializing || is_initialized {
            row.run(pod);
        }
        let is_terminal = matches!(phase(pod), Some("Succeeded" | "Failed"));
        if pod.metadata.deletion_timestamp.is_some() {
            if reason(pod) == Some("NodeLost") {
                "Unknown".clone_into(&mut row.status);
            } else if !is_terminal {
                "Terminating".clone_into(&mut row.status);
            }
        }
        row
    }

    fn before_its_containers(pod: &Pod) -> Self {
        let spec = pod.spec.as_ref();
        let is_gated = conditions(pod).iter().any(|condition| {
            condition.type_ == "PodScheduled"
                && condition.reason.as_deref() == Some("SchedulingGated")
        });
        let status = if is_gated {
            Some("SchedulingGated")
        } else {
            reason(pod)
                .filter(|reason| !reason.is_empty())
                .or(phase(pod))
        };
        Self {
            ready: (0, spec.map_or(0, |spec| long_running(spec).count())),
            status: status.unwrap_or("Unknown").to_owned(),
            restarts: 0,
        }
    }

    /// Goes through the init containers; returns whether one is unfinished.
    fn initialize(&mut self, pod: &Pod) -> bool {
        let spec = pod.spec.as_ref();
        let init = spec.and_then(|spec| spec.init_containers.as_deref());
        let init = init.unwrap_or_default();
        for (index, container) in init_statuses(pod).iter().enumerate() {
            self.restarts += container.restart_count;
            let state = container.state.clone().unwrap_or_default();
            let has_succeeded = state
                .terminated
                .as_ref()
                .is_some_and(|ended| ended.exit_code == 0);
            let is_up = container.started == Some(true) && is_sidecar_of(init, &container.name);
            if has_succeeded {
                continue;
            }
            if is_up {
                self.ready.0 += usize::from(container.ready);
                continue;
            }
            self.status = match not_running_reason(&state) {
                Some(reason) if reason != "PodInitializing" => format!("Init:{reason}"),
                _ => format!("Init:{index}/{}", init.len()),
            };
            return true;
        }
        false
    }

    /// Goes through the containers, once the init containers are finished. From then on, only
    /// restarts of sidecars still count among the init containers.
    fn run(&mut self, pod: &Pod) {
        self.restarts = long_running_statuses(pod)
            .map(|status| status.restart_count)
            .sum();
        let mut has_running = false;
        // The first container decides.
        for container in own_statuses(pod).iter().rev() {
            let state = container.state.clone().unwrap_or_default();
            if let Some(reason) = not_running_reason(&state) {
                self.status = reason;
            } else if container.ready && state.running.is_some() {
                has_running = true;
                self.ready.0 += 1;
            }
        }
        if self.status == "Completed" && has_running {
            let is_ready = has_condition(pod, "Ready");
            let words = if is_ready { "Running" } else { "NotReady" };
            words.clone_into(&mut self.status);
        }
    }
}

fn is_sidecar_of(init: &[Container], name: &str) -> bool {
    init.iter().any(|it| it.name == name && is_sidecar(it))
}

fn phase(pod: &Pod) -> Option<&str> {
    pod.status.as_ref()?.phase.as_deref()
}

fn reason(pod: &Pod) -> Option<&str> {
    pod.status.as_ref()?.reason.as_deref()
}

fn conditions(pod: &Pod) -> &[PodCondition] {
    let status = pod.status.as_ref();
    let conditions = status.and_then(|status| status.conditions.as_deref());
    conditions.unwrap_or_default()
}

fn has_condition(pod: &Pod, kind: &str) -> bool {
    let mut conditions = conditions(pod).iter();
    conditions.any(|condition| condition.type_ == kind && condition.status == "True")
}

fn own_statuses(pod: &Pod) -> &[ContainerStatus] {
    let status = pod.status.as_ref();
    let statuses = status.and_then(|status| status.container_statuses.as_deref());
    statuses.unwrap_or_default()
}

fn init_statuses(pod: &Pod) -> &[ContainerStatus] {
    let status = pod.status.as_ref();
    let statuses = status.and_then(|status| status.init_container_statuses.as_deref());
    statuses.unwrap_or_default()
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

    /// A container's status, in one of the states of `kubectl get pods`.
    fn container(name: &str, restarts: i32, state: &Value) -> Value {
        let runs = state.get("running").is_some();
        json!({"name": name, "image": "", "imageID": "", "ready": runs, "started": runs,
               "restartCount": restarts, "state": state})
    }

    #[test]
    fn ready_and_restarts_are_kubectls() {
        let (running, ended) = (
            json!({"running": {}}),
            json!({"terminated": {"exitCode": 0}}),
        );
        let row = |status: &Value| {
            let init = json!([{"name": "keys"}, {"name": "server", "restartPolicy": "Always"}]);
            let pod = json!({
                "spec": {"containers": [{"name": "api"}], "initContainers": init},
                "status": status,
            });
            let summary = PodSummary::of(&serde_json::from_value(pod).unwrap());
            (summary.ready, summary.status, summary.restarts)
        };
        let of = |ready, words: &str, restarts| ((ready, 2), words.to_owned(), restarts);
        let whole = json!({"phase": "Running",
            "initContainerStatuses": [container("keys", 4, &ended), container("server", 2, &running)],
            "containerStatuses": [container("api", 1, &running)]});
        assert_eq!(row(&whole), of(2, "Running", 3));
        let starting = json!({"phase": "Pending",
            "initContainerStatuses": [container("keys", 4, &running), container("server", 0, &json!({}))],
            "containerStatuses": [container("api", 0, &json!({"waiting": {"reason": "PodInitializing"}}))]});
        assert_eq!(row(&starting), of(0, "Init:0/2", 4));
        let crashing = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let broken = json!({"phase": "Running",
            "conditions": [{"type": "Initialized", "status": "True"}],
            "initContainerStatuses": [container("keys", 0, &ended), container("server", 5, &crashing)],
            "containerStatuses": [container("api", 0, &running)]});
        assert_eq!(row(&broken), of(1, "Init:CrashLoopBackOff", 5));
    }

    #[test]
    fn the_first_container_that_does_not_run_has_the_last_word() {
        let status = |first: &str, second: &str| {
            json!({"phase": "Running", "containerStatuses": [
                container("api", 0, &json!({"waiting": {"reason": first}})),
                container("side", 0, &json!({"waiting": {"reason": second}}))]})
        };
        let words = summary(&status("ErrImagePull", "CrashLoopBackOff")).status;
        assert_eq!(words, "ErrImagePull");
    }
}
