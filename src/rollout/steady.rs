//! Whether a Ready pod has been Ready for long enough to count.
//!
//! A container that keeps ending is Ready for a while each time: without a readiness probe whenever
//! it runs, with a wrong liveness probe until the kubelet kills it. So after a restart a rollout is
//! "complete" only once the pod has stayed Ready for longer than the cause of its last end takes to
//! recur, and after a failed liveness probe only once the kubelet would have killed the container.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod, Probe};

use super::{RolloutProgress, RolloutState};
use crate::diagnose::{self, Finality, exit, liveness_failed_at};
use crate::figures::{duration, times};
use crate::status::{Snapshot, expected_ordinals, long_running, long_running_statuses, pod_of};

/// A pod without a readiness probe is Ready as soon as its containers run, and the kubelet checks
/// once a second that they still do (`pkg/kubelet/kubelet.go`, `genericPlegRelistPeriod`).
const SHORTEST: Duration = Duration::from_secs(3);
/// Only its liveness probe shows whether a container without other probes works, so wait for the
/// first result. Wait no longer than this: a long delay is set for containers that work from the
/// start.
const LONGEST_FIRST_ANSWER: Duration = Duration::from_secs(30);
/// The delay until an event is seen: events are read once a second while nothing else happens.
const EVENT: Duration = Duration::from_secs(2);
/// The possible delay of the kubelet.
const SLACK: Duration = Duration::from_secs(5);
/// A first restart is common while a dependency starts, so wait no longer than this after one,
/// however long the container ran before.
const LONGEST_AFTER_ONE_RESTART: Duration = Duration::from_mins(1);
/// The kubelet forgets the restarts of a container that has run for this long: twice its longest
/// back-off (`k8s.io/client-go` `util/flowcontrol/backoff.go`).
const FORGOTTEN: Duration = Duration::from_mins(10);

/// Turns "complete" back into "progressing" while a replica has not been Ready for long enough.
/// `now` is the cluster's time.
#[must_use]
pub fn settled(
    mut progress: RolloutProgress,
    snapshot: &Snapshot,
    now: Timestamp,
) -> RolloutProgress {
    if progress.state == RolloutState::Complete
        && let Some(message) = expected_ordinals(&snapshot.stateful_set)
            .find_map(|ordinal| unsettled(snapshot, ordinal, now))
    {
        progress.state = match diagnose::workload(snapshot) {
            Some(cause) if cause.finality == Finality::Final => RolloutState::Failed { cause },
            suspicion => RolloutState::Progressing { message, suspicion },
        };
    }
    progress
}

/// Whether the kubelet may still kill a Ready pod: it has done so before, or a liveness probe has
/// not had time to fail. Events show this before the pod's status does.
#[must_use]
pub fn may_be_ended(pod: &Pod, now: Timestamp) -> bool {
    let is_young = |status: &ContainerStatus| {
        runs_since(status).is_some_and(|since| now < since + LONGEST_FIRST_ANSWER)
    };
    let is_watched = |status: &ContainerStatus| {
        let mut containers = pod.spec.iter().flat_map(long_running);
        containers.any(|it| it.name == status.name && it.liveness_probe.is_some())
    };
    long_running_statuses(pod)
        .any(|status| status.restart_count > 0 || is_young(status) && is_watched(status))
}

fn unsettled(snapshot: &Snapshot, ordinal: i32, now: Timestamp) -> Option<String> {
    let pod = pod_of(snapshot, ordinal)?;
    let minimum = snapshot.stateful_set.spec.min_ready_seconds.unwrap_or(0);
    let minimum = Duration::from_secs(u64::try_from(minimum).unwrap_or(0));
    let ready_since = ready_since(pod)?;
    let spec = pod.spec.as_ref()?;
    long_running(spec)
        .filter_map(|container| {
            let status = long_running_statuses(pod).find(|status| status.name == container.name)?;
            let needed = needed(pod, container, status).max(minimum);
            let runs_since = runs_since(status).unwrap_or(ready_since);
            // Times of the API are in whole seconds, rounded down.
            let until = ready_since.max(runs_since).checked_add(needed).ok()?;
            let settles = (!needed.is_zero() && now < until)
                .then(|| (until, message(container, ordinal, status, needed)));
            settles.max(ending(snapshot, pod, container, ordinal, runs_since, now))
        })
        .max()
        .map(|(_, message)| message)
}

