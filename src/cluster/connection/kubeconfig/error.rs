//! Why a kubeconfig cannot be used; no message ever quotes the file, which holds credentials.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// A kubeconfig, or the flags over it, that name no usable connection.
#[derive(Debug, Error)]
pub(crate) enum KubeconfigError {
    #[error("no kubeconfig: {looked_at} names no file that exists")]
    None { looked_at: String },
    #[error("cannot read the kubeconfig `{}`", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("cannot read the kubeconfig `{}`: it is not a valid kubeconfig ({reason})", path.display())]
    Invalid { path: PathBuf, reason: String },
    #[error("the kubeconfig was not read to its end within {} s", .0.as_secs_f32())]
    Endless(Duration),
    #[error("the kubeconfig has no current context")]
    NoContext { known: Vec<String> },
    #[error("the kubeconfig has no context `{name}`")]
    UnknownContext { name: String, known: Vec<String> },
    #[error("the kubeconfig has no {what} `{name}`")]
    Unknown {
        what: &'static str,
        name: String,
        known: Vec<String>,
    },
    #[error("{0}")]
    Unusable(String),
    #[error("cannot read the {what} `{}`", path.display())]
    File {
        what: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}
