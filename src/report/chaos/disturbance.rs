//! What others did meanwhile: it must not read as the work of a fault.

use serde::{Deserialize, Serialize};

use super::Observed;
use crate::report::{Certainty, FindingKind, ReplicaAnswer, VerifyReport};

/// Something that happened to a pod, and that no fault of the experiment did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disturbance {
    /// The pod.
    pub pod: String,
    /// Whether it was deleted; otherwise its containers restarted.
    pub is_deleted: bool,
    /// What happened, as a sentence.
    pub what: String,
}

/// A pod that was made from another revision of the template than when it was verified.
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
    /// What follows from it, as a sentence.
    pub(super) fn doubt(&self) -> String {
        format!(
            "`{}` came back at another revision of the template ({} before, {} now), which may have \
             changed what it serves: nothing tells whether the data survived",
            self.pod, self.revision_before, self.revision_after
        )
    }
}

/// Whether another template alone can be the reason for whatever is not as it was: every replica that
/// was not remade answers as before, and there is no pod that should not exist.
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

/// Whether a replica answers as before, or is not known to answer otherwise.
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
