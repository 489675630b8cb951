//! The only place that writes to the terminal: data on stdout, everything else on stderr.

use std::fmt::Display;
use std::io::{self, Write};

/// Writes one line of data to stdout, for a script to read.
///
/// A reader that has gone away is not an error: nobody is left to be told.
pub(crate) fn data(line: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Writes one line for a person to stderr.
pub(crate) fn progress(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
