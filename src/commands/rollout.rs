//! `rollout`

use super::confirm::Protected;
use super::unstick::{self, Healed};
use super::{Session, confirm, evidence};
use crate::cli::{EvidenceArgs, RolloutArgs, RolloutCommand, SteeringArgs};
use crate::error::CommandError;
use crate::ops::{self, Context, OpsError, Workload};
use crate::report::{Report, Steered, SteeringReport};
use crate::rollout::Goal;

pub(super) async fn run(
    session: &Session<'_>,
    arguments: &RolloutArgs,
) -> Result<Report, CommandError> {
    let command = &arguments.command;
    let set = session.set(&command.workload().set).await?;
    let words = command.words();
    let (context, workload) = session.workload(words, &set, command.workload()).await?;
    let changes = Changes {
        session,
        workload: &workload,
    };
    match command {
        RolloutCommand::Status(_) => Ok(Report::Rollout(
            ops::rollout_status(&context, &workload).await?,
        )),
        RolloutCommand::History(_) => Ok(Report::History(
            ops::rollout_history(&context, &workload).await?,
        )),
        RolloutCommand::Undo(arguments) => {
            let number = arguments.to_revision;
            let goal = number.map_or(Goal::Before, Goal::Number);
            let undo = async |context: &Context| ops::rollout_undo(context, &workload, goal).await;
            let steering = &arguments.steering;
            let evidence = Some(&steering.evidence);
            changes
                .followed(context, steering, evidence, "roll back", undo)
                .await
        }
        RolloutCommand::Restart(arguments) => {
            let restart = async |context: &Context| ops::rollout_restart(context, &workload).await;
            changes
                .followed(context, arguments, None, "restart", restart)
                .await
        }
        RolloutCommand::Resume(arguments) => {
            let resume = async |context: &Context| ops::rollout_resume(context, &workload).await;
            changes
                .followed(context, arguments, None, "resume", resume)
                .await
        }
        RolloutCommand::Pause(_) => {
            let context = changes.allowed(context, "pause").await?;
            let steered = ops::rollout_pause(&context, &workload).await?;
            Ok(changes.report(steered))
        }
        RolloutCommand::Unstick(arguments) => {
            Box::pin(unstick::run(session, context, &workload, arguments)).await
        }
    }
}

/// Changes to the rollout of a workload.
struct Changes<'a> {
    session: &'a Session<'a>,
    workload: &'a Workload,
}

impl Changes<'_> {
    /// Asks in a protected context.
    async fn allowed(&self, context: Context, verb: &str) -> Result<Context, CommandError> {
        let protected = Protected::find(self.session, &context)?;
        if protected.is_none() {
            return Ok(context);
        }
        let what = format!("{verb} `{}`", self.workload.reference());
        confirm::ask(self.session, context, protected, &what, &[]).await
    }

    /// Makes a change, and follows the rollout.
    async fn followed(
        &self,
        context: Context,
        arguments: &SteeringArgs,
        place: Option<&EvidenceArgs>,
        verb: &str,
        change: impl AsyncFn(&Context) -> Result<Steered, OpsError>,
    ) -> Result<Report, CommandError> {
        let workload = self.workload;
        let context = self.allowed(context, verb).await?;
        let saved = match place {
            Some(place) => evidence::save(&context, workload, place).await?,
            None => None,
        };
        let steered = change(&context).await?;
        let mut report = SteeringReport {
            evidence: saved,
            ..self.steering(steered)
        };
        if !arguments.no_wait {
            let rollout = ops::rollout_status(&context, workload).await?;
            let healed = if arguments.auto_unstick {
                let place = &arguments.evidence;
                Box::pin(unstick::heal(&context, workload, place, rollout)).await?
            } else {
                Healed::not(rollout)
            };
            report.unstuck = healed.unstuck;
            report.evidence = report.evidence.or(healed.evidence);
            report.rollout = Some(healed.rollout);
        }
        Ok(Report::Steering(Box::new(report)))
    }

    fn steering(&self, steered: Steered) -> SteeringReport {
        SteeringReport {
            object: self.workload.reference(),
            steered,
            unstuck: Vec::new(),
            evidence: None,
            rollout: None,
        }
    }

    fn report(&self, steered: Steered) -> Report {
        Report::Steering(Box::new(self.steering(steered)))
    }
}
