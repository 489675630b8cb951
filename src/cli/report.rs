//! Report files, and the command that creates them from a journal.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, ValueHint};

use super::Command;
use crate::render::document::ReportFile;

/// Files to write after the last event.
#[derive(Debug, Args)]
#[command(next_help_heading = "Report")]
pub struct ReportFileArgs {
    /// File to write the result to; its extension selects the format: .json (journal), .jsonl, .xml
    /// (JUnit), .html, .svg (timeline of an experiment); repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = report_file())]
    pub report: Vec<ReportFile>,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Journal of a run: a report in .json or .jsonl, the output of -o json, or - for standard
    /// input
    #[arg(value_name = "JOURNAL", value_hint = ValueHint::FilePath)]
    pub journal: PathBuf,
    /// Files to write; without any, the output of the run is printed.
    #[command(flatten)]
    pub files: ReportFileArgs,
}

impl Command {
    /// The files to write after the last event of this command's run.
    #[must_use]
    pub fn report_files(&self) -> &[ReportFile] {
        match self {
            Self::Verify(arguments) => &arguments.files.report,
            Self::Chaos(arguments) => &arguments.files.report,
            _ => &[],
        }
    }
}

fn report_file() -> impl TypedValueParser<Value = ReportFile> {
    PathBufValueParser::new().try_map(ReportFile::of)
}
