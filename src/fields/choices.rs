//! What a person has decided about fields that other managers own.

use std::cmp::Reverse;

use serde_json::Value;

use super::choice::Choice;
use super::conflict::{Conflict, OwnedAlone};
use super::manager::{Manager, managers};
use super::migration::FormerManager;
use super::owner::{EXPERIMENT_MANAGER, FIELD_MANAGER};
use super::path::FieldPath;
use super::pattern::FieldPattern;
use crate::object::ObjectRef;
use crate::secret::is_secret;

/// Which fields are taken from other managers, and which are left to them. What is named for this run
/// goes before what is named for every run.
#[derive(Debug, Clone, Default)]
pub struct FieldChoices {
    /// Fields that become ours, named for this run.
    pub taken: Vec<FieldPattern>,
    /// The same, named for every run.
    pub always_taken: Vec<FieldPattern>,
    /// Whether every field in conflict becomes ours, except for those of an experiment.
    pub takes_all: bool,
    /// Fields that are left to their managers, named for this run.
    pub yielded: Vec<FieldPattern>,
    /// The same, named for every run: a field that nobody else owns yet is still ours.
    pub always_yielded: Vec<FieldPattern>,
    /// Fields that are in no manifest and that are taken away.
    pub reverted: Vec<FieldPattern>,
    /// Managers whose fields become ours or go, named for this run.
    pub taken_over: Vec<FormerManager>,
    /// The same, named for every run.
    pub always_taken_over: Vec<FormerManager>,
}

/// What was left out of the body of an apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Fields that are left to their managers.
    pub yielded: Vec<Conflict>,
    /// Fields that were named for this run and are still in the body, because only we own them:
    /// without them, the API server would delete them or set their defaults.
    pub alone: Vec<OwnedAlone>,
}

impl FieldChoices {
    /// Whether there is any choice, so that it matters who owns a field.
    #[must_use]
    pub fn are_made(&self) -> bool {
        let takes = self.takes_all || !self.taken.is_empty() || !self.always_taken.is_empty();
        let takes_over = !self.taken_over.is_empty() || !self.always_taken_over.is_empty();
        takes || takes_over || self.yields() || !self.reverted.is_empty()
    }

    /// Whether any field is left to other managers.
    #[must_use]
    pub fn yields(&self) -> bool {
        !self.yielded.is_empty() || !self.always_yielded.is_empty()
    }

    /// The patterns that were named for this run, each with what it was named for.
    pub fn named(&self) -> impl Iterator<Item = (Choice, &FieldPattern)> {
        let named = [
            (Choice::Take, &self.taken),
            (Choice::Yield, &self.yielded),
            (Choice::RevertUndeclared, &self.reverted),
        ];
        named.into_iter().flat_map(|(choice, patterns)| {
            let patterns = patterns.iter();
            patterns.map(move |pattern| (choice, pattern))
        })
    }

