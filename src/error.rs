//! How a command fails: the message for the user, the next command, and the exit status.
//!
//! Every domain error becomes a [`CommandError`] here, and only here.

mod field_hint;
mod hint;
mod take_over_hint;

use std::error::Error;

pub(crate) use self::field_hint::field_hints;
use self::hint::{deduplicated, hints, on, problem_hints};
use crate::cluster::ClusterError;
use crate::config::ConfigError;
use crate::event::ErrorText;
use crate::exit::ExitStatus;
use crate::manifest::{EditErrors, ManifestError, ManifestErrors};
use crate::ops::OpsError;
use crate::render::document::{JournalError, SaveError};
use crate::saved_file::SavedFileError;
use crate::ui::{OutputError, brief};

/// A command that failed.
#[derive(Debug)]
pub struct CommandError {
    /// The exit status.
    pub status: ExitStatus,
    /// The message: what failed, why, and what to do next.
    pub text: ErrorText,
}

impl CommandError {
    /// An error in flags, configuration or manifests: nothing was sent.
    #[must_use]
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(
            ExitStatus::Usage,
            message.into(),
            Vec::new(),
            vec![hint.into()],
        )
    }

    /// The user declined.
    #[must_use]
    pub fn declined() -> Self {
        let message = "declined: nothing was changed".to_owned();
        Self::new(ExitStatus::Failed, message, Vec::new(), Vec::new())
    }

    fn new(status: ExitStatus, message: String, causes: Vec<String>, hints: Vec<String>) -> Self {
        Self {
            status,
            text: ErrorText {
                message,
                causes,
                hints,
            },
        }
    }

    fn from_chain(status: ExitStatus, error: &dyn Error, hints: Vec<String>) -> Self {
        Self::new(status, error.to_string(), causes(error), hints)
    }
}

/// The sources of an error, outermost first.
fn causes(error: &dyn Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut current = error.source();
    while let Some(source) = current {
        causes.push(source.to_string());
        current = source.source();
    }
    causes
}

/// An error as text for standard error, when events can no longer be rendered.
pub(crate) fn lines(error: &dyn Error) -> String {
    let mut text = format!("error: {}\n", brief(&error.to_string()));
    for cause in causes(error) {
        text.push_str("  caused by: ");
        text.push_str(&brief(&cause));
        text.push('\n');
    }
    text
}

impl From<JournalError> for CommandError {
    fn from(error: JournalError) -> Self {
        let hint =
            "a journal is the complete output of one run with `--report FILE.json` or `-o json`";
        Self::from_chain(ExitStatus::Usage, &error, vec![hint.to_owned()])
    }
}

impl From<OutputError> for CommandError {
    fn from(error: OutputError) -> Self {
        Self::from_chain(ExitStatus::Failed, &error, Vec::new())
    }
}

impl From<SaveError> for CommandError {
    fn from(error: SaveError) -> Self {
        let status = match &error {
            SaveError::Document { .. } => ExitStatus::Usage,
            SaveError::File { .. } => ExitStatus::Failed,
        };
        Self::from_chain(status, &error, Vec::new())
    }
}

impl From<ManifestErrors> for CommandError {
    fn from(errors: ManifestErrors) -> Self {
        Self::from(&errors)
    }
}

impl From<&ManifestErrors> for CommandError {
    fn from(errors: &ManifestErrors) -> Self {
        let mut problems = errors.0.iter().map(ToString::to_string);
        match (errors.0.len(), problems.next()) {
            (1, Some(problem)) => Self::new(ExitStatus::Usage, problem, Vec::new(), Vec::new()),
            (count, first) => Self::new(
                ExitStatus::Usage,
                format!("{count} problems in the manifests; nothing was sent"),
                first.into_iter().chain(problems).collect(),
                Vec::new(),
            ),
        }
    }
}

impl CommandError {
    /// The problems of manifests, for a command whose name and flags appear in hints; `asks` says
    /// whether the command asks for consent.
    #[must_use]
    pub fn of_manifests(errors: &ManifestErrors, command: &str, flags: &str, asks: bool) -> Self {
        let mut error = Self::from(errors);
        error.text.hints = deduplicated(
            errors
                .0
                .iter()
                .filter_map(|error| match error {
                    ManifestError::Unbuilt(unbuilt) => Some(unbuilt.hint(command, flags, asks)),
                    _ => None,
                })
                .collect(),
        );
        error
    }
}

