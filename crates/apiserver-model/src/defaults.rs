//! The defaults that the API server fills in, as far as a diff of the usual workloads shows them
//! (`pkg/apis/{core,apps,batch}/v1/defaults.go` and `pkg/apis/core/v1/zz_generated.defaults.go`).

use serde_json::{Value, json};

use super::kinds::Kind;
use super::object::{has, remove, set, set_default, text};

/// Fills in what the user left out.
pub(crate) fn apply(kind: &Kind, object: &mut Value) {
    match kind.name.as_str() {
        "Pod" => {
            pod(object);
            set_default(object, "/spec/enableServiceLinks", true);
        }
        "StatefulSet" => stateful_set(object),
        "Deployment" => deployment(object),
        "DaemonSet" => daemon_set(object),
        "ReplicaSet" => {
            set_default(object, "/spec/replicas", 1);
            template(object);
        }
        "Job" => job(object),
        "Service" => service(object),
        "PersistentVolumeClaim" => set_default(object, "/spec/volumeMode", "Filesystem"),
        "PersistentVolume" => {
            set_default(object, "/spec/volumeMode", "Filesystem");
            set_default(object, "/spec/persistentVolumeReclaimPolicy", "Retain");
        }
        "Secret" => {
            set_default(object, "/type", "Opaque");
            encode_string_data(object);
        }
        "StorageClass" => {
            set_default(object, "/reclaimPolicy", "Delete");
            set_default(object, "/volumeBindingMode", "Immediate");
        }
        "Namespace" => {
            let name = text(object, "/metadata/name").to_owned();
            set_default(
                object,
                "/metadata/labels/kubernetes.io~1metadata.name",
                name,
            );
        }
        _ => {}
    }
}

/// `stringData` is written only; it ends up in `data` (pkg/apis/core/v1/conversion.go).
fn encode_string_data(object: &mut Value) {
    let Some(Value::Object(plain)) = remove(object, "/stringData") else {
        return;
    };
    for (key, value) in plain {
        let encoded = super::base64::encode(value.as_str().unwrap_or_default().as_bytes());
        set(
            object,
            &format!("/data/{}", key.replace('~', "~0").replace('/', "~1")),
            encoded,
        );
    }
}

fn stateful_set(object: &mut Value) {
    set_default(object, "/spec/podManagementPolicy", "OrderedReady");
    set_default(object, "/spec/replicas", 1);
    set_default(object, "/spec/revisionHistoryLimit", 10);
    set_default(object, "/spec/updateStrategy/type", "RollingUpdate");
    if text(object, "/spec/updateStrategy/type") == "RollingUpdate" {
        set_default(object, "/spec/updateStrategy/rollingUpdate/partition", 0);
        set_default(
            object,
            "/spec/updateStrategy/rollingUpdate/maxUnavailable",
            1,
        );
    }
    set_default(
        object,
        "/spec/persistentVolumeClaimRetentionPolicy/whenDeleted",
        "Retain",
    );
    set_default(
        object,
        "/spec/persistentVolumeClaimRetentionPolicy/whenScaled",
        "Retain",
    );
    let claims = object
        .pointer_mut("/spec/volumeClaimTemplates")
        .and_then(Value::as_array_mut);
    for claim in claims.into_iter().flatten() {
        set_default(claim, "/apiVersion", "v1");
        set_default(claim, "/kind", "PersistentVolumeClaim");
        set_default(claim, "/spec/volumeMode", "Filesystem");
        set_default(claim, "/status/phase", "Pending");
    }
    template(object);
}

fn deployment(object: &mut Value) {
    set_default(object, "/spec/replicas", 1);
    set_default(object, "/spec/revisionHistoryLimit", 10);
    set_default(object, "/spec/progressDeadlineSeconds", 600);
    set_default(object, "/spec/strategy/type", "RollingUpdate");
    if text(object, "/spec/strategy/type") == "RollingUpdate" {
        set_default(object, "/spec/strategy/rollingUpdate/maxUnavailable", "25%");
        set_default(object, "/spec/strategy/rollingUpdate/maxSurge", "25%");
    }
    template(object);
}

