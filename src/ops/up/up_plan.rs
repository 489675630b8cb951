//! Everything that `up` will do, as it was shown.

use crate::action::Action;
use crate::event::PlannedStep;
use crate::fields::Owner;
use crate::ops::down::placed;
use crate::ops::{DownPlan, Set};
use crate::plan::{Deleting, Plan, SavedPlan};
use crate::replacement;

/// What `up` will do.
#[derive(Debug, Default)]
pub struct UpPlan {
    /// The objects of the set.
    pub plan: Plan,
    /// What is deleted before anything is written, because the set takes its place.
    pub removal: DownPlan,
    /// What is deleted in the end, because it left the manifests.
    pub prune: DownPlan,
}

impl UpPlan {
    /// Every step but those of the end.
    #[must_use]
    pub fn summary(&self) -> Vec<PlannedStep> {
        let removed = self.removal.deletions().cloned();
        let removed = removed.map(|object| PlannedStep::new(object, Action::Delete));
        removed.chain(self.plan.summary()).collect()
    }

    /// What is deleted, or is deleted and created again, a line each.
    #[must_use]
    pub fn deletions_in_words(&self) -> Vec<String> {
        let delete = |plan: &DownPlan| {
            let deleted = plan.deletions().map(|it| format!("delete {}", placed(it)));
            deleted.chain(plan.taken_along()).collect::<Vec<_>>()
        };
        let mut lines = delete(&self.removal);
        let replaced = self.plan.steps.iter().filter_map(|step| {
            let replacement = step.replacement.as_ref()?;
            let words = replacement::words(Some(replacement), step.adoption.as_ref())?;
            Some(format!("{}{words}", step.target.reference))
        });
        lines.extend(replaced);
        lines.extend(delete(&self.prune));
        lines
    }

    /// What is taken from other managers or goes with them, a line each.
    #[must_use]
    pub fn takes_in_words(&self) -> Vec<String> {
        let steps = self.plan.steps.iter();
        let lines = steps.flat_map(|step| {
            let object = &step.target.reference;
            let taken = step.settlement.taken.iter();
            let taken = taken.map(move |row| {
                format!(
                    "take `{}` of {object} from {}",
                    row.field,
                    row.owner.short()
                )
            });
            let moved = step.settlement.moved.iter().flat_map(|row| &row.removed);
            let gone = moved.map(move |row| {
                let owners = Owner::short_list(&row.owners);
                format!("remove `{}` of {object}, which {owners} has set", row.field)
            });
            taken.chain(gone)
        });
        lines.collect()
    }

    /// What a saved plan says of deletions.
    pub(crate) fn deleting(&self, set: &Set) -> Deleting {
        let objects = self.removal.identities().chain(self.prune.identities());
        Deleting {
            prunes: set.prunes(),
            objects: objects.collect(),
        }
    }

    /// Saves it for a later run.
    #[must_use]
    pub fn saved(&self, set: &Set, server: &str, salt: String) -> SavedPlan {
        SavedPlan::new(&self.plan, self.deleting(set), &set.choices, server, salt)
    }
}
