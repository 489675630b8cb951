//! Lets pods be replaced when a ConfigMap or Secret of the set that they use has other contents.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

use super::conflicts::leave_out;
use crate::cluster::ClusterError;
use crate::fields::FieldChoices;
use crate::object::ObjectRef;
use crate::ops::error::OpsError;
use crate::ops::{CONCURRENCY, Context, read_ahead};
use crate::plan::{Target, Used, mark, used_by};

/// Marks the pod templates of a set with what their pods use of the set, as it will be sent.
///
/// # Errors
/// A failed request.
pub(crate) async fn mark_templates(
    context: &Context,
    choices: &FieldChoices,
    targets: &mut [Target],
) -> Result<(), OpsError> {
    let used: BTreeSet<ObjectRef> = targets.iter().flat_map(used_by).collect();
    let of_set = targets.iter();
    let of_set: Vec<Target> = of_set
        .filter(|target| used.contains(&target.reference))
        .cloned()
        .collect();
    let mut ahead = read_ahead::read(context, of_set.iter(), true).await;
    let reading = of_set.into_iter().map(|mut target| {
        let known = ahead.remove(&target.reference);
        async move {
            let live = match known {
                Some(live) => live,
                None => live(context, &target).await?,
            };
            leave_out(&mut target, live.as_ref(), choices);
            Ok::<_, OpsError>((target.reference.clone(), (target, live)))
        }
    });
    let sent: BTreeMap<ObjectRef, (Target, Option<Value>)> = stream::iter(reading)
        .buffered(CONCURRENCY)
        .try_collect()
        .await?;
    for target in targets {
        let used = used_by(target);
        let used = used.iter().filter_map(|object| sent.get_key_value(object));
        let used: Vec<Used<'_>> = used
            .map(|(object, (target, live))| Used {
                object,
                body: &target.body,
                live: live.as_ref(),
            })
            .collect();
        mark(target, &used);
    }
    Ok(())
}

async fn live(context: &Context, target: &Target) -> Result<Option<Value>, OpsError> {
    let object = &target.reference;
    let namespace = object.namespace.as_deref();
    let read = context.cluster.get(&target.kind, namespace, &object.name);
    match read.await {
        // Its own step says so.
        Err(ClusterError::Forbidden { .. }) => Ok(None),
        read => read.map_err(OpsError::while_doing(format!("read `{object}`"))),
    }
}
