//! `pods/log` (kubernetes, pkg/registry/core/pod/rest/log.go and pkg/kubelet/kubelet.go, `validateContainerLogStatus`).

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use serde_json::Value;

use super::stage::Stage;
use crate::failure::Failure;
use crate::object::{self, text};
use crate::requests::{self, Answer, Call, Target};
use crate::signal::Listener;
use crate::state::{Shared, State};

/// The log of a container.
pub(crate) fn answer(
    shared: &Arc<Shared>,
    call: &Call,
    target: &Target,
) -> Result<Answer, Failure> {
    let changes = shared.changes();
    let (uid, full, log) = shared.with(|state| {
        let pod = state.live(target)?;
        let container = container(&pod, call.parameter("container"))?;
        let log = log_of(state, &pod, &container, call.flag("previous"))?;
        Ok((
            object::uid(&pod).to_owned(),
            log.len(),
            tail(&log, call.parameter("tailLines")),
        ))
    })?;
    if !call.flag("follow") || call.flag("previous") {
        return Ok(requests::text(log));
    }
    let follow = Follow {
        shared: Arc::clone(shared),
        changes,
        uid,
        sent: full,
        first: Some(Bytes::from(log)),
    };
    Ok(requests::streamed(
        "text/plain",
        stream::unfold(follow, Follow::next),
    ))
}

pub(super) fn container(pod: &Value, wanted: &str) -> Result<String, Failure> {
    let names: Vec<&str> = object::items(pod, "/spec/containers")
        .map(|container| text(container, "/name"))
        .collect();
    let pod_name = object::name(pod);
    match (wanted, names.as_slice()) {
        ("", [only]) => Ok((*only).to_owned()),
        ("", _) => {
            let message = format!(
                "a container name must be specified for pod {pod_name}, choose one of: [{}]",
                names.join(" ")
            );
            Err(Failure::bad_request(message))
        }
        (wanted, _) => {
            let mut all = object::items(pod, "/spec/initContainers")
                .map(|container| text(container, "/name"))
                .chain(names);
            if all.any(|name| name == wanted) {
                Ok(wanted.to_owned())
            } else {
                Err(Failure::bad_request(format!(
                    "container {wanted} is not valid for pod {pod_name}"
                )))
            }
        }
    }
}

fn log_of(state: &State, pod: &Value, container: &str, previous: bool) -> Result<String, Failure> {
    let name = object::name(pod);
    let Some(runtime) = state.kubelet.runtimes.get(object::uid(pod)) else {
        return Ok(String::new());
    };
    if previous {
        // After a crash the current log is the last one until the container starts again.
        let crashed = matches!(runtime.stage, Stage::Crashed | Stage::CrashBackOff);
        let log = if crashed {
            Some(runtime.log.clone())
        } else {
            runtime.previous_log.clone()
        };
        let message =
            format!("previous terminated container {container:?} in pod {name:?} not found");
        return log.ok_or_else(|| Failure::bad_request(message));
    }
    let why = match runtime.stage {
        Stage::Unscheduled
        | Stage::Running
        | Stage::Crashed
        | Stage::CrashBackOff
        | Stage::Ended => {
            return Ok(runtime.log.clone());
        }
        Stage::PullFailed => "image can't be pulled",
        Stage::PullBackOff => "trying and failing to pull image",
        Stage::Initializing(_) => "PodInitializing",
        Stage::Creating => "ContainerCreating",
    };
    let message = format!("container {container:?} in pod {name:?} is waiting to start: {why}");
    Err(Failure::bad_request(message))
}

fn tail(log: &str, lines: &str) -> String {
    let Ok(wanted) = lines.parse::<usize>() else {
        return log.to_owned();
    };
    let lines: Vec<&str> = log.split_inclusive('\n').collect();
    lines[lines.len().saturating_sub(wanted)..].concat()
}

/// A log that is read while it grows.
struct Follow {
    shared: Arc<Shared>,
    changes: Listener,
    uid: String,
    sent: usize,
    first: Option<Bytes>,
}

impl Follow {
    async fn next(mut self) -> Option<(io::Result<Bytes>, Self)> {
        if let Some(first) = self.first.take().filter(|first| !first.is_empty()) {
            return Some((Ok(first), self));
        }
        loop {
            self.changes.mark_heard();
            self.shared.while_frozen().await;
            let (more, ended) =
                self.shared
                    .with(|state| match state.kubelet.runtimes.get(&self.uid) {
                        Some(runtime) => {
                            let more = runtime.log.get(self.sent..).unwrap_or_default().to_owned();
                            (
                                more,
                                !matches!(runtime.stage, Stage::Running | Stage::Unscheduled),
                            )
                        }
                        None => (String::new(), true),
                    });
            if !more.is_empty() {
                self.sent += more.len();
                return Some((Ok(Bytes::from(more)), self));
            }
            if ended {
                return None;
            }
            self.changes.raised().await;
        }
    }
}
