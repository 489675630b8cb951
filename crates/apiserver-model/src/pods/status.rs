//! A pod's status, as the kubelet writes it (`pkg/kubelet/kubelet_pods.go` and `pkg/kubelet/status/generate.go`).

use serde_json::{Value, json};

use super::aside;
use super::runtime::Runtime;
use super::script::PodScript;
use super::stage::{Exit, Stage};
use crate::object::{self, text};

/// Writes the status that belongs to the run-time state.
pub(crate) fn write(pod: &mut Value, runtime: &Runtime, script: &PodScript, now: &str) {
    if runtime.stage == Stage::Unscheduled {
        return;
    }
    let phase = match runtime.stage {
        Stage::Running | Stage::Crashed | Stage::CrashBackOff => "Running",
        Stage::Ended
            if runtime
                .last_exit
                .as_ref()
                .is_some_and(|exit| exit.code == 0) =>
        {
            "Succeeded"
        }
        Stage::Ended => "Failed",
        _ => "Pending",
    };
    object::set(pod, "/status/phase", phase);
    let host = node_address(text(pod, "/spec/nodeName"));
    object::set(pod, "/status/hostIP", host.as_str());
    object::set(pod, "/status/hostIPs", json!([{ "ip": host }]));
    object::set(pod, "/status/qosClass", "BestEffort");
    object::set(pod, "/status/startTime", runtime.start_time.as_str());
    if let Some(generation) = object::number(pod, "/metadata/generation") {
        object::set(pod, "/status/observedGeneration", generation);
    }
    if runtime.has_sandbox {
        let address = address(&runtime.sandbox_id);
        object::set(pod, "/status/podIP", address.as_str());
        object::set(pod, "/status/podIPs", json!([{ "ip": address }]));
    }
    let init: Vec<Value> = object::items(pod, "/spec/initContainers")
        .enumerate()
        .map(|(i, c)| {
            if aside::is_sidecar(c) {
                staying_status(pod, c, runtime, script)
            } else {
                init_status(i, c, runtime)
            }
        })
        .collect();
    if !init.is_empty() {
        object::set(pod, "/status/initContainerStatuses", init);
    }
    let main: Vec<Value> = object::items(pod, "/spec/containers")
        .map(|container| staying_status(pod, container, runtime, script))
        .collect();
    object::set(pod, "/status/containerStatuses", main);
    conditions(pod, runtime, now);
}

fn conditions(pod: &mut Value, runtime: &Runtime, now: &str) {
    let initialized = matches!(
        runtime.stage,
        Stage::Running | Stage::Crashed | Stage::CrashBackOff | Stage::Ended
    ) || object::items(pod, "/spec/initContainers").next().is_none();
    let names = |pointer: &str| {
        let names: Vec<&str> = object::items(pod, pointer)
            .map(|container| text(container, "/name"))
            .collect();
        format!("[{}]", names.join(" "))
    };
    let unready = format!(
        "containers with unready status: {}",
        names("/spec/containers")
    );
    let incomplete = format!(
        "containers with incomplete status: {}",
        names("/spec/initContainers")
    );
    set_condition(
        pod,
        now,
        "PodReadyToStartContainers",
        runtime.has_sandbox,
        "",
        "",
    );
    set_condition(
        pod,
        now,
        "Initialized",
        initialized,
        "ContainersNotInitialized",
        &incomplete,
    );
    set_condition(
        pod,
        now,
        "Ready",
        runtime.ready,
        "ContainersNotReady",
        &unready,
    );
    set_condition(
        pod,
        now,
        "ContainersReady",
        runtime.ready,
        "ContainersNotReady",
        &unready,
    );
    set_condition(pod, now, "PodScheduled", true, "", "");
}

/// Sets a condition; its transition time stays while its status does.
pub(crate) fn set_condition(
    pod: &mut Value,
    now: &str,
    kind: &str,
    holds: bool,
    reason: &str,
    message: &str,
) {
    let status = if holds { "True" } else { "False" };
    let mut all: Vec<Value> = object::items(pod, "/status/conditions").cloned().collect();
    let old = all.iter().position(|condition| condition["type"] == kind);
    let mut condition =
        json!({ "type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": now });
    if let Some(generation) = object::number(pod, "/metadata/generation") {
        condition["observedGeneration"] = generation.into();
    }
    if !holds && !reason.is_empty() {
        condition["reason"] = reason.into();
        condition["message"] = message.into();
    }
    object::drop_nulls(&mut condition);
    match old {
        Some(index) => {
            if all[index]["status"] == status {
                condition["lastTransitionTime"] = all[index]["lastTransitionTime"].clone();
            }
            all[index] = condition;
        }
        None => all.push(condition),
    }
    object::set(pod, "/status/conditions", all);
}

