//! Every event that starts something has an end, and every claim about a write is true.

use std::collections::BTreeMap;

use apiserver_model::Request;
use cryptoctl::event::{EventKind, WriteResult};
use cryptoctl::object::ObjectRef;

use super::Case;
use crate::scenario::Operation;

/// Every missing or false event.
pub(super) fn broken(case: &Case<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut open: BTreeMap<String, i32> = BTreeMap::new();
    for event in &case.played.events {
        match &event.kind {
            EventKind::WriteStarted { object, .. } => {
                *open.entry(object.to_string()).or_default() += 1;
            }
            EventKind::WriteFinished { object, result, .. } => {
                *open.entry(object.to_string()).or_default() -= 1;
                wrong.extend(untrue(case, object, result));
            }
            _ => {}
        }
    }
    let unfinished = open.into_iter().filter(|(_, count)| *count != 0);
    wrong.extend(
        unfinished.map(|(object, _)| format!("the write of {object} started and never finished")),
    );
    wrong
}

/// Whether a request is for an object or one of its subresources.
fn is_of(request: &Request, name: &str) -> bool {
    ["", "/eviction", "/exec"]
        .iter()
        .any(|end| request.path.ends_with(&format!("/{name}{end}")))
}

fn untrue(case: &Case<'_>, object: &ObjectRef, result: &WriteResult) -> Option<String> {
    let requests = &case.run.requests[case.played.requests.clone()];
    let is_done = |request: &Request| {
        request
            .executed
            .as_ref()
            .is_some_and(|executed| executed.status < 300)
    };
    let concerns = |request: &&Request| {
        let is_creation = request.path.ends_with("/namespaces") && object.kind == "Namespace";
        request.is_write()
            && (is_creation || is_of(request, &object.name))
            && request
                .path
                .contains(&format!("{}s", object.kind.to_lowercase()))
    };
    let done = requests.iter().filter(concerns).any(is_done);
    // The faults of an experiment change the same object repeatedly.
    let never_refused = match case.played.act.operation {
        Operation::Chaos(_) => done && requests.iter().filter(concerns).all(is_done),
        _ => done,
    };
    let exists = object.kind == "Namespace"
        && case
            .run
            .history
            .iter()
            .any(|change| change.key.name == object.name);
    match result {
        WriteResult::Done if !done && !exists => {
            Some(format!("it says that {object} was written, and it was not"))
        }
        WriteResult::Refused { reason } if never_refused => Some(format!(
            "it says that {object} was not written ({reason}), and it was"
        )),
        _ => None,
    }
}
