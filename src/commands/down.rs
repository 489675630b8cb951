//! `down`

use super::confirm::Protected;
use super::{Session, confirm};
use crate::cli::DownArgs;
use crate::error::CommandError;
use crate::event::EventKind;
use crate::object::ObjectRef;
use crate::ops::{self, DownOptions};
use crate::report::Report;
use crate::settings;

pub(super) async fn run(
    session: &Session<'_>,
    arguments: &DownArgs,
) -> Result<Report, CommandError> {
    let mut set = session.set(&arguments.set).await?;
    set.inventory = settings::inventory(&arguments.inventory, false, &session.config)?;
    confirm::possible(session)?;
    let mut context = session.connect("down", &set, None).await?;
    let options = DownOptions {
        delete_data: arguments.delete_data,
    };
    let protected = Protected::find(session, &context)?;
    let plan = ops::plan_down_listed(&context, &set, options).await?;
    if !plan.is_empty() {
        let along = plan.taken_along();
        if session.cli.global.yes && protected.is_none() {
            for message in along.iter().cloned() {
                session.emitter.send(EventKind::Warning { message });
            }
        }
        let deleted = plan
            .deletions()
            .map(|object| format!("delete {}", placed(object)));
        let kept = plan.kept().iter();
        let kept = kept.map(|kept| format!("keep {}: {}", placed(&kept.object), kept.reason));
        let lines: Vec<String> = deleted.chain(along).chain(kept).collect();
        let what = "delete the set";
        context = confirm::ask(session, context, protected, what, &lines).await?;
    }
    session.emitter.send(EventKind::Planned {
        steps: plan.steps(),
    });
    Ok(Report::Down(ops::down(&context, plan).await?))
}

fn placed(object: &ObjectRef) -> String {
    match &object.namespace {
        Some(namespace) => format!("{object} in {namespace}"),
        None => object.to_string(),
    }
}
