//! What to do about fields that other managers own: commands to paste.

use std::collections::BTreeSet;

use super::take_over_hint;
use crate::fields::{Choice, Conflict, EXPERIMENT_MANAGER, FieldPattern};
use crate::object::ObjectRef;
use crate::report::DiffReport;
use crate::shell::word;

/// What to do about everything that a diff has found.
pub(crate) fn field_hints(report: &DiffReport) -> Vec<String> {
    let conflicts = report
        .objects
        .iter()
        .map(|diff| (&diff.object, diff.settlement.conflicts.as_slice()));
    let undeclared = report.objects.iter().flat_map(|diff| {
        let fields = diff.undeclared.iter();
        fields.map(|field| FieldPattern::exactly(&diff.object, &field.field))
    });
    let mut hints = conflict_hints(conflicts);
    hints.extend(take_over_hint::of_diff(report));
    let mut undeclared = undeclared.map(|pattern| flag(Choice::RevertUndeclared, &pattern));
    if let Some(first) = undeclared.next() {
        let what = match undeclared.next() {
            None => "the undeclared field",
            Some(_) => "the first undeclared field",
        };
        hints.push(format!("remove {what} with `cryptoctl up {first}`"));
    }
    if !report.dropped.is_empty() && !report.prunes {
        let prune = "delete what is no longer in the manifests with `cryptoctl up --prune`";
        hints.push(prune.to_owned());
    }
    hints
}

/// How to settle the conflicts over fields of objects, all of them at once. An experiment puts its fields
/// back by itself.
pub(super) fn conflict_hints<'a>(
    objects: impl Iterator<Item = (&'a ObjectRef, &'a [Conflict])>,
) -> Vec<String> {
    let rows: Vec<(&ObjectRef, &Conflict)> = objects
        .flat_map(|(object, rows)| rows.iter().map(move |row| (object, row)))
        .filter(|(_, row)| row.owner.manager != EXPERIMENT_MANAGER)
        .collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let them = match rows.len() {
        1 => "the field",
        _ => "the fields",
    };
    let owners: BTreeSet<&str> = rows
        .iter()
        .map(|(_, row)| row.owner.manager.as_str())
        .collect();
    let owners = owners.into_iter().collect::<Vec<_>>().join(" and ");
    let flags = |choice: Choice| {
        let patterns = rows.iter();
        let patterns = patterns.map(|(object, row)| FieldPattern::exactly(object, &row.field));
        let flags: BTreeSet<String> = patterns.map(|pattern| flag(choice, &pattern)).collect();
        flags.into_iter().collect::<Vec<_>>().join(" ")
    };
    let take = format!(
        "make {them} yours with `cryptoctl up {}`",
        flags(Choice::Take)
    );
    let can_be_left = rows.iter().all(|(_, row)| row.can_be_yielded());
    let leave = can_be_left.then(|| {
        let flags = flags(Choice::Yield);
        format!("or leave {them} to {owners} with `cryptoctl up {flags}`")
    });
    std::iter::once(take).chain(leave).collect()
}

fn flag(choice: Choice, pattern: &FieldPattern) -> String {
    format!("{choice} {}", word(&pattern.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fields::conflicts;

    fn object(name: &str) -> ObjectRef {
        ObjectRef::new("apps", "StatefulSet", Some("shop"), name)
    }

    fn rows(manager: &str) -> Vec<Conflict> {
        let live = json!({
            "metadata": {"managedFields": [{"manager": manager, "operation": "Update",
                "fieldsV1": {"f:spec": {"f:image": {}}}}]},
            "spec": {"image": "api:2"},
        });
        let reported = [(".spec.image".to_owned(), manager.to_owned())];
        conflicts(&reported, &live, &json!({"spec": {"image": "api:1"}}))
    }

    #[test]
    fn the_hints_settle_every_conflict_at_once() {
        let (web, api) = (object("web"), object("api"));
        let (one, other) = (rows("kubectl-set"), rows("helm"));
        let hints = conflict_hints([(&web, one.as_slice())].into_iter());
        let field = "statefulset/web:.spec.image";
        let expected = [
            format!("make the field yours with `cryptoctl up --take {field}`"),
            format!("or leave the field to kubectl-set with `cryptoctl up --yield {field}`"),
        ];
        assert_eq!(hints, expected);
        let both = [(&web, one.as_slice()), (&api, other.as_slice())];
        let hints = conflict_hints(both.into_iter());
        let flags = format!("--yield statefulset/api:.spec.image --yield {field}");
        let leave =
            format!("or leave the fields to helm and kubectl-set with `cryptoctl up {flags}`");
        assert_eq!(hints[1], leave);
    }

    #[test]
    fn what_an_experiment_has_changed_is_not_to_be_taken() {
        let rows = rows(EXPERIMENT_MANAGER);
        let hints = conflict_hints([(&object("web"), rows.as_slice())].into_iter());
        assert_eq!(hints, [""; 0]);
    }
}
