//! The arguments of `up` and `diff`.

use std::path::PathBuf;

use clap::Args;

use super::parsing::expected;
use super::{EditArgs, EvidenceArgs, FieldArgs, PruneArgs, SetArgs};
use crate::object::ObjectName;
use crate::risk::RiskKind;

/// Arguments of `up`.
#[derive(Debug, Args)]
pub struct UpArgs {
    /// The manifests to work on.
    #[command(flatten)]
    pub set: SetArgs,
    /// Do not wait until everything is ready
    #[arg(long, conflicts_with = "prune")]
    pub no_wait: bool,
    /// What heals a rollout that fails.
    #[command(flatten)]
    pub healing: HealingArgs,
    /// Only send dry runs to the API server; store nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Save what would be done in a file, and store nothing in the cluster
    #[arg(long, value_name = "FILE")]
    pub plan_out: Option<PathBuf>,
    /// Do exactly what a saved plan says, or nothing if something has changed since
    #[arg(long, value_name = "FILE", conflicts_with = "plan_out")]
    pub plan: Option<PathBuf>,
    /// Go on despite a risk because of which `up` would be refused; repeatable
    #[arg(long, value_name = "RISK", value_enum)]
    pub allow: Vec<RiskKind>,
    /// Delete an object and create it again where it cannot be changed, or delete a workload whose place the
    /// set takes; repeatable
    #[arg(long, value_name = "KIND/NAME", value_parser = expected(object))]
    pub replace: Vec<ObjectName>,
    /// What becomes of objects that left the manifests.
    #[command(flatten)]
    pub pruning: PruneArgs,
    /// Allow scaling down to delete claims, if the StatefulSet's retention policy says so, and `--prune` to
    /// delete claims, volumes, namespaces and definitions
    #[arg(long, hide_short_help = true)]
    pub delete_data: bool,
    // Last, because the arguments after a flattened heading appear under it.
    /// What to do about fields that other managers own.
    #[command(flatten)]
    pub fields: FieldArgs,
    /// Edits of the manifests.
    #[command(flatten)]
    pub edits: EditArgs,
}

/// What heals a rollout that fails.
#[derive(Debug, Args)]
pub struct HealingArgs {
    /// Bring the last pod template that was complete back when the rollout fails; the command fails all the same
    #[arg(long, conflicts_with = "no_wait")]
    pub rollback_on_failure: bool,
    /// Delete pods that block the rollout without asking, as `rollout unstick` does
    #[arg(long, conflicts_with = "no_wait")]
    pub auto_unstick: bool,
    /// Where the evidence goes.
    #[command(flatten)]
    pub evidence: EvidenceArgs,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The manifests to work on.
    #[command(flatten)]
    pub set: SetArgs,
    /// Show one line for each object instead of patches
    #[arg(long, conflicts_with = "blame")]
    pub brief: bool,
    /// Show every live object as a whole, each line with the owners of its field
    #[arg(long)]
    pub blame: bool,
    /// Exit with 3 also if there are undeclared fields
    #[arg(long)]
    pub fail_on_undeclared: bool,
    /// Delete an object and create it again where it cannot be changed, or delete a workload whose place the
    /// set takes; repeatable
    #[arg(long, value_name = "KIND/NAME", value_parser = expected(object))]
    pub replace: Vec<ObjectName>,
    /// What becomes of objects that left the manifests.
    #[command(flatten)]
    pub pruning: PruneArgs,
    /// Do not warn of a risk because of which `up` would be refused; repeatable
    #[arg(long, value_name = "RISK", value_enum)]
    pub allow: Vec<RiskKind>,
    /// What to do about fields that other managers own.
    #[command(flatten)]
    pub fields: FieldArgs,
    /// Edits of the manifests.
    #[command(flatten)]
    pub edits: EditArgs,
}

fn object(text: &str) -> Result<ObjectName, String> {
    text.parse().map_err(str::to_owned)
}
