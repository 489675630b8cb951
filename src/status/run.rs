//! One run of a pod: a new pod of the same name, or a restarted container, is a new run.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use super::container::long_running_statuses;

/// The identity of one run of a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodRun {
    /// The pod's UID.
    pub uid: String,
    /// Restarts of all its containers, native sidecars included.
    pub restarts: i32,
    /// Every running container, native sidecars included: by name, its ID and start time.
    pub containers: BTreeMap<String, (String, Option<Timestamp>)>,
}

impl PodRun {
    /// The current run of a pod.
    #[must_use]
    pub fn of(pod: &Pod) -> Self {
        Self::of_containers(pod, |_| true)
    }

    /// The run of one container of a pod; other containers do not matter.
    #[must_use]
    pub fn of_container(pod: &Pod, name: &str) -> Self {
        Self::of_containers(pod, |container| container == name)
    }

    fn of_containers(pod: &Pod, counts: impl Fn(&str) -> bool) -> Self {
        let statuses: Vec<&ContainerStatus> = long_running_statuses(pod)
            .filter(|status| counts(&status.name))
            .collect();
        let running = statuses.iter().filter_map(|status| {
            let running = status.state.as_ref()?.running.as_ref()?;
            let id = status.container_id.clone().unwrap_or_default();
            let started = running.started_at.as_ref().map(|time| time.0);
            Some((status.name.clone(), (id, started)))
        });
        Self {
            uid: pod.metadata.uid.clone().unwrap_or_default(),
            restarts: statuses.iter().map(|status| status.restart_count).sum(),
            containers: running.collect(),
        }
    }

    /// Whether any container runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.containers.is_empty()
    }

    /// How this run differs from an earlier one, as a clause; `None` if it is the same.
    #[must_use]
    pub fn change_since(&self, old: &Self) -> Option<String> {
        if self.uid != old.uid {
            return Some("the pod was replaced".to_owned());
        }
        let names = old.containers.keys().chain(self.containers.keys());
        let changed = names
            .into_iter()
            .find(|name| self.containers.get(*name) != old.containers.get(*name));
        let has_restarted = self.restarts > old.restarts;
        let Some(name) = changed else {
            return has_restarted.then(|| "a container restarted".to_owned());
        };
        let is_new = !old.containers.contains_key(name);
        let verb = match self.containers.contains_key(name) {
            false => "ended",
            true if is_new && !has_restarted => "started",
            true => "restarted",
        };
        Some(format!("container `{name}` {verb}"))
    }

    /// Evidence that this run replaced another pod of the same name, as a clause.
    ///
    /// The UID alone is no proof: a pod that the API server has lost may return with a new UID
    /// while its containers never stopped. Times are in whole seconds, so a start in the same
    /// second counts, an earlier start does not.
    #[must_use]
    pub fn proves_replacement_of(&self, old: &Self) -> Option<String> {
        let is_new = self.uid != old.uid && !self.uid.is_empty();
        let started = self.proves_new_start_since(old)?;
        is_new.then(|| format!("a new UID, and containers that {started}"))
    }

    /// Evidence that the containers of the same pod restarted, as a clause.
    #[must_use]
    pub fn proves_restart_since(&self, old: &Self) -> Option<String> {
        if self.uid != old.uid || self.restarts <= old.restarts {
            return None;
        }
        let changed: Vec<_> = self
            .containers
            .iter()
            .filter(|(name, run)| old.containers.get(*name) != Some(*run))
            .collect();
        let (name, (id, started)) = changed.first()?;
        let (old_id, old_started) = old.containers.get(*name)?;
        if id == old_id || started < old_started {
            return None;
        }
        Some(format!(
            "restart count {} → {}; the container started {}",
            old.restarts,
            self.restarts,
            later(*started, *old_started)
        ))
    }

    /// Every container has a new ID and did not start earlier.
    fn proves_new_start_since(&self, old: &Self) -> Option<String> {
        let mut latest = None;
        for (name, (id, started)) in &self.containers {
            if let Some((old_id, old_started)) = old.containers.get(name) {
                if id == old_id || id.is_empty() || started < old_started {
                    return None;
                }
                latest = Some((*started, *old_started));
            }
        }
        let (started, old_started) = latest?;
        Some(format!("started {}", later(started, old_started)))
    }
}

