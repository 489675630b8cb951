//! Watches: a list of events, one JSON document a line.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Answer, Call, Target, answer, list};
use crate::failure::Failure;
use crate::faults::Fault;
use crate::kinds::Kind;
use crate::object;
use crate::selector::Selector;
use crate::signal::Listener;
use crate::state::{Shared, State};
use crate::store::{Change, ChangeKind};

/// apiserver, pkg/storage/cacher: about once a minute.
const BOOKMARK_INTERVAL: Duration = Duration::from_mins(1);

/// The last bookmark comes this long before the end.
const LAST_BOOKMARK: Duration = Duration::from_secs(2);

/// Starts a watch.
pub(super) fn answer(
    shared: &Arc<Shared>,
    call: &Call,
    target: &Target,
) -> Result<Answer, Failure> {
    let changes = shared.changes();
    let dropped = shared.dropped_watches.listen();
    let watch = shared.with(|state| Watch::new(state, call, target))?;
    let stream = Stream {
        shared: Arc::clone(shared),
        changes,
        dropped,
        watch,
    };
    Ok(answer::streamed(
        "application/json",
        stream::unfold(stream, Stream::next),
    ))
}

/// The pure part: what to send next.
struct Watch {
    kind: Kind,
    namespace: String,
    name: String,
    selector: Selector,
    bookmarks: bool,
    metadata_only: bool,
    /// Everything up to this revision was looked at.
    seen: u64,
    /// When the next change that lags may be told.
    due: Option<Instant>,
    queue: VecDeque<Bytes>,
    next_bookmark: Instant,
    deadline: Instant,
    ended: bool,
    fault: Option<Fault>,
}

impl Watch {
    fn new(state: &mut State, call: &Call, target: &Target) -> Result<Self, Failure> {
        let seconds = call
            .parameter("timeoutSeconds")
            .parse()
            .ok()
            .filter(|seconds| *seconds > 0);
        // apiserver, pkg/endpoints/handlers/get.go: 30 to 60 minutes, drawn for each watch.
        let seconds = seconds.unwrap_or_else(|| 1800 + state.random.number() % 1800);
        let mut deadline = state.now.instant + Duration::from_secs(seconds);
        if let Some(Fault::EndWatch(after)) = call.fault {
            deadline = state.now.instant + after;
        }
        let accept = call
            .headers
            .get(http::header::ACCEPT)
            .and_then(|value| value.to_str().ok());
        let mut watch = Self {
            kind: target.kind.clone(),
            namespace: target.namespace.clone(),
            name: target.name.clone(),
            selector: Selector::parse(
                call.parameter("labelSelector"),
                call.parameter("fieldSelector"),
            ),
            bookmarks: call.flag("allowWatchBookmarks"),
            metadata_only: accept.is_some_and(|accept| accept.contains("as=PartialObjectMetadata")),
            seen: state.store.revision(),
            due: None,
            queue: VecDeque::new(),
            next_bookmark: next_bookmark(state.now.instant, deadline),
            deadline,
            ended: false,
            fault: call.fault.clone(),
        };
        let version = call.parameter("resourceVersion");
        if version.is_empty() || version == "0" || call.flag("sendInitialEvents") {
            for (_, object) in list::selected(state, call, target) {
                watch.push("ADDED", (*object).clone());
            }
            if call.flag("sendInitialEvents") && watch.bookmarks {
                watch.bookmark(true);
            }
            return Ok(watch);
        }
        let invalid =
            |_| Failure::bad_request(format!("resourceVersion: Invalid value: {version:?}"));
        watch.seen = version.parse().map_err(invalid)?;
        if watch.seen < state.store.compacted() {
            // apiserver, pkg/storage/cacher/watch_cache_history.go.
            watch.expire(&format!(
                "too old resource version: {} ({})",
                watch.seen,
                state.store.compacted()
            ));
        }
        Ok(watch)
    }

    fn expire(&mut self, message: &str) {
        self.queue.push_back(line(
            &json!({ "type": "ERROR", "object": Failure::expired(message).body }),
        ));
        self.ended = true;
    }

