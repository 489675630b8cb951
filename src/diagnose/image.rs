//! Images that cannot be pulled: what that means, from the kubelet's reason and the container runtime's text.

use k8s_openapi::api::core::v1::{ContainerStatus, Event, Pod};

use super::{
    Cause, Diagnosis, Evidence, Finality, configuration, events, kubectl, newest_event,
    pod_reference, probe,
};
use crate::status::Snapshot;

/// After this many failed tries, a registry that cannot be reached is not expected to come back in time. The
/// kubelet waits ten seconds before the second one (`pkg/kubelet/kubelet.go`, `imageBackOffPeriod`).
const TRIES: i32 = 2;

/// Why an image cannot be pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pull {
    /// The registry does not have it, or not for the node's platform.
    NotFound,
    /// The registry does not give it to this pod.
    Denied,
    /// Its name is not valid.
    InvalidName,
    /// The node does not have it, and the pod forbids to pull it.
    NeverPulled,
    /// The registry cannot be reached, or cannot answer now.
    Unreachable,
    /// Anything else.
    Other,
}

/// What a transient failure says. This comes first: the text of a name server also says that it has "not found"
/// something, and a proxy that it "denied" it.
const UNREACHABLE: [&str; 26] = [
    ": eof",
    "bad gateway",
    "broken pipe",
    "connection refused",
    "connection reset",
    "context canceled",
    "deadline exceeded",
    "dial tcp",
    "failed to do request",
    "gateway timeout",
    "internal server error",
    "name resolution",
    "network is unreachable",
    "no route to host",
    "no such host",
    "pinging container registry",
    "proxyconnect",
    "pull qps exceeded",
    "server misbehaving",
    "service unavailable",
    "the registry is unavailable",
    "timeout",
    "tls: ",
    "too many requests",
    "toomanyrequests",
    "x509: ",
];
/// What registries say to those who may not pull.
const DENIED: [&str; 6] = [
    "authentication required",
    "authorization failed",
    "denied",
    "forbidden",
    "no basic auth credentials",
    "unauthorized",
];
/// What registries say of images that they do not have, and containerd of images for other platforms.
const NOT_FOUND: [&str; 5] = [
    "manifest unknown",
    "name unknown",
    "no match for platform",
    "repository not found",
    "not known to registry",
];

/// A container that waits for its image.
pub(super) fn diagnose(
    snapshot: &Snapshot,
    pod: &Pod,
    status: &ContainerStatus,
) -> Option<Diagnosis> {
    let waiting = status.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    let words = waiting.message.as_deref().unwrap_or_default();
    let words = match reason {
        "ImagePullBackOff" => self::words(snapshot, pod, status, words),
        _ => words.to_owned(),
    };
    let pull = Pull::of(reason, &words)?;
    let object = pod_reference(pod);
    let image = &status.image;
    let (cause, why) = match pull {
        Pull::NotFound => (Cause::ImageNotFound, ": its registry does not have it"),
        Pull::Denied => (
            Cause::ImageAccessDenied,
            ": its registry says that it does not exist, or that this pod may not have it",
        ),
        Pull::InvalidName => (Cause::InvalidImageName, ": its name is not valid"),
        Pull::NeverPulled => (
            Cause::ImageNeverPulled,
            ": its node does not have it, and `imagePullPolicy: Never` forbids to pull it",
        ),
        Pull::Unreachable => (
            Cause::RegistryUnreachable,
            ": its registry cannot be reached, or cannot answer now",
        ),
        Pull::Other => (Cause::ImagePull, ""),
    };
    let message = format!("`{object}` cannot pull the image `{image}`{why}");
    let secret = ["FailedToRetrieveImagePullSecret"];
    let secret = newest_event(snapshot, pod.metadata.uid.as_deref(), &secret)
        .filter(|_| pull == Pull::Denied);
    let mut evidence: Vec<Evidence> = vec![configuration::waits(pod, &status.name, reason, &words)];
    let finality = match &secret {
        // The Secret may be on its way, as any other.
        Some(_) => Finality::Lasting,
        None => pull.finality(tries(snapshot, pod, status)),
    };
    evidence.extend(secret);
    let next = kubectl("describe", &object);
    Some(
        Diagnosis::new(cause, object, message)
            .within(&status.name)
            .because(evidence)
            .then([next])
            .is(finality),
    )
}

