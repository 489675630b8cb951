use serde_json::json;

use super::super::Target;
use super::*;
use crate::cluster::ResourceKind;

/// A plan that creates these objects in the namespace `n`.
fn plan(objects: &[Value]) -> Plan {
    let step = |body: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (version, kind) = (text(&body["apiVersion"]), text(&body["kind"]));
        let (group, version) = version.split_once('/').unwrap_or(("", &version));
        let name = text(&body["metadata"]["name"]);
        let target = Target {
            reference: ObjectRef::new(group, &kind, Some("n"), &name),
            kind: ResourceKind::known(group, version, &kind, "objects", true),
            body: body.clone(),
            is_served: true,
            layer: 0,
        };
        Step::new(target, None, None)
    };
    Plan {
        steps: objects.iter().map(step).collect(),
        ..Plan::default()
    }
}

fn claim(more: Value) -> Value {
    let mut claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    merge(&mut claim, more);
    claim
}

fn workload(more: Value) -> Value {
    let mut workload = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web"},
        "spec": {"replicas": 2, "template": {"metadata": {}, "spec": {"containers": [],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}}}});
    merge(&mut workload, more);
    workload
}

fn merge(value: &mut Value, more: Value) {
    match (value, more) {
        (Value::Object(fields), Value::Object(more)) => {
            for (name, more) in more {
                merge(fields.entry(name).or_insert(Value::Null), more);
            }
        }
        (value, more) => *value = more,
    }
}

/// A cluster of two nodes with a class that makes volumes for any node.
fn cluster() -> StorageFacts {
    let class = |name: &str, provisioner: &str| json!({"metadata": {"name": name}, "provisioner": provisioner});
    let mut disk = class("disk", "disk.example.test");
    disk["metadata"]["annotations"][DEFAULT_CLASS] = json!("true");
    let node = |name: &str| json!({"metadata": {"name": name}, "spec": {}});
    StorageFacts {
        classes: Some(vec![
            disk,
            class("local", "rancher.io/local-path"),
            class("hand", NO_PROVISIONER),
        ]),
        volumes: Some(Vec::new()),
        nodes: Some(vec![node("a"), node("b")]),
        ..StorageFacts::default()
    }
}

fn kinds(plan: &Plan, facts: &StorageFacts) -> Vec<RiskKind> {
    let risks = storage_risks(plan, facts);
    risks.into_iter().map(|risk| risk.kind).collect()
}

#[test]
fn replicas_that_may_be_on_several_nodes_cannot_share_a_disk() {
    let of = |more: Value, facts: &StorageFacts| {
        kinds(&plan(&[claim(json!({})), workload(more)]), facts)
    };
    let facts = cluster();
    assert_eq!(of(json!({}), &facts), [RiskKind::SharedClaim]);
    let template = |spec: Value| json!({"spec": {"template": {"spec": spec}}});
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let near = json!([{"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": {"app": "web"}}}]);
    let on_one = json!({"nodeSelectorTerms": [{"matchExpressions": [
        {"key": HOSTNAME, "operator": "In", "values": ["a"]}]}]});
    for kept in [
        json!({"spec": {"replicas": 1}}),
        template(json!({"nodeName": "a"})),
        template(json!({"nodeSelector": {HOSTNAME: "a"}})),
        template(json!({"affinity": {"podAffinity": {required: near}}})),
        template(json!({"affinity": {"nodeAffinity": {required: on_one}}})),
    ] {
        assert_eq!(of(kept.clone(), &facts), [], "{kept}");
    }
    let zone = json!([{"topologyKey": "topology.kubernetes.io/zone"}]);
    let spread = template(json!({"affinity": {"podAffinity": {required: zone}}}));
    assert_eq!(of(spread, &facts), [RiskKind::SharedClaim]);
}

#[test]
fn what_was_shared_before_is_no_news() {
    let mut set = plan(&[claim(json!({})), workload(json!({}))]);
    let facts = cluster();
    set.steps[1].live = Some(workload(json!({})));
    assert_eq!(kinds(&set, &facts), []);
    set.steps[1].live = Some(workload(json!({"spec": {"replicas": 1}})));
    assert_eq!(kinds(&set, &facts), [RiskKind::SharedClaim]);
    let on_a = json!({"spec": {"template": {"spec": {"nodeName": "a"}}}});
    set.steps[1].live = Some(workload(on_a));
    assert_eq!(kinds(&set, &facts), [RiskKind::SharedClaim]);
}

#[test]
fn one_node_or_a_local_volume_keeps_replicas_together() {
    let set = |class: &str| {
        plan(&[
            claim(json!({"spec": {"storageClassName": class}})),
            workload(json!({})),
        ])
    };
    let mut facts = cluster();
    assert_eq!(kinds(&set("disk"), &facts), [RiskKind::SharedClaim]);
    assert_eq!(kinds(&set("local"), &facts), []);
    facts.nodes.as_mut().unwrap()[1]["spec"]["taints"] = json!([{"effect": "NoSchedule"}]);
    assert_eq!(kinds(&set("disk"), &facts), []);
    facts.nodes = None;
    assert_eq!(kinds(&set("disk"), &facts), [], "nothing is known");
}

