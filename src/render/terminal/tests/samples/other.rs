//! Runs of `diff`, `down` and `logs`.

use serde_json::json;

use super::{
    at, budget, claim, finished, planned, service, started, stateful_set, write_started, written,
};
use crate::action::Action;
use crate::event::{Event, EventKind};
use crate::exit::{ExitStatus, Outcome};
use crate::fields::{FieldAction, FieldChange, Operation, Owner, undeclared};
use crate::report::{DiffReport, DownReport, Kept, ObjectDiff, Report};

pub(crate) fn diff() -> Vec<Event> {
    let owner = |manager: &str, subresource: &str| Owner {
        manager: manager.into(),
        operation: Operation::Update,
        subresource: subresource.into(),
        time: "2026-11-23T09:58:12Z".parse().ok(),
    };
    let change = FieldChange {
        field: ".spec.replicas".into(),
        action: FieldAction::Change,
        before: 3.into(),
        after: 2.into(),
        owners: vec![owner("kubectl", "scale")],
    };
    let live = json!({"metadata": {"annotations": {"note": "by hand"}, "managedFields": [{
        "manager": "kubectl-annotate", "operation": "Update", "time": "2026-11-23T09:58:40Z",
        "fieldsV1": {"f:metadata": {"f:annotations": {"f:note": {}}}}}]}});
    let changed = ObjectDiff {
        patch: "--- live/logaiter/statefulset/cryptoserver\n+++ planned/logaiter/statefulset/cryptoserver\n@@ -10,3 +10,3 @@\n spec:\n-  replicas: 3  # kubectl (scale)\n+  replicas: 2\n   serviceName: cryptoserver\n".into(),
        changes: vec![change],
        undeclared: undeclared(&live, &json!({}), None),
        ..ObjectDiff::new(stateful_set(), Action::Change)
    };
    let report = DiffReport {
        objects: vec![ObjectDiff::new(claim(), Action::Keep), changed],
        ..DiffReport::default()
    };
    vec![
        started("diff"),
        finished(61, ExitStatus::Different, Some(Report::Diff(report))),
    ]
}

pub(crate) fn down() -> Vec<Event> {
    let plan = || {
        vec![
            (stateful_set(), Action::Delete),
            (service(), Action::Delete),
        ]
    };
    let report = DownReport {
        deleted: vec![stateful_set(), service()],
        remaining: Vec::new(),
        held: Vec::new(),
        not_deleted: Vec::new(),
        absent: vec![budget()],
        kept: vec![Kept {
            object: claim(),
            reason: "it holds the data; `--delete-data` deletes it".into(),
        }],
    };
    let mut events = vec![started("down"), at(20, planned(plan()))];
    for (object, action) in plan() {
        events.push(at(25, write_started(object.clone(), action)));
        events.push(at(30, written(object, action)));
    }
    events.push(finished(
        1_900,
        ExitStatus::Success,
        Some(Report::Down(report)),
    ));
    events
}

pub(crate) fn logs() -> Vec<Event> {
    let line = |ordinal: i32, container: &str, line: &str| EventKind::LogLine {
        pod: format!("cryptoserver-{ordinal}"),
        ordinal,
        container: container.into(),
        line: line.into(),
    };
    let report = Report::Logs {
        pods: vec!["cryptoserver-0".into()],
        unread: vec![
            "cannot read the log of `cryptoserver-1`: container \"api\" is waiting to start".into(),
        ],
    };
    vec![
        started("logs"),
        at(12, line(0, "api", "Starting API Host.")),
        at(13, line(0, "api", "\u{1b}]0;owned\u{7}::error::not mine\r")),
        at(14, line(0, "sidecar", "hello")),
        at(
            15,
            EventKind::Warning {
                message: "the log of `cryptoserver-1` begins in the middle".into(),
            },
        ),
        finished(40, Outcome::Undecided.into(), Some(report)),
    ]
}
