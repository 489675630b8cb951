//! The components of a cluster, in the order of their dependencies.

mod api_server;
pub(crate) mod containerd;
mod controller_manager;
mod etcd;
pub(crate) mod keys;
mod kubelet;
mod kwok;
pub(crate) mod registry;
mod scheduler;

use std::path::Path;

use crate::component::Component;
use crate::instance::Instance;
use crate::ports::FakeNodePorts;

/// All component names, in the order of [`stages`].
pub(crate) const NAMES: [&str; 7] = [
    etcd::NAME,
    containerd::NAME,
    registry::NAME,
    api_server::NAME,
    controller_manager::NAME,
    scheduler::NAME,
    kubelet::NAME,
];

/// The components of an instance. Those of one stage start together; the next stage starts when
/// they are ready.
pub(crate) fn stages(instance: &Instance) -> [Vec<Component>; 3] {
    [
        vec![
            etcd::component(instance),
            containerd::component(instance),
            registry::component(instance),
        ],
        vec![api_server::component(instance)],
        vec![
            controller_manager::component(instance),
            scheduler::component(instance),
            kubelet::component(instance),
        ],
    ]
}

/// The additional components for fake nodes, named in [`FAKE_NODES`]; only measurements with many
/// replicas start them.
pub(crate) fn of_fake_nodes(
    instance: &Instance,
    kwok: &Path,
    ports: FakeNodePorts,
) -> [Component; 2] {
    [
        keys::component(ports.keys),
        kwok::component(instance, kwok, ports),
    ]
}

/// The names of the components in [`of_fake_nodes`], in the same order.
pub(crate) const FAKE_NODES: [&str; 2] = [keys::NAME, kwok::NAME];

/// `--name=value`, the flag syntax of all these programs.
fn flag(name: &str, value: impl std::fmt::Display) -> String {
    format!("--{name}={value}")
}

/// A flag whose value is one of the instance's certificate files.
fn file_flag(instance: &Instance, name: &str, file: &str) -> String {
    flag(name, instance.certificate_file(file).display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::Readiness;

    fn fake(instance: &Instance) -> [Component; 2] {
        let ports = FakeNodePorts {
            kwok: 20_001,
            keys: 20_002,
        };
        of_fake_nodes(instance, Path::new("/cache/kwok"), ports)
    }

    #[test]
    fn names_follow_the_order_of_the_start() {
        let instance = Instance::example();
        let names: Vec<&str> = stages(&instance)
            .iter()
            .flatten()
            .map(|it| it.name)
            .collect();
        assert_eq!(names, NAMES);
        assert_eq!(fake(&instance).map(|it| it.name), FAKE_NODES);
    }

    #[test]
    fn everything_listens_on_loopback_only() {
        let instance = Instance::example();
        for component in stages(&instance).iter().flatten().chain(&fake(&instance)) {
            let files = component.files.iter().map(|(_, content)| content);
            for text in component.arguments.iter().chain(files) {
                assert!(
                    !text.contains("0.0.0.0") && !text.contains("[::]"),
                    "{text}"
                );
            }
            if let Readiness::Url(url) = &component.readiness {
                assert!(url.contains("://127.0.0.1:"), "{url}");
            }
        }
    }

    #[test]
    fn no_secret_is_on_a_command_line() {
        let instance = Instance::example();
        for component in stages(&instance).iter().flatten().chain(&fake(&instance)) {
            let line = component.arguments.join(" ");
            assert!(!line.contains(&instance.settings.token), "{line}");
        }
    }
}