    /// Every choice as a person writes it, those of the configuration as its keys.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let named = self
            .named()
            .map(|(choice, pattern)| format!("{choice} {pattern}"));
        let always = [
            ("take", &self.always_taken),
            ("yield", &self.always_yielded),
        ];
        let always = always.into_iter().flat_map(|(key, patterns)| {
            let patterns = patterns.iter();
            patterns.map(move |pattern| format!("{key}: {pattern}"))
        });
        let named_managers = self.taken_over.iter();
        let named_managers = named_managers.map(|manager| format!("--take-over {manager}"));
        let managers = self.always_taken_over.iter();
        let managers = managers.map(|manager| format!("take_over: {manager}"));
        let all = self.takes_all.then(|| "--force-conflicts".to_owned());
        named
            .chain(always)
            .chain(named_managers)
            .chain(managers)
            .chain(all)
            .collect()
    }

    /// Whether a field in conflict becomes ours. What this program has written in another way than by an
    /// apply already is.
    #[must_use]
    pub fn takes(&self, object: &ObjectRef, conflict: &Conflict) -> bool {
        let is_named = |pattern: &FieldPattern| {
            let exact = FieldPattern::exactly(object, &conflict.field);
            *pattern == exact || pattern.matches(object, &conflict.path, &conflict.owner.manager)
        };
        let mut patterns = self.taken.iter().chain(&self.always_taken);
        let is_own = conflict.owner.manager == FIELD_MANAGER;
        let is_experiment = conflict.owner.manager == EXPERIMENT_MANAGER;
        is_own || patterns.any(is_named) || self.takes_all && !is_experiment
    }

    /// Removes from the body of an apply what is left to the managers of the live object.
    pub fn leave_out(&self, object: &ObjectRef, live: &Value, body: &mut Value) -> LeftOut {
        let mut left = LeftOut::default();
        if !self.yields() {
            return left;
        }
        let shows_values = !is_secret(body);
        let managers = managers(live);
        let owned: Vec<&FieldPath> = managers.iter().flat_map(|it| &it.fields).collect();
        let is_overruled = |path: &FieldPath, manager: &str| {
            let mut taken = self.taken.iter();
            self.takes_all || taken.any(|pattern| pattern.matches(object, path, manager))
        };
        for (pattern, is_named) in self.patterns() {
            for manager in managers.iter().filter(|manager| !manager.owner.is_ours()) {
                let is_left = |path: &&FieldPath| {
                    pattern.matches(object, path, &manager.owner.manager)
                        && (is_named || !is_overruled(path, &manager.owner.manager))
                };
                // What is below a field goes first: the field itself goes only if nothing is left.
                let mut paths: Vec<&FieldPath> = manager.fields.iter().filter(is_left).collect();
                paths.sort_by_key(|path| Reverse(path.depth()));
                for path in paths {
                    if path.get(body).is_some() && path.is_whole_in(body, live, &owned) {
                        let row = Conflict::over(path, manager, live, body, shows_values);
                        left.yielded.push(row);
                        path.remove(body);
                    }
                }
            }
            if is_named {
                left.alone.extend(alone(object, pattern, &managers, body));
            }
        }
        left
    }

    /// The patterns of what is yielded, and whether each was named for this run.
    fn patterns(&self) -> impl Iterator<Item = (&FieldPattern, bool)> {
        let named = self.yielded.iter().map(|pattern| (pattern, true));
        named.chain(self.always_yielded.iter().map(|pattern| (pattern, false)))
    }
}

