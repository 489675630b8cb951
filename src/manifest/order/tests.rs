use proptest::prelude::*;

use super::super::tests::load_text;
use super::super::{ManifestSet, Options, Source, load};

fn names(set: &ManifestSet) -> Vec<String> {
    set.manifests()
        .iter()
        .map(|manifest| manifest.reference.to_string())
        .collect()
}

fn layers(set: &ManifestSet) -> Vec<Vec<String>> {
    set.manifests()
        .chunk_by(|one, next| one.layer == next.layer)
        .map(|layer| {
            layer
                .iter()
                .map(|manifest| manifest.reference.to_string())
                .collect()
        })
        .collect()
}

/// Every object after everything that it needs, whatever the order in the file.
const EVERYTHING: &str = r"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: webhook}
webhooks: [{clientConfig: {service: {namespace: ns, name: web}}}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: budget, namespace: ns}
spec: {selector: {matchLabels: {app: web}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: scaler, namespace: ns}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: server}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: entry, namespace: ns}
spec:
  ingressClassName: proxy
  rules: [{http: {paths: [{backend: {service: {name: web}}}]}}]
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: widget, namespace: ns}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: server, namespace: ns}
spec:
  serviceName: web
  template:
    metadata: {labels: {app: web, tier: front}}
    spec:
      serviceAccountName: account
      priorityClassName: urgent
      runtimeClassName: sandboxed
      imagePullSecrets: [{name: pull}]
      containers:
      - envFrom: [{configMapRef: {name: settings}}]
        env: [{valueFrom: {secretKeyRef: {name: key}}}]
      volumes:
      - persistentVolumeClaim: {claimName: data}
      - projected: {sources: [{configMap: {name: projected}}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: ns}
spec: {storageClassName: fast, volumeName: disk}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: binding, namespace: ns}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: role}
subjects: [{kind: ServiceAccount, name: account, namespace: ns}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: role, namespace: ns}
---
{apiVersion: v1, kind: PersistentVolume, metadata: {name: disk}, spec: {storageClassName: fast}}
---
{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fast}}
---
{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: urgent}}
---
{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: sandboxed}}
---
{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: proxy}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: account, namespace: ns}}
---
{apiVersion: v1, kind: Secret, metadata: {name: pull, namespace: ns}}
---
{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: ns}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: ns}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: projected, namespace: ns}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: ns}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, names: {kind: Widget}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: ns}}
";

const BEFORE: [(&str, &str); 27] = [
    ("namespace/ns", "configmap/settings"),
    ("namespace/ns", "statefulset/server"),
    ("namespace/ns", "widget.example.com/widget"),
    (
        "customresourcedefinition/widgets.example.com",
        "widget.example.com/widget",
    ),
    ("storageclass/fast", "persistentvolume/disk"),
    ("storageclass/fast", "persistentvolumeclaim/data"),
    ("persistentvolume/disk", "persistentvolumeclaim/data"),
    ("persistentvolumeclaim/data", "statefulset/server"),
    ("configmap/settings", "statefulset/server"),
    ("configmap/projected", "statefulset/server"),
    ("secret/key", "statefulset/server"),
    ("secret/pull", "statefulset/server"),
    ("serviceaccount/account", "statefulset/server"),
    ("service/web", "statefulset/server"),
    ("priorityclass/urgent", "statefulset/server"),
    ("runtimeclass/sandboxed", "statefulset/server"),
    ("rolebinding/binding", "statefulset/server"),
    ("role/role", "rolebinding/binding"),
    ("serviceaccount/account", "rolebinding/binding"),
    ("ingressclass/proxy", "ingress/entry"),
    ("service/web", "ingress/entry"),
    ("statefulset/server", "horizontalpodautoscaler/scaler"),
    ("statefulset/server", "poddisruptionbudget/budget"),
    ("service/web", "validatingwebhookconfiguration/webhook"),
    (
        "statefulset/server",
        "validatingwebhookconfiguration/webhook",
    ),
    (
        "poddisruptionbudget/budget",
        "validatingwebhookconfiguration/webhook",
    ),
    ("ingress/entry", "validatingwebhookconfiguration/webhook"),
];

