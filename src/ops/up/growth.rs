//! Lets the claims of a StatefulSet grow with their templates.

use serde_json::{Value, json};

use crate::action::Action;
use crate::cluster::{ClusterError, ResourceKind};
use crate::object::ObjectRef;
use crate::ops::Context;
use crate::ops::error::Problem;
use crate::ops::write::Write;
use crate::plan::Target;
use crate::replacement::{Growth, Request, growths};

/// The claims that have to grow, by their names: so the controller finds them.
///
/// # Errors
/// A refusal: what cannot be read is not known to be large enough.
pub(crate) async fn find(
    context: &Context,
    target: &Target,
    requests: &[Request],
) -> Result<Vec<Growth>, ClusterError> {
    let namespace = target.reference.namespace.as_deref();
    let kind = ResourceKind::claim();
    let claims = context.cluster.list::<Value>(&kind, namespace, None, None);
    Ok(growths(requests, &target.reference.name, &claims.await?))
}

/// What the API server says against it: not every class lets claims grow.
pub(crate) async fn problem(
    context: &Context,
    target: &Target,
    growth: &Growth,
) -> Option<Problem> {
    let source = patch(context, target, growth, true).await.err()?;
    Some(Problem::Refused {
        object: claim(target, growth),
        source,
    })
}

/// Lets a claim grow.
///
/// # Errors
/// A refusal.
pub(crate) async fn grow(
    context: &Context,
    target: &Target,
    growth: &Growth,
) -> Result<(), ClusterError> {
    let write = Write::start(context, &claim(target, growth), Action::Change);
    let grown = patch(context, target, growth, false).await;
    write.finish(grown.as_ref().err());
    grown
}

async fn patch(
    context: &Context,
    target: &Target,
    growth: &Growth,
    is_dry_run: bool,
) -> Result<(), ClusterError> {
    let place = "/spec/resources/requests/storage";
    let patch = [
        // Somebody else may have asked for more meanwhile.
        json!({"op": "test", "path": place, "value": growth.from}),
        json!({"op": "replace", "path": place, "value": growth.storage}),
    ];
    let kind = ResourceKind::claim();
    let namespace = target.reference.namespace.as_deref();
    let cluster = &context.cluster;
    let patched = cluster.json_patch(&kind, namespace, &growth.claim, &patch, is_dry_run);
    patched.await.map(|_| ())
}

fn claim(target: &Target, growth: &Growth) -> ObjectRef {
    let namespace = target.reference.namespace.as_deref();
    ObjectRef::new("", "PersistentVolumeClaim", namespace, &growth.claim)
}