/// Until when the kubelet may kill a container whose liveness probe failed in this run, with a
/// message about it.
fn ending(
    snapshot: &Snapshot,
    pod: &Pod,
    container: &Container,
    ordinal: i32,
    runs_since: Timestamp,
    now: Timestamp,
) -> Option<(Timestamp, String)> {
    let probe = container.liveness_probe.as_ref()?;
    let failed = liveness_failed_at(snapshot, pod, &container.name)?;
    let needed = detection(pod, probe) + SLACK;
    let until = failed.checked_add(needed).ok()?;
    (failed >= runs_since && now < until).then(|| {
        let message = format!(
            "the liveness probe of container `{}` of replica {ordinal} failed at {failed}; it must not fail again for {}",
            container.name,
            duration(needed)
        );
        (until, message)
    })
}

/// How long a container has to stay Ready before it counts.
fn needed(pod: &Pod, container: &Container, status: &ContainerStatus) -> Duration {
    if status.restart_count == 0 {
        return if is_probed_for_readiness(container) {
            Duration::ZERO
        } else {
            SHORTEST.max(first_answer(container))
        };
    }
    let killed_after = container
        .liveness_probe
        .as_ref()
        .map_or(Duration::ZERO, |probe| detection(pod, probe));
    let ran = last_run(status)
        .filter(|ran| *ran < FORGOTTEN)
        .unwrap_or_default();
    let ran = if status.restart_count == 1 {
        ran.min(LONGEST_AFTER_ONE_RESTART)
    } else {
        ran
    };
    killed_after.max(ran) + SLACK
}

/// How long a container whose liveness probe fails from the start runs until the kubelet has killed
/// it.
fn detection(pod: &Pod, probe: &Probe) -> Duration {
    let of_pod = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.termination_grace_period_seconds);
    let grace = probe
        .termination_grace_period_seconds
        .or(of_pod)
        .unwrap_or(30);
    seconds(probe.initial_delay_seconds, 0)
        + seconds(probe.period_seconds, 10)
            * u32::try_from(probe.failure_threshold.unwrap_or(3)).unwrap_or(0)
        + seconds(probe.timeout_seconds, 1)
        + Duration::from_secs(grace.clamp(0, 30).unsigned_abs())
}

/// How long a container runs until its liveness probe has a first result and the event of a failure
/// has arrived. The kubelet probes for the first time within one period after the delay.
fn first_answer(container: &Container) -> Duration {
    container
        .liveness_probe
        .as_ref()
        .map_or(Duration::ZERO, |probe| {
            let answered = seconds(probe.initial_delay_seconds, 0)
                + seconds(probe.period_seconds, 10)
                + seconds(probe.timeout_seconds, 1);
            (answered + EVENT).min(LONGEST_FIRST_ANSWER)
        })
}

fn seconds(value: Option<i32>, default: u64) -> Duration {
    Duration::from_secs(value.map_or(default, |value| u64::try_from(value).unwrap_or(0)))
}

fn is_probed_for_readiness(container: &Container) -> bool {
    container.readiness_probe.is_some() || container.startup_probe.is_some()
}

fn message(
    container: &Container,
    ordinal: i32,
    status: &ContainerStatus,
    needed: Duration,
) -> String {
    let needed = duration(needed);
    let Some(ended) = last_end(status).filter(|_| status.restart_count > 0) else {
        if container.liveness_probe.is_some() && !is_probed_for_readiness(container) {
            return format!(
                "container `{}` of replica {ordinal} has just started: waiting {needed} for the first result of its liveness probe",
                status.name
            );
        }
        return format!(
            "replica {ordinal} has just become Ready: it has to stay Ready for {needed}"
        );
    };
    let times = times(status.restart_count);
    let when = ended
        .finished_at
        .as_ref()
        .map(|time| format!(" at {}", time.0))
        .unwrap_or_default();
    format!(
        "container `{}` of replica {ordinal} restarted {times}, last{when} ({}): it has to stay Ready for {needed}",
        status.name,
        exit::words(ended)
    )
}

fn ready_since(pod: &Pod) -> Option<Timestamp> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let ready = conditions
        .iter()
        .find(|condition| condition.type_ == "Ready" && condition.status == "True")?;
    ready.last_transition_time.as_ref().map(|time| time.0)
}

fn runs_since(status: &ContainerStatus) -> Option<Timestamp> {
    let running = status.state.as_ref()?.running.as_ref()?;
    running.started_at.as_ref().map(|time| time.0)
}

fn last_end(
    status: &ContainerStatus,
) -> Option<&k8s_openapi::api::core::v1::ContainerStateTerminated> {
    status.last_state.as_ref()?.terminated.as_ref()
}

/// How long the previous run lasted.
fn last_run(status: &ContainerStatus) -> Option<Duration> {
    let ended = last_end(status)?;
    let (start, end) = (ended.started_at.as_ref()?, ended.finished_at.as_ref()?);
    Duration::try_from(end.0.duration_since(start.0)).ok()
}

#[cfg(test)]
mod tests;
