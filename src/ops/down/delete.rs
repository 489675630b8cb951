//! Deletes the objects of one layer together and waits until they are gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use futures::stream::{self, StreamExt};
use serde_json::Value;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::Doomed;
use crate::action::Action;
use crate::cluster::{ClusterError, Deletion, Selector};
use crate::event::EventKind;
use crate::object::ObjectRef;
use crate::ops::error::{OpsError, WriteFailure};
use crate::ops::finalizers::holders;
use crate::ops::write::Write;
use crate::ops::{CONCURRENCY, Context};
use crate::report::{DownReport, Held};
use crate::status::{State, Status};

/// After this time, look for what holds the remaining objects. Most objects are gone by then, and
/// only containers that are still stopping hold the others.
const FIRST_LOOK: Duration = Duration::from_secs(3);
const NEXT_LOOK: Duration = Duration::from_secs(5);
/// At most this many held objects are examined: a few reasons explain many of them.
const LOOKED_AT: usize = 8;

/// The result of one deletion.
enum Sent {
    /// The object is gone.
    Gone,
    /// The API server accepted it; the object will disappear later.
    Accepted,
    /// The deadline passed before the answer came.
    Unanswered,
    /// The deadline passed before the request was sent.
    NeverBegun,
}

/// Deletes the objects of a layer, unless an object of an earlier layer still exists. Waits until
/// they are gone or the deadline passes.
///
/// # Errors
/// [`OpsError::Writes`] with every refused deletion, or a failed request.
pub(super) async fn layer(
    context: &Context,
    layer: Vec<Doomed>,
    report: &mut DownReport,
) -> Result<(), OpsError> {
    if !report.is_complete() {
        for doomed in layer {
            let object = doomed.object;
            if doomed.is_leaving {
                let by = Vec::new();
                report.remain(Held { object, by });
            } else {
                report.not_deleted.push(object);
            }
        }
        return Ok(());
    }
    let sent: Vec<(Doomed, Result<Sent, ClusterError>)> = stream::iter(layer)
        .map(async |doomed| {
            let sent = send(context, &doomed).await;
            (doomed, sent)
        })
        .buffered(CONCURRENCY)
        .collect()
        .await;
    let mut failures = Vec::new();
    let mut groups: BTreeMap<_, Vec<Doomed>> = BTreeMap::new();
    for (doomed, sent) in sent {
        let object = doomed.object.clone();
        match sent {
            Ok(Sent::Gone) => report.deleted.push(object),
            Ok(Sent::Accepted) => {
                let plural = doomed.kind.resource.plural.clone();
                let group = (object.group, plural, object.namespace);
                groups.entry(group).or_default().push(doomed);
            }
            Ok(Sent::Unanswered) => {
                let by = vec!["a deletion whose answer did not come in time".to_owned()];
                report.remain(Held { object, by });
            }
            Ok(Sent::NeverBegun) => report.not_deleted.push(object),
            Err(source) => failures.push(WriteFailure { object, source }),
        }
    }
    if !failures.is_empty() {
        return Err(OpsError::Writes(failures));
    }
    let waits = groups.into_values().map(|group| wait(context, group));
    for Waited { gone, held } in try_join_all(waits).await? {
        report.deleted.extend(gone);
        for held in held {
            report.remain(held);
        }
    }
    Ok(())
}

async fn send(context: &Context, doomed: &Doomed) -> Result<Sent, ClusterError> {
    let object = &doomed.object;
    if doomed.is_leaving {
        waiting(context, object, "is already being deleted".to_owned());
        return Ok(Sent::Accepted);
    }
    if context.in_time().is_err() {
        return Ok(Sent::NeverBegun);
    }
    let write = Write::start(context, object, Action::Delete);
    let namespace = object.namespace.as_deref();
    let deleting = context
        .cluster
        .delete(&doomed.kind, namespace, &object.name, &doomed.uid);
    let Ok(deleted) = timeout_at(context.deadline, deleting).await else {
        return Ok(Sent::Unanswered);
    };
    let deleted = match deleted {
        Err(error) if context.cluster.has_dropped(&doomed.kind, &error).await => {
            Ok(Deletion::AlreadyGone)
        }
        deleted => deleted,
    };
    write.finish(deleted.as_ref().err());
    Ok(match deleted? {
        Deletion::Gone | Deletion::AlreadyGone => Sent::Gone,
        Deletion::Accepted => Sent::Accepted,
    })
}

