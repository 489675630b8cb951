//! Objects that several managers write: what the API server's own tests of applies ask of its answers, asked of ours.

use serde_json::{Value, json};

use crate::harness::Namespace;
use crate::one_file::{diff, up, up_with};

/// Applies as another manager, by kubectl.
fn apply_as(namespace: &Namespace, manager: &str, manifest: &str) {
    let file = namespace.file("theirs.yaml", manifest);
    let manager = format!("--field-manager={manager}");
    let apply = [
        "apply",
        "--server-side",
        &manager,
        "-f",
        file.to_str().unwrap(),
    ];
    namespace.kubectl(&apply);
}

/// The names of those who own a field, given as its path in `fieldsV1`.
fn owners(namespace: &Namespace, object: &str, field: &str) -> Vec<String> {
    let text = namespace.kubectl(&["get", object, "-o", "json", "--show-managed-fields"]);
    let object: Value = serde_json::from_str(&text).unwrap();
    let entries = object["metadata"]["managedFields"]
        .as_array()
        .unwrap()
        .iter();
    let owning = entries.filter(|entry| entry["fieldsV1"].pointer(field).is_some());
    let mut names: Vec<String> = owning
        .map(|entry| entry["manager"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn map(data: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{{data}}}\n")
}

fn web(spec: &str, container: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  {spec}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{schedulerName: nobody, containers: [{{name: api, image: 'api:1'{container}}}]}}
"
    )
}

#[test]
fn a_field_goes_with_the_last_who_declares_it() {
    let namespace = Namespace::new("last");
    up(&namespace, &map("both: x, ours: x")).expect(0);
    apply_as(&namespace, "other", &map("both: x, theirs: x"));
    let data = || namespace.object("configmap/settings")["data"].clone();
    let shown = diff(&namespace, &map("other: x")).expect(3);
    let [ours, both] = ["-  ours: x  # cryptoctl\n", "-  both: x"];
    assert!(shown.stdout.contains(ours), "{}", shown.stdout);
    assert!(!shown.stdout.contains(both), "{}", shown.stdout);
    up(&namespace, &map("other: x")).expect(0);
    assert_eq!(data(), json!({"both": "x", "other": "x", "theirs": "x"}));
    assert_eq!(
        owners(&namespace, "configmap/settings", "/f:data/f:both"),
        ["other"]
    );
    apply_as(&namespace, "other", &map("theirs: x"));
    assert_eq!(data(), json!({"other": "x", "theirs": "x"}));
}

#[test]
fn a_number_of_replicas_stays_with_its_other_owner() {
    let namespace = Namespace::new("replicas");
    let [ours, without] =
        ["paused: false\n  replicas: 2", "paused: false"].map(|spec| web(spec, ""));
    let replicas = || {
        let live = namespace.object("deployment/web")["spec"]["replicas"].clone();
        (
            live,
            owners(&namespace, "deployment/web", "/f:spec/f:replicas"),
        )
    };
    up(&namespace, &ours).expect(0);
    apply_as(
        &namespace,
        "scaler",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2}\n",
    );
    diff(&namespace, &without)
        .expect(0)
        .says("1 unchanged with fields to be released");
    up(&namespace, &without).expect(0);
    assert_eq!(replicas(), (json!(2), vec!["scaler".to_owned()]));
    // Whoever scales is its only owner.
    namespace.kubectl(&["scale", "deployment/web", "--replicas=3"]);
    up(&namespace, &without).expect(0).says("1 unchanged");
    assert_eq!(replicas(), (json!(3), vec!["kubectl".to_owned()]));
    up(&namespace, &ours)
        .expect(1)
        .says("`.spec.replicas` (live 3, ours 2)");
}

/// A kind with a set, a list with keys and a default.
fn definition(group: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: gates.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Gate, plural: gates, singular: gate}}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              level: {{type: integer, default: 5}}
              hosts: {{type: array, x-kubernetes-list-type: set, items: {{type: string}}}}
              ports:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [port, protocol]
                items:
                  type: object
                  required: [port]
                  properties:
                    port: {{type: integer}}
                    protocol: {{type: string, default: TCP}}
                    name: {{type: string}}