fn daemon_set(object: &mut Value) {
    set_default(object, "/spec/revisionHistoryLimit", 10);
    set_default(object, "/spec/updateStrategy/type", "RollingUpdate");
    if text(object, "/spec/updateStrategy/type") == "RollingUpdate" {
        set_default(
            object,
            "/spec/updateStrategy/rollingUpdate/maxUnavailable",
            1,
        );
        set_default(object, "/spec/updateStrategy/rollingUpdate/maxSurge", 0);
    }
    template(object);
}

fn job(object: &mut Value) {
    set_default(object, "/spec/parallelism", 1);
    set_default(object, "/spec/completions", 1);
    set_default(object, "/spec/backoffLimit", 6);
    set_default(object, "/spec/completionMode", "NonIndexed");
    set_default(object, "/spec/suspend", false);
    set_default(object, "/spec/manualSelector", false);
    set_default(object, "/spec/podReplacementPolicy", "TerminatingOrFailed");
    template(object);
}

fn service(object: &mut Value) {
    set_default(object, "/spec/type", "ClusterIP");
    set_default(object, "/spec/sessionAffinity", "None");
    set_default(object, "/spec/internalTrafficPolicy", "Cluster");
    let ports = object
        .pointer_mut("/spec/ports")
        .and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten() {
        set_default(port, "/protocol", "TCP");
        let number = port["port"].clone();
        set_default(port, "/targetPort", number);
    }
}

fn template(object: &mut Value) {
    if let Some(template) = object.pointer_mut("/spec/template") {
        pod(template);
    }
}

fn pod(pod: &mut Value) {
    set_default(pod, "/spec/restartPolicy", "Always");
    set_default(pod, "/spec/dnsPolicy", "ClusterFirst");
    set_default(pod, "/spec/schedulerName", "default-scheduler");
    set_default(pod, "/spec/terminationGracePeriodSeconds", 30);
    set_default(pod, "/spec/securityContext", json!({}));
    // The older name of the account is kept equal (pkg/apis/core/v1/conversion.go).
    if has(pod, "/spec/serviceAccountName") {
        let account = text(pod, "/spec/serviceAccountName").to_owned();
        set_default(pod, "/spec/serviceAccount", account);
    }
    for list in ["/spec/initContainers", "/spec/containers"] {
        let containers = pod.pointer_mut(list).and_then(Value::as_array_mut);
        containers.into_iter().flatten().for_each(container);
    }
    let volumes = pod
        .pointer_mut("/spec/volumes")
        .and_then(Value::as_array_mut);
    volumes.into_iter().flatten().for_each(volume);
}

fn container(container: &mut Value) {
    let image = text(container, "/image").to_owned();
    let untagged = !image.contains('@')
        && !image
            .rsplit('/')
            .next()
            .is_some_and(|last| last.contains(':'));
    let policy = if untagged || image.ends_with(":latest") {
        "Always"
    } else {
        "IfNotPresent"
    };
    set_default(container, "/imagePullPolicy", policy);
    set_default(container, "/terminationMessagePath", "/dev/termination-log");
    set_default(container, "/terminationMessagePolicy", "File");
    set_default(container, "/resources", json!({}));
    let ports = container
        .pointer_mut("/ports")
        .and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten() {
        set_default(port, "/protocol", "TCP");
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.get_mut(probe) {
            set_default(probe, "/timeoutSeconds", 1);
            set_default(probe, "/periodSeconds", 10);
            set_default(probe, "/successThreshold", 1);
            set_default(probe, "/failureThreshold", 3);
            if let Some(get) = probe.get_mut("httpGet") {
                set_default(get, "/scheme", "HTTP");
                set_default(get, "/path", "/");
            }
        }
    }
    let variables = container.pointer_mut("/env").and_then(Value::as_array_mut);
    for variable in variables.into_iter().flatten() {
        if has(variable, "/valueFrom/fieldRef") {
            set_default(variable, "/valueFrom/fieldRef/apiVersion", "v1");
        }
    }
}

fn volume(volume: &mut Value) {
    for source in ["configMap", "secret", "projected", "downwardAPI"] {
        if volume.get(source).is_some() {
            set_default(volume, &format!("/{source}/defaultMode"), 0o644);
        }
    }
    if volume.get("hostPath").is_some() {
        set_default(volume, "/hostPath/type", "");
    }
}