    fn push(&mut self, kind: &str, mut object: Value) {
        if self.metadata_only {
            let metadata = object["metadata"].take();
            object = json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata });
        }
        let mut text = line(&json!({ "type": kind, "object": object }));
        if self.fault == Some(Fault::EventsTwice) {
            text = Bytes::from([text.clone(), text].concat());
        }
        self.queue.push_back(text);
    }

    fn bookmark(&mut self, initial: bool) {
        let mut object = json!({
            "kind": self.kind.name,
            "apiVersion": self.kind.api_version(),
            "metadata": { "resourceVersion": self.seen.to_string() },
        });
        if initial {
            object::set(
                &mut object,
                "/metadata/annotations/k8s.io~1initial-events-end",
                "true",
            );
        }
        self.queue
            .push_back(line(&json!({ "type": "BOOKMARK", "object": object })));
    }

    /// Looks at what happened since the last time.
    fn advance(&mut self, state: &State) {
        if self.ended {
            return;
        }
        if self.seen < state.store.compacted() {
            return self.expire(&format!(
                "too old resource version: {} ({})",
                self.seen,
                state.store.compacted()
            ));
        }
        let changes: Vec<Change> = state
            .store
            .since(self.seen)
            .take_while(|change| change.at + self.lag() <= state.now.instant)
            .cloned()
            .collect();
        let mut last = (String::new(), false);
        for change in changes {
            self.seen = change.revision;
            if self.concerns(&change) {
                let before = self.queue.len();
                self.translate(&change);
                let name = change.key.name.clone();
                let is_late = match self.fault {
                    Some(Fault::EventsSwapped) => last.0 != name,
                    Some(Fault::DeletedLate) => last == (name.clone(), true),
                    _ => false,
                };
                if self.queue.len() > before && before > 0 && is_late {
                    self.meddle();
                }
                last = (name, change.kind == ChangeKind::Deleted);
            }
        }
        self.due = state
            .store
            .since(self.seen)
            .next()
            .map(|change| change.at + self.lag());
        if state.now.instant >= self.deadline {
            self.ended = true;
        } else if self.bookmarks && state.now.instant >= self.next_bookmark {
            self.bookmark(false);
            self.next_bookmark = next_bookmark(state.now.instant, self.deadline);
        }
    }

    fn lag(&self) -> Duration {
        match self.fault {
            Some(Fault::Lag(lag)) => lag,
            _ => Duration::ZERO,
        }
    }

    /// Swaps the last two events, which are of different objects, or of one and its predecessor; they travel together, so
    /// that no end of the stream falls between them.
    fn meddle(&mut self) {
        if let (Some(later), Some(earlier)) = (self.queue.pop_back(), self.queue.pop_back()) {
            self.queue.push_back(Bytes::from([later, earlier].concat()));
        }
    }

    fn concerns(&self, change: &Change) -> bool {
        self.kind.is(&change.key.group, &change.key.resource)
            && (self.namespace.is_empty() || self.namespace == change.key.namespace)
            && (self.name.is_empty() || self.name == change.key.name)
    }

    /// An object that starts or stops to match the selector is added or deleted for this watch.
    fn translate(&mut self, change: &Change) {
        let before = change
            .previous
            .as_ref()
            .is_some_and(|previous| self.selector.matches(previous));
        let after = change.kind != ChangeKind::Deleted && self.selector.matches(&change.object);
        match (before, after) {
            (false, true) => self.push("ADDED", (*change.object).clone()),
            (true, true) => self.push("MODIFIED", (*change.object).clone()),
            (true, false) => {
                let mut last = change.previous.as_deref().cloned().unwrap_or_default();
                object::set(
                    &mut last,
                    "/metadata/resourceVersion",
                    change.revision.to_string(),
                );
                self.push("DELETED", last);
            }
            (false, false) => {}
        }
    }
}

/// Once a minute, and two seconds before the end.
fn next_bookmark(now: Instant, deadline: Instant) -> Instant {
    let last = deadline - LAST_BOOKMARK.min(deadline - now);
    if last > now {
        last.min(now + BOOKMARK_INTERVAL)
    } else {
        deadline
    }
}

fn line(event: &Value) -> Bytes {
    Bytes::from(format!("{event}\n"))
}

/// The part that waits.
struct Stream {
    shared: Arc<Shared>,
    changes: Listener,
    dropped: Listener,
    watch: Watch,
}

impl Stream {
    async fn next(mut self) -> Option<(io::Result<Bytes>, Self)> {
        loop {
            self.changes.mark_heard();
            self.shared.while_frozen().await;
            self.shared.with(|state| self.watch.advance(state));
            if let Some(line) = self.watch.queue.pop_front() {
                return Some((Ok(line), self));
            }
            if self.watch.ended {
                return None;
            }
            let wake = self.watch.deadline.min(if self.watch.bookmarks {
                self.watch.next_bookmark
            } else {
                self.watch.deadline
            });
            let wake = self.watch.due.map_or(wake, |due| due.min(wake));
            tokio::select! {
                biased;
                () = self.changes.raised() => {}
                () = tokio::time::sleep_until(wake) => {}
                () = self.dropped.raised() => return None,
            }
        }
    }
}
