//! JUnit XML for build services: a proven problem is a failure, an undecided one an error, a check that
//! did not run is skipped. The last case is the verdict itself, so a build is green only if the exit
//! status is success.

mod chaos;
mod verify;

use maud::{Markup, PreEscaped, html};

use super::story::Story;
use super::text::Text;
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
    let number = |is: fn(&CaseResult) -> bool| cases.iter().filter(|case| is(&case.result)).count();
    let failures = number(|result| matches!(result, CaseResult::Failed(_)));
    let errors = number(|result| matches!(result, CaseResult::Undecided(_)));
    let skipped = number(|result| matches!(result, CaseResult::Skipped(_)));
    let time = seconds(story.took_ms);
    let tests = cases.len();
    let subject = story
        .object
        .map_or_else(|| story.command.to_owned(), ToString::to_string);
    let document = html! {
        (PreEscaped("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"))
        testsuites
            name={ "cryptoctl " (Text(story.command)) }
            tests=(tests) failures=(failures) errors=(errors) skipped=(skipped) time=(time)
        {
            "\n"
            testsuite
                name=(Text(subject))
                tests=(tests) failures=(failures) errors=(errors) skipped=(skipped) time=(time)
                timestamp=(story.began)
            {
                "\n" (properties(story))
                @for case in &cases { (element(story, case)) "\n" }
            }
            "\n"
        }
        "\n"
    };
    document.into_string()
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

fn properties(story: &Story<'_>) -> Markup {
    let Some(run) = story.run else {
        return html! {};
    };
    // Journals of older versions hold the default namespace here, so the workload's comes first.
    let of_object = story.object.and_then(|object| object.namespace.as_deref());
    let properties = [
        ("version", run.version.as_str()),
        ("context", run.context.as_deref().unwrap_or_default()),
        ("server", run.server.as_str()),
        ("namespace", of_object.unwrap_or(&run.namespace)),
    ];
    html! {
        properties {
            @for (name, value) in properties.into_iter().filter(|(_, value)| !value.is_empty()) {
                property name=(name) value=(Text(value)) {}
            }
        }
        "\n"
    }
}

fn element(story: &Story<'_>, case: &Case) -> Markup {
    let class = format!("cryptoctl.{}.{}", story.command, case.group);
    let result = match &case.result {
        CaseResult::Passed => html! {},
        CaseResult::Skipped(reason) => html! { skipped message=(Text(reason)) {} },
        CaseResult::Failed(reasons) => html! {
            failure type="wrong" message=(first(reasons)) { (lines(reasons)) }
        },
        CaseResult::Undecided(reasons) => html! {
            error type="undecided" message=(first(reasons)) { (lines(reasons)) }
        },
    };
    html! {
        testcase
            classname=(Text(class))
            name=(Text(&case.name))
            time=(seconds(case.took_ms.unwrap_or(0)))
        {
            (result)
        }
    }
}

fn first(reasons: &[String]) -> Text<&str> {
    Text(reasons.first().map_or("", String::as_str))
}

fn lines(reasons: &[String]) -> Markup {
    html! {
        @for (index, reason) in reasons.iter().enumerate() {
            @if index > 0 { "\n" }
            (Text(reason))
        }
    }
}

/// Seconds with three decimals, as the format requires.
fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}
