//! No write outside the plan.

use std::collections::BTreeSet;

use apiserver_model::Request;
use apiserver_model::object::text;
use http::Method;

use super::{Case, experiment_writes};
use crate::scenario::Operation;
use crate::set::NAME;

/// Every write that the operation may not make.
pub(super) fn broken(case: &Case<'_>) -> Vec<String> {
    let requests = &case.run.requests[case.played.requests.clone()];
    match case.played.act.operation {
        Operation::Up { .. } => up(case, requests),
        Operation::Rollout | Operation::Verify | Operation::Control => requests
            .iter()
            .filter(|request| request.is_write())
            .map(|request| format!("it only looks, and sends {}", request.line()))
            .collect(),
        Operation::Chaos(attack) => experiment_writes::broken(case, attack, requests),
    }
}

pub(super) fn is_done(request: &Request) -> bool {
    request
        .executed
        .as_ref()
        .is_some_and(|executed| executed.status < 300)
}

/// The paths of the set's objects, and where its namespace is created.
fn planned(case: &Case<'_>) -> Vec<String> {
    let namespace = case.run.scenario.shape.namespace;
    let path = |prefix: &str, rest: &str| format!("/{prefix}/namespaces/{namespace}/{rest}");
    vec![
        path("api/v1", "configmaps/settings"),
        path("api/v1", &format!("services/{NAME}")),
        path("apis/apps/v1", &format!("statefulsets/{NAME}")),
    ]
}

fn up(case: &Case<'_>, requests: &[Request]) -> Vec<String> {
    let mut wrong = Vec::new();
    let planned = planned(case);
    let mut checked = BTreeSet::new();
    // A write whose answer was lost may be sent again; the second one changes nothing.
    let mut unheard = BTreeSet::new();
    let mut has_namespace = false;
    for request in requests {
        let is_dry = request.parameter("dryRun").as_deref() == Some("All");
        // A forced dry run shows what a conflict is about.
        if !is_dry && request.parameter("force").as_deref() == Some("true") {
            wrong.push(format!("forced: {}", request.line()));
        }
        if is_dry && request.method == Method::PATCH && is_done(request) {
            checked.insert(request.path.clone());
        }
        if !request.is_write() {
            continue;
        }
        if request.method == Method::POST {
            let name = request
                .json()
                .map(|body| text(&body, "/metadata/name").to_owned());
            if request.path != "/api/v1/namespaces"
                || name.as_deref() != Some(case.run.scenario.shape.namespace)
            {
                wrong.push(format!("not in the plan: {}", request.line()));
            }
            has_namespace = true;
            continue;
        }
        // Its own namespace may be deleted again if all objects in it were refused.
        let own = format!("/api/v1/namespaces/{}", case.run.scenario.shape.namespace);
        if request.method == Method::DELETE && request.path == own && has_namespace {
            continue;
        }
        if request.method != Method::PATCH
            || !planned.contains(&request.path)
            || request.parameter("fieldManager").as_deref() != Some("cryptoctl")
        {
            wrong.push(format!("not in the plan: {}", request.line()));
        }
        if let Some(missing) = planned.iter().find(|path| !checked.contains(*path)) {
            wrong.push(format!(
                "written before the dry run of `{missing}`: {}",
                request.line()
            ));
        }
        let changes_nothing = request
            .executed
            .as_ref()
            .is_some_and(|executed| executed.status < 300 && executed.before == executed.after);
        if changes_nothing && !unheard.contains(&request.path) {
            wrong.push(format!("nothing had to be changed: {}", request.line()));
        }
        if is_done(request) && request.fault.is_some() {
            unheard.insert(request.path.clone());
        }
    }
    wrong
}
