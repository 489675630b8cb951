//! One file for each verb: arguments in, a call to `ops`, a report out. This module only
//! dispatches.

mod chaos;
mod completions;
mod confirm;
mod diff;
mod down;
mod evidence;
mod logs;
mod random;
mod report;
mod roll_back;
mod rollout;
mod unstick;
mod up;
mod verify;

use crate::cli::{Cli, Command, SetArgs, WorkloadArgs};
use crate::cluster::Cluster;
use crate::config::Config;
use crate::emitter::Emitter;
use crate::error::CommandError;
use crate::event::{EventKind, RunDescription};
use crate::interrupt::Stop;
use crate::ops::{Context, Set, Workload};
use crate::report::Report;
use crate::settings;
use crate::ui::{OutputError, Ui};

/// Runs a command; one that talks to no cluster has no report.
///
/// # Errors
/// [`CommandError`], when the command failed before it had a result.
pub(crate) async fn run(
    cli: &Cli,
    ui: &Ui,
    emitter: Emitter,
    stop: Stop,
) -> Result<Option<Report>, CommandError> {
    let config = if cli.global.config.is_some() || cli.command.is_configured() {
        settings::config(&cli.global).await?
    } else {
        Config::default()
    };
    let session = Session {
        cli,
        ui,
        emitter,
        stop,
        config,
    };
    let report = match &cli.command {
        Command::Up(arguments) => up::run(&session, arguments).await,
        Command::Diff(arguments) => diff::run(&session, arguments).await,
        Command::Rollout(arguments) => Box::pin(rollout::run(&session, arguments)).await,
        Command::Verify(arguments) => verify::run(&session, arguments).await,
        Command::Chaos(arguments) => chaos::run(&session, arguments).await,
        Command::Logs(arguments) => logs::run(&session, arguments).await,
        Command::Down(arguments) => down::run(&session, arguments).await,
        Command::Report(arguments) => return report::run(&session, arguments).await.map(|()| None),
        Command::Completions(arguments) => {
            return completions::run(arguments, ui).map(|()| None);
        }
    };
    report.map(Some)
}

/// Prints data; a reader that stops reading is not a failure.
fn print(ui: &Ui, data: &str) -> Result<(), CommandError> {
    match ui.write_output(data) {
        Err(error @ OutputError::Failed(_)) => Err(error.into()),
        Ok(()) | Err(OutputError::Closed) => Ok(()),
    }
}

/// What every verb needs.
struct Session<'a> {
    cli: &'a Cli,
    ui: &'a Ui,
    emitter: Emitter,
    stop: Stop,
    config: Config,
}

impl Session<'_> {
    /// Connects, and reports the cluster.
    async fn connect(
        &self,
        command: &str,
        set: &Set,
        named: Option<&str>,
    ) -> Result<Context, CommandError> {
        let global = &self.cli.global;
        let connection = settings::connection(self.cli, command, self.ui.can_ask());
        let cluster =
            Cluster::connect(&connection, settings::limits(global), self.emitter.clone()).await?;
        let namespace = global.namespace.clone();
        let mut context = Context::new(cluster, self.emitter.clone(), namespace, global.timeout);
        context.stop = self.stop.clone();
        self.emitter.send(EventKind::Started(RunDescription {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command: command.to_owned(),
            context: context.cluster.context().map(str::to_owned),
            server: context.cluster.server().to_owned(),
            namespace: Workload::namespace_of(&context, set, named),
        }));
        if context.cluster.skips_verification() {
            self.emitter.send(EventKind::Warning {
                message: format!(
                    "the certificate of the API server at `{}` is not verified \
                     (`insecure-skip-tls-verify`): this connection can be intercepted",
                    context.cluster.server()
                ),
            });
        }
        Ok(context)
    }

    /// Emits a warning, if there is one.
    fn warn(&self, note: Option<String>) {
        if let Some(message) = note {
            self.emitter.send(EventKind::Warning { message });
        }
    }

    /// The manifests of a command that does not edit them.
    async fn set(&self, arguments: &SetArgs) -> Result<Set, CommandError> {
        settings::set(self.cli, arguments, None).await
    }

    /// Connects, and finds the StatefulSet that a command works on.
    async fn workload(
        &self,
        command: &str,
        set: &Set,
        arguments: &WorkloadArgs,
    ) -> Result<(Context, Workload), CommandError> {
        let named = settings::workload(arguments.workload.as_deref(), &self.config, set);
        let context = self.connect(command, set, named).await?;
        let workload = Workload::choose(&context, set, named)?;
        Ok((context, workload))
    }
}
