//! The components of a cluster, in the order in which they need each other.

mod api_server;
pub(crate) mod containerd;
mod controller_manager;
mod etcd;
mod kubelet;
pub(crate) mod registry;
mod scheduler;

use crate::component::Component;
use crate::instance::Instance;

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

/// `--name=value`, as all these programs take their flags.
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

    #[test]
    fn names_follow_the_order_of_the_start() {
        let instance = Instance::example();
        let names: Vec<&str> = stages(&instance)
            .iter()
            .flatten()
            .map(|it| it.name)
            .collect();
        assert_eq!(names, NAMES);
    }

    #[test]
    fn everything_listens_on_loopback_only() {
        for component in stages(&Instance::example()).iter().flatten() {
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
        for component in stages(&instance).iter().flatten() {
            let line = component.arguments.join(" ");
            assert!(!line.contains(&instance.settings.token), "{line}");
        }
    }
}
