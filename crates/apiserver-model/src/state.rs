//! Everything the model knows, behind one lock; all of it changes only in `Shared::with`.

use std::mem::take;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::access::Access;
use super::clock::{Clock, Moment};
use super::faults::Faults;
use super::journal::Journal;
use super::kinds::{self, Kind};
use super::object;
use super::pods::{Kubelet, Runtime};
use super::random::Random;
use super::signal::{Listener, Signal};
use super::store::{Key, Store};

/// The state and the ways to be told about its changes.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    clock: Clock,
    /// Counts changes of the state: wakes watches, log streams and controllers.
    changed: Arc<Signal>,
    /// While true nothing is answered.
    frozen: AtomicBool,
    thawed: Arc<Signal>,
    /// Ends all watch streams.
    pub(crate) dropped_watches: Arc<Signal>,
    /// Lets go on what a fault holds.
    pub(crate) healed: Arc<Signal>,
}

/// The cluster.
#[derive(Debug)]
pub(crate) struct State {
    /// The time of the current step.
    pub(crate) now: Moment,
    pub(crate) store: Store,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) random: Random,
    pub(crate) kubelet: Kubelet,
    pub(crate) access: Access,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    /// How late controllers, scheduler and kubelet notice anything.
    pub(crate) controllers_lag: Duration,
    /// Something changed that is not an object.
    pub(crate) touched: bool,
    /// A request arrived: who waits is to look, but the controllers need not.
    pub(crate) asked: bool,
    /// The controllers have to look, whatever the store's revision.
    disturbed: bool,
    /// Up to where the controllers have looked, and when they have to look again by themselves.
    reconciled: (u64, Option<Instant>),
}

impl Shared {
    /// An empty cluster.
    pub(crate) fn new(clock: Clock, seed: u64) -> Self {
        let mut state = State {
            now: clock.now(),
            store: Store::empty(clock.now().instant),
            kinds: kinds::built_in(),
            random: Random::seeded(seed),
            kubelet: Kubelet::default(),
            access: Access::default(),
            faults: Faults::seeded(seed),
            journal: Journal::default(),
            controllers_lag: Duration::ZERO,
            touched: false,
            asked: false,
            disturbed: true,
            reconciled: (0, None),
        };
        super::cluster::fill(&mut state);
        Self {
            state: Mutex::new(state),
            clock,
            changed: Arc::default(),
            frozen: AtomicBool::new(false),
            thawed: Arc::default(),
            dropped_watches: Arc::default(),
            healed: Arc::default(),
        }
    }

    /// One step of the state machine.
    pub(crate) fn with<R>(&self, step: impl FnOnce(&mut State) -> R) -> R {
        // A test that panics in a step must not hide its message behind the poisoned lock of another task.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = self.clock.now();
        state.store.now = state.now.instant;
        let before = state.store.revision();
        let result = step(&mut state);
        let (touched, asked) = (take(&mut state.touched), take(&mut state.asked));
        state.disturbed |= touched;
        if touched || asked || state.store.revision() != before {
            self.changed.raise();
        }
        result
    }

    /// Fires after every step that changed something.
    pub(crate) fn changes(&self) -> Listener {
        self.changed.listen()
    }

    /// Answers nothing until it thaws.
    pub(crate) fn freeze(&self) {
        self.frozen.store(true, Ordering::SeqCst);
    }

    /// Goes on where it froze.
    pub(crate) fn thaw(&self) {
        self.frozen.store(false, Ordering::SeqCst);
        self.thawed.raise();
    }

    /// Waits while the server is frozen.
    pub(crate) async fn while_frozen(&self) {
        let mut thawed = self.thawed.listen();
        while self.frozen.load(Ordering::SeqCst) {
            thawed.raised().await;
        }
    }
}

