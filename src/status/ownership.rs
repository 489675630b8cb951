//! The owner of a pod that a StatefulSet's selector matches: its controller says so, not its
//! labels.

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde::Deserialize;
use serde_json::Value;

use crate::object::ObjectRef;

/// The owner of a pod, from the view of a StatefulSet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ownership {
    /// The StatefulSet's own.
    Own,
    /// It belongs to a StatefulSet of the same name, deleted earlier or created later.
    Namesake,
    /// It belongs to another controller.
    Other(ObjectRef),
    /// It has no controller: a StatefulSet may adopt it.
    Nobody,
}

impl Ownership {
    /// The owner of a pod.
    #[must_use]
    pub fn of(pod: &Pod, stateful_set: &StatefulSet) -> Self {
        if is_owned_by(pod, stateful_set) {
            return Self::Own;
        }
        let Some(owner) = controller(owners(pod)) else {
            return Self::Nobody;
        };
        let group = owner
            .api_version
            .rsplit_once('/')
            .map_or("", |(group, _)| group);
        let namespace = pod.metadata.namespace.as_deref();
        let object = ObjectRef::new(group, &owner.kind, namespace, &owner.name);
        let is_namesake = object.is("apps", "StatefulSet")
            && Some(&object.name) == stateful_set.metadata.name.as_ref();
        if is_namesake {
            Self::Namesake
        } else {
            Self::Other(object)
        }
    }

    /// Whether it is a replica of this StatefulSet, or of another one of the same name.
    #[must_use]
    pub fn is_replica(&self) -> bool {
        matches!(self, Self::Own | Self::Namesake)
    }
}

/// Whether the StatefulSet is the pod's controller.
#[must_use]
pub fn is_owned_by(pod: &Pod, stateful_set: &StatefulSet) -> bool {
    let uid = stateful_set.metadata.uid.as_deref();
    controller(owners(pod)).is_some_and(|owner| Some(owner.uid.as_str()) == uid)
}

/// Whether an object of any kind belongs to a controller.
#[must_use]
pub fn has_controller(object: &Value) -> bool {
    let owners = &object["metadata"]["ownerReferences"];
    let owners = Vec::<OwnerReference>::deserialize(owners).unwrap_or_default();
    controller(&owners).is_some()
}

fn owners(pod: &Pod) -> &[OwnerReference] {
    let owners = pod.metadata.owner_references.as_deref();
    owners.unwrap_or_default()
}

/// Of all owners, at most one is the controller.
fn controller(owners: &[OwnerReference]) -> Option<&OwnerReference> {
    owners.iter().find(|owner| owner.controller == Some(true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_controller_says_whose_a_pod_is() {
        let set: StatefulSet = serde_json::from_value(json!({
            "metadata": {"name": "web", "uid": "s"},
            "spec": {"selector": {}, "serviceName": "web", "template": {}},
        }))
        .unwrap();
        let owner = |kind: &str, name: &str, uid: &str| json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid, "controller": true}]);
        let other =
            |kind: &str, name: &str| Ownership::Other(ObjectRef::new("apps", kind, None, name));
        let table: [(Value, Ownership); 6] = [
            (owner("StatefulSet", "web", "s"), Ownership::Own),
            (owner("StatefulSet", "web", "former"), Ownership::Namesake),
            (owner("StatefulSet", "db", "d"), other("StatefulSet", "db")),
            (owner("ReplicaSet", "web", "r"), other("ReplicaSet", "web")),
            (json!([]), Ownership::Nobody),
            // An owner that is not a controller does not prevent an adoption.
            (
                json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "web", "uid": "c"}]),
                Ownership::Nobody,
            ),
        ];
        for (owners, expected) in table {
            let pod = json!({"metadata": {"name": "web-0", "ownerReferences": owners}});
            let is_controlled = expected != Ownership::Nobody;
            assert_eq!(has_controller(&pod), is_controlled, "{owners}");
            let pod: Pod = serde_json::from_value(pod).unwrap();
            assert_eq!(Ownership::of(&pod, &set), expected, "{owners}");
        }
    }
}
