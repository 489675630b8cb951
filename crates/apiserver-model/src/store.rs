//! The objects and their history: what etcd and the watch cache hold.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;
use tokio::time::Instant;

use super::kinds::Kind;
use super::object;

/// Where an object lives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The API group; "" is the core.
    pub group: String,
    /// The plural, as in paths.
    pub resource: String,
    /// The namespace, or "".
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl Key {
    /// The key of an object of a kind.
    pub(crate) fn new(kind: &Kind, namespace: &str, name: &str) -> Self {
        Self::of(&kind.group, &kind.resource, namespace, name)
    }

    /// The key of an object.
    pub(crate) fn of(group: &str, resource: &str, namespace: &str, name: &str) -> Self {
        let [group, resource, namespace, name] =
            [group, resource, namespace, name].map(str::to_owned);
        Self {
            group,
            resource,
            namespace,
            name,
        }
    }
}

/// What a write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// A new object.
    Added,
    /// Another version of it.
    Modified,
    /// It is gone.
    Deleted,
}

/// One write.
#[derive(Debug, Clone)]
pub struct Change {
    /// The store's revision after it, which is the object's resourceVersion.
    pub revision: u64,
    /// When.
    pub at: Instant,
    /// What became of the object.
    pub kind: ChangeKind,
    /// The object.
    pub key: Key,
    /// The object afterwards; for a deletion its last state at the deletion's revision.
    pub object: Arc<Value>,
    /// The object before.
    pub previous: Option<Arc<Value>>,
}

/// All objects, in the order of their keys.
#[derive(Debug)]
pub(crate) struct Store {
    objects: BTreeMap<Key, Arc<Value>>,
    history: VecDeque<Change>,
    /// The same, but never forgotten: what tests hold verdicts against.
    log: Vec<Change>,
    revision: u64,
    compacted: u64,
    /// The time of the current step.
    pub(crate) now: Instant,
}

impl Store {
    /// Nothing yet.
    pub(crate) fn empty(now: Instant) -> Self {
        Self {
            objects: BTreeMap::new(),
            history: VecDeque::new(),
            log: Vec::new(),
            revision: 0,
            compacted: 0,
            now,
        }
    }

    /// Every write there ever was.
    pub(crate) fn log(&self) -> &[Change] {
        &self.log
    }

    /// The objects of a resource as they were at a revision.
    pub(crate) fn list_at(
        &self,
        group: &str,
        resource: &str,
        namespace: &str,
        revision: u64,
    ) -> Vec<(Key, Arc<Value>)> {
        let mut found = BTreeMap::new();
        let changes = self
            .log
            .iter()
            .take_while(|change| change.revision <= revision);
        for change in changes.filter(|change| {
            let key = &change.key;
            key.group == group
                && key.resource == resource
                && (namespace.is_empty() || key.namespace == namespace)
        }) {
            match change.kind {
                ChangeKind::Deleted => found.remove(&change.key),
                _ => found.insert(change.key.clone(), Arc::clone(&change.object)),
            };
        }
        found.into_iter().collect()
    }

    fn record(&mut self, change: Change) {
        self.log.push(change.clone());
        self.history.push_back(change);
    }

    /// The revision of the last write.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Watches can start at this revision or later.
    pub(crate) fn compacted(&self) -> u64 {
        self.compacted
    }

    /// An object.
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Value>> {
        self.objects.get(key).cloned()
    }

    /// The objects of a resource, in one namespace or ("") in all.
    pub(crate) fn list(
        &self,
        group: &str,
        resource: &str,
        namespace: &str,
    ) -> Vec<(Key, Arc<Value>)> {
        let from = Key::of(group, resource, namespace, "");
        self.objects
            .range(from..)
            .take_while(|(key, _)| key.group == group && key.resource == resource)
            .filter(|(key, _)| namespace.is_empty() || key.namespace == namespace)
            .map(|(key, object)| (key.clone(), Arc::clone(object)))
            .collect()
    }

    /// Everything.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Key, &Arc<Value>)> {
        self.objects.iter()
    }

    /// Writes an object; its resourceVersion becomes the new revision.
    pub(crate) fn put(&mut self, key: Key, mut value: Value) -> Arc<Value> {
        self.revision += 1;
        object::set(
            &mut value,
            "/metadata/resourceVersion",
            self.revision.to_string(),
        );
        let value = Arc::new(value);
        let previous = self.objects.insert(key.clone(), Arc::clone(&value));
        let kind = if previous.is_some() {
            ChangeKind::Modified
        } else {
            ChangeKind::Added
        };
        self.record(Change {
            revision: self.revision,
            at: self.now,
            kind,
            key,
            object: Arc::clone(&value),
            previous,
        });
        value
    }

    /// Removes an object.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Arc<Value>> {
        let previous = self.objects.remove(key)?;
        self.revision += 1;
        let mut last = (*previous).clone();
        object::set(
            &mut last,
            "/metadata/resourceVersion",
            self.revision.to_string(),
        );
        let object = Arc::new(last);
        self.record(Change {
            revision: self.revision,
            at: self.now,
            kind: ChangeKind::Deleted,
            key: key.clone(),
            object: Arc::clone(&object),
            previous: Some(previous),
        });
        Some(object)
    }

    /// The writes after a revision.
    pub(crate) fn since(&self, revision: u64) -> impl Iterator<Item = &Change> {
        let start = self
            .history
            .partition_point(|change| change.revision <= revision);
        self.history.range(start..)
    }

    /// Forgets the history, as etcd does every five minutes: older watches get 410.
    pub(crate) fn compact(&mut self) {
        self.revision += 1;
        self.compacted = self.revision;
        self.history.clear();
    }
}