---
"
    )
}

#[test]
fn lists_of_a_custom_kind_are_shared_item_by_item() {
    let namespace = Namespace::new("gates");
    let group = format!("{}.example.org", namespace.name);
    let gate = |spec: &str| {
        format!("apiVersion: {group}/v1\nkind: Gate\nmetadata: {{name: one}}\nspec: {{{spec}}}\n")
    };
    let definition = definition(&group);
    let ours = definition.clone() + &gate("hosts: [a], ports: [{port: 80, name: x}]");
    up(&namespace, &ours).expect(0);
    let object = format!("gate.{group}/one");
    let spec = || namespace.object(&object)["spec"].clone();
    assert_eq!(spec()["level"], 5);
    diff(&namespace, &ours).expect(0);

    apply_as(
        &namespace,
        "other",
        &gate("hosts: [b, a], ports: [{port: 80, protocol: UDP, name: w}]"),
    );
    diff(&namespace, &ours).expect(0);
    up(&namespace, &ours).expect(0);
    assert_eq!(spec()["hosts"], json!(["b", "a"]));
    let ports = json!([
        {"name": "x", "port": 80, "protocol": "TCP"}, {"name": "w", "port": 80, "protocol": "UDP"}]);
    assert_eq!(spec()["ports"], ports);

    // Whoever leaves takes only what nobody else declares.
    let less = definition.clone() + &gate("hosts: [c]");
    up(&namespace, &less).expect(0);
    assert_eq!(spec()["hosts"], json!(["b", "a", "c"]));
    assert_eq!(
        spec()["ports"],
        json!([{"name": "w", "port": 80, "protocol": "UDP"}])
    );

    // An item of theirs is theirs, and a field that the kind does not have is no field.
    let taking = definition.clone() + &gate("ports: [{port: 80, protocol: UDP, name: z}]");
    let field =
        "`.spec.ports[port=80,protocol=\"UDP\"].name` (live \"w\", ours \"z\") is owned by other";
    up(&namespace, &taking).expect(1).says(field);
    let typo = definition + &gate("prots: [], hosts: [a]");
    up(&namespace, &typo).expect(1).says("prots");
    namespace.kubectl(&["delete", "crd", &format!("gates.{group}")]);
}

#[test]
fn an_object_whose_managers_were_forgotten_is_taken_by_the_hint() {
    let namespace = Namespace::new("forgotten");
    up(&namespace, &map("mode: slow")).expect(0);
    let forget = "{\"metadata\": {\"managedFields\": [{}]}}";
    namespace.kubectl(&["patch", "configmap/settings", "--type=merge", "-p", forget]);
    diff(&namespace, &map("mode: slow")).expect(0);
    let refused = up(&namespace, &map("mode: fast")).expect(1);
    let refused =
        refused.says("`.data.mode` (live \"slow\", ours \"fast\") is owned by before-first-apply");
    let (_, hint) = refused
        .stderr
        .split_once("hint: make the field yours with `")
        .unwrap();
    let (hint, _) = hint.split_once('`').unwrap();
    namespace.paste(hint).expect(0);
    assert_eq!(
        namespace.object("configmap/settings")["data"]["mode"],
        "fast"
    );
    diff(&namespace, &map("mode: fast")).expect(0);
}

#[test]
fn a_variable_that_is_there_twice_is_there_once_after_an_apply() {
    let namespace = Namespace::new("twice");
    namespace.kubectl(&["create", "namespace", &namespace.name]);
    let twice = web(
        "replicas: 0",
        ", env: [{name: A, value: x}, {name: A, value: v}, {name: B, value: z}]",
    );
    let file = namespace.file("twice.yaml", &twice);
    namespace.kubectl(&["create", "-f", file.to_str().unwrap()]);
    let once = web("replicas: 0", ", env: [{name: A, value: w}]");
    let taking = ["--force-conflicts"];
    up_with(&namespace, &once, &taking).expect(0);
    let live = namespace.object("deployment/web");
    let env = &live["spec"]["template"]["spec"]["containers"][0]["env"];
    let a = env
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["name"] == "A");
    assert_eq!(a.collect::<Vec<_>>(), [&json!({"name": "A", "value": "w"})]);
    diff(&namespace, &once).expect(0);
}

