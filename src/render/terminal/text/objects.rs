//! The lines about single objects: their writes and their states.

use std::collections::BTreeMap;

use crate::action::Action;
use crate::event::WriteResult;
use crate::fields::{Owner, Settlement};
use crate::object::ObjectRef;
use crate::render::terminal::line::{Level, Line, Tone};
use crate::status::{State, Status};

/// The line about a finished write, in kubectl's words.
pub(super) fn written(object: &ObjectRef, action: Action, result: &WriteResult) -> Option<Line> {
    let name = object.to_string();
    let line = |level| Line::said(level).with(Tone::Strong, &name).text(" ");
    match result {
        WriteResult::Done => done(action).map(|(tone, word)| line(Level::Result).with(tone, word)),
        WriteResult::Refused { reason } => Some(
            line(Level::Problem)
                .with(Tone::Bad, "refused")
                .text(format!(": {reason}")),
        ),
        WriteResult::Unknown { reason } => Some(
            line(Level::Problem)
                .with(Tone::Doubt, "unknown")
                .text(format!(": {reason}")),
        ),
    }
}

/// The action in words; `None` if nothing was done.
pub(super) fn done(action: Action) -> Option<(Tone, &'static str)> {
    match action {
        Action::Create => Some((Tone::Good, "created")),
        Action::Change => Some((Tone::Doubt, "configured")),
        Action::Own => Some((Tone::Faint, "adopted (values unchanged)")),
        Action::Release => Some((Tone::Faint, "released (values unchanged)")),
        Action::Delete => Some((Tone::Bad, "deleted")),
        Action::Keep => None,
    }
}

/// What becomes of fields that other managers own.
pub(super) fn settled(object: &ObjectRef, settlement: &Settlement) -> Vec<Line> {
    let said = |text: String| {
        Line::said(Level::Step)
            .with(Tone::Strong, object.to_string())
            .text(text)
    };
    let taken = settlement.taken.iter().map(|row| {
        let becomes = match (row.live_text(), row.our_text()) {
            (Some(live), Some(ours)) => format!(": {live} becomes {ours}"),
            _ => String::new(),
        };
        said(format!(
            " takes `{}` from {}{becomes}",
            row.field,
            row.owner.short()
        ))
    });
    let yielded = settlement.yielded.iter().map(|row| {
        let stays = row.live_text().map(|live| format!(": it stays {live}"));
        let stays = stays.unwrap_or_default();
        said(format!(
            " leaves `{}` to {}{stays}",
            row.field,
            row.owner.short()
        ))
    });
    let reverted = settlement.reverted.iter().map(|row| {
        let owners = Owner::short_list(&row.owners);
        said(format!(" removes `{}`, which {owners} has set", row.field))
    });
    taken.chain(yielded).chain(reverted).collect()
}

/// The last known state of every object that is waited for.
#[derive(Debug, Default)]
pub(super) struct WaitingLines {
    known: BTreeMap<ObjectRef, Status>,
}

impl WaitingLines {
    /// The line about a state, if it has changed. An object that is ready from the start needs none.
    pub(super) fn lines(&mut self, object: &ObjectRef, status: &Status) -> Option<Line> {
        let before = self.known.insert(object.clone(), status.clone());
        let is_news = match (&before, status.state) {
            (None, State::Ready) | (_, State::NotWaitedFor) => false,
            (None, _) => true,
            (Some(before), _) => before != status,
        };
        is_news.then(|| state_line(object, status, Level::Step))
    }
}

/// An object and its state in words.
pub(super) fn state_line(object: &ObjectRef, status: &Status, level: Level) -> Line {
    let (tone, word) = match status.state {
        State::Ready => (Tone::Good, "ready"),
        State::InProgress => (Tone::Doubt, "waiting"),
        State::Failed => (Tone::Bad, "failed"),
        State::NotWaitedFor => (Tone::Faint, "not waited for"),
    };
    let line = Line::said(level)
        .with(Tone::Strong, object.to_string())
        .text(" ")
        .with(tone, word);
    if status.message.is_empty() {
        line
    } else {
        line.text(format!(": {}", status.message))
    }
}
