//! `completions`

use clap::CommandFactory;

use crate::cli::{Cli, CompletionsArgs};
use crate::ui::Ui;

/// Prints the completion script of a shell.
pub(super) fn print(arguments: &CompletionsArgs, ui: &Ui) {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Cli::command(),
        "cryptoctl",
        &mut script,
    );
    // A reader that has enough is no failure.
    let _ = ui.write_output(&String::from_utf8_lossy(&script));
}
