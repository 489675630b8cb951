//! The containers beside the one that serves: they run on while it restarts, and restart by themselves.

use serde_json::{Value, json};

use super::runtime::Runtime;
use super::stage::Stage;
use crate::object::{self, text};

/// The container that serves: the first one that declares a port, sidecars included, or else the first.
pub(crate) fn serving(pod: &Value) -> &str {
    let all = || {
        let sidecars = object::items(pod, "/spec/initContainers").filter(|it| is_sidecar(it));
        object::items(pod, "/spec/containers").chain(sidecars)
    };
    let declaring = all().find(|container| object::items(container, "/ports").next().is_some());
    declaring
        .or(all().next())
        .map_or("", |container| text(container, "/name"))
}

/// Whether an init container stays.
pub(crate) fn is_sidecar(container: &Value) -> bool {
    container["restartPolicy"] == "Always"
}

/// The status of a container beside the one that serves.
pub(crate) fn status(container: &Value, runtime: &Runtime) -> Value {
    let runs = matches!(
        runtime.stage,
        Stage::Running | Stage::Crashed | Stage::CrashBackOff
    );
    let name = text(container, "/name");
    let started = match runtime.aside_at.as_str() {
        "" => &runtime.start_time,
        restarted => restarted,
    };
    let state = if runs {
        json!({ "running": { "startedAt": started } })
    } else {
        json!({ "waiting": { "reason": "PodInitializing" } })
    };
    let mut status = json!({
        "name": name, "state": state, "lastState": {}, "ready": runs, "restartCount": runtime.aside,
        "image": container["image"], "imageID": "", "started": runs,
    });
    if runs {
        let sum: u32 = name.bytes().map(u32::from).sum();
        let id = format!(
            "{}{:08x}",
            &runtime.sandbox_id[..56],
            sum * 256 + runtime.aside
        );
        status["containerID"] = format!("containerd://{id}").into();
    }
    status
}
