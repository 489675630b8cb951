//! Consent to what cannot be undone, and to every change in a protected context.

use super::Session;
use crate::config::Config;
use crate::error::CommandError;
use crate::ops::Context;
use crate::render::terminal::broken;
use crate::ui::{Confirmation, brief};

/// Fails early if the user cannot be asked: without a terminal, only `--yes` gives consent.
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

/// A context that the configuration protects: to change something there, the user types its name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Protected {
    /// Its name.
    context: String,
    /// The entry of the configuration, and where it is.
    entry: String,
}

impl Protected {
    /// Whether the context of a run is protected.
    ///
    /// # Errors
    /// A usage error if there is no terminal to type its name on.
    pub(super) fn find(
        session: &Session<'_>,
        context: &Context,
    ) -> Result<Option<Self>, CommandError> {
        let name = context.cluster.context();
        protection(&session.config, name, session.ui.can_ask())
    }
}

fn protection(
    config: &Config,
    context: Option<&str>,
    can_ask: bool,
) -> Result<Option<Protected>, CommandError> {
    let (Some(entry), Some(file)) = (config.protects(context), &config.file) else {
        return Ok(None);
    };
    let entry = format!(
        "`{}` in line {} of `{}`",
        entry.pattern,
        entry.line,
        file.display()
    );
    let Some(name) = context else {
        return Err(CommandError::usage(
            format!("runs inside a cluster are protected ({entry})"),
            "remove that entry, or run outside the cluster with a named context",
        ));
    };
    if can_ask {
        let context = name.to_owned();
        return Ok(Some(Protected { context, entry }));
    }
    Err(CommandError::usage(
        format!(
            "the context `{name}` is protected ({entry}), and there is no terminal to type its name on"
        ),
        "run the command on a terminal and type the name there, or choose another context with \
         `--context`; `--yes` is not enough",
    ))
}

/// Shows what will happen and where, and asks for consent. The command's time limit starts with the
/// answer. `--yes` answers every question except that for the name of a protected context.
///
/// # Errors
/// [`CommandError::declined`], or a usage error without a terminal.
pub(super) async fn ask(
    session: &Session<'_>,
    context: Context,
    protected: Option<Protected>,
    what: &str,
    lines: &[String],
) -> Result<Context, CommandError> {
    if session.cli.global.yes && protected.is_none() {
        return Ok(context);
    }
    let cluster = &context.cluster;
    let place = match cluster.context() {
        // On one line: a name with a line break could forge a question.
        Some(name) => format!("context `{}` ({})", brief(name), brief(cluster.server())),
        None => brief(cluster.server()),
    };
    let mut question = format!("This will {} in {place}.\n", brief(what));
    for line in lines {
        question.push_str("  ");
        question.push_str(&brief(&session.emitter.completed(line)));
        question.push('\n');
    }
    let ui = session.ui.clone();
    if let Some(Protected { entry, .. }) = &protected {
        let entry = brief(entry);
        question = format!("{question}The context is protected ({entry}).\n");
    }
    let question = broken(&question, ui.width());
    // On a thread of its own, so that Ctrl-C works while the question is open.
    let answer = tokio::task::spawn_blocking(move || match protected {
        None => ui.confirm(&format!("{question}Continue?")),
        Some(Protected { context, .. }) => {
            ui.confirm_by_name(&format!("{question}To continue, type its name:"), &context)
        }
    });
    match answer.await {
        Ok(Confirmation::Yes) => Ok(context.restarted()),
        Ok(Confirmation::NotATerminal) => possible(session).map(|()| context),
        Ok(Confirmation::No) | Err(_) => Err(CommandError::declined()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;

    const FILE: &str = "workload: sts/web\nprotected_contexts:\n- production\n- 'prod-*'\n";

    fn protects(file: &str, context: Option<&str>, can_ask: bool) -> Result<bool, CommandError> {
        let config = config::parse(Path::new("our.yaml"), file).unwrap();
        protection(&config, context, can_ask).map(|protected| protected.is_some())
    }

    #[test]
    fn a_context_is_protected_by_name() {
        for allowed in [Some("staging"), Some("production2"), None] {
            assert!(!protects(FILE, allowed, false).unwrap(), "{allowed:?}");
        }
        assert!(protects(FILE, Some("prod-eu"), true).unwrap());
    }

    #[test]
    fn where_nobody_can_type_the_name_it_is_refused() {
        let error = protects(FILE, Some("prod-eu"), false).unwrap_err();
        for words in ["`prod-eu`", "`prod-*`", "line 4", "`our.yaml`"] {
            assert!(error.text.message.contains(words), "{error:?}");
        }
        assert!(error.text.hints[0].contains("--yes"), "{error:?}");
        // A run inside a cluster has a context without a name.
        assert!(protects("protected_contexts: ['*']", None, true).is_err());
    }
}
