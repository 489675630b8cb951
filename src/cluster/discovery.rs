//! Which kinds the API server serves, and under which paths.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIResource, APIResourceList};
use kube::core::{ApiResource, GroupVersionKind};

use super::connect::{Cluster, get};
use super::decode;
use super::error::ClusterError;

/// A kind that the API server serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceKind {
    /// Its group, version, kind and plural name.
    pub resource: ApiResource,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Whether its status is a subresource, which no apply changes; a custom resource may have a
    /// status that is data like everything else.
    pub has_status_subresource: bool,
}

impl ResourceKind {
    /// A kind whose plural and scope are known without asking, its status as of every kind of
    /// Kubernetes itself.
    #[must_use]
    pub fn known(group: &str, version: &str, kind: &str, plural: &str, namespaced: bool) -> Self {
        let kind = GroupVersionKind::gvk(group, version, kind);
        Self {
            resource: ApiResource::from_gvk_with_plural(&kind, plural),
            namespaced,
            has_status_subresource: true,
        }
    }

    /// `namespaces`.
    #[must_use]
    pub fn namespace() -> Self {
        Self::known("", "v1", "Namespace", "namespaces", false)
    }

    /// `pods`.
    #[must_use]
    pub fn pod() -> Self {
        Self::known("", "v1", "Pod", "pods", true)
    }

    /// `persistentvolumeclaims`.
    #[must_use]
    pub fn claim() -> Self {
        Self::known(
            "",
            "v1",
            "PersistentVolumeClaim",
            "persistentvolumeclaims",
            true,
        )
    }

    /// `events` of the core group, which `kubectl describe` reads too.
    #[must_use]
    pub fn event() -> Self {
        Self::known("", "v1", "Event", "events", true)
    }

    /// `statefulsets`.
    #[must_use]
    pub fn stateful_set() -> Self {
        Self::known("apps", "v1", "StatefulSet", "statefulsets", true)
    }

    /// `nodes`.
    #[must_use]
    pub fn node() -> Self {
        Self::known("", "v1", "Node", "nodes", false)
    }

    /// `services`.
    #[must_use]
    pub fn service() -> Self {
        Self::known("", "v1", "Service", "services", true)
    }

    /// `endpointslices`.
    #[must_use]
    pub fn endpoint_slice() -> Self {
        let group = "discovery.k8s.io";
        Self::known(group, "v1", "EndpointSlice", "endpointslices", true)
    }

    /// `poddisruptionbudgets`.
    #[must_use]
    pub fn disruption_budget() -> Self {
        let kind = "PodDisruptionBudget";
        Self::known("policy", "v1", kind, "poddisruptionbudgets", true)
    }

    /// `leases`.
    #[must_use]
    pub fn lease() -> Self {
        Self::known("coordination.k8s.io", "v1", "Lease", "leases", true)
    }

    /// `storageclasses`.
    #[must_use]
    pub fn storage_class() -> Self {
        Self::known(
            "storage.k8s.io",
            "v1",
            "StorageClass",
            "storageclasses",
            false,
        )
    }
}

/// The kinds of the group versions that were asked for so far.
#[derive(Clone, Default)]
pub struct ServedKinds {
    by_group_version: Arc<Mutex<BTreeMap<String, Option<APIResourceList>>>>,
}

impl ServedKinds {
    /// Looks a kind up, asking the API server once for each group version.
    ///
    /// # Errors
    /// Any [`ClusterError`] of a request, except that a group version which is not served is `None`.
    pub async fn find(
        &self,
        cluster: &Cluster,
        kind: &GroupVersionKind,
    ) -> Result<Option<ResourceKind>, ClusterError> {
        let group_version = kind.api_version();
        if !self.lock().contains_key(&group_version) {
            let list = fetch(cluster, &group_version).await?;
            self.lock().insert(group_version.clone(), list);
        }
        let known = self.lock();
        let list = known.get(&group_version).and_then(Option::as_ref);
        let resources = list.map(|list| list.resources.as_slice());
        let resources = resources.unwrap_or_default();
        let found = resources
            .iter()
            .find(|resource| resource.kind == kind.kind && !resource.name.contains('/'));
        Ok(found.map(|resource| ResourceKind {
            resource: ApiResource::from_gvk_with_plural(kind, &resource.name),
            namespaced: resource.namespaced,
            has_status_subresource: has_status_subresource(resources, &resource.name),
        }))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Option<APIResourceList>>> {
        self.by_group_version
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn has_status_subresource(resources: &[APIResource], plural: &str) -> bool {
    resources
        .iter()
        .any(|resource| resource.name.strip_suffix("/status") == Some(plural))
}

async fn fetch(
    cluster: &Cluster,
    group_version: &str,
) -> Result<Option<APIResourceList>, ClusterError> {
    let prefix = if group_version.contains('/') {
        "/apis"
    } else {
        "/api"
    };
    let request = get(&format!("{prefix}/{group_version}"));
    match cluster.sender.read(request, decode::json).await {
        Ok(list) => Ok(Some(list)),
        // A group that nobody serves is answered by the multiplexer, without a `Status`.
        Err(ClusterError::NotFound { .. } | ClusterError::Refused { code: 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
