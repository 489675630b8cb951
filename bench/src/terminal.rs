//! The only place that writes to the terminal: data on stdout, everything else on stderr.

use std::fmt::Display;
use std::io::{self, Write};

/// Writes one line of data to stdout, for scripts.
///
/// A reader that has closed it is not an error.
pub(crate) fn data(line: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Writes one line for the user to stderr.
pub(crate) fn progress(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
