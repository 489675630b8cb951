//! The custom resources that are deleted together with their definition, in every namespace.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Along, placed, some_of};
use crate::cluster::ClusterError;
use crate::object::ObjectRef;
use crate::ops::Context;
use crate::ops::custom_resources::instances;
use crate::ops::error::OpsError;

/// The objects of a definition's kind that are not in the set, as far as they can be listed.
pub(super) struct Others(Result<Vec<ObjectRef>, ClusterError>);

impl Others {
    /// Why the definition is kept without `--delete-data`.
    pub(super) fn reason(&self) -> String {
        match &self.0 {
            Ok(others) if !others.is_empty() => {
                let names: Vec<String> = others.iter().map(placed).collect();
                let are = if names.len() == 1 { "is" } else { "are" };
                format!(
                    "deleting it would also delete {}, which {are} not in this set; `--delete-data` deletes both",
                    some_of(&names)
                )
            }
            _ => "deleting it would delete every object of its kind in the whole cluster; \
                  `--delete-data` deletes it"
                .to_owned(),
        }
    }

    /// The objects that are deleted together with the definition.
    ///
    /// # Errors
    /// When they could not be listed: the user could not see what would be lost.
    pub(super) fn go_with(self, definition: &ObjectRef) -> Result<Vec<Along>, OpsError> {
        let doing = format!("list the objects that are deleted with `{definition}`");
        let others = self.0.map_err(OpsError::while_doing(doing))?;
        let along = others.into_iter().map(|object| Along {
            object,
            with: definition.clone(),
        });
        Ok(along.collect())
    }
}

/// Lists the objects of a definition's kind that are not in the set.
///
/// # Errors
/// A failed request, except for a missing permission.
pub(super) async fn others(
    context: &Context,
    definition: &ObjectRef,
    live: &Value,
    of_set: &BTreeSet<ObjectRef>,
) -> Result<Others, OpsError> {
    match instances(context, live).await {
        Ok(instances) => {
            let objects = instances.iter().map(|(object, _)| object.clone());
            let others = objects.filter(|object| !of_set.contains(object)).collect();
            Ok(Others(Ok(others)))
        }
        Err(error @ ClusterError::Forbidden { .. }) => Ok(Others(Err(error))),
        Err(error) => {
            let doing = format!("list the objects of `{definition}`");
            Err(OpsError::while_doing(doing)(error))
        }
    }
}
