//! Log lines of the replicas: data on standard output.

use std::collections::BTreeMap;

use crate::render::terminal::line::{Line, Tone};

/// The first container of each pod; its lines need no container name.
#[derive(Debug, Default)]
pub(super) struct LogLines {
    first: BTreeMap<String, String>,
}

impl LogLines {
    /// A line, prefixed with its replica.
    pub(super) fn line(&mut self, pod: &str, ordinal: i32, container: &str, line: &str) -> Line {
        let first = self
            .first
            .entry(pod.to_owned())
            .or_insert_with(|| container.to_owned());
        let source = if first == container {
            pod.to_owned()
        } else {
            format!("{pod}/{container}")
        };
        Line::data()
            .with(Tone::Ordinal(ordinal), source)
            .with(Tone::Faint, " | ")
            .text(line)
    }
}
