//! The answers of every replica as a table.

use crate::exit::Outcome;
use crate::figures::{short_digest, took};
use crate::object::ObjectRef;
use crate::render::terminal::line::{Level, Line, Tone};
use crate::render::terminal::table::{Cell, Column, Table};
use crate::report::{
    AnswerGroup, Certainty, Contents, Endpoint, Evidence, Problem, ReplicaAnswer, VerifyReport,
    replicas_in_words,
};

/// At most this many equal rows are shown.
const SAME_ROWS: usize = 10;

/// At most this many findings are shown.
const FINDINGS: usize = 10;

/// A verification whose table is not shown yet.
///
/// A table is shown when the next event comes: a verification that is repeated until the pods answer is
/// shown only with its last answers.
#[derive(Debug, Default)]
pub(super) struct VerifyLines {
    asked: Option<Asked>,
    answers: Vec<ReplicaAnswer>,
}

#[derive(Debug)]
struct Asked {
    object: ObjectRef,
    endpoints: Vec<Endpoint>,
    replicas: u32,
    may_differ: Vec<Endpoint>,
    moment: Option<&'static str>,
}

impl VerifyLines {
    /// Starts a verification; in a run with several, `moment` says which one it is.
    pub(super) fn begin(
        &mut self,
        object: &ObjectRef,
        endpoints: &[Endpoint],
        may_differ: &[Endpoint],
        replicas: u32,
        moment: Option<&'static str>,
    ) {
        self.answers.clear();
        self.asked = Some(Asked {
            object: object.clone(),
            endpoints: endpoints.to_vec(),
            replicas,
            may_differ: may_differ.to_vec(),
            moment,
        });
    }

    /// Records an answer, which replaces an earlier one of the same replica.
    pub(super) fn answered(&mut self, answer: &ReplicaAnswer) {
        let is_same = |known: &&mut ReplicaAnswer| {
            known.pod == answer.pod && known.endpoint == answer.endpoint
        };
        match self.answers.iter_mut().find(is_same) {
            Some(known) => *known = answer.clone(),
            None => self.answers.push(answer.clone()),
        }
    }

    /// The answers so far, unless they were already shown.
    pub(super) fn table(&mut self, width: usize) -> Vec<Line> {
        let answers = std::mem::take(&mut self.answers);
        let Some(asked) = self.asked.take().filter(|_| !answers.is_empty()) else {
            return Vec::new();
        };
        let Asked {
            object,
            endpoints,
            may_differ,
            moment,
            ..
        } = asked;
        let heading = Line::said(Level::Result);
        let heading = match moment {
            Some(moment) => heading.with(Tone::Strong, moment).text(": "),
            None => heading,
        };
        let questions: Vec<String> = endpoints
            .iter()
            .map(|Endpoint { port, path }| format!("GET {path} on port {port}"))
            .collect();
        let question = format!("{} from every replica of {object}", questions.join(", "));
        let mut lines = vec![heading.with(Tone::Faint, question)];
        let report = VerifyReport::weigh(Evidence {
            object,
            endpoints,
            may_differ,
            replicas: answers,
            findings: Vec::new(),
            notes: Vec::new(),
            contents: &Contents::default(),
            shows_content: false,
            baseline: None,
        });
        lines.extend(answer_table(&report, width));
        lines
    }
}

impl VerifyLines {
    /// Like [`Self::table`], but one line if every replica gave the same right answer, or none if other
    /// lines say so already.
    pub(super) fn brief(&mut self, width: usize, is_said: bool) -> Vec<Line> {
        let Some(asked) = &self.asked else {
            return Vec::new();
        };
        let expected = asked.endpoints.len() * usize::try_from(asked.replicas).unwrap_or(0);
        let report = VerifyReport::new(
            asked.object.clone(),
            asked.endpoints.clone(),
            self.answers.clone(),
            Vec::new(),
        );
        if report.verdict != Outcome::Success || self.answers.len() != expected {
            return self.table(width);
        }
        let moment = asked.moment.unwrap_or_default();
        self.asked = None;
        self.answers.clear();
        if is_said {
            return Vec::new();
        }
        let line = Line::said(Level::Progress).with(Tone::Strong, moment);
        vec![line.text(format!(": {}", report.summary))]
    }
}

fn answer_table(report: &VerifyReport, width: usize) -> Vec<Line> {
    let column = |title, importance| Column { title, importance };
    let has_paths = report.endpoints.len() > 1;
    let mut columns = vec![column("POD", 0)];
    if has_paths {
        columns.push(column("ENDPOINT", 1));
    }
    columns.extend([
        column("STATUS", 2),
        column("BYTES", 3),
        column("SHA256", 1),
        column("LATENCY", 4),
        column("ANSWER", 0),
    ]);
    let mut table = Table::new(&columns);
    let mut same = 0;
    for answer in &report.replicas {
        let groups = groups_of(report, &answer.endpoint);
        let is_free = report.may_differ.contains(&answer.endpoint);
        let is_same = answer.error.is_none() && (groups.len() == 1 || is_free);
        same += usize::from(is_same);
        if is_same && same > SAME_ROWS {
            continue;
        }
        let judged = judged(answer, &groups, is_free);
        let mut row = answer_row(answer, judged);
        if has_paths {
            let Endpoint { port, path } = &answer.endpoint;
            row.insert(1, (Tone::Plain, format!(":{port}{path}")));
        }
        table.row(row);
    }
    let mut lines = table.lines(Level::Result, width);
    if same > SAME_ROWS {
        let hidden = same - SAME_ROWS;
        let words = if has_paths || !report.may_differ.is_empty() {
            "with a right answer"
        } else {
            "with the same answer"
        };
        lines.push(
            Line::said(Level::Result).with(Tone::Faint, format!("… and {hidden} more {words}")),
        );
    }
    lines
}

