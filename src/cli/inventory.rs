//! The arguments about the inventory of a set.

use clap::Args;

use super::expected;
use crate::values;

/// Which inventory a set has.
#[derive(Debug, Args)]
pub struct InventoryArgs {
    /// ConfigMap that lists the objects of the set, so that those that left the manifests are found
    #[arg(long, value_name = "NAME", value_parser = expected(values::object_name))]
    pub inventory: Option<String>,
}

/// What becomes of objects that left the manifests.
#[derive(Debug, Args)]
pub struct PruneArgs {
    /// The inventory.
    #[command(flatten)]
    pub inventory: InventoryArgs,
    /// Delete what the inventory lists and the manifests no longer contain, in the end
    #[arg(long)]
    pub prune: bool,
}
