//! What things are called where a person reads them who knows nothing of this program.

use crate::report::ProbeState;
use crate::timeline::ServiceState;

/// What a strip shows where it is blank.
pub(in crate::render::document) const NOT_ASKED: &str = "not yet asked, or no more";

/// A state that strips draw as a pattern of its own.
pub(in crate::render::document) trait Pattern {
    /// Its class in style sheets.
    fn class(&self) -> &'static str;

    /// What it means.
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
            Self::Right => "answers right",
            Self::Unknown => "could not be asked",
            Self::Silent => "does not answer",
            Self::Failing => "answers with an error",
            Self::Wrong => "answers with other data",
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
            Self::Right => "answers right",
            Self::Unknown => "could not be asked",
            Self::Failing => "Service: some requests fail",
            Self::Down => "Service: every request fails",
        }
    }
}
