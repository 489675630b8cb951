//! What a component of the cluster is, as data; the supervisor does the rest.

use std::path::PathBuf;

/// One long-running program of an instance.
#[derive(Debug)]
pub(crate) struct Component {
    /// The program's usual name, which also names its log and its certificate.
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// Configuration that is written before the program starts.
    pub(crate) files: Vec<(PathBuf, String)>,
    /// How to see that it works.
    pub(crate) readiness: Readiness,
}

/// A question that only a working component answers well.
#[derive(Debug)]
pub(crate) enum Readiness {
    /// Answers this address with 200.
    Url(String),
    /// Accepts connections on this socket.
    Socket(PathBuf),
}

impl Readiness {
    /// Asked over TLS, with the administrator's certificate.
    pub(crate) fn https(port: u16, path: &str) -> Self {
        Self::Url(format!("https://127.0.0.1:{port}{path}"))
    }

    /// Asked in plain text, for an answer that tells nothing else.
    pub(crate) fn http(port: u16, path: &str) -> Self {
        Self::Url(format!("http://127.0.0.1:{port}{path}"))
    }
}
