//! The annotation by which a pod template changes with the ConfigMaps and Secrets that its pods use, so that
//! their controller replaces them. Pure.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Step, Target};
use crate::figures::hexadecimal;
use crate::manifest::references;
use crate::object::ObjectRef;

/// The annotation.
const ANNOTATION: &str = "cryptoctl/config-digest";

/// A ConfigMap or Secret that pods use.
#[derive(Debug, Clone, Copy)]
pub struct Used<'a> {
    /// Its identity.
    pub object: &'a ObjectRef,
    /// What is sent of it.
    pub body: &'a Value,
    /// The live object, if it exists.
    pub live: Option<&'a Value>,
}

/// The ConfigMaps and Secrets that the pods of a workload use, if its controller replaces pods whose template
/// has changed. What only pulls images is not used by pods.
#[must_use]
pub fn used_by(target: &Target) -> BTreeSet<ObjectRef> {
    let object = &target.reference;
    let workloads = ["StatefulSet", "Deployment", "DaemonSet"];
    if !workloads.iter().any(|kind| object.is("apps", kind)) {
        return BTreeSet::new();
    }
    let namespace = object.namespace.as_deref();
    let named = references(object, &target.body).into_iter();
    let named = named.filter(|it| it.field != "imagePullSecrets");
    named
        .map(|it| ObjectRef::new(it.group, it.kind, namespace, it.name))
        .filter(|it| it.is("", "ConfigMap") || it.is("", "Secret"))
        .collect()
}

