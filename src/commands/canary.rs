//! `up --canary N`: the last N replicas first, and the others only once all replicas are proven to agree.

use super::Session;
use crate::cli::UpArgs;
use crate::error::CommandError;
use crate::exit::Outcome;
use crate::ops::{self, Context, Set, Verification, Workload};
use crate::report::{CanaryReport, UpReport};
use crate::settings;

/// A rollout that begins with a few replicas.
pub(super) struct Canary {
    replicas: i32,
    verification: Verification,
    note: Option<String>,
    named: Option<String>,
}

impl Canary {
    /// Decides how the replicas are verified, before any request is sent.
    ///
    /// # Errors
    /// A usage error when no endpoint is known.
    pub(super) fn of(
        session: &Session<'_>,
        set: &Set,
        arguments: &UpArgs,
    ) -> Result<Option<Self>, CommandError> {
        let Some(replicas) = arguments.canary else {
            return Ok(None);
        };
        let named = settings::workload(None, &session.config, set);
        let (verification, note) =
            settings::verification(&arguments.question, named, &session.config, set)?;
        Ok(Some(Self {
            replicas,
            verification,
            note,
            named: named.map(str::to_owned),
        }))
    }

    /// Holds all replicas but the last ones at their revision; `None` if there is nothing to hold yet.
    ///
    /// # Errors
    /// A workload that cannot be held, or a failed request.
    pub(super) async fn hold(
        &self,
        session: &Session<'_>,
        context: &Context,
        set: &Set,
    ) -> Result<Option<Workload>, CommandError> {
        let workload = Workload::choose(context, set, self.named.as_deref())?;
        if ops::rollout_canary(context, &workload, self.replicas)
            .await?
            .is_some()
        {
            return Ok(Some(workload));
        }
        session.warn(Some(format!(
            "`{}` does not exist yet, so all of its replicas are created at once",
            workload.reference()
        )));
        Ok(None)
    }

    /// Verifies all replicas once the last ones are updated. If they agree, updates the others, too.
    ///
    /// # Errors
    /// A failed request.
    pub(super) async fn judge(
        &self,
        session: &Session<'_>,
        context: &Context,
        workload: &Workload,
        report: &mut UpReport,
    ) -> Result<(), CommandError> {
        if report.outcome() != Outcome::Success {
            return Ok(());
        }
        session.warn(self.note.clone());
        let verification = ops::verify(context, workload, &self.verification).await?;
        let is_proven = verification.outcome() == Outcome::Success;
        report.canary = Some(Box::new(CanaryReport {
            replicas: self.replicas,
            verification,
        }));
        if is_proven {
            ops::rollout_resume(context, workload).await?;
            let object = workload.reference();
            let followed = ops::rollout_status(context, workload).await?;
            let rollouts = report.rollouts.iter_mut();
            for rollout in rollouts.filter(|rollout| rollout.object == object) {
                *rollout = followed.clone();
            }
        }
        Ok(())
    }
}
