//! `report`, and the checks of report files that every command shares.

use std::io;
use std::path::Path;

use super::Session;
use crate::cli::ReportArgs;
use crate::error::CommandError;
use crate::event::Event;
use crate::file;
use crate::render::document::{self, Format, LARGEST_JOURNAL, ReportFile};
use crate::render::terminal;
use crate::render::terminal::OutputFormat;
use crate::settings;
use crate::ui::{Stream, Ui};

/// Renders the journal of an earlier run: into files, or as the output of that run.
pub(super) async fn run(session: &Session<'_>, arguments: &ReportArgs) -> Result<(), CommandError> {
    let path = arguments.journal.clone();
    let ui = session.ui.clone();
    let read = settings::in_time(session.cli.global.timeout, move || text(&ui, &path)).await?;
    let text = read.map_err(|error| unreadable(&arguments.journal, &error))?;
    let events = document::read(&text)?;
    for file in &arguments.files.report {
        document::save(&events, file)?;
    }
    if arguments.files.report.is_empty() {
        print(session, &events)?;
    }
    Ok(())
}

fn text(ui: &Ui, path: &Path) -> io::Result<String> {
    if path.as_os_str() == "-" {
        file::text(ui.read_input(LARGEST_JOURNAL)?)
    } else {
        file::read_text(path, LARGEST_JOURNAL)
    }
}

fn unreadable(path: &Path, reason: &io::Error) -> CommandError {
    CommandError::usage(
        format!("failed to read the journal `{}`: {reason}", path.display()),
        "name a file that `--report FILE.json` or `-o json` wrote, or `-` for standard input",
    )
}

fn print(session: &Session<'_>, events: &[Event]) -> Result<(), CommandError> {
    let text = match session.cli.global.output {
        OutputFormat::Json => document::render(Format::Lines, events).map_err(|error| {
            CommandError::usage(error.to_string(), "try again without `-o json`")
        })?,
        OutputFormat::Text => {
            let with_colour = session.ui.has_colour(Stream::Stdout);
            terminal::render_to_text(events, session.ui.width(), with_colour)
        }
    };
    super::print(session.ui, &text)
}

/// Whether the report files of a run can be written, before any request is sent.
pub(super) fn possible(files: &[ReportFile], has_timeline: bool) -> Result<(), CommandError> {
    for file in files {
        let path = file.path.display();
        if file.format == Format::Timeline && !has_timeline {
            return Err(CommandError::usage(
                format!("`--report {path}`: only an experiment has a timeline"),
                "choose a name that ends in `.json`, `.jsonl`, `.xml` or `.html`",
            ));
        }
        has_folder("--report", &file.path)?;
    }
    Ok(())
}

/// Whether the folder of a file that a flag names exists, before any request is sent.
pub(super) fn has_folder(flag: &str, path: &Path) -> Result<(), CommandError> {
    if file::folder(path).is_dir() {
        return Ok(());
    }
    Err(CommandError::usage(
        format!("`{flag} {}`: its folder does not exist", path.display()),
        "create the folder first, or name another one",
    ))
}
