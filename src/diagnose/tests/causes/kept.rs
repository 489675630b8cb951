//! Broken pods that are kept at an old revision.

use serde_json::{Value, json};

use super::super::super::*;
use super::super::{pod, waiting};
use super::{Case, of_pod};
use crate::status::PAUSED;

pub(super) fn cases() -> Vec<Case> {
    let kept = |cause, strategy: Value, says, next| {
        let broken = pod("web-a", &waiting("ErrImageNeverPull", "not present"));
        let mut case = of_pod(cause, Finality::Final, &broken, &[], says, next);
        case.snapshot.stateful_set.spec.update_strategy = serde_json::from_value(strategy).unwrap();
        case
    };
    let delete = "kubectl delete pod/web-0 -n n";
    let lower = "kubectl patch statefulset/web -n n --type=merge -p '{\"spec\":{\"updateStrategy\":{\"rollingUpdate\":{\"partition\":0}}}}'";
    let unstick = "cryptoctl rollout unstick statefulset/web -n n";
    let partition = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}});
    let on_delete = json!({"type": "OnDelete"});
    let resume = "cryptoctl rollout resume statefulset/web -n n";
    let mut paused = kept(
        Cause::Paused,
        partition.clone(),
        "the paused rollout keeps",
        resume,
    );
    let set = &mut paused.snapshot.stateful_set;
    set.metadata.annotations = Some([(PAUSED.to_owned(), "0".to_owned())].into());
    vec![
        kept(Cause::OnDelete, on_delete, "`OnDelete` keeps it", delete),
        kept(Cause::Partition, partition, "the partition 1 keeps", lower),
        kept(
            Cause::StuckRevision,
            json!({}),
            "until it is Ready",
            unstick,
        ),
        paused,
    ]
}
