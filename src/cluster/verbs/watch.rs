//! Keeps a set of objects up to date by list and watch.
//!
//! Level-triggered: callers only ever see the whole current set. A lost, stale (410) or unreadable
//! stream leads to a new list; a clean end, which is normal every few minutes, to a new watch from
//! the last version seen. Each stream backs off by itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::BodyExt;
use kube::client::Body;
use kube::core::params::{ListParams, WatchParams};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::super::connect::Cluster;
use super::super::error::ClusterError;
use super::super::request::decode::{self, no_room};
use super::super::request::failure;
use super::discovery::ResourceKind;
use super::lines::Lines;
use super::objects::{invalid, requests};
use super::watch_line::{Effect, WatchLine, is_stale, key, uid_of, version_of, versioned_page};
use crate::memory;

/// One event may carry one object: at most etcd's 1.5 MiB, more with a generous margin.
const LONGEST_LINE: usize = 8 * 1024 * 1024;
/// A stream that asks for bookmarks hears one every minute (`k8s.io/apiserver`
/// `pkg/storage/cacher/cacher.go`, `defaultBookmarkFrequency`); one that hears nothing for longer is
/// dead at one end, however well the server answers elsewhere.
const LONGEST_SILENCE: Duration = Duration::from_secs(90);
/// An API server that starts may refuse what it allows a moment later: before it knows its roles, or
/// behind a load balancer that knows nothing yet.
const STARTING: Duration = Duration::from_secs(15);
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Which objects of a kind are watched.
#[derive(Debug, Clone, Default)]
pub struct Selector {
    /// A label selector.
    pub labels: Option<String>,
    /// A field selector.
    pub fields: Option<String>,
}

impl Selector {
    /// The one object of this name.
    #[must_use]
    pub fn name(name: &str) -> Self {
        Self {
            labels: None,
            fields: Some(format!("metadata.name={name}")),
        }
    }
}

/// A set of objects that follows the cluster until it is dropped.
pub struct Watched<T> {
    current: watch::Receiver<Option<Arc<Vec<T>>>>,
    failure: Arc<Mutex<Option<ClusterError>>>,
    task: JoinHandle<()>,
}

impl<T> Watched<T> {
    /// Waits until the set has changed since the last call, or is known for the first time.
    ///
    /// # Errors
    /// What cannot be mended by waiting: no permission, no such kind, an unreadable object.
    pub async fn changed(&mut self) -> Result<(), ClusterError> {
        if self.current.changed().await.is_ok() {
            return Ok(());
        }
        let failure = self
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match failure {
            Some(error) => Err(error),
            None => std::future::pending().await,
        }
    }

    /// A second look at the same set.
    #[must_use]
    pub fn sight(&self) -> Sight<T> {
        Sight(self.current.clone())
    }

    /// The whole set; `None` until the first list has arrived.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Vec<T>>> {
        self.current.borrow().clone()
    }
}

/// What is seen of a set that somebody else follows.
pub struct Sight<T>(watch::Receiver<Option<Arc<Vec<T>>>>);

impl<T> Sight<T> {
    /// The whole set; `None` until the first list has arrived.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Vec<T>>> {
        self.0.borrow().clone()
    }
}

impl<T> Clone for Sight<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Drop for Watched<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Cluster {
    /// Follows objects of a kind.
    #[must_use]
    pub fn watch<T>(
        &self,
        kind: &ResourceKind,
        namespace: Option<&str>,
        selector: Selector,
    ) -> Watched<T>
    where
        T: DeserializeOwned + Clone + Send + Sync + 'static,
    {
        let (sender, current) = watch::channel(None);
        let failure = Arc::new(Mutex::new(None));
        let follower = Follower {
            cluster: self.clone(),
            kind: kind.clone(),
            namespace: namespace.map(str::to_owned),
            selector,
            objects: BTreeMap::new(),
            version: String::new(),
            refused_since: None,
            sender,
        };
        let slot = Arc::clone(&failure);
        let task = tokio::spawn(async move {
            let error = follower.run().await;
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        });
        Watched {
            current,
            failure,
            task,
        }
    }
}

/// Why a stream ended.
enum End {
    /// By the server, in peace: watch on from the last version.
    Clean,
    /// In any other way: list again.
    Lost,
}

struct Follower<T> {
    cluster: Cluster,
    kind: ResourceKind,
    namespace: Option<String>,
    selector: Selector,
    /// By namespace and name, each with its UID.
    objects: BTreeMap<(String, String), (String, T)>,
    version: String,
    /// Since when the server has refused what it allowed before.
    refused_since: Option<Instant>,
    sender: watch::Sender<Option<Arc<Vec<T>>>>,
}

