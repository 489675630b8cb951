//! The handle that tests hold.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::access::ADMIN_TOKEN;
use super::clock::Clock;
use super::controllers::Running;
use super::disturbances::Disturbance;
use super::encryption;
use super::faults::Rule;
use super::journal::Request;
use super::listener::Listener;
use super::pods::{PodScript, Pods, Reply, Served, When};
use super::seam::Seam;
use super::state::Shared;
use super::store::{Change, Key};

/// What the clock of a seeded server shows at its start: 2026-01-01T00:00:00Z.
const EPOCH: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// A cluster in the test process; it ends when dropped.
#[derive(Debug)]
pub struct ApiServer {
    shared: Arc<Shared>,
    _controllers: Running,
    listener: Option<Listener>,
}

impl ApiServer {
    /// A cluster that is reached through [`Self::client`]; the same seed gives the same UIDs, times and draws.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::starting_at(seed, EPOCH)
    }

    /// A cluster that the real binary can reach, on a free loopback port. Its clock shows the real time, since the binary
    /// computes ages from it.
    pub async fn listen() -> Self {
        let mut server = Self::starting_at(1, Timestamp::now());
        server.listener = Some(Listener::start(&server.shared).await);
        server
    }

    fn starting_at(seed: u64, epoch: Timestamp) -> Self {
        let shared = Arc::new(Shared::new(Clock::starting_at(epoch), seed));
        let controllers = Running::start(&shared);
        Self {
            shared,
            _controllers: controllers,
            listener: None,
        }
    }

    /// A client without any socket, as the administrator.
    #[must_use]
    pub fn client(&self) -> kube::Client {
        self.client_with_token(ADMIN_TOKEN)
    }

    /// A client with another token.
    #[must_use]
    pub fn client_with_token(&self, token: &str) -> kube::Client {
        kube::Client::new(Seam::new(&self.shared, token), "default")
    }

    /// The tower service below a client.
    #[must_use]
    pub fn service(&self) -> Seam {
        Seam::new(&self.shared, ADMIN_TOKEN)
    }

    /// The address, if it listens.
    ///
    /// # Panics
    /// When it does not listen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.as_ref().unwrap().address()
    }

    /// Writes a kubeconfig for the administrator.
    ///
    /// # Panics
    /// When it does not listen, and when the file cannot be written.
    #[must_use]
    pub fn kubeconfig_file(&self, folder: &Path) -> PathBuf {
        self.kubeconfig_file_for(folder, ADMIN_TOKEN)
    }

    /// Writes a kubeconfig with another token.
    ///
    /// # Panics
    /// When it does not listen, and when the file cannot be written.
    #[must_use]
    pub fn kubeconfig_file_for(&self, folder: &Path, token: &str) -> PathBuf {
        let path = folder.join("kubeconfig");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: model\n\
             clusters:\n- name: model\n  cluster: {{server: \"https://{}\", certificate-authority-data: {}}}\n\
             users:\n- name: tester\n  user: {{token: {token}}}\n\
             contexts:\n- name: model\n  context: {{cluster: model, user: tester}}\n",
            self.address(),
            super::base64::encode(encryption::authority().as_bytes())
        );
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Adds a node; its name ends with a number (`node-2`).
    pub fn add_node(&self, name: &str) {
        self.shared
            .with(|state| super::cluster::add_node(state, name));
    }

    /// From now on these pods behave like this.
    pub fn script(&self, pods: Pods, script: PodScript) {
        self.shared.with(|state| {
            state.kubelet.script(pods, script);
            state.touched = true;
        });
    }

    /// From now on these pods answer like this to requests for paths that start so.
    pub fn serve(&self, pods: Pods, path: &str, reply: Reply) {
        self.serve_in_turn(pods, path, vec![reply]);
    }

    /// One reply after the other, counted for each pod, the last one for ever.
    pub fn serve_in_turn(&self, pods: Pods, path: &str, replies: Vec<Reply>) {
        self.serve_when(pods, path, When::Always, replies);
    }

    /// The same, but only as long as a condition holds; otherwise what was said before counts.
    pub fn serve_when(&self, pods: Pods, path: &str, when: When, replies: Vec<Reply>) {
        self.shared
            .with(|state| state.kubelet.serve(pods, path, when, replies));
    }

    /// Ends a pod's container with an exit code, as a crash would.
    ///
    /// # Panics
    /// When no such pod runs.
    pub fn kill_container(&self, namespace: &str, pod: &str, code: i32) {
        self.shared.with(|state| {
            let now = state.now;
            state.runtime(namespace, pod).unwrap().kill(code, now);
            state.touched = true;
        });
    }

    /// Lets a running container print something.
    ///
    /// # Panics
    /// When no such pod runs.
    pub fn print(&self, namespace: &str, pod: &str, text: &str) {
        self.shared.with(|state| {
            state.runtime(namespace, pod).unwrap().log.push_str(text);
            state.touched = true;
        });
    }

    /// An object as it is stored, by group, resource (`statefulsets`), namespace and name.
    #[must_use]
    pub fn object(
        &self,
        group: &str,
        resource: &str,
        namespace: &str,
        name: &str,
    ) -> Option<Value> {
        let key = Key::of(group, resource, namespace, name);
        self.shared
            .with(|state| state.store.get(&key).map(|object| (*object).clone()))
    }

    /// All objects of a resource.
    #[must_use]
    pub fn objects(&self, group: &str, resource: &str) -> Vec<Value> {
        let all = self
            .shared
            .with(|state| state.store.list(group, resource, ""));
        all.into_iter()
            .map(|(_, object)| (*object).clone())
            .collect()
    }

    /// Creates an object as if someone else had; the group's resource is named as in paths.
    pub fn create(&self, manager: &str, group: &str, resource: &str, object: Value) {
        self.shared.with(|state| {
            state.create_as(manager, group, resource, object);
        });
    }

    /// Changes an object as another field manager.
    pub fn change(
        &self,
        manager: &str,
        (group, resource, namespace, name): (&str, &str, &str, &str),
        change: impl FnOnce(&mut Value),
    ) {
        let key = Key::of(group, resource, namespace, name);
        self.shared
            .with(|state| state.change(&key, manager, None, change));
    }

    /// Sets a status, for kinds without a controller in the model.
    pub fn set_status(
        &self,
        (group, resource, namespace, name): (&str, &str, &str, &str),
        status: Value,
    ) {
        let key = Key::of(group, resource, namespace, name);
        self.shared.with(|state| {
            state.change_status(&key, "kube-controller-manager", |object| {
                object["status"] = status;
            });
        });
    }

    /// Denies a verb on a resource (`pods/portforward`, `statefulsets.apps`) to everyone; `*` means all.
    pub fn deny(&self, verb: &str, resource: &str) {
        self.shared.with(|state| state.access.deny(verb, resource));
    }

    /// Accepts another token, whose user may do these verbs with these resources and nothing else.
    pub fn confine(&self, token: &str, role: BTreeSet<(String, String)>) {
        self.shared.with(|state| {
            state.access.add_user(token, token);
            state.access.confine(token, role);
        });
    }

    /// Forgets all denials.
    pub fn allow_all(&self) {
        self.shared.with(|state| state.access.allow_all());
    }

    /// Adds a fault; the first matching one decides.
    pub fn fault(&self, rule: Rule) {
        self.shared.with(|state| state.faults.add(rule));
    }

    /// Forgets all faults.
    pub fn heal(&self) {
        self.shared.with(|state| state.faults.clear());
        self.shared.healed.raise();
    }

    /// Accepts connections and answers nothing, controllers included.
    pub fn freeze(&self) {
        self.shared.freeze();
    }

    /// Goes on where it froze.
    pub fn thaw(&self) {
        self.shared.thaw();
    }

    /// Ends every watch stream cleanly.
    pub fn drop_watches(&self) {
        self.shared.dropped_watches.raise();
    }

    /// Forgets the history: watches that lag behind, and later ones from an older version, get 410.
    pub fn compact(&self) {
        self.shared.with(|state| state.store.compact());
    }

    /// All requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.with(|state| state.journal.requests.clone())
    }

    /// The requests that could change something.
    pub fn writes(&self) -> Vec<Request> {
        self.requests()
            .into_iter()
            .filter(Request::is_write)
            .collect()
    }

    /// Lets something happen in the cluster.
    pub fn happen(&self, disturbance: &Disturbance) {
        disturbance.happen(&self.shared);
    }

    /// What happened so far: the number of requests before it, when, and what.
    #[must_use]
    pub fn disturbances(&self) -> Vec<(usize, Instant, String)> {
        self.shared.with(|state| state.journal.disturbances.clone())
    }

    /// From now on controllers, scheduler and kubelet notice everything this much later.
    pub fn slow_controllers(&self, lag: Duration) {
        self.shared.with(|state| state.controllers_lag = lag);
    }

    /// After so many requests nothing is answered any more.
    pub fn answer_at_most(&self, requests: usize) {
        self.shared.with(|state| state.journal.most = requests);
    }

    /// Every write to the store that there ever was, whoever wrote.
    #[must_use]
    pub fn history(&self) -> Vec<Change> {
        self.shared.with(|state| state.store.log().to_vec())
    }

    /// Every whole answer that a pod gave.
    #[must_use]
    pub fn served(&self) -> Vec<Served> {
        self.shared.with(|state| state.kubelet.served.clone())
    }

    /// The pod of every SIGTERM that a command sent to the first process of its container.
    #[must_use]
    pub fn signalled(&self) -> Vec<String> {
        self.shared.with(|state| state.kubelet.signalled.clone())
    }

    /// Forgets the requests.
    pub fn forget_requests(&self) {
        self.shared.with(|state| state.journal.requests.clear());
    }

    /// The revision of the last write: it stands still when nothing was written.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.shared.with(|state| state.store.revision())
    }

    /// Waits until something holds. Wrap it in a timeout where it may never hold.
    pub async fn until(&self, mut holds: impl FnMut(&Self) -> bool) {
        let mut changes = self.shared.changes();
        while !holds(self) {
            changes.raised().await;
        }
    }

    /// Waits until a `StatefulSet` has so many ready pods, all of the update revision.
    pub async fn until_ready(&self, namespace: &str, name: &str, replicas: i64) {
        self.until(|server| {
            server
                .object("apps", "statefulsets", namespace, name)
                .is_some_and(|set| {
                    let status = |field: &str| set["status"][field].as_i64().unwrap_or(0);
                    set["metadata"]["generation"] == set["status"]["observedGeneration"]
                        && status("readyReplicas") == replicas
                        && status("updatedReplicas") == replicas
                        && status("replicas") == replicas
                })
        })
        .await;
    }
}
