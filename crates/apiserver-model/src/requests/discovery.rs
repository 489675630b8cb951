//! `/version`, and which groups, versions and resources there are.

use http::{HeaderMap, header};
use serde_json::{Value, json};

use crate::kinds::Kind;
use crate::state::State;

/// The answer to a discovery request, if it is one.
pub(crate) fn answer(state: &State, path: &str, headers: &HeaderMap) -> Option<Value> {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    // A client that accepts nothing but the aggregated form would get 406; all that are known accept the plain one too.
    let _ = accept;
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["version"] => Some(version()),
        ["api"] => Some(json!({
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": "10.0.0.1:6443" }],
        })),
        ["apis"] => Some(groups(state)),
        ["api", version] => resources(state, "", version),
        ["apis", group] => group_of(state, group),
        ["apis", group, version] => resources(state, group, version),
        _ => None,
    }
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "37", "gitVersion": "v1.37.2", "gitCommit": "0000000000000000000000000000000000000000",
        "gitTreeState": "clean", "buildDate": "2026-11-11T00:00:00Z", "goVersion": "go1.26.4", "compiler": "gc",
        "platform": "linux/amd64",
    })
}

fn groups(state: &State) -> Value {
    let mut names: Vec<&str> = Vec::new();
    for kind in &state.kinds {
        if !kind.group.is_empty() && !names.contains(&kind.group.as_str()) {
            names.push(&kind.group);
        }
    }
    names.push("authorization.k8s.io");
    let groups: Vec<Value> = names
        .into_iter()
        .filter_map(|name| group_of(state, name))
        .collect();
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
}

fn group_of(state: &State, group: &str) -> Option<Value> {
    let mut versions: Vec<&str> = Vec::new();
    for kind in state.kinds.iter().filter(|kind| kind.group == group) {
        if !versions.contains(&kind.version.as_str()) {
            versions.push(&kind.version);
        }
    }
    if group == "authorization.k8s.io" {
        versions.push("v1");
    }
    let versions: Vec<Value> = versions
        .into_iter()
        .map(|version| json!({ "groupVersion": format!("{group}/{version}"), "version": version }))
        .collect();
    let preferred = versions.first()?.clone();
    Some(json!({
        "kind": "APIGroup", "apiVersion": "v1", "name": group, "versions": versions, "preferredVersion": preferred,
    }))
}

fn resources(state: &State, group: &str, version: &str) -> Option<Value> {
    let kinds = state
        .kinds
        .iter()
        .filter(|kind| kind.group == group && kind.version == version);
    let mut resources: Vec<Value> = kinds.flat_map(entries).collect();
    if (group, version) == ("authorization.k8s.io", "v1") {
        for kind in ["SelfSubjectAccessReview", "SelfSubjectRulesReview"] {
            let name = format!("{}s", kind.to_lowercase());
            resources.push(json!({
                "name": name, "singularName": kind.to_lowercase(), "namespaced": false, "kind": kind,
                "verbs": ["create"],
            }));
        }
    }
    if resources.is_empty() {
        return None;
    }
    let group_version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    let mut list =
        json!({ "kind": "APIResourceList", "groupVersion": group_version, "resources": resources });
    if !group.is_empty() {
        list["apiVersion"] = "v1".into();
    }
    Some(list)
}

fn entries(kind: &Kind) -> Vec<Value> {
    let mut main = json!({
        "name": kind.resource, "singularName": kind.name.to_lowercase(), "namespaced": kind.namespaced,
        "kind": kind.name,
        "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
    });
    if !kind.short_names.is_empty() {
        main["shortNames"] = kind.short_names.clone().into();
    }
    let mut entries = vec![main];
    let mut sub = |name: &str, kind_name: &str, verbs: &[&str]| {
        entries.push(json!({
            "name": format!("{}/{name}", kind.resource), "singularName": "", "namespaced": kind.namespaced,
            "kind": kind_name, "verbs": verbs,
        }));
    };
    if kind.has_status {
        sub("status", &kind.name, &["get", "patch", "update"]);
    }
    if kind.is("", "pods") {
        sub("eviction", "Eviction", &["create"]);
        sub("log", "Pod", &["get"]);
        sub("portforward", "PodPortForwardOptions", &["create", "get"]);
    }
    entries
}