fn groups_of<'a>(report: &'a VerifyReport, endpoint: &Endpoint) -> Vec<&'a AnswerGroup> {
    let groups = report.groups.iter();
    groups.filter(|group| group.endpoint == *endpoint).collect()
}

fn answer_row(answer: &ReplicaAnswer, judged: Cell) -> Vec<Cell> {
    let plain = |text: Option<String>| (Tone::Plain, text.unwrap_or_else(|| "-".to_owned()));
    vec![
        (Tone::Strong, answer.pod.clone()),
        plain(answer.status.map(|status| status.to_string())),
        plain(answer.bytes.map(|bytes| bytes.to_string())),
        plain(
            answer
                .compared()
                .map(|sha256| short_digest(sha256).to_owned()),
        ),
        plain(answer.latency_ms.map(took)),
        judged,
    ]
}

/// The replica's answer in a few words; the findings below the table have the details.
fn judged(answer: &ReplicaAnswer, groups: &[&AnswerGroup], is_free: bool) -> Cell {
    if let Some(problem) = &answer.error {
        let words = short_words(problem);
        return match problem.certainty() {
            Certainty::Wrong => (Tone::Bad, format!("✗ {words}")),
            Certainty::Unknown => (Tone::Doubt, format!("? {words}")),
        };
    }
    let position = groups
        .iter()
        .position(|group| group.ordinals.contains(&answer.ordinal));
    match (position, groups) {
        (None, _) => (Tone::Doubt, "? not counted".to_owned()),
        (Some(_), _) if is_free => (Tone::Good, "✓ answered".to_owned()),
        (Some(_), [only]) if only.ordinals.len() == 1 => (Tone::Good, "✓ answered".to_owned()),
        (Some(_), [_]) => (Tone::Good, "✓ same".to_owned()),
        (Some(position), _) => (Tone::Bad, format!("✗ differs ({})", letter(position))),
    }
}

/// The part of a report below its summary: findings, excerpts of the contents if they may be shown, and
/// notes.
pub(super) fn details(report: &VerifyReport, level: Level) -> Vec<Line> {
    let mut lines = Vec::new();
    for finding in report.findings.iter().take(FINDINGS) {
        lines.push(Line::said(level).text(format!("  - {}", finding.message)));
    }
    let hidden = report.findings.len().saturating_sub(FINDINGS);
    if hidden > 0 {
        lines.push(Line::said(level).with(Tone::Faint, format!("  … and {hidden} more")));
    }
    for group in report.groups.iter().take(FINDINGS) {
        if let Some(excerpt) = &group.excerpt {
            let who = replicas_in_words(&group.ordinals);
            let text = format!("  {who} {}", excerpt.words());
            lines.push(Line::said(level).text(text));
        }
    }
    for note in &report.notes {
        lines.push(Line::said(level).with(Tone::Faint, format!("  note: {note}")));
    }
    lines
}

/// The line about a changed outcome of a repeated verification.
pub(super) fn round(number: u32, verdict: Outcome, summary: &str) -> Line {
    let mark = match verdict {
        Outcome::Success => (Tone::Good, "✓"),
        Outcome::Unhealthy | Outcome::Different => (Tone::Bad, "✗"),
        Outcome::Undecided => (Tone::Doubt, "?"),
    };
    Line::said(Level::Result)
        .with(mark.0, mark.1)
        .text(format!(" round {number}: {summary}"))
}

/// A letter for each of several different answers, because none is known to be the right one.
fn letter(position: usize) -> String {
    u8::try_from(position)
        .ok()
        .filter(|&position| position < 26)
        .map_or_else(
            || format!("#{position}"),
            |position| char::from(b'A' + position).to_string(),
        )
}

fn short_words(problem: &Problem) -> String {
    match problem {
        Problem::Missing => "no pod".to_owned(),
        Problem::NotOwned => "foreign pod".to_owned(),
        Problem::Terminating => "terminating".to_owned(),
        Problem::NotRunning { state } => state.clone(),
        Problem::NotListening => "nothing listens".to_owned(),
        Problem::WrongStatus { status, .. } => format!("status {status}"),
        Problem::Empty => "empty".to_owned(),
        Problem::NotMatching { .. } => "does not match".to_owned(),
        Problem::WrongDigest { .. } => "unexpected data".to_owned(),
        Problem::WrongContentType { .. } => "unexpected content type".to_owned(),
        Problem::TooSlow { .. } => "too slow".to_owned(),
        Problem::NotReady => "not Ready".to_owned(),
        Problem::NotProven { .. } => "proves nothing".to_owned(),
        Problem::ChangedMeanwhile { .. } => "changed".to_owned(),
        Problem::Incomplete { .. } => "incomplete".to_owned(),
        Problem::TooLarge { .. } => "too large".to_owned(),
        Problem::NoAnswer { .. } => "no answer".to_owned(),
        Problem::NotAsked { .. } => "not checked".to_owned(),
    }
}
