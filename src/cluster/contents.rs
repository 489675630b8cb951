//! What is in a namespace, so that none is deleted with something foreign in it.

use futures::stream::{self, StreamExt};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIGroupList, APIResourceList};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;

use super::connect::{Cluster, get};
use super::discovery::ResourceKind;
use super::error::ClusterError;
use super::sender::Effect;
use crate::object::ObjectRef;

const CONCURRENCY: usize = 16;

impl Cluster {
    /// Every object in a namespace that nothing else in it owns, and that Kubernetes does not put
    /// into every namespace by itself.
    ///
    /// # Errors
    /// Any [`ClusterError`] of a request: where something cannot be listed, nothing can be said.
    pub async fn contents(&self, namespace: &str) -> Result<Vec<ObjectRef>, ClusterError> {
        let kinds = self.namespaced_kinds().await?;
        let lists: Vec<Result<Vec<ObjectRef>, ClusterError>> = stream::iter(kinds)
            .map(|kind| async move {
                let objects: Vec<Value> = self.list(&kind, Some(namespace), None, None).await?;
                let foreign = objects
                    .iter()
                    .filter(|object| !comes_by_itself(&kind, object));
                Ok(foreign
                    .map(|object| reference(&kind, namespace, object))
                    .collect())
            })
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;
        let mut found: Vec<ObjectRef> = Vec::new();
        for list in lists {
            found.extend(list?);
        }
        found.sort();
        Ok(found)
    }

    async fn namespaced_kinds(&self) -> Result<Vec<ResourceKind>, ClusterError> {
        let groups: APIGroupList = self.sender.json(get("/apis"), Effect::Idempotent).await?;
        let preferred = groups.groups.iter().filter_map(|group| {
            let version = group
                .preferred_version
                .as_ref()
                .or(group.versions.first())?;
            Some(format!("/apis/{}", version.group_version))
        });
        let mut kinds = Vec::new();
        for path in std::iter::once("/api/v1".to_owned()).chain(preferred) {
            let list: APIResourceList = self.sender.json(get(&path), Effect::Idempotent).await?;
            let (group, version) = list
                .group_version
                .split_once('/')
                .unwrap_or(("", list.group_version.as_str()));
            let listable = list.resources.iter().filter(|resource| {
                resource.namespaced
                    && !resource.name.contains('/')
                    && resource.verbs.iter().any(|verb| verb == "list")
            });
            kinds.extend(listable.map(|resource| {
                let kind = GroupVersionKind::gvk(group, version, &resource.kind);
                let resource = ApiResource::from_gvk_with_plural(&kind, &resource.name);
                ResourceKind {
                    resource,
                    namespaced: true,
                }
            }));
        }
        Ok(kinds)
    }
}

fn comes_by_itself(kind: &ResourceKind, object: &Value) -> bool {
    let metadata = &object["metadata"];
    let is_owned = metadata["ownerReferences"]
        .as_array()
        .is_some_and(|owners| !owners.is_empty());
    let name = metadata["name"].as_str().unwrap_or_default();
    let resource = (kind.resource.group.as_str(), kind.resource.kind.as_str());
    // The root certificate and the default account of every namespace
    // (`pkg/controller/certificates/rootcacertpublisher`, `pkg/controller/serviceaccount`).
    let in_every_namespace = matches!(
        (resource, name),
        (("", "ConfigMap"), "kube-root-ca.crt") | (("", "ServiceAccount"), "default")
    );
    let is_record = matches!(
        resource,
        ("" | "events.k8s.io", "Event") | ("metrics.k8s.io", _) | ("", "Endpoints")
    );
    is_owned || in_every_namespace || is_record
}

fn reference(kind: &ResourceKind, namespace: &str, object: &Value) -> ObjectRef {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    ObjectRef::new(
        &kind.resource.group,
        &kind.resource.kind,
        Some(namespace),
        name,
    )
}
