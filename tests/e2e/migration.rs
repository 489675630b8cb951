//! Objects that real tools made are taken over: what they set and nobody declares goes, everything else stays.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Ended, Namespace, variable};
use crate::sets;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

const MORE: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {team: a, legacy: yes-it-is}}
data: {mode: fast, extra: gone}
---
apiVersion: v1
kind: Secret
metadata: {name: token}
stringData: {password: hunter2-hunter2, old: an-old-password}
";

/// What is declared now is less than what `kubectl apply` was given.
fn less(text: &str) -> String {
    let gone = [
        ", legacy: yes-it-is",
        ", extra: gone",
        ", old: an-old-password",
    ];
    gone.iter()
        .fold(text.to_owned(), |text, part| text.replace(part, ""))
}

/// The managers of an object, without what controllers write of its state.
fn managers(namespace: &Namespace, object: &str) -> Vec<String> {
    let text = namespace.kubectl(&["get", object, "-o", "json", "--show-managed-fields"]);
    let object: Value = serde_json::from_str(&text).unwrap();
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    let entries = entries.iter().filter(|entry| {
        !entry["manager"].as_str().unwrap().starts_with("kube-") && entry["subresource"].is_null()
    });
    let text = |entry: &Value| format!("{} {}", entry["manager"], entry["operation"]);
    entries.map(|entry| text(entry).replace('"', "")).collect()
}

fn run(namespace: &Namespace, verb: &str, set: &str, more: &[&str]) -> Ended {
    let ended = namespace.here(&[&[verb, "-f", set], more].concat());
    for value in ["hunter2", "aHVudGVy", "old-password", "YW4tb2xk"] {
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(!said.contains(value), "{said}");
    }
    ended
}

/// The state of everything that is declared.
fn versions(namespace: &Namespace) -> Value {
    let all = "statefulset,service,configmap,secret,pdb";
    let text = namespace.kubectl(&["get", all, "-o", "json"]);
    let list: Value = serde_json::from_str(&text).unwrap();
    // What has a generation gets a new version for its status, too.
    let of = |object: &Value| {
        let metadata = &object["metadata"];
        let generation = metadata.get("generation");
        generation.unwrap_or(&metadata["resourceVersion"]).clone()
    };
    list["items"].as_array().unwrap().iter().map(of).collect()
}

fn uids(namespace: &Namespace) -> Vec<String> {
    let path = "jsonpath={.items[*].metadata.uid}";
    let text = namespace.kubectl(&["get", "pods", "-o", path]);
    text.split(' ').map(str::to_owned).collect()
}

/// Changes an object in `kubectl edit`, by a command of sed.
fn edit(namespace: &Namespace, object: &str, command: &str) {
    let edited = Command::new(variable("CRYPTOCTL_SANDBOX_KUBECTL"))
        .env("KUBE_EDITOR", format!("sed -i '{command}'"))
        .args(["--kubeconfig", &variable("CRYPTOCTL_SANDBOX_KUBECONFIG")])
        .args(["-n", &namespace.name, "edit", object])
        .output()
        .unwrap();
    assert!(edited.status.success(), "{edited:?}");
}

