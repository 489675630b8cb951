//! The diff: data, on standard output.

use crate::action::Action;
use crate::exit::Outcome;
use crate::fields::{Owner, UndeclaredField};
use crate::figures::count;
use crate::object::ObjectRef;
use crate::render::terminal::line::{Line, Tone};
use crate::report::{BlamedLine, DiffReport, DiffView, ObjectDiff};

/// At most this many changed fields of an object are named in one line.
const NAMED_FIELDS: usize = 3;

/// The objects in the view that was asked for, and their undeclared fields.
pub(super) fn lines(report: &DiffReport) -> Vec<Line> {
    let objects = report.objects.iter();
    let shown = objects.flat_map(|object| match report.view {
        DiffView::Patch if object.action == Action::Delete => vec![brief(object)],
        DiffView::Patch => patch(object),
        DiffView::Brief => vec![brief(object)],
        DiffView::Blame => blame(object),
    });
    shown
        .chain(report.objects.iter().flat_map(undeclared))
        .chain(report.dropped.iter().map(dropped))
        .collect()
}

/// A patch, line by line, in diff colours.
fn patch(object: &ObjectDiff) -> Vec<Line> {
    object
        .patch
        .lines()
        .map(|line| match line.rsplit_once("  # ") {
            Some((field, owners)) if line.starts_with(['-', '+']) => Line::data()
                .with(tone(line), field)
                .with(Tone::Faint, format!("  # {owners}")),
            _ => Line::data().with(tone(line), line),
        })
        .collect()
}

fn tone(line: &str) -> Tone {
    if line.starts_with("+++ ") || line.starts_with("--- ") {
        return Tone::Strong;
    }
    match line.as_bytes().first() {
        Some(b'+') => Tone::Good,
        Some(b'-') => Tone::Bad,
        Some(b'@') => Tone::Position,
        _ => Tone::Plain,
    }
}

/// What would become of an object, in one line.
fn brief(object: &ObjectDiff) -> Line {
    let (tone, word) = match object.action {
        Action::Create => (Tone::Good, "to create"),
        Action::Change => (Tone::Doubt, "to change"),
        Action::Replace => (Tone::Bad, "to replace"),
        Action::Delete => (Tone::Bad, "to delete"),
        Action::Own => (Tone::Faint, "to adopt"),
        Action::Release => (Tone::Faint, "to release"),
        Action::Keep => (Tone::Faint, "unchanged"),
    };
    let line = Line::data().with(Tone::Strong, object.object.to_string());
    let line = line.text(" ").with(tone, word);
    if object.changes.is_empty() {
        return line;
    }
    let names = object.changes.iter().take(NAMED_FIELDS);
    let names: Vec<&str> = names.map(|change| change.field.as_str()).collect();
    let more = match object.changes.len().saturating_sub(NAMED_FIELDS) {
        0 => String::new(),
        more => format!(" and {}", count(more, "other field")),
    };
    line.text(format!(": {}{more}", names.join(", ")))
}

/// A live object with the owners of its fields in front of each line.
fn blame(object: &ObjectDiff) -> Vec<Line> {
    let owners: Vec<String> = object.blame.iter().map(owners).collect();
    let width = owners.iter().map(|name| name.chars().count()).max();
    let width = width.unwrap_or_default();
    let head = match (&object.object.namespace, object.action) {
        (_, Action::Create) => format!("# {} does not exist", object.object),
        (Some(namespace), _) => format!("# {} in namespace {namespace}", object.object),
        (None, _) => format!("# {}", object.object),
    };
    let head = Line::data().with(Tone::Strong, head);
    let rows = object.blame.iter().zip(owners).map(|(line, owners)| {
        let place = format!("{owners:width$}  ");
        Line::data().with(Tone::Faint, place).text(&line.text)
    });
    std::iter::once(head).chain(rows).collect()
}

fn owners(line: &BlamedLine) -> String {
    if line.starts_a_field() {
        line.owners_in_words()
    } else {
        String::new()
    }
}

/// The undeclared fields of an object, each manager's together.
fn undeclared(object: &ObjectDiff) -> Vec<Line> {
    let mut fields: Vec<&UndeclaredField> = object.undeclared.iter().collect();
    if fields.is_empty() {
        return Vec::new();
    }
    fields.sort_by_cached_key(|field| Owner::short_list(&field.owners));
    let head = format!("undeclared in {}", object.object);
    let head = Line::data().with(Tone::Strong, head);
    let rows = fields.into_iter().map(|field| {
        let value = field.live_text().map(|live| format!(" = {live}"));
        let value = value.unwrap_or_default();
        let row = Line::data().with(
            Tone::Doubt,
            format!("  {}", Owner::short_list(&field.owners)),
        );
        row.text(format!(": {}{value}", field.field))
    });
    std::iter::once(head).chain(rows).collect()
}

/// An object that the manifests no longer contain.
fn dropped(object: &ObjectRef) -> Line {
    let line = Line::data().with(Tone::Strong, object.to_string());
    let place = object.namespace.as_ref();
    let place = place.map_or_else(String::new, |name| format!(" in namespace {name}"));
    line.text(place)
        .with(Tone::Doubt, " is no longer in the manifests")
}

/// The number of objects for each action, and of undeclared fields.
pub(super) fn counts(report: &DiffReport) -> String {
    let number = |action| {
        report
            .objects
            .iter()
            .filter(|object| object.action == action)
            .count()
    };
    let parts = [
        (number(Action::Create), "to create"),
        (number(Action::Change), "to change"),
        (number(Action::Replace), "to replace"),
        (number(Action::Delete), "to delete"),
        (
            number(Action::Own),
            "unchanged but not yet owned by cryptoctl",
        ),
        (
            number(Action::Release),
            "unchanged with fields to be released",
        ),
        (number(Action::Keep), "unchanged"),
    ];
    let said = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, words)| format!("{number} {words}"));
    let undeclared: usize = report.objects.iter().map(|it| it.undeclared.len()).sum();
    let undeclared = (undeclared > 0).then(|| count(undeclared, "undeclared field"));
    let dropped = report.dropped.len();
    let dropped = (dropped > 0).then(|| format!("{dropped} no longer in the manifests"));
    let said: Vec<String> = said.chain(undeclared).chain(dropped).collect();
    let said = said.join(", ");
    match report.outcome() {
        _ if report.objects.is_empty() => "nothing to compare".to_owned(),
        Outcome::Success => format!("no difference: {said}"),
        _ => said,
    }
}
