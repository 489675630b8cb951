//! How a run ends: the outcome of a command and the process's exit status.
//!
//! The table is documented in `docs/exit-codes.md`; a test holds the two together.

use serde::{Deserialize, Serialize};

/// What a command that ran to its end has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done, same, healthy.
    Success,
    /// `diff` found changes.
    Different,
    /// The command worked; the answer is no.
    Unhealthy,
    /// The deadline passed, the question could not be asked, or the evidence was not enough.
    Undecided,
}

/// Every status with which the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitStatus {
    /// Done, same, healthy.
    Success,
    /// The cluster refused, could not be reached, or a step failed.
    Failed,
    /// Flags, configuration or manifests: nothing was sent.
    Usage,
    /// `diff` found changes.
    Different,
    /// The command worked; the answer is no.
    Unhealthy,
    /// The deadline passed, the question could not be asked, or the evidence was not enough.
    Undecided,
    /// A broken invariant of this program.
    Bug,
    /// SIGHUP, after saying what was and was not done.
    HungUp,
    /// Ctrl-C, after saying what was and was not done.
    Interrupted,
    /// SIGTERM, after saying what was and was not done.
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

    /// The name used in documents and in the last JSON line.
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
