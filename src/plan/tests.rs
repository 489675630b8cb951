use serde_json::json;

use super::*;

fn target(kind: &str, body: Value) -> Target {
    Target {
        reference: ObjectRef::new("", kind, Some("n"), "x"),
        kind: ResourceKind::known("", "v1", kind, "things", true),
        body,
        is_served: true,
        layer: 0,
    }
}

fn owned(mut object: Value, fields: &Value) -> Value {
    object["metadata"]["managedFields"] = json!([
        {"manager": "cryptoctl", "operation": "Apply", "fieldsV1": fields, "time": "2026-01-01T00:00:00Z"}]);
    object
}

#[test]
fn what_does_not_exist_is_created() {
    let step = Step::new(target("ConfigMap", json!({"data": {"a": "1"}})), None, None);
    assert_eq!(step.action, Action::Create);
}

#[test]
fn what_the_server_keeps_for_itself_is_no_change() {
    let live = owned(
        json!({"metadata": {"resourceVersion": "1", "generation": 1}, "data": {"a": "1"}, "status": {"x": 1}}),
        &json!({"f:data": {"f:a": {}}}),
    );
    let mut planned = live.clone();
    planned["metadata"]["resourceVersion"] = json!("2");
    planned["metadata"]["managedFields"][0]["time"] = json!("2026-02-02T00:00:00Z");
    planned["status"] = json!({});
    let step = Step::new(target("ConfigMap", json!({})), Some(live), Some(planned));
    assert_eq!(step.action, Action::Keep);
}

#[test]
fn a_status_counts_where_it_is_data_and_only_there() {
    let green = owned(
        json!({"kind": "Light", "status": {"phase": "green"}}),
        &json!({"f:status": {"f:phase": {}}}),
    );
    let mut blue = green.clone();
    blue["status"]["phase"] = json!("blue");
    let mut dark = owned(json!({"kind": "Light"}), &json!({}));
    dark["metadata"]["managedFields"][0]["fieldsV1"] = json!({});
    for (planned, is_said) in [(&blue, "+  phase: blue"), (&dark, "-  phase: green")] {
        let mut target = target("Light", json!({}));
        target.kind.has_status_subresource = false;
        let step = Step::new(target.clone(), Some(green.clone()), Some(planned.clone()));
        assert_eq!(step.action, Action::Change);
        let plan = Plan {
            steps: vec![step],
            ..Plan::default()
        };
        let patch = &plan.diff().objects[0].patch;
        assert!(patch.contains(is_said), "{patch}");
        target.kind.has_status_subresource = true;
        let step = Step::new(target, Some(green.clone()), Some(planned.clone()));
        assert_ne!(step.action, Action::Change);
    }
}

#[test]
fn a_status_that_the_server_ignores_is_no_difference() {
    let body = json!({"kind": "Service", "spec": {"a": 1}, "status": {"loadBalancer": {}}});
    let step = Step::new(target("Service", body), None, None);
    let plan = Plan {
        steps: vec![step],
        ..Plan::default()
    };
    let patch = &plan.diff().objects[0].patch;
    assert!(!patch.contains("status"), "{patch}");
}

#[test]
fn metadata_that_an_apply_can_change_is_compared() {
    let live = owned(json!({"metadata": {}}), &json!({}));
    for (field, value) in [
        ("finalizers", json!(["example.org/keep"])),
        ("ownerReferences", json!([{"uid": "1"}])),
        ("annotations", json!({"a": "b"})),
        ("labels", json!({"a": "b"})),
    ] {
        let mut planned = live.clone();
        planned["metadata"][field] = value;
        let step = Step::new(
            target("ConfigMap", json!({})),
            Some(live.clone()),
            Some(planned),
        );
        assert_eq!(step.action, Action::Change, "{field}");
    }
}

#[test]
fn one_value_is_a_change() {
    let live = owned(json!({"data": {"a": "1"}}), &json!({"f:data": {"f:a": {}}}));
    let planned = owned(json!({"data": {"a": "2"}}), &json!({"f:data": {"f:a": {}}}));
    let step = Step::new(target("ConfigMap", json!({})), Some(live), Some(planned));
    assert_eq!(step.action, Action::Change);
}