/// When a container and its predecessor started, in words.
fn later(new: Option<Timestamp>, old: Option<Timestamp>) -> String {
    match new.zip(old) {
        Some((new, old)) => format!("at {new}, its predecessor at {old}"),
        None => "later".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(uid: &str, restarts: i32, id: &str, second: i64) -> PodRun {
        let started = Timestamp::from_second(second).unwrap();
        PodRun {
            uid: uid.to_owned(),
            restarts,
            containers: BTreeMap::from([("api".to_owned(), (id.to_owned(), Some(started)))]),
        }
    }

    #[test]
    fn a_replacement_needs_a_new_uid_and_new_containers() {
        let old = run("u1", 0, "c1", 100);
        let table = [
            (run("u2", 0, "c2", 160), true),
            (run("u2", 0, "c2", 100), true),
            (run("u1", 0, "c2", 160), false),
            (run("u2", 0, "c1", 100), false),
            (run("u2", 0, "c2", 99), false),
            (run("u2", 0, "", 160), false),
            (
                PodRun {
                    uid: "u2".into(),
                    ..PodRun::default()
                },
                false,
            ),
        ];
        for (new, expected) in table {
            assert_eq!(
                new.proves_replacement_of(&old).is_some(),
                expected,
                "{new:?}"
            );
        }
    }

    #[test]
    fn another_container_that_restarts_proves_nothing() {
        let pod = |side: i32| -> Pod {
            let status = |name: &str, restarts: i32| {
                serde_json::json!({"name": name, "image": "", "imageID": "", "ready": true,
                    "restartCount": restarts, "containerID": format!("{name}-{restarts}"),
                    "state": {"running": {"startedAt": format!("2026-01-01T00:00:0{restarts}Z")}}})
            };
            serde_json::from_value(serde_json::json!({"metadata": {"uid": "u"},
                "status": {"containerStatuses": [status("api", 0), status("side", side)]}}))
            .unwrap()
        };
        let run = |side, name| PodRun::of_container(&pod(side), name);
        assert_eq!(run(1, "api").proves_restart_since(&run(0, "api")), None);
        assert!(
            run(1, "side")
                .proves_restart_since(&run(0, "side"))
                .is_some()
        );
    }

    #[test]
    fn a_first_start_is_no_restart() {
        let old = run("u1", 0, "c1", 100);
        let idle = |restarts| PodRun {
            containers: BTreeMap::new(),
            ..run("u1", restarts, "", 0)
        };
        let table = [
            (old.clone(), old.clone(), None),
            (
                old.clone(),
                run("u2", 0, "c1", 100),
                Some("the pod was replaced"),
            ),
            (
                old.clone(),
                run("u1", 1, "c2", 130),
                Some("container `api` restarted"),
            ),
            (
                old.clone(),
                run("u1", 0, "c2", 130),
                Some("container `api` restarted"),
            ),
            (old.clone(), idle(0), Some("container `api` ended")),
            (idle(0), old.clone(), Some("container `api` started")),
            (
                idle(1),
                run("u1", 2, "c3", 130),
                Some("container `api` restarted"),
            ),
            (idle(1), idle(2), Some("a container restarted")),
        ];
        for (old, new, expected) in table {
            assert_eq!(
                new.change_since(&old).as_deref(),
                expected,
                "{old:?} {new:?}"
            );
        }
    }

    #[test]
    fn a_sidecar_is_a_container_like_any_other() {
        let pod = |policy: &str, restarts: i32| -> Pod {
            serde_json::from_value(serde_json::json!({"metadata": {"uid": "u"},
                "spec": {"containers": [], "initContainers": [{"name": "server", "restartPolicy": policy}]},
                "status": {"initContainerStatuses": [{"name": "server", "image": "", "imageID": "",
                    "ready": true, "restartCount": restarts, "containerID": format!("c-{restarts}"),
                    "state": {"running": {"startedAt": format!("2026-01-01T00:00:0{restarts}Z")}}}]}}))
            .unwrap()
        };
        let (old, new) = (pod("Always", 0), pod("Always", 1));
        let words = PodRun::of(&new).change_since(&PodRun::of(&old));
        assert_eq!(words.as_deref(), Some("container `server` restarted"));
        let of = |pod: &Pod| PodRun::of_container(pod, "server");
        assert!(of(&new).proves_restart_since(&of(&old)).is_some());
        // A container that ends before the others start is not part of the run.
        assert!(!PodRun::of(&pod("OnFailure", 1)).is_running());
    }

    #[test]
    fn a_restart_needs_a_higher_count_and_a_new_container_of_the_same_pod() {
        let old = run("u1", 3, "c1", 100);
        let table = [
            (run("u1", 4, "c2", 130), true),
            (run("u1", 3, "c2", 130), false),
            (run("u1", 4, "c1", 100), false),
            (run("u1", 4, "c2", 90), false),
            (run("u2", 4, "c2", 130), false),
        ];
        for (new, expected) in table {
            assert_eq!(
                new.proves_restart_since(&old).is_some(),
                expected,
                "{new:?}"
            );
        }
    }
}
