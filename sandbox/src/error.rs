//! Every error, and what to do about it.

use std::error::Error;
use std::io;

use crate::api::ApiError;
use crate::cache::NoHome;
use crate::certificates::CertificateError;
use crate::cluster::ClusterError;
use crate::command::CommandError;
use crate::files::FileError;
use crate::foreground::ForegroundError;
use crate::image::ImageError;
use crate::instance::InstanceError;
use crate::interrupt::Interrupted;
use crate::mutation::MutationError;
use crate::packages::PackagesError;
use crate::supervisor::SupervisorError;
use crate::toolchain::ToolchainError;
use crate::workspace::SessionError;

/// A command of the sandbox failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SandboxError {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error(transparent)]
    Instance(#[from] InstanceError),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    #[error(transparent)]
    NoHome(#[from] NoHome),
    #[error(transparent)]
    Packages(#[from] PackagesError),
    #[error(transparent)]
    Foreground(#[from] ForegroundError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Mutation(#[from] MutationError),
    #[error(transparent)]
    Supervisor(#[from] SupervisorError),
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    #[error("only root can do this")]
    NotRoot,
    #[error("`cryptoctl {arguments}` did not end with exit status {expected}")]
    Demo {
        arguments: &'static str,
        expected: i32,
    },
    #[error("this machine does not meet the requirements of a sandbox: {0}")]
    MachineLacks(String),
    #[error("sandbox `{0}` is not started")]
    NotStarted(String),
    #[error("`{0}` is not running")]
    NotRunning(String),
    #[error("cannot signal process {pid}")]
    Signal { pid: i32, source: io::Error },
    #[error("process {0} did not end after it was killed")]
    Unkillable(i32),
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
    #[error("the registry cannot serve")]
    Registry(#[source] io::Error),
    #[error("the keys cannot be served")]
    Keys(#[source] io::Error),
}

impl SandboxError {
    /// The next step, if there is one.
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotRoot | Self::MachineLacks(_) => {
                Some("`cargo sandbox doctor` shows how to fix this")
            }
            Self::NotStarted(_) => Some("`cargo sandbox start`"),
            Self::NotRunning(_) => Some("`cargo sandbox start` repairs it"),
            Self::Supervisor(_) | Self::Cluster(_) => {
                Some("`cargo sandbox start` tries again; `cargo sandbox stop` removes everything")
            }
            Self::Interrupted(_) => Some("`cargo sandbox stop` removes what was started"),
            _ => None,
        }
    }

    /// The error, its causes and the next step, as text.
    pub(crate) fn render(&self) -> String {
        let causes = std::iter::successors(self.source(), |error| (*error).source())
            .map(|cause| format!("\n  caused by: {cause}"));
        let hint = self.hint().map(|hint| format!("\n\nhint: {hint}"));
        std::iter::once(format!("error: {self}"))
            .chain(causes)
            .chain(hint)
            .collect()
    }
}
