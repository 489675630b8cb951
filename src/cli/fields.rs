//! The flags about fields that other managers own.

use clap::Args;

use super::parsing::expected;
use crate::fields::FieldPattern;

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
    /// Take every field in conflict from its manager
    #[arg(long)]
    pub force_conflicts: bool,
}

fn field(text: &str) -> Result<FieldPattern, String> {
    text.parse()
        .map_err(|reason| format!("[KIND/NAME:]PATH[@MANAGER], such as .spec.replicas: {reason}"))
}