#[test]
fn fields_that_another_manager_wrote_alike_become_owned_too() {
    let mut live = json!({"data": {"a": "1"}, "metadata": {"managedFields": [
        {"manager": "kubectl-create", "operation": "Update", "fieldsV1": {"f:data": {"f:a": {}}}}]}});
    let planned = owned(json!({"data": {"a": "1"}}), &json!({"f:data": {"f:a": {}}}));
    let step = Step::new(
        target("ConfigMap", json!({})),
        Some(live.clone()),
        Some(planned.clone()),
    );
    assert_eq!(step.action, Action::Own);
    live["metadata"]["managedFields"]
        .as_array_mut()
        .unwrap()
        .push(planned["metadata"]["managedFields"][0].clone());
    let step = Step::new(target("ConfigMap", json!({})), Some(live), Some(planned));
    assert_eq!(step.action, Action::Keep);
}

fn patch_of(kind: &str, live: Value, planned: Value) -> String {
    let step = Step::new(target(kind, json!({})), Some(live), Some(planned));
    let plan = Plan {
        steps: vec![step],
        ..Plan::default()
    };
    plan.diff().objects[0].patch.clone()
}

#[test]
fn a_diff_names_the_object_and_shows_only_what_changes() {
    let patch = patch_of(
        "ConfigMap",
        json!({"kind": "ConfigMap", "data": {"a": "1", "b": "same"}}),
        json!({"kind": "ConfigMap", "data": {"b": "same", "a": "2"}}),
    );
    assert!(
        patch.starts_with("--- live/n/configmap/x\n+++ planned/n/configmap/x\n"),
        "{patch}"
    );
    let changed: Vec<&str> = patch
        .lines()
        .skip(2)
        .filter(|line| line.starts_with(['+', '-']))
        .collect();
    let expected = ["-  a: \"1\"", "+  a: \"2\""];
    assert_eq!(changed, expected, "{patch}");
}

#[test]
fn secret_values_never_show_but_their_difference_does() {
    let patch = patch_of(
        "Secret",
        json!({"kind": "Secret", "data": {"changed": "b2xk", "same": "c2FtZQ==", "gone": "Z29uZQ=="},
               "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"data\":\"b2xk\"}"}}}),
        json!({"kind": "Secret", "data": {"changed": "bmV3", "same": "c2FtZQ==", "added": "YWRkZWQ="}}),
    );
    for value in ["b2xk", "bmV3", "c2FtZQ==", "Z29uZQ==", "YWRkZWQ="] {
        assert!(!patch.contains(value), "{value} leaked:\n{patch}");
    }
    assert!(
        patch.contains("*** (before)") && patch.contains("*** (after)"),
        "{patch}"
    );
    assert!(
        patch.contains("added:") && patch.contains("gone:"),
        "{patch}"
    );
}

#[test]
fn a_secret_of_the_wrong_shape_shows_nothing_either() {
    for secret in [
        json!({"kind": "Secret", "data": "as-one-text"}),
        json!({"kind": "Secret", "data": ["as-one-text"]}),
        json!({"kind": "Secret", "stringData": {"a/b": ["as-one-text"]}}),
        json!({"kind": "Secret", "stringdata": {"a": "as-one-text"}}),
    ] {
        let step = Step::new(target("Secret", secret), None, None);
        let plan = Plan {
            steps: vec![step],
            ..Plan::default()
        };
        let patch = &plan.diff().objects[0].patch;
        assert!(!patch.contains("as-one-text"), "{patch}");
        assert!(patch.contains("***"), "{patch}");
    }
}

#[test]
fn a_namespace_that_comes_by_itself_is_part_of_the_plan() {
    let step = Step::new(
        target("ConfigMap", json!({"kind": "ConfigMap"})),
        None,
        None,
    );
    let plan = Plan {
        absent_namespaces: vec!["n".into()],
        steps: vec![step],
        ..Plan::default()
    };
    let names: Vec<String> = plan
        .summary()
        .iter()
        .map(|step| step.object.to_string())
        .collect();
    assert_eq!(names, ["namespace/n", "configmap/x"]);
    assert_eq!(plan.diff().objects.len(), 2);
    assert!(plan.writes());
}
