//! Fields of a live object that no manifest declares and that somebody has set.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::conflict::shown;
use super::manager::{Manager, managers};
use super::owner::{Owner, ROLLOUT_MANAGER};
use super::ownership::is_divided;
use super::path::{FieldPath, pointer};
use super::pattern::FieldPattern;
use crate::object::ObjectRef;
use crate::secret::{LAST_APPLIED, is_secret};

/// Fields that the API server gives a value of its own to each object, which nobody has chosen: the
/// addresses and ports of a Service, the volume of a claim.
const ALLOCATED: [(&str, &str); 6] = [
    ("Service", ".spec.clusterIP"),
    ("Service", ".spec.clusterIPs"),
    ("Service", ".spec.healthCheckNodePort"),
    ("Service", ".spec.ports[].nodePort"),
    ("PersistentVolumeClaim", ".spec.volumeName"),
    ("Namespace", ".metadata.labels.kubernetes.io/metadata.name"),
];

/// A field that is live but in no manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndeclaredField {
    /// Its path, such as `.spec.template.spec.containers[name="api"].env[name="DEBUG"]`.
    pub field: String,
    /// Its live value; `null` if it cannot be shown, as those of Secrets.
    pub live: Value,
    /// The managers of the field and of what is below it.
    pub owners: Vec<Owner>,
    /// The path, element by element.
    #[serde(skip)]
    path: FieldPath,
}

impl UndeclaredField {
    /// Whether a pattern means it: a pattern with a manager only if nobody else has set it, too.
    #[must_use]
    pub fn is_meant_by(&self, object: &ObjectRef, pattern: &FieldPattern) -> bool {
        let mut others = self.owners.iter().filter(|owner| !owner.is_machinery());
        others.all(|owner| pattern.matches(object, &self.path, &owner.manager))
    }

    /// The live value, as far as a line can show it.
    #[must_use]
    pub fn live_text(&self) -> Option<String> {
        shown(&self.live)
    }

    /// Its path, element by element.
    #[must_use]
    pub fn path(&self) -> &FieldPath {
        &self.path
    }
}

/// The fields of a live object that managers beside this program and Kubernetes itself have set and
/// that the manifest does not declare. What belongs together, such as a probe or an item of a list, is
/// one field.
///
/// `fresh` is the object as the API server would create it from the manifest alone: what is the same
/// there is a default.
#[must_use]
pub fn undeclared(live: &Value, declared: &Value, fresh: Option<&Value>) -> Vec<UndeclaredField> {
    let shows_values = !is_secret(live);
    let managers = managers(live);
    let is_default =
        |path: &FieldPath| fresh.is_some_and(|fresh| path.get(fresh) == path.get(live));
    let mut found: Vec<UndeclaredField> = Vec::new();
    let template = FieldPath::of_fields(&["spec", "template"]);
    let annotations = FieldPath::of_fields(&["spec", "template", "metadata", "annotations"]);
    // What `rollout undo` has brought back, and not what makes pods roll.
    let is_back = |manager: &Manager, path: &FieldPath| {
        let is_steered = manager.owner.manager == ROLLOUT_MANAGER;
        is_steered && path.is_in(&template) && !path.is_in(&annotations)
    };
    for manager in &managers {
        let is_machinery = manager.owner.is_machinery();
        let fields = manager.fields.iter();
        for path in fields.filter(|path| !is_machinery || is_back(manager, path)) {
            let is_gone = path.get(live).is_none();
            let is_known = path.get(declared).is_some() || is_left_alone(live, path);
            let has_parts = !path.is_item() && is_divided(path, &managers);
            if is_gone || is_known || has_parts || is_default(path) {
                continue;
            }
            let is_free = |whole: &FieldPath| {
                let is_absent = |object: &Value| whole.get(object).is_none();
                is_absent(declared) && fresh.is_none_or(is_absent)
            };
            let whole = whole(path, manager, &managers, is_free);
            if found.iter().any(|other| whole.is_in(&other.path)) {
                continue;
            }
            found.retain(|other| !other.path.is_in(&whole));
            let live = whole.get(live).filter(|_| shows_values);
            let owning = managers.iter().filter(|manager| manager.owns_in(&whole));
            found.push(UndeclaredField {
                field: whole.to_string(),
                live: live.cloned().unwrap_or_default(),
                owners: owning.map(|manager| manager.owner.clone()).collect(),
                path: whole,
            });
        }
    }
    found
}

