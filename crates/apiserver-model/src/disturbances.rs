//! What happens in a cluster besides what a client asks for: crashes, other people, other controllers.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::object;
use super::pods::{PodScript, Pods, Reply, When};
use super::requests::delete_now;
use super::state::{Shared, State};
use super::store::Key;

/// One happening. Pods are named by namespace and name.
#[derive(Debug, Clone)]
pub enum Disturbance {
    /// A container ends with an exit code.
    Crash(String, String, i32),
    /// Somebody deletes the pod; without a grace period it is replaced at once.
    Delete {
        /// The pod's namespace.
        namespace: String,
        /// Its name.
        pod: String,
        /// Without a grace period.
        at_once: bool,
    },
    /// The pod makes room for one of the same name and labels that belongs to nobody here.
    Usurp(String, String),
    /// Another field manager sets the annotation of a set's pod template: a new revision.
    EditTemplate(String, String),
    /// Another field manager sets the number of replicas.
    Scale(String, String, i64),
    /// Somebody puts a label on the pod, as its controllers change its status.
    Label(String, String),
    /// Somebody scales the set to zero, and notes it in these annotations.
    Mark {
        /// The set's namespace.
        namespace: String,
        /// Its name.
        set: String,
        /// Names and values.
        annotations: Vec<(String, String)>,
    },
    /// From now on these pods answer like this.
    Serve(Pods, Reply),
    /// From now on these pods answer like this, as long as a condition holds.
    ServeWhen(Pods, Box<(When, Reply)>),
    /// Somebody cordons the node, or lifts that.
    Cordon {
        /// The node's name.
        node: String,
        /// False lifts it.
        is_cordoned: bool,
    },
    /// From now on these pods live like this.
    Script(Pods, Box<PodScript>),
    /// Somebody deletes a definition, and its kind is served no more.
    Undefine(String),
    /// The history is forgotten, and perhaps every watch ends at the same time, as when the server starts anew: what goes
    /// on from an older version gets 410.
    Compact {
        /// Whether every watch ends, too.
        drops_watches: bool,
    },
    /// Every watch ends in peace.
    DropWatches,
    /// Nothing is answered for a while.
    Freeze(Duration),
}

impl PartialEq for Disturbance {
    fn eq(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

impl Disturbance {
    /// Lets it happen, and lets the controllers do at once what follows from it.
    pub(crate) fn happen(&self, shared: &Arc<Shared>) {
        shared.with(|state| {
            let number = state.journal.requests.len();
            let entry = (number, state.now.instant, format!("{self:?}"));
            state.journal.disturbances.push(entry);
        });
        match self {
            Self::Compact { drops_watches } => {
                shared.with(|state| state.store.compact());
                if *drops_watches {
                    shared.dropped_watches.raise();
                }
            }
            Self::DropWatches => shared.dropped_watches.raise(),
            Self::Freeze(duration) => {
                shared.freeze();
                let (shared, duration) = (Arc::downgrade(shared), *duration);
                tokio::spawn(async move {
                    tokio::time::sleep(duration).await;
                    if let Some(shared) = shared.upgrade() {
                        shared.thaw();
                    }
                });
            }
            _ => shared.with(|state| {
                self.change(state);
                state.touched = true;
                super::controllers::reconcile(state);
            }),
        }
    }

    fn change(&self, state: &mut State) {
        match self {
            Self::Crash(namespace, pod, code) => crash(state, namespace, pod, *code),
            Self::Delete {
                namespace,
                pod,
                at_once,
            } => {
                let kind = state.built_in("", "pods");
                let options = if *at_once {
                    json!({ "gracePeriodSeconds": 0 })
                } else {
                    json!({})
                };
                delete_now(state, &kind, &Key::of("", "pods", namespace, pod), &options);
            }
            Self::Usurp(namespace, pod) => usurp(state, namespace, pod),
            Self::EditTemplate(namespace, set) => edit(state, namespace, set, |set| {
                set["spec"]["template"]["metadata"]["annotations"] = json!({ "edited": "yes" });
            }),
            Self::Scale(namespace, set, replicas) => edit(state, namespace, set, |set| {
                set["spec"]["replicas"] = json!(replicas);
            }),
            Self::Label(namespace, pod) => {
                let key = Key::of("", "pods", namespace, pod);
                state.change(&key, "kubectl", None, |pod| {
                    pod["metadata"]["labels"]["seen"] = json!("yes");
                });
            }
            Self::Mark {
                namespace,
                set,
                annotations,
            } => edit(state, namespace, set, |set| {
                for (name, value) in annotations {
                    set["metadata"]["annotations"][name] = json!(value);
                }
                set["spec"]["replicas"] = json!(0);
            }),
            Self::Serve(pods, reply) => {
                state
                    .kubelet
                    .serve(pods.clone(), "/", When::Always, vec![reply.clone()]);
            }
            Self::ServeWhen(pods, conditional) => {
                let (when, reply) = &**conditional;
                let replies = vec![reply.clone()];
                state
                    .kubelet
                    .serve(pods.clone(), "/", when.clone(), replies);
            }
            Self::Cordon { node, is_cordoned } => {
                let key = Key::of("", "nodes", "", node);
                state.change(&key, "kubectl-cordon", None, |node| {
                    if *is_cordoned {
                        object::set(node, "/spec/unschedulable", true);
                    } else {
                        object::remove(node, "/spec/unschedulable");
                    }
                });
            }
            Self::Undefine(definition) => {
                let kind = state.built_in("apiextensions.k8s.io", "customresourcedefinitions");
                let key = Key::new(&kind, "", definition);
                delete_now(state, &kind, &key, &json!({}));
            }
            Self::Script(pods, script) => state.kubelet.script(pods.clone(), (**script).clone()),
            Self::Compact { .. } | Self::DropWatches | Self::Freeze(_) => {}
        }
    }
}

fn crash(state: &mut State, namespace: &str, pod: &str, code: i32) {
    let now = state.now;
    if let Some(runtime) = state.runtime(namespace, pod) {
        runtime.kill(code, now);
    }
}

fn usurp(state: &mut State, namespace: &str, name: &str) {
    let Some(live) = state.pod(namespace, name) else {
        return;
    };
    state.store.remove(&Key::of("", "pods", namespace, name));
    let stranger = json!({ "metadata": { "name": "stranger", "namespace": namespace } });
    let stranger = state.create_as("stranger", "", "configmaps", stranger);
    let owner = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "name": "stranger", "uid": object::uid(&stranger),
        "controller": true,
    });
    let mut spec = live["spec"].clone();
    object::remove(&mut spec, "/nodeName");
    let metadata = json!({
        "name": name, "namespace": namespace, "labels": live["metadata"]["labels"],
        "ownerReferences": [owner],
    });
    state.create_as(
        "stranger",
        "",
        "pods",
        json!({ "metadata": metadata, "spec": spec }),
    );
}

fn edit(state: &mut State, namespace: &str, set: &str, change: impl FnOnce(&mut Value)) {
    let key = Key::of("apps", "statefulsets", namespace, set);
    state.change(&key, "kubectl-edit", None, |set| {
        change(set);
        let generation = object::number(set, "/metadata/generation").unwrap_or(0);
        object::set(set, "/metadata/generation", generation + 1);
    });
}
