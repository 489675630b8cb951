//! Changes that need a new object, on a real cluster: pods, claims and keys outlive the old one.

use std::path::Path;

use serde_json::Value;

use crate::harness::Namespace;
use crate::sets;

const SET: &str = "statefulset/cryptoserver";

/// The built-in set, up, with its answers saved.
struct Applied {
    namespace: Namespace,
    set: String,
    baseline: String,
}

impl Applied {
    fn new(test: &str) -> Self {
        let namespace = Namespace::new(test);
        let set = sets::built_in(&namespace, 50);
        namespace.cryptoctl(&["up", "-f", &set]).expect(0);
        let baseline = namespace.folder().join("baseline.json");
        let baseline = baseline.to_str().unwrap().to_owned();
        let save = [
            "verify",
            "-f",
            &set,
            "--path",
            "/keys",
            "--save-baseline",
            &baseline,
        ];
        namespace.cryptoctl(&save).expect(0);
        Self {
            namespace,
            set,
            baseline,
        }
    }

    fn cryptoctl(&self, verb: &str, more: &[&str]) -> crate::harness::Ended {
        let common = [verb, "-f", &self.set];
        self.namespace.cryptoctl(&[&common, more].concat())
    }

    /// Changes a file of the set.
    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = Path::new(&self.set).join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} in {file}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }

    /// Every replica still serves the keys of before, from the same claim.
    fn has_its_data(&self, claim: &Value) {
        let same = ["--path", "/keys", "--baseline", &self.baseline];
        self.cryptoctl("verify", &same).expect(0);
        assert_eq!(self.claim(), *claim, "the claim is the same");
    }

    fn claim(&self) -> Value {
        self.uid("persistentvolumeclaim/cryptodata")
    }

    fn uid(&self, object: &str) -> Value {
        self.namespace.object(object)["metadata"]["uid"].clone()
    }

    fn pods(&self) -> Vec<Value> {
        let pods = ["pod/cryptoserver-0", "pod/cryptoserver-1"];
        pods.map(|name| self.namespace.object(name)).to_vec()
    }
}

fn uids(pods: &[Value]) -> Vec<&str> {
    let uids = pods.iter().map(|pod| pod["metadata"]["uid"].as_str());
    uids.map(Option::unwrap).collect()
}

#[test]
fn another_service_name_keeps_the_data_and_replaces_one_pod_after_the_other() {
    let applied = Applied::new("service-name");
    let (claim, before) = (applied.claim(), applied.pods());
    let service = Path::new(&applied.set).join("service.yaml");
    let text = std::fs::read_to_string(service).unwrap();
    let named = text.replace("  name: cryptoserver\n", "  name: cryptoserver-net\n");
    applied.namespace.file("builtin/net.yaml", &named);
    let from = "serviceName: cryptoserver";
    applied.edit("statefulset.yaml", from, "serviceName: cryptoserver-net");
    let words = "because `.spec.serviceName` cannot be changed: its 2 pods keep running";
    applied.cryptoctl("diff", &[]).expect(3).says(words);
    applied.cryptoctl("up", &[]).expect(2).says("--yes");
    let uid = applied.uid(SET);
    applied
        .cryptoctl("up", &["--yes"])
        .expect(0)
        .says("1 replaced");
    assert_ne!(applied.uid(SET), uid);
    let after = applied.pods();
    for (old, new) in uids(&before).into_iter().zip(uids(&after)) {
        assert_ne!(old, new);
    }
    for pod in &after {
        assert_eq!(pod["spec"]["subdomain"], "cryptoserver-net");
    }
    // The last replica was Ready before the first one was replaced. Times have whole seconds.
    let conditions = after[1]["status"]["conditions"].as_array().unwrap();
    let ready = conditions.iter().find(|it| it["type"] == "Ready").unwrap();
    let ready = ready["lastTransitionTime"].as_str().unwrap();
    let created = after[0]["metadata"]["creationTimestamp"].as_str().unwrap();
    assert!(ready <= created, "{ready} and {created}");
    applied.has_its_data(&claim);
    applied.cryptoctl("diff", &[]).expect(0);
    applied.cryptoctl("up", &[]).expect(0);
    assert_eq!(uids(&applied.pods()), uids(&after), "nothing rolls again");
    // A later replacement finds pods that bear the mark of this one.
    let to = "serviceName: cryptoserver-net\n  podManagementPolicy: Parallel";
    applied.edit("statefulset.yaml", "serviceName: cryptoserver-net", to);
    applied.cryptoctl("up", &["--yes"]).expect(0);
    assert_eq!(uids(&applied.pods()), uids(&after), "no pod was touched");
    applied.cryptoctl("diff", &[]).expect(0);
}

