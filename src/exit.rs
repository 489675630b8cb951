//! How a run ends: the outcome of a command and the exit status of the process.
//!
//! `docs/exit-codes.md` documents the table; a test compares the two.

use serde::{Deserialize, Serialize};

/// The outcome of a command that ran to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done, same, healthy.
    Success,
    /// `diff` found changes.
    Different,
    /// The command worked; the result is negative.
    Unhealthy,
    /// The deadline passed, the check was not possible, or the evidence was not enough.
    Undecided,
}

/// Every exit status of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitStatus {
    /// Done, same, healthy.
    Success,
    /// The API server refused a request or could not be reached, or a step failed.
    Failed,
    /// An error in flags, configuration or manifests: nothing was sent.
    Usage,
    /// `diff` found changes.
    Different,
    /// The command worked; the result is negative.
    Unhealthy,
    /// The deadline passed, the check was not possible, or the evidence was not enough.
    Undecided,
    /// A broken invariant of this program.
    Bug,
    /// SIGHUP, after reporting what was done and what was not.
    HungUp,
    /// Ctrl-C, after reporting what was done and what was not.
    Interrupted,
    /// SIGTERM, after reporting what was done and what was not.
    Terminated,
}

impl ExitStatus {
    /// Every status, in the order of the documented table.
    pub const ALL: [Self; 10] = [
        Self::Success,
        Self::Failed,
        Self::Usage,
        Self::Different,
        Self::Unhealthy,
        Self::Undecided,
        Self::Bug,
        Self::HungUp,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// Whether a signal ended the run.
    #[must_use]
    pub const fn is_interruption(self) -> bool {
        matches!(self, Self::HungUp | Self::Interrupted | Self::Terminated)
    }

    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Different => 3,
            Self::Unhealthy => 4,
            Self::Undecided => 5,
            Self::Bug => 70,
            Self::HungUp => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// The name in documents and in the last JSON line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Different => "different",
            Self::Unhealthy => "unhealthy",
            Self::Undecided => "undecided",
            Self::Bug => "bug",
            Self::HungUp => "hung_up",
            Self::Interrupted => "interrupted",
            Self::Terminated => "terminated",
        }
    }
}

impl From<Outcome> for ExitStatus {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Success => Self::Success,
            Outcome::Different => Self::Different,
            Outcome::Unhealthy => Self::Unhealthy,
            Outcome::Undecided => Self::Undecided,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_table_is_the_one_in_force() {
        let document = include_str!("../docs/exit-codes.md");
        for status in ExitStatus::ALL {
            let row = format!("| {} | {} |", status.code(), status.name());
            assert!(document.contains(&row), "docs/exit-codes.md lacks `{row}`");
        }
        let rows = document
            .lines()
            .filter(|line| line.starts_with("| "))
            .count();
        assert_eq!(
            rows,
            ExitStatus::ALL.len() + 1,
            "one heading and one row a status"
        );
    }

    #[test]
    fn an_unhealthy_answer_is_never_success() {
        for outcome in [Outcome::Different, Outcome::Unhealthy, Outcome::Undecided] {
            assert_ne!(ExitStatus::from(outcome).code(), 0);
        }
    }
}
