//! What is in a namespace, so that none is deleted with something foreign in it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;
use tokio::time::sleep;

use super::super::connect::{Cluster, get};
use super::super::error::ClusterError;
use super::super::request::decode;
use super::discovery::ResourceKind;
use crate::object::ObjectRef;

const CONCURRENCY: usize = 16;
/// How often and how long to wait until what is announced is served.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(500);

impl Cluster {
    /// Every object in a namespace that nothing else in it owns, and that Kubernetes does not put
    /// into every namespace by itself.
    ///
    /// # Errors
    /// Any [`ClusterError`] of a request: where something cannot be listed, nothing can be said.
    pub async fn contents(&self, namespace: &str) -> Result<Vec<ObjectRef>, ClusterError> {
        let all = self.everything(namespace).await?;
        let present: BTreeSet<&str> = all.iter().filter_map(|(_, object)| uid(object)).collect();
        let foreign: BTreeSet<ObjectRef> = all
            .iter()
            .filter(|(kind, object)| !comes_by_itself(kind, object) && !is_owned(object, &present))
            .map(|(kind, object)| reference(kind, namespace, object))
            .collect();
        Ok(foreign.into_iter().collect())
    }

    /// Every object in a namespace that has finalizers, with these.
    ///
    /// # Errors
    /// As [`Self::contents`].
    pub async fn held_contents(
        &self,
        namespace: &str,
    ) -> Result<BTreeMap<ObjectRef, Vec<String>>, ClusterError> {
        let all = self.everything(namespace).await?;
        let named = all.iter().map(|(kind, object)| {
            let finalizers = object["metadata"]["finalizers"].as_array();
            let finalizers = finalizers.into_iter().flatten().filter_map(Value::as_str);
            let finalizers: Vec<String> = finalizers.map(str::to_owned).collect();
            (reference(kind, namespace, object), finalizers)
        });
        Ok(named.filter(|(_, all)| !all.is_empty()).collect())
    }

    async fn everything(
        &self,
        namespace: &str,
    ) -> Result<Vec<(ResourceKind, Value)>, ClusterError> {
        let mut attempt = 1;
        loop {
            match self.everything_once(namespace).await {
                // A kind whose definition was just deleted is announced a moment longer than it is
                // served. Nothing else tells that from a page of something in between.
                Err(ClusterError::Refused { code: 404, .. }) if attempt < ATTEMPTS => {
                    attempt += 1;
                    sleep(PAUSE).await;
                }
                all => return all,
            }
        }
    }

    async fn everything_once(
        &self,
        namespace: &str,
    ) -> Result<Vec<(ResourceKind, Value)>, ClusterError> {
        let kinds = self.namespaced_kinds().await?;
        let lists: Vec<(ResourceKind, Vec<Value>)> = stream::iter(kinds)
            .map(|kind| async move {
                let listed = self.list(&kind, Some(namespace), None, None).await;
                let objects = if_served(listed)?.unwrap_or_default();
                Ok::<_, ClusterError>((kind, objects))
            })
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        let lists = lists.into_iter();
        Ok(lists
            .flat_map(|(kind, objects)| {
                objects
                    .into_iter()
                    .map(move |object| (kind.clone(), object))
            })
            .collect())
    }

    async fn namespaced_kinds(&self) -> Result<Vec<ResourceKind>, ClusterError> {
        let groups = self.sender.read(get("/apis"), decode::groups).await?;
        // All versions: a kind may be served in another one than its group prefers.
        let group_versions = groups
            .groups
            .iter()
            .flat_map(|group| &group.versions)
            .map(|version| version.group_version.clone());
        let mut kinds = Vec::new();
        for group_version in std::iter::once("v1".to_owned()).chain(group_versions) {
            let Some(list) = if_served(self.resources(&group_version).await)? else {
                continue;
            };
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
                    has_status_subresource: true,
                }
            }));
        }
        Ok(kinds)
    }
}

/// A kind whose definition was just deleted is still announced for a moment.
fn if_served<T>(listed: Result<T, ClusterError>) -> Result<Option<T>, ClusterError> {
    match listed {
        Ok(listed) => Ok(Some(listed)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn uid(object: &Value) -> Option<&str> {
    object["metadata"]["uid"].as_str()
}

fn comes_by_itself(kind: &ResourceKind, object: &Value) -> bool {
    let metadata = &object["metadata"];
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
    in_every_namespace || is_record
}

/// Whether an object goes with another one of the namespace. Owners elsewhere do not count.
fn is_owned(object: &Value, present: &BTreeSet<&str>) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array();
    owners
        .into_iter()
        .flatten()
        .filter_map(|owner| owner["uid"].as_str())
        .any(|uid| present.contains(uid))
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
