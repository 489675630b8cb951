//! A component of the cluster, as data; the supervisor does the rest.

use std::path::PathBuf;

/// One long-running program of an instance.
#[derive(Debug)]
pub(crate) struct Component {
    /// The program's usual name, also used for its log and its certificate.
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// The configuration files to write before the program starts.
    pub(crate) files: Vec<(PathBuf, String)>,
    /// The check that it works.
    pub(crate) readiness: Readiness,
}

/// A check that only a working component passes.
#[derive(Debug)]
pub(crate) enum Readiness {
    /// Answers this address with 200.
    Url(String),
    /// Accepts connections on this socket.
    Socket(PathBuf),
}

impl Readiness {
    /// Over TLS, with the administrator's certificate.
    pub(crate) fn https(port: u16, path: &str) -> Self {
        Self::Url(format!("https://127.0.0.1:{port}{path}"))
    }

    /// In plain text; the answer contains nothing secret.
    pub(crate) fn http(port: u16, path: &str) -> Self {
        Self::Url(format!("http://127.0.0.1:{port}{path}"))
    }
}
