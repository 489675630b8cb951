//! References between the objects of a set that cannot work.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Plan, Step};
use crate::action::Action;
use crate::manifest::pod_template;
use crate::object::{ObjectRef, is_built_in_group};

/// The maximum length of a label's value (`k8s.io/apimachinery` `pkg/util/validation`).
const LONGEST_LABEL: usize = 63;
/// The maximum length of a revision's hash, which is hardly ever shorter than [`USUAL_HASH`]
/// (`pkg/controller/history/controller_history.go`: a 32-bit number in decimal).
const LONGEST_HASH: usize = 10;
const USUAL_HASH: usize = 8;

/// An inconsistency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The object that contains it.
    pub object: ObjectRef,
    /// The problem, as a clause.
    pub reason: String,
    /// Whether its pods can never become Ready.
    pub is_fatal: bool,
}

/// The inconsistencies of a plan, in the objects that it writes.
#[must_use]
pub fn findings(plan: &Plan) -> Vec<Finding> {
    let written = plan.steps.iter().filter(|step| step.action != Action::Keep);
    written
        .flat_map(|step| {
            let mut found = long_name(step);
            found.extend(probes(step));
            found.extend(hooks(step));
            found.extend(target_ports(plan, step));
            found
        })
        .collect()
}

/// The written Services whose selector matches no pod template of the set, with the selector. Pods
/// outside the set may match it.
pub fn lonely_services(plan: &Plan) -> impl Iterator<Item = (&Step, &Map<String, Value>)> {
    let has_operators = plan
        .steps
        .iter()
        .any(|step| !is_built_in_group(&step.target.reference.group));
    plan.steps
        .iter()
        .filter(move |step| step.action != Action::Keep && !has_operators)
        .filter_map(|step| Some((step, selector(step)?)))
        .filter(|(step, _)| {
            let near = plan.steps.iter().filter(|other| are_near(step, other));
            let mut workloads = near.filter(|other| template(other).is_some()).peekable();
            workloads.peek().is_some() && selected(plan, step).is_empty()
        })
}

fn long_name(step: &Step) -> Vec<Finding> {
    let object = &step.target.reference;
    if !object.is("apps", "StatefulSet") || step.live.is_some() {
        return Vec::new();
    }
    let room = LONGEST_LABEL.saturating_sub(object.name.len() + 1);
    if room >= LONGEST_HASH {
        return Vec::new();
    }
    vec![Finding {
        object: object.clone(),
        reason: format!(
            "its name has {} characters; with more than {}, its pods' label `controller-revision-hash` can exceed {LONGEST_LABEL} characters, and the pods are refused",
            object.name.len(),
            LONGEST_LABEL - 1 - LONGEST_HASH
        ),
        is_fatal: room < USUAL_HASH,
    }]
}

/// Probes of a named port that their container does not declare: the kubelet cannot resolve it
/// (`pkg/probe/util.go`, `ResolveContainerPort`).
fn probes(step: &Step) -> Vec<Finding> {
    let mut found = Vec::new();
    for container in containers(step) {
        for probe in ["readinessProbe", "startupProbe", "livenessProbe"] {
            for kind in ["httpGet", "tcpSocket"] {
                let port = &container[probe][kind]["port"];
                found.extend(nameless(container, port).map(|reason| Finding {
                    object: step.target.reference.clone(),
                    reason: format!("the {probe} of {reason}"),
                    is_fatal: probe != "livenessProbe",
                }));
            }
        }
    }
    found
}

/// Hooks that use such a port: they fail, and the kubelet kills a container whose `postStart` hook
/// fails (`pkg/kubelet/lifecycle/handlers.go`).
fn hooks(step: &Step) -> Vec<Finding> {
    let mut found = Vec::new();
    for container in containers(step) {
        for hook in ["postStart", "preStop"] {
            let port = &container["lifecycle"][hook]["httpGet"]["port"];
            found.extend(nameless(container, port).map(|reason| Finding {
                object: step.target.reference.clone(),
                reason: format!("the {hook} hook of {reason}"),
                is_fatal: false,
            }));
        }
    }
    found
}

/// The container and the port name that it does not declare, as the end of a clause.
fn nameless(container: &Value, port: &Value) -> Option<String> {
    let port = port.as_str().filter(|port| port.parse::<u16>().is_err())?;
    let names: BTreeSet<&str> = ports(container)
        .filter_map(|port| port["name"].as_str())
        .collect();
    if names.contains(port) {
        return None;
    }
    let name = container["name"].as_str().unwrap_or_default();
    Some(format!(
        "container `{name}` uses the port `{port}`, but none of its ports has that name{}",
        among(names.into_iter())
    ))
}

