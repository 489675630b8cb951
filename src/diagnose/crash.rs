//! Why a container keeps ending: by itself, or because the kubelet stops it.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    Container, ContainerStateTerminated, ContainerStatus, Event, Pod,
};

use super::probe::{self, Kind};
use super::{
    Cause, Diagnosis, Evidence, Finality, all_containers, events, exit, kubectl, pod_reference,
    starting,
};
use crate::object::ObjectRef;
use crate::status::{Snapshot, long_running_statuses};

/// After this many starts, a container that keeps ending is treated as broken.
///
/// Two: a first restart is common while a dependency starts.
const RESTARTS_OF_A_CRASH_LOOP: i32 = 2;

/// A container that ended and is started again.
pub(super) fn diagnose(
    snapshot: &Snapshot,
    pod: &Pod,
    status: &ContainerStatus,
) -> Option<Diagnosis> {
    if let Some(found) = starting::diagnose(snapshot, pod, status) {
        return Some(found);
    }
    let state = status.state.as_ref()?;
    let backs_off = state
        .waiting
        .as_ref()
        .is_some_and(|waiting| waiting.reason.as_deref() == Some("CrashLoopBackOff"));
    let now = state.terminated.as_ref();
    let before = status
        .last_state
        .as_ref()
        .and_then(|state| state.terminated.as_ref());
    let ended = now.or(before)?;
    let finished = ended.exit_code == 0;
    let is_meant_to_end = !long_running_statuses(pod).any(|it| it.name == status.name);
    // An init container is meant to end, and any other container may end once.
    let is_looping = if finished {
        !is_meant_to_end && status.restart_count > 0 && (backs_off || now.is_some())
    } else {
        backs_off || now.is_some()
    };
    let killed_by = killed_by(snapshot, pod, status, ended);
    // It is running, but the cause of its last end has occurred again.
    let is_ended_again = state.running.as_ref().is_some_and(|running| {
        let started = running.started_at.as_ref().map(|time| time.0);
        killed_by.is_some() && fatal_failure_at(snapshot, pod, &status.name) >= started
    });
    if !is_looping && !is_ended_again {
        return None;
    }
    let object = pod_reference(pod);
    let name = &status.name;
    let hook = failed_hook(snapshot, pod, status, ended);
    let run = Run {
        object: &object,
        status,
        ended,
        is_init: is_meant_to_end,
        has_hook: hook.is_some(),
        finishes: finished && !may_be_killed(snapshot, pod, name),
    };
    let (cause, message) = match &killed_by {
        Some((kind, _)) => run.killed(pod, *kind),
        None => run.ended(),
    };
    let path = format!(".status.containerStatuses[{name}].lastState.terminated");
    let finished_at = ended.finished_at.as_ref().map(|time| time.0);
    let said = |words: String| Evidence::field(&object, &path, words).at(finished_at);
    let mut evidence = vec![said(exit::words(ended))];
    evidence.extend(killed_by.map(|(_, words)| words));
    evidence.extend(hook);
    let last_words = ended.message.clone();
    evidence.extend(
        last_words
            .filter(|message| !message.trim().is_empty())
            .map(said),
    );
    evidence
        .extend(memory_limit(pod, name).filter(|_| ended.reason.as_deref() == Some("OOMKilled")));
    if cause == Cause::CrashLoop {
        evidence.extend(probe::no_service(snapshot));
    }
    let logs = format!("{} -c {name}", kubectl("logs", &object));
    let next = if before.is_some() {
        format!("{logs} --previous")
    } else {
        logs
    };
    let is_final =
        (backs_off || is_ended_again) && status.restart_count >= RESTARTS_OF_A_CRASH_LOOP;
    let finality = if is_final {
        Finality::Final
    } else {
        Finality::Open
    };
    Some(
        Diagnosis::new(cause, object.clone(), message)
            .within(name)
            .because(evidence)
            .then([next])
            .is(finality),
    )
}

/// A run of a container that is over.
struct Run<'a> {
    object: &'a ObjectRef,
    status: &'a ContainerStatus,
    ended: &'a ContainerStateTerminated,
    is_init: bool,
    /// Whether its `postStart` hook failed.
    has_hook: bool,
    /// Whether it ended by itself, with exit code 0.
    finishes: bool,
}

impl Run<'_> {
    /// The kubelet ended it because of a probe.
    fn killed(&self, pod: &Pod, kind: Kind) -> (Cause, String) {
        let Self { object, status, .. } = self;
        let name = &status.name;
        let asked = probe::asked(pod, kind, name)
            .map(|asked| format!(" ({asked})"))
            .unwrap_or_default();
        let message = format!(
            "the {} probe of container `{name}` of `{object}` fails{asked}, so the kubelet keeps killing it ({})",
            kind.word(),
            self.how()
        );
        (Cause::LivenessProbe, message)
    }

    /// It ended in another way.
    fn ended(&self) -> (Cause, String) {
        let Self { object, status, .. } = self;
        let (name, how) = (&status.name, self.how());
        let kind = if self.is_init {
            "init container"
        } else {
            "container"
        };
        if self.has_hook {
            let message = format!(
                "the `postStart` hook of container `{name}` of `{object}` fails, so the kubelet keeps killing it ({how})"
            );
            return (Cause::CrashLoop, message);
        }
        if self.finishes {
            let message = format!(
                "container `{name}` of `{object}` keeps ending, {} ({}): it finishes by itself, but a StatefulSet's containers must keep running; check `command`",
                exit::words(self.ended),
                starts_in_words(status)
            );
            return (Cause::Completed, message);
        }
        let cause = match self.ended.exit_code {
            _ if self.ended.reason.as_deref() == Some("OOMKilled") => Cause::OutOfMemory,
            // What shells say of a command that they cannot execute, or do not find (POSIX, `sh`).
            126 | 127 => Cause::CommandNotFound,
            _ if self.is_init => Cause::InitContainer,
            _ => Cause::CrashLoop,
        };
        (
            cause,
            format!("{kind} `{name}` of `{object}` keeps ending ({how})"),
        )
    }

    fn how(&self) -> String {
        format!(
            "{}; {}",
            exit::words(self.ended),
            starts_in_words(self.status)
        )
    }
}

