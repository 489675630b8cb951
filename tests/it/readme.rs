//! The commands in the documents are commands of the program.

use clap::Parser;
use cryptoctl::cli::Cli;

/// Every `cryptoctl …` in the code blocks of a document, without comments and pipes.
fn commands(document: &str) -> Vec<Vec<String>> {
    let blocks = document.split("```").skip(1).step_by(2);
    blocks
        .flat_map(str::lines)
        .flat_map(|line| line.split(['|', '#']))
        .map(|command| {
            command
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|words| words.first().is_some_and(|program| program == "cryptoctl"))
        .collect()
}

#[test]
fn the_readme_names_commands_that_exist() {
    let commands = commands(include_str!("../../README.md"));
    assert!(commands.len() >= 5, "{commands:?}");
    for command in commands {
        if let Err(error) = Cli::try_parse_from(&command) {
            panic!("{command:?}: {error}");
        }
    }
}

#[test]
fn the_readme_names_files_that_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = include_str!("../../README.md");
    for target in readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
    {
        assert!(root.join(target).exists(), "README.md links to `{target}`");
    }
}
