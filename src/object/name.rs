//! An object as a person names it.

use std::fmt;
use std::str::FromStr;

use super::ObjectRef;

/// The short names of kinds that people deploy (`kubectl api-resources`).
const SHORT: [(&str, &str); 13] = [
    ("cj", "cronjob"),
    ("cm", "configmap"),
    ("deploy", "deployment"),
    ("ds", "daemonset"),
    ("hpa", "horizontalpodautoscaler"),
    ("ing", "ingress"),
    ("netpol", "networkpolicy"),
    ("pdb", "poddisruptionbudget"),
    ("po", "pod"),
    ("pvc", "persistentvolumeclaim"),
    ("sa", "serviceaccount"),
    ("sts", "statefulset"),
    ("svc", "service"),
];

/// `KIND/NAME`, in the spellings that kubectl accepts. A kind that is not part of Kubernetes is written with
/// its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName {
    kind: String,
    name: String,
}

impl ObjectName {
    /// How an object is named.
    #[must_use]
    pub fn of(object: &ObjectRef) -> Self {
        Self {
            kind: object.kind_with_group(),
            name: object.name.clone(),
        }
    }

    /// Whether it means an object, in whichever namespace.
    #[must_use]
    pub fn means(&self, object: &ObjectRef) -> bool {
        self.name == object.name && is_kind(&self.kind, object)
    }
}

/// Whether a spelling means the kind of an object: with its group, or without if it is one of Kubernetes
/// itself; in the singular, the plural or short.
pub(crate) fn is_kind(spelling: &str, object: &ObjectRef) -> bool {
    let (kind, group) = spelling.split_once('.').unwrap_or((spelling, ""));
    let singular = object.kind.to_lowercase();
    let is_group =
        group == object.group || spelling == kind && object.kind_with_group() == singular;
    let is_short = || SHORT.contains(&(kind, singular.as_str()));
    is_group && (kind == singular || kind == plural(&singular) || is_short())
}

/// The plural by the rules of English, as almost all kinds form it.
fn plural(singular: &str) -> String {
    if let Some(stem) = singular.strip_suffix('y') {
        format!("{stem}ies")
    } else if singular.ends_with('s') {
        format!("{singular}es")
    } else {
        format!("{singular}s")
    }
}

impl FromStr for ObjectName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((kind, name)) if !kind.is_empty() && !name.is_empty() && !name.contains('/') => {
                Ok(Self {
                    kind: kind.to_lowercase(),
                    name: name.to_owned(),
                })
            }
            _ => Err("KIND/NAME, such as service/web"),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_named_as_kubectl_names_it() {
        let web = ObjectRef::new("apps", "StatefulSet", Some("shop"), "web");
        for text in [
            "statefulset/web",
            "StatefulSets/web",
            "sts/web",
            "statefulset.apps/web",
            "statefulsets.apps/web",
        ] {
            let name: ObjectName = text.parse().unwrap();
            assert!(name.means(&web), "{text}");
        }
        for text in ["statefulset/db", "deployment/web", "sts.example.com/web"] {
            assert!(!text.parse::<ObjectName>().unwrap().means(&web), "{text}");
        }
        assert_eq!(ObjectName::of(&web).to_string(), "statefulset/web");
        for (kind, spelling) in [
            ("Ingress", "ingresses"),
            ("NetworkPolicy", "networkpolicies"),
        ] {
            let object = ObjectRef::new("networking.k8s.io", kind, None, "a");
            assert!(is_kind(spelling, &object), "{spelling}");
        }
    }

    #[test]
    fn a_kind_of_another_group_is_named_with_it() {
        let ledger = ObjectRef::new("example.com", "Ledger", None, "ours");
        assert!(!"ledger/ours".parse::<ObjectName>().unwrap().means(&ledger));
        let named: ObjectName = "ledgers.example.com/ours".parse().unwrap();
        assert!(named.means(&ledger));
    }

    #[test]
    fn anything_else_is_no_name() {
        for text in ["web", "/web", "service/", "a/b/c", ""] {
            assert!(text.parse::<ObjectName>().is_err(), "{text}");
        }
    }
}
