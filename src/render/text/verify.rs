//! What every replica answered, as a table.

use crate::exit::Outcome;
use crate::object::ObjectRef;
use crate::render::line::{Level, Line, Tone};
use crate::render::table::{Cell, Column, Table};
use crate::render::words::short_digest;
use crate::report::{AnswerGroup, Certainty, Endpoint, Problem, ReplicaAnswer, VerifyReport};

/// Rows that say the same are shown up to this many.
const SAME_ROWS: usize = 10;

/// A verification whose table is not shown yet.
///
/// A table is shown once something else happens: a verification that is repeated until the pods
/// have had their moment to begin answering is shown with its last answers only.
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
    moment: Option<&'static str>,
}

impl VerifyLines {
    /// A verification begins; in a run with several ones, `moment` says which it is.
    pub(super) fn begin(
        &mut self,
        object: &ObjectRef,
        endpoints: &[Endpoint],
        replicas: u32,
        moment: Option<&'static str>,
    ) {
        self.answers.clear();
        self.asked = Some(Asked {
            object: object.clone(),
            endpoints: endpoints.to_vec(),
            replicas,
            moment,
        });
    }

    /// An answer arrived.
    pub(super) fn answered(&mut self, answer: &ReplicaAnswer) {
        self.answers.push(answer.clone());
    }

    /// The answers so far, unless they have been shown.
    pub(super) fn table(&mut self, width: usize) -> Vec<Line> {
        let answers = std::mem::take(&mut self.answers);
        let Some(asked) = self.asked.take().filter(|_| !answers.is_empty()) else {
            return Vec::new();
        };
        let Asked {
            object,
            endpoints,
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
        let question = format!("{} of every replica of {object}", questions.join(", "));
        let mut lines = vec![heading.with(Tone::Faint, question)];
        let report = VerifyReport::new(object, endpoints, answers, Vec::new());
        lines.extend(answer_table(&report, width));
        lines
    }
}

impl VerifyLines {
    /// As [`Self::table`], in one line when every replica gave the same right answer, and in none
    /// when other lines say so already.
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
    let mut table = Table::new(&[
        column("POD", 0),
        column("STATUS", 2),
        column("BYTES", 3),
        column("SHA256", 1),
        column("LATENCY", 4),
        column("ANSWER", 0),
    ]);
    let mut same = 0;
    for answer in &report.replicas {
        let is_same = answer.error.is_none() && report.groups.len() == 1;
        same += usize::from(is_same);
        if !is_same || same <= SAME_ROWS {
            table.row(answer_row(answer, &report.groups));
        }
    }
    let mut lines = table.lines(Level::Result, width);
    if same > SAME_ROWS {
        let hidden = same - SAME_ROWS;
        lines.push(Line::said(Level::Result).with(
            Tone::Faint,
            format!("… and {hidden} more with the same answer"),
        ));
    }
    lines
}

fn answer_row(answer: &ReplicaAnswer, groups: &[AnswerGroup]) -> Vec<Cell> {
    let plain = |text: Option<String>| (Tone::Plain, text.unwrap_or_else(|| "-".to_owned()));
    vec![
        (Tone::Strong, answer.pod.clone()),
        plain(answer.status.map(|status| status.to_string())),
        plain(answer.bytes.map(|bytes| bytes.to_string())),
        plain(
            answer
                .sha256
                .as_deref()
                .map(|sha256| short_digest(sha256).to_owned()),
        ),
        plain(answer.latency_ms.map(|latency| format!("{latency} ms"))),
        judged(answer, groups),
    ]
}

/// The replica's answer in a few words; the findings below the table say it in full.
fn judged(answer: &ReplicaAnswer, groups: &[AnswerGroup]) -> Cell {
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
        (Some(_), [only]) if only.ordinals.len() == 1 => (Tone::Good, "✓ answered".to_owned()),
        (Some(_), [_]) => (Tone::Good, "✓ same".to_owned()),
        (Some(position), _) => (Tone::Bad, format!("✗ differs ({})", letter(position))),
    }
}

/// A name for one of several answers: none of them is known to be the right one.
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
        Problem::WrongStatus { status } => format!("status {status}"),
        Problem::Empty => "empty".to_owned(),
        Problem::ChangedMeanwhile { .. } => "changed meanwhile".to_owned(),
        Problem::Incomplete { .. } => "incomplete".to_owned(),
        Problem::TooLarge { .. } => "too large".to_owned(),
        Problem::NoAnswer { .. } => "no answer".to_owned(),
        Problem::NotAsked { .. } => "not asked".to_owned(),
    }
}