fn staying_status(pod: &Value, container: &Value, runtime: &Runtime, script: &PodScript) -> Value {
    if text(container, "/name") == aside::serving(pod) {
        main_status(pod, container, runtime, script)
    } else {
        aside::status(container, runtime)
    }
}

fn main_status(pod: &Value, container: &Value, runtime: &Runtime, script: &PodScript) -> Value {
    let image = text(container, "/image");
    let has_init = object::items(pod, "/spec/initContainers").next().is_some();
    let waiting = |reason: &str, message: Option<String>| {
        let mut waiting = json!({ "waiting": { "reason": reason } });
        if let Some(message) = message {
            waiting["waiting"]["message"] = message.into();
        }
        waiting
    };
    let (name, id) = (text(container, "/name"), &runtime.container_id);
    let state = match runtime.stage {
        Stage::Running => json!({ "running": { "startedAt": runtime.started_at } }),
        Stage::PullFailed => waiting("ErrImagePull", script.pull_error.clone()),
        Stage::PullBackOff => {
            let error = script.pull_error.clone().unwrap_or_default();
            waiting(
                "ImagePullBackOff",
                Some(format!(
                    "Back-off pulling image {image:?}: ErrImagePull: {error}"
                )),
            )
        }
        Stage::CrashBackOff => {
            let seconds = script.back_off_after(runtime.restarts).as_secs();
            let delay = match (seconds / 60, seconds % 60) {
                (0, seconds) => format!("{seconds}s"),
                (minutes, seconds) => format!("{minutes}m{seconds}s"),
            };
            let pod = format!(
                "{}_{}({})",
                object::name(pod),
                object::namespace(pod),
                object::uid(pod)
            );
            let message = format!("back-off {delay} restarting failed container={name} pod={pod}");
            waiting("CrashLoopBackOff", Some(message))
        }
        Stage::Crashed | Stage::Ended => runtime
            .last_exit
            .as_ref()
            .map(terminated)
            .unwrap_or_default(),
        _ if has_init => waiting("PodInitializing", None),
        _ => waiting("ContainerCreating", None),
    };
    let last = match (&runtime.last_exit, runtime.stage) {
        (Some(exit), Stage::Running | Stage::CrashBackOff) => terminated(exit),
        _ => json!({}),
    };
    let running = runtime.stage == Stage::Running;
    let mut status = json!({
        "name": name, "state": state, "lastState": last, "ready": runtime.ready, "restartCount": runtime.restarts,
        "image": image, "imageID": if id.is_empty() { String::new() } else { format!("{image}@sha256:{}", "0".repeat(64)) },
        "started": running,
    });
    if !id.is_empty() {
        status["containerID"] = format!("containerd://{id}").into();
    }
    status
}

fn init_status(index: usize, container: &Value, runtime: &Runtime) -> Value {
    let waiting = json!({ "waiting": { "reason": "PodInitializing" } });
    let state = match runtime.stage {
        Stage::Initializing(current) if index == current => {
            json!({ "running": { "startedAt": runtime.start_time } })
        }
        Stage::Initializing(current) if index > current => waiting,
        Stage::Initializing(_)
        | Stage::Running
        | Stage::Crashed
        | Stage::CrashBackOff
        | Stage::Ended => done(runtime),
        _ => waiting,
    };
    let running = state.get("running").is_some();
    let complete = state.pointer("/terminated/exitCode") == Some(&json!(0));
    json!({
        "name": container["name"], "state": state, "lastState": {}, "ready": complete,
        "restartCount": 0, "image": container["image"], "imageID": "", "started": running,
    })
}

fn done(runtime: &Runtime) -> Value {
    terminated(&Exit {
        code: 0,
        reason: "Completed",
        container_id: runtime.sandbox_id.clone(),
        started_at: runtime.start_time.clone(),
        finished_at: runtime.start_time.clone(),
    })
}

fn terminated(exit: &Exit) -> Value {
    json!({ "terminated": {
        "exitCode": exit.code, "reason": exit.reason, "startedAt": exit.started_at, "finishedAt": exit.finished_at,
        "containerID": format!("containerd://{}", exit.container_id),
    } })
}

/// The address of a node, by the number at the end of its name.
pub(crate) fn node_address(node: &str) -> String {
    let digits = node.rsplit('-').next().unwrap_or_default();
    format!("10.0.0.{}", digits.parse::<u8>().unwrap_or(1))
}

fn address(sandbox_id: &str) -> String {
    let byte = |range| u8::from_str_radix(&sandbox_id[range], 16).unwrap();
    format!("10.244.{}.{}", byte(0..2), byte(2..4))
}