fn assert_order(set: &ManifestSet) {
    let layers = layers(set);
    let place = |name: &str| {
        layers
            .iter()
            .position(|layer| layer.iter().any(|object| object == name))
            .unwrap()
    };
    for (first, then) in BEFORE {
        assert!(
            place(first) < place(then),
            "{first} before {then}: {layers:#?}"
        );
    }
    assert!(
        set.manifests().is_sorted_by_key(|manifest| manifest.layer),
        "{layers:#?}"
    );
}

#[test]
fn what_is_needed_comes_first() {
    assert_order(&load_text(EVERYTHING).unwrap());
}

#[test]
fn a_layer_keeps_the_given_order() {
    let text = "{apiVersion: v1, kind: Secret, metadata: {name: z}}\n---\n\
                {apiVersion: v1, kind: ConfigMap, metadata: {name: m}}\n---\n\
                {apiVersion: v1, kind: Secret, metadata: {name: a}}\n";
    assert_eq!(
        layers(&load_text(text).unwrap()),
        [["secret/z", "configmap/m", "secret/a"]]
    );
}

#[test]
fn a_namespace_of_another_name_is_no_reason_to_wait() {
    let text = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: other}}\n---\n\
                {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n---\n\
                {apiVersion: v1, kind: Namespace, metadata: {name: ns}}\n";
    let expected: [&[&str]; 2] = [&["configmap/a", "namespace/ns"], &["configmap/b"]];
    assert_eq!(layers(&load_text(text).unwrap()), expected);
}

#[test]
fn names_of_other_namespaces_and_kinds_are_not_meant() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ns}\n\
                spec: {containers: [], serviceAccountName: x}\n---\n\
                {apiVersion: v1, kind: ServiceAccount, metadata: {name: x, namespace: other}}\n---\n\
                {apiVersion: v1, kind: Secret, metadata: {name: x, namespace: ns}}\n";
    assert_eq!(layers(&load_text(text).unwrap()).len(), 1);
}

#[test]
fn a_circle_is_broken_where_the_kind_says() {
    let scaler = |name, target| {
        format!(
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: {name}}}\n\
             spec: {{scaleTargetRef: {{apiVersion: autoscaling/v2, \
             kind: HorizontalPodAutoscaler, name: {target}}}}}\n---\n"
        )
    };
    let text = [scaler("a", "b"), scaler("b", "a")].concat();
    let set = load_text(text.leak()).unwrap();
    assert_eq!(
        layers(&set),
        [["horizontalpodautoscaler/a"], ["horizontalpodautoscaler/b"]]
    );
}

proptest! {
    #[test]
    fn the_order_in_the_file_does_not_matter(
        documents in Just(EVERYTHING.split("\n---\n").collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let text: &'static str = documents.join("\n---\n").leak();
        assert_order(&load(&[Source::Embedded { name: "x", text }], Options::default()).unwrap());
    }
}

#[test]
fn what_claims_and_pods_depend_on_unnamed_comes_before_them() {
    let set = load_text(
        r"
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {storageClassName: by-hand}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ring}
spec:
  template: {spec: {serviceAccount: robot, containers: []}}
  volumeClaimTemplates: [{metadata: {name: data}}]
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: volume}
spec: {storageClassName: by-hand}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: usual}
globalDefault: true
---
apiVersion: v1
kind: LimitRange
metadata: {name: limits}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
",
    )
    .unwrap();
    let names = names(&set);
    let place = |name: &str| names.iter().position(|found| found == name).unwrap();
    for (first, then) in [
        ("persistentvolume/volume", "persistentvolumeclaim/data"),
        ("storageclass/fast", "persistentvolumeclaim/data"),
        ("limitrange/limits", "persistentvolumeclaim/data"),
        ("storageclass/fast", "statefulset/ring"),
        ("priorityclass/usual", "statefulset/ring"),
        ("serviceaccount/robot", "statefulset/ring"),
    ] {
        assert!(
            place(first) < place(then),
            "{first} before {then}: {names:?}"
        );
    }
}