#[test]
fn what_kubectl_applied_is_taken_over_while_it_runs() {
    let namespace = Namespace::new("applied");
    let set = sets::built_in(&namespace, 50);
    let more = Path::new(&set).join("more.yaml");
    std::fs::write(&more, MORE).unwrap();
    namespace.kubectl(&["create", "namespace", &namespace.name]);
    namespace.kubectl(&["apply", "-f", &set]);
    namespace.kubectl(&["rollout", "status", "statefulset/cryptoserver"]);
    let (before, pods) = (versions(&namespace), uids(&namespace));
    std::fs::write(&more, less(MORE)).unwrap();
    let steps = [
        "configmap/settings removes `.data.extra`, which kubectl-client-side-apply has set",
        "from kubectl-client-side-apply to cryptoctl, and drops the annotation",
        "secret/token removes `.data.old`, which kubectl-client-side-apply has set",
    ];
    let shown = run(&namespace, "diff", &set, &[]).expect(3);
    let line = "-    legacy: yes-it-is  # kubectl-client-side-apply";
    assert!(shown.stdout.contains(line), "{}", shown.stdout);
    assert!(!shown.stdout.contains("statefulset"), "{}", shown.stdout);
    steps.iter().fold(shown, |shown, step| shown.says(step));
    run(&namespace, "up", &set, &["--dry-run"]).expect(0);
    assert_eq!(versions(&namespace), before, "nothing is written");
    let done = run(&namespace, "up", &set, &[]).expect(0);
    steps.iter().fold(done, |done, step| done.says(step));
    let all = [
        "statefulset/cryptoserver",
        "service/cryptoserver",
        "pvc/cryptodata",
        "configmap/settings",
        "secret/token",
    ];
    for object in all {
        assert_eq!(
            managers(&namespace, object),
            ["cryptoctl Apply"],
            "{object}"
        );
        let annotations = &namespace.object(object)["metadata"]["annotations"];
        assert_eq!(annotations.get(LAST_APPLIED), None, "{object}");
    }
    let settings = namespace.object("configmap/settings");
    assert_eq!(settings["data"], json!({"mode": "fast"}));
    assert_eq!(settings["metadata"]["labels"], json!({"team": "a"}));
    assert_eq!(uids(&namespace), pods, "no pod was restarted");
    let after = versions(&namespace);
    run(&namespace, "up", &set, &[]).expect(0);
    run(&namespace, "diff", &set, &["--fail-on-undeclared"]).expect(0);
    assert_eq!(
        versions(&namespace),
        after,
        "the second run has nothing to do"
    );
    std::fs::write(&more, less(MORE).replace("mode: fast", "")).unwrap();
    run(&namespace, "up", &set, &[]).expect(0);
    let settings = namespace.object("configmap/settings");
    assert_eq!(
        settings.get("data"),
        None,
        "what is no longer declared goes"
    );
}

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  strategy: {rollingUpdate: {maxSurge: 2}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: c, image: web, livenessProbe: {httpGet: {path: /, port: 80}}}
      volumes: [{name: v, configMap: {name: settings}}]
";

/// The API server refuses these values beside those of before.
const OTHER: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  strategy: {type: Recreate}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: c, image: web, livenessProbe: {tcpSocket: {port: 80}}}
      volumes: [{name: v, secret: {secretName: token, optional: true}}]
";

#[test]
fn values_that_exclude_the_former_ones_replace_them() {
    let namespace = Namespace::new("exclusive");
    let file = namespace.file("web.yaml", DEPLOYMENT);
    let set = file.to_str().unwrap();
    namespace.kubectl(&["create", "namespace", &namespace.name]);
    namespace.kubectl(&["apply", "-f", set]);
    std::fs::write(&file, OTHER).unwrap();
    let shown = run(&namespace, "diff", set, &[]).expect(3);
    let line = "-    type: RollingUpdate  # kubectl-client-side-apply";
    assert!(shown.stdout.contains(line), "{}", shown.stdout);
    run(&namespace, "up", set, &["--no-wait"]).expect(0);
    let live = namespace.object("deployment/web");
    assert_eq!(live["spec"]["strategy"], json!({"type": "Recreate"}));
    run(&namespace, "diff", set, &[]).expect(0);
}

