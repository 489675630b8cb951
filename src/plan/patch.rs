//! A unified diff of two states of an object, as YAML with sorted keys. A changed line says who owns the
//! field now.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;
use similar::{Change, ChangeTag, TextDiff};

use super::blame::lines;
use super::{mask, normalise, yaml};
use crate::cluster::ResourceKind;
use crate::fields::{FieldChange, Ownership, changes};
use crate::object::ObjectRef;
use crate::report::BlamedLine;

/// Lines of context around a change, as `diff -u` has it.
const CONTEXT: usize = 3;

/// Two states of an object as they are compared, with Secret values masked.
pub(super) struct Comparison {
    live: Option<Value>,
    planned: Value,
}

impl Comparison {
    pub(super) fn new(kind: &ResourceKind, live: Option<&Value>, planned: &Value) -> Self {
        let mut planned = normalise::without_noise(planned, kind);
        let mut live = live.map(|live| normalise::without_noise(live, kind));
        mask::secrets(live.as_mut(), &mut planned);
        Self { live, planned }
    }

    /// The fields that differ; none for an object that is created.
    pub(super) fn changes(&self, ownership: &Ownership) -> Vec<FieldChange> {
        match &self.live {
            Some(live) => changes(live, &self.planned, ownership),
            None => Vec::new(),
        }
    }

    /// The unified diff from live to planned; empty if the desired states are the same.
    pub(super) fn unified(&self, object: &ObjectRef, ownership: &Ownership) -> String {
        let before = self.live.as_ref().map(yaml::text).unwrap_or_default();
        let after = yaml::text(&self.planned);
        let annotations = self.annotations(&before, &after, ownership);
        let name = match &object.namespace {
            Some(namespace) => format!("{namespace}/{object}"),
            None => object.to_string(),
        };
        let diff = TextDiff::from_lines(&before, &after);
        let mut unified = diff.unified_diff();
        let mut text = String::new();
        for hunk in unified.context_radius(CONTEXT).iter_hunks() {
            if text.is_empty() {
                text = format!("--- live/{name}\n+++ planned/{name}\n");
            }
            let changes: Vec<_> = hunk.iter_changes().collect();
            let long_texts = annotations.long_texts(&changes);
            let removed = annotations.removed(&changes);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}{long_texts}", hunk.header());
            for change in &changes {
                let content = change.value().trim_end_matches('\n');
                let _ = write!(text, "{}{content}", change.tag());
                if let Some(comment) = annotations.comment(change, &removed) {
                    let _ = write!(text, "  # {comment}");
                }
                text.push('\n');
            }
        }
        text
    }

    /// An object that is created has no owners yet.
    fn annotations(&self, before: &str, after: &str, ownership: &Ownership) -> Annotations {
        let Some(live) = &self.live else {
            return Annotations::default();
        };
        let before = lines(live, before, ownership);
        Annotations {
            existing: before.iter().map(|line| line.field.clone()).collect(),
            before,
            after: lines(&self.planned, after, ownership),
        }
    }
}

/// Who owns the fields on the lines of a diff.
#[derive(Default)]
struct Annotations {
    before: Vec<BlamedLine>,
    after: Vec<BlamedLine>,
    /// The fields of the live object.
    existing: BTreeSet<String>,
}

impl Annotations {
    /// The line that a change removes or adds.
    fn line(&self, change: &Change<&str>) -> Option<&BlamedLine> {
        match change.tag() {
            ChangeTag::Delete => self.before.get(change.old_index()?),
            ChangeTag::Insert => self.after.get(change.new_index()?),
            ChangeTag::Equal => None,
        }
    }

    /// The fields of which a hunk removes lines.
    fn removed(&self, hunk: &[Change<&str>]) -> BTreeSet<&str> {
        let removed = hunk.iter().filter(|it| it.tag() == ChangeTag::Delete);
        let removed = removed.filter_map(|change| self.line(change));
        removed.map(|line| line.field.as_str()).collect()
    }

    /// The owners of the field that starts on a line. An added line says it only where no removed one
    /// does: where the value of a field that exists gets longer.
    fn comment(&self, change: &Change<&str>, removed: &BTreeSet<&str>) -> Option<String> {
        let line = self.line(change).filter(|line| line.starts_a_field())?;
        let is_said = removed.contains(line.field.as_str()) || !self.existing.contains(&line.field);
        (change.tag() == ChangeTag::Delete || !is_said).then(|| line.owners_in_words())
    }

    /// The long texts of which a hunk changes only a part, for its first line: inside a text, a comment
    /// would read as a part of it.
    fn long_texts(&self, hunk: &[Change<&str>]) -> String {
        let changed = hunk.iter().filter_map(|change| self.line(change));
        let (within, starting): (Vec<_>, Vec<_>) = changed.partition(|line| line.continues);
        let is_said = |line: &&BlamedLine| starting.iter().any(|start| start.field == line.field);
        let within = within.into_iter().filter(|line| !is_said(line));
        let mut texts: Vec<String> = within
            .map(|line| format!(" {}: {}", line.field, line.owners_in_words()))
            .collect();
        texts.dedup();
        texts.concat()
    }
}