impl State {
    /// Runs the controllers if there is anything for them to do; returns when they have to look again by themselves.
    pub(crate) fn reconcile(&mut self) -> Option<Instant> {
        let (seen, due) = self.reconciled;
        let is_due = due.is_some_and(|due| due <= self.now.instant);
        if is_due || take(&mut self.disturbed) || seen != self.store.revision() {
            let due = super::controllers::reconcile(self);
            // What the controllers did themselves they need not look at again; who waits has to.
            self.asked |= take(&mut self.touched);
            self.reconciled = (self.store.revision(), due);
        }
        self.reconciled.1
    }

    /// A served kind by group and resource.
    pub(crate) fn kind(&self, group: &str, resource: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.is(group, resource))
    }

    /// The built-in kind of a group and resource.
    pub(crate) fn built_in(&self, group: &str, resource: &str) -> Kind {
        self.kind(group, resource).unwrap().clone()
    }

    /// A pod.
    pub(crate) fn pod(&self, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.store.get(&Key::of("", "pods", namespace, name))
    }

    /// What the kubelet knows of a running pod.
    pub(crate) fn runtime(&mut self, namespace: &str, pod: &str) -> Option<&mut Runtime> {
        let uid = object::uid(&*self.pod(namespace, pod)?).to_owned();
        self.kubelet.runtimes.get_mut(&uid)
    }

    /// Lets a controller or the kubelet change an object's status; no write when nothing differs.
    pub(crate) fn change_status(
        &mut self,
        key: &Key,
        manager: &str,
        change: impl FnOnce(&mut Value),
    ) {
        self.change(key, manager, Some("status"), change);
    }

    /// Lets a controller change an object.
    pub(crate) fn change(
        &mut self,
        key: &Key,
        manager: &str,
        subresource: Option<&str>,
        edit: impl FnOnce(&mut Value),
    ) {
        let (Some(live), Some(kind)) = (
            self.store.get(key),
            self.kind(&key.group, &key.resource).cloned(),
        ) else {
            return;
        };
        let mut new = (*live).clone();
        edit(&mut new);
        if new == *live {
            return;
        }
        let writer = self.writer(&kind, manager, subresource);
        let new = super::fields::update(&live, &new, &kind.schema, &writer);
        self.settle(&kind, key, &live, new);
    }

    /// Creates an object on behalf of a controller.
    pub(crate) fn create_as(
        &mut self,
        manager: &str,
        group: &str,
        resource: &str,
        object: Value,
    ) -> Arc<Value> {
        let kind = self.built_in(group, resource);
        let namespace = object::namespace(&object).to_owned();
        let mut object = object;
        object::set(&mut object, "/apiVersion", kind.api_version());
        object::set(&mut object, "/kind", kind.name.as_str());
        super::metadata::complete(self, &kind, &namespace, &mut object);
        super::defaults::apply(&kind, &mut object);
        let writer = self.writer(&kind, manager, None);
        let mut object = super::fields::update(&json!({}), &object, &kind.schema, &writer);
        super::metadata::begin(&kind, &mut object);
        let key = Key::new(&kind, &namespace, object::name(&object));
        self.store.put(key, object)
    }

    /// Stores a new version, or removes the object when its last finalizer goes.
    pub(crate) fn settle(
        &mut self,
        kind: &Kind,
        key: &Key,
        live: &Value,
        new: Value,
    ) -> Arc<Value> {
        let finalizers = if kind.is("", "namespaces") {
            "/spec/finalizers"
        } else {
            "/metadata/finalizers"
        };
        let held = |object: &Value| object::items(object, finalizers).next().is_some();
        if object::is_terminating(live) && held(live) && !held(&new) && !kind.is("", "pods") {
            self.store.put(key.clone(), new);
            return self.store.remove(key).unwrap();
        }
        self.store.put(key.clone(), new)
    }

    /// Who writes now.
    pub(crate) fn writer(
        &self,
        kind: &Kind,
        manager: &str,
        subresource: Option<&str>,
    ) -> super::fields::Writer {
        super::fields::Writer {
            manager: manager.to_owned(),
            api_version: kind.api_version(),
            subresource: subresource.map(str::to_owned),
            time: self.now.text(),
        }
    }
}