#[test]
fn a_live_claim_counts_with_its_volume() {
    let plan = plan(&[workload(json!({}))]);
    let mut facts = cluster();
    assert_eq!(kinds(&plan, &facts), []);
    let object = ObjectRef::new("", "PersistentVolumeClaim", Some("n"), "data");
    let live = claim(json!({"spec": {"volumeName": "v"}}));
    facts.claims.insert(object.clone(), live);
    assert_eq!(kinds(&plan, &facts), [RiskKind::SharedClaim]);
    let on_a = json!({"required": {"nodeSelectorTerms": [{"matchExpressions": [
        {"key": HOSTNAME, "operator": "In", "values": ["a"]}]}]}});
    facts.volumes = Some(vec![
        json!({"metadata": {"name": "v"}, "spec": {"nodeAffinity": on_a}}),
    ]);
    assert_eq!(kinds(&plan, &facts), []);
    let many = claim(json!({"spec": {"accessModes": ["ReadWriteMany"]}}));
    facts.claims.insert(object.clone(), many);
    assert_eq!(kinds(&plan, &facts), []);
    let one_pod = claim(json!({"spec": {"accessModes": ["ReadWriteOncePod"]}}));
    facts.claims.insert(object, one_pod);
    assert_eq!(kinds(&plan, &facts), [RiskKind::SinglePodClaim]);
}

fn volume(more: Value) -> Value {
    let mut volume = json!({"metadata": {"name": "v"}, "status": {"phase": "Available"}, "spec": {
        "storageClassName": "hand", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}}});
    merge(&mut volume, more);
    volume
}

#[test]
fn a_claim_without_a_provisioner_needs_a_volume_that_fits() {
    let plan = plan(&[claim(json!({"spec": {"storageClassName": "hand"}}))]);
    let with = |more: Value| {
        let facts = StorageFacts {
            volumes: Some(vec![volume(more)]),
            ..cluster()
        };
        kinds(&plan, &facts)
    };
    assert_eq!(kinds(&plan, &cluster()), [RiskKind::NoVolume]);
    let ours = json!({"namespace": "n", "name": "data"});
    for fitting in [
        json!({}),
        json!({"spec": {"capacity": {"storage": "2Gi"}, "accessModes": ["ReadWriteOnce", "ReadWriteMany"]}}),
        json!({"spec": {"claimRef": ours}, "status": {"phase": "Released"}}),
    ] {
        assert_eq!(with(fitting.clone()), [], "{fitting}");
    }
    for unfit in [
        json!({"spec": {"capacity": {"storage": "1000Mi"}}}),
        json!({"spec": {"accessModes": ["ReadOnlyMany"]}}),
        json!({"spec": {"storageClassName": "other"}}),
        json!({"spec": {"volumeMode": "Block"}}),
        json!({"spec": {"claimRef": {"namespace": "n", "name": "other"}}}),
        json!({"status": {"phase": "Released"}}),
    ] {
        assert_eq!(with(unfit.clone()), [RiskKind::NoVolume], "{unfit}");
    }
}

#[test]
fn every_replica_needs_a_volume_of_its_own() {
    let template = json!({"metadata": {"name": "data"}, "spec": claim(json!({}))["spec"]});
    let mut set = workload(json!({"spec": {"volumeClaimTemplates": [template]}}));
    set["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"] = json!("hand");
    set["spec"]["template"]["spec"]["volumes"] = json!([]);
    let plan = plan(&[set]);
    let mut facts = cluster();
    facts.volumes = Some(vec![volume(json!({}))]);
    let [risk] = storage_risks(&plan, &facts).try_into().unwrap();
    let expected = "its claim template `data` needs 2 volumes, and its storage class makes none; 1 available volume fits";
    assert_eq!(risk.reason, expected);
    facts.volumes = Some(vec![
        volume(json!({})),
        volume(json!({"metadata": {"name": "w"}})),
    ]);
    assert_eq!(storage_risks(&plan, &facts), []);
}

#[test]
fn a_policy_that_deletes_claims_is_told_when_it_comes() {
    let template = json!({"metadata": {"name": "data"}, "spec": {}});
    let set = workload(
        json!({"spec": {"replicas": 1, "volumeClaimTemplates": [template],
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Retain"}}}),
    );
    let mut plan = plan(std::slice::from_ref(&set));
    assert_eq!(
        kinds(&plan, &StorageFacts::default()),
        [RiskKind::ClaimDeletion]
    );
    plan.steps[0].live = Some(set);
    assert_eq!(kinds(&plan, &StorageFacts::default()), []);
}
