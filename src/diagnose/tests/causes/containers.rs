//! What happens in a pod's containers.

use serde_json::{Value, json};

use super::super::super::*;
use super::super::{ABSENT, pod, waiting};
use super::{Case, of_pod};

const DESCRIBE: &str = "kubectl describe pod/web-0 -n n";
const YAML: &str = "kubectl get pod/web-0 -n n -o yaml";
const LOGS: &str = "kubectl logs pod/web-0 -n n -c api";
const PREVIOUS: &str = "kubectl logs pod/web-0 -n n -c api --previous";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = of_images();
    cases.extend(of_configurations());
    cases.extend(of_programs());
    cases.extend(of_endings());
    cases.extend(of_probes());
    cases
}

fn of_images() -> Vec<Case> {
    let last = Finality::Final;
    let pull = "ErrImagePull";
    let denied = "pull access denied, repository does not exist or may require authorization";
    let table = [
        (Cause::ImageNotFound, last, pull, ABSENT, "does not have it"),
        (
            Cause::ImageAccessDenied,
            last,
            pull,
            denied,
            "may not have it",
        ),
        (
            Cause::InvalidImageName,
            last,
            "InvalidImageName",
            "couldn't parse image name \"I:1\": invalid reference format",
            "not valid",
        ),
        (
            Cause::ImageNeverPulled,
            last,
            "ErrImageNeverPull",
            "Container image \"i:1\" is not present with pull policy of Never",
            "forbids to pull it",
        ),
        (
            Cause::RegistryUnreachable,
            Finality::Open,
            pull,
            "dial tcp: lookup r.example: no such host",
            "cannot be reached",
        ),
        (
            Cause::ImagePull,
            Finality::Lasting,
            pull,
            "no space left on device",
            "cannot pull the image `i:1`",
        ),
    ];
    let waits = |(cause, finality, reason, words, says)| {
        let pod = pod("web-b", &waiting(reason, words));
        of_pod(cause, finality, &pod, &[], says, DESCRIBE)
    };
    let mut cases: Vec<Case> = table.into_iter().map(waits).collect();
    let secret = [(
        "FailedToRetrieveImagePullSecret",
        "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.",
    )];
    let pod = pod("web-b", &waiting(pull, denied));
    let cause = Cause::ImageAccessDenied;
    let lasting = Finality::Lasting;
    cases.push(of_pod(cause, lasting, &pod, &secret, "", DESCRIBE));
    cases
}

fn of_configurations() -> Vec<Case> {
    let lasting = Finality::Lasting;
    let error = "CreateContainerConfigError";
    let table = [
        (
            Cause::MissingConfigMap,
            lasting,
            error,
            "configmap \"late\" not found",
            "`configmap/late`",
            "kubectl get configmaps -n n",
        ),
        (
            Cause::MissingSecret,
            lasting,
            error,
            "secret \"late\" not found",
            "`secret/late`",
            "kubectl get secrets -n n",
        ),
        (
            Cause::MissingKey,
            lasting,
            error,
            "couldn't find key color in ConfigMap n/theme",
            "the key `color` of `configmap/theme`",
            "kubectl describe configmap/theme -n n",
        ),
        (
            Cause::MissingKey,
            lasting,
            error,
            "couldn't find key token in Secret n/login",
            "the key `token` of `secret/login`",
            "kubectl describe secret/login -n n",
        ),
        (
            Cause::ContainerConfiguration,
            lasting,
            "CreateContainerError",
            "failed to reserve container name",
            "cannot create",
            DESCRIBE,
        ),
        (
            Cause::ContainerConfiguration,
            Finality::Final,
            error,
            "container has runAsNonRoot and image will run as root",
            "cannot create",
            DESCRIBE,
        ),
    ];
    let waits = |(cause, finality, reason, words, says, next)| {
        let pod = pod("web-b", &waiting(reason, words));
        of_pod(cause, finality, &pod, &[], says, next)
    };
    table.into_iter().map(waits).collect()
}

const RUNC: &str = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"/data/serve\": stat /data/serve: no such file or directory: unknown";

fn of_programs() -> Vec<Case> {
    let ended = json!({"restartCount": 0,
        "state": {"terminated": {"exitCode": 128, "reason": "StartError", "message": RUNC}}});
    let absent = pod("web-b", &ended);
    let mut on_volume = absent.clone();
    on_volume["spec"]["containers"] = json!([{"name": "api",
        "volumeMounts": [{"name": "v", "mountPath": "/data"}]}]);
    let waits = pod("web-b", &waiting("RunContainerError", RUNC));
    let by_shell = crashing(127, "Error");
    let (cause, says) = (Cause::CommandNotFound, "cannot start `/data/serve`");
    let last = Finality::Final;
    vec![
        of_pod(cause, last, &absent, &[], says, YAML),
        of_pod(cause, last, &waits, &[], says, YAML),
        of_pod(cause, Finality::Lasting, &on_volume, &[], says, YAML),
        of_pod(cause, last, &by_shell, &[], "command not found", PREVIOUS),
    ]
}

