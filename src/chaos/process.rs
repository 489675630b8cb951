//! Chooses the container whose process 1 gets the signal.

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{Container, PodSpec};

use crate::status::long_running;

/// The annotation with which kubectl chooses a container
/// (`k8s.io/kubectl/pkg/cmd/util/podcmd.DefaultContainerAnnotationName`).
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// The container whose process 1 gets the signal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) container: String,
    /// The containers that keep running beside it.
    pub(super) beside: Vec<String>,
    /// The uncertainty about the choice, as a sentence.
    pub(super) words: Option<String>,
}

/// The container that declares the port, or else the one that kubectl would choose.
///
/// # Errors
/// Why no process can get the signal, as a sentence.
pub(super) fn target(set: &StatefulSet, port: u16) -> Result<Target, String> {
    let template = &set.spec.template;
    let spec = template.spec.clone().unwrap_or_default();
    let all: Vec<&Container> = long_running(&spec).collect();
    let declaring = all.iter().find(|container| declares(container, port));
    let annotations = template.metadata.as_ref();
    let annotations = annotations.and_then(|metadata| metadata.annotations.as_ref());
    let annotated = annotations
        .and_then(|annotations| annotations.get(DEFAULT_CONTAINER))
        .and_then(|name| all.iter().find(|container| container.name == *name));
    let chosen = declaring.or(annotated).or(all.first());
    let container = chosen.map_or_else(String::new, |container| container.name.clone());
    if let Some(obstacle) = obstacle(&spec, &container) {
        return Err(obstacle);
    }
    let others = all.iter().map(|other| other.name.clone());
    let beside: Vec<String> = others.filter(|other| *other != container).collect();
    let is_guess = declaring.is_none() && !beside.is_empty();
    let words = is_guess.then(|| {
        format!(
            "no container declares port {port}, so `{container}` may not be the one that serves it"
        )
    });
    Ok(Target {
        container,
        beside,
        words,
    })
}

/// Why process 1 of a container cannot get the signal, as a clause.
pub(super) fn obstacle(spec: &PodSpec, container: &str) -> Option<String> {
    if spec.host_pid == Some(true) {
        return Some(
            "its containers share the process namespace of their node (`hostPID`), where process 1 is \
             the node's own"
                .to_owned(),
        );
    }
    if spec.share_process_namespace == Some(true) {
        return Some(
            "its containers share one process namespace (`shareProcessNamespace`), where process 1 is \
             the pause process of the pod: ending it stops every container, not just the server"
                .to_owned(),
        );
    }
    let is_there = long_running(spec).any(|it| it.name == container);
    (!is_there).then(|| format!("it has no container `{container}`"))
}

fn declares(container: &Container, port: u16) -> bool {
    let mut ports = container.ports.iter().flatten();
    ports.any(|declared| {
        declared.container_port == i32::from(port)
            && declared.protocol.as_deref().is_none_or(|it| it == "TCP")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn target_of(template: &Value) -> Result<Target, String> {
        let set = json!({"spec": {"selector": {}, "serviceName": "web", "template": template}});
        target(&serde_json::from_value(set).unwrap(), 80)
    }

    #[test]
    fn the_container_that_declares_the_port_is_taken_and_else_kubectls() {
        let serving = json!([{"containerPort": 80}]);
        let main = json!({"name": "main"});
        let sidecar =
            |ports: &Value| json!({"name": "server", "restartPolicy": "Always", "ports": ports});
        let table = [
            (json!({"spec": {"containers": [main]}}), "main", 0, false),
            (
                json!({"spec": {"containers": [main, {"name": "api", "ports": serving}]}}),
                "api",
                1,
                false,
            ),
            (
                json!({"spec": {"containers": [main], "initContainers": [sidecar(&serving)]}}),
                "server",
                1,
                false,
            ),
            (
                json!({"spec": {"containers": [main],
                    "initContainers": [{"name": "once", "ports": serving}]}}),
                "main",
                0,
                false,
            ),
            (
                json!({"spec": {"containers": [main, {"name": "api"}]}}),
                "main",
                1,
                true,
            ),
            (
                json!({"metadata": {"annotations": {DEFAULT_CONTAINER: "api"}},
                    "spec": {"containers": [main, {"name": "api"}]}}),
                "api",
                1,
                true,
            ),
        ];
        for (template, container, beside, is_guess) in table {
            let target = target_of(&template).unwrap();
            assert_eq!(target.container, container, "{template}");
            assert_eq!(target.beside.len(), beside, "{template}");
            assert_eq!(target.words.is_some(), is_guess, "{template}");
        }
    }

    #[test]
    fn a_process_1_that_is_not_the_servers_is_left_alone() {
        for (field, words) in [
            ("shareProcessNamespace", "the pause process"),
            ("hostPID", "the node's own"),
        ] {
            let template = json!({"spec": {"containers": [{"name": "main"}], field: true}});
            let reason = target_of(&template).unwrap_err();
            assert!(reason.contains(words), "{reason}");
        }
    }
}