#[test]
fn what_kubectl_applies_in_between_is_shown_and_taken_back() {
    let namespace = Namespace::new("between");
    up(&namespace, &map("mode: fast, size: big")).expect(0);
    let file = namespace.file("theirs.yaml", &map("mode: slow, more: x"));
    namespace.kubectl(&["apply", "-f", file.to_str().unwrap()]);
    let set = map("mode: fast, size: big");
    let shown = diff(&namespace, &set).expect(3);
    for line in [
        "-  mode: slow  # kubectl-client-side-apply\n",
        "-  more: x  # kubectl-client-side-apply\n",
    ] {
        assert!(shown.stdout.contains(line), "{}", shown.stdout);
    }
    up(&namespace, &set).expect(0);
    let live = namespace.object("configmap/settings");
    assert_eq!(live["data"], json!({"mode": "fast", "size": "big"}));
    assert_eq!(live["metadata"].get("annotations"), None);
    assert_eq!(
        owners(&namespace, "configmap/settings", "/f:data/f:mode"),
        ["cryptoctl"]
    );
}

#[test]
fn a_status_that_somebody_has_set_is_neither_ours_nor_a_difference() {
    let namespace = Namespace::new("their-status");
    let set = web("replicas: 0", "");
    up(&namespace, &set).expect(0);
    let exported = namespace.kubectl(&["get", "deployment/web", "-o", "json"]);
    let mut exported: Value = serde_json::from_str(&exported).unwrap();
    for field in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "generation",
        "annotations",
    ] {
        exported["metadata"].as_object_mut().unwrap().remove(field);
    }
    exported["status"] = json!({"replicas": 7, "observedGeneration": 70});
    let exported = exported.to_string();
    diff(&namespace, &exported).expect(0);
    up(&namespace, &exported).expect(0);
    let live = namespace.object("deployment/web");
    assert_ne!(live["status"]["replicas"], 7, "{live}");
    let ours = owners(&namespace, "deployment/web", "/f:status");
    assert!(!ours.contains(&"cryptoctl".to_owned()), "{ours:?}");
}

#[test]
fn a_text_that_is_missing_does_not_hide_who_owns_the_others() {
    let namespace = Namespace::new("no-text");
    let set = "apiVersion: v1
kind: Secret
metadata: {name: token}
stringData: {password: ours, later: }
";
    up(&namespace, set).expect(0);
    let live = || namespace.object("secret/token")["data"].clone();
    assert_eq!(live(), json!({"later": "", "password": "b3Vycw=="}));
    let theirs = "{\"data\": {\"password\": \"dGhlaXJz\"}}";
    let patch = [
        "patch",
        "secret/token",
        "--field-manager=rival",
        "-p",
        theirs,
    ];
    namespace.kubectl(&patch);
    up(&namespace, set)
        .expect(1)
        .says("`.data.password` is owned by rival");
    assert_eq!(live()["password"], "dGhlaXJz");
}

#[test]
fn the_same_manifest_with_empty_fields_is_no_conflict() {
    let namespace = Namespace::new("empty");
    namespace.kubectl(&["create", "namespace", &namespace.name]);
    // As charts leave them: the API server stores none of these, but it knows who applied them.
    let set = web("replicas: 0", ", command: []")
        .replace("{name: web}", "{name: web, annotations: {}}")
        .replace("schedulerName: nobody", "nodeSelector: {}, tolerations: []");
    apply_as(&namespace, "helm", &set);
    diff(&namespace, &set).expect(0);
    up(&namespace, &set).expect(0);
    let image = "/f:spec/f:template/f:spec/f:containers/k:{\"name\":\"api\"}/f:image";
    let owners = owners(&namespace, "deployment/web", image);
    assert_eq!(owners, ["cryptoctl", "helm"]);
    let again = up_with(&namespace, &set, &["-o", "json"]).expect(0);
    assert_eq!(again.report()["objects"][0]["action"], "keep");
}
