//! What an apply has to get right whatever the tool: kubectl and Flux test the same for theirs.

use serde_json::{Value, json};

use crate::harness::Namespace;
use crate::one_file::{diff, up, up_with};

/// A Deployment whose pods nobody schedules.
fn deployment(spec: &str, container: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  {spec}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      schedulerName: nobody
      containers:
      - {{name: api, image: 'api:1', {container}}}
"
    )
}

fn container(namespace: &Namespace) -> Value {
    let live = namespace.object("deployment/web");
    live["spec"]["template"]["spec"]["containers"][0].clone()
}

#[test]
fn a_namespace_may_stand_behind_what_goes_into_it() {
    let namespace = Namespace::new("behind");
    let name = &namespace.name;
    let set = format!(
        "apiVersion: v1
kind: ConfigMap
metadata: {{name: settings, namespace: {name}}}
data: {{mode: fast}}
---
apiVersion: v1
kind: Namespace
metadata: {{name: {name}, labels: {{team: a}}}}
"
    );
    up(&namespace, &set).expect(0).says("2 created");
    assert_eq!(
        namespace.object("configmap/settings")["data"]["mode"],
        "fast"
    );
    let live = namespace.object(&format!("namespace/{name}"));
    assert_eq!(live["metadata"]["labels"]["team"], "a");
    diff(&namespace, &set).expect(0);
}

#[test]
fn objects_of_one_name_have_a_difference_each() {
    let namespace = Namespace::new("same-name");
    let object = |kind: &str, data: &str| {
        format!(
            "---\napiVersion: v1\nkind: {kind}\nmetadata: {{name: same}}\ndata: {{a: {data}}}\n"
        )
    };
    let set = |value: &str| {
        let account = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: same}\n";
        object("ConfigMap", value) + &object("Secret", "YQ==") + account
    };
    let shown = diff(&namespace, &set("x")).expect(3);
    for kind in ["configmap", "secret", "serviceaccount"] {
        let head = format!("+++ planned/{}/{kind}/same\n", namespace.name);
        assert!(shown.stdout.contains(&head), "{head} {}", shown.stdout);
    }
    up(&namespace, &set("x")).expect(0);
    let shown = diff(&namespace, &set("z")).expect(3);
    assert_eq!(shown.stdout.matches("+++ ").count(), 1, "{}", shown.stdout);
}

#[test]
fn a_key_of_a_secret_is_replaced_by_another() {
    let namespace = Namespace::new("new-key");
    let set = |key: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: token}}\nstringData: {{{key}: correct-horse}}\n"
        )
    };
    up(&namespace, &set("old")).expect(0);
    let shown = diff(&namespace, &set("new")).expect(3);
    for line in ["-  old: \"***\"  # cryptoctl\n", "+  new: \"***\"\n"] {
        assert!(shown.stdout.contains(line), "{}", shown.stdout);
    }
    up(&namespace, &set("new")).expect(0);
    let live = namespace.object("secret/token");
    assert_eq!(live["data"], json!({"new": "Y29ycmVjdC1ob3JzZQ=="}));
    assert_eq!(live.get("stringData"), None);
}

#[test]
fn a_port_that_was_allocated_stays_and_an_address_cannot_change() {
    let namespace = Namespace::new("allocated");
    let service = |more: &str, label: &str| {
        format!(
            "apiVersion: v1
kind: Service
metadata: {{name: web, labels: {{team: {label}}}}}
spec: {{type: NodePort, selector: {{app: web}}, ports: [{{port: 80}}]{more}}}
"
        )
    };
    up(&namespace, &service("", "a")).expect(0);
    let before = namespace.object("service/web")["spec"].clone();
    assert!(before["ports"][0]["nodePort"].is_u64(), "{before}");
    up(&namespace, &service("", "b")).expect(0);
    let after = namespace.object("service/web");
    assert_eq!(after["metadata"]["labels"]["team"], "b");
    assert_eq!(after["spec"], before);
    up(&namespace, &service(", clusterIP: None", "b"))
        .expect(1)
        .says("clusterIP");
    assert_eq!(namespace.object("service/web")["spec"], before);
}

#[test]
fn another_spelling_is_no_difference() {
    let namespace = Namespace::new("spelling");
    let one = deployment(
        "replicas: 0",
        "env: [{name: A, value: x}, {name: B, value: z}], ports: [{containerPort: 80}], \
         resources: {limits: {cpu: 1000m, memory: 1024Mi}}",
    );
    let other = deployment(
        "replicas: 0",
        "resources: {limits: {memory: 1Gi, cpu: 1}}, ports: [{protocol: TCP, containerPort: 80}], \
         env: [{value: x, name: A}, {value: z, name: B}]",
    );
    up(&namespace, &one).expect(0);
    let quiet = || namespace.object("deployment/web")["metadata"]["annotations"].is_object();
    namespace.eventually("its controller is done", || quiet().then_some(()));
    let before = container(&namespace);
    let generation = || namespace.object("deployment/web")["metadata"]["generation"].clone();
    let first = generation();
    diff(&namespace, &other).expect(0);
    up(&namespace, &other).expect(0);
    assert_eq!(container(&namespace), before);
    assert_eq!(generation(), first);
    let again = up_with(&namespace, &other, &["-o", "json"]).expect(0);
    assert_eq!(again.report()["objects"][0]["action"], "keep");
}