/// The field that a path is a part of: the highest one that is free and in which nobody but the manager
/// owns anything. Labels, annotations and items of lists stand by themselves.
fn whole(
    path: &FieldPath,
    manager: &Manager,
    managers: &[Manager],
    is_free: impl Fn(&FieldPath) -> bool,
) -> FieldPath {
    let mut whole = path.clone();
    if path.is_metadata() {
        return whole;
    }
    let is_other = |other: &&Manager| other.owner.manager != manager.owner.manager;
    while let Some(above) = whole.above_field() {
        let mut others = managers.iter().filter(is_other);
        if !is_free(&above) || others.any(|other| other.owns_in(&above)) {
            break;
        }
        whole = above;
    }
    whole
}

/// Drops the fields that have their default values: those that an object without them has all the same.
pub fn forget_defaults(fields: &mut Vec<UndeclaredField>, live: &Value, without: &Value) {
    fields.retain(|field| field.path.get(without) != field.path.get(live));
}

/// The places of fields in their object as JSON pointers (RFC 6901), in an order in which they can be
/// removed one after the other.
#[must_use]
pub fn removals(fields: &[UndeclaredField], live: &Value) -> Vec<String> {
    let mut places: Vec<_> = fields
        .iter()
        .filter_map(|field| field.path.steps_in(live))
        .collect();
    // From the end, so that no removal moves an item that is removed after it.
    places.sort_by(|one, other| other.cmp(one));
    places.dedup();
    places.iter().map(|steps| pointer(steps)).collect()
}

/// Takes the addresses and ports that the API server has drawn out of a Service that is only compared: they
/// are others each time.
pub fn forget_addresses(service: &mut Value, declared: &Value) {
    if service["kind"] != "Service" {
        return;
    }
    let declared = &declared["spec"];
    let Some(spec) = service.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    if declared["clusterIP"].is_null() {
        spec.shift_remove("clusterIP");
        spec.shift_remove("clusterIPs");
    }
    if declared["healthCheckNodePort"].is_null() {
        spec.shift_remove("healthCheckNodePort");
    }
    let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
    for (index, port) in ports.into_iter().flatten().enumerate() {
        if let Some(port) = port.as_object_mut()
            && declared["ports"][index]["nodePort"].is_null()
        {
            port.shift_remove("nodePort");
        }
    }
}

