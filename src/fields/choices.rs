//! What a person has decided about fields that other managers own.

use serde_json::Value;

use super::conflict::Conflict;
use super::manager::{Manager, managers};
use super::path::FieldPath;
use super::pattern::FieldPattern;
use crate::object::ObjectRef;

/// Which fields are taken from other managers, and which are left to them.
#[derive(Debug, Clone, Default)]
pub struct FieldChoices {
    /// Fields that become ours.
    pub take: Vec<FieldPattern>,
    /// Whether every field in conflict becomes ours.
    pub take_all: bool,
    /// Fields that are left to their managers, named for this run.
    pub yielded: Vec<FieldPattern>,
    /// The same, named for every run: a field that nobody else owns yet is still ours.
    pub always_yielded: Vec<FieldPattern>,
}

/// A field that cannot be left to another manager, because there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedAlone {
    /// The pattern that names it.
    pub pattern: String,
    /// Its path.
    pub field: String,
}

impl FieldChoices {
    /// Whether any field is left to other managers.
    #[must_use]
    pub fn yields(&self) -> bool {
        !self.yielded.is_empty() || !self.always_yielded.is_empty()
    }

    /// Whether a field in conflict becomes ours.
    #[must_use]
    pub fn takes(&self, object: &ObjectRef, conflict: &Conflict) -> bool {
        let is_named =
            |pattern: &FieldPattern| pattern.matches(object, &conflict.field, &conflict.manager);
        self.take_all || self.take.iter().any(is_named)
    }

    /// Removes from the body of an apply what is left to the managers of the live object, and returns
    /// it. `own` is the name of our manager.
    ///
    /// # Errors
    /// A field that was named for this run and that only we own: without it in the body, the API
    /// server deletes it or sets its default.
    pub fn leave_out(
        &self,
        object: &ObjectRef,
        live: &Value,
        body: &mut Value,
        own: &str,
    ) -> Result<Vec<Conflict>, OwnedAlone> {
        if !self.yields() {
            return Ok(Vec::new());
        }
        let shows_values = !crate::secret::is_secret(body);
        let (ours, others): (Vec<Manager>, Vec<Manager>) = managers(live)
            .into_iter()
            .partition(|manager| manager.is_apply_of(own));
        let ours: Vec<FieldPath> = ours
            .into_iter()
            .flat_map(|manager| manager.fields)
            .collect();
        let mut left = Vec::new();
        for pattern in self.yielded.iter().chain(&self.always_yielded) {
            let before = left.len();
            for manager in &others {
                let means =
                    |path: &&FieldPath| pattern.matches(object, &path.to_string(), &manager.name);
                // What is below a field goes first: the field itself goes only if nothing is left.
                let mut paths: Vec<&FieldPath> = manager.fields.iter().filter(means).collect();
                paths.sort_by_key(|path| std::cmp::Reverse(path.depth()));
                for path in paths {
                    if path.get(body).is_some()
                        && [&manager.fields, &ours]
                            .iter()
                            .all(|owned| path.is_whole_in(body, owned))
                    {
                        left.push(Conflict::over(path, manager, live, body, shows_values));
                        path.remove(body);
                    }
                }
            }
            let is_ours = |path: &&FieldPath| {
                pattern.means(object, &path.to_string()) && path.get(body).is_some()
            };
            let only_ours = ours.iter().find(is_ours);
            if let (Some(path), true) = (only_ours, left.len() == before)
                && self.yielded.contains(pattern)
            {
                return Err(OwnedAlone {
                    pattern: pattern.to_string(),
                    field: path.to_string(),
                });
            }
        }
        Ok(left)
    }
}

/// The conflicts that the API server reports, with what the live object says of their owners.
/// `reported` are pairs of a field's path and its manager; `ours` is the object that a forced apply
/// would leave.
#[must_use]
pub fn conflicts(reported: &[(String, String)], live: &Value, ours: &Value) -> Vec<Conflict> {
    let shows_values = !crate::secret::is_secret(ours);
    let managers = managers(live);
    let mut rows = Vec::new();
    for (field, name) in reported {
        let found = managers
            .iter()
            .filter(|manager| manager.name == *name)
            .find_map(|manager| {
                let mut paths = manager.fields.iter();
                let path = paths.find(|path| path.to_string() == *field)?;
                Some(Conflict::over(path, manager, live, ours, shows_values))
            });
        rows.push(found.unwrap_or_else(|| Conflict::unseen(field, name)));
    }
    rows
}

