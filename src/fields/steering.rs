//! What an apply does about fields that this program has written to steer a rollout.

use super::choices::FieldChoices;
use super::owner::ROLLOUT_MANAGER;
use super::pattern::FieldPattern;

/// What restores an earlier template, or pauses an update, and is declared in the manifests as well.
const TEMPLATE: &str = ".spec.template";
const PARTITION: &str = ".spec.updateStrategy.rollingUpdate.partition";

impl FieldChoices {
    /// The choices for an object whose rollout this program may have steered. A pod template that `rollout undo` has
    /// brought back gives way to that of the manifests; a partition stays as long as the rollout is paused.
    #[must_use]
    pub fn steered(&self, is_paused: bool) -> Self {
        let mut choices = self.clone();
        let pattern = |path| FieldPattern::written_by(path, ROLLOUT_MANAGER);
        choices.always_taken.push(pattern(TEMPLATE));
        let partition = pattern(PARTITION);
        if is_paused {
            choices.always_yielded.push(partition);
        } else {
            choices.always_taken.push(partition);
        }
        choices
    }
}