impl<T: DeserializeOwned + Clone> Follower<T> {
    /// Follows until something happens that no waiting mends.
    async fn run(mut self) -> ClusterError {
        let mut pause = SHORTEST_PAUSE;
        loop {
            match self.list().await {
                Ok(()) => {}
                Err(error) if self.may_mend(&error) => {
                    tokio::time::sleep(self.cluster.sender.pause(pause)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    continue;
                }
                Err(error) => return error,
            }
            loop {
                let opened = Instant::now();
                let end = match self.stream().await {
                    Ok(end) => end,
                    Err(error) if self.may_mend(&error) => End::Lost,
                    Err(error) => return error,
                };
                if opened.elapsed() > LONGEST_PAUSE {
                    pause = SHORTEST_PAUSE;
                } else {
                    tokio::time::sleep(self.cluster.sender.pause(pause)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                if matches!(end, End::Lost) {
                    break;
                }
            }
        }
    }

    /// Whether waiting may mend what went wrong.
    fn may_mend(&mut self, error: &ClusterError) -> bool {
        if error.is_transient_for_reads() {
            // A server that was never reached is a wrong address, and no outage to wait out.
            return self.cluster.sender.health().was_reached();
        }
        let is_refusal = matches!(
            error,
            ClusterError::Unauthorized { .. }
                | ClusterError::Forbidden { .. }
                | ClusterError::NotFound { .. }
                | ClusterError::Undecodable { .. }
                | ClusterError::Refused { code: 404, .. }
        );
        let was_allowed_before = !self.version.is_empty();
        let since = *self.refused_since.get_or_insert_with(Instant::now);
        is_refusal && was_allowed_before && since.elapsed() < STARTING
    }

    async fn list(&mut self) -> Result<(), ClusterError> {
        let mut parameters = ListParams::default();
        parameters.label_selector.clone_from(&self.selector.labels);
        parameters.field_selector.clone_from(&self.selector.fields);
        let (kind, namespace) = (&self.kind, self.namespace.as_deref());
        let decode = |bytes: &[u8]| versioned_page(bytes, kind);
        let pages = self.cluster.pages(kind, namespace, &parameters, decode);
        let (items, version) = pages.await?;
        self.version = version;
        self.objects.clear();
        for item in items {
            self.insert(item)?;
        }
        self.publish();
        Ok(())
    }

    async fn stream(&mut self) -> Result<End, ClusterError> {
        let mut parameters = WatchParams::default();
        parameters.label_selector.clone_from(&self.selector.labels);
        parameters.field_selector.clone_from(&self.selector.fields);
        let request = requests(&self.kind, self.namespace.as_deref())
            .watch(&parameters, &self.version)
            .map_err(invalid)?;
        let _waiting = self.cluster.sender.waiting();
        let mut losses = self.cluster.sender.health().losses();
        let response = match self.cluster.sender.stream(request).await {
            Ok(response) => response,
            Err(ClusterError::Refused { code: 410, .. }) => return Ok(End::Lost),
            Err(error) => return Err(error),
        };
        self.refused_since = None;
        let mut body = response.into_body();
        let mut lines = Lines::default();
        loop {
            let Some(frame) = self.next_frame(&mut body, &mut losses).await? else {
                return Ok(End::Clean);
            };
            lines.push(&frame);
            // What comes at once is seen at once.
            let mut has_changed = false;
            while let Some(line) = lines.next_line() {
                match self.take_line(&line)? {
                    Effect::Changed => has_changed = true,
                    Effect::Nothing => {}
                    Effect::Lost => return Ok(End::Lost),
                }
            }
            if has_changed {
                self.publish();
            }
            if lines.unfinished() > LONGEST_LINE {
                return Err(ClusterError::TooLarge {
                    what: "a larger event than any object makes",
                });
            }
            if !memory::has_room() {
                return Err(no_room());
            }
        }
    }

    /// The next bytes; `None` at the stream's end. After too long a silence a new list is needed: the
    /// version may be one of the future, when the server was restored from a backup.
    async fn next_frame(
        &self,
        body: &mut Body,
        losses: &mut watch::Receiver<u64>,
    ) -> Result<Option<bytes::Bytes>, ClusterError> {
        let frame = tokio::select! {
            biased;
            frame = body.frame() => frame,
            // Without an answer elsewhere, nothing says that this stream still lives.
            _ = losses.changed() => {
                return Err(self.cluster.sender.unresponsive());
            }
            () = tokio::time::sleep(LONGEST_SILENCE) => {
                return Err(self.cluster.sender.unresponsive());
            }
        };
        self.cluster.sender.health().received();
        match frame {
            None => Ok(None),
            Some(Ok(frame)) => Ok(Some(frame.into_data().unwrap_or_default())),
            Some(Err(error)) => Err(failure::translate(self.cluster.server(), error)),
        }
    }

    /// Takes one line of the stream in; `Lost` when it says that the stream is of no use any more.
    fn take_line(&mut self, line: &[u8]) -> Result<Effect, ClusterError> {
        let WatchLine { kind, object } = match decode::json(line) {
            Ok(line) => line,
            Err(error @ ClusterError::TooLarge { .. }) => return Err(error),
            Err(_) => return Ok(Effect::Lost),
        };
        let is_change = matches!(kind.as_str(), "ADDED" | "MODIFIED" | "DELETED");
        if is_change && (is_stale(version_of(&object), &self.version) || !self.fits(&kind, &object))
        {
            return Ok(Effect::Lost);
        }
        version_of(&object).clone_into(&mut self.version);
        match kind.as_str() {
            "ADDED" | "MODIFIED" => {
                self.insert(object)?;
                Ok(Effect::Changed)
            }
            "DELETED" => {
                self.objects.remove(&key(&object));
                Ok(Effect::Changed)
            }
            "BOOKMARK" => Ok(Effect::Nothing),
            _ => Ok(Effect::Lost),
        }
    }

    fn insert(&mut self, object: Value) -> Result<(), ClusterError> {
        let key = key(&object);
        let uid = uid_of(&object).to_owned();
        let object = decode::value(object)?;
        self.objects.insert(key, (uid, object));
        Ok(())
    }

    /// Whether an event is about the kind that was asked for, and about what we know under its name:
    /// nothing is deleted but itself.
    fn fits(&self, kind: &str, object: &Value) -> bool {
        let known = self.objects.get(&key(object));
        object["kind"] == self.kind.resource.kind.as_str()
            && (kind != "DELETED" || known.is_none_or(|(uid, _)| uid == uid_of(object)))
    }

    fn publish(&self) {
        let objects = self.objects.values().map(|(_, object)| object.clone());
        // Without a receiver the task is about to be aborted.
        let _ = self.sender.send(Some(Arc::new(objects.collect())));
    }
}
