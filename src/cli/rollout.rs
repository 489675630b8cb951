//! The arguments of `rollout`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::WorkloadArgs;
use super::parsing::{expected, path};
use crate::values;

/// Arguments of `rollout`.
#[derive(Debug, Args)]
pub struct RolloutArgs {
    /// The subcommand.
    #[command(subcommand)]
    pub command: RolloutCommand,
}

/// The subcommands of `rollout`.
#[derive(Debug, Subcommand)]
pub enum RolloutCommand {
    /// Watch until it is complete (0), has failed (4), or the time limit has passed (5)
    Status(StatusArgs),
    /// Show the revisions, and what each of them changed
    History(HistoryArgs),
    /// Bring the pod template of an earlier revision back, and wait
    Undo(UndoArgs),
    /// Replace all pods, one after the other, and wait
    Restart(SteeringArgs),
    /// Keep all replicas at their revisions until `resume`
    Pause(PauseArgs),
    /// Update the replicas again after `pause`, and wait
    Resume(SteeringArgs),
    /// Delete the pods that block the rollout: broken, and at a revision that nobody wants any more
    Unstick(UnstickArgs),
}

impl RolloutCommand {
    /// The workload of the subcommand.
    #[must_use]
    pub fn workload(&self) -> &WorkloadArgs {
        match self {
            Self::Status(arguments) => &arguments.workload,
            Self::History(arguments) => &arguments.workload,
            Self::Undo(arguments) => &arguments.steering.workload,
            Self::Restart(arguments) | Self::Resume(arguments) => &arguments.workload,
            Self::Pause(arguments) => &arguments.workload,
            Self::Unstick(arguments) => &arguments.workload,
        }
    }

    /// The command as typed.
    #[must_use]
    pub fn words(&self) -> &'static str {
        match self {
            Self::Status(_) => "rollout status",
            Self::History(_) => "rollout history",
            Self::Undo(_) => "rollout undo",
            Self::Restart(_) => "rollout restart",
            Self::Pause(_) => "rollout pause",
            Self::Resume(_) => "rollout resume",
            Self::Unstick(_) => "rollout unstick",
        }
    }
}

/// Arguments of `rollout status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The workload.
    #[command(flatten)]
    pub workload: WorkloadArgs,
    /// Accepted for compatibility with kubectl; the rollout is always watched
    #[arg(short, long, hide_short_help = true)]
    pub watch: bool,
}

/// Arguments of `rollout history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The workload.
    #[command(flatten)]
    pub workload: WorkloadArgs,
}

/// Arguments of `rollout pause`.
#[derive(Debug, Args)]
pub struct PauseArgs {
    /// The workload.
    #[command(flatten)]
    pub workload: WorkloadArgs,
}

/// Arguments of the subcommands after which the rollout is followed.
#[derive(Debug, Args)]
pub struct SteeringArgs {
    /// The workload.
    #[command(flatten)]
    pub workload: WorkloadArgs,
    /// Do not wait until the rollout is complete
    #[arg(long)]
    pub no_wait: bool,
    /// Delete pods that block the rollout without asking, as `rollout unstick` does
    #[arg(long, conflicts_with = "no_wait")]
    pub auto_unstick: bool,
    /// Where the evidence goes.
    #[command(flatten)]
    pub evidence: EvidenceArgs,
}

/// Arguments of `rollout undo`.
#[derive(Debug, Args)]
pub struct UndoArgs {
    /// What every such subcommand has.
    #[command(flatten)]
    pub steering: SteeringArgs,
    /// Number of the revision [default: the one before the newest]
    #[arg(long, value_name = "NUMBER", value_parser = expected(values::whole::<i64, 1, { i64::MAX }>))]
    pub to_revision: Option<i64>,
}

/// Arguments of `rollout unstick`.
#[derive(Debug, Args)]
pub struct UnstickArgs {
    /// The workload.
    #[command(flatten)]
    pub workload: WorkloadArgs,
    /// Do not wait until the rollout is complete
    #[arg(long)]
    pub no_wait: bool,
    /// Where the evidence goes.
    #[command(flatten)]
    pub evidence: EvidenceArgs,
}

/// Where the evidence goes that is gathered before something is deleted or undone.
#[derive(Debug, Clone, Default, Args)]
pub struct EvidenceArgs {
    /// Folder for the evidence that is saved before something is deleted or undone [default: .]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = path())]
    pub evidence: Option<PathBuf>,
    /// Save no evidence
    #[arg(long, conflicts_with = "evidence")]
    pub no_evidence: bool,
}