/// Whether a field is no choice of the manager that owns it: what the API server allocates, the status,
/// and the copy of the manifest that `kubectl apply` keeps.
fn is_left_alone(live: &Value, path: &FieldPath) -> bool {
    let place = path.place();
    let kind = live["kind"].as_str().unwrap_or_default();
    let last_applied = format!(".metadata.annotations.{LAST_APPLIED}");
    place == last_applied || path.is_status() || ALLOCATED.contains(&(kind, place.as_str()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn live() -> Value {
        let update = |name: &str, fields: Value| json!({"manager": name, "operation": "Update", "fieldsV1": fields});
        let container =
            |fields: Value| json!({"f:spec": {"f:containers": {"k:{\"name\":\"api\"}": fields}}});
        json!({
            "kind": "Service",
            "metadata": {
                "annotations": {"note": "x", LAST_APPLIED: "{}"},
                "managedFields": [
                    {"manager": "cryptoctl", "operation": "Apply", "fieldsV1": container(json!({
                        ".": {}, "f:name": {}, "f:image": {}}))},
                    update("kubectl-set", container(json!({"f:env": {
                        ".": {}, "k:{\"name\":\"SNEAKY\"}": {".": {}, "f:name": {}, "f:value": {}}}}))),
                    update("kubectl-create", json!({
                        "f:metadata": {"f:annotations": {".": {}, "f:note": {}, format!("f:{LAST_APPLIED}"): {}}},
                        "f:spec": {"f:policy": {}, "f:grace": {}, "f:clusterIP": {}}})),
                    update("kube-controller-manager", json!({"f:spec": {"f:nodeName": {}}})),
                    {"manager": "kubelet", "operation": "Update", "subresource": "status",
                        "fieldsV1": {"f:status": {"f:phase": {}}}},
                ]},
            "spec": {"policy": "Always", "grace": 30, "clusterIP": "10.0.0.1", "nodeName": "a", "containers": [
                {"name": "api", "image": "api:1", "env": [{"name": "SNEAKY", "value": "1"}]}]},
            "status": {"phase": "Running"},
        })
    }

    fn declared() -> Value {
        json!({"kind": "Service", "spec": {"containers": [{"name": "api", "image": "api:1"}]}})
    }

    fn names(fields: &[UndeclaredField]) -> Vec<String> {
        let name = |field: &UndeclaredField| {
            let owners: Vec<String> = field.owners.iter().map(Owner::short).collect();
            format!("{} {}", owners.join(", "), field.field)
        };
        fields.iter().map(name).collect()
    }

    #[test]
    fn what_somebody_has_set_beside_the_manifest_is_undeclared() {
        let mut found = undeclared(&live(), &declared(), None);
        let sneaky = "kubectl-set .spec.containers[name=\"api\"].env[name=\"SNEAKY\"]";
        let expected = [
            sneaky,
            "kubectl-create .metadata.annotations.note",
            "kubectl-create .spec.policy",
            "kubectl-create .spec.grace",
        ];
        assert_eq!(names(&found), expected);
        assert_eq!(found[0].live, json!({"name": "SNEAKY", "value": "1"}));
        let fresh = json!({"spec": {"policy": "Always", "grace": 60}});
        let without_default = [expected[0], expected[1], expected[3]];
        let known = undeclared(&live(), &declared(), Some(&fresh));
        assert_eq!(names(&known), without_default, "the policy is a default");
        forget_defaults(&mut found, &live(), &fresh);
        assert_eq!(names(&found), without_default);
    }

    #[test]
    fn what_the_manifest_declares_is_not_undeclared_whoever_owns_it() {
        let mut declared = declared();
        declared["spec"]["containers"][0]["env"] = json!([{"name": "SNEAKY", "value": "2"}]);
        declared["metadata"] = json!({"annotations": {"note": "y"}});
        declared["spec"]["policy"] = json!("Never");
        assert_eq!(
            names(&undeclared(&live(), &declared, None)),
            ["kubectl-create .spec.grace"]
        );
    }

    #[test]
    fn what_belongs_together_is_one_field() {
        let edit = |manager: &str, fields: Value| json!({"manager": manager, "operation": "Update", "fieldsV1": {"f:spec": fields}});
        let probe = json!({"f:probe": {
            ".": {}, "f:period": {}, "f:httpGet": {".": {}, "f:path": {}, "f:scheme": {}}}});
        let mut live = json!({
            "metadata": {"managedFields": [edit("kubectl-edit", probe)]},
            "spec": {"probe": {"period": 10, "httpGet": {"path": "/", "scheme": "HTTP"}}},
        });
        let found = undeclared(&live, &json!({"spec": {}}), Some(&json!({"spec": {}})));
        assert_eq!(names(&found), ["kubectl-edit .spec.probe"]);
        // Another manager has set a part of it: the parts stand by themselves.
        let period = edit("operator", json!({"f:probe": {"f:period": {}}}));
        live["metadata"]["managedFields"]
            .as_array_mut()
            .unwrap()
            .push(period);
        let found = undeclared(&live, &json!({"spec": {}}), None);
        let expected = [
            "kubectl-edit, operator .spec.probe.period",
            "kubectl-edit .spec.probe.httpGet",
        ];
        assert_eq!(names(&found), expected);
        let is_meant = |pattern: &str| {
            let object = ObjectRef::new("apps", "StatefulSet", None, "web");
            found[0].is_meant_by(&object, &pattern.parse().unwrap())
        };
        assert!(is_meant(".spec.probe"));
        assert!(
            !is_meant(".spec.probe@kubectl-edit"),
            "it is the operator's, too"
        );
    }

    #[test]
    fn removals_do_not_move_each_other() {
        let item = |name: &str| json!({"name": name});
        let owned: serde_json::Map<String, Value> = (0..11)
            .map(|number| (format!("k:{{\"name\":\"{number}\"}}"), json!({".": {}})))
            .collect();
        let live = json!({
            "metadata": {"annotations": {"a/b~c": "x"}, "managedFields": [
                {"manager": "x", "operation": "Update", "fieldsV1": {
                    "f:list": owned, "f:metadata": {"f:annotations": {"f:a/b~c": {}}}}}]},
            "list": (0..11).map(|number| item(&number.to_string())).collect::<Vec<_>>(),
        });
        let found = undeclared(&live, &json!({"list": [item("0")]}), None);
        let places = removals(&found, &live);
        assert_eq!(places[0], "/metadata/annotations/a~1b~0c");
        assert_eq!(places[1..3], ["/list/10", "/list/9"]);
        assert_eq!(places.last().unwrap(), "/list/1");
    }

    #[test]
    fn values_of_secrets_are_not_shown() {
        let secret = json!({"kind": "Secret", "apiVersion": "v1", "data": {"a": "aGk="}, "metadata": {
            "managedFields": [{"manager": "x", "apiVersion": "v1", "operation": "Update",
                "fieldsV1": {"f:data": {".": {}, "f:a": {}}}}]}});
        let found = undeclared(&secret, &json!({"data": {"b": "aGk="}}), None);
        assert_eq!(names(&found), ["x .data.a"]);
        assert_eq!(found[0].live, Value::Null);
    }
}