#[test]
fn pods_and_the_fields_of_others_outlive_the_old_object() {
    let applied = Applied::new("parallel");
    let namespace = &applied.namespace;
    namespace.kubectl(&["scale", SET, "--replicas", "3"]);
    namespace.kubectl(&["rollout", "status", SET]);
    namespace.kubectl(&["annotate", SET, "note=x"]);
    let (claim, before) = (applied.claim(), applied.pods());
    let from = "  replicas: 2\n";
    let to = "  replicas: 2\n  podManagementPolicy: Parallel\n";
    applied.edit("statefulset.yaml", from, to);
    let yielding = ["--yield", ".spec.replicas"];
    let up = [&["--yes"], &yielding[..]].concat();
    applied.cryptoctl("up", &up).expect(0).says("1 replaced");
    let live = namespace.object(SET);
    assert_eq!(live["spec"]["podManagementPolicy"], "Parallel");
    assert_eq!(live["spec"]["replicas"], 3);
    assert_eq!(uids(&applied.pods()), uids(&before), "no pod was touched");
    let live = namespace.kubectl(&["get", SET, "-o", "json", "--show-managed-fields"]);
    let live: Value = serde_json::from_str(&live).unwrap();
    let entries = live["metadata"]["managedFields"].as_array().unwrap();
    let owners = |pointer: &str| {
        let owning = entries
            .iter()
            .filter(|it| it["fieldsV1"].pointer(pointer).is_some());
        let mut names: Vec<&str> = owning.filter_map(|it| it["manager"].as_str()).collect();
        names.sort_unstable();
        names.join(" ")
    };
    assert_eq!(owners("/f:spec/f:replicas"), "kubectl");
    assert_eq!(
        owners("/f:metadata/f:annotations/f:note"),
        "kubectl-annotate"
    );
    assert_eq!(owners("/f:spec/f:podManagementPolicy"), "cryptoctl");
    applied.cryptoctl("diff", &yielding).expect(0);
    applied.has_its_data(&claim);
}

#[test]
fn a_deployment_and_a_service_in_the_way_are_replaced_by_the_hint() {
    let namespace = Namespace::new("in-the-way");
    let before = "apiVersion: apps/v1
kind: Deployment
metadata: {name: cryptoserver}
spec:
  selector: {matchLabels: {app: cryptoserver}}
  template:
    metadata: {labels: {app: cryptoserver}}
    spec: {containers: [{name: api, image: quay.io/k8sexercices/fileserver:v1.0}]}
---
apiVersion: v1
kind: Service
metadata: {name: cryptoserver}
spec:
  selector: {app: cryptoserver}
  ports: [{port: 80}]
";
    let before = namespace.file("before.yaml", before);
    namespace.kubectl(&["create", "namespace", &namespace.name]);
    namespace.kubectl(&["apply", "-f", before.to_str().unwrap()]);
    let set = sets::built_in(&namespace, 50);
    let refused = namespace.cryptoctl(&["up", "-f", &set]).expect(1);
    let refused = refused
        .says("`deployment/cryptoserver`: it is not in the set, but its pods match the selector of")
        .says("`service/cryptoserver`: `.spec.clusterIPs[0]` cannot be changed");
    let commands = refused.stderr.split('`').skip(1).step_by(2);
    let mut commands = commands.filter(|text| text.starts_with("cryptoctl "));
    let hint = commands.find(|text| text.contains("--replace")).unwrap();
    namespace.paste(&format!("{hint} --yes")).expect(0);
    let verify = ["verify", "-f", &set, "--path", "/keys"];
    namespace.cryptoctl(&verify).expect(0);
    let left = namespace.kubectl(&["get", "deployments,replicasets", "-o", "name"]);
    assert_eq!(left, "");
    let service = namespace.object("service/cryptoserver");
    assert_eq!(service["spec"]["clusterIP"], "None");
}

#[test]
fn a_claim_is_never_replaced() {
    let applied = Applied::new("fixed-claim");
    let claim = applied.claim();
    applied.edit("claim.yaml", "storage: ", "storage: 0.");
    let smaller = applied.cryptoctl("up", &["--yes"]).expect(1);
    let words = "cannot be changed: if the object were deleted, its data";
    smaller.says(words);
    applied.edit("claim.yaml", "storage: 0.", "storage: ");
    let named = ["--replace", "pvc/cryptodata", "--yes"];
    applied
        .cryptoctl("up", &named)
        .expect(0)
        .says("changes nothing");
    applied.has_its_data(&claim);
}
