//! Finds missing permissions before anything is deleted.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt, TryStreamExt};

use super::{Doomed, DownPlan};
use crate::cluster::{ClusterError, ResourceKind};
use crate::ops::error::{OpsError, Problem};
use crate::ops::preflight::scope;
use crate::ops::{CONCURRENCY, Context};

/// The verbs that `down` needs on an object: it deletes the object, then watches it until it is
/// gone.
const VERBS: [&str; 3] = ["delete", "list", "watch"];

/// The missing permissions.
///
/// # Errors
/// A failed request.
pub(super) async fn missing(context: &Context, plan: &DownPlan) -> Result<Vec<Problem>, OpsError> {
    let mut groups: BTreeMap<_, Vec<&Doomed>> = BTreeMap::new();
    for doomed in plan.doomed() {
        let resource = &doomed.kind.resource;
        let namespace = doomed.object.namespace.as_deref();
        groups
            .entry((&resource.group, &resource.plural, namespace))
            .or_default()
            .push(doomed);
    }
    let questions = groups
        .values()
        .flat_map(|group| VERBS.map(|verb| (verb, group.as_slice())));
    let answers: Vec<Option<Problem>> = stream::iter(questions)
        .map(|(verb, group)| ask(context, verb, group))
        .buffered(CONCURRENCY)
        .try_collect()
        .await
        .map_err(OpsError::while_doing("check your permissions"))?;
    Ok(answers.into_iter().flatten().collect())
}

/// Checks all objects of a kind at once. A role that names objects is checked for each object.
async fn ask(
    context: &Context,
    verb: &str,
    group: &[&Doomed],
) -> Result<Option<Problem>, ClusterError> {
    let Some(first) = group.first() else {
        return Ok(None);
    };
    let kind: &ResourceKind = &first.kind;
    let namespace = first.object.namespace.as_deref();
    let cluster = &context.cluster;
    if cluster.may(verb, kind, None, namespace).await? {
        return Ok(None);
    }
    // Several objects are watched together, with a list of their kind.
    let named = if verb == "delete" || group.len() == 1 {
        group
    } else {
        &[]
    };
    let mut is_allowed = !named.is_empty();
    for doomed in named {
        let name = &doomed.object.name;
        is_allowed &= cluster.may_with(verb, kind, namespace, name).await?;
        if !is_allowed {
            break;
        }
    }
    Ok((!is_allowed).then(|| Problem::NotAllowed {
        what: format!("{verb} {}", qualified(kind)),
        scope: scope(namespace),
    }))
}

/// A kind as `kubectl auth can-i` takes it.
fn qualified(kind: &ResourceKind) -> String {
    let resource = &kind.resource;
    if resource.group.is_empty() {
        resource.plural.clone()
    } else {
        format!("{}.{}", resource.plural, resource.group)
    }
}
