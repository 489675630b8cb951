//! `completions`

use clap::CommandFactory;

use crate::cli::{Cli, CompletionsArgs};
use crate::error::CommandError;
use crate::ui::Ui;

/// Prints the completion script of a shell.
///
/// # Errors
/// When it cannot be written.
pub(super) fn run(arguments: &CompletionsArgs, ui: &Ui) -> Result<(), CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Cli::command(),
        "cryptoctl",
        &mut script,
    );
    super::print(ui, &String::from_utf8_lossy(&script))
}
