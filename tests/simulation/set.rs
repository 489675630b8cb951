//! The manifests that every scenario deploys.

use cryptoctl::manifest::{self, Options, Source};
use cryptoctl::ops::{Set, Workload};
use serde_json::json;

/// The name of the workload.
pub(crate) const NAME: &str = "web";

const TEXT: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {greeting: hello}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: web
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: example.org/web:1
        ports: [{containerPort: 80}]
        envFrom: [{configMapRef: {name: settings}}]
";

/// What a scenario deploys.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// The namespace.
    pub(crate) namespace: &'static str,
    /// The number of replicas.
    pub(crate) replicas: i64,
    /// Whether pods start all at once.
    pub(crate) parallel: bool,
}

/// The manifests of a shape, with the image's tag.
pub(crate) fn set(shape: &Shape, tag: u32) -> Set {
    let source = Source::Embedded {
        name: "set.yaml",
        text: TEXT,
    };
    let mut manifests = manifest::load(&[source], Options::default()).unwrap();
    for manifest in manifests.manifests_mut() {
        manifest.set_namespace(Some(shape.namespace));
        if manifest.reference.is("apps", "StatefulSet") {
            let spec = &mut manifest.value["spec"];
            spec["replicas"] = json!(shape.replicas);
            let policy = if shape.parallel {
                "Parallel"
            } else {
                "OrderedReady"
            };
            spec["podManagementPolicy"] = json!(policy);
            spec["template"]["spec"]["containers"][0]["image"] = json!(image(tag));
        }
    }
    Set {
        manifests,
        is_built_in: false,
        choices: cryptoctl::fields::FieldChoices::default(),
        replaced: Vec::new(),
        inventory: None,
        rolls: false,
    }
}

/// The image with a tag.
pub(crate) fn image(tag: u32) -> String {
    format!("example.org/web:{tag}")
}

/// The workload of a shape.
pub(crate) fn workload(shape: &Shape) -> Workload {
    Workload {
        namespace: shape.namespace.to_owned(),
        name: NAME.to_owned(),
        selector: None,
    }
}
