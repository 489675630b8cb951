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

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::pieces::list;
use super::story::Story;
use super::text::Text;
use crate::figures::{times, took};

const STYLE: &str = include_str!("style.css");

/// The page itself forbids the browser to load or run anything.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// The page.
pub(super) fn document(story: &Story<'_>) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { (Text(story.verdict().word)) ": " (Text(subject(story))) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                svg.defs aria-hidden="true" { (PreEscaped(PATTERNS)) }
                (card::card(story))
                main {
                    @if story.is_experiment() {
                        (phases::section(story))
                        (timeline::section(story))
                        (figures::section(story))
                        (setup::section(story))
                        (evidence::section(story))
                    } @else {
                        (answers::section(story))
                    }
                    (notes(story))
                }
                (footer(story))
            }
        }
    };
    page.into_string()
}

fn subject(story: &Story<'_>) -> String {
    match story.object {
        Some(object) => format!("{} of {object}", story.command),
        None => story.command.to_owned(),
    }
}

fn notes(story: &Story<'_>) -> Markup {
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
    html! {
        @if !items.is_empty() {
            section {
                h2 { "Notes" }
                (list(&items))
            }
        }
    }
}

fn footer(story: &Story<'_>) -> Markup {
    html! {
        footer.faint {
            p {
                "Written by cryptoctl"
                @if let Some(run) = story.run { " " (Text(&run.version)) }
                " from the recorded events of one run of " code { (Text(story.command)) }
                ", which ended with the status “" (story.end.status.name())
                "” (exit code " (story.end.exit_code)
                "). All times come from one clock and count from the start of the run unless stated otherwise."
            }
        }
    }
}
