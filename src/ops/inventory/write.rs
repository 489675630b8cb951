//! Writes an inventory, and never loses what another run lists in it.

use serde_json::Value;

use crate::cluster::{ApplyMode, ClusterError, ResourceKind};
use crate::inventory::{Contents, Inventory};
use crate::object::ObjectRef;
use crate::ops::Context;
use crate::ops::write::ATTEMPTS;
use crate::plan::Target;

/// A version that no object has: an apply that names it creates an object, and is a conflict if there is one
/// (apiserver `pkg/registry/generic/registry/store.go`, `Update`).
const OF_NO_OBJECT: &str = "1";

/// The live inventory.
pub(super) async fn live(
    context: &Context,
    object: &ObjectRef,
) -> Result<Option<Value>, ClusterError> {
    let namespace = object.namespace.as_deref();
    context.cluster.get(&kind(), namespace, &object.name).await
}

/// Writes what a plan lists, beside what another run has listed since.
///
/// # Errors
/// As [`change`].
pub(crate) async fn grow(
    context: &Context,
    inventory: &Inventory,
    planned: &Target,
) -> Result<Value, ClusterError> {
    let planned = inventory.contents(&planned.body).unwrap_or_default();
    change(context, inventory, |before| before.and(&planned)).await
}

/// Changes what an inventory lists, in the version in which it was read: if another run writes meanwhile, what
/// that run has written is read and changed.
///
/// # Errors
/// A refusal, also if it is the inventory of another tool by now.
pub(super) async fn change(
    context: &Context,
    inventory: &Inventory,
    change: impl Fn(Contents) -> Contents,
) -> Result<Value, ClusterError> {
    let object = inventory.reference();
    let mut attempt = 0;
    loop {
        attempt += 1;
        let mut version = Value::from(OF_NO_OBJECT);
        let mut before = Contents::default();
        let live = live(context, &object).await?;
        if let Some(live) = &live {
            let found = inventory.contents(live);
            before = found.map_err(|message| ClusterError::Conflict { message })?;
            version = live["metadata"]["resourceVersion"].clone();
        }
        let former = inventory.manifest(&before);
        let mut body = inventory.manifest(&change(before));
        if let Some(live) = live.filter(|_| body == former) {
            return Ok(live);
        }
        body["metadata"]["resourceVersion"] = version;
        let mode = ApplyMode::StoreVersion { is_forced: false };
        let namespace = object.namespace.as_deref();
        let applied = context
            .cluster
            .apply(&kind(), namespace, &object.name, &body, mode)
            .await;
        let is_late = |error: &ClusterError| {
            matches!(error, ClusterError::Conflict { .. }) || error.outcome_is_unknown()
        };
        if attempt == ATTEMPTS || !applied.as_ref().is_err_and(is_late) {
            return applied;
        }
        context.cluster.let_others_write(attempt).await;
    }
}

fn kind() -> ResourceKind {
    ResourceKind::known("", "v1", "ConfigMap", "configmaps", true)
}
