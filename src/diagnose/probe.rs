//! Causes in a pod's probes and gates.

use k8s_openapi::api::core::v1::{Container, Event, Pod, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{Cause, Diagnosis, Finality, all_containers, events, kubectl, pod_reference};
use crate::status::{Snapshot, is_ready};

/// A pod that runs but is not Ready: a closed readiness gate, or a failing probe.
pub(super) fn diagnose(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    if is_ready(pod) {
        return None;
    }
    readiness_gate(pod).or_else(|| unhealthy(snapshot, pod))
}

/// The containers are ready, but a condition that another controller has to set is not true
/// (KEP-580).
fn readiness_gate(pod: &Pod) -> Option<Diagnosis> {
    if condition(pod, "ContainersReady")? != "True" {
        return None;
    }
    let gates = pod.spec.as_ref()?.readiness_gates.as_ref()?;
    let (gate, status) = gates.iter().find_map(|gate| {
        let gate = gate.condition_type.as_str();
        let status = condition(pod, gate);
        (status != Some("True")).then_some((gate, status))
    })?;
    let object = pod_reference(pod);
    let words = match status {
        Some(status) => format!("is {status}"),
        None => "is not set".to_owned(),
    };
    Some(Diagnosis {
        cause: Cause::ReadinessGate,
        message: format!(
            "`{object}` runs and its containers are ready, but its readiness gate is closed: the condition `{gate}` {words}"
        ),
        evidence: Vec::new(),
        next: vec![format!("{} -o yaml", kubectl("get", &object))],
        finality: Finality::Open,
        container: None,
        object,
    })
}

fn condition<'pod>(pod: &'pod Pod, kind: &str) -> Option<&'pod str> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let condition = conditions
        .iter()
        .find(|condition| condition.type_ == kind)?;
    Some(condition.status.as_str())
}

fn unhealthy(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    let event = events(snapshot, pod.metadata.uid.as_deref(), &["Unhealthy"]).next_back()?;
    let words = event.message.clone()?;
    let object = pod_reference(pod);
    let container = container_of(event);
    let kind = Kind::of(&words);
    let asked = kind
        .zip(container)
        .and_then(|(kind, name)| asked(pod, kind, name))
        .map(|asked| format!(" ({asked})"))
        .unwrap_or_default();
    let next = match container {
        Some(name) => format!("{} -c {name}", kubectl("logs", &object)),
        None => kubectl("logs", &object),
    };
    Some(Diagnosis {
        cause: Cause::Probe,
        message: format!(
            "`{object}` runs, but its {} probe{asked} fails",
            kind.map_or("readiness", Kind::word)
        ),
        evidence: vec![words],
        next: vec![kubectl("describe", &object), next],
        finality: Finality::Open,
        container: container.map(str::to_owned),
        object,
    })
}

/// The kinds of a container's probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Readiness,
    Liveness,
    Startup,
}

impl Kind {
    /// The probe that a message of the kubelet starts with (`pkg/kubelet/prober/prober.go`).
    pub(super) fn of(message: &str) -> Option<Self> {
        [Self::Readiness, Self::Liveness, Self::Startup]
            .into_iter()
            .find(|kind| {
                message
                    .get(..kind.word().len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(kind.word()))
            })
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Readiness => "readiness",
            Self::Liveness => "liveness",
            Self::Startup => "startup",
        }
    }

    fn probe(self, container: &Container) -> Option<&Probe> {
        match self {
            Self::Readiness => container.readiness_probe.as_ref(),
            Self::Liveness => container.liveness_probe.as_ref(),
            Self::Startup => container.startup_probe.as_ref(),
        }
    }
}

/// The check that a probe makes, such as `GET /healthz on port 8080`.
pub(super) fn asked(pod: &Pod, kind: Kind, container: &str) -> Option<String> {
    let container = all_containers(pod).find(|found| found.name == container)?;
    let probe = kind.probe(container)?;
    let port = |port: &IntOrString| match port {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(name) => format!("`{name}`"),
    };
    if let Some(get) = &probe.http_get {
        let scheme = if get.scheme.as_deref() == Some("HTTPS") {
            " over TLS"
        } else {
            ""
        };
        let path = get.path.as_deref().unwrap_or("/");
        return Some(format!("GET {path} on port {}{scheme}", port(&get.port)));
    }
    if let Some(tcp) = &probe.tcp_socket {
        return Some(format!("a connection to port {}", port(&tcp.port)));
    }
    if let Some(grpc) = &probe.grpc {
        return Some(format!("gRPC on port {}", grpc.port));
    }
    let exec = probe.exec.as_ref()?;
    Some(format!(
        "`{}`",
        exec.command.clone().unwrap_or_default().join(" ")
    ))
}

/// The container that an event of the kubelet is about.
pub(super) fn container_of(event: &Event) -> Option<&str> {
    let path = event.involved_object.field_path.as_deref()?;
    let (_, name) = path.split_once('{')?;
    name.strip_suffix('}')
}
