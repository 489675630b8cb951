//! The long-running containers of a pod: its own, and its native sidecars.

use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod, PodSpec};

/// The containers that run as long as the pod does: its own, then its sidecars, which are init
/// containers that always restart (KEP-753).
pub fn long_running(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    let sidecars = spec.init_containers.iter().flatten();
    spec.containers
        .iter()
        .chain(sidecars.filter(|it| is_sidecar(it)))
}

/// Whether an init container is a native sidecar.
#[must_use]
pub(super) fn is_sidecar(init_container: &Container) -> bool {
    init_container.restart_policy.as_deref() == Some("Always")
}

/// The statuses of the containers that run as long as the pod does.
pub fn long_running_statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let own = status.and_then(|status| status.container_statuses.as_deref());
    let init = status.and_then(|status| status.init_container_statuses.as_deref());
    let init = init.unwrap_or_default().iter().filter(|status| {
        let known = pod
            .spec
            .iter()
            .flat_map(|spec| spec.init_containers.iter().flatten());
        known
            .into_iter()
            .any(|it| it.name == status.name && is_sidecar(it))
    });
    own.unwrap_or_default().iter().chain(init)
}

/// The statuses of all containers of a pod, init containers first.
pub fn all_statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let init = status.and_then(|status| status.init_container_statuses.as_deref());
    let own = status.and_then(|status| status.container_statuses.as_deref());
    let init = init.unwrap_or_default().iter();
    init.chain(own.unwrap_or_default())
}
