//! One run of a pod: another pod of the same name, or a restarted container, is another run.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;

use super::pod::restarts;

/// The identity of one run of a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodRun {
    /// The pod's UID.
    pub uid: String,
    /// Restarts of all its containers.
    pub restarts: i32,
    /// Every container that runs: by name, its ID and when it started.
    pub containers: BTreeMap<String, (String, Option<Timestamp>)>,
}

impl PodRun {
    /// The run that a pod is in now.
    #[must_use]
    pub fn of(pod: &Pod) -> Self {
        let statuses = pod
            .status
            .iter()
            .flat_map(|status| status.container_statuses.iter().flatten());
        let containers: BTreeMap<String, (String, Option<Timestamp>)> = statuses
            .filter_map(|status| {
                let running = status.state.as_ref()?.running.as_ref()?;
                let id = status.container_id.clone().unwrap_or_default();
                let started = running.started_at.as_ref().map(|time| time.0);
                Some((status.name.clone(), (id, started)))
            })
            .collect();
        Self {
            uid: pod.metadata.uid.clone().unwrap_or_default(),
            restarts: restarts(pod),
            containers,
        }
    }

    /// The run of one container of a pod; what happens to the others is nothing to it.
    #[must_use]
    pub fn of_container(pod: &Pod, name: &str) -> Self {
        let mut run = Self::of(pod);
        run.containers.retain(|container, _| container == name);
        let statuses = pod
            .status
            .iter()
            .flat_map(|status| status.container_statuses.iter().flatten());
        run.restarts = statuses
            .filter(|status| status.name == name)
            .map(|status| status.restart_count)
            .sum();
        run
    }

    /// Whether any container runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.containers.is_empty()
    }

    /// What proves that this run replaced another pod of the same name, as a clause.
    ///
    /// The UID alone is no proof: a pod that the API server has lost may return with a new one while
    /// its containers never stopped. Times are in whole seconds, so a start in the same second as the
    /// one before counts, an earlier one does not.
    #[must_use]
    pub fn proves_replacement_of(&self, old: &Self) -> Option<String> {
        let is_new = self.uid != old.uid && !self.uid.is_empty();
        let started = self.proves_new_start_since(old)?;
        is_new.then(|| format!("a new UID, and containers that {started}"))
    }

    /// What proves that the containers of the same pod restarted, as a clause.
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
            "{} restarts after {}, and a container that started {}",
            self.restarts,
            old.restarts,
            later(*started, *old_started)
        ))
    }

    /// Every container is another one, and started no earlier.
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

/// When something started, and what was there before, in words.
fn later(new: Option<Timestamp>, old: Option<Timestamp>) -> String {
    match new.zip(old) {
        Some((new, old)) => format!("at {new}, those before at {old}"),
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
