use serde_json::json;

use super::super::Target;
use super::*;
use crate::cluster::ResourceKind;

const SERVER: &str = "https://cluster.example.test";

fn step(name: &str, live: Option<Value>, size: i64) -> Step {
    let body = json!({"kind": "Gadget", "metadata": {"name": name}, "spec": {"size": size}});
    let target = Target {
        reference: ObjectRef::new("example.test", "Gadget", Some("n"), name),
        kind: ResourceKind {
            has_status_subresource: true,
            ..ResourceKind::known("example.test", "v1", "Gadget", "gadgets", true)
        },
        body: body.clone(),
        is_served: true,
        layer: 0,
    };
    Step::new(target, live, Some(body))
}

fn live(uid: &str, size: i64) -> Value {
    json!({"kind": "Gadget", "spec": {"size": size}, "status": {"seen": size},
        "metadata": {"name": "a", "uid": uid, "resourceVersion": "7"}})
}

fn plan(steps: Vec<Step>) -> Plan {
    Plan {
        steps,
        ..Plan::default()
    }
}

fn save(steps: Vec<Step>) -> SavedPlan {
    let choices = FieldChoices::default();
    let deleting = Deleting::default();
    SavedPlan::new(&plan(steps), deleting, &choices, SERVER, "salt".to_owned())
}

/// What has moved, as a saved plan that was written and read says.
fn moved(before: Vec<Step>, now: Vec<Step>) -> Vec<String> {
    let text = serde_json::to_string(&save(before)).unwrap();
    let read: SavedPlan = serde_json::from_str(&text).unwrap();
    let moved = read.moved(
        &plan(now),
        &Deleting::default(),
        &FieldChoices::default(),
        SERVER,
    );
    moved.iter().map(ToString::to_string).collect()
}

#[test]
fn a_status_and_a_version_do_not_count() {
    let mut later = live("u", 3);
    later["status"]["seen"] = json!(9);
    later["metadata"]["resourceVersion"] = json!("8");
    let before = vec![step("a", Some(live("u", 3)), 2)];
    assert_eq!(moved(before, vec![step("a", Some(later), 2)]), [""; 0]);
}

#[test]
fn what_has_moved_is_named() {
    let before = || vec![step("a", Some(live("u", 3)), 2)];
    let name = "`gadget.example.test/a`";
    let table = [
        (
            vec![step("a", Some(live("u", 4)), 2)],
            format!("the live state of {name} has changed since the plan was saved: .spec.size"),
        ),
        (
            vec![step("a", Some(live("v", 3)), 2)],
            format!("{name} was deleted and created again since the plan was saved"),
        ),
        (
            vec![step("a", None, 2)],
            format!("{name} was deleted since the plan was saved"),
        ),
        (
            vec![step("a", Some(live("u", 3)), 5)],
            format!("the manifest of {name} has changed since the plan was saved: .spec.size"),
        ),
        (
            Vec::new(),
            format!("{name} is in the plan, but no longer in the manifests"),
        ),
    ];
    for (now, expected) in table {
        assert_eq!(moved(before(), now), [expected]);
    }
    let two = vec![step("a", Some(live("u", 3)), 2), step("b", None, 1)];
    let unplanned = "`gadget.example.test/b` is not in the plan";
    assert_eq!(moved(before(), two), [unplanned]);
    let mut other = step("a", Some(live("u", 3)), 2);
    other.planned["spec"]["default"] = json!(true);
    let effect = format!(
        "what the API server makes of {name} has changed since the plan was saved: .spec.default"
    );
    assert_eq!(moved(before(), vec![other]), [effect]);
}

#[test]
fn many_fields_are_counted() {
    let mut now = live("u", 3);
    for name in ["a", "b", "c", "d", "e", "f", "g"] {
        now["spec"][name] = json!(1);
    }
    let [sentence] = moved(
        vec![step("a", Some(live("u", 3)), 2)],
        vec![step("a", Some(now), 2)],
    )
    .try_into()
    .unwrap();
    let fields = ".spec.a, .spec.b, .spec.c, .spec.d, .spec.e and 2 more";
    assert!(sentence.ends_with(fields), "{sentence}");
}

#[test]
fn a_plan_is_for_one_cluster_and_for_its_choices() {
    let saved = save(Vec::new());
    let said = |choices: &FieldChoices, server: &str| {
        let moved = saved.moved(&plan(Vec::new()), &Deleting::default(), choices, server);
        let [moved] = moved.try_into().unwrap();
        Outdated::to_string(&moved)
    };
    let none = FieldChoices::default();
    let other =
        "the plan is for the API server https://cluster.example.test, not for https://other.test";
    assert_eq!(said(&none, "https://other.test"), other);
    let taking = FieldChoices {
        taken: vec![".spec.size".parse().unwrap()],
        ..none
    };
    let words =
        "the plan was made with no choice about fields, and this run has `--take .spec.size`";
    assert_eq!(said(&taking, SERVER), words);
}

#[test]
fn what_would_be_deleted_belongs_to_the_plan() {
    let deleting = |prunes, rows: &[(&str, &str)]| {
        let object = |name: &str| ObjectRef::new("", "ConfigMap", Some("shop"), name);
        let rows = rows
            .iter()
            .map(|(name, uid)| (object(name), (*uid).to_owned()));
        Deleting {
            prunes,
            objects: rows.collect(),
        }
    };
    let choices = FieldChoices::default();
    let planned = |prunes| {
        let deleting = deleting(prunes, &[("a", "1"), ("b", "2")]);
        let empty = Plan::default();
        SavedPlan::new(&empty, deleting, &choices, SERVER, "salt".to_owned())
    };
    let said = |saved: SavedPlan, now: Deleting| {
        let moved = saved.moved(&Plan::default(), &now, &choices, SERVER);
        let texts: Vec<String> = moved.iter().map(Outdated::to_string).collect();
        texts.join("\n")
    };
    let same = deleting(true, &[("b", "2"), ("a", "1")]);
    assert_eq!(said(planned(true), same), "");
    let others = "other objects would be deleted than when the plan was saved: ";
    let another = deleting(true, &[("a", "1"), ("c", "3")]);
    let expected = format!("{others}`configmap/b`, `configmap/c`");
    assert_eq!(said(planned(true), another), expected);
    let made_anew = deleting(true, &[("a", "1"), ("b", "4")]);
    let expected = format!("{others}`configmap/b`");
    assert_eq!(said(planned(true), made_anew), expected);
    let without = "the plan was made without `--prune`";
    assert_eq!(said(planned(false), deleting(true, &[])), without);
    let with = "the plan was made with `--prune`, and this run has no `--prune`";
    assert_eq!(said(planned(true), deleting(false, &[])), with);
}

#[test]
fn what_the_api_server_draws_anew_does_not_count_for_what_is_created() {
    let job = |uid: &str| {
        let mut created = step("a", None, 2);
        created.planned["metadata"]["labels"] = json!({"controller-uid": uid});
        vec![created]
    };
    assert_eq!(moved(job("one"), job("other")), [""; 0]);
}

#[test]
fn a_plan_holds_no_value() {
    let mut secret = step("a", Some(live("u", 3)), 2);
    secret.planned["data"] = json!({"password": "aHVudGVyMg=="});
    secret.target.body["data"] = json!({"password": "aHVudGVyMg=="});
    let text = serde_json::to_string(&save(vec![secret])).unwrap();
    assert!(text.contains(".data.password"), "{text}");
    assert!(!text.contains("aHVudGVyMg=="), "{text}");
}