/// Ports of a Service that match no port of the selected containers.
fn target_ports(plan: &Plan, service: &Step) -> Vec<Finding> {
    let workloads = selected(plan, service);
    if workloads.is_empty() {
        return Vec::new();
    }
    let declared: Vec<&Value> = workloads
        .iter()
        .flat_map(|step| containers(step))
        .flat_map(ports)
        .collect();
    let all_declare = workloads
        .iter()
        .flat_map(|step| containers(step))
        .all(|container| ports(container).next().is_some());
    let spec = &service.planned["spec"];
    let is_headless = spec["clusterIP"] == "None";
    let names: Vec<String> = workloads
        .iter()
        .map(|step| format!("`{}`", step.target.reference))
        .collect();
    let names = names.join(" and ");
    let mut found = Vec::new();
    for port in spec["ports"].as_array().into_iter().flatten() {
        let target = match &port["targetPort"] {
            Value::Null => &port["port"],
            target => target,
        };
        let reason = if let Some(name) = target.as_str() {
            let there = declared.iter().filter_map(|port| port["name"].as_str());
            if there.clone().any(|there| there == name) || name.parse::<u16>().is_ok() {
                continue;
            }
            format!(
                "its `targetPort` `{name}` matches no port of {names}{}",
                among(there)
            )
        } else {
            let is_there = declared.iter().any(|port| port["containerPort"] == *target);
            if is_there || is_headless || !all_declare {
                continue;
            }
            let there: BTreeSet<String> = declared
                .iter()
                .map(|port| port["containerPort"].to_string())
                .collect();
            format!(
                "it routes to port {target}, but the containers of {names} declare only {}",
                there.into_iter().collect::<Vec<_>>().join(", ")
            )
        };
        found.push(Finding {
            object: service.target.reference.clone(),
            reason,
            is_fatal: false,
        });
    }
    found
}

/// The workloads of the set that a Service selects.
fn selected<'plan>(plan: &'plan Plan, service: &Step) -> Vec<&'plan Step> {
    let Some(selector) = selector(service) else {
        return Vec::new();
    };
    let near = plan.steps.iter().filter(|step| are_near(service, step));
    near.filter(|step| {
        let Some(labels) = template(step).map(|template| &template["metadata"]["labels"]) else {
            return false;
        };
        selector
            .iter()
            .all(|(key, value)| is_given_later(key) || labels.get(key) == Some(value))
    })
    .collect()
}

/// Labels that the Kubernetes controllers set on the pods that they create.
fn is_given_later(label: &str) -> bool {
    let prefixes = [
        "statefulset.kubernetes.io/",
        "apps.kubernetes.io/",
        "batch.kubernetes.io/",
    ];
    let names = [
        "controller-revision-hash",
        "controller-uid",
        "job-name",
        "pod-template-hash",
    ];
    prefixes.iter().any(|prefix| label.starts_with(prefix)) || names.contains(&label)
}

fn selector(step: &Step) -> Option<&Map<String, Value>> {
    if !step.target.reference.is("", "Service") {
        return None;
    }
    let selector = step.planned["spec"]["selector"].as_object()?;
    (!selector.is_empty()).then_some(selector)
}

fn are_near(one: &Step, other: &Step) -> bool {
    one.target.reference.namespace == other.target.reference.namespace
}

fn template(step: &Step) -> Option<&Value> {
    pod_template(&step.target.reference, &step.planned)
}

/// The containers that run as long as the pod, sidecars included.
fn containers(step: &Step) -> impl Iterator<Item = &Value> {
    let spec = template(step).map(|template| &template["spec"]);
    let list = move |name: &str| spec.and_then(|spec| spec[name].as_array());
    let sidecars = list("initContainers").into_iter().flatten();
    list("containers")
        .into_iter()
        .flatten()
        .chain(sidecars.filter(|container| container["restartPolicy"] == "Always"))
}

fn ports(container: &Value) -> impl Iterator<Item = &Value> {
    container["ports"].as_array().into_iter().flatten()
}

