//! Causes in a pod's probes and gates.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, ContainerStatus, Event, Pod, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{
    Cause, Diagnosis, Evidence, all_containers, condition, events, kubectl, last_seen, on,
    pod_reference, set_reference,
};
use crate::status::{Snapshot, all_statuses, is_ready};

/// A container that has not been running for longer than this, in seconds, may only be slow.
const SLOW: i64 = 30;

/// The containers are ready, but a condition that another controller has to set is not true
/// (KEP-580).
pub(super) fn readiness_gate(_: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    let ready = condition(pod, "ContainersReady")?;
    if is_ready(pod) || ready.status != "True" {
        return None;
    }
    let gates = pod.spec.as_ref()?.readiness_gates.as_ref()?;
    let (gate, state) = gates.iter().find_map(|gate| {
        let gate = gate.condition_type.as_str();
        let state = condition(pod, gate).map(|condition| condition.status.as_str());
        (state != Some("True")).then_some((gate, state))
    })?;
    let object = pod_reference(pod);
    let words = match state {
        Some(state) => format!("is {state}"),
        None => "is not set".to_owned(),
    };
    let message = format!(
        "`{object}` runs and its containers are ready, but its readiness gate is closed: the condition `{gate}` {words}"
    );
    let evidence = Evidence::field(&object, ".spec.readinessGates", format!("`{gate}` {words}"));
    let next = format!("{} -o yaml", kubectl("get", &object));
    Some(
        Diagnosis::new(Cause::ReadinessGate, object, message)
            .because([evidence])
            .then([next]),
    )
}

/// The Service that the pods have their DNS names from does not exist, and the answer of a probe or the last words of
/// a container name it. By itself, a missing Service keeps no pod from being Ready.
pub(super) fn missing_service(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    let missing = no_service(snapshot)?;
    if is_ready(pod) {
        return None;
    }
    let name = snapshot.stateful_set.spec.service_name.as_deref()?;
    let named = format!("{name}.");
    let failure = events(snapshot, pod.metadata.uid.as_deref(), &["Unhealthy"])
        .filter_map(Evidence::event)
        .rfind(|event| event.words.contains(&named))?;
    let object = pod_reference(pod);
    let message = format!(
        "`{object}` looks for a name of `service/{name}`, which does not exist, so pods have no DNS names"
    );
    let next = format!("kubectl get services{}", on(object.namespace.as_deref()));
    Some(
        Diagnosis::new(Cause::MissingService, object, message)
            .because([missing, failure])
            .then([next]),
    )
}

/// That the Service which gives the pods their DNS names does not exist.
pub(super) fn no_service(snapshot: &Snapshot) -> Option<Evidence> {
    let name = snapshot.stateful_set.spec.service_name.as_deref()?;
    if name.is_empty() || snapshot.has_service != Some(false) {
        return None;
    }
    let words = format!("`service/{name}` does not exist, so its pods have no DNS names");
    let object = set_reference(snapshot);
    Some(Evidence::field(&object, ".spec.serviceName", words))
}

/// A container that runs and is not ready: its probe fails, or has not answered yet. Nothing is said before the events
/// have been read.
pub(super) fn unready(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    snapshot.claims.as_ref()?;
    if is_ready(pod) {
        return None;
    }
    let failure = events(snapshot, pod.metadata.uid.as_deref(), &["Unhealthy"]).next_back();
    let status = all_statuses(pod).find(|status| {
        let state = status.state.as_ref();
        let named = failure.and_then(container_of);
        state.is_some_and(|state| state.running.is_some())
            && !status.ready
            && named.is_none_or(|name| name == status.name)
    })?;
    let started = started(status);
    let failure = failure.filter(|event| started.is_none() || last_seen(event) >= started);
    let kind = match failure {
        Some(event) => Kind::of(event.message.as_deref()?),
        None => waiting_probe(pod, status),
    }?;
    let object = pod_reference(pod);
    let name = &status.name;
    let asked = asked(pod, kind, name)
        .map(|asked| format!(" ({asked})"))
        .unwrap_or_default();
    let is_slow = kind == Kind::Startup
        || failure.is_none_or(|event| {
            let ran = last_seen(event)
                .zip(started)
                .map(|(at, from)| at.duration_since(from));
            ran.is_some_and(|ran| ran.as_secs() < SLOW)
        });
    let (cause, message) = if is_slow {
        let word = kind.word();
        let message = format!(
            "`{object}` runs, but its {word} probe{asked} has not passed yet: it may still be starting"
        );
        (Cause::SlowStart, message)
    } else {
        let message = format!(
            "`{object}` runs, but its {} probe{asked} fails",
            kind.word()
        );
        (Cause::ReadinessProbe, message)
    };
    let runs = format!(".status.containerStatuses[{name}].state.running.startedAt");
    let since =
        started.map(|at| Evidence::field(&object, &runs, format!("runs since {at}")).at(started));
    let next = [
        kubectl("describe", &object),
        format!("{} -c {name}", kubectl("logs", &object)),
    ];
    Some(
        Diagnosis::new(cause, object, message)
            .within(name)
            .because(failure.and_then(Evidence::event).or(since))
            .because(no_service(snapshot))
            .then(next),
    )
}

fn started(status: &ContainerStatus) -> Option<Timestamp> {
    let running = status.state.as_ref()?.running.as_ref()?;
    running.started_at.as_ref().map(|time| time.0)
}

/// The probe that a container which is not ready waits for.
fn waiting_probe(pod: &Pod, status: &ContainerStatus) -> Option<Kind> {
    let container = all_containers(pod).find(|container| container.name == status.name)?;
    let has_startup = container.startup_probe.is_some() && status.started != Some(true);
    if has_startup {
        Some(Kind::Startup)
    } else {
        container.readiness_probe.as_ref().map(|_| Kind::Readiness)
    }
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