/// The API server itself refuses it, from kubectl, too: nobody owns a default, so no apply takes it away.
#[test]
fn a_default_that_excludes_a_value_goes_once_it_was_declared() {
    let namespace = Namespace::new("excludes");
    up(&namespace, &deployment("replicas: 0", "")).expect(0);
    let strategy = || namespace.object("deployment/web")["spec"]["strategy"].clone();
    assert_eq!(strategy()["type"], "RollingUpdate");
    let recreate = deployment("replicas: 0\n  strategy: {type: Recreate}", "");
    let refused = up(&namespace, &recreate).expect(1);
    refused.says("spec.strategy.rollingUpdate: Forbidden");
    let declared = deployment(
        "replicas: 0\n  strategy: {rollingUpdate: {maxSurge: 1}}",
        "",
    );
    up(&namespace, &declared).expect(0);
    up(&namespace, &recreate).expect(0);
    assert_eq!(strategy(), json!({"type": "Recreate"}));
    diff(&namespace, &recreate).expect(0);
}

#[test]
fn what_leaves_the_manifest_leaves_the_object_and_defaults_return() {
    let namespace = Namespace::new("leaves");
    let full = deployment(
        "replicas: 0\n  minReadySeconds: 5",
        "ports: [{containerPort: 80}, {containerPort: 81}], env: [{name: A, value: x}], \
         livenessProbe: {tcpSocket: {port: 80}, periodSeconds: 7}, imagePullPolicy: Always",
    );
    up(&namespace, &full).expect(0);
    let less = deployment(
        "replicas: 0",
        "ports: [{containerPort: 81}], livenessProbe: {tcpSocket: {port: 80}}",
    );
    let shown = diff(&namespace, &less).expect(3);
    for line in [
        "-        - containerPort: 80  # cryptoctl",
        "-          periodSeconds: 7  # cryptoctl",
    ] {
        assert!(shown.stdout.contains(line), "{}", shown.stdout);
    }
    up(&namespace, &less).expect(0);
    let live = container(&namespace);
    assert_eq!(
        live["ports"],
        json!([{"containerPort": 81, "protocol": "TCP"}])
    );
    assert_eq!(live["livenessProbe"]["periodSeconds"], 10);
    assert_eq!(live["imagePullPolicy"], "IfNotPresent");
    assert_eq!(live.get("env"), None);
    let live = namespace.object("deployment/web");
    assert_eq!(live["spec"].get("minReadySeconds"), None);
}

#[test]
fn what_somebody_has_removed_comes_back() {
    let namespace = Namespace::new("removed");
    let set = deployment(
        "replicas: 0",
        "env: [{name: A, value: x}], ports: [{containerPort: 80}]",
    )
    .replace(
        "{name: web}",
        "{name: web, labels: {team: a}, annotations: {note: b}}",
    );
    up(&namespace, &set).expect(0);
    namespace.kubectl(&["label", "deployment/web", "team-"]);
    namespace.kubectl(&["annotate", "deployment/web", "note-"]);
    namespace.kubectl(&["set", "env", "deployment/web", "A-"]);
    let ports = "[{\"op\": \"remove\", \"path\": \"/spec/template/spec/containers/0/ports\"}]";
    namespace.kubectl(&["patch", "deployment/web", "--type=json", "-p", ports]);
    let shown = diff(&namespace, &set).expect(3);
    for line in [
        "+    team: a",
        "+    note: b",
        "+      - env:",
        "+        - containerPort: 80",
    ] {
        assert!(shown.stdout.contains(line), "{line} {}", shown.stdout);
    }
    up(&namespace, &set).expect(0);
    let live = namespace.object("deployment/web");
    assert_eq!(live["metadata"]["labels"]["team"], "a");
    assert_eq!(live["metadata"]["annotations"]["note"], "b");
    let live = container(&namespace);
    assert_eq!(live["env"], json!([{"name": "A", "value": "x"}]));
    assert_eq!(live["ports"][0]["containerPort"], 80);
}

#[test]
fn a_list_that_is_one_value_is_replaced_as_a_whole() {
    let namespace = Namespace::new("metrics");
    let autoscaler = |metrics: &[&str]| {
        let metric = |name: &&str| {
            format!(
                "  - {{type: Resource, resource: {{name: {name}, target: {{type: Utilization, averageUtilization: 50}}}}}}\n"
            )
        };
        let metrics: String = metrics.iter().map(metric).collect();
        format!(
            "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: web}}
spec:
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}
  minReplicas: 1
  maxReplicas: 2
  metrics:
{metrics}"
        )
    };
    let names = || {
        let live = namespace.object("hpa/web");
        let metrics = live["spec"]["metrics"].as_array().unwrap().clone();
        let names = metrics
            .iter()
            .map(|metric| metric["resource"]["name"].clone());
        names.collect::<Vec<_>>()
    };
    let [both, one] = [autoscaler(&["memory", "cpu"]), autoscaler(&["cpu"])];
    up(&namespace, &both).expect(0);
    diff(&namespace, &both).expect(0);
    let shown = diff(&namespace, &one).expect(3);
    assert!(shown.stdout.contains("name: memory"), "{}", shown.stdout);
    up(&namespace, &one).expect(0);
    assert_eq!(names(), ["cpu"]);
    diff(&namespace, &one).expect(0);
    up(&namespace, &both).expect(0);
    assert_eq!(names(), ["memory", "cpu"]);
}
