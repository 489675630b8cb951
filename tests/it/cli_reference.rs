//! `docs/cli-reference.md` equals the output of `--help`.

use std::fmt::Write;

use clap::CommandFactory;
use cryptoctl::cli::Cli;

/// The long help of a command and of everything below it, as Markdown.
fn reference(command: &mut clap::Command, path: &str, text: &mut String) {
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    writeln!(
        text,
        "\n## `{path}`\n\n```text\n{}\n```",
        help.join("\n").trim_end()
    )
    .unwrap();
    let below: Vec<String> = command
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .filter(|name| name != "help")
        .collect();
    for name in below {
        let command = command.find_subcommand_mut(&name).unwrap();
        reference(command, &format!("{path} {name}"), text);
    }
}

#[test]
fn the_reference_is_up_to_date() {
    let mut command = Cli::command().term_width(100);
    command.build();
    let mut text =
        "# Command line\n\nGenerated from the program by `SNAPSHOTS=overwrite cargo test`.\n"
            .to_owned();
    reference(&mut command, "cryptoctl", &mut text);
    snapbox::assert_data_eq!(text, snapbox::file!["../../docs/cli-reference.md"]);
}