/// A field of a body that a pattern means and that only we own.
fn alone(
    object: &ObjectRef,
    pattern: &FieldPattern,
    managers: &[Manager],
    body: &Value,
) -> Option<OwnedAlone> {
    let (ours, others): (Vec<&Manager>, Vec<&Manager>) =
        managers.iter().partition(|manager| manager.owner.is_ours());
    let is_shared = |path: &FieldPath| {
        let mut fields = others.iter().flat_map(|manager| &manager.fields);
        fields.any(|other| other == path)
    };
    let mut fields = ours.iter().flat_map(|manager| &manager.fields);
    let path = fields
        .find(|path| pattern.means(object, path) && path.get(body).is_some() && !is_shared(path))?;
    Some(OwnedAlone {
        pattern: pattern.clone(),
        field: path.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::conflict::{conflicts, share_equal_fields};
    use super::*;

    fn web() -> ObjectRef {
        ObjectRef::new("apps", "StatefulSet", Some("shop"), "web")
    }

    /// Scaled by kubectl; the image was set by hand, and the label is an operator's.
    fn live() -> Value {
        json!({
            "metadata": {"labels": {"app": "web", "team": "b"}, "managedFields": [
                {"manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": {
                    "f:metadata": {"f:labels": {"f:app": {}}},
                    "f:spec": {"f:serviceName": {}, "f:containers": {
                        "k:{\"name\":\"api\"}": {".": {}, "f:name": {}, "f:env": {}}}}}},
                {"manager": "kubectl", "operation": "Update", "subresource": "scale",
                    "time": "2026-11-30T10:00:00Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
                {"manager": "kubectl-set", "operation": "Update", "fieldsV1": {"f:spec": {
                    "f:containers": {"k:{\"name\":\"api\"}": {"f:image": {}}}}}},
                {"manager": "operator", "operation": "Apply", "fieldsV1": {
                    "f:metadata": {"f:labels": {".": {}, "f:team": {}}},
                    "f:spec": {"f:containers": {
                        "k:{\"name\":\"side\"}": {".": {}, "f:name": {}, "f:image": {}}}}}},
            ]},
            "spec": {"replicas": 3, "serviceName": "web", "containers": [
                {"name": "api", "image": "api:2", "env": []},
                {"name": "side", "image": "side:1"}]},
        })
    }

    fn body() -> Value {
        json!({
            "kind": "StatefulSet",
            "metadata": {"labels": {"app": "web", "team": "a"}},
            "spec": {"replicas": 2, "serviceName": "web", "containers": [
                {"name": "api", "image": "api:1", "env": []},
                {"name": "side", "image": "side:1"}]},
        })
    }

    fn left(pattern: &str) -> (Value, Vec<String>) {
        let choices = FieldChoices {
            yielded: vec![pattern.parse().unwrap()],
            ..FieldChoices::default()
        };
        let mut rest = body();
        let left = choices.leave_out(&web(), &live(), &mut rest);
        let fields = left
            .yielded
            .into_iter()
            .map(|conflict| conflict.field)
            .collect();
        (rest, fields)
    }

    #[test]
    fn what_is_yielded_is_no_longer_in_the_body() {
        let (rest, fields) = left(".spec.replicas");
        assert_eq!(fields, [".spec.replicas"]);
        assert_eq!(rest["spec"].get("replicas"), None);
        assert_eq!(rest["spec"]["containers"], body()["spec"]["containers"]);
        let (rest, fields) = left("statefulset/web:.spec.containers@kubectl-set");
        assert_eq!(fields, [".spec.containers[name=\"api\"].image"]);
        assert_eq!(
            rest["spec"]["containers"][0],
            json!({"name": "api", "env": []})
        );
    }

    #[test]
    fn what_only_we_own_stays_around_what_is_yielded() {
        let (rest, _) = left(".metadata");
        assert_eq!(rest["metadata"], json!({"labels": {"app": "web"}}));
        let (rest, _) = left(".spec.containers");
        let api = json!({"name": "api", "env": []});
        assert_eq!(
            rest["spec"]["containers"],
            json!([api]),
            "the operator's item goes as a whole"
        );
    }

    #[test]
    fn a_field_of_ours_alone_stays_and_is_told_of_if_it_was_named() {
        let mut choices = FieldChoices {
            yielded: vec![".spec.serviceName".parse().unwrap()],
            ..FieldChoices::default()
        };
        let mut rest = body();
        let left = choices.leave_out(&web(), &live(), &mut rest);
        assert_eq!(left.alone[0].field, ".spec.serviceName");
        assert_eq!(rest, body());
        choices.always_yielded = std::mem::take(&mut choices.yielded);
        let left = choices.leave_out(&web(), &live(), &mut rest);
        assert_eq!(left, LeftOut::default(), "until somebody else owns it");
    }

    #[test]
    fn what_is_taken_in_this_run_is_not_left_to_others_by_the_file() {
        let file = FieldChoices {
            always_yielded: vec!["*:.spec".parse().unwrap()],
            ..FieldChoices::default()
        };
        let taking = FieldChoices {
            taken: vec![".spec.replicas".parse().unwrap()],
            ..file.clone()
        };
        let all = FieldChoices {
            takes_all: true,
            ..file.clone()
        };
        let left = |choices: &FieldChoices| {
            let mut rest = body();
            choices.leave_out(&web(), &live(), &mut rest);
            rest["spec"].get("replicas").is_none()
        };
        assert_eq!(
            [left(&file), left(&taking), left(&all)],
            [true, false, false]
        );
    }

    #[test]
    fn an_empty_map_of_another_manager_does_not_keep_ours_out() {
        let live = json!({
            "metadata": {"managedFields": [{"manager": "kubectl-create", "operation": "Update",
                "fieldsV1": {"f:spec": {"f:resources": {}}}}]},
            "spec": {"resources": {}},
        });
        let choices = FieldChoices {
            always_yielded: vec![".spec".parse().unwrap()],
            ..FieldChoices::default()
        };
        let mut body = json!({"spec": {"resources": {"limits": {"cpu": "1"}}}});
        let left = choices.leave_out(&web(), &live, &mut body);
        assert_eq!(left, LeftOut::default());
        assert_eq!(body["spec"]["resources"]["limits"]["cpu"], "1");
    }

    #[test]
    fn a_conflict_says_who_owns_the_field_and_since_when() {
        let reported = [(".spec.replicas".to_owned(), "kubectl".to_owned())];
        let [row] = conflicts(&reported, &live(), &body()).try_into().unwrap();
        assert_eq!(
            row.to_string(),
            "`.spec.replicas` (live 3, ours 2) is owned by kubectl (update of scale, 2026-11-30T10:00:00Z)"
        );
        let secret = json!({"kind": "Secret", "apiVersion": "v1", "spec": {"replicas": 2}});
        let [row] = conflicts(&reported, &live(), &secret).try_into().unwrap();
        assert_eq!((row.live, row.ours), (Value::Null, Value::Null));
    }

    #[test]
    fn only_named_conflicts_are_taken() {
        let reported = [(".spec.replicas".to_owned(), "kubectl".to_owned())];
        let [row] = conflicts(&reported, &live(), &body()).try_into().unwrap();
        let taking = |pattern: &str| FieldChoices {
            taken: vec![pattern.parse().unwrap()],
            ..FieldChoices::default()
        };
        assert!(!FieldChoices::default().takes(&web(), &row));
        assert!(taking(".spec.replicas@kubectl").takes(&web(), &row));
        assert!(!taking(".spec.replicas@kubectl-edit").takes(&web(), &row));
        let all = FieldChoices {
            takes_all: true,
            ..FieldChoices::default()
        };
        assert!(all.takes(&web(), &row));
    }

    #[test]
    fn a_field_that_is_the_same_with_its_defaults_is_shared() {
        let owned = json!({"f:spec": {"f:valueFrom": {}}});
        let live = json!({
            "metadata": {"managedFields": [
                {"manager": "other", "operation": "Apply", "fieldsV1": owned}]},
            "spec": {"valueFrom": {"path": "a", "apiVersion": "v1"}},
        });
        let mut body = json!({"spec": {"valueFrom": {"path": "a"}}});
        let reported = [(".spec.valueFrom".to_owned(), "other".to_owned())];
        let rows = conflicts(&reported, &live, &live);
        assert!(share_equal_fields(&rows, &live, &live.clone(), &mut body));
        assert_eq!(body["spec"]["valueFrom"]["apiVersion"], "v1");
        assert!(
            !share_equal_fields(&rows, &live, &live.clone(), &mut body),
            "once"
        );
        let changed = json!({"spec": {"valueFrom": {"path": "b"}}});
        let mut other = changed.clone();
        assert!(!share_equal_fields(&rows, &live, &changed, &mut other));
        assert_eq!(other, changed);
    }

    #[test]
    fn an_empty_field_that_is_not_stored_is_no_conflict() {
        let owned = json!({"f:spec": {"f:nodeSelector": {}}});
        let live = json!({
            "metadata": {"managedFields": [
                {"manager": "other", "operation": "Apply", "fieldsV1": owned}]},
            "spec": {},
        });
        let mut body = json!({"spec": {"nodeSelector": {}}});
        let reported = [(".spec.nodeSelector".to_owned(), "other".to_owned())];
        let rows = conflicts(&reported, &live, &live);
        assert!(share_equal_fields(&rows, &live, &live, &mut body));
        assert_eq!(body, json!({"spec": {}}));
        assert!(!share_equal_fields(&rows, &live, &live, &mut body), "once");
    }
}
