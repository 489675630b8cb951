//! Why a workload does not become Ready on the real cluster: one cause each, as early as possible.

use serde_json::Value;

use crate::harness::{Ended, Namespace};

const IMAGE: &str = "quay.io/k8sexercices/fileserver:v1.0";

/// A StatefulSet with one replica, from its pod spec and its container.
fn set(name: &str, pod: &str, container: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: {name}}}\nspec:\n  serviceName: {name}\n  replicas: 1\n  \
         selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec:\n      \
         terminationGracePeriodSeconds: 1\n      {pod}\n      containers:\n      - {{name: main, image: \"{IMAGE}\", {container}}}\n"
    )
}

const SLEEPS: &str = "command: [sleep, \"3600\"]";

fn up(namespace: &Namespace, set: &str, timeout: &str) -> Ended {
    let file = namespace.file("set.yaml", set);
    let file = file.to_str().unwrap();
    namespace.here(&["-o", "json", "up", "-f", file, "--timeout", timeout])
}

/// The progress in the report of an `up`.
fn progress(report: &Value) -> &Value {
    &report["rollouts"][0]["progress"]
}

/// Why a workload does not become Ready, whether certain or suspected.
fn cause(progress: &Value) -> &Value {
    if progress["cause"].is_null() {
        &progress["suspicion"]
    } else {
        &progress["cause"]
    }
}

#[test]
fn a_container_that_finishes_by_itself_is_told_from_one_that_fails() {
    let namespace = Namespace::new("finishes");
    let ends = "command: [bash, -c, 'echo nothing to do; exit 0']";
    let set = set("brief", "", ends);
    // A busy kubelet reports the first end so late that the pod has long been Ready.
    let report = namespace.eventually("an end was reported", || {
        let ended = up(&namespace, &set, "180s");
        (ended.code != 0).then(|| ended.expect(4).report())
    });
    let cause = cause(progress(&report));
    assert_eq!(cause["cause"], "completed", "{report}");
    assert!(
        cause["evidence"].to_string().contains("nothing to do"),
        "{report}"
    );
    let hint = cause["next"][0].as_str().unwrap();
    let arguments: Vec<&str> = hint.split(' ').skip(1).collect();
    // Between two runs, the kubelet has no log of the one before for a moment.
    namespace.eventually(&format!("`{hint}` shows the log"), || {
        let log = namespace.try_kubectl(&arguments).stdout;
        String::from_utf8(log)
            .unwrap()
            .contains("nothing to do")
            .then_some(())
    });
}

#[test]
fn a_container_that_the_kubelet_keeps_killing_is_never_ready() {
    let namespace = Namespace::new("liveness");
    let wrong = "command: [sleep, \"3600\"], livenessProbe: {tcpSocket: {port: 81}, periodSeconds: 1, failureThreshold: 2}";
    let report = up(&namespace, &set("web", "", wrong), "180s")
        .expect(4)
        .report();
    let cause = cause(progress(&report));
    assert_eq!(cause["cause"], "liveness_probe", "{report}");
    assert!(cause["message"].to_string().contains("port 81"), "{report}");
}

/// Applies a set, waits until its pod is as `path` and `state` tell, and asks for the status of the rollout:
/// nothing ends it, and this is suspected.
fn held(namespace: &Namespace, set: &str, path: &str, state: &str, suspicion: &str) -> Value {
    let file = namespace.file("set.yaml", set);
    let file = ["-f", file.to_str().unwrap()];
    namespace
        .here(&[&["up"], &file[..], &["--no-wait"]].concat())
        .expect(0);
    namespace.eventually(state, || {
        let pods = namespace.kubectl(&["get", "pods", "-o", &format!("jsonpath={{{path}}}")]);
        pods.contains(state).then_some(())
    });
    let status = ["-o", "json", "rollout", "status"];
    let report = namespace
        .here(&[&status, &file[..], &["--timeout", "20s"]].concat())
        .expect(5)
        .report();
    assert_eq!(cause(&report["progress"])["cause"], suspicion, "{report}");
    report
}

