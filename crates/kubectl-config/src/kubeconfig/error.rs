//! Why a kubeconfig cannot be used; no message ever quotes the file, which holds credentials.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// A kubeconfig, or the flags over it, that name no usable connection.
#[derive(Debug, Error)]
pub enum KubeconfigError {
    /// There is no file, and this is no pod.
    #[error("no kubeconfig: {looked_at} names no file that exists")]
    None {
        /// The variable or file that was looked at.
        looked_at: String,
    },
    /// A file cannot be read.
    #[error("cannot read the kubeconfig `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is no kubeconfig.
    #[error("cannot read the kubeconfig `{}`: it is not a valid kubeconfig ({reason})", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A pipe did not end in time.
    #[error("the kubeconfig was not read to its end within {} s", .0.as_secs_f32())]
    Endless(Duration),
    /// Neither a file nor a flag chooses a context.
    #[error("the kubeconfig has no current context")]
    NoContext {
        /// The contexts that there are.
        known: Vec<String>,
    },
    /// There is no such context.
    #[error("the kubeconfig has no context `{name}`")]
    UnknownContext {
        /// The one that was asked for.
        name: String,
        /// The contexts that there are.
        known: Vec<String>,
    },
    /// There is no such cluster or user.
    #[error("the kubeconfig has no {what} `{name}`")]
    Unknown {
        /// `cluster` or `user`.
        what: &'static str,
        /// The one that was asked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Something that contradicts itself, or that cannot be used; the text says what.
    #[error("{0}")]
    Unusable(String),
    /// A file that the kubeconfig or a flag names cannot be read.
    #[error("cannot read the {what} `{}`", path.display())]
    File {
        /// What the file is for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
