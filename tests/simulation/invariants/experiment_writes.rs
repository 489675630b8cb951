//! An experiment writes only its faults, to verified objects, and the restoration.

use apiserver_model::Request;
use apiserver_model::object::text;
use http::Method;
use serde_json::Value;

use cryptoctl::fault::Fault;

use super::Case;
use super::writes::is_done;
use crate::run::Said;
use crate::scenario::Attack;
use crate::set::NAME;

/// The kinds of an experiment's writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteKind {
    /// A deletion, an eviction or a signal, to one pod.
    Pod,
    /// A patch of the set.
    Set,
    /// A patch of a node.
    Node,
}

/// The kind of a request, if the experiment may send it.
pub(super) fn planned(case: &Case<'_>, attack: Attack, request: &Request) -> Option<WriteKind> {
    let namespace = case.run.scenario.shape.namespace;
    let pod = format!("/api/v1/namespaces/{namespace}/pods/{NAME}-");
    let set = format!("/apis/apps/v1/namespaces/{namespace}/statefulsets/{NAME}");
    let rest = request.path.strip_prefix(&pod);
    let is_pods = |subresource: &str| {
        rest.is_some_and(|rest| match rest.split_once('/') {
            None => subresource.is_empty(),
            Some((_, found)) => found == subresource,
        })
    };
    let is_patch = request.method == Method::PATCH;
    match attack.fault {
        Fault::Delete | Fault::ForceDelete => {
            (request.method == Method::DELETE && is_pods("")).then_some(WriteKind::Pod)
        }
        Fault::Kill => is_pods("exec").then_some(WriteKind::Pod),
        Fault::Restart | Fault::Scale => {
            (is_patch && request.path == set).then_some(WriteKind::Set)
        }
        Fault::Cordon if is_patch => request
            .path
            .starts_with("/api/v1/nodes/")
            .then_some(WriteKind::Node),
        Fault::Evict | Fault::Cordon => {
            (request.method == Method::POST && is_pods("eviction")).then_some(WriteKind::Pod)
        }
    }
}

/// The UID that a write to a pod requires; none for a signal, which cannot require one.
fn insisted(request: &Request) -> Option<String> {
    let body = request.json().unwrap_or_default();
    let of = |pointer: &str| text(&body, pointer).to_owned();
    match request.method {
        Method::DELETE => Some(of("/preconditions/uid")),
        Method::POST => Some(of("/deleteOptions/preconditions/uid")),
        _ => None,
    }
}

/// Every write that an experiment may not make.
pub(super) fn broken(case: &Case<'_>, attack: Attack, requests: &[Request]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut hit: Vec<String> = Vec::new();
    for request in requests.iter().filter(|request| request.is_write()) {
        let body = request.json().unwrap_or(Value::Null);
        let Some(kind) = planned(case, attack, request) else {
            wrong.push(format!("not in the plan: {} {body}", request.line()));
            continue;
        };
        if request.executed.is_none()
            && let Said::Chaos(Ok(report)) = &case.played.said
            && report.observed.faults.is_empty()
            && kind == WriteKind::Pod
        {
            wrong.push("a fault was sent, and the report knows of none".to_owned());
        }
        if kind != WriteKind::Pod {
            if text(&body, "/metadata/resourceVersion").is_empty() {
                wrong.push(format!("of no version: {} {body}", request.line()));
            }
            continue;
        }
        let target = request
            .executed
            .as_ref()
            .and_then(|executed| executed.target.clone());
        let Some(uid) = insisted(request).or_else(|| target.clone()) else {
            continue;
        };
        // A pod counts as verified if it served an answer earlier in this run.
        let was_verified = case.run.served.iter().any(|served| {
            served.uid == uid && served.at >= case.played.start && served.at <= request.at
        });
        if !was_verified && attack.fault != Fault::Kill {
            wrong.push(format!("`{uid}` was never verified: {}", request.line()));
        }
        if !is_done(request) || request.method == Method::GET {
            continue;
        }
        if target.as_ref() != Some(&uid) && request.method == Method::DELETE {
            wrong.push(format!("it hits {target:?} in place of {uid}"));
        }
        // A request that may have been executed is not sent again.
        if hit.contains(&uid) && request.method == Method::DELETE {
            wrong.push("a deletion is repeated although it may have been executed".to_owned());
        }
        hit.push(uid);
    }
    let most = attack.repeat as usize;
    if attack.fault != Fault::Cordon && hit.len() > most {
        wrong.push(format!(
            "{} faults were executed in place of {most}",
            hit.len()
        ));
    }
    wrong
}
