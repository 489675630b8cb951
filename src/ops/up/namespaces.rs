//! The namespaces of a set: found, created, and deleted again if the objects in them are refused.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt};
use serde_json::Value;

use super::planning::being_deleted;
use crate::action::Action;
use crate::cluster::{ClusterError, Deletion, ResourceKind};
use crate::ops::error::{OpsError, Problem, WriteFailure};
use crate::ops::read_ahead::Ahead;
use crate::ops::write::Write;
use crate::ops::{CONCURRENCY, Context};
use crate::plan::{Plan, Target, namespace_body, namespace_reference};

/// The namespaces that a set's objects are in, and those that it contains.
pub(crate) struct Namespaces {
    /// Those that do not exist.
    pub(crate) absent: Vec<String>,
    /// Those that are objects of the set, in their live state.
    pub(crate) of_set: Ahead,
    /// Those that are being deleted.
    pub(crate) leaving: Vec<Problem>,
}

/// Reads the namespaces that targets are in, and those that are targets.
///
/// # Errors
/// A failed request.
pub(crate) async fn find(context: &Context, targets: &[Target]) -> Result<Namespaces, OpsError> {
    // A namespace in the set is created like any other object, so that it is marked as ours.
    let of_set: BTreeSet<&str> = targets
        .iter()
        .filter(|target| target.reference.is("", "Namespace"))
        .map(|target| target.reference.name.as_str())
        .collect();
    let named: BTreeSet<&str> = targets
        .iter()
        .filter_map(|target| target.reference.namespace.as_deref())
        .chain(of_set.iter().copied())
        .collect();
    let mut reads = stream::iter(named)
        .map(async |name| (name, read_namespace(context, name).await))
        .buffered(CONCURRENCY);
    let mut found = Namespaces {
        absent: Vec::new(),
        of_set: Ahead::new(),
        leaving: Vec::new(),
    };
    while let Some((name, live)) = reads.next().await {
        let live = match live {
            Ok(live) => live,
            // Without permission to read namespaces, the user can only use existing ones.
            Err(ClusterError::Forbidden { .. }) => continue,
            Err(error) => {
                let doing = format!("read the namespace `{name}`");
                return Err(OpsError::while_doing(doing)(error));
            }
        };
        match &live {
            None => found.absent.push(name.to_owned()),
            Some(live) => {
                let namespace = namespace_reference(name);
                let problem = being_deleted(context, &namespace, live).await;
                found.leaving.extend(problem);
            }
        }
        if of_set.contains(name) {
            found.of_set.insert(namespace_reference(name), live);
        }
    }
    Ok(found)
}

async fn read_namespace(context: &Context, name: &str) -> Result<Option<Value>, ClusterError> {
    let kind = ResourceKind::namespace();
    context.cluster.get(&kind, None, name).await
}

/// A namespace that was created.
pub(crate) struct Created {
    name: String,
    /// Its UID, if this run created it.
    uid: Option<String>,
}

/// Creates the missing namespaces, marked as ours.
///
/// # Errors
/// A write that was refused, or whose outcome is unknown.
pub(crate) async fn create(context: &Context, plan: &Plan) -> Result<Vec<Created>, OpsError> {
    let kind = ResourceKind::namespace();
    let mut all = Vec::new();
    for name in &plan.absent_namespaces {
        let object = namespace_reference(name);
        let write = Write::start(context, &object, Action::Create);
        let created = context
            .cluster
            .create(&kind, None, &namespace_body(name))
            .await;
        let uid = match created {
            Ok(namespace) => Ok(namespace["metadata"]["uid"].as_str().map(str::to_owned)),
            // Another client created it first, so it is not ours.
            Err(ClusterError::Conflict { .. }) => Ok(None),
            // The answer was lost; read whether the namespace was created.
            Err(error) if error.outcome_is_unknown() => {
                match context.cluster.get::<Value>(&kind, None, name).await {
                    Ok(Some(_)) => Ok(None),
                    Ok(None) | Err(_) => Err(error),
                }
            }
            Err(error) => Err(error),
        };
        write.finish(uid.as_ref().err());
        let name = name.clone();
        match uid {
            Ok(uid) => all.push(Created { name, uid }),
            Err(source) => return Err(OpsError::Writes(vec![WriteFailure { object, source }])),
        }
    }
    Ok(all)
}

/// Deletes the namespaces that this run created, if nothing else has been created in them. Returns
/// what happened to each.
pub(crate) async fn take_back(context: &Context, created: &[Created]) -> String {
    let mut clauses = Vec::new();
    for namespace in created {
        let name = &namespace.name;
        let end = if is_taken_back(context, namespace).await {
            " (created for this run and deleted again)"
        } else {
            " (created for this run)"
        };
        clauses.push(format!("namespace `{name}`{end}"));
    }
    clauses.join("; ")
}

async fn is_taken_back(context: &Context, namespace: &Created) -> bool {
    let Created { name, uid } = namespace;
    let Some(uid) = uid else { return false };
    let contents = context.cluster.contents(name).await;
    if !contents.is_ok_and(|objects| objects.is_empty()) {
        return false;
    }
    let write = Write::start(context, &namespace_reference(name), Action::Delete);
    let kind = ResourceKind::namespace();
    let deleted = context.cluster.delete(&kind, None, name, uid).await;
    write.finish(deleted.as_ref().err());
    matches!(deleted, Ok(Deletion::Accepted))
}
