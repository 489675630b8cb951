//! The scheduler and the kubelet: they move pods along their scripts.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{claims, events, nodes};
use crate::object::{self, number, text};
use crate::pods::{Next, PodScript, Runtime, Stage, set_condition, write_status};
use crate::state::State;
use crate::store::Key;

/// Moves every pod as far as the time allows; returns when the next one is due.
pub(super) fn reconcile(state: &mut State) -> Option<Instant> {
    let pods = state.store.list("", "pods", "");
    let alive: Vec<String> = pods
        .iter()
        .map(|(_, pod)| object::uid(pod).to_owned())
        .collect();
    state.kubelet.runtimes.retain(|uid, _| alive.contains(uid));
    let mut next = None;
    for (key, pod) in pods {
        let due = advance(state, &key, &pod);
        next = next.into_iter().chain(due).min();
    }
    next
}

fn advance(state: &mut State, key: &Key, pod: &Value) -> Option<Instant> {
    let (now, script) = (state.now, state.kubelet.script_of(pod));
    let uid = object::uid(pod).to_owned();
    let mut runtime = match state.kubelet.runtimes.remove(&uid) {
        Some(runtime) => runtime,
        None => match state.kubelet.last_process(pod) {
            Some(process) if script.mirrored => Runtime::resumed(process, now, &mut state.random),
            _ => Runtime::new(now, &mut state.random),
        },
    };
    if object::is_terminating(pod) {
        let due = stop(state, key, pod, &script, &mut runtime);
        if due.is_some() {
            state.kubelet.runtimes.insert(uid, runtime);
        }
        return due;
    }
    let mut next = if runtime.stage == Stage::Unscheduled {
        schedule(state, key, pod, &script, &mut runtime)
    } else {
        Next::Again
    };
    while next == Next::Again {
        let before = runtime.stage;
        next = runtime.step(pod, &script, now, &mut state.random);
        state.kubelet.note(pod, &runtime);
        if runtime.stage != before {
            tell(state, pod, &script, runtime.stage);
        }
        state.touched |= next == Next::Again;
        let version = |state: &State| {
            let live = state.store.get(key);
            live.map(|live| text(&live, "/metadata/resourceVersion").to_owned())
        };
        if next != Next::Again && runtime.written.is_some() && runtime.written == version(state) {
            // Neither the pod nor what it does has changed since its status was written.
            break;
        }
        let text = now.text();
        state.change_status(key, "kubelet", |pod| {
            write_status(pod, &runtime, &script, &text);
        });
        runtime.written = version(state);
    }
    state.kubelet.runtimes.insert(uid, runtime);
    match next {
        Next::At(due) => Some(due),
        _ => None,
    }
}

/// Finds a node, or says why not.
fn schedule(
    state: &mut State,
    key: &Key,
    pod: &Value,
    script: &PodScript,
    runtime: &mut Runtime,
) -> Next {
    if object::has(pod, "/spec/nodeName") {
        runtime.bind(state.now);
        return Next::Again;
    }
    let due = runtime.schedule_at(script);
    if state.now.instant < due {
        return Next::At(due);
    }
    let now = state.now.text();
    let obstacle = script
        .unschedulable
        .clone()
        .or_else(|| claims::obstacle(state, pod));
    let node = match obstacle {
        Some(message) => Err(message),
        None => nodes::choose(state),
    };
    if let Err(message) = &node {
        let changed = object::condition(pod, "PodScheduled") != "False";
        state.change_status(key, "kube-scheduler", |pod| {
            set_condition(pod, &now, "PodScheduled", false, "Unschedulable", message);
        });
        if changed {
            events::record(
                state,
                pod,
                "Warning",
                "FailedScheduling",
                message,
                "default-scheduler",
            );
        }
        return Next::Never;
    }
    let node = node.unwrap_or_default();
    runtime.bind(state.now);
    // The binding subresource leaves no trace in managedFields.
    if let Some(live) = state.store.get(key) {
        let mut bound = (*live).clone();
        object::set(&mut bound, "/spec/nodeName", node.as_str());
        set_condition(&mut bound, &now, "PodScheduled", true, "", "");
        state.store.put(key.clone(), bound);
    }
    let message = format!(
        "Successfully assigned {}/{} to {node}",
        object::namespace(pod),
        object::name(pod)
    );
    events::record(
        state,
        pod,
        "Normal",
        "Scheduled",
        &message,
        "default-scheduler",
    );
    claims::bind_for(state, pod);
    Next::Again
}

/// Sends SIGTERM once and removes the pod when its containers are gone.
fn stop(
    state: &mut State,
    key: &Key,
    pod: &Value,
    script: &PodScript,
    runtime: &mut Runtime,
) -> Option<Instant> {
    if runtime.stopping.is_none() {
        runtime.stopping = Some(state.now.instant);
        if runtime.stage == Stage::Running {
            events::record(
                state,
                pod,
                "Normal",
                "Killing",
                "Stopping container",
                "kubelet",
            );
        }
    }
    let grace = number(pod, "/metadata/deletionGracePeriodSeconds").unwrap_or(30);
    let grace = Duration::from_secs(grace.unsigned_abs());
    let due = runtime.gone_at(script, grace)?;
    if state.now.instant < due {
        return Some(due);
    }
    let (has_ended, due) = runtime.finish(script, grace, state.now);
    if has_ended {
        let now = state.now.text();
        state.touched = true;
        state.change_status(key, "kubelet", |pod| {
            write_status(pod, runtime, script, &now);
        });
    }
    if state.now.instant < due {
        return Some(due);
    }
    if !object::has(pod, "/metadata/finalizers") {
        state.store.remove(key);
    }
    None
}

/// The events that explain a stage.
fn tell(state: &mut State, pod: &Value, script: &PodScript, reached: Stage) {
    let image = object::items(pod, "/spec/containers")
        .next()
        .map(|container| text(container, "/image").to_owned());
    let image = image.unwrap_or_default();
    let error = script.pull_error.clone().unwrap_or_default();
    let container = object::items(pod, "/spec/containers").next();
    let container = container
        .map(|container| text(container, "/name").to_owned())
        .unwrap_or_default();
    let told: &[(&str, &str, String)] = &match reached {
        Stage::PullFailed => vec![
            ("Normal", "Pulling", format!("Pulling image {image:?}")),
            (
                "Warning",
                "Failed",
                format!("Failed to pull image {image:?}: {error}"),
            ),
            ("Warning", "Failed", "Error: ErrImagePull".to_owned()),
        ],
        Stage::PullBackOff => vec![
            (
                "Normal",
                "BackOff",
                format!("Back-off pulling image {image:?}"),
            ),
            ("Warning", "Failed", "Error: ImagePullBackOff".to_owned()),
        ],
        Stage::Running => vec![
            ("Normal", "Created", "Container created".to_owned()),
            ("Normal", "Started", "Container started".to_owned()),
        ],
        Stage::CrashBackOff => {
            let pod = format!(
                "{}_{}({})",
                object::name(pod),
                object::namespace(pod),
                object::uid(pod)
            );
            let message = format!("Back-off restarting failed container {container} in pod {pod}");
            vec![("Warning", "BackOff", message)]
        }
        _ => Vec::new(),
    };
    for (kind, reason, message) in told {
        events::record(state, pod, kind, reason, message, "kubelet");
    }
    if reached == Stage::Running
        && let Some(unready) = &script.unready
    {
        events::record(
            state,
            pod,
            "Warning",
            "Unhealthy",
            &format!("Readiness probe failed: {unready}"),
            "kubelet",
        );
    }
}
