//! The command line as typed: types for clap, no logic.

mod chaos;
mod choices;
mod connection;
mod fields;
mod habits;
mod inventory;
mod parsing;
mod report;
mod rollout;
mod up;
mod verify;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueHint};

#[cfg(test)]
pub(crate) use self::chaos::tests::parse as parse_chaos;
pub use self::chaos::{ChaosArgs, CompareArgs, ExperimentArgs, TargetArgs};
pub use self::connection::ConnectionArgs;
pub use self::fields::FieldArgs;
pub use self::habits::with_tips;
pub use self::inventory::{InventoryArgs, PruneArgs};
use self::parsing::{expected, manifests, path, request_timeout, tail};
pub use self::report::{ReportArgs, ReportFileArgs};
pub use self::rollout::{EvidenceArgs, RolloutArgs, RolloutCommand, SteeringArgs, UnstickArgs};
pub use self::up::{DiffArgs, HealingArgs, UpArgs};
pub use self::verify::{QuestionArgs, VerifyArgs};
use crate::manifest::ImageEdit;
use crate::object::ObjectName;
use crate::render::terminal::{OutputFormat, Progress};
use crate::risk::RiskKind;
use crate::ui::ColorChoice;
use crate::values;

/// Deploys a StatefulSet whose replicas share one volume, proves that every replica serves the same
/// data, injects faults and proves it again.
///
/// Without `-f` it works on its built-in set, the file server `cryptoserver`.
#[derive(Parser)]
#[command(name = "cryptoctl", version, max_term_width = 100)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Apply the set server-side and wait until it is ready
    Up(UpArgs),
    /// Show what `up` would change; exit code 3 when something differs
    Diff(DiffArgs),
    /// Watch the rollout of the StatefulSet, and steer it
    Rollout(RolloutArgs),
    /// Prove that every replica serves the same data
    ///
    /// Each replica gets its request through a port-forward, on its loopback address and with
    /// `Host: localhost`. Replicas that all serve the same login page or the same error agree too,
    /// unless the right answer is given: --expect-sha256, or `match`, `sha256` or `content_type` in
    /// `cryptoctl.yaml`.
    Verify(VerifyArgs),
    /// Inject faults, follow the recovery, and prove that the data survived
    Chaos(ChaosArgs),
    /// Print the logs of all replicas
    Logs(LogsArgs),
    /// Delete the set in reverse order; claims are kept unless --delete-data is given
    Down(DownArgs),
    /// Render the journal of an earlier run again
    Report(ReportArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

impl Command {
    /// The manifests that the command works on.
    #[must_use]
    pub fn set(&self) -> Option<&SetArgs> {
        match self {
            Self::Up(arguments) => Some(&arguments.set),
            Self::Diff(arguments) => Some(&arguments.set),
            Self::Rollout(arguments) => Some(&arguments.command.workload().set),
            Self::Verify(arguments) => Some(&arguments.workload.set),
            Self::Chaos(arguments) => Some(&arguments.workload.set),
            Self::Logs(arguments) => Some(&arguments.workload.set),
            Self::Down(arguments) => Some(&arguments.set),
            Self::Report(_) | Self::Completions(_) => None,
        }
    }

    /// The edits of the manifests that the command makes.
    #[must_use]
    pub fn edits(&self) -> Option<&EditArgs> {
        match self {
            Self::Up(arguments) => Some(&arguments.edits),
            Self::Diff(arguments) => Some(&arguments.edits),
            _ => None,
        }
    }

    /// The inventory that the command names.
    #[must_use]
    pub fn inventory(&self) -> Option<&str> {
        let arguments = match self {
            Self::Up(arguments) => &arguments.pruning.inventory,
            Self::Diff(arguments) => &arguments.pruning.inventory,
            Self::Down(arguments) => &arguments.inventory,
            _ => return None,
        };
        arguments.inventory.as_deref()
    }

    /// Whether the command deletes what left the manifests.
    #[must_use]
    pub fn prunes(&self) -> bool {
        match self {
            Self::Up(arguments) => arguments.pruning.prune,
            Self::Diff(arguments) => arguments.pruning.prune,
            _ => false,
        }
    }

    /// The objects that the command may replace.
    #[must_use]
    pub fn replaced(&self) -> &[ObjectName] {
        match self {
            Self::Up(arguments) => &arguments.replace,
            Self::Diff(arguments) => &arguments.replace,
            _ => &[],
        }
    }

    /// The risks that the command accepts.
    #[must_use]
    pub fn allowed(&self) -> &[RiskKind] {
        match self {
            Self::Up(arguments) => &arguments.allow,
            Self::Diff(arguments) => &arguments.allow,
            _ => &[],
        }
    }

    /// What the command does about fields that other managers own.
    #[must_use]
    pub fn fields(&self) -> Option<&FieldArgs> {
        match self {
            Self::Up(arguments) => Some(&arguments.fields),
            Self::Diff(arguments) => Some(&arguments.fields),
            _ => None,
        }
    }

    /// The command as typed.
    #[must_use]
    pub fn words(&self) -> &'static str {
        match self {
            Self::Up(_) => "up",
            Self::Diff(_) => "diff",
            Self::Rollout(arguments) => arguments.command.words(),
            Self::Verify(_) => "verify",
            Self::Chaos(_) => "chaos",
            Self::Logs(_) => "logs",
            Self::Down(_) => "down",
            Self::Report(_) => "report",
            Self::Completions(_) => "completions",
        }
    }

    /// Whether the configuration file applies to the command. A broken file does not stop the other
    /// commands.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        matches!(
            self,
            Self::Up(_)
                | Self::Diff(_)
                | Self::Down(_)
                | Self::Rollout(_)
                | Self::Verify(_)
                | Self::Chaos(_)
                | Self::Logs(_)
        )
    }
}