fn waiting(context: &Context, object: &ObjectRef, message: String) {
    context.emit(EventKind::Waiting {
        object: object.clone(),
        status: Status {
            state: State::InProgress,
            message,
        },
    });
}

/// The state of objects whose deletion was accepted.
struct Waited {
    gone: Vec<ObjectRef>,
    held: Vec<Held>,
}

/// Waits for objects of one kind and namespace until all their UIDs are gone, or the deadline
/// passes.
async fn wait(context: &Context, mut group: Vec<Doomed>) -> Result<Waited, OpsError> {
    let mut gone = Vec::new();
    let mut known: BTreeMap<ObjectRef, Vec<String>> = BTreeMap::new();
    let Some(first) = group.first() else {
        return Ok(Waited {
            gone,
            held: Vec::new(),
        });
    };
    let object = first.object.clone();
    let kind = first.kind.clone();
    let selector = match group.as_slice() {
        [_] => Selector::name(&object.name),
        _ => Selector::default(),
    };
    let namespace = object.namespace.as_deref();
    let mut watched = context.cluster.watch::<Value>(&kind, namespace, selector);
    let left = context.deadline.saturating_duration_since(Instant::now());
    let mut look_at = Instant::now() + FIRST_LOOK.min(left / 2);
    while !group.is_empty() {
        tokio::select! {
            biased;
            changed = watched.changed() => {
                let objects = match changed {
                    Err(error) if context.cluster.has_dropped(&kind, &error).await => Arc::default(),
                    changed => {
                        changed.map_err(OpsError::while_doing(format!("watch `{object}`")))?;
                        watched.current().unwrap_or_default()
                    }
                };
                let present: BTreeSet<&str> = objects
                    .iter()
                    .filter_map(|object| object["metadata"]["uid"].as_str())
                    .collect();
                let (still, left): (Vec<Doomed>, Vec<Doomed>) = group
                    .into_iter()
                    .partition(|doomed| present.contains(doomed.uid.as_str()));
                group = still;
                gone.extend(left.into_iter().map(|doomed| doomed.object));
            }
            () = sleep_until(context.deadline) => break,
            () = sleep_until(look_at) => {
                let objects = watched.current().unwrap_or_default();
                let looking = look(context, &group, &objects, &mut known);
                if timeout_at(context.deadline, looking).await.is_err() {
                    break;
                }
                look_at = Instant::now() + NEXT_LOOK;
            }
        }
    }
    let held = group.into_iter().map(|doomed| {
        let object = doomed.object;
        let by = known.remove(&object).unwrap_or_default();
        Held { object, by }
    });
    let held = held.collect();
    Ok(Waited { gone, held })
}

/// Finds out what holds objects, and emits what is new.
async fn look(
    context: &Context,
    group: &[Doomed],
    objects: &[Value],
    known: &mut BTreeMap<ObjectRef, Vec<String>>,
) {
    for doomed in group.iter().take(LOOKED_AT) {
        let Some(live) = objects
            .iter()
            .find(|object| object["metadata"]["uid"] == doomed.uid.as_str())
        else {
            continue;
        };
        let object = &doomed.object;
        let by = holders(context, object, live).await;
        if by.is_empty() || known.get(object) == Some(&by) {
            continue;
        }
        waiting(
            context,
            object,
            format!("being deleted, held by {}", by.join("; ")),
        );
        known.insert(object.clone(), by);
    }
}