#[test]
fn gates_are_undecided_with_their_reason() {
    let namespace = Namespace::new("gates");
    let gate = "schedulingGates: [{name: example.com/quota}]";
    let gated = set("sched", gate, SLEEPS);
    let (path, state) = ("..conditions[*].reason", "SchedulingGated");
    let report = held(&namespace, &gated, path, state, "scheduling_gate");
    let replica = &report["progress"]["replicas"][0];
    assert_eq!(replica["pod"]["status"], "SchedulingGated", "{report}");
    let gate = "readinessGates: [{conditionType: example.com/registered}]";
    let gated = set("ready", gate, SLEEPS);
    let (path, state) = ("..containerStatuses[*].ready", "true");
    held(&namespace, &gated, path, state, "readiness_gate");
}

#[test]
fn a_final_refusal_of_admission_ends_the_wait_at_once() {
    let namespace = Namespace::new("admission");
    let restricted = format!(
        "{}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {}, labels: {{pod-security.kubernetes.io/enforce: restricted}}}}\n",
        set("web", "", SLEEPS),
        namespace.name
    );
    let report = up(&namespace, &restricted, "120s").expect(4).report();
    assert_eq!(
        cause(progress(&report))["cause"],
        "pod_security",
        "{report}"
    );
}

#[test]
fn a_limit_range_of_the_set_applies_to_its_pods() {
    let namespace = Namespace::new("limits");
    let small = "---\napiVersion: v1\nkind: LimitRange\nmetadata: {name: small}\nspec: {limits: [{type: Container, max: {cpu: 100m}}]}\n";
    let greedy =
        "command: [sleep, \"3600\"], resources: {requests: {cpu: \"1\"}, limits: {cpu: \"1\"}}";
    let limited = format!("{}{small}", set("web", "", greedy));
    let refused = up(&namespace, &limited, "120s").expect(1);
    let reason = "a limit range refuses its container `main`: its cpu limit of 1 is above the maximum of 100m";
    assert!(refused.stderr.contains(reason), "{}", refused.stderr);
    let file = namespace.file("set.yaml", &limited);
    let file = file.to_str().unwrap();
    let accepted = [
        "-o",
        "json",
        "up",
        "-f",
        file,
        "--timeout",
        "120s",
        "--allow",
        "quota",
    ];
    let report = namespace.here(&accepted).expect(4).report();
    assert_eq!(cause(progress(&report))["cause"], "limit_range", "{report}");
}

#[test]
fn objects_of_the_set_itself_count() {
    let namespace = Namespace::new("brings");
    namespace.kubectl(&["create", "namespace", &namespace.name]);
    let class = format!("{}-class", namespace.name);
    let brings = format!(
        "{}---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: robot}}\n\
         ---\napiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {{name: {class}}}\nvalue: 5\n\
         ---\napiVersion: v1\nkind: Pod\nmetadata: {{name: single}}\nspec: {{serviceAccountName: robot, priorityClassName: {class}, \
         terminationGracePeriodSeconds: 1, containers: [{{name: main, image: \"{IMAGE}\", {SLEEPS}}}]}}\n",
        set("web", "serviceAccountName: robot", SLEEPS)
    );
    up(&namespace, &brings, "120s").expect(0);
    namespace.kubectl(&["delete", "priorityclass", &class]);
}

#[test]
fn a_missing_reference_is_refused_before_anything_is_written() {
    let namespace = Namespace::new("missing");
    let table = [
        ("serviceAccountName: robot", "serviceaccount/robot"),
        ("runtimeClassName: sandboxed", "runtimeclass/sandboxed"),
        ("priorityClassName: vital", "priorityclass/vital"),
        (
            "volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]",
            "persistentvolumeclaim/data",
        ),
        (
            "volumes: [{name: v, secret: {secretName: login}}]",
            "secret/login",
        ),
    ];
    for (pod, missing) in table {
        let file = namespace.file("set.yaml", &set("web", pod, SLEEPS));
        namespace
            .here(&["up", "-f", file.to_str().unwrap()])
            .expect(1)
            .says(missing);
    }
    let absent = namespace.try_kubectl(&["get", "namespace", &namespace.name]);
    assert!(!absent.status.success(), "nothing was written");
}
