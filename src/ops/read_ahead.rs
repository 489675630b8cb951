//! Reads objects before their dry runs: many objects of one kind and namespace with one list
//! instead of one request each.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt};
use serde_json::Value;

use super::{CONCURRENCY, Context};
use crate::fields::{FieldChoices, Former};
use crate::object::ObjectRef;
use crate::plan::{Target, forget_other_managers};

/// From this many objects of one kind and namespace on, they are listed. A list also returns the
/// other objects of the namespace, so a few are cheaper to read one by one.
const LISTED_FROM: usize = 64;

/// Objects as they were shortly before their dry run; `None` for one that did not exist.
pub(crate) type Ahead = BTreeMap<ObjectRef, Option<Value>>;

/// Lists targets by kind and namespace. If a list fails, for lack of permission or for any other
/// reason, its objects are left out: reading the single object shows what is wrong.
///
/// Other managers of an object are forgotten unless they are needed, because they take much memory.
///
/// Like a single read, a list names no resourceVersion, so it returns the most recent state.
pub(crate) async fn read<'a>(
    context: &Context,
    targets: impl Iterator<Item = &'a Target>,
    keeps_managers: bool,
) -> Ahead {
    let mut groups: BTreeMap<_, Vec<&Target>> = BTreeMap::new();
    for target in targets.filter(|target| target.is_served) {
        let resource = &target.kind.resource;
        let namespace = target.reference.namespace.as_deref();
        groups
            .entry((&resource.api_version, &resource.plural, namespace))
            .or_default()
            .push(target);
    }
    let many = groups
        .into_values()
        .filter(|targets| targets.len() >= LISTED_FROM);
    stream::iter(many)
        .map(|targets| list(context, targets, keeps_managers))
        .buffer_unordered(CONCURRENCY)
        .fold(Ahead::new(), async |mut all, listed| {
            all.extend(listed);
            all
        })
        .await
}

/// Lists the objects of one kind and namespace.
async fn list(context: &Context, targets: Vec<&Target>, keeps_managers: bool) -> Ahead {
    let Some(first) = targets.first() else {
        return Ahead::new();
    };
    let namespace = first.reference.namespace.as_deref();
    let listed = context
        .cluster
        .list::<Value>(&first.kind, namespace, None, None)
        .await;
    let Ok(objects) = listed else {
        return Ahead::new();
    };
    let mut found: Ahead = targets
        .iter()
        .map(|target| (target.reference.clone(), None))
        .collect();
    let resource = &first.kind.resource;
    for mut object in objects {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let reference = ObjectRef::new(&resource.group, &resource.kind, namespace, name);
        let Some(place) = found.get_mut(&reference) else {
            continue;
        };
        // The items of a list lack the kind that the list itself names.
        if let Some(fields) = object.as_object_mut() {
            fields.insert(
                "apiVersion".to_owned(),
                resource.api_version.as_str().into(),
            );
            fields.insert("kind".to_owned(), resource.kind.as_str().into());
        }
        let is_moved = Former::of(&object, &FieldChoices::default()).is_some();
        if !keeps_managers && !is_moved {
            forget_other_managers(&mut object);
        }
        *place = Some(object);
    }
    found
}

/// Whether a dry run started from exactly this state of the object. A dry run returns the
/// resourceVersion that it started from, and none for an object that it would create.
pub(crate) fn is_same_version(live: Option<&Value>, applied: &Value) -> bool {
    let version = |object: &Value| {
        object["metadata"]["resourceVersion"]
            .as_str()
            .map(str::to_owned)
    };
    live.and_then(version) == version(applied)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_state_that_was_read_is_the_one_of_the_dry_run() {
        let at = |version: &str| json!({"metadata": {"resourceVersion": version}});
        let created = json!({"metadata": {"name": "a"}});
        assert!(is_same_version(Some(&at("7")), &at("7")));
        assert!(!is_same_version(Some(&at("7")), &at("8")));
        assert!(is_same_version(None, &created));
        assert!(!is_same_version(None, &at("7")), "it was created meanwhile");
        assert!(
            !is_same_version(Some(&at("7")), &created),
            "it was deleted meanwhile"
        );
    }
}
