//! What to do about a manager that owns fields of several objects: one command for all of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::action::Action;
use crate::fields::{Conflict, EXPERIMENT_MANAGER};
use crate::object::ObjectRef;
use crate::report::{DiffReport, ObjectDiff};
use crate::shell::word;

/// The managers beside us of what a diff has found. Once both own the fields and agree, there is nothing to
/// do.
pub(super) fn of_diff(report: &DiffReport) -> Vec<String> {
    let mut managers: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
    for diff in &report.objects {
        for manager in &diff.co_owners {
            let (objects, is_open) = managers.entry(manager).or_default();
            *objects += 1;
            *is_open |= leaves_open(diff, manager);
        }
    }
    let open = managers.into_iter().filter(|(_, (_, is_open))| *is_open);
    hints(open.map(|(manager, (objects, _))| (manager, objects)))
}

/// Whether something is to be decided about a manager of an object.
fn leaves_open(diff: &ObjectDiff, manager: &str) -> bool {
    let mut conflicts = diff.settlement.conflicts.iter();
    let mut undeclared = diff.undeclared.iter().flat_map(|field| &field.owners);
    diff.action == Action::Own
        || conflicts.any(|row| row.owner.manager == manager)
        || undeclared.any(|owner| owner.manager == manager)
}

/// The managers of fields in conflict.
pub(super) fn of_conflicts<'a>(
    objects: impl Iterator<Item = (&'a ObjectRef, &'a [Conflict])>,
) -> Vec<String> {
    let mut managers: BTreeMap<&str, BTreeSet<&ObjectRef>> = BTreeMap::new();
    for (object, rows) in objects {
        for row in rows.iter().filter(|row| row.can_be_yielded()) {
            let objects = managers.entry(&row.owner.manager).or_default();
            objects.insert(object);
        }
    }
    hints(
        managers
            .into_iter()
            .map(|(name, objects)| (name, objects.len())),
    )
}

/// A hint for each manager of several objects.
fn hints<'a>(managers: impl Iterator<Item = (&'a str, usize)>) -> Vec<String> {
    let hint = |(manager, objects): (&str, usize)| {
        let name = word(manager);
        format!(
            "{manager} owns fields of {objects} objects: take all of them over with `cryptoctl up --take-over {name}`, and see first what that changes with `cryptoctl diff --take-over {name}`"
        )
    };
    managers
        .filter(|(manager, objects)| *objects > 1 && *manager != EXPERIMENT_MANAGER)
        .map(hint)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(name: &str, action: Action, managers: &[&str]) -> ObjectDiff {
        let object = ObjectRef::new("", "ConfigMap", Some("shop"), name);
        ObjectDiff {
            co_owners: managers.iter().map(|&name| name.to_owned()).collect(),
            ..ObjectDiff::new(object, action)
        }
    }

    fn said(objects: Vec<ObjectDiff>) -> Vec<String> {
        of_diff(&DiffReport {
            objects,
            ..DiffReport::default()
        })
    }

    #[test]
    fn a_manager_of_several_objects_is_named_once_with_one_command() {
        let hints = said(vec![
            diff("a", Action::Own, &["helm", "kubectl-edit"]),
            diff("b", Action::Keep, &["helm"]),
        ]);
        assert_eq!(hints.len(), 1, "{hints:?}");
        assert!(hints[0].starts_with("helm owns fields of 2 objects"));
        assert!(hints[0].contains("`cryptoctl up --take-over helm`"));
    }

    #[test]
    fn managers_that_agree_with_us_are_left_in_peace() {
        let both = || diff("a", Action::Keep, &["helm"]);
        assert_eq!(said(vec![both(), both()]), [""; 0]);
    }
}
