//! Random manifests: each kind has fields that are there or not, with one of several values.

use serde_json::{Value, json};

use super::path::Path;
use crate::draw::Draw;

/// The fields of each kind, one a line, with their values. `!` marks those that are always there; `T` is the
/// pod template and `C` its container.
const CONFIG_MAP: &str = r#"
.data.a = "1" | "2" | ""
.data.b = "x" | "y" | "two\nlines"
.data.c = "true" | "0400" | null
.data = {}
.metadata.annotations = {}
.binaryData.z = "AAEC" | "AwQ="
.immutable = false
"#;
const SECRET: &str = r#"
.type = "Opaque"
.data.a = "YQ==" | "Yg==" | ""
.data.b = "eA==" | "eQ==" | null
.stringData.a = "over" | "overruled"
.stringData.c = "plain" | "text" | null
.immutable = false
"#;
const SERVICE: &str = r#"
!.spec.ports[port=80] = {"name": "web"}
.spec.ports[port=80].targetPort = 8080 | "http" | 80
.spec.ports[port=80].appProtocol = "http" | "https"
.spec.ports[port=443,protocol="TCP"] = {"name": "tls"} | {"name": "tls", "targetPort": 8443}
.spec.ports[port=53,protocol="UDP"] = {"name": "dns"} | {"name": "names"}
.spec.ports[port=53,protocol="TCP"] = {"name": "dns-tcp"} | {"name": "dns-tcp", "targetPort": "dns"}
.spec.selector.app = "x" | "y"
.spec.selector.tier = "web" | "db"
.spec.type = "ClusterIP" | "NodePort"
.spec.sessionAffinity = "None" | "ClientIP"
.spec.publishNotReadyAddresses = true | false
.spec.internalTrafficPolicy = "Cluster" | "Local"
.spec.externalTrafficPolicy = "Local" | "Cluster"
.spec.ipFamilyPolicy = "SingleStack"
"#;
const TEMPLATE: &str = r#"
!.spec.selector.matchLabels.app = "NAME"
!.spec.template.metadata.labels.app = "NAME"
.spec.replicas = 0 | 1
.spec.minReadySeconds = 0 | 5 | null
.spec.revisionHistoryLimit = 3 | 10
.spec.template.metadata.labels.tier = "web" | "db"
.spec.template.metadata.annotations.note = "x" | "y"
!T.schedulerName = "nobody"
!T.volumes[name="data"] = {"emptyDir": {}} | {"emptyDir": {"sizeLimit": "1Gi"}} | {"emptyDir": {"sizeLimit": "1024Mi"}}
T.volumes[name="more"] = {"configMap": {"name": "x", "optional": true}} | {"emptyDir": {}}
T.terminationGracePeriodSeconds = 0 | 5 | 30
T.nodeSelector.disk = "ssd" | "hdd"
T.nodeSelector.zone = "a"
T.tolerations = [{"key": "a", "operator": "Exists"}] | [] | [{"key": "b"}, {"key": "a"}]
T.imagePullSecrets[name="one"] = {}
T.imagePullSecrets[name="two"] = {}
T.hostAliases[ip="10.0.0.1"].hostnames = ["a"] | ["b", "c"]
T.topologySpreadConstraints[topologyKey="zone",whenUnsatisfiable="ScheduleAnyway"] = {"maxSkew": 1} | {"maxSkew": 2}
T.securityContext.runAsUser = 1000 | 2000
T.securityContext.fsGroup = 1000 | 0
T.securityContext.sysctls = [{"name": "kernel.shm_rmid_forced", "value": "0"}]
T.securityContext = {} | null
T.dnsConfig.options = [{"name": "ndots", "value": "2"}] | [{"name": "ndots", "value": "5"}, {"name": "rotate"}]
T.initContainers[name="init"] = {"image": "init:1"} | {"image": "init:2", "restartPolicy": "Always"}
T.containers[name="side"] = {"image": "side:1"} | {"image": "side:2", "command": ["a"]}
!C.image = "api:1" | "api:2"
C.imagePullPolicy = "IfNotPresent" | "Always"
C.command = ["a"] | ["a", "b"] | []
C.args = ["--x"] | ["--x", "--y"] | null
C.env[name="A"].value = "1" | "2" | ""
C.env[name="B"].value = "x" | "$(A)"
C.env[name="N"].valueFrom = {"fieldRef": {"fieldPath": "metadata.name"}} | {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.uid"}}
C.env[name="K"].valueFrom.configMapKeyRef = {"name": "x", "key": "k", "optional": true} | {"name": "y", "key": "k", "optional": true}
C.env[name="L"].valueFrom = {"resourceFieldRef": {"resource": "limits.cpu"}} | {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}
C.env = []
C.ports[containerPort=80] = {} | {"name": "web"} | {"protocol": "TCP"}
C.ports[containerPort=53,protocol="UDP"] = {} | {"name": "dns"}
C.resources.limits.cpu = "1" | "1000m" | 2 | "0.5"
C.resources.limits.memory = "1Gi" | "1024Mi" | "1.5Gi"
C.resources.requests.cpu = "100m" | "0.1"
C.resources = {}
C.livenessProbe = {"httpGet": {"path": "/", "port": 80}} | {"tcpSocket": {"port": 80}} | {"exec": {"command": ["true"]}}
C.readinessProbe = {"httpGet": {"path": "/ready", "port": 80}} | {"httpGet": {"path": "/ready", "port": 80}, "periodSeconds": 5}
C.volumeMounts[mountPath="/data"] = {"name": "data"} | {"name": "data", "readOnly": true}
C.volumeMounts[mountPath="/more"] = {"name": "data", "subPath": "more"}
C.securityContext.capabilities.drop = ["ALL"] | ["NET_RAW", "CHOWN"]
C.securityContext.readOnlyRootFilesystem = true | false
"#;
const DEPLOYMENT: &str = r#"
.spec.strategy = {"rollingUpdate": {"maxSurge": 2}} | {"rollingUpdate": {"maxSurge": "50%", "maxUnavailable": 0}}
.spec.strategy.type = "RollingUpdate"
.spec.progressDeadlineSeconds = 100 | 600
.spec.paused = true | false
"#;
const STATEFUL_SET: &str = r#"
!.spec.serviceName = "x"
.spec.updateStrategy.type = "RollingUpdate" | "OnDelete"
.spec.updateStrategy.rollingUpdate.partition = 0 | 1
.spec.persistentVolumeClaimRetentionPolicy.whenDeleted = "Retain" | "Delete"
.spec.ordinals.start = 0 | 1
.metadata.annotations = {}
"#;
const EVERY_KIND: &str = r#"
.metadata.labels.team = "a" | "b" | ""
.metadata.labels.tier = "web" | "db" | null
.metadata.annotations.note = "x" | "y" | "1"
.metadata.annotations.owner = "me" | "you"
.metadata.finalizers[="orphan"] = "orphan"
"#;

/// A field that may be there, with its values.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) path: Path,
    values: Vec<Value>,
    is_needed: bool,
}