/// A container that has ended in this way for the third time.
fn crashing(code: i32, reason: &str) -> Value {
    let ended = json!({"exitCode": code, "reason": reason,
        "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:30Z"});
    pod(
        "web-b",
        &json!({"restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": ended}}),
    )
}

fn of_endings() -> Vec<Case> {
    let mut limited = crashing(137, "OOMKilled");
    limited["spec"]["containers"] =
        json!([{"name": "api", "resources": {"limits": {"memory": "64Mi"}}}]);
    let killed = [
        (
            "Killing",
            "Container api failed liveness probe, will be restarted",
        ),
        ("Unhealthy", "Liveness probe failed: connection refused"),
    ];
    let mut init = crashing(1, "Error");
    let status = init["status"]["containerStatuses"].take();
    init["status"] = json!({"initContainerStatuses": status});
    init["spec"]["initContainers"] = json!([{"name": "api"}]);
    let mut runs_on = init.clone();
    let status = &mut runs_on["status"]["initContainerStatuses"][0];
    status["state"] = json!({"running": {}});
    status["lastState"] = json!({});
    let (done, aborted, killed_again) = (
        crashing(0, "Completed"),
        crashing(134, "Error"),
        crashing(137, "Error"),
    );
    let table = [
        (Cause::OutOfMemory, &limited, &[][..], "than its limit"),
        (
            Cause::LivenessProbe,
            &killed_again,
            &killed[..],
            "liveness probe",
        ),
        (Cause::Completed, &done, &[], "finishes by itself"),
        (Cause::CrashLoop, &aborted, &[], "SIGABRT"),
        (Cause::InitContainer, &init, &[], "init container `api`"),
    ];
    let mut cases: Vec<Case> = table
        .into_iter()
        .map(|(cause, pod, events, says)| {
            of_pod(cause, Finality::Final, pod, events, says, PREVIOUS)
        })
        .collect();
    let (cause, open) = (Cause::InitContainer, Finality::Open);
    cases.push(of_pod(cause, open, &runs_on, &[], "has not finished", LOGS));
    cases
}

/// A container that runs since then, and is not ready.
fn running(since: &str, probes: &Value) -> Value {
    let status = json!({"state": {"running": {"startedAt": since}}, "started": false});
    let mut pod = pod("web-b", &status);
    let mut container = json!({"name": "api"});
    let probes = probes.as_object().unwrap().clone();
    container.as_object_mut().unwrap().extend(probes);
    pod["spec"]["containers"] = json!([container]);
    pod
}

fn of_probes() -> Vec<Case> {
    let open = Finality::Open;
    let ready = json!({"readinessProbe": {"httpGet": {"path": "/keys", "port": 80}}});
    // The events are of 00:00:20.
    let young = running("2026-01-01T00:00:00Z", &ready);
    let old = running("2025-12-31T23:00:00Z", &ready);
    let starts = json!({"startupProbe": {"tcpSocket": {"port": 80}}});
    let starts = running("2025-12-31T23:00:00Z", &starts);
    let fails = [(
        "Unhealthy",
        "Readiness probe failed: HTTP probe failed with statuscode: 404",
    )];
    let mut gated = old.clone();
    gated["spec"]["readinessGates"] = json!([{"conditionType": "example.com/registered"}]);
    gated["status"]["conditions"] = json!([{"type": "ContainersReady", "status": "True"}]);
    let lookup = [(
        "Unhealthy",
        "Readiness probe failed: lookup web-1.web.n.svc: no such host",
    )];
    let (cause, services) = (Cause::MissingService, "kubectl get services -n n");
    let mut alone = of_pod(cause, open, &old, &lookup, "`service/web`", services);
    alone.snapshot.has_service = Some(false);
    let mut odd = pod("web-b", &json!({}));
    odd["status"]["conditions"] = json!([{"type": "Ready", "status": "False",
        "message": "containers with unready status: [api]"}]);
    let table = [
        (
            Cause::ReadinessGate,
            &gated,
            &[][..],
            "`example.com/registered` is not set",
            YAML,
        ),
        (
            Cause::ReadinessProbe,
            &old,
            &fails[..],
            "readiness probe (GET /keys on port 80) fails",
            DESCRIBE,
        ),
        (
            Cause::SlowStart,
            &young,
            &fails,
            "may still be starting",
            DESCRIBE,
        ),
        (
            Cause::SlowStart,
            &young,
            &[],
            "may still be starting",
            DESCRIBE,
        ),
        (
            Cause::SlowStart,
            &starts,
            &[],
            "startup probe (a connection to port 80)",
            DESCRIBE,
        ),
        (
            Cause::Unknown,
            &odd,
            &[],
            "nothing that can be seen says why",
            DESCRIBE,
        ),
    ];
    let mut cases: Vec<Case> = table
        .into_iter()
        .map(|(cause, pod, events, says, next)| of_pod(cause, open, pod, events, says, next))
        .collect();
    cases.push(alone);
    cases
}