impl Pull {
    /// From the reason of a waiting container (`pkg/kubelet/images/types.go`) and its message, which ends with the
    /// text of the container runtime; `None` if the container waits for something else.
    fn of(reason: &str, words: &str) -> Option<Self> {
        Some(match reason {
            "InvalidImageName" => Self::InvalidName,
            "ErrImageNeverPull" => Self::NeverPulled,
            "RegistryUnavailable" => Self::Unreachable,
            "ErrImagePull" | "ImagePullBackOff" => Self::said(words),
            "ImageInspectError" | "SignatureValidationFailed" => Self::Other,
            _ => return None,
        })
    }

    /// From the text of the container runtime: containerd and CRI-O quote the registry's answer.
    fn said(words: &str) -> Self {
        let words = without_names(words);
        let says = |texts: &[&str]| texts.iter().any(|text| words.contains(text));
        // containerd says so of the reference alone. Of a layer, it may only have been lost on the way.
        let is_unresolved = words.contains("not found")
            && ["failed to resolve", "manifest for", "reading manifest"]
                .iter()
                .any(|step| words.contains(step));
        if says(&UNREACHABLE) || has_server_error(&words) {
            Self::Unreachable
        } else if words.contains("invalid reference format") {
            Self::InvalidName
        } else if says(&DENIED) {
            Self::Denied
        } else if is_unresolved || says(&NOT_FOUND) {
            Self::NotFound
        } else {
            Self::Other
        }
    }

    /// A missing image, or missing access to it, does not resolve itself; an unreachable registry does.
    fn finality(self, tries: i32) -> Finality {
        match self {
            Self::NotFound | Self::Denied | Self::InvalidName | Self::NeverPulled => {
                Finality::Final
            }
            Self::Unreachable if tries >= TRIES => Finality::Lasting,
            Self::Unreachable => Finality::Open,
            Self::Other => Finality::Lasting,
        }
    }
}

/// A text in lower case without what it quotes and without paths, URLs and images: those may be named `denied`.
fn without_names(words: &str) -> String {
    let outside: Vec<&str> = words.split('"').step_by(2).collect();
    let outside = outside.join(" ").replace("i/o timeout", "timeout");
    let plain: Vec<&str> = outside
        .split_whitespace()
        .filter(|word| !word.contains('/'))
        .collect();
    // The file system of the node says this, and no registry.
    plain
        .join(" ")
        .to_ascii_lowercase()
        .replace("permission denied", "")
}

/// Whether a text names an HTTP status from 500 on.
fn has_server_error(words: &str) -> bool {
    words.contains("status")
        && words
            .split(|character: char| !character.is_ascii_alphanumeric())
            .any(|word| word.len() == 3 && word.starts_with('5') && word.parse::<u16>().is_ok())
}

/// The kubelet's events about failed pulls of a container's image, the newest last.
fn failures<'snapshot>(
    snapshot: &'snapshot Snapshot,
    pod: &Pod,
    status: &ContainerStatus,
) -> impl DoubleEndedIterator<Item = &'snapshot Event> {
    let name = status.name.clone();
    events(snapshot, pod.metadata.uid.as_deref(), &["Failed"])
        .filter(move |event| probe::container_of(event).is_none_or(|found| found == name))
        .filter(|event| {
            let words = event.message.as_deref().unwrap_or_default();
            words.starts_with("Failed to pull image ")
        })
}

/// How often the kubelet has failed to pull a container's image, as far as its events tell.
fn tries(snapshot: &Snapshot, pod: &Pod, status: &ContainerStatus) -> i32 {
    failures(snapshot, pod, status)
        .map(|event| {
            let series = event.series.as_ref().and_then(|series| series.count);
            event.count.or(series).unwrap_or(1)
        })
        .sum()
}

/// Why the last pull failed: the message of a container that is backed off may not say (before Kubernetes 1.32),
/// but the event of the failure does.
fn words(snapshot: &Snapshot, pod: &Pod, status: &ContainerStatus, words: &str) -> String {
    if words.contains(": ") {
        return words.to_owned();
    }
    let newest = failures(snapshot, pod, status).next_back();
    let newest = newest.and_then(|event| event.message.clone());
    newest.unwrap_or_else(|| words.to_owned())
}

#[cfg(test)]
mod tests;