impl From<SavedFileError> for CommandError {
    fn from(error: SavedFileError) -> Self {
        let (status, hint) = match &error {
            SavedFileError::Unwritable { .. } => (
                ExitStatus::Failed,
                "name a file in an existing folder that you can write to".to_owned(),
            ),
            SavedFileError::Unreadable { flag, .. }
            | SavedFileError::Undecodable { flag, .. }
            | SavedFileError::Version { flag, .. } => (
                ExitStatus::Usage,
                format!("name a file that `{flag}` wrote"),
            ),
        };
        Self::from_chain(status, &error, vec![hint])
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        let mut problems = error.problems();
        match &error {
            ConfigError::Invalid { file, .. } if problems.len() > 1 => Self::new(
                ExitStatus::Usage,
                format!(
                    "{} problems in `{}`; nothing was sent",
                    problems.len(),
                    file.display()
                ),
                problems,
                Vec::new(),
            ),
            ConfigError::Invalid { .. } => Self::new(
                ExitStatus::Usage,
                problems.pop().unwrap_or_default(),
                Vec::new(),
                Vec::new(),
            ),
            _ => Self::from_chain(ExitStatus::Usage, &error, Vec::new()),
        }
    }
}

impl From<EditErrors> for CommandError {
    fn from(errors: EditErrors) -> Self {
        Self::new(
            ExitStatus::Usage,
            errors.to_string(),
            Vec::new(),
            Vec::new(),
        )
    }
}

impl From<ClusterError> for CommandError {
    fn from(error: ClusterError) -> Self {
        let status = match &error {
            ClusterError::Configuration { .. } => ExitStatus::Usage,
            _ => ExitStatus::Failed,
        };
        let hints = hints(&error, None);
        Self::from_chain(status, &error, hints)
    }
}

impl From<OpsError> for CommandError {
    fn from(error: OpsError) -> Self {
        match &error {
            OpsError::Duplicates(errors) => errors.into(),
            OpsError::Cluster { source, .. } => {
                let status = match source {
                    ClusterError::Configuration { .. } => ExitStatus::Usage,
                    _ => ExitStatus::Failed,
                };
                Self::from_chain(status, &error, hints(source, None))
            }
            OpsError::Preflight(problems) | OpsError::DryRun { problems, .. } => Self::new(
                ExitStatus::Failed,
                error.to_string(),
                problems.iter().map(ToString::to_string).collect(),
                problem_hints(problems),
            ),
            OpsError::Outdated(moved) => Self::new(
                ExitStatus::Failed,
                error.to_string(),
                moved.iter().map(ToString::to_string).collect(),
                vec!["make a new plan with `--plan-out`, and look at it".to_owned()],
            ),
            OpsError::Writes(failures) => {
                let hints = failures
                    .iter()
                    .flat_map(|failure| hints(&failure.source, Some(&failure.object)))
                    .collect();
                let causes = failures
                    .iter()
                    .flat_map(|failure| {
                        let own = format!("`{}`: {}", failure.object, failure.source);
                        std::iter::once(own).chain(causes(&failure.source))
                    })
                    .collect();
                Self::new(
                    ExitStatus::Failed,
                    error.to_string(),
                    causes,
                    deduplicated(hints),
                )
            }
            OpsError::Namespaces(mismatches) => Self::new(
                ExitStatus::Usage,
                error.to_string(),
                mismatches.iter().map(ToString::to_string).collect(),
                vec!["leave out `--namespace`, or use the namespace of the manifests".to_owned()],
            ),
            OpsError::OutOfTime { .. } => Self::from_chain(
                ExitStatus::Undecided,
                &error,
                vec!["allow more time with `--timeout`".to_owned()],
            ),
            OpsError::NoSuchWorkload { nearby, .. } => {
                Self::from_chain(ExitStatus::Failed, &error, vec![nearby.hint()])
            }
            OpsError::WhichWorkload { candidates } => {
                let names: Vec<String> = candidates
                    .iter()
                    .map(|candidate| format!("`{candidate}`"))
                    .collect();
                let hint = if names.is_empty() {
                    "name the StatefulSet as `statefulset/NAME`".to_owned()
                } else {
                    format!("name one of {}", names.join(", "))
                };
                Self::from_chain(ExitStatus::Usage, &error, vec![hint])
            }
            OpsError::Unable { hint, .. } => {
                Self::from_chain(ExitStatus::Failed, &error, vec![hint.clone()])
            }
            OpsError::Question { hint, .. } | OpsError::Experiment { hint, .. } => {
                Self::from_chain(ExitStatus::Usage, &error, vec![hint.clone()])
            }
            OpsError::Baseline(_) => Self::from_chain(
                ExitStatus::Usage,
                &error,
                vec!["save a new one with `--save-baseline`".to_owned()],
            ),
            OpsError::Occupied { .. } => Self::from_chain(
                ExitStatus::Undecided,
                &error,
                vec!["try again when it has ended; if it was killed, wait one minute".to_owned()],
            ),
            OpsError::NoSuchPod { object } => Self::from_chain(
                ExitStatus::Failed,
                &error,
                vec![format!(
                    "check the workload with `cryptoctl rollout status {object}{}`",
                    on(object)
                )],
            ),
            OpsError::WouldDeleteData { .. } => Self::from_chain(
                ExitStatus::Failed,
                &error,
                vec!["add `--delete-data` if the data may be deleted".to_owned()],
            ),
        }
    }
}
