use super::super::conflict::conflicts;
use super::super::undeclared::undeclared;
use super::*;

fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
    json!({"manager": manager, "operation": operation, "apiVersion": "v1", "time": "2026-11-30T10:00:00Z",
        "fieldsType": "FieldsV1", "fieldsV1": fields})
}

fn copy() -> Value {
    json!({"f:annotations": {".": {}, format!("f:{LAST_APPLIED}"): {}}})
}

/// Applied by kubectl with `mode`, `extra` and `shared`, and with the default `policy`.
fn live() -> Value {
    let applied = json!({
        "f:metadata": copy(),
        "f:data": {".": {}, "f:mode": {}, "f:extra": {}, "f:shared": {}},
        "f:policy": {},
        "f:gone": {},
    });
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "settings",
            "annotations": {LAST_APPLIED: "{}"},
            "managedFields": [
                entry("kubectl-client-side-apply", "Update", &applied),
                entry("kubectl-edit", "Update", &json!({"f:data": {"f:shared": {}, "f:theirs": {}}})),
                {"manager": "kubectl-client-side-apply", "operation": "Update", "subresource": "status",
                    "fieldsV1": {"f:status": {}}},
            ]},
        "data": {"mode": "slow", "extra": "x", "shared": "y", "theirs": "z"},
        "policy": "Always",
    })
}

fn declared() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"mode": "fast"}})
}

fn fresh() -> Value {
    json!({"data": {"mode": "fast"}, "policy": "Always"})
}

fn taking_over(names: &[&str]) -> FieldChoices {
    FieldChoices {
        taken_over: names.iter().map(|name| name.parse().unwrap()).collect(),
        ..FieldChoices::default()
    }
}

fn migration(live: &Value, choices: &FieldChoices) -> (Migration, Vec<String>) {
    let former = Former::of(live, choices).unwrap();
    let mut left = undeclared(live, &declared(), Some(&fresh()));
    let migration = former.migration(live, &declared(), &mut left);
    (
        migration,
        left.into_iter().map(|field| field.field).collect(),
    )
}

#[test]
fn what_kubectl_applied_moves_or_goes() {
    let (migration, left) = migration(&live(), &FieldChoices::default());
    let [row] = &migration.moved[..] else {
        panic!("{migration:?}")
    };
    assert_eq!(row.owner.manager, CLIENT_SIDE_APPLY);
    assert_eq!((row.fields, row.forgets_last_applied), (1, true));
    let gone: Vec<&str> = migration.removed().map(|it| it.field.as_str()).collect();
    assert_eq!(gone, [".data.extra"]);
    assert_eq!(
        left,
        [".data.shared", ".data.theirs"],
        "they are others', too"
    );
    let [managed, copy] = &migration.operations[..] else {
        panic!("{migration:?}")
    };
    let place = "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration";
    assert_eq!(*copy, json!({"op": "remove", "path": place}));
    let entries = managed["value"].as_array().unwrap();
    let names: Vec<&str> = entries
        .iter()
        .filter_map(|it| it["manager"].as_str())
        .collect();
    let expected = ["kubectl-edit", CLIENT_SIDE_APPLY, FIELD_MANAGER];
    assert_eq!(names, expected, "the status stays");
    // The map around the data, the field that stays and the one that goes; no default, and nothing that is
    // gone already.
    let own = json!({"f:data": {".": {}, "f:extra": {}, "f:mode": {}}});
    assert_eq!(entries[2]["fieldsV1"], own);
    assert_eq!(entries[2]["operation"], "Apply");
    assert_eq!(entries[2]["apiVersion"], "v1");
}

#[test]
fn what_moves_joins_what_is_ours() {
    let mut live = live();
    let own = json!({"f:data": {"f:theirs": {}}, "f:metadata": {"f:labels": {"f:old": {}}}});
    let entries = live["metadata"]["managedFields"].as_array_mut().unwrap();
    entries.insert(0, entry(FIELD_MANAGER, "Apply", &own));
    let (migration, _) = migration(&live, &FieldChoices::default());
    let entries = migration.operations[0]["value"].as_array().unwrap();
    let own = json!({"f:data": {".": {}, "f:extra": {}, "f:mode": {}, "f:theirs": {}}});
    assert_eq!(entries.last().unwrap()["fieldsV1"], own);
    let ours = entries.iter().filter(|it| it["manager"] == FIELD_MANAGER);
    assert_eq!(ours.count(), 1);
}