/// Writes the live value into the body of an apply where a forced apply would not change it: then
/// there is no conflict, and the field has two owners. Returns whether there is such a field.
///
/// The API server compares what the manifest says with what the other manager owns before it sets
/// defaults, so a manager that has applied the very same manifest conflicts with us.
pub fn share_equal_fields(
    conflicts: &[Conflict],
    live: &Value,
    planned: &Value,
    body: &mut Value,
) -> bool {
    let mut shares = false;
    for manager in managers(live) {
        for path in &manager.fields {
            let field = path.to_string();
            let is_in_conflict = conflicts
                .iter()
                .any(|conflict| conflict.field == field && conflict.manager == manager.name);
            let Some(value) = path.get(live).filter(|_| is_in_conflict) else {
                continue;
            };
            if path.get(planned) == Some(value) && path.get(body) != Some(value) {
                path.set(body, value.clone());
                shares = true;
            }
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OURS: &str = "cryptoctl";

    fn web() -> ObjectRef {
        ObjectRef::new("apps", "StatefulSet", Some("shop"), "web")
    }

    /// Scaled by kubectl; the image was set by hand, and the label is an operator's.
    fn live() -> Value {
        json!({
            "metadata": {"labels": {"app": "web", "team": "b"}, "managedFields": [
                {"manager": OURS, "operation": "Apply", "fieldsV1": {
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
        let left = choices.leave_out(&web(), &live(), &mut rest, OURS).unwrap();
        let fields = left.into_iter().map(|conflict| conflict.field).collect();
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
    fn a_field_of_ours_alone_cannot_be_yielded_by_name() {
        let mut choices = FieldChoices {
            yielded: vec![".spec.serviceName".parse().unwrap()],
            ..FieldChoices::default()
        };
        let alone = choices.leave_out(&web(), &live(), &mut body(), OURS);
        assert_eq!(alone.unwrap_err().field, ".spec.serviceName");
        choices.always_yielded = std::mem::take(&mut choices.yielded);
        let mut rest = body();
        let left = choices.leave_out(&web(), &live(), &mut rest, OURS);
        assert_eq!(left, Ok(vec![]), "until somebody else owns it");
        assert_eq!(rest, body());
    }

    #[test]
    fn a_conflict_says_who_owns_the_field_and_since_when() {
        let reported = [(".spec.replicas".to_owned(), "kubectl".to_owned())];
        let [row] = conflicts(&reported, &live(), &body()).try_into().unwrap();
        assert_eq!(
            row.to_string(),
            "`.spec.replicas` (live 3, ours 2) is owned by kubectl (scale)"
        );
        assert_eq!(row.time, "2026-11-30T10:00:00Z".parse().ok());
        let secret = json!({"kind": "Secret", "apiVersion": "v1", "spec": {"replicas": 2}});
        let [row] = conflicts(&reported, &live(), &secret).try_into().unwrap();
        assert_eq!((row.live, row.ours), (Value::Null, Value::Null));
    }

    #[test]
    fn only_named_conflicts_are_taken() {
        let reported = [(".spec.replicas".to_owned(), "kubectl".to_owned())];
        let [row] = conflicts(&reported, &live(), &body()).try_into().unwrap();
        let taking = |pattern: &str| FieldChoices {
            take: vec![pattern.parse().unwrap()],
            ..FieldChoices::default()
        };
        assert!(!FieldChoices::default().takes(&web(), &row));
        assert!(taking(".spec.replicas@kubectl").takes(&web(), &row));
        assert!(!taking(".spec.replicas@kubectl-edit").takes(&web(), &row));
        let all = FieldChoices {
            take_all: true,
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
}
