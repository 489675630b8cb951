//! Consent to what cannot be undone.

use super::Session;
use crate::error::CommandError;
use crate::ops::Context;
use crate::render::broken;
use crate::ui::{Confirmation, sanitise};

/// Fails early where nobody could be asked: without a terminal, consent comes by `--yes` alone.
///
/// # Errors
/// A usage error.
pub(super) fn possible(session: &Session<'_>) -> Result<(), CommandError> {
    if session.cli.global.yes || session.ui.can_ask() {
        return Ok(());
    }
    Err(CommandError::usage(
        "this needs your consent, and there is no terminal to ask on",
        "if you mean it, add `--yes`",
    ))
}

/// Shows what will happen and where, and asks; the command's time begins with the answer.
///
/// # Errors
/// [`CommandError::declined`], or a usage error without a terminal.
pub(super) async fn ask(
    session: &Session<'_>,
    context: Context,
    what: &str,
    lines: &[String],
) -> Result<Context, CommandError> {
    if session.cli.global.yes {
        return Ok(context);
    }
    let cluster = &context.cluster;
    let place = match cluster.context() {
        // In one line: a name that breaks it could write a question of its own.
        Some(name) => format!(
            "context `{}` ({})",
            sanitise(name),
            sanitise(cluster.server())
        ),
        None => sanitise(cluster.server()),
    };
    let mut question = format!("This will {}, in {place}.\n", sanitise(what));
    for line in lines {
        question.push_str("  ");
        question.push_str(&sanitise(line));
        question.push('\n');
    }
    question.push_str("Go on?");
    let ui = session.ui.clone();
    let question = broken(&question, ui.width());
    // On a thread of its own, so that Ctrl-C is heard while the question stands.
    let answer = tokio::task::spawn_blocking(move || ui.confirm(&question)).await;
    match answer {
        Ok(Confirmation::Yes) => Ok(context.restarted()),
        Ok(Confirmation::NotATerminal) => possible(session).map(|()| context),
        Ok(Confirmation::No) | Err(_) => Err(CommandError::declined()),
    }
}
