//! The lines about single objects: their writes and their states.

use std::collections::BTreeMap;

use crate::action::Action;
use crate::event::WriteResult;
use crate::fields::{Moved, Owner, Settlement};
use crate::figures::count;
use crate::object::ObjectRef;
use crate::render::terminal::line::{Level, Line, Tone};
use crate::replacement::{self, Adoption, Replacement};
use crate::secret::LAST_APPLIED;
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
        Action::Replace => Some((Tone::Doubt, "replaced")),
        Action::Own => Some((Tone::Faint, "adopted (values unchanged)")),
        Action::Release => Some((Tone::Faint, "released (values unchanged)")),
        Action::Delete => Some((Tone::Bad, "deleted")),
        Action::Keep => None,
    }
}

/// What happens to an object that is replaced or that takes over pods.
pub(super) fn replaced(
    object: &ObjectRef,
    replacement: Option<&Replacement>,
    adoption: Option<&Adoption>,
) -> Option<Line> {
    let text = replacement::words(replacement, adoption)?;
    let line = Line::said(Level::Step).with(Tone::Strong, object.to_string());
    Some(line.text(text))
}

/// What becomes of fields that other managers own, in every object of a set.
pub(super) fn settled<'a>(
    objects: impl Iterator<Item = (&'a ObjectRef, &'a Settlement)>,
) -> Vec<Line> {
    let objects: Vec<_> = objects.collect();
    let together = together(&objects);
    let lines = together.iter().map(|(manager, rows)| {
        let objects = count(rows.len(), "object");
        let line = Line::said(Level::Step).with(Tone::Strong, objects);
        line.text(moving(manager, rows, true))
    });
    let rest = objects
        .iter()
        .flat_map(|(object, settlement)| settled_alone(object, settlement, &together));
    lines.chain(rest).collect()
}

/// Rows of objects whose fields move and that lose none, by manager.
type Together<'a> = BTreeMap<String, Vec<&'a Moved>>;

/// From so many objects on, what moves is said of all of them at once.
const SAID_TOGETHER: usize = 6;

fn together<'a>(objects: &[(&ObjectRef, &'a Settlement)]) -> Together<'a> {
    let mut managers = Together::new();
    let rows = objects.iter().flat_map(|(_, settlement)| &settlement.moved);
    for row in rows.filter(|row| row.removed.is_empty()) {
        managers.entry(row.owner.short()).or_default().push(row);
    }
    managers.retain(|_, rows| rows.len() >= SAID_TOGETHER);
    managers
}

/// What becomes of the fields of one object, but for what is said of all at once.
fn settled_alone(object: &ObjectRef, settlement: &Settlement, together: &Together) -> Vec<Line> {
    let said = |text: String| {
        Line::said(Level::Step)
            .with(Tone::Strong, object.to_string())
            .text(text)
    };
    let moved = settlement.moved.iter().filter_map(|row| {
        let manager = row.owner.short();
        let is_said = row.removed.is_empty() && together.contains_key(&manager);
        (!is_said).then(|| said(moving(&manager, &[row], false)))
    });
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
    let gone = settlement.moved.iter().flat_map(|row| &row.removed);
    let gone = gone.chain(&settlement.reverted).map(|row| {
        let owners = Owner::short_list(&row.owners);
        said(format!(" removes `{}`, which {owners} has set", row.field))
    });
    moved.chain(taken).chain(yielded).chain(gone).collect()
}

/// What moves from a former manager, after one object or several.
fn moving(manager: &str, rows: &[&Moved], are_several: bool) -> String {
    let verb = |one: &'static str, several| if are_several { several } else { one };
    let fields: usize = rows.iter().map(|row| row.fields).sum();
    let text = if fields == 0 {
        format!(" {} over from {manager}", verb("takes", "take"))
    } else {
        let fields = count(fields, "field");
        let moves = verb("moves", "move");
        format!(" {moves} {fields} from {manager} to cryptoctl")
    };
    if rows.iter().any(|row| row.forgets_last_applied) {
        let drops = verb("drops", "drop");
        format!("{text}, and {drops} the annotation `{LAST_APPLIED}`")
    } else {
        text
    }
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