#[test]
fn only_kubectl_is_a_former_manager_unasked() {
    let with = |manager: &str, operation: &str, has_copy: bool| {
        let mut fields = json!({"f:data": {"f:mode": {}}});
        if has_copy {
            fields["f:metadata"] = copy();
        }
        json!({"metadata": {"managedFields": [entry(manager, operation, &fields)]}})
    };
    let table = [
        (CLIENT_SIDE_APPLY, "Update", true, true),
        (CLIENT_SIDE_APPLY, "Update", false, true),
        (CLIENT_SIDE_APPLY, "Apply", false, false),
        ("kubectl", "Update", true, true),
        ("kubectl-create", "Update", true, true),
        ("kubectl-create", "Update", false, false),
        ("kubectl-edit", "Update", false, false),
        ("kubectl", "Apply", true, false),
        ("kubectl-last-applied", "Apply", true, false),
        ("helm", "Update", true, false),
        ("helm", "Update", false, false),
        ("kube-controller-manager", "Update", true, false),
    ];
    for (manager, operation, has_copy, expected) in table {
        let live = with(manager, operation, has_copy);
        let found = Former::of(&live, &FieldChoices::default());
        assert_eq!(
            found.is_some(),
            expected,
            "{manager} {operation} {has_copy}"
        );
    }
    for operation in ["Apply", "Update"] {
        let live = with("helm", operation, false);
        assert!(Former::of(&live, &taking_over(&["helm"])).is_some());
        assert!(Former::of(&live, &taking_over(&["terraform"])).is_none());
    }
}

#[test]
fn a_named_manager_hands_over_its_subresources_but_the_status() {
    let mut live = live();
    let entries = live["metadata"]["managedFields"].as_array_mut().unwrap();
    for subresource in ["scale", "status"] {
        let mut entry = entry("helm", "Update", &json!({"f:data": {"f:theirs": {}}}));
        entry["subresource"] = subresource.into();
        entries.push(entry);
    }
    let (migration, _) = migration(&live, &taking_over(&["helm"]));
    let rows = migration.moved.iter().map(|row| row.owner.short());
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [CLIENT_SIDE_APPLY, "helm (scale)"]
    );
}

#[test]
fn kubernetes_and_this_program_are_never_taken_over() {
    for name in [
        "kubelet",
        "k3s",
        "kube-controller-manager",
        "cryptoctl",
        "cryptoctl-chaos",
        "",
    ] {
        assert!(name.parse::<FormerManager>().is_err(), "{name}");
    }
    for name in ["helm", "kubectl-edit", "Terraform", "argocd-controller"] {
        assert!(name.parse::<FormerManager>().is_ok(), "{name}");
    }
}

#[test]
fn a_conflict_with_a_former_manager_is_settled() {
    let live = live();
    let former = Former::of(&live, &FieldChoices::default()).unwrap();
    let rows = [
        (".data.mode", CLIENT_SIDE_APPLY),
        (".data.theirs", "kubectl-edit"),
        (".data.unknown", "before-first-apply"),
    ];
    let rows = rows.map(|(field, manager)| (field.to_owned(), manager.to_owned()));
    let mut rows = conflicts(&rows, &live, &declared());
    former.settle(&live, &mut rows);
    let left: Vec<&str> = rows.iter().map(|row| row.field.as_str()).collect();
    assert_eq!(left, [".data.theirs", ".data.unknown"]);
}

#[test]
fn a_copy_that_the_manifest_or_somebody_else_has_stays() {
    let mut live = live();
    let entries = live["metadata"]["managedFields"].as_array_mut().unwrap();
    entries.push(entry(
        "kubectl-last-applied",
        "Apply",
        &json!({"f:metadata": copy()}),
    ));
    let (migration, _) = migration(&live, &FieldChoices::default());
    assert_eq!(migration.operations.len(), 1);
    assert!(!migration.moved[0].forgets_last_applied);
    let mut object = live.clone();
    migration.forget_last_applied(&mut object);
    assert_eq!(object, live);
}

#[test]
fn values_of_secrets_do_not_move_into_sight() {
    let mut live = live();
    live["kind"] = "Secret".into();
    let (migration, _) = migration(&live, &FieldChoices::default());
    assert_eq!(migration.moved[0].removed[0].live, Value::Null);
    let text = format!("{:?}", migration.operations);
    assert!(!text.contains("slow") && !text.contains("\"x\""), "{text}");
}

#[test]
fn managers_that_own_what_is_declared_are_co_owners() {
    let mut declared = declared();
    assert_eq!(co_owners(&live(), &declared), [CLIENT_SIDE_APPLY]);
    declared["data"]["theirs"] = "a".into();
    assert_eq!(
        co_owners(&live(), &declared),
        [CLIENT_SIDE_APPLY, "kubectl-edit"]
    );
}

#[test]
fn the_managed_fields_never_become_empty() {
    let live = json!({"metadata": {"managedFields": [
        entry("helm", "Apply", &json!({"f:stringData": {"f:password": {}}}))]}});
    let (migration, _) = migration(&live, &taking_over(&["helm"]));
    let [own] = migration.operations[0]["value"]
        .as_array()
        .unwrap()
        .as_slice()
    else {
        panic!("{migration:?}")
    };
    assert_eq!(own["manager"], FIELD_MANAGER);
    assert_eq!(migration.moved[0].fields, 0);
}
