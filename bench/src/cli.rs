//! The command line, as `cargo sandbox bench` calls it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::error::BenchError;
use crate::measure;
use crate::work::{self, Work};

/// A median of fewer runs means little.
const LEAST_RUNS: u32 = 10;

/// Measures cryptoctl against kubectl and helm; `cargo sandbox bench` starts a cluster and runs
/// this.
#[derive(Debug, Parser)]
#[command(name = "cryptoctl-bench", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fail if `run` would refuse these arguments
    Check(Selection),
    /// Measure, and write docs/benchmarks.md unless only a part is measured
    Run(Selection),
    /// Remove all benchmark objects from the cluster
    Clean,
    /// One measurement
    #[command(name = measure::COMMAND, hide = true)]
    Measure {
        piece: String,
        #[arg(long)]
        into: PathBuf,
    },
}

/// What to measure, and how often.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Number of measured runs of each tool
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: u32,
    /// Measure only this and write no documents; repeatable
    #[arg(long, value_name = "NAME", value_parser = work::NAMES)]
    only: Vec<String>,
}

impl Selection {
    /// # Errors
    /// When the documents would be written with too few runs.
    pub(crate) fn check(&self) -> Result<(), BenchError> {
        if self.is_all() && self.runs < LEAST_RUNS {
            return Err(BenchError::TooFewRuns {
                given: self.runs,
                least: LEAST_RUNS,
            });
        }
        Ok(())
    }

    /// Whether everything is measured.
    pub(crate) fn is_all(&self) -> bool {
        self.only.is_empty()
    }

    /// The selected works.
    pub(crate) fn chosen(&self, mut works: Vec<Work>) -> Vec<Work> {
        works.retain(|work| self.chooses(work.name));
        works
    }

    /// Whether this is selected: everything, unless something is named.
    pub(crate) fn chooses(&self, name: &str) -> bool {
        self.is_all() || self.only.iter().any(|chosen| chosen == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::{NAMES, PROBING, SCALE};
    use clap::CommandFactory;

    fn selection(arguments: &[&str]) -> Selection {
        let line = [&["bench", "run"], arguments].concat();
        let Command::Run(selection) = Cli::parse_from(line).command else {
            panic!("{arguments:?} is not for `run`");
        };
        selection
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_is_named_is_measured_alone() {
        let chosen = |only: &[&str]| -> Vec<&str> {
            let selection = selection(&[&["--runs", "10"], only].concat());
            NAMES
                .into_iter()
                .filter(|it| selection.chooses(it))
                .collect()
        };
        assert_eq!(chosen(&["--only", SCALE]), [SCALE]);
        assert_eq!(
            chosen(&["--only", PROBING, "--only", SCALE]),
            [SCALE, PROBING]
        );
        assert_eq!(chosen(&[]), NAMES);
    }

    #[test]
    fn what_is_written_down_is_measured_often_enough() {
        assert!(selection(&["--runs", "9"]).check().is_err());
        assert!(selection(&["--runs", "10"]).check().is_ok());
        assert!(selection(&["--runs", "1", "--only", SCALE]).check().is_ok());
    }
}
