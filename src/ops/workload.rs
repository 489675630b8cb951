//! The StatefulSet that a command works on.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde::Deserialize;
use serde_json::Value;

use super::error::OpsError;
use super::nearby::Nearby;
use super::{Context, Set};
use crate::cluster::ResourceKind;
use crate::manifest::Manifest;
use crate::object::ObjectRef;
use crate::status;

/// A StatefulSet by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The selector of its pods in the manifests, where they have it: its pods can be listed before it
    /// has been read.
    pub selector: Option<String>,
}

impl Workload {
    /// The StatefulSet that the user named, or the only one of the set.
    ///
    /// A name in the set is looked up in the namespace of the set; any other name in the namespace
    /// of `-n` or of the context.
    ///
    /// # Errors
    /// [`OpsError::WhichWorkload`] when none is named and the set does not contain exactly one.
    pub fn choose(context: &Context, set: &Set, named: Option<&str>) -> Result<Self, OpsError> {
        let candidates = candidates(set, named);
        let namespace = |reference: Option<&ObjectRef>| {
            let of_set = reference.and_then(|reference| reference.namespace.clone());
            context
                .namespace
                .clone()
                .or(of_set)
                .unwrap_or_else(|| context.default_namespace().to_owned())
        };
        match (candidates.as_slice(), named) {
            ([manifest], _) => Ok(Self {
                namespace: namespace(Some(&manifest.reference)),
                name: manifest.reference.name.clone(),
                selector: selector_in(manifest),
            }),
            ([], Some(name)) => Ok(Self {
                namespace: namespace(None),
                name: name.to_owned(),
                selector: None,
            }),
            _ => Err(OpsError::WhichWorkload {
                candidates: candidates
                    .into_iter()
                    .map(|manifest| manifest.reference.clone())
                    .collect(),
            }),
        }
    }

    /// The command to paste that undoes what an experiment has left behind.
    #[must_use]
    pub fn restore_command(&self) -> String {
        status::restore_command(&self.namespace, &self.name)
    }

    /// A command of this program on it, to paste.
    #[must_use]
    pub fn command(&self, verb: &str) -> String {
        format!(
            "cryptoctl {verb} statefulset/{} -n {}",
            self.name, self.namespace
        )
    }

    /// The namespace of a run: that of the named StatefulSet, or the one that all objects of the
    /// set share; otherwise the default namespace.
    #[must_use]
    pub fn namespace_of(context: &Context, set: &Set, named: Option<&str>) -> String {
        let of_sets = candidates(set, named)
            .into_iter()
            .filter_map(|manifest| manifest.reference.namespace.clone());
        let mut namespaces: Vec<String> = context
            .namespace
            .clone()
            .map_or_else(|| of_sets.collect(), |namespace| vec![namespace]);
        namespaces.dedup();
        match namespaces.as_slice() {
            [only] => only.clone(),
            _ => context.default_namespace().to_owned(),
        }
    }

    /// The StatefulSet of a resolved object in a plan.
    #[must_use]
    pub fn from_reference(reference: &ObjectRef) -> Self {
        Self {
            namespace: reference.namespace.clone().unwrap_or_default(),
            name: reference.name.clone(),
            selector: None,
        }
    }

    /// Its identity.
    #[must_use]
    pub fn reference(&self) -> ObjectRef {
        ObjectRef::new("apps", "StatefulSet", Some(&self.namespace), &self.name)
    }

    /// Its live state.
    ///
    /// # Errors
    /// [`OpsError::NoSuchWorkload`], or a failed request.
    pub(crate) async fn read(&self, context: &Context) -> Result<StatefulSet, OpsError> {
        match self.find(context).await? {
            Some(found) => Ok(found),
            None => Err(Box::pin(self.missing(context)).await),
        }
    }

    /// Its live state; `None` when there is no such StatefulSet.
    ///
    /// # Errors
    /// A failed request.
    pub(crate) async fn find(&self, context: &Context) -> Result<Option<StatefulSet>, OpsError> {
        let object = self.reference();
        context
            .cluster
            .get(
                &ResourceKind::stateful_set(),
                Some(&self.namespace),
                &self.name,
            )
            .await
            .map_err(OpsError::while_doing(format!("read `{object}`")))
    }

    /// The error that it does not exist, with what exists instead.
    pub(crate) async fn missing(&self, context: &Context) -> OpsError {
        OpsError::NoSuchWorkload {
            object: self.reference(),
            nearby: Box::new(Nearby::look(context, &self.namespace).await),
        }
    }
}

/// The StatefulSets of a set, or those with a given name.
fn candidates<'a>(set: &'a Set, named: Option<&str>) -> Vec<&'a Manifest> {
    let manifests = set.manifests.manifests().iter();
    manifests
        .filter(|manifest| manifest.reference.is("apps", "StatefulSet"))
        .filter(|manifest| named.is_none_or(|name| name == manifest.reference.name))
        .collect()
}

/// The selector that a manifest gives its StatefulSet; `None` where it has none that can be read.
fn selector_in(manifest: &Manifest) -> Option<String> {
    selector_of(manifest.value.pointer("/spec/selector")?)
}

/// A label selector as a query; `None` if it is none.
pub(crate) fn selector_of(selector: &Value) -> Option<String> {
    let selector = LabelSelector::deserialize(selector).ok()?;
    let query = query(&selector);
    (!query.is_empty()).then_some(query)
}

/// The labels that a StatefulSet gives its pods.
pub(crate) fn pod_labels(stateful_set: &StatefulSet) -> BTreeMap<String, String> {
    let metadata = stateful_set.spec.template.metadata.as_ref();
    metadata
        .and_then(|metadata| metadata.labels.clone())
        .unwrap_or_default()
}

/// The label selector of a StatefulSet's pods, as a query.
pub(crate) fn pod_selector(stateful_set: &StatefulSet) -> String {
    query(&stateful_set.spec.selector)
}

fn query(selector: &LabelSelector) -> String {
    let equal = selector
        .match_labels
        .iter()
        .flatten()
        .map(|(key, value)| format!("{key}={value}"));
    let expressions = selector
        .match_expressions
        .iter()
        .flatten()
        .map(|expression| {
            let key = &expression.key;
            let values = expression.values.clone().unwrap_or_default().join(",");
            match expression.operator.as_str() {
                "In" => format!("{key} in ({values})"),
                "NotIn" => format!("{key} notin ({values})"),
                "DoesNotExist" => format!("!{key}"),
                _ => key.clone(),
            }
        });
    equal.chain(expressions).collect::<Vec<_>>().join(",")
}
