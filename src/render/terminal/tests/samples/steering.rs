//! Runs of `rollout history` and `rollout undo`.

use serde_json::json;

use super::{
    NAMESPACE, at, finished, pod, progress, replica, rollout, started, stateful_set,
    up_with_bad_image, write_started, written,
};
use crate::action::Action;
use crate::event::{Event, EventKind};
use crate::exit::ExitStatus;
use crate::fields::{FieldAction, FieldChange};
use crate::object::ObjectRef;
use crate::report::{HistoryReport, Report, RolloutReport, Steered, SteeringReport};
use crate::rollout::{Revision, RolloutState, StuckPod};

fn image(before: &str, after: &str) -> Vec<FieldChange> {
    let image = |tag: &str| json!(format!("quay.io/k8sexercices/fileserver:{tag}"));
    vec![FieldChange {
        field: ".spec.template.spec.containers[name=\"fileserver\"].image".into(),
        action: FieldAction::Change,
        before: image(before),
        after: image(after),
        owners: Vec::new(),
    }]
}

pub(crate) fn history() -> Vec<Event> {
    let revision = |number, name: &str, seen: &str| Revision {
        number,
        name: format!("cryptoserver-{name}"),
        first_seen: seen.parse().ok(),
        change_cause: None,
        is_update: false,
        pods: Vec::new(),
        changes: Vec::new(),
    };
    let new = Revision {
        change_cause: Some("a smaller image".into()),
        is_update: true,
        pods: vec!["cryptoserver-0".into(), "cryptoserver-1".into()],
        changes: image("v1.0", "v2.0"),
        ..revision(2, "68d8b8b6bb", "2026-11-23T09:55:00Z")
    };
    let report = HistoryReport {
        object: stateful_set(),
        revisions: vec![revision(1, "5b6c7d8e9f", "2026-11-20T08:00:00Z"), new],
    };
    vec![
        started("rollout history"),
        finished(31, ExitStatus::Success, Some(Report::History(report))),
    ]
}

/// Back from an image that cannot be pulled, past the pod that has it.
pub(crate) fn undo() -> Vec<Event> {
    let cause = up_with_bad_image().into_iter().find_map(|event| {
        let EventKind::Rollout { progress, .. } = event.kind else {
            return None;
        };
        match progress.state {
            RolloutState::Failed { cause } => Some(cause),
            _ => None,
        }
    });
    let stuck = StuckPod {
        pod: ObjectRef::new("", "Pod", NAMESPACE, "cryptoserver-1"),
        uid: "u".into(),
        version: "4711".into(),
        revision: "5b6c7d8e9f".into(),
        wanted: "68d8b8b6bb".into(),
        cause: cause.unwrap(),
    };
    let ready = |ordinal| replica(ordinal, Some(pod(ordinal, "v", 1, "Running", 300)), true);
    let state = progress(vec![ready(0), ready(1)], RolloutState::Complete);
    let folder = "./cryptoctl-evidence-cryptoserver-20261123T100000Z";
    let report = SteeringReport {
        object: stateful_set(),
        steered: Steered::Undone {
            revision: 1,
            name: "cryptoserver-68d8b8b6bb".into(),
            changes: image("absent", "v1.0"),
        },
        unstuck: vec![stuck.clone()],
        evidence: Some(folder.into()),
        rollout: Some(RolloutReport {
            object: stateful_set(),
            progress: state.clone(),
            duration_ms: 2_900,
        }),
    };
    let evidence = EventKind::Evidence {
        folder: folder.into(),
    };
    vec![
        started("rollout undo"),
        at(40, evidence),
        at(45, write_started(stateful_set(), Action::Change)),
        at(50, written(stateful_set(), Action::Change)),
        at(1_200, write_started(stuck.pod.clone(), Action::Delete)),
        at(1_210, written(stuck.pod, Action::Delete)),
        at(4_000, rollout(&state)),
        finished(
            4_010,
            ExitStatus::Success,
            Some(Report::Steering(Box::new(report))),
        ),
    ]
}