/// Options of every command.
#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Kubeconfig file to use
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = path())]
    pub kubeconfig: Option<PathBuf>,
    /// Configuration file to use [default: ./cryptoctl.yaml, if it exists]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Context of the kubeconfig to use
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// Namespace to work in
    #[arg(short, long, global = true, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Answer yes to every question
    #[arg(short, long, global = true)]
    pub yes: bool,
    /// Print events as JSON lines
    #[arg(
        short,
        long,
        global = true,
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub output: OutputFormat,
    /// Time limit of the whole command, or of each fault of an experiment, such as 90s or 5m
    #[arg(long, global = true, value_name = "DURATION", default_value = "5m", allow_hyphen_values = true, value_parser = expected(values::positive_duration))]
    pub timeout: Duration,
    /// Print only errors, and data such as a diff
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
    /// How to show progress
    #[arg(long, global = true, value_name = "HOW", default_value = "auto")]
    pub progress: Progress,
    /// Time limit of one request to the API server, 0 for none
    #[arg(long, global = true, value_name = "DURATION", default_value = "15s", allow_hyphen_values = true, value_parser = request_timeout, hide_short_help = true)]
    pub request_timeout: Duration,
    /// The address of the API server, and the identity to use.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// The manifests to work on.
#[derive(Debug, Args)]
pub struct SetArgs {
    /// File or folder with manifests, or - for standard input; repeatable [default: the built-in set]
    #[arg(short, long, value_name = "PATH", value_hint = ValueHint::AnyPath, value_parser = manifests())]
    pub filename: Vec<PathBuf>,
    /// Read folders given with -f recursively
    #[arg(short = 'R', long, requires = "filename")]
    pub recursive: bool,
}

impl SetArgs {
    /// Whether manifests come from standard input.
    #[must_use]
    pub fn reads_standard_input(&self) -> bool {
        self.filename.iter().any(|path| path.as_os_str() == "-")
    }
}

/// Edits of the manifests.
#[derive(Debug, Args)]
#[command(next_help_heading = "Manifest options")]
pub struct EditArgs {
    /// Image of the workload, or of one of its containers; repeatable
    #[arg(long, value_name = "[CONTAINER=]IMAGE")]
    pub image: Vec<ImageEdit>,
    /// Number of replicas
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, value_parser = expected(values::whole::<u32, 0, 2_147_483_647>))]
    pub replicas: Option<u32>,
    /// Storage class of the claims
    #[arg(long, value_name = "NAME")]
    pub storage_class: Option<String>,
    /// Replace the pods that use a ConfigMap or Secret of the set when its contents change
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub roll_on_config_change: Option<bool>,
}

/// The StatefulSet that a command works on.
#[derive(Debug, Args)]
pub struct WorkloadArgs {
    /// StatefulSet; required only if neither the configuration nor the set identifies one
    #[arg(value_name = "statefulset/NAME", value_parser = expected(values::workload))]
    pub workload: Option<String>,
    /// The manifests to work on.
    #[command(flatten)]
    pub set: SetArgs,
}

/// Arguments of `logs`, which also accepts the name of a pod.
#[derive(Debug, Args)]
#[command(mut_arg("workload", |argument| argument.value_parser(expected(values::workload_or_pod))))]
pub struct LogsArgs {
    /// The workload.
    #[command(flatten)]
    pub workload: WorkloadArgs,
    /// Container to read [default: all long-running ones, native sidecars included]
    #[arg(short, long, value_name = "NAME")]
    pub container: Option<String>,
    /// Follow the logs until Ctrl-C, including those of replacement pods
    #[arg(long, conflicts_with = "previous")]
    pub follow: bool,
    /// Read the log of the container's previous run
    #[arg(short, long)]
    pub previous: bool,
    /// Only the last lines of each log, -1 for all
    #[arg(long, value_name = "LINES", allow_hyphen_values = true, value_parser = tail)]
    pub tail: Option<i64>,
    /// Only lines newer than this, such as 5m
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = expected(values::positive_duration))]
    pub since: Option<Duration>,
    /// Prefix each line with its timestamp
    #[arg(long)]
    pub timestamps: bool,
}

/// Arguments of `down`.
#[derive(Debug, Args)]
pub struct DownArgs {
    /// The manifests to work on.
    #[command(flatten)]
    pub set: SetArgs,
    /// The inventory; without `-f`, everything that it lists is deleted.
    #[command(flatten)]
    pub inventory: InventoryArgs,
    /// Also delete claims, and namespaces that `up` created
    #[arg(long)]
    pub delete_data: bool,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }
}
