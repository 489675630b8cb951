//! Names for readers who do not know this program.

use crate::report::ProbeState;
use crate::timeline::ServiceState;

/// The meaning of a blank strip.
pub(in crate::render::document) const NOT_ASKED: &str = "not probed";

/// A state that strips draw as a pattern of its own.
pub(in crate::render::document) trait Pattern {
    /// Its class in style sheets.
    fn class(&self) -> &'static str;

    /// Its meaning.
    fn title(&self) -> &'static str;
}

impl Pattern for ProbeState {
    fn class(&self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Unknown => "unknown",
            Self::Silent => "silent",
            Self::Failing => "failing",
            Self::Wrong => "wrong",
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Right => "answers correctly",
            Self::Unknown => "could not be probed",
            Self::Silent => "does not answer",
            Self::Failing => "answers with an error",
            Self::Wrong => "answers with different data",
        }
    }
}

impl Pattern for ServiceState {
    fn class(&self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Unknown => "unknown",
            Self::Failing => "some",
            Self::Down => "down",
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Right => "answers correctly",
            Self::Unknown => "could not be probed",
            Self::Failing => "Service: some requests fail",
            Self::Down => "Service: every request fails",
        }
    }
}