/// The existing names, as the end of a clause.
fn among<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: BTreeSet<&str> = names.collect();
    if names.is_empty() {
        return String::new();
    }
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!(" (there is {})", names.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Target;
    use super::*;
    use crate::cluster::ResourceKind;

    fn step(group: &str, kind: &str, name: &str, spec: &Value) -> Step {
        let target = Target {
            reference: ObjectRef::new(group, kind, Some("n"), name),
            kind: ResourceKind::known(group, "v1", kind, "things", true),
            body: json!({"kind": kind, "metadata": {"name": name}, "spec": spec}),
            is_served: true,
            layer: 0,
        };
        Step::new(target, None, None)
    }

    fn workload(name: &str, container: &Value) -> Step {
        let spec = json!({"template": {"metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [container]}}});
        step("apps", "StatefulSet", name, &spec)
    }

    fn plan(steps: Vec<Step>) -> Plan {
        Plan {
            steps,
            ..Plan::default()
        }
    }

    fn reasons(steps: Vec<Step>) -> Vec<(String, bool)> {
        findings(&plan(steps))
            .into_iter()
            .map(|finding| (finding.reason, finding.is_fatal))
            .collect()
    }

    #[test]
    fn a_probe_on_a_port_that_has_no_such_name_never_answers() {
        let with = |probe: &str, port: Value| {
            reasons(vec![workload(
                "web",
                &json!({"name": "api", "ports": [{"name": "http", "containerPort": 80}],
                    probe: {"httpGet": {"path": "/", "port": port}}}),
            )])
        };
        let wrong = with("readinessProbe", json!("htpp"));
        assert!(wrong[0].1 && wrong[0].0.contains("`htpp`"), "{wrong:?}");
        assert!(wrong[0].0.contains("`http`"), "{wrong:?}");
        assert!(!with("livenessProbe", json!("htpp"))[0].1);
        assert_eq!(with("readinessProbe", json!("http")), []);
        assert_eq!(with("readinessProbe", json!(8080)), []);
        let hook = |hook: &str, port: &str| {
            let hooks = json!({hook: {"httpGet": {"path": "/", "port": port}}});
            let container = json!({"name": "api", "ports": [{"name": "http", "containerPort": 80}],
                "lifecycle": hooks});
            reasons(vec![workload("web", &container)])
        };
        for name in ["postStart", "preStop"] {
            let wrong = hook(name, "nosuch");
            assert!(!wrong[0].1 && wrong[0].0.contains(name), "{wrong:?}");
            assert_eq!(hook(name, "http"), []);
        }
    }

    #[test]
    fn a_service_that_leads_nowhere_is_named() {
        let service = |port: Value, headless: bool| {
            let mut spec = json!({"selector": {"app": "web"}, "ports": [port]});
            if headless {
                spec["clusterIP"] = json!("None");
            }
            step("", "Service", "web", &spec)
        };
        let with = |port: Value, headless: bool, container: Value| {
            reasons(vec![service(port, headless), workload("web", &container)])
        };
        let named = || json!({"name": "api", "ports": [{"name": "http", "containerPort": 80}]});
        let silent = || json!({"name": "api"});
        let wrong_name = json!({"port": 80, "targetPort": "web"});
        assert_eq!(with(wrong_name.clone(), false, named()).len(), 1);
        assert_eq!(with(wrong_name, true, silent()).len(), 1);
        assert_eq!(with(json!({"port": 8080}), false, named()).len(), 1);
        let fine = [
            (json!({"port": 8080}), true, named()),
            (json!({"port": 8080}), false, silent()),
            (json!({"port": 8080, "targetPort": 80}), false, named()),
            (json!({"port": 8080, "targetPort": "http"}), false, named()),
        ];
        for (port, headless, container) in fine {
            assert_eq!(with(port.clone(), headless, container), [], "{port}");
        }
    }

    #[test]
    fn a_selector_that_no_template_meets_is_looked_into() {
        let service = |selector: Value| {
            step(
                "",
                "Service",
                "web",
                &json!({"selector": selector, "ports": []}),
            )
        };
        let is_lonely = |selector: Value, others: Vec<Step>| {
            let steps = std::iter::once(service(selector)).chain(others).collect();
            lonely_services(&plan(steps)).next().is_some()
        };
        let web = || workload("web", &json!({"name": "api"}));
        assert!(is_lonely(json!({"app": "wbe"}), vec![web()]));
        assert!(!is_lonely(json!({"app": "web"}), vec![web()]));
        let of_one_pod = json!({"app": "web", "statefulset.kubernetes.io/pod-name": "web-0"});
        assert!(!is_lonely(of_one_pod, vec![web()]));
        assert!(!is_lonely(json!({"app": "wbe"}), vec![]), "not of this set");
        let widget = step("example.com", "Widget", "w", &json!({}));
        assert!(!is_lonely(json!({"app": "wbe"}), vec![web(), widget]));
    }

    #[test]
    fn names_that_their_labels_cannot_hold_are_named() {
        let named = |length: usize| {
            let steps = vec![workload(&"w".repeat(length), &json!({"name": "api"}))];
            reasons(steps).first().map(|(_, is_fatal)| *is_fatal)
        };
        assert_eq!(named(52), None);
        assert_eq!(named(53), Some(false), "a short hash may still fit");
        assert_eq!(named(57), Some(true));
    }
}
