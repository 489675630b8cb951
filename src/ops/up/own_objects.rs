//! The objects that a set itself contains. A dry run of one object does not see the others, so it
//! may be refused because of an object that will exist by the time of the write.

use std::collections::BTreeSet;

use crate::cluster::ClusterError;
use crate::manifest::references;
use crate::object::ObjectRef;
use crate::plan::Target;

/// The objects of a set.
pub(crate) struct Brought(BTreeSet<ObjectRef>);

impl Brought {
    /// The objects among these targets.
    pub(crate) fn of<'a>(targets: impl IntoIterator<Item = &'a Target>) -> Self {
        Self(
            targets
                .into_iter()
                .map(|target| target.reference.clone())
                .collect(),
        )
    }

    /// The objects.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &ObjectRef> {
        self.0.iter()
    }

    /// The objects of the set that may resolve a refused dry run once they are written.
    ///
    /// Admission names what is missing: a service account, a priority or runtime class, a role to
    /// bind (403, 404). `LimitRange`s and quotas apply to what is created after them, and the set may
    /// change them.
    pub(crate) fn what_may_lift(&self, target: &Target, error: &ClusterError) -> Vec<ObjectRef> {
        let (ClusterError::Forbidden { message, .. } | ClusterError::NotFound { message, .. }) =
            error
        else {
            return Vec::new();
        };
        let named: BTreeSet<(&str, &str, &str)> = references(&target.reference, &target.body)
            .into_iter()
            .filter(|reference| message.contains(reference.name))
            .map(|reference| (reference.group, reference.kind, reference.name))
            .collect();
        let namespace = &target.reference.namespace;
        let is_near =
            |object: &ObjectRef| object.namespace.is_none() || object.namespace == *namespace;
        let is_limit = |object: &ObjectRef| {
            (object.is("", "LimitRange") || object.is("", "ResourceQuota"))
                && *object != target.reference
        };
        self.0
            .iter()
            .filter(|object| {
                let key = (
                    object.group.as_str(),
                    object.kind.as_str(),
                    object.name.as_str(),
                );
                is_near(object) && (named.contains(&key) || is_limit(object))
            })
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::{Denial, ResourceKind};

    fn pod() -> Target {
        Target {
            reference: ObjectRef::new("", "Pod", Some("n"), "web"),
            kind: ResourceKind::pod(),
            body: json!({"spec": {"serviceAccountName": "robot", "containers": []}}),
            is_served: true,
            layer: 0,
        }
    }

    fn lifted(brought: &[ObjectRef], message: &str) -> usize {
        let brought = Brought(brought.iter().cloned().collect());
        let message = message.to_owned();
        let error = ClusterError::Forbidden {
            message,
            denial: Denial::Admission,
        };
        brought.what_may_lift(&pod(), &error).len()
    }

    #[test]
    fn a_refusal_for_want_of_what_the_set_brings_comes_too_early() {
        let robot = ObjectRef::new("", "ServiceAccount", Some("n"), "robot");
        let missing =
            "error looking up service account n/robot: serviceaccount \"robot\" not found";
        assert_eq!(lifted(std::slice::from_ref(&robot), missing), 1);
        assert_eq!(lifted(&[], missing), 0, "nobody brings it");
        let elsewhere = robot.clone().in_namespace(Some("m".to_owned()));
        assert_eq!(lifted(&[elsewhere], missing), 0);
        assert_eq!(lifted(&[robot], "violates PodSecurity \"baseline\""), 0);
    }

    #[test]
    fn limits_of_the_set_decide_over_what_comes_after_them() {
        let limits = ObjectRef::new("", "LimitRange", Some("n"), "limits");
        let refusal = "failed quota: q: must specify limits.cpu";
        assert_eq!(lifted(&[limits], refusal), 1);
    }
}
