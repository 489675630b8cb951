//! Watches the pods that no fault targets: a disturbance by others must not be attributed to the
//! fault.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;

use crate::report::Disturbance;
use crate::status::PodRun;

/// The last known state of every pod, and all disturbances so far.
pub(super) struct Bystanders {
    known: BTreeMap<String, (PodRun, bool)>,
    seen: Vec<Disturbance>,
}

impl Bystanders {
    /// Starts from the pods as they are now, without any disturbance.
    pub(super) fn of(pods: &[Pod]) -> Self {
        Self {
            known: runs(pods),
            seen: Vec::new(),
        }
    }

    /// Compares the pods with their last known state; changes to a fault's targets are no disturbance.
    pub(super) fn look(&mut self, pods: &[Pod], targets: &[&str]) {
        let now = runs(pods);
        for (pod, (old, was_leaving)) in &self.known {
            if targets.contains(&pod.as_str()) || *was_leaving {
                continue;
            }
            let (is_deleted, what) = match now.get(pod) {
                Some((new, _)) if new.uid != old.uid => (true, "was replaced"),
                None | Some((_, true)) => (true, "was deleted"),
                Some((new, false)) if new.restarts > old.restarts => (false, "restarted"),
                Some(_) => continue,
            };
            self.seen.push(Disturbance {
                pod: pod.clone(),
                is_deleted,
                what: format!("`{pod}` {what}; no fault of this experiment caused it"),
            });
        }
        self.know(now);
    }

    /// Notes that a target was replaced again after it came back.
    pub(super) fn replaced_again(&mut self, pod: &str) {
        self.seen.push(Disturbance {
            pod: pod.to_owned(),
            is_deleted: true,
            what: format!("`{pod}` was replaced again; no fault of this experiment caused it"),
        });
    }

    /// The disturbances so far.
    pub(super) fn seen(&self) -> Vec<Disturbance> {
        self.seen.clone()
    }

    /// A missing pod stays known as a terminating one, so that it is reported once.
    fn know(&mut self, now: BTreeMap<String, (PodRun, bool)>) {
        for (_, is_leaving) in self.known.values_mut() {
            *is_leaving = true;
        }
        self.known.extend(now);
    }
}

/// The run of every pod, and whether the pod is terminating.
fn runs(pods: &[Pod]) -> BTreeMap<String, (PodRun, bool)> {
    let named = pods.iter().filter_map(|pod| {
        let is_leaving = pod.metadata.deletion_timestamp.is_some();
        Some((pod.metadata.name.clone()?, (PodRun::of(pod), is_leaving)))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(name: &str, uid: &str, restarts: i32, is_leaving: bool) -> Pod {
        let mut pod = json!({"metadata": {"name": name, "uid": uid},
            "status": {"containerStatuses": [{"name": "api", "image": "", "imageID": "",
                "ready": true, "restartCount": restarts}]}});
        if is_leaving {
            pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        }
        serde_json::from_value(pod).unwrap()
    }

    #[test]
    fn what_happens_to_a_pod_that_no_fault_took_is_told_once() {
        let both = |uid: &str, restarts, is_leaving| {
            vec![
                pod("web-0", "a", 0, false),
                pod("web-1", uid, restarts, is_leaving),
            ]
        };
        let mut bystanders = Bystanders::of(&both("b", 0, false));
        bystanders.look(&both("b", 0, false), &[]);
        assert!(bystanders.seen().is_empty());
        bystanders.look(&both("b", 0, true), &[]);
        bystanders.look(&[pod("web-0", "a", 0, false)], &[]);
        bystanders.look(&both("c", 0, false), &[]);
        bystanders.look(&both("c", 1, false), &[]);
        let seen = bystanders.seen();
        let told: Vec<(&str, bool)> = seen.iter().map(|it| (&*it.pod, it.is_deleted)).collect();
        assert_eq!(told, [("web-1", true), ("web-1", false)], "{seen:?}");
    }

    #[test]
    fn what_happens_to_the_pod_that_was_taken_is_the_fault_s_work() {
        let mut bystanders = Bystanders::of(&[pod("web-0", "a", 0, false)]);
        bystanders.look(&[pod("web-0", "a", 0, true)], &["web-0"]);
        bystanders.look(&[], &["web-0"]);
        bystanders.look(&[pod("web-0", "b", 0, false)], &["web-0"]);
        bystanders.look(&[pod("web-0", "b", 0, false)], &[]);
        assert!(bystanders.seen().is_empty());
        bystanders.look(&[pod("web-0", "c", 0, false)], &[]);
        assert!(bystanders.seen()[0].what.contains("`web-0` was replaced"));
    }
}