impl Field {
    fn new(line: &str) -> Self {
        let is_needed = line.starts_with('!');
        let (path, values) = line.trim_start_matches('!').split_once(" = ").unwrap();
        let path = match (path.strip_prefix('T'), path.strip_prefix('C')) {
            (Some(rest), _) => format!(".spec.template.spec{rest}"),
            (_, Some(rest)) => format!(".spec.template.spec.containers[name=\"api\"]{rest}"),
            _ => path.to_owned(),
        };
        Self {
            path: Path::new(&path),
            values: values
                .split(" | ")
                .map(|value| value.parse().unwrap())
                .collect(),
            is_needed,
        }
    }

    /// Another value than a manifest has, if there is one.
    pub(super) fn other_value(&self, draw: &mut Draw, manifest: &Value) -> Value {
        let current = self.path.get(manifest);
        let others = self.values.iter().filter(|value| Some(*value) != current);
        let others: Vec<&Value> = others.collect();
        let values = if others.is_empty() {
            self.values.iter().collect()
        } else {
            others
        };
        draw.one(&values).clone()
    }

    fn drawn(&self, draw: &mut Draw) -> Option<Value> {
        let is_there = self.is_needed || draw.percent(40);
        is_there.then(|| draw.one(&self.values))
    }
}

/// A manifest that can be drawn again in part.
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    pub(super) kind: &'static str,
    pub(super) name: String,
    fields: Vec<(Field, Option<Value>)>,
}

