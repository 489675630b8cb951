//! Dry runs of an object where it is not to be: under another name, or in another namespace.

use serde_json::Value;

use crate::cluster::{ApplyMode, ClusterError};
use crate::object::ObjectRef;
use crate::ops::{Context, read_ahead};
use crate::plan::Target;

/// Objects for a namespace that does not exist yet are validated in this one: every cluster has it,
/// and nobody can delete it.
const ELSEWHERE: &str = "default";

/// Validates an object in another namespace, under its own name if that is free there. Any other
/// refusal there says nothing about the object: permissions, quotas and policies are those of that
/// namespace.
pub(crate) async fn validate(context: &Context, target: &Target) -> Option<ClusterError> {
    let own = &target.reference.name;
    for name in std::iter::once(own.clone()).chain(other_names(own)) {
        let moved = moved(target, Some(ELSEWHERE), &name);
        let refused = match context.apply(&moved, ApplyMode::DryRunElsewhere).await {
            Ok(planned) if read_ahead::is_same_version(None, &planned) => return None,
            Err(ClusterError::Forbidden { .. }) => return None,
            other => other.err(),
        };
        // For an object that already exists, the answer would be different.
        let found = context
            .cluster
            .get::<Value>(&target.kind, Some(ELSEWHERE), &name)
            .await;
        if matches!(found, Ok(None)) {
            let verdict = refused.filter(ClusterError::is_about_fields);
            return verdict.map(|verdict| verdict.renamed(&name, own));
        }
    }
    None
}

/// The object as the API server would create it from the manifest alone: with nothing but defaults in
/// the fields that the manifest leaves out. `None` if the API server refuses that.
pub(crate) async fn fresh(context: &Context, target: &Target) -> Option<Value> {
    let namespace = target.reference.namespace.as_deref();
    for name in other_names(&target.reference.name) {
        let renamed = moved(target, namespace, &name);
        let created = context.apply(&renamed, ApplyMode::DryRunElsewhere).await;
        match created {
            Ok(created) if read_ahead::is_same_version(None, &created) => return Some(created),
            // That name is taken.
            Ok(_) => {}
            Err(_) => return None,
        }
    }
    None
}

/// Names of the same length.
fn other_names(name: &str) -> impl Iterator<Item = String> {
    let mut start = name.to_owned();
    start.pop();
    let others = ["z", "y", "x"].map(|end| format!("{start}{end}"));
    let existing = name.to_owned();
    others.into_iter().filter(move |other| *other != existing)
}

fn moved(target: &Target, namespace: Option<&str>, name: &str) -> Target {
    let mut moved = target.clone();
    moved.reference = ObjectRef {
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
        ..moved.reference
    };
    if let Some(namespace) = namespace {
        moved.body["metadata"]["namespace"] = namespace.into();
    }
    moved.body["metadata"]["name"] = name.into();
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_is_exchanged_for_others_of_its_length() {
        let all: Vec<String> = other_names("default").collect();
        assert_eq!(all, ["defaulz", "defauly", "defaulx"]);
        let all: Vec<String> = other_names("z").collect();
        assert_eq!(all, ["y", "x"]);
    }
}
