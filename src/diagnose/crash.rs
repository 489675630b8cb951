//! Why a container keeps ending: by itself, or because the kubelet stops it.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Event, Pod};

use super::probe::{self, Kind};
use super::{Cause, Diagnosis, Finality, all_containers, events, exit, kubectl, pod_reference};
use crate::status::{Snapshot, long_running_statuses};

/// After this many starts, a container that keeps ending is treated as broken.
///
/// Two: a first restart is common while a dependency starts.
const RESTARTS_OF_A_CRASH_LOOP: i32 = 2;

pub(super) fn diagnose(
    snapshot: &Snapshot,
    pod: &Pod,
    status: &ContainerStatus,
) -> Option<Diagnosis> {
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
    // An init container is meant to end, and any other container may end once.
    let is_looping = if finished {
        long_running_statuses(pod).any(|it| it.name == status.name)
            && status.restart_count > 0
            && (backs_off || now.is_some())
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
    let started = starts_in_words(status);
    let how = exit::words(ended);
    let name = &status.name;
    let hook = failed_hook(snapshot, pod, status, ended);
    let (cause, message) = match &killed_by {
        Some((kind, _)) => {
            let asked = probe::asked(pod, *kind, name)
                .map(|asked| format!(" ({asked})"))
                .unwrap_or_default();
            let word = kind.word();
            (
                Cause::LivenessProbe,
                format!(
                    "the {word} probe of container `{name}` of `{object}` fails{asked}, so the kubelet keeps killing it ({how}; {started})"
                ),
            )
        }
        None if hook.is_some() => (
            Cause::CrashLoop,
            format!(
                "the `postStart` hook of container `{name}` of `{object}` fails, so the kubelet keeps killing it ({how}; {started})"
            ),
        ),
        None if finished && !may_be_killed(snapshot, pod, name) => (
            Cause::Completed,
            format!(
                "container `{name}` of `{object}` keeps ending, {how} ({started}): it finishes by itself, but a StatefulSet's containers must keep running; check `command`"
            ),
        ),
        None => (
            Cause::CrashLoop,
            format!("container `{name}` of `{object}` keeps ending ({how}; {started})"),
        ),
    };
    let mut evidence: Vec<String> = killed_by.into_iter().map(|(_, words)| words).collect();
    evidence.extend(hook);
    evidence.extend(
        ended
            .message
            .clone()
            .filter(|message| !message.trim().is_empty()),
    );
    evidence
        .extend(memory_limit(pod, name).filter(|_| ended.reason.as_deref() == Some("OOMKilled")));
    let logs = format!("{} -c {name}", kubectl("logs", &object));
    let next = if before.is_some() {
        format!("{logs} --previous")
    } else {
        logs
    };
    let is_final =
        (backs_off || is_ended_again) && status.restart_count >= RESTARTS_OF_A_CRASH_LOOP;
    Some(Diagnosis {
        cause,
        message,
        evidence,
        next: vec![next],
        finality: if is_final {
            Finality::Final
        } else {
            Finality::Open
        },
        container: Some(name.clone()),
        object,
    })
}

/// The kubelet's message about a hook that failed in the run that ended.
fn failed_hook(
    snapshot: &Snapshot,
    pod: &Pod,
    status: &ContainerStatus,
    ended: &ContainerStateTerminated,
) -> Option<String> {
    let started = ended.started_at.as_ref().map(|time| time.0);
    let event = events(
        snapshot,
        pod.metadata.uid.as_deref(),
        &["FailedPostStartHook"],
    )
    .filter(|event| probe::container_of(event).is_none_or(|name| name == status.name))
    .rfind(|event| super::last_seen(event) >= started)?;
    event.message.clone()
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
) -> Option<(Kind, String)> {
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
    Some((kind, event.message.clone()?))
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

fn memory_limit(pod: &Pod, name: &str) -> Option<String> {
    let container = all_containers(pod).find(|container| container.name == name)?;
    let limits = container.resources.as_ref()?.limits.as_ref()?;
    Some(format!("its memory limit is {}", limits.get("memory")?.0))
}
