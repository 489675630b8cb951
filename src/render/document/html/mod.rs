//! One self-contained page for people, without network access or scripts.

mod answers;
mod card;
mod evidence;
mod figures;
mod phases;
mod pieces;
mod setup;
mod timeline;

pub(super) use self::pieces::{HEIGHT, PATTERNS};

use super::markup::Markup;
use super::story::Story;
use crate::figures::{times, took};

const STYLE: &str = include_str!("style.css");

/// The page itself forbids the browser to load or run anything.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// The page.
pub(super) fn document(story: &Story<'_>) -> String {
    let mut markup = Markup::default();
    let verdict = story.verdict();
    markup
        .raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .raw("<meta http-equiv=\"Content-Security-Policy\" content=\"")
        .raw(POLICY)
        .raw("\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        .raw("<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n<title>")
        .text(format_args!("{}: {}", verdict.word, subject(story)))
        .raw("</title>\n<style>\n")
        .raw(STYLE)
        .raw("</style>\n</head>\n<body>\n<svg class=\"defs\" aria-hidden=\"true\">")
        .raw(PATTERNS)
        .raw("</svg>\n");
    card::card(&mut markup, story);
    markup.raw("<main>\n");
    if story.is_experiment() {
        phases::section(&mut markup, story);
        timeline::section(&mut markup, story);
        figures::section(&mut markup, story);
        setup::section(&mut markup, story);
        evidence::section(&mut markup, story);
    } else {
        answers::section(&mut markup, story);
    }
    findings(&mut markup, story);
    markup.raw("</main>\n");
    footer(&mut markup, story);
    markup.raw("</body>\n</html>\n");
    markup.to_string()
}

fn subject(story: &Story<'_>) -> String {
    match story.object {
        Some(object) => format!("{} of {object}", story.command),
        None => story.command.to_owned(),
    }
}

/// The notes.
fn findings(markup: &mut Markup, story: &Story<'_>) {
    let mut items: Vec<String> = Vec::new();
    if let Some(report) = story.chaos() {
        items.extend(report.observed.not_restored.iter().cloned());
    }
    if let Some(report) = story.verification() {
        items.extend(report.notes.iter().cloned());
        items.extend(report.rounds.as_ref().map(|rounds| {
            format!(
                "it was verified {}: {} right, {} wrong, {} undecided; the answer changed {}",
                times(rounds.count as usize),
                rounds.success,
                rounds.unhealthy,
                rounds.undecided,
                times(rounds.changes as usize)
            )
        }));
    }
    items.extend(story.warnings.iter().map(|warning| (*warning).to_owned()));
    if !story.silences.is_empty() {
        let silent: u64 = story
            .silences
            .iter()
            .map(|(from, until)| until - from)
            .sum();
        items.push(format!(
            "the API server was unresponsive for {} in total; changes in that time were seen late or not at all",
            took(silent)
        ));
    }
    if let Some(error) = story.end.error.as_ref() {
        items.extend(error.hints.iter().map(|hint| format!("hint: {hint}")));
    }
    if items.is_empty() {
        return;
    }
    markup.raw("<section>\n<h2>Notes</h2>\n<ul>");
    for item in items {
        markup.raw("<li>").prose(item).raw("</li>");
    }
    markup.raw("</ul>\n</section>\n");
}

fn footer(markup: &mut Markup, story: &Story<'_>) {
    markup.raw("<footer class=\"faint\">\n<p>Written by cryptoctl");
    if let Some(run) = story.run {
        markup.raw(" ").text(&run.version);
    }
    markup
        .raw(" from the recorded events of one run of <code>")
        .text(story.command)
        .raw("</code>, which ended with the status “")
        .raw(story.end.status.name())
        .raw("” (exit code ")
        .text(story.end.exit_code)
        .raw("). All times come from one clock and count from the start of the run unless stated otherwise.</p>\n</footer>\n");
}
