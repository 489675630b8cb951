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
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::connect::Cluster;
use super::discovery::ResourceKind;
use super::error::ClusterError;
use super::failure;
use super::objects::{invalid, requests};
use super::sender::Effect;

/// One event may carry one object: at most etcd's 1.5 MiB, more with a generous margin.
const LONGEST_LINE: usize = 16 * 1024 * 1024;
/// A stream that asks for bookmarks hears one every minute (`k8s.io/apiserver`
/// `pkg/storage/cacher/cacher.go`, `defaultBookmarkFrequency`); one that hears nothing for longer is
/// dead at one end, however well the server answers elsewhere.
const LONGEST_SILENCE: Duration = Duration::from_secs(90);
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

    /// The whole set; `None` until the first list has arrived.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Vec<T>>> {
        self.current.borrow().clone()
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
        T: DeserializeOwned + Send + Sync + 'static,
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

#[derive(Deserialize)]
struct WatchLine {
    #[serde(rename = "type")]
    kind: String,
    object: Value,
}

struct Follower<T> {
    cluster: Cluster,
    kind: ResourceKind,
    namespace: Option<String>,
    selector: Selector,
    objects: BTreeMap<(String, String), Arc<Value>>,
    version: String,
    sender: watch::Sender<Option<Arc<Vec<T>>>>,
}

impl<T: DeserializeOwned> Follower<T> {
    /// Follows until something happens that no waiting mends.
    async fn run(mut self) -> ClusterError {
        let mut pause = SHORTEST_PAUSE;
        loop {
            match self.list().await {
                Ok(()) => {}
                // A server that was never reached is a wrong address, and no outage to wait out.
                Err(error)
                    if error.is_transient_for_reads() && self.cluster.sender.was_reached() =>
                {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    continue;
                }
                Err(error) => return error,
            }
            loop {
                let opened = Instant::now();
                let end = match self.stream().await {
                    Ok(end) => end,
                    Err(error) if error.is_transient_for_reads() => End::Lost,
                    Err(error) => return error,
                };
                if opened.elapsed() > LONGEST_PAUSE {
                    pause = SHORTEST_PAUSE;
                } else {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                if matches!(end, End::Lost) {
                    break;
                }
            }
        }
    }

    async fn list(&mut self) -> Result<(), ClusterError> {
        let mut parameters = ListParams::default();
        parameters.label_selector.clone_from(&self.selector.labels);
        parameters.field_selector.clone_from(&self.selector.fields);
        let request = requests(&self.kind, self.namespace.as_deref())
            .list(&parameters)
            .map_err(invalid)?;
        let list: Value = self.cluster.sender.json(request, Effect::Read).await?;
        version_of(&list).clone_into(&mut self.version);
        self.objects.clear();
        for item in list["items"].as_array().into_iter().flatten() {
            self.objects.insert(key(item), Arc::new(item.clone()));
        }
        self.publish()
    }

    async fn stream(&mut self) -> Result<End, ClusterError> {
        let mut parameters = WatchParams::default();
        parameters.label_selector.clone_from(&self.selector.labels);
        parameters.field_selector.clone_from(&self.selector.fields);
        let request = requests(&self.kind, self.namespace.as_deref())
            .watch(&parameters, &self.version)
            .map_err(invalid)?;
        let _waiting = self.cluster.sender.waiting();
        let mut losses = self.cluster.sender.losses();
        let response = match self.cluster.sender.stream(request).await {
            Ok(response) => response,
            Err(ClusterError::Refused { code: 410, .. }) => return Ok(End::Lost),
            Err(error) => return Err(error),
        };
        let mut body = response.into_body();
        let mut buffer: Vec<u8> = Vec::new();
        loop {
            let Some(frame) = self.next_frame(&mut body, &mut losses).await? else {
                return Ok(End::Clean);
            };
            buffer.extend_from_slice(&frame);
            while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = buffer.drain(..=end).collect();
                if matches!(self.take_line(&line)?, End::Lost) {
                    return Ok(End::Lost);
                }
            }
            if buffer.len() > LONGEST_LINE {
                return Err(ClusterError::TooLarge {
                    limit: LONGEST_LINE,
                });
            }
        }
    }

    /// The next bytes; `None` at the stream's end, or when it has been silent for too long.
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
                return Err(self.cluster.sender.fell_silent());
            }
            () = tokio::time::sleep(LONGEST_SILENCE) => return Ok(None),
        };
        self.cluster.sender.heard();
        match frame {
            None => Ok(None),
            Some(Ok(frame)) => Ok(Some(frame.into_data().unwrap_or_default())),
            Some(Err(error)) => Err(failure::translate(self.cluster.server(), error)),
        }
    }

    /// Takes one line of the stream in; `Lost` when it says that the stream is of no use any more.
    fn take_line(&mut self, line: &[u8]) -> Result<End, ClusterError> {
        let Ok(WatchLine { kind, object }) = serde_json::from_slice::<WatchLine>(line) else {
            return Ok(End::Lost);
        };
        match kind.as_str() {
            "ADDED" | "MODIFIED" => {
                self.objects.insert(key(&object), Arc::new(object.clone()));
            }
            "DELETED" => {
                self.objects.remove(&key(&object));
            }
            "BOOKMARK" => {}
            _ => return Ok(End::Lost),
        }
        version_of(&object).clone_into(&mut self.version);
        if kind != "BOOKMARK" {
            self.publish()?;
        }
        Ok(End::Clean)
    }

    fn publish(&self) -> Result<(), ClusterError> {
        let objects: Result<Vec<T>, serde_json::Error> = self
            .objects
            .values()
            .map(|object| T::deserialize(object.as_ref()))
            .collect();
        let objects = objects.map_err(|error| ClusterError::Undecodable {
            reason: failure::position(&error),
        })?;
        // Without a receiver the task is about to be aborted.
        let _ = self.sender.send(Some(Arc::new(objects)));
        Ok(())
    }
}

fn key(object: &Value) -> (String, String) {
    let metadata = &object["metadata"];
    let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
    (text("namespace"), text("name"))
}

fn version_of(object: &Value) -> &str {
    object["metadata"]["resourceVersion"]
        .as_str()
        .unwrap_or_default()
}
