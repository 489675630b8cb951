//! JUnit XML for build services: a proven problem is a failure, an undecided one an error, a check that
//! did not run is skipped. The last case is the verdict itself, so a build is green only if the exit
//! status is success.

mod chaos;
mod verify;

use super::markup::Markup;
use super::story::Story;
use crate::exit::{ExitStatus, Outcome};
use crate::report::{Certainty, ReplicaAnswer};

/// One test case.
#[derive(Debug, PartialEq, Eq)]
struct Case {
    /// Its group, the class name.
    group: &'static str,
    /// The claim that it checks.
    name: String,
    /// The measured duration in milliseconds, if it measures one.
    took_ms: Option<u64>,
    /// The result.
    result: CaseResult,
}

#[derive(Debug, PartialEq, Eq)]
enum CaseResult {
    /// The claim is proven.
    Passed,
    /// The claim is proven wrong, with the reasons.
    Failed(Vec<String>),
    /// The claim is undecided, with the reasons.
    Undecided(Vec<String>),
    /// The check did not run, with the reason.
    Skipped(String),
}

impl Case {
    fn new(group: &'static str, name: impl Into<String>, result: CaseResult) -> Self {
        Self {
            group,
            name: name.into(),
            took_ms: None,
            result,
        }
    }

    fn taking(self, took_ms: Option<u64>) -> Self {
        Self { took_ms, ..self }
    }
}

impl CaseResult {
    /// The result for an outcome.
    fn of(outcome: Outcome, reasons: Vec<String>) -> Self {
        match outcome {
            Outcome::Success => Self::Passed,
            Outcome::Unhealthy => Self::Failed(reasons),
            Outcome::Undecided | Outcome::Different => Self::Undecided(reasons),
        }
    }
}

/// The file.
pub(super) fn document(story: &Story<'_>) -> String {
    let mut cases = match (story.chaos(), story.verification()) {
        (Some(report), _) => chaos::cases(report),
        (_, Some(report)) => verify::cases(report),
        (None, None) => story
            .answers
            .iter()
            .map(|answer| of_answer("answers", answer))
            .collect(),
    };
    cases.push(verdict(story));
    let mut markup = Markup::default();
    markup.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    attributes(
        &mut markup,
        story,
        &cases,
        &format!("cryptoctl {}", story.command),
    );
    markup.raw(">\n  <testsuite");
    let subject = story
        .object
        .map_or_else(|| story.command.to_owned(), ToString::to_string);
    attributes(&mut markup, story, &cases, &subject);
    markup.raw(" timestamp=\"").text(story.began).raw("\">\n");
    properties(&mut markup, story);
    for case in &cases {
        write(&mut markup, story, case);
    }
    markup.raw("  </testsuite>\n</testsuites>\n");
    markup.to_string()
}

/// The verdict of the whole run as one case, from its exit status.
fn verdict(story: &Story<'_>) -> Case {
    let reasons = || {
        let headline = story.verdict().word;
        let mut reasons = vec![format!("{headline}: {}", story.sentence())];
        reasons.extend(story.reasons());
        reasons
    };
    let result = match story.end.status {
        ExitStatus::Success => CaseResult::Passed,
        ExitStatus::Unhealthy => CaseResult::Failed(reasons()),
        _ => CaseResult::Undecided(reasons()),
    };
    Case::new("verdict", format!("verdict of {}", story.command), result)
        .taking(Some(story.took_ms))
}

/// The answer of one replica at one endpoint.
fn of_answer(group: &'static str, answer: &ReplicaAnswer) -> Case {
    let name = format!(
        "{} answers GET {} on port {}",
        answer.pod, answer.endpoint.path, answer.endpoint.port
    );
    let result = match &answer.error {
        None => CaseResult::Passed,
        Some(problem) => {
            let words = vec![format!("{} {}", answer.pod, problem.words())];
            match problem.certainty() {
                Certainty::Wrong => CaseResult::Failed(words),
                Certainty::Unknown => CaseResult::Undecided(words),
            }
        }
    };
    Case::new(group, name, result).taking(answer.latency_ms)
}

fn attributes(markup: &mut Markup, story: &Story<'_>, cases: &[Case], name: &str) {
    let number = |is: fn(&CaseResult) -> bool| cases.iter().filter(|case| is(&case.result)).count();
    markup.raw(" name=\"").text(name);
    markup.raw("\" tests=\"").text(cases.len());
    let failures = number(|result| matches!(result, CaseResult::Failed(_)));
    markup.raw("\" failures=\"").text(failures);
    let errors = number(|result| matches!(result, CaseResult::Undecided(_)));
    markup.raw("\" errors=\"").text(errors);
    let skipped = number(|result| matches!(result, CaseResult::Skipped(_)));
    markup.raw("\" skipped=\"").text(skipped);
    markup
        .raw("\" time=\"")
        .text(seconds(story.took_ms))
        .raw("\"");
}

fn properties(markup: &mut Markup, story: &Story<'_>) {
    let Some(run) = story.run else {
        return;
    };
    // Journals of older versions hold the default namespace here, so the workload's comes first.
    let of_object = story.object.and_then(|object| object.namespace.as_deref());
    let namespace = of_object.unwrap_or(&run.namespace);
    let properties = [
        ("version", run.version.as_str()),
        ("context", run.context.as_deref().unwrap_or_default()),
        ("server", run.server.as_str()),
        ("namespace", namespace),
    ];
    markup.raw("    <properties>\n");
    for (name, value) in properties
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
    {
        markup
            .raw("      <property name=\"")
            .text(name)
            .raw("\" value=\"")
            .text(value)
            .raw("\"/>\n");
    }
    markup.raw("    </properties>\n");
}

fn write(markup: &mut Markup, story: &Story<'_>, case: &Case) {
    markup
        .raw("    <testcase classname=\"")
        .text(format_args!("cryptoctl.{}.{}", story.command, case.group))
        .raw("\" name=\"")
        .text(&case.name)
        .raw("\" time=\"")
        .text(seconds(case.took_ms.unwrap_or(0)));
    match &case.result {
        CaseResult::Passed => {
            markup.raw("\"/>\n");
            return;
        }
        CaseResult::Skipped(reason) => {
            markup
                .raw("\">\n      <skipped message=\"")
                .text(reason)
                .raw("\"/>");
        }
        CaseResult::Failed(reasons) => {
            markup.raw("\">\n      <failure type=\"wrong\" message=\"");
            because(markup, reasons).raw("</failure>");
        }
        CaseResult::Undecided(reasons) => {
            markup.raw("\">\n      <error type=\"undecided\" message=\"");
            because(markup, reasons).raw("</error>");
        }
    }
    markup.raw("\n    </testcase>\n");
}

fn because<'a>(markup: &'a mut Markup, reasons: &[String]) -> &'a mut Markup {
    let first = reasons.first().map_or("", String::as_str);
    markup.text(first).raw("\">");
    for (index, reason) in reasons.iter().enumerate() {
        if index > 0 {
            markup.raw("\n");
        }
        markup.text(reason);
    }
    markup
}

/// Seconds with three decimals, as the format requires.
fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}
