//! Arguments of `verify`, and those that `verify` and `chaos` share.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::parsing::expected;
use super::{ReportFileArgs, WorkloadArgs};
use crate::values;

/// The requests to every replica, and the expected answers.
#[derive(Debug, Args)]
#[command(next_help_heading = "Request options")]
pub struct QuestionArgs {
    /// Path to GET from every replica, instead of the configuration's endpoints
    #[arg(long, value_name = "PATH", value_parser = expected(values::request_path))]
    pub path: Option<String>,
    /// Port of the pods [default: the only one that the pod template declares]
    #[arg(long, value_name = "PORT", allow_hyphen_values = true, value_parser = expected(values::whole::<u16, 1, 65535>))]
    pub port: Option<u16>,
    /// Expected SHA-256 of every answer
    #[arg(long, value_name = "HEX", value_parser = expected(values::sha256))]
    pub expect_sha256: Option<String>,
}

/// Arguments of `verify`. The long help of the command explains the proof.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The workload.
    #[command(flatten)]
    pub workload: WorkloadArgs,
    /// The requests to every replica.
    #[command(flatten)]
    pub question: QuestionArgs,
    /// Save the answers, for a later --baseline
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = BASELINE)]
    pub save_baseline: Option<PathBuf>,
    /// Compare with the answers that --save-baseline saved
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = BASELINE)]
    pub baseline: Option<PathBuf>,
    /// Show excerpts of answers, which may be secret, and save them with --save-baseline
    #[arg(long, hide_short_help = true, help_heading = BASELINE)]
    pub show_content: bool,
    /// Keep verifying until Ctrl-C, one line for each change
    #[arg(long, conflicts_with = "save_baseline", help_heading = WATCHING)]
    pub watch: bool,
    /// Pause between two verifications
    #[arg(long, value_name = "DURATION", default_value = "5s", requires = "watch", conflicts_with = "save_baseline", allow_hyphen_values = true, value_parser = expected(values::positive_duration), hide_short_help = true, help_heading = WATCHING)]
    pub every: Duration,
    /// Stop after this time
    #[arg(long = "for", value_name = "DURATION", requires = "watch", conflicts_with = "save_baseline", allow_hyphen_values = true, value_parser = expected(values::positive_duration), hide_short_help = true, help_heading = WATCHING)]
    pub lasting: Option<Duration>,
    /// Files to write.
    #[command(flatten)]
    pub files: ReportFileArgs,
}

const BASELINE: &str = "Baseline options";
const WATCHING: &str = "Watching";

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::cli::Cli;

    /// The parser does not require a flag's companion if another argument contradicts the
    /// companion.
    #[test]
    fn the_flags_of_a_watch_are_never_ignored() {
        let is_accepted = |flags: &str| {
            let words = ["cryptoctl", "verify"].into_iter();
            Cli::try_parse_from(words.chain(flags.split_whitespace())).is_ok()
        };
        assert!(is_accepted(
            "--watch --every 1s --for 5s --baseline old.json"
        ));
        for flag in ["--every 1s", "--for 5s"] {
            for other in [
                "",
                "--save-baseline new.json",
                "--baseline old.json",
                "--path /",
            ] {
                assert!(!is_accepted(&format!("{flag} {other}")), "{flag} {other}");
            }
        }
    }
}
