//! The `StatefulSet` controller: `pkg/controller/statefulset/stateful_set_control.go`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::replicas::{
    self, REVISION_LABEL, availability, is_ended, is_ready, is_unavailable, revision,
};
use super::revisions::{self, Revisions};
use super::{MANAGER, adoption, events};
use crate::object::{self, is_terminating, number, text};
use crate::requests::delete_now;
use crate::state::State;
use crate::store::Key;

/// Brings every set one step nearer to its spec.
pub(super) fn reconcile(state: &mut State) -> Option<Instant> {
    let sets = state.store.list("apps", "statefulsets", "");
    let waits = sets.into_iter().filter_map(|(key, set)| {
        if is_terminating(&set) {
            return None;
        }
        adoption::adopt(state, &set);
        let revisions = revisions::of_set(state, &set);
        let mut sync = Sync {
            state,
            set: &set,
            revisions,
            waits: None,
        };
        sync.advance();
        sync.write_status(&key);
        sync.waits
    });
    let shortest = waits.min()?;
    Some(Instant::now() + shortest)
}

/// The reference that a set's pods, claims and revisions carry.
pub(super) fn owner_reference(set: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "name": object::name(set), "uid": object::uid(set),
        "controller": true, "blockOwnerDeletion": true,
    })
}

struct Sync<'a> {
    state: &'a mut State,
    set: &'a Value,
    revisions: Revisions,
    /// The time until a pod becomes available by itself.
    waits: Option<Duration>,
}

