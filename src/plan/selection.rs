//! Which pods a selector means.

use serde_json::Value;

use crate::object::ObjectRef;

/// Whether the selector of an object matches pods with these labels. A Service has pairs alone; without
/// any, it selects nothing.
#[must_use]
pub fn selects(object: &ObjectRef, value: &Value, labels: &Value) -> bool {
    let selector = &value["spec"]["selector"];
    if object.is("", "Service") {
        let pairs = selector.as_object();
        return pairs.is_some_and(|pairs| !pairs.is_empty()) && has_pairs(selector, labels);
    }
    let expressions = selector["matchExpressions"].as_array();
    let mut expressions = expressions.into_iter().flatten();
    selector.is_object()
        && has_pairs(&selector["matchLabels"], labels)
        && expressions.all(|expression| meets(expression, labels))
}

fn has_pairs(pairs: &Value, labels: &Value) -> bool {
    let mut pairs = pairs.as_object().into_iter().flatten();
    pairs.all(|(key, value)| labels.get(key) == Some(value))
}

/// `matchExpressions` (apimachinery `pkg/apis/meta/v1/helpers.go`, `LabelSelectorAsSelector`).
fn meets(expression: &Value, labels: &Value) -> bool {
    let label = expression["key"].as_str().and_then(|key| labels.get(key));
    let values = expression["values"].as_array();
    let is_among = |label: &Value| values.is_some_and(|values| values.contains(label));
    match expression["operator"].as_str() {
        Some("In") => label.is_some_and(is_among),
        Some("NotIn") => !label.is_some_and(is_among),
        Some("Exists") => label.is_some(),
        Some("DoesNotExist") => label.is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_selector_means_pods_with_its_labels() {
        let of = |group: &str, kind: &str, selector: Value| {
            let object = ObjectRef::new(group, kind, Some("shop"), "web");
            let labels = json!({"app": "web", "tier": "front"});
            selects(&object, &json!({"spec": {"selector": selector}}), &labels)
        };
        assert!(of("", "Service", json!({"app": "web"})));
        assert!(!of("", "Service", json!({"app": "db"})));
        assert!(!of("", "Service", json!({})), "it selects nothing");
        let set = |selector: Value| of("apps", "StatefulSet", selector);
        assert!(set(json!({"matchLabels": {"app": "web"}})));
        assert!(!set(json!({"matchLabels": {"app": "web", "zone": "a"}})));
        let with = |operator: &str, values: Value| {
            let expression = json!({"key": "tier", "operator": operator, "values": values});
            set(json!({"matchExpressions": [expression]}))
        };
        assert!(with("In", json!(["front"])) && !with("In", json!(["back"])));
        assert!(with("NotIn", json!(["back"])) && !with("NotIn", json!(["front"])));
        assert!(with("Exists", Value::Null) && !with("DoesNotExist", Value::Null));
        assert!(!set(Value::Null), "no selector");
    }
}