/// The kubelet's message about a hook that failed in the run that ended.
fn failed_hook(
    snapshot: &Snapshot,
    pod: &Pod,
    status: &ContainerStatus,
    ended: &ContainerStateTerminated,
) -> Option<Evidence> {
    let started = ended.started_at.as_ref().map(|time| time.0);
    let event = events(
        snapshot,
        pod.metadata.uid.as_deref(),
        &["FailedPostStartHook"],
    )
    .filter(|event| probe::container_of(event).is_none_or(|name| name == status.name))
    .rfind(|event| super::last_seen(event) >= started)?;
    Evidence::event(event)
}

fn starts_in_words(status: &ContainerStatus) -> String {
    match status.restart_count {
        0 => "started once".to_owned(),
        restarts => format!("started {} times", restarts + 1),
    }
}

/// Whether the kubelet may have killed a container, for a reason that has not been looked up. A
/// container that stops cleanly on request also has the exit code 0.
fn may_be_killed(snapshot: &Snapshot, pod: &Pod, name: &str) -> bool {
    let uid = pod.metadata.uid.as_deref();
    let mut events = snapshot.events.iter();
    let are_events_known = events.any(|event| event.involved_object.uid.as_deref() == uid);
    let is_probed = all_containers(pod)
        .filter(|container| container.name == name)
        .any(|container| container.liveness_probe.is_some() || container.startup_probe.is_some());
    is_probed && !are_events_known
}

/// The probe because of which the kubelet last killed a container, and its result.
fn killed_by(
    snapshot: &Snapshot,
    pod: &Pod,
    status: &ContainerStatus,
    ended: &ContainerStateTerminated,
) -> Option<(Kind, Evidence)> {
    let uid = pod.metadata.uid.as_deref();
    let started = ended.started_at.as_ref().map(|time| time.0);
    let kills = events(snapshot, uid, &["Killing"])
        .filter(|event| super::last_seen(event) >= started)
        .any(|event| {
            event.message.as_ref().is_some_and(|message| {
                message.starts_with(&format!("Container {} failed ", status.name))
                    && message.contains(" probe")
            })
        });
    if !kills {
        return None;
    }
    let (kind, event) = fatal_failure(snapshot, pod, &status.name)?;
    Some((kind, Evidence::event(event)?))
}

/// When a probe whose failure makes the kubelet kill a container last failed.
fn fatal_failure_at(snapshot: &Snapshot, pod: &Pod, container: &str) -> Option<Timestamp> {
    let (_, event) = fatal_failure(snapshot, pod, container)?;
    super::last_seen(event)
}

fn fatal_failure<'snapshot>(
    snapshot: &'snapshot Snapshot,
    pod: &Pod,
    container: &str,
) -> Option<(Kind, &'snapshot Event)> {
    failures(snapshot, pod, container).rfind(|(kind, _)| *kind != Kind::Readiness)
}

/// When the liveness probe of a container last failed, by the cluster's time.
pub(crate) fn liveness_failed_at(
    snapshot: &Snapshot,
    pod: &Pod,
    container: &str,
) -> Option<Timestamp> {
    let (_, event) =
        failures(snapshot, pod, container).rfind(|(kind, _)| *kind == Kind::Liveness)?;
    super::last_seen(event)
}

/// The kubelet's messages about failed probes of a container, the newest last.
fn failures<'snapshot>(
    snapshot: &'snapshot Snapshot,
    pod: &Pod,
    container: &str,
) -> impl DoubleEndedIterator<Item = (Kind, &'snapshot Event)> {
    events(snapshot, pod.metadata.uid.as_deref(), &["Unhealthy"])
        .filter(move |event| probe::container_of(event).is_none_or(|name| name == container))
        .filter_map(|event| Some((Kind::of(event.message.as_deref()?)?, event)))
}

fn memory_limit(pod: &Pod, name: &str) -> Option<Evidence> {
    let container = container(pod, name)?;
    let limits = container.resources.as_ref()?.limits.as_ref()?;
    let words = format!("its memory limit is {}", limits.get("memory")?.0);
    let path = format!(".spec.containers[{name}].resources.limits.memory");
    Some(Evidence::field(&pod_reference(pod), &path, words))
}

/// A container of a pod, by its name.
pub(super) fn container<'pod>(pod: &'pod Pod, name: &str) -> Option<&'pod Container> {
    all_containers(pod).find(|container| container.name == name)
}