impl Manifest {
    /// Draws an object of any kind.
    pub(super) fn drawn(draw: &mut Draw, name: String) -> Self {
        let (kind, tables): (_, &[&str]) = draw.one(&[
            ("configmap", &[CONFIG_MAP, EVERY_KIND] as &[&str]),
            ("secret", &[SECRET, EVERY_KIND]),
            ("service", &[SERVICE, EVERY_KIND]),
            ("deployment", &[TEMPLATE, DEPLOYMENT, EVERY_KIND]),
            ("deployment", &[TEMPLATE, DEPLOYMENT, EVERY_KIND]),
            ("statefulset", &[TEMPLATE, STATEFUL_SET, EVERY_KIND]),
            ("statefulset", &[TEMPLATE, STATEFUL_SET, EVERY_KIND]),
        ]);
        let text = tables.concat().replace("NAME", &name);
        let fields = text.lines().filter(|line| !line.is_empty()).map(Field::new);
        let fields = fields.map(|field| {
            let value = field.drawn(draw);
            (field, value)
        });
        let mut drawn = Self {
            kind,
            name,
            fields: fields.collect(),
        };
        drawn.shuffle(draw);
        drawn
    }

    /// Draws some of its fields again, and sometimes the order of all.
    pub(super) fn change(&mut self, draw: &mut Draw) {
        // Where little changes, it may be who owns a field and nothing else.
        let share = draw.one(&[4, 25]);
        for (field, value) in &mut self.fields {
            if draw.percent(share) {
                *value = field.drawn(draw);
            }
        }
        if draw.percent(50) {
            self.shuffle(draw);
        }
    }

    fn shuffle(&mut self, draw: &mut Draw) {
        self.fields.sort_by_cached_key(|_| draw.below(1000));
    }

    /// One of its fields, most of the time one that is there.
    pub(super) fn field(&self, draw: &mut Draw) -> Field {
        let is_any = draw.percent(30);
        let fields = self.fields.iter();
        let fields = fields.filter(|(_, value)| is_any || value.is_some());
        let fields: Vec<&Field> = fields.map(|(field, _)| field).collect();
        draw.one(&fields).clone()
    }

    /// Whether it has pods.
    pub(super) fn is_workload(&self) -> bool {
        matches!(self.kind, "deployment" | "statefulset")
    }

    /// Its object, as kubectl names it.
    pub(super) fn object(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    /// What every manifest of this object has.
    pub(super) fn identity(&self) -> Value {
        let (version, kind) = match self.kind {
            "configmap" => ("v1", "ConfigMap"),
            "secret" => ("v1", "Secret"),
            "service" => ("v1", "Service"),
            "deployment" => ("apps/v1", "Deployment"),
            _ => ("apps/v1", "StatefulSet"),
        };
        json!({"apiVersion": version, "kind": kind, "metadata": {"name": self.name}})
    }

    /// The manifest.
    pub(super) fn value(&self) -> Value {
        let mut manifest = self.identity();
        for (field, value) in &self.fields {
            if let Some(value) = value {
                field.path.put(&mut manifest, value.clone());
            }
        }
        manifest
    }
}
