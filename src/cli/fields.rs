//! The flags about fields that other managers own.

use clap::Args;

use super::parsing::expected;
use crate::fields::{FieldPattern, FormerManager};

/// What to do about fields that other managers own.
#[derive(Debug, Args)]
#[command(next_help_heading = "Field ownership")]
pub struct FieldArgs {
    /// Take a field, and what is below it, from its manager; repeatable
    #[arg(long, value_name = "FIELD", value_parser = expected(field))]
    pub take: Vec<FieldPattern>,
    /// Leave a field, and what is below it, to its manager; repeatable
    #[arg(long = "yield", value_name = "FIELD", value_parser = expected(field))]
    pub yielded: Vec<FieldPattern>,
    /// Take away a field that is live but in no manifest; repeatable
    #[arg(long, value_name = "FIELD", value_parser = expected(field))]
    pub revert_undeclared: Vec<FieldPattern>,
    /// Take over everything that a manager owns: what the manifests declare becomes yours, and what only
    /// it has set goes; repeatable
    #[arg(long, value_name = "MANAGER", value_parser = expected(manager))]
    pub take_over: Vec<FormerManager>,
    /// Take every field in conflict from its manager
    #[arg(long)]
    pub force_conflicts: bool,
}

fn manager(text: &str) -> Result<FormerManager, String> {
    text.parse()
        .map_err(|reason| format!("the name of a field manager, such as helm: {reason}"))
}

fn field(text: &str) -> Result<FieldPattern, String> {
    text.parse()
        .map_err(|reason| format!("[KIND/NAME:]PATH[@MANAGER], such as .spec.replicas: {reason}"))
}