/// Lets the pod template of a workload change with what its pods use.
pub fn mark(target: &mut Target, used: &[Used<'_>]) {
    if used.is_empty() {
        return;
    }
    let mut place = &mut target.body["spec"]["template"];
    for name in ["metadata", "annotations"] {
        place = &mut place[name];
        if place.is_null() {
            *place = json!({});
        }
    }
    if let Some(annotations) = place.as_object_mut() {
        annotations.insert(ANNOTATION.to_owned(), digest(used).into());
    }
}

/// Marks the pod templates of a layer again, once the steps of earlier layers were carried out: a Secret that was
/// created, or made anew, has a UID only now.
pub fn mark_again(earlier: &[Step], layer: &mut [Step]) {
    let place = ANNOTATION.replace('/', "~1");
    let place = format!("/spec/template/metadata/annotations/{place}");
    for step in layer {
        let names = used_by(&step.target);
        let used = earlier.iter();
        let used = used.filter(|it| names.contains(&it.target.reference));
        let used: Vec<Used<'_>> = used
            .map(|it| Used {
                object: &it.target.reference,
                body: it.sent.as_ref().unwrap_or(&it.target.body),
                live: it.live.as_ref(),
            })
            .collect();
        if used.is_empty() {
            continue;
        }
        let digest = digest(&used);
        let bodies = [Some(&mut step.target.body), step.sent.as_mut()];
        let bodies = bodies.into_iter().flatten().chain([&mut step.planned]);
        for annotation in bodies.filter_map(|body| body.pointer_mut(&place)) {
            *annotation = digest.as_str().into();
        }
    }
}

/// The SHA-256 of names and contents, and of the UID of each Secret: who can read pods, but no Secrets, does
/// not know the UID, which is random, and cannot check a guess.
fn digest(used: &[Used<'_>]) -> String {
    let mut used = used.to_vec();
    used.sort_by_key(|it| it.object);
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update(bytes.len().to_be_bytes());
        hash.update(bytes);
    };
    for Used { object, body, live } in used {
        add(object.kind.as_bytes());
        add(object.name.as_bytes());
        let is_secret = object.is("", "Secret");
        if is_secret {
            let Some(uid) = live.and_then(|live| live["metadata"]["uid"].as_str()) else {
                return format!("known once {object} exists");
            };
            add(uid.as_bytes());
        }
        let contents = contents(body, is_secret);
        add(&contents.len().to_be_bytes());
        for (key, value) in contents {
            add(key.as_bytes());
            add(&value);
        }
    }
    hexadecimal(&hash.finalize())
}

/// The bytes of each key.
fn contents(body: &Value, is_secret: bool) -> BTreeMap<&str, Cow<'_, [u8]>> {
    let entries = |field: &str, is_encoded: bool| {
        let entries = body[field].as_object().into_iter().flatten();
        entries.filter_map(move |(key, value)| {
            let text = value.as_str()?;
            let plain = || Cow::from(text.as_bytes());
            let decoded = || STANDARD.decode(text.replace(['\r', '\n'], "")).ok();
            let bytes = is_encoded.then(decoded).flatten();
            Some((key.as_str(), bytes.map_or_else(plain, Cow::from)))
        })
    };
    entries("data", is_secret)
        .chain(entries("binaryData", true))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::ResourceKind;
    use crate::manifest::move_to_data;

    fn target(kind: &str, name: &str, body: Value) -> Target {
        let group = if body.get("spec").is_some() {
            "apps"
        } else {
            ""
        };
        Target {
            reference: ObjectRef::new(group, kind, Some("shop"), name),
            kind: ResourceKind::pod(),
            body,
            is_served: true,
            layer: 0,
        }
    }

    fn workload(kind: &str, pod: &Value) -> Target {
        target(kind, "web", json!({"spec": {"template": {"spec": pod}}}))
    }

    fn used<'a>(target: &'a Target, live: Option<&'a Value>) -> Used<'a> {
        Used {
            object: &target.reference,
            body: &target.body,
            live,
        }
    }

    /// The digest of a ConfigMap or, with a UID, of a Secret.
    fn digest_of(uid: Option<&str>, body: &Value) -> String {
        let kind = if uid.is_some() { "Secret" } else { "ConfigMap" };
        let mut body = body.clone();
        body["apiVersion"] = json!("v1");
        body["kind"] = json!(kind);
        move_to_data(&mut body);
        let object = ObjectRef::new("", kind, Some("shop"), "settings");
        let live = json!({"metadata": {"uid": uid}});
        let used = Used {
            object: &object,
            body: &body,
            live: Some(&live),
        };
        digest(&[used])
    }

    #[test]
    fn pods_use_what_gives_them_variables_and_files() {
        let pod = json!({
            "imagePullSecrets": [{"name": "registry"}],
            "initContainers": [{"name": "first", "envFrom": [{"secretRef": {"name": "first"}}]}],
            "containers": [{"name": "web", "envFrom": [{"configMapRef": {"name": "all"}}], "env": [
                {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "one", "key": "a"}}},
                {"name": "B", "valueFrom": {"secretKeyRef": {"name": "one", "key": "b"}}}]}],
            "volumes": [
                {"name": "a", "configMap": {"name": "files"}},
                {"name": "b", "secret": {"secretName": "certificate"}},
                {"name": "c", "persistentVolumeClaim": {"claimName": "data"}},
                {"name": "d", "projected": {"sources": [
                    {"configMap": {"name": "part"}}, {"secret": {"name": "part"}}]}}],
        });
        let expected = [
            "configmap/all",
            "configmap/files",
            "configmap/one",
            "configmap/part",
            "secret/certificate",
            "secret/first",
            "secret/one",
            "secret/part",
        ];
        for kind in ["StatefulSet", "Deployment", "DaemonSet"] {
            let used = used_by(&workload(kind, &pod));
            let names: Vec<String> = used.iter().map(ToString::to_string).collect();
            assert_eq!(names, expected, "{kind}");
        }
        assert_eq!(used_by(&workload("ReplicaSet", &pod)), BTreeSet::new());
    }

    #[test]
    fn only_contents_count() {
        let plain = digest_of(None, &json!({"data": {"a": "1", "b": "2"}}));
        assert_eq!(plain.len(), 64);
        for same in [
            json!({"data": {"b": "2", "a": "1"}}),
            json!({"data": {"a": "1", "b": "2"}, "immutable": true,
                "metadata": {"labels": {"a": "b"}, "annotations": {"a": "b"}}}),
            json!({"data": {"a": "1"}, "binaryData": {"b": "Mg=="}}),
        ] {
            assert_eq!(digest_of(None, &same), plain, "{same}");
        }
        for other in [
            json!({"data": {"a": "1", "b": "3"}}),
            json!({"data": {"a": "1"}}),
            json!({"data": {"a": "1", "c": "2"}}),
            json!({"data": {"a": "1b", "": "2"}}),
            json!({"data": {"a": "1"}, "binaryData": {"b": "Mw=="}}),
            json!({}),
        ] {
            assert_ne!(digest_of(None, &other), plain, "{other}");
        }
    }

    #[test]
    fn a_secret_is_the_same_however_it_is_written() {
        let digests = [
            json!({"data": {"key": "dmFsdWU="}}),
            json!({"stringData": {"key": "value"}}),
            json!({"stringData": {"key": "value"}, "data": {"key": "b2xk"}}),
            json!({"data": {"key": "dmFs\ndWU=\n"}}),
        ]
        .map(|body| digest_of(Some("1"), &body));
        assert!(digests.iter().all(|it| *it == digests[0]), "{digests:?}");
        let other_key = digest_of(Some("2"), &json!({"data": {"key": "dmFsdWU="}}));
        assert_ne!(other_key, digests[0], "the UID is a part of it");
        let other_kind = digest_of(None, &json!({"data": {"key": "value"}}));
        assert_ne!(other_kind, digests[0]);
    }

    #[test]
    fn the_identity_of_a_secret_counts_as_soon_as_it_is_known() {
        let pod =
            json!({"containers": [{"name": "web", "envFrom": [{"secretRef": {"name": "key"}}]}]});
        let mut web = workload("StatefulSet", &pod);
        let secret = target("Secret", "key", json!({"data": {"a": "MQ=="}}));
        mark(&mut web, &[used(&secret, None)]);
        let annotations =
            |body: &Value| body["spec"]["template"]["metadata"]["annotations"].clone();
        let unknown = json!({ANNOTATION: "known once secret/key exists"});
        assert_eq!(annotations(&web.body), unknown);
        let mut layer = [Step::new(web.clone(), None, None)];
        for uid in ["first", "second"] {
            let stored = json!({"metadata": {"uid": uid}, "data": {"a": "MQ=="}});
            let mut expected = web.clone();
            mark(&mut expected, &[used(&secret, Some(&stored))]);
            mark_again(&[Step::new(secret.clone(), Some(stored), None)], &mut layer);
            for body in [&layer[0].target.body, &layer[0].planned] {
                assert_eq!(annotations(body), annotations(&expected.body), "{uid}");
            }
        }
    }
}
