//! ConfigMaps, Secrets and keys that a pod needs, and what else keeps a container from being created.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use super::{
    Cause, Diagnosis, Evidence, Finality, kubectl, newest_event, on, pod_reference, starting,
    volume,
};
use crate::object::ObjectRef;
use crate::status::{Snapshot, all_statuses};

/// What a pod lacks.
#[derive(Debug, PartialEq, Eq)]
struct Missing<'words> {
    /// `ConfigMap` or `Secret`.
    kind: &'static str,
    /// Its name, if the text has it.
    name: Option<&'words str>,
    /// The key that it lacks; `None` if it does not exist.
    key: Option<&'words str>,
}

/// A ConfigMap, Secret or key that a container's variables or a volume need. It may be created soon.
pub(super) fn missing(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    let of_container = all_statuses(pod).find_map(|status| {
        let (evidence, _) = refused(pod, status)?;
        Some((evidence, Some(status.name.as_str())))
    });
    let of_volume = || {
        let reasons = ["FailedMount", "FailedMapVolume"];
        let event = newest_event(snapshot, pod.metadata.uid.as_deref(), &reasons)?;
        (!volume::has_started(pod)).then_some((event, None))
    };
    [of_container, of_volume()]
        .into_iter()
        .flatten()
        .find_map(|(evidence, container)| {
            let found = diagnosis(pod, &Missing::of(&evidence.words)?);
            let found = match container {
                Some(name) => found.within(name),
                None => found,
            };
            Some(found.because([evidence]))
        })
}

fn diagnosis(pod: &Pod, missing: &Missing<'_>) -> Diagnosis {
    let object = pod_reference(pod);
    let namespace = object.namespace.as_deref();
    let named = missing
        .name
        .map(|name| ObjectRef::new("", missing.kind, namespace, name));
    let what = named
        .as_ref()
        .map_or_else(|| format!("a {}", missing.kind), |it| format!("`{it}`"));
    let list = format!(
        "kubectl get {}s{}",
        missing.kind.to_lowercase(),
        on(namespace)
    );
    let (cause, message, next) = if let Some(key) = missing.key {
        let message = format!("`{object}` needs the key `{key}` of {what}, which does not have it");
        let next = named.map_or(list, |it| kubectl("describe", &it));
        (Cause::MissingKey, message, next)
    } else {
        let cause = if missing.kind == "Secret" {
            Cause::MissingSecret
        } else {
            Cause::MissingConfigMap
        };
        let message = format!("`{object}` needs {what}, which does not exist");
        (cause, message, list)
    };
    Diagnosis::new(cause, object, message)
        .then([next])
        .is(Finality::Lasting)
}

impl<'words> Missing<'words> {
    /// From the texts of the kubelet (`pkg/kubelet/kubelet_pods.go`, `pkg/volume/configmap`, `pkg/volume/secret`).
    fn of(words: &'words str) -> Option<Self> {
        [
            ("ConfigMap", "configmap", "config"),
            ("Secret", "secret", "secret"),
        ]
        .into_iter()
        .find_map(|(kind, lower, noun)| {
            let absent = after(words, &format!("{lower} \""))
                .and_then(|rest| rest.split_once('"'))
                .filter(|(_, rest)| rest.starts_with(" not found"))
                .map(|(name, _)| name)
                // The controller manager puts this one into every namespace.
                .filter(|name| *name != "kube-root-ca.crt");
            if let Some(name) = absent {
                return Some(Self {
                    kind,
                    name: Some(name),
                    key: None,
                });
            }
            let variable = after(words, "couldn't find key ")
                .and_then(|rest| rest.split_once(&format!(" in {kind} ")));
            if let Some((key, rest)) = variable {
                let path = rest.split_whitespace().next().unwrap_or_default();
                return Some(Self {
                    kind,
                    name: path.split_once('/').map(|(_, name)| name),
                    key: Some(key),
                });
            }
            let key = after(words, &format!("references non-existent {noun} key: "))?;
            Some(Self {
                kind,
                name: None,
                key: Some(key.split_whitespace().next().unwrap_or(key)),
            })
        })
    }
}

fn after<'words>(words: &'words str, mark: &str) -> Option<&'words str> {
    Some(words.split_once(mark)?.1)
}

/// A container that cannot be created for another reason.
pub(super) fn diagnose(_: &Snapshot, pod: &Pod, status: &ContainerStatus) -> Option<Diagnosis> {
    let (evidence, words) = refused(pod, status)?;
    if starting::names_no_program(&words) {
        return None;
    }
    let object = pod_reference(pod);
    let name = &status.name;
    let message = format!("`{object}` cannot create its container `{name}`");
    // An image that runs as root will not change (`pkg/kubelet/kuberuntime/security_context.go`).
    let finality = if words.contains("runAsNonRoot") {
        Finality::Final
    } else {
        Finality::Lasting
    };
    let next = kubectl("describe", &object);
    Some(
        Diagnosis::new(Cause::ContainerConfiguration, object, message)
            .within(name)
            .because([evidence])
            .then([next])
            .is(finality),
    )
}

/// What the kubelet says of a container that it cannot create.
fn refused(pod: &Pod, status: &ContainerStatus) -> Option<(Evidence, String)> {
    let waiting = status.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    if !["CreateContainerConfigError", "CreateContainerError"].contains(&reason) {
        return None;
    }
    let words = waiting.message.clone().unwrap_or_default();
    Some((waits(pod, &status.name, reason, &words), words))
}

/// Why a container waits, in the kubelet's words.
pub(super) fn waits(pod: &Pod, container: &str, reason: &str, words: &str) -> Evidence {
    let words = if words.is_empty() {
        reason.to_owned()
    } else {
        format!("{reason}: {words}")
    };
    let path = format!(".status.containerStatuses[{container}].state.waiting");
    Evidence::field(&pod_reference(pod), &path, words)
}
