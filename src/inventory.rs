//! The inventory of a set: an object in the cluster that says which kinds to look through for the objects
//! of the set, which carry its label. Other tools read it, too (KEP-3659, `ApplySet`).

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::object::ObjectRef;

/// The label of every object of a set.
const PART_OF: &str = "applyset.kubernetes.io/part-of";
/// The label of the inventory itself.
const ID: &str = "applyset.kubernetes.io/id";
/// Which tool may change the set.
const TOOLING: &str = "applyset.kubernetes.io/tooling";
/// The kinds of the objects, as `KIND.GROUP`.
const KINDS: &str = "applyset.kubernetes.io/contains-group-kinds";
/// The namespaces of the objects, beside that of the inventory.
const NAMESPACES: &str = "applyset.kubernetes.io/additional-namespaces";
/// This tool. The version is that of the format: a new version of the tool is no change of the set.
const OURS: &str = "cryptoctl/v1";

/// The inventory of a set, a ConfigMap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    namespace: String,
    name: String,
}

/// Where the objects of a set are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The kinds, each with its group.
    pub kinds: BTreeSet<(String, String)>,
    /// The namespaces.
    pub namespaces: BTreeSet<String>,
}

impl Contents {
    /// Where these objects are.
    pub fn of<'a>(objects: impl IntoIterator<Item = &'a ObjectRef>) -> Self {
        let mut contents = Self::default();
        for object in objects {
            let kind = (object.kind.clone(), object.group.clone());
            contents.kinds.insert(kind);
            contents.namespaces.extend(object.namespace.clone());
        }
        contents
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.kinds.extend(other.kinds.iter().cloned());
        self.namespaces.extend(other.namespaces.iter().cloned());
        self
    }

    /// The first without the second.
    #[must_use]
    pub fn without(mut self, other: &Self) -> Self {
        self.kinds.retain(|kind| !other.kinds.contains(kind));
        self.namespaces
            .retain(|namespace| !other.namespaces.contains(namespace));
        self
    }
}

impl Inventory {
    /// The inventory of this name.
    #[must_use]
    pub fn new(namespace: String, name: String) -> Self {
        Self { namespace, name }
    }

    /// Its identity.
    #[must_use]
    pub fn reference(&self) -> ObjectRef {
        ObjectRef::new("", "ConfigMap", Some(&self.namespace), &self.name)
    }

    /// The label selector for its objects.
    #[must_use]
    pub fn selector(&self) -> String {
        format!("{PART_OF}={}", self.id())
    }

    /// Makes an object a part of the set.
    pub fn label(&self, object: &mut Value) {
        let labels = &mut object["metadata"]["labels"];
        if labels.is_null() {
            *labels = json!({});
        }
        if let Some(labels) = labels.as_object_mut() {
            labels.insert(PART_OF.to_owned(), Value::from(self.id()));
        }
    }

    /// The object itself.
    #[must_use]
    pub fn manifest(&self, contents: &Contents) -> Value {
        let kind = |(kind, group): &(String, String)| match group.as_str() {
            "" => kind.clone(),
            group => format!("{kind}.{group}"),
        };
        let kinds: Vec<String> = contents.kinds.iter().map(kind).collect();
        let others = contents.namespaces.iter();
        let others = others.filter(|namespace| **namespace != self.namespace);
        let others: Vec<&str> = others.map(String::as_str).collect();
        let mut annotations = json!({TOOLING: OURS, KINDS: kinds.join(",")});
        if !others.is_empty() {
            annotations[NAMESPACES] = Value::from(others.join(","));
        }
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "labels": {ID: self.id()},
                "annotations": annotations,
            },
        })
    }

    /// What the live object says.
    ///
    /// # Errors
    /// Why it is no inventory of this tool, as a clause.
    pub fn contents(&self, live: &Value) -> Result<Contents, String> {
        let metadata = &live["metadata"];
        if metadata["labels"][ID] != self.id().as_str() {
            return Err("it exists and is no inventory".to_owned());
        }
        let text = |key: &str| metadata["annotations"][key].as_str().unwrap_or_default();
        let tool = text(TOOLING).split('/').next().unwrap_or_default();
        if Some(tool) != OURS.split('/').next() {
            return Err(format!("it is the inventory of `{}`", text(TOOLING)));
        }
        let items = |key| text(key).split(',').filter(|item: &&str| !item.is_empty());
        let kind = |item: &str| {
            let (kind, group) = item.split_once('.').unwrap_or((item, ""));
            (kind.to_owned(), group.to_owned())
        };
        let others = items(NAMESPACES).map(str::to_owned);
        Ok(Contents {
            kinds: items(KINDS).map(kind).collect(),
            namespaces: others.chain([self.namespace.clone()]).collect(),
        })
    }

    /// `applyset-` and `-v1` around the digest of name, namespace, kind and group.
    fn id(&self) -> String {
        let identity = format!("{}.{}.ConfigMap.", self.name, self.namespace);
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(identity));
        format!("applyset-{digest}-v1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory() -> Inventory {
        Inventory::new("shop".to_owned(), "web".to_owned())
    }

    fn objects() -> Vec<ObjectRef> {
        vec![
            ObjectRef::new("apps", "StatefulSet", Some("shop"), "web"),
            ObjectRef::new("", "ConfigMap", Some("extra"), "settings"),
            ObjectRef::new("", "ConfigMap", Some("shop"), "settings"),
            ObjectRef::new("rbac.authorization.k8s.io", "ClusterRole", None, "reader"),
        ]
    }

    #[test]
    fn what_it_says_is_read_again() {
        let contents = Contents::of(&objects());
        let manifest = inventory().manifest(&contents);
        let annotations = &manifest["metadata"]["annotations"];
        let kinds = "ClusterRole.rbac.authorization.k8s.io,ConfigMap,StatefulSet.apps";
        assert_eq!(annotations[KINDS], kinds);
        assert_eq!(annotations[NAMESPACES], "extra");
        assert_eq!(inventory().contents(&manifest), Ok(contents));
    }

    /// The digest of `web.shop.ConfigMap.` by `sha256sum`.
    #[test]
    fn its_id_is_that_of_the_specification() {
        let mut object = json!({"metadata": {"name": "web"}});
        inventory().label(&mut object);
        let id = "applyset-LfI8Vi9Cj-oN7gdQMc0pVAUtzPHQLFbNnE8ILiyJ7TY-v1";
        assert_eq!(object["metadata"]["labels"][PART_OF], id);
        assert_eq!(inventory().selector(), format!("{PART_OF}={id}"));
        assert!(id.len() <= 63, "a label has at most 63 characters");
    }

    #[test]
    fn what_belongs_to_others_is_left_alone() {
        let mut foreign = inventory().manifest(&Contents::default());
        foreign["metadata"]["annotations"][TOOLING] = json!("kubectl/v1.37.0");
        let why = "it is the inventory of `kubectl/v1.37.0`";
        assert_eq!(inventory().contents(&foreign), Err(why.to_owned()));
        let plain = json!({"metadata": {"name": "web"}});
        let why = "it exists and is no inventory";
        assert_eq!(inventory().contents(&plain), Err(why.to_owned()));
    }
}