impl Sync<'_> {
    fn min_ready(&self) -> i64 {
        number(self.set, "/spec/minReadySeconds").unwrap_or(0)
    }

    fn start(&self) -> i64 {
        number(self.set, "/spec/ordinals/start").unwrap_or(0)
    }

    fn wanted(&self) -> i64 {
        number(self.set, "/spec/replicas").unwrap_or(1)
    }

    fn is_available(&mut self, pod: &Value) -> bool {
        match availability(pod, self.min_ready(), self.state.now.timestamp) {
            Ok(()) => true,
            Err(wait) => {
                self.waits = self.waits.into_iter().chain(wait).min();
                false
            }
        }
    }

    /// `updateStatefulSet`: replicas upwards, condemned ones downwards, then the update; with `OrderedReady` every step
    /// waits for the one before.
    fn advance(&mut self) {
        let monotonic = text(self.set, "/spec/podManagementPolicy") != "Parallel";
        let pods = replicas::of_set(self.state, self.set);
        let range = self.start()..self.start() + self.wanted();
        for ordinal in range.clone() {
            let pod = pods
                .iter()
                .find(|(found, _)| *found == ordinal)
                .map(|(_, pod)| pod);
            if self.process_replica(ordinal, pod, monotonic) && monotonic {
                return;
            }
        }
        let condemned: Vec<_> = pods
            .iter()
            .rev()
            .filter(|(ordinal, _)| !range.contains(ordinal))
            .collect();
        let now = self.state.now.timestamp;
        let min_ready = self.min_ready();
        let first_unavailable = pods
            .iter()
            .filter(|(ordinal, _)| range.contains(ordinal))
            .chain(condemned.iter().rev().copied())
            .find(|(_, pod)| is_unavailable(pod, min_ready, now))
            .map(|(_, pod)| object::name(pod).to_owned());
        for (_, pod) in condemned {
            if self.process_condemned(pod, first_unavailable.as_deref(), monotonic) && monotonic {
                return;
            }
        }
        let replicas: Vec<&Arc<Value>> = pods
            .iter()
            .filter(|(ordinal, _)| range.contains(ordinal))
            .map(|(_, pod)| pod)
            .collect();
        if text(self.set, "/spec/updateStrategy/type") == "RollingUpdate"
            && i64::try_from(replicas.len()) == Ok(self.wanted())
        {
            self.update(&replicas, monotonic);
        }
    }

    /// Whether the set has to wait for this replica.
    fn process_replica(&mut self, ordinal: i64, pod: Option<&Arc<Value>>, monotonic: bool) -> bool {
        let Some(pod) = pod else {
            self.create_pod(ordinal);
            return monotonic;
        };
        if is_ended(pod) {
            if !is_terminating(pod) {
                self.delete_pod(pod);
            }
            return true;
        }
        monotonic && (is_terminating(pod) || !is_ready(pod) || !self.is_available(pod))
    }

    fn process_condemned(
        &mut self,
        pod: &Value,
        first_unavailable: Option<&str>,
        monotonic: bool,
    ) -> bool {
        if is_terminating(pod) {
            return monotonic;
        }
        if monotonic && first_unavailable != Some(object::name(pod)) && !self.is_available(pod) {
            return true;
        }
        self.delete_pod(pod);
        true
    }

    /// `updateStatefulSetAfterInvariantEstablished`: the highest ordinals first, as many as may be unavailable; with
    /// `Parallel` those that are broken anyway go first.
    fn update(&mut self, replicas: &[&Arc<Value>], monotonic: bool) {
        let rolling = &self.set["spec"]["updateStrategy"]["rollingUpdate"];
        let partition = usize::try_from(number(rolling, "/partition").unwrap_or(0)).unwrap_or(0);
        let budget = max_unavailable(&rolling["maxUnavailable"], self.wanted());
        let (now, min_ready) = (self.state.now.timestamp, self.min_ready());
        let unavailable = |pod: &Value| is_unavailable(pod, min_ready, now);
        let update = self.revisions.update.clone();
        let outdated = |pod: &Value| revision(pod) != update && !is_terminating(pod);

        let broken = replicas.iter().filter(|pod| unavailable(pod)).count();
        let targets: Vec<&Arc<Value>> = replicas.iter().skip(partition).rev().copied().collect();
        if !monotonic {
            for pod in targets
                .iter()
                .filter(|pod| outdated(pod) && unavailable(pod))
            {
                self.delete_pod(pod);
            }
        }
        let eligible = |pod: &&&Arc<Value>| outdated(pod) && (monotonic || !unavailable(pod));
        for pod in targets
            .iter()
            .filter(eligible)
            .take(budget.saturating_sub(broken))
        {
            self.delete_pod(pod);
        }
        for pod in replicas {
            self.is_available(pod);
        }
    }

    fn delete_pod(&mut self, pod: &Value) {
        let kind = self.state.built_in("", "pods");
        let key = Key::new(&kind, object::namespace(pod), object::name(pod));
        delete_now(self.state, &kind, &key, &json!({}));
        let set = object::name(self.set);
        let message = format!(
            "delete Pod {} in StatefulSet {set} successful",
            object::name(pod)
        );
        events::record(
            self.state,
            self.set,
            "Normal",
            "SuccessfulDelete",
            &message,
            "statefulset-controller",
        );
    }

    /// `newVersionedStatefulSetPod`: with a partition the lower ordinals keep the current revision.
    fn create_pod(&mut self, ordinal: i64) {
        let partition = number(self.set, "/spec/updateStrategy/rollingUpdate/partition");
        let partition = partition
            .or_else(|| number(self.set, "/status/currentReplicas"))
            .unwrap_or(0);
        let rolling = text(self.set, "/spec/updateStrategy/type") == "RollingUpdate";
        let keeps_current = rolling && ordinal < self.start() + partition;
        let revision = if keeps_current {
            &self.revisions.current
        } else {
            &self.revisions.update
        };
        let template = revisions::template_of(self.state, self.set, revision);
        let (set, namespace) = (object::name(self.set), object::namespace(self.set));
        let name = format!("{set}-{ordinal}");
        if self.state.pod(namespace, &name).is_some() {
            // Somebody else's pod has the name: the real controller fails with AlreadyExists and tries again.
            return;
        }
        let mut pod = json!({ "metadata": template["metadata"], "spec": template["spec"] });
        let labels = [
            (REVISION_LABEL, revision.clone()),
            ("statefulset.kubernetes.io~1pod-name", name.clone()),
            ("apps.kubernetes.io~1pod-index", ordinal.to_string()),
        ];
        for (label, value) in labels {
            object::set(&mut pod, &format!("/metadata/labels/{label}"), value);
        }
        object::set(&mut pod, "/metadata/name", name.as_str());
        object::set(&mut pod, "/metadata/generateName", format!("{set}-"));
        object::set(&mut pod, "/metadata/namespace", namespace);
        object::set(
            &mut pod,
            "/metadata/ownerReferences",
            vec![owner_reference(self.set)],
        );
        object::set(&mut pod, "/spec/hostname", name.as_str());
        object::set(
            &mut pod,
            "/spec/subdomain",
            text(self.set, "/spec/serviceName"),
        );
        self.claim_volumes(&mut pod, ordinal);
        self.state.create_as(MANAGER, "", "pods", pod);
        let message = format!("create Pod {name} in StatefulSet {set} successful");
        events::record(
            self.state,
            self.set,
            "Normal",
            "SuccessfulCreate",
            &message,
            "statefulset-controller",
        );
    }

    /// The claims of `volumeClaimTemplates`, one for each replica; existing ones are used again.
    fn claim_volumes(&mut self, pod: &mut Value, ordinal: i64) {
        let templates: Vec<Value> = object::items(self.set, "/spec/volumeClaimTemplates")
            .cloned()
            .collect();
        for template in templates {
            let volume = object::name(&template).to_owned();
            let name = format!("{volume}-{}-{ordinal}", object::name(self.set));
            let namespace = object::namespace(self.set).to_owned();
            let mut volumes: Vec<Value> = object::items(pod, "/spec/volumes").cloned().collect();
            volumes.retain(|found| found["name"] != volume.as_str());
            volumes.push(json!({ "name": volume, "persistentVolumeClaim": { "claimName": name } }));
            object::set(pod, "/spec/volumes", volumes);
            if self
                .state
                .store
                .get(&Key::of("", "persistentvolumeclaims", &namespace, &name))
                .is_none()
            {
                let mut claim =
                    json!({ "metadata": template["metadata"], "spec": template["spec"] });
                let labels = self.set["spec"]["selector"]["matchLabels"].clone();
                object::set(&mut claim, "/metadata/labels", labels);
                object::set(&mut claim, "/metadata/name", name.as_str());
                object::set(&mut claim, "/metadata/namespace", namespace);
                self.state
                    .create_as(MANAGER, "", "persistentvolumeclaims", claim);
            }
        }
    }

    /// `computeReplicaStatus` and `completeUpdate`.
    fn write_status(&mut self, key: &Key) {
        let pods = replicas::of_set(self.state, self.set);
        let Revisions { current, update } = &self.revisions;
        let count =
            |wanted: &dyn Fn(&Value) -> bool| pods.iter().filter(|(_, pod)| wanted(pod)).count();
        let (now, min_ready) = (self.state.now.timestamp, self.min_ready());
        let ready = count(&|pod| is_ready(pod));
        let updated = count(&|pod| !is_terminating(pod) && revision(pod) == update);
        let running_current = count(&|pod| !is_terminating(pod) && revision(pod) == current);
        let mut status = json!({
            "observedGeneration": self.set["metadata"]["generation"],
            "replicas": pods.len(),
            "availableReplicas": count(&|pod| availability(pod, min_ready, now).is_ok()),
            "collisionCount": 0,
        });
        let complete = text(self.set, "/spec/updateStrategy/type") == "RollingUpdate"
            && updated == pods.len()
            && ready == pods.len()
            && i64::try_from(pods.len()) == Ok(self.wanted());
        let current = if complete { update } else { current };
        let currents = if complete { updated } else { running_current };
        status["currentRevision"] = current.as_str().into();
        status["updateRevision"] = update.as_str().into();
        // Counts of zero are omitted (`omitempty`), except for replicas and availableReplicas.
        for (field, value) in [
            ("readyReplicas", ready),
            ("currentReplicas", currents),
            ("updatedReplicas", updated),
        ] {
            if value > 0 {
                status[field] = value.into();
            }
        }
        let mut live: Vec<&str> = pods.iter().map(|(_, pod)| revision(pod)).collect();
        live.extend([current.as_str(), update.as_str()]);
        revisions::truncate(self.state, self.set, &live);
        self.state
            .change_status(key, MANAGER, |set| set["status"] = status);
    }
}

/// `getStatefulSetMaxUnavailable`: a number or a percentage, rounded up, at least one.
fn max_unavailable(value: &Value, replicas: i64) -> usize {
    let percent = value
        .as_str()
        .and_then(|text| text.strip_suffix('%'))
        .and_then(|text| text.parse::<i64>().ok());
    let number = percent
        .map(|percent| (percent * replicas + 99) / 100)
        .or_else(|| value.as_i64())
        .unwrap_or(1);
    usize::try_from(number.max(1)).unwrap_or(1)
}
