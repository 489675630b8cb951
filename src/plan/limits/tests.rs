use serde_json::json;

use super::super::Target;
use super::*;
use crate::cluster::ResourceKind;
use crate::object::ObjectRef;

/// A StatefulSet of three pods whose container has these resources.
fn step(resources: &Value) -> Step {
    let container = json!({"name": "main", "resources": resources});
    let body = json!({"spec": {"replicas": 3, "template": {"spec": {"containers": [container]}}}});
    let target = Target {
        reference: ObjectRef::new("apps", "StatefulSet", Some("n"), "web"),
        kind: ResourceKind::stateful_set(),
        body,
        is_served: true,
        layer: 0,
    };
    Step::new(target, None, None)
}

fn reason(step: Step, quotas: Vec<Value>, ranges: Vec<Value>) -> Option<String> {
    let plan = Plan {
        steps: vec![step],
        ..Plan::default()
    };
    let facts = BTreeMap::from([("n".to_owned(), LimitFacts { quotas, ranges })]);
    let mut risks = limit_risks(&plan, &facts).into_iter();
    risks.next().map(|risk| risk.reason)
}

fn quota(hard: &Value, used: &Value) -> Vec<Value> {
    vec![json!({"metadata": {"name": "bounds"}, "spec": {"hard": hard}, "status": {"used": used}})]
}

#[test]
fn a_quota_refuses_what_it_has_no_room_for() {
    let cpu = || json!({"requests": {"cpu": "500m"}, "limits": {"memory": "1Gi"}});
    let table = [
        (json!({"pods": "3"}), json!({"pods": "0"}), None),
        (
            json!({"pods": "5"}),
            json!({"pods": "3"}),
            Some("the quota `bounds` allows 2 more of `pods`, but 3 pods need 3"),
        ),
        (json!({"requests.cpu": "1500m"}), json!({}), None),
        (
            json!({"requests.cpu": "1"}),
            json!({}),
            Some("the quota `bounds` allows 1 more of `requests.cpu`, but 3 pods need 1500m"),
        ),
        (
            json!({"limits.memory": "4Gi"}),
            json!({"limits.memory": "2Gi"}),
            Some("the quota `bounds` allows 2Gi more of `limits.memory`, but 3 pods need 3Gi"),
        ),
        (
            json!({"limits.cpu": "8"}),
            json!({}),
            Some(
                "the quota `bounds` demands a value for `limits.cpu`, but its containers set none",
            ),
        ),
        (json!({"configmaps": "1"}), json!({"configmaps": "1"}), None),
    ];
    for (hard, used, expected) in table {
        let quotas = quota(&hard, &used);
        let found = reason(step(&cpu()), quotas, Vec::new());
        assert_eq!(found.as_deref(), expected, "{hard}");
    }
}

#[test]
fn only_pods_that_are_added_count_and_only_in_quotas_for_all_pods() {
    let mut live = step(&json!({}));
    live.live = Some(live.planned.clone());
    live.action = Action::Change;
    let full = quota(&json!({"pods": "3"}), &json!({"pods": "3"}));
    assert_eq!(reason(live.clone(), full.clone(), Vec::new()), None);
    let tight = || {
        let rule = json!({"type": "Container", "max": {"cpu": "1"}});
        vec![json!({"spec": {"limits": [rule]}})]
    };
    assert_eq!(reason(live.clone(), Vec::new(), tight()), None);
    live.planned["spec"]["replicas"] = json!(4);
    assert!(reason(live, Vec::new(), tight()).is_some());
    let mut scoped = full;
    scoped[0]["spec"]["scopes"] = json!(["BestEffort"]);
    assert_eq!(reason(step(&json!({})), scoped, Vec::new()), None);
}

#[test]
fn a_limit_range_sets_defaults_and_refuses_what_is_beyond_it() {
    let range = |rule: Value| {
        let mut rule = rule;
        rule["type"] = json!("Container");
        vec![json!({"spec": {"limits": [rule]}})]
    };
    let cpu = |amount: &str| json!({"limits": {"cpu": amount}});
    let max = || range(json!({"max": {"cpu": "500m"}}));
    assert_eq!(reason(step(&cpu("0.5")), Vec::new(), max()), None);
    let beyond = "a limit range refuses its container `main`: its cpu limit of 1 is above the maximum of 500m";
    assert_eq!(
        reason(step(&cpu("1")), Vec::new(), max()).as_deref(),
        Some(beyond)
    );
    let none =
        "a limit range refuses its container `main`: it has no cpu limit, and the maximum is 500m";
    assert_eq!(
        reason(step(&json!({})), Vec::new(), max()).as_deref(),
        Some(none)
    );
    let min = range(json!({"min": {"cpu": "200m"}}));
    let below = "a limit range refuses its container `main`: its cpu request of 100m is below the minimum of 200m";
    assert_eq!(
        reason(step(&cpu("100m")), Vec::new(), min).as_deref(),
        Some(below)
    );
    let defaults = range(json!({"default": {"cpu": "1"}, "max": {"cpu": "2"}}));
    let counted = quota(&json!({"limits.cpu": "2"}), &json!({}));
    let found = reason(step(&json!({})), counted, defaults);
    let expected = "the quota `bounds` allows 2 more of `limits.cpu`, but 3 pods need 3";
    assert_eq!(found.as_deref(), Some(expected));
}

#[test]
fn a_limit_for_whole_pods_counts_all_containers() {
    let mut two = step(&json!({"limits": {"cpu": "1"}}));
    let containers = &mut two.planned["spec"]["template"]["spec"]["containers"];
    let container = containers[0].clone();
    containers.as_array_mut().unwrap().push(container);
    let range = vec![json!({"spec": {"limits": [{"type": "Pod", "max": {"cpu": "1500m"}}]}})];
    let expected =
        "a limit range refuses each of its pods: its cpu limit of 2 is above the maximum of 1500m";
    assert_eq!(reason(two, Vec::new(), range).as_deref(), Some(expected));
}
