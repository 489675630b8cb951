//! Follows which pods the Services of a workload route to.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use tokio::task::JoinHandle;

use super::prober::Endpoints;
use crate::cluster::{ClusterError, ResourceKind, Selector};
use crate::event::EventKind;
use crate::ops::workload::pod_labels;
use crate::ops::{Context, Workload};

/// The label with the name of the Service that a slice belongs to (KEP-752).
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// Follows until it is dropped.
pub(super) struct Services(JoinHandle<()>);

impl Drop for Services {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Services {
    /// Follows every Service that selects the pods of a workload. If that fails, it warns, and the report
    /// makes no claim about clients of a Service.
    pub(super) fn follow(
        context: &Context,
        workload: &Workload,
        set: &StatefulSet,
        endpoints: Endpoints,
    ) -> Self {
        let context = context.clone();
        let workload = workload.clone();
        let labels = pod_labels(set);
        Self(tokio::spawn(async move {
            if let Err(error) = follow(&context, &workload, &labels, &endpoints).await {
                context.emit(EventKind::Warning {
                    message: format!("cannot tell what clients of a Service would see: {error}"),
                });
            }
        }))
    }
}

async fn follow(
    context: &Context,
    workload: &Workload,
    labels: &BTreeMap<String, String>,
    endpoints: &Endpoints,
) -> Result<(), ClusterError> {
    let namespace = Some(workload.namespace.as_str());
    let services: Vec<Service> = context
        .cluster
        .list(&ResourceKind::service(), namespace, None, None)
        .await?;
    let names: Vec<String> = services
        .into_iter()
        .filter(|service| selects(service, labels))
        .filter_map(|service| service.metadata.name)
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    let mut slices = context.cluster.watch::<EndpointSlice>(
        &ResourceKind::endpoint_slice(),
        namespace,
        Selector::default(),
    );
    let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
    loop {
        slices.changed().await?;
        let current = slices.current().unwrap_or_default();
        for name in &names {
            let ready = ready(&current, name);
            if known.get(name) != Some(&ready) {
                endpoints.changed(name, ready.clone());
                known.insert(name.clone(), ready);
            }
        }
    }
}

/// Whether a Service selects pods with these labels; without a selector it selects none.
fn selects(service: &Service, labels: &BTreeMap<String, String>) -> bool {
    let selector = service
        .spec
        .as_ref()
        .and_then(|spec| spec.selector.as_ref());
    selector.is_some_and(|selector| {
        !selector.is_empty()
            && selector
                .iter()
                .all(|(key, value)| labels.get(key) == Some(value))
    })
}

/// The pods that a Service routes to, by name.
fn ready(slices: &[EndpointSlice], service: &str) -> Vec<String> {
    let mut pods: Vec<String> = slices
        .iter()
        .filter(|slice| {
            let labels = slice.metadata.labels.as_ref();
            labels.and_then(|labels| labels.get(SERVICE_NAME)) == Some(&service.to_owned())
        })
        .flat_map(|slice| slice.endpoints.iter().flatten())
        .filter(|endpoint| {
            let conditions = endpoint.conditions.as_ref();
            // An unset condition means ready, as the type's documentation says.
            conditions
                .and_then(|conditions| conditions.ready)
                .unwrap_or(true)
        })
        .filter_map(|endpoint| endpoint.target_ref.as_ref()?.name.clone())
        .collect();
    pods.sort();
    pods.dedup();
    pods
}
