//! Containers whose program cannot be started, and init containers that have not finished.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use super::{Cause, Diagnosis, Evidence, Finality, configuration, crash, kubectl, pod_reference};
use crate::status::{Snapshot, long_running_statuses};

/// What container runtimes say of a program that is not there, or cannot be executed
/// (`opencontainers/runc` `libcontainer/init_linux.go`; Go's `os/exec`).
const NO_PROGRAM: [&str; 5] = [
    "executable file not found",
    "no such file or directory",
    "permission denied",
    "not a directory",
    "exec format error",
];

/// A program that is missing, or an init container that runs on.
pub(super) fn diagnose(
    snapshot: &Snapshot,
    pod: &Pod,
    status: &ContainerStatus,
) -> Option<Diagnosis> {
    no_program(pod, status).or_else(|| unfinished(snapshot, pod, status))
}

/// Whether a text of a container runtime is about the program of a container.
pub(super) fn names_no_program(words: &str) -> bool {
    words.contains("exec: ") && NO_PROGRAM.iter().any(|text| words.contains(text))
}

/// The program is looked up when the container starts. An image does not change, but a volume may get the program
/// later.
fn no_program(pod: &Pod, status: &ContainerStatus) -> Option<Diagnosis> {
    let object = pod_reference(pod);
    let name = &status.name;
    let (evidence, words) = refused(pod, status)?;
    let program = words
        .split_once("exec: ")
        .map(|(_, rest)| rest.replace('\\', ""))
        .and_then(|rest| Some(rest.split('"').nth(1)?.to_owned()));
    let what = program
        .as_ref()
        .map_or_else(|| "its program".to_owned(), |it| format!("`{it}`"));
    let message = format!(
        "container `{name}` of `{object}` cannot start {what}: it does not exist there, or cannot be executed"
    );
    let is_on_volume = program.is_some_and(|program| is_on_volume(pod, name, &program));
    let next = format!(
        "kubectl get {object}{} -o yaml",
        super::on(object.namespace.as_deref())
    );
    Some(
        Diagnosis::new(Cause::CommandNotFound, object, message)
            .within(name)
            .because([evidence])
            .then([next])
            .is(if is_on_volume {
                Finality::Lasting
            } else {
                Finality::Final
            }),
    )
}

/// What the container runtime says: first of the container that waits, then of its end.
fn refused(pod: &Pod, status: &ContainerStatus) -> Option<(Evidence, String)> {
    let state = status.state.as_ref()?;
    let waiting = state.waiting.as_ref();
    let reason = waiting.and_then(|waiting| waiting.reason.as_deref());
    if let Some(reason @ ("RunContainerError" | "CreateContainerError")) = reason {
        let words = waiting.and_then(|waiting| waiting.message.clone());
        let words = words.filter(|words| names_no_program(words))?;
        return Some((
            configuration::waits(pod, &status.name, reason, &words),
            words,
        ));
    }
    if state.running.is_some() {
        return None;
    }
    let last = status.last_state.as_ref();
    let ended = state
        .terminated
        .as_ref()
        .or(last.and_then(|last| last.terminated.as_ref()))?;
    let reason = ended.reason.as_deref().unwrap_or_default();
    if !["StartError", "ContainerCannotRun"].contains(&reason) {
        return None;
    }
    let words = ended
        .message
        .clone()
        .filter(|words| names_no_program(words))?;
    let path = format!(
        ".status.containerStatuses[{}].lastState.terminated",
        status.name
    );
    let evidence = Evidence::field(&pod_reference(pod), &path, words.trim_end())
        .at(ended.finished_at.as_ref().map(|time| time.0));
    Some((evidence, words))
}

fn is_on_volume(pod: &Pod, container: &str, program: &str) -> bool {
    let container = crash::container(pod, container);
    let mounts = container.and_then(|container| container.volume_mounts.as_ref());
    let mut mounts = mounts.into_iter().flatten();
    mounts.any(|mount| program.starts_with(mount.mount_path.trim_end_matches('/')))
}

/// An init container that runs. Nothing is said of it before the surroundings have been read: then it has been
/// running for a while.
fn unfinished(snapshot: &Snapshot, pod: &Pod, status: &ContainerStatus) -> Option<Diagnosis> {
    snapshot.claims.as_ref()?;
    let running = status.state.as_ref()?.running.as_ref()?;
    let spec = pod.spec.as_ref()?;
    let name = &status.name;
    let mut init = spec.init_containers.iter().flatten();
    if !init.any(|container| container.name == *name)
        || long_running_statuses(pod).any(|it| it.name == *name)
    {
        return None;
    }
    let object = pod_reference(pod);
    let message = format!("init container `{name}` of `{object}` has not finished");
    let path = format!(".status.initContainerStatuses[{name}].state.running");
    let since = running.started_at.as_ref().map(|time| time.0);
    let evidence = Evidence::field(&object, &path, "has not finished").at(since);
    let next = format!("{} -c {name}", kubectl("logs", &object));
    Some(
        Diagnosis::new(Cause::InitContainer, object, message)
            .within(name)
            .because([evidence])
            .then([next]),
    )
}
