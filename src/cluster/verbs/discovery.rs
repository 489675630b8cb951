//! Which kinds the API server serves, and under which paths.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIResource, APIResourceList};
use kube::core::{ApiResource, GroupVersionKind};
use tokio::time::sleep;

use super::super::connect::{Cluster, get};
use super::super::error::ClusterError;
use super::super::request::decode;

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

    /// `controllerrevisions`.
    #[must_use]
    pub fn controller_revision() -> Self {
        Self::known(
            "apps",
            "v1",
            "ControllerRevision",
            "controllerrevisions",
            true,
        )
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

/// What every API server of Kubernetes serves, so that its absence is nobody's word.
const ALWAYS_SERVED: [&str; 3] = ["v1", "apps/v1", "policy/v1"];
/// How often and how long to wait until what is announced is served.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(500);

impl Cluster {
    /// The version of each group that the API server prefers; `v1` of the core group.
    ///
    /// # Errors
    /// Any [`ClusterError`] of a request.
    pub async fn preferred_versions(&self) -> Result<BTreeMap<String, String>, ClusterError> {
        let groups = self.sender.read(get("/apis"), decode::groups).await?;
        let preferred = groups.groups.into_iter().filter_map(|group| {
            let preferred = group.preferred_version?;
            Some((group.name, preferred.version))
        });
        let core = (String::new(), "v1".to_owned());
        Ok(preferred.chain([core]).collect())
    }

    /// Which kinds a group version has.
    ///
    /// # Errors
    /// Any [`ClusterError`] of a request. A path that nobody serves is answered by the multiplexer,
    /// without a `Status`: as anything does that is no API server.
    pub(crate) async fn resources(
        &self,
        group_version: &str,
    ) -> Result<APIResourceList, ClusterError> {
        let prefix = if group_version.contains('/') {
            "/apis"
        } else {
            "/api"
        };
        let request = get(&format!("{prefix}/{group_version}"));
        let decode = |bytes: &[u8]| decode::resources(bytes, group_version);
        self.sender.read(request, decode).await
    }

    /// Whether a request has failed because its kind is not served any more, as after the deletion of
    /// its definition: then none of its objects is left. The path is nobody's by then, and what
    /// answers for it may be anything, so only the API server's own lists say so.
    pub async fn has_dropped(&self, kind: &ResourceKind, error: &ClusterError) -> bool {
        let group_version = &kind.resource.api_version;
        if !is_nowhere(error) || ALWAYS_SERVED.contains(&group_version.as_str()) {
            return false;
        }
        for attempt in 1..=ATTEMPTS {
            let Ok(list) = fetch(self, group_version).await else {
                return false;
            };
            let resources = list.map(|list| list.resources).unwrap_or_default();
            let plural = &kind.resource.plural;
            if !resources.iter().any(|resource| resource.name == *plural) {
                return true;
            }
            // It is listed a moment longer than it is served.
            if attempt < ATTEMPTS {
                sleep(PAUSE).await;
            }
        }
        false
    }
}

/// Whether an answer says that a path leads nowhere, and not that an object of this name is absent.
fn is_nowhere(error: &ClusterError) -> bool {
    match error {
        ClusterError::NotFound { name, .. } => name.is_empty(),
        ClusterError::Refused { code, .. } => *code == 404,
        _ => false,
    }
}

/// The kinds of a group version; `None` only when an API server's own list of groups lacks it.
async fn fetch(
    cluster: &Cluster,
    group_version: &str,
) -> Result<Option<APIResourceList>, ClusterError> {
    let mut attempt = 1;
    loop {
        let error = match cluster.resources(group_version).await {
            Ok(list) => return Ok(Some(list)),
            Err(error) => error,
        };
        let is_not_there = matches!(
            error,
            ClusterError::NotFound { .. } | ClusterError::Refused { code: 404, .. }
        );
        if !is_not_there || ALWAYS_SERVED.contains(&group_version) {
            return Err(error);
        }
        let groups = cluster.sender.read(get("/apis"), decode::groups).await?;
        let mut announced = groups.groups.iter().flat_map(|group| &group.versions);
        if !announced.any(|version| version.group_version == group_version) {
            return Ok(None);
        }
        // A definition that was just created or deleted is announced before it is served, or after.
        if attempt == ATTEMPTS {
            return Err(error);
        }
        attempt += 1;
        sleep(PAUSE).await;
    }
}