#[test]
fn what_was_created_and_changed_by_hand_is_taken_over_by_name() {
    let namespace = Namespace::new("by-hand");
    let file = namespace.file("web.yaml", DEPLOYMENT);
    let set = file.to_str().unwrap();
    namespace.kubectl(&["create", "namespace", &namespace.name]);
    namespace.kubectl(&["create", "-f", set]);
    namespace.kubectl(&["set", "image", "deployment/web", "c=other"]);
    namespace.kubectl(&["set", "env", "deployment/web", "SNEAKY=1"]);
    edit(&namespace, "deployment/web", "s/maxSurge: 2/maxSurge: 3/");
    run(&namespace, "up", set, &[])
        .expect(1)
        .says("kubectl-set");
    let taking = [
        "--take-over",
        "kubectl-create",
        "--take-over",
        "kubectl-set",
    ];
    let taking = [&taking[..], &["--take-over", "kubectl-edit"]].concat();
    let shown = run(&namespace, "diff", set, &taking).expect(3);
    for line in [
        "-      - env:",
        "-        image: other  # kubectl-set",
        "-      maxSurge: 3  # kubectl-edit",
    ] {
        assert!(shown.stdout.contains(line), "{}", shown.stdout);
    }
    run(
        &namespace,
        "up",
        set,
        &[&taking[..], &["--no-wait"]].concat(),
    )
    .expect(0);
    assert_eq!(managers(&namespace, "deployment/web"), ["cryptoctl Apply"]);
    let live = namespace.object("deployment/web");
    let container = &live["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "web");
    assert_eq!(container.get("env"), None);
    assert_eq!(live["spec"]["strategy"]["rollingUpdate"]["maxSurge"], 2);
    run(&namespace, "diff", set, &["--fail-on-undeclared"]).expect(0);
}

#[test]
fn a_release_of_helm_is_taken_over_by_the_hint() {
    let namespace = Namespace::new("helm");
    let annotations = format!(
        "annotations: {{meta.helm.sh/release-name: shop, meta.helm.sh/release-namespace: {}}}",
        namespace.name
    );
    let label = "labels: {app.kubernetes.io/managed-by: Helm}";
    let object = |name: &str, more: &str, mode: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}{more}}}\ndata: {{mode: {mode}}}\n---\n"
        )
    };
    let of_helm = format!(", {annotations}, {label}");
    let made = object("one", &of_helm, "slow") + &object("two", &of_helm, "slow");
    let made = namespace.file("made.yaml", &made);
    let ours = object("one", "", "fast") + &object("two", "", "slow");
    let ours = namespace.file("ours.yaml", &ours);
    let set = ours.to_str().unwrap();
    namespace.kubectl(&["create", "namespace", &namespace.name]);
    // Helm 3 creates and updates, under this name.
    let made = made.to_str().unwrap();
    namespace.kubectl(&["create", "-f", made, "--field-manager", "helm"]);
    let shown = run(&namespace, "diff", set, &[]).expect(3);
    let hint = "helm owns fields of 2 objects: take all of them over with `";
    let (_, command) = shown.stderr.split_once(hint).unwrap();
    let (command, _) = command.split_once('`').unwrap();
    let warning = "the Helm release `shop` in namespace";
    let done = namespace.paste(&format!("{command} --no-wait")).expect(0);
    done.says(warning)
        .says("`helm uninstall shop` would delete them");
    for name in ["configmap/one", "configmap/two"] {
        assert_eq!(managers(&namespace, name), ["cryptoctl Apply"]);
        let metadata = namespace.object(name)["metadata"].clone();
        assert_eq!(metadata.get("annotations"), None);
        assert_eq!(metadata.get("labels"), None);
    }
    assert_eq!(namespace.object("configmap/one")["data"]["mode"], "fast");
    run(&namespace, "diff", set, &["--fail-on-undeclared"]).expect(0);
}

#[test]
fn a_manager_that_applies_hands_over_only_by_name() {
    let namespace = Namespace::new("helm-four");
    let file = namespace.file("more.yaml", MORE);
    let set = file.to_str().unwrap();
    namespace.kubectl(&["create", "namespace", &namespace.name]);
    let applying = [
        "apply",
        "--server-side",
        "--field-manager",
        "helm",
        "-f",
        set,
    ];
    namespace.kubectl(&applying);
    std::fs::write(&file, less(MORE).replace("fast", "slow")).unwrap();
    run(&namespace, "up", set, &[])
        .expect(1)
        .says("owned by helm (apply");
    run(&namespace, "up", set, &["--take-over", "helm"]).expect(0);
    for object in ["configmap/settings", "secret/token"] {
        assert_eq!(
            managers(&namespace, object),
            ["cryptoctl Apply"],
            "{object}"
        );
    }
    let settings = namespace.object("configmap/settings");
    assert_eq!(settings["data"], json!({"mode": "slow"}));
}

const FIXED: &str = "apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, labels: {old: label}}
spec:
  storageClassName: none
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
";

#[test]
fn what_cannot_be_removed_stays_and_is_named() {
    let namespace = Namespace::new("fixed");
    let file = namespace.file("claim.yaml", FIXED);
    let set = file.to_str().unwrap();
    namespace.kubectl(&["create", "namespace", &namespace.name]);
    namespace.kubectl(&["apply", "-f", set]);
    let declared = FIXED.replace("  storageClassName: none\n", "");
    std::fs::write(&file, declared.replace(", labels: {old: label}", "")).unwrap();
    let stays = "`persistentvolumeclaim/data` keeps `.spec.storageClassName`";
    run(&namespace, "diff", set, &[]).expect(3).says(stays);
    let done = run(&namespace, "up", set, &["--no-wait"]).expect(0);
    done.says(stays);
    assert_eq!(managers(&namespace, "pvc/data"), ["cryptoctl Apply"]);
    let live = namespace.object("pvc/data");
    assert_eq!(live["spec"]["storageClassName"], "none");
    assert_eq!(live["metadata"].get("labels"), None);
    let again = run(&namespace, "up", set, &["--no-wait"]).expect(0);
    assert!(!again.stderr.contains("warning"), "{}", again.stderr);
}
