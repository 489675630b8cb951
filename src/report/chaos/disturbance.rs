//! Disturbances by others, which must not be attributed to a fault.

use serde::{Deserialize, Serialize};

use super::Observed;
use crate::report::{Certainty, FindingKind, ReplicaAnswer, VerifyReport};

/// A change to a pod that no fault of the experiment caused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disturbance {
    /// The pod.
    pub pod: String,
    /// Whether it was deleted; otherwise its containers restarted.
    pub is_deleted: bool,
    /// The disturbance as a sentence.
    pub what: String,
}

/// A pod that came back with a different template revision than in the steady state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remade {
    /// The pod.
    pub pod: String,
    /// The hash of its revision in the steady state.
    pub revision_before: String,
    /// The hash of its revision now.
    pub revision_after: String,
}

impl Remade {
    /// The doubt that follows, as a sentence.
    pub(super) fn doubt(&self) -> String {
        format!(
            "`{}` came back at a different template revision ({} before, {} now), which may have \
             changed its content: nothing shows whether the data survived",
            self.pod, self.revision_before, self.revision_after
        )
    }
}

/// Whether the new template alone can explain every difference: every replica with its old template
/// answers as before, and no unexpected pod exists.
pub(super) fn templates_explain(observed: &Observed) -> bool {
    let Some(after) = &observed.after else {
        return false;
    };
    let is_remade = |pod: &String| observed.remade.iter().any(|remade| remade.pod == *pod);
    let is_extra = |kind| matches!(kind, FindingKind::ExtraPod);
    !observed.remade.is_empty()
        && !after.findings.iter().any(|finding| is_extra(finding.kind))
        && after
            .replicas
            .iter()
            .filter(|answer| !is_remade(&answer.pod))
            .all(|answer| is_as_before(&observed.before, answer))
}

/// Whether a replica answers as before, or at least is not known to answer differently.
fn is_as_before(before: &VerifyReport, answer: &ReplicaAnswer) -> bool {
    if let Some(problem) = &answer.error {
        return problem.certainty() != Certainty::Wrong;
    }
    let mut old = before.replicas.iter();
    before.may_differ.contains(&answer.endpoint)
        || old.any(|old| {
            old.pod == answer.pod
                && old.endpoint == answer.endpoint
                && old.compared() == answer.compared()
                && old.content_type == answer.content_type
        })
}
