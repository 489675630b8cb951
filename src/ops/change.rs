//! Changes single fields of an object by what its current state says.

use serde_json::Value;

use super::Context;
use super::error::OpsError;
use super::write::Write;
use crate::action::Action;
use crate::cluster::{ClusterError, ResourceKind};
use crate::object::ObjectRef;

/// Kubelets write their nodes every few seconds, so conflicts are likely.
const ATTEMPTS: u32 = 10;

/// What is changed, and how it is called.
#[derive(Clone, Copy)]
pub(crate) struct Changed<'a> {
    /// Its kind.
    pub(crate) kind: &'a ResourceKind,
    /// Its identity.
    pub(crate) object: &'a ObjectRef,
    /// The field manager that changes it.
    pub(crate) manager: &'static str,
    /// What is done, as a verb.
    pub(crate) verb: &'a str,
}

/// Reads an object and applies the patch that follows from its current state. Reads it again if another
/// client was faster or the response was lost; `None` if there is nothing to do.
pub(crate) async fn change<T>(
    context: &Context,
    changed: Changed<'_>,
    mut look: impl AsyncFnMut() -> Result<Option<(Value, T)>, OpsError>,
) -> Result<Option<T>, OpsError> {
    let Changed {
        kind,
        object,
        manager,
        verb,
    } = changed;
    let failed = |error| OpsError::while_doing(format!("{verb} `{object}`"))(error);
    let mut write = None;
    let mut last = None;
    for _ in 0..ATTEMPTS {
        let Some((patch, done)) = look().await? else {
            // An earlier attempt whose response was lost did it, or another client did.
            if let Some(write) = write.take() {
                let refused = conflict();
                Write::finish(write, last.is_none().then_some(&refused));
            }
            return Ok(last);
        };
        write.get_or_insert_with(|| Write::start(context, object, Action::Change));
        let namespace = object.namespace.as_deref();
        let cluster = &context.cluster;
        let answer = cluster.merge_patch(kind, namespace, &object.name, &patch, manager);
        match answer.await {
            Err(error) if error.outcome_is_unknown() => last = Some(done),
            Err(ClusterError::Conflict { .. }) => {}
            answer => {
                let error = answer.err();
                if let Some(write) = write.take() {
                    Write::finish(write, error.as_ref());
                }
                return match error {
                    None => Ok(Some(done)),
                    Some(error) => Err(failed(error)),
                };
            }
        }
    }
    let error = conflict();
    if let Some(write) = write {
        write.finish(Some(&error));
    }
    Err(failed(error))
}

fn conflict() -> ClusterError {
    ClusterError::Conflict {
        message: "another client changed it in the meantime".to_owned(),
    }
}
