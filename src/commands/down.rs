//! `down`

use super::{Session, confirm};
use crate::action::Action;
use crate::cli::DownArgs;
use crate::error::CommandError;
use crate::event::EventKind;
use crate::ops::{self, DownOptions};
use crate::report::Report;

pub(super) async fn run(
    session: &Session<'_>,
    arguments: &DownArgs,
) -> Result<Report, CommandError> {
    let set = session.set(&arguments.set).await?;
    confirm::possible(session)?;
    let mut context = session.connect("down", &set, None).await?;
    let options = DownOptions {
        delete_data: arguments.delete_data,
    };
    let plan = ops::plan_down(&context, &set, options).await?;
    if !plan.is_empty() {
        let lines: Vec<String> = plan
            .steps()
            .iter()
            .map(|step| {
                let verb = if step.action == Action::Delete {
                    "delete"
                } else {
                    "keep"
                };
                match &step.object.namespace {
                    Some(namespace) => format!("{verb} {} in {namespace}", step.object),
                    None => format!("{verb} {}", step.object),
                }
            })
            .collect();
        context = confirm::ask(session, context, "take the set down", &lines).await?;
    }
    session.emitter.send(EventKind::Planned {
        steps: plan.steps(),
    });
    Ok(Report::Down(ops::down(&context, plan).await?))
}
