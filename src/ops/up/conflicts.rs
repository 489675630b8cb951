//! Settles what happens to fields that an apply would change and other managers own.

use serde_json::Value;

use crate::cluster::{ApplyMode, ClusterError, FieldConflict};
use crate::fields::{
    Conflict, FieldChoices, Former, LeftOut, Settlement, conflicts, share_equal_fields,
};
use crate::ops::{Context, read_ahead};
use crate::plan::Target;
use crate::status::PAUSED;

/// A dry run of a target as it would be sent: without what is left to other managers.
pub(crate) struct Attempt {
    /// The target with the body that is sent.
    pub(crate) sent: Target,
    /// The API server's answer.
    pub(crate) applied: Result<Value, ClusterError>,
    /// What was decided about the fields of other managers.
    pub(crate) settlement: Settlement,
    /// The managers whose fields move before it is sent.
    pub(crate) former: Option<Former>,
}

impl Attempt {
    /// Does the dry run. Nothing is stored.
    pub(crate) async fn new(
        context: &Context,
        target: &Target,
        live: Option<&Value>,
        choices: &FieldChoices,
    ) -> Self {
        let mut sent = target.clone();
        let choices = &choices.steered(live.is_some_and(is_paused));
        let (LeftOut { yielded, alone }, former) = leave_out(&mut sent, live, choices);
        let applied = context.apply(&sent, ApplyMode::DryRun).await;
        let mut attempt = Self {
            sent,
            applied,
            settlement: Settlement {
                yielded,
                alone,
                ..Settlement::default()
            },
            former,
        };
        if let (Err(ClusterError::OwnedByOthers { conflicts }), Some(live)) =
            (&attempt.applied, live)
        {
            let reported = named(conflicts);
            attempt.settle(context, live, reported, choices).await;
        }
        attempt
    }

    /// Repeats it once something has changed on the way, such as a permission.
    pub(crate) async fn repeat(&mut self, context: &Context) {
        self.applied = context.apply(&self.sent, ApplyMode::DryRun).await;
    }

    /// Whether it started from this state of the object.
    pub(crate) fn is_of(&self, live: Option<&Value>) -> bool {
        let applied = self.applied.as_ref();
        applied.is_ok_and(|planned| read_ahead::is_same_version(live, planned))
    }

    /// Applies in spite of conflicts, to see what would differ, and decides about each.
    ///
    /// Fields whose live value is the one that a forced apply would leave are sent as they are: then
    /// both managers own them.
    async fn settle(
        &mut self,
        context: &Context,
        live: &Value,
        mut reported: Vec<(String, String)>,
        choices: &FieldChoices,
    ) {
        self.applied = context.apply(&self.sent, ApplyMode::ForcedDryRun).await;
        if let Ok(planned) = &self.applied {
            let rows = self.open(conflicts(&reported, live, planned), live);
            if share_equal_fields(&rows, live, planned, &mut self.sent.body) {
                self.repeat(context).await;
                let Err(ClusterError::OwnedByOthers { conflicts }) = &self.applied else {
                    return;
                };
                reported = named(conflicts);
                self.applied = context.apply(&self.sent, ApplyMode::ForcedDryRun).await;
            }
        }
        let ours = self.applied.as_ref().unwrap_or(&self.sent.body);
        let rows = self.open(conflicts(&reported, live, ours), live);
        (self.settlement.taken, self.settlement.conflicts) = rows
            .into_iter()
            .partition(|row| choices.takes(&self.sent.reference, row));
    }

    /// The conflicts that are left once the fields of former managers have moved.
    fn open(&self, mut rows: Vec<Conflict>, live: &Value) -> Vec<Conflict> {
        if let Some(former) = &self.former {
            former.settle(live, &mut rows);
        }
        rows
    }
}

/// Whether this program has paused the rollout of an object.
fn is_paused(live: &Value) -> bool {
    live["metadata"]["annotations"][PAUSED].is_string()
}

/// Takes out of the body of a target what is left to other managers once fields have moved from those that are
/// returned.
pub(crate) fn leave_out(
    target: &mut Target,
    live: Option<&Value>,
    choices: &FieldChoices,
) -> (LeftOut, Option<Former>) {
    let former = live.and_then(|live| Former::of(live, choices));
    let moved = former.as_ref().zip(live);
    let moved = moved.map(|(former, live)| former.as_ours(live));
    // An object that does not exist yet is created as the manifest says.
    let left = match moved.as_ref().or(live) {
        Some(live) => choices.leave_out(&target.reference, live, &mut target.body),
        None => LeftOut::default(),
    };
    (left, former)
}

/// The fields in conflict with the names of their managers.
fn named(reported: &[FieldConflict]) -> Vec<(String, String)> {
    reported
        .iter()
        .map(|conflict| {
            let manager = conflict.manager().unwrap_or_default().to_owned();
            (conflict.field.clone(), manager)
        })
        .collect()
}
