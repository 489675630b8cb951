//! The answers of every replica as a strip over time.

use super::pieces::{HEIGHT, axis};
use crate::figures::{count, took};
use crate::render::document::markup::Markup;
use crate::render::document::story::{Clip, NOT_ASKED, Pattern, Story, Strip};
use crate::report::{FaultRecord, ProbeState, RecoveryPhase};
use crate::timeline::Outage;

/// At most this many strips are drawn; the others are counted.
const MOST_STRIPS: usize = 40;
/// The columns of all strips together, so that a page about many replicas stays small.
const ALL_COLUMNS: usize = 12_000;
/// The columns of one strip.
const COLUMNS: std::ops::RangeInclusive<usize> = 200..=1_000;
/// At most this many outages are described in words.
const TOLD: usize = 3;

/// The section.
pub(super) fn section(markup: &mut Markup, story: &Story<'_>) {
    if story.strips.is_empty() {
        return;
    }
    markup.raw("<section>\n<h2>Answers of every replica</h2>\n<p>Each replica was probed throughout the run. Each strip shows its answers from left to right; a vertical line marks a fault that hit it. An outage begins with the last right answer before it, so it is never shown too short.</p>\n");
    let columns = (ALL_COLUMNS / story.strips.len()).clamp(*COLUMNS.start(), *COLUMNS.end());
    let whole = Clip {
        from_ms: 0,
        until_ms: story.took_ms,
        columns,
    };
    picture(markup, story, &whole, None);
    if story
        .chaos()
        .is_some_and(|report| report.observed.faults.len() > 1)
        && let Some(record) = slowest(story)
        && let Some(&after_ms) = record.phases.get(&RecoveryPhase::AllEqual)
    {
        markup
            .raw("<h3>Close-up of the slowest recovery (fault ")
            .text(record.number)
            .raw(", ")
            .text(&record.pod)
            .raw(")</h3>\n");
        let close = Clip {
            from_ms: record.at_ms.saturating_sub(500),
            until_ms: record.at_ms + after_ms + 500,
            columns,
        };
        markup.raw("<p class=\"faint\">Times count from the fault.</p>\n");
        picture(markup, story, &close, Some(record.at_ms));
    }
    markup.raw("</section>\n");
}

fn slowest<'a>(story: &Story<'a>) -> Option<&'a FaultRecord> {
    let faults = &story.chaos()?.observed.faults;
    faults
        .iter()
        .max_by_key(|record| record.phases.get(&RecoveryPhase::AllEqual))
}

/// The legend.
fn key(markup: &mut Markup, story: &Story<'_>) {
    markup.raw("<ul class=\"key\" aria-label=\"What the patterns mean\">");
    for (class, title) in story.key() {
        markup
            .raw("<li><svg viewBox=\"0 0 48 20\" aria-hidden=\"true\"><path class=\"")
            .raw(class)
            .raw("\" d=\"M0 0h48v20H0z\"/></svg>")
            .raw(title)
            .raw("</li>");
    }
    markup
        .raw("<li><svg viewBox=\"0 0 48 20\" aria-hidden=\"true\"></svg>")
        .raw(NOT_ASKED)
        .raw("</li>");
    if !story.faults.is_empty() {
        markup.raw("<li><svg viewBox=\"0 0 48 20\" aria-hidden=\"true\"><path class=\"mark\" d=\"M24 0v20\"/></svg>a fault hit the replica</li>");
    }
    markup.raw("</ul>\n");
}

/// The strips of a part of the run; times count from `zero_ms` or else from its beginning.
fn picture(markup: &mut Markup, story: &Story<'_>, clip: &Clip, zero_ms: Option<u64>) {
    let hit = |strip: &Strip<ProbeState>| -> Vec<u64> {
        let faults = story.faults.iter();
        faults
            .filter(|fault| fault.pods.contains(&strip.name))
            .map(|fault| fault.at_ms)
            .collect()
    };
    let mut shown: Vec<&Strip<ProbeState>> = story.strips.iter().collect();
    // Replicas with a fault or an outage come first.
    shown.sort_by_key(|strip| hit(strip).is_empty() && strip.outages.is_empty());
    let hidden = shown.len().saturating_sub(MOST_STRIPS);
    shown.truncate(MOST_STRIPS);
    markup.raw("<figure>\n");
    key(markup, story);
    for strip in &shown {
        let words = in_words(strip);
        let title = Title {
            kind: "",
            beside: if zero_ms.is_none() { &words } else { "" },
            words: &words,
        };
        draw(markup, strip, &hit(strip), clip, &title);
    }
    if hidden > 0 {
        markup
            .raw("<p>… and ")
            .text(count(hidden, "more replica"))
            .raw(" that were probed in the same way; the figures below include them.</p>");
    }
    for service in &story.services {
        let beside = "what its clients may have seen";
        let title = Title {
            kind: "Service ",
            beside,
            words: beside,
        };
        draw(markup, service, &[], clip, &title);
    }
    if story
        .silences
        .iter()
        .any(|(from, until)| *until >= clip.from_ms && *from <= clip.until_ms)
    {
        silences(markup, story, clip);
    }
    axis(markup, clip, zero_ms.unwrap_or(0));
    markup.raw("</figure>\n");
}

/// The title above a strip.
struct Title<'a> {
    /// The text before the name.
    kind: &'static str,
    /// The text on the other side.
    beside: &'a str,
    /// A description of the strip for screen readers.
    words: &'a str,
}

fn draw<S: Pattern + Copy + Ord>(
    markup: &mut Markup,
    strip: &Strip<S>,
    hit: &[u64],
    clip: &Clip,
    title: &Title<'_>,
) {
    markup
        .raw("<div class=\"name\"><strong>")
        .raw(title.kind)
        .text(&strip.name)
        .raw("</strong><span class=\"faint\">")
        .text(title.beside)
        .raw("</span></div><svg class=\"strip")
        .raw(if title.kind.is_empty() { "" } else { " low" })
        .raw("\" role=\"img\" viewBox=\"0 0 ")
        .text(clip.columns)
        .raw(" 20\" preserveAspectRatio=\"none\"><title>")
        .text(&strip.name)
        .raw(": ")
        .text(title.words)
        .raw("</title>");
    for (state, path) in strip.paths(clip, HEIGHT) {
        markup
            .raw("<path class=\"")
            .raw(state.class())
            .raw("\" d=\"")
            .text(path)
            .raw("\"/>");
    }
    let mut marks = hit
        .iter()
        .filter(|at_ms| (clip.from_ms..=clip.until_ms).contains(*at_ms))
        .peekable();
    if marks.peek().is_some() {
        markup.raw("<path class=\"mark\" d=\"");
        for at_ms in marks {
            markup.text(format_args!("M{} 0v20", clip.at(*at_ms)));
        }
        markup.raw("\"/>");
    }
    markup.raw("</svg>\n");
}

/// The answers of a replica in words.
fn in_words(strip: &Strip<ProbeState>) -> String {
    let told: Vec<String> = strip.outages.iter().take(TOLD).map(told).collect();
    match strip.outages.len() {
        0 if strip.states().any(|state| state == ProbeState::Right) => {
            if strip.states().any(|state| state == ProbeState::Unknown) {
                "answered correctly whenever it could be probed".to_owned()
            } else {
                "always answered correctly".to_owned()
            }
        }
        0 => "could not be probed".to_owned(),
        1..=TOLD => told.join("; "),
        number => format!("{number} outages"),
    }
}

fn told(outage: &Outage) -> String {
    let (from, until) = (took(outage.from_ms), took(outage.until_ms));
    if outage.is_over {
        format!("no right answer from {from} to {until}")
    } else {
        format!("no right answer from {from} on, at least to {until}")
    }
}

fn silences(markup: &mut Markup, story: &Story<'_>, clip: &Clip) {
    markup.raw("<div class=\"name\"><strong>API server</strong><span class=\"faint\">marked: unresponsive</span></div><svg class=\"strip low\" role=\"img\" viewBox=\"0 0 ")
        .text(clip.columns)
        .raw(" 20\" preserveAspectRatio=\"none\"><title>When the API server was unresponsive</title><path class=\"silent\" d=\"");
    for (from, until) in &story.silences {
        let (left, right) = (clip.at(*from), clip.at(*until).max(clip.at(*from) + 1));
        markup.text(format_args!("M{left} 0H{right}v20H{left}z"));
    }
    markup.raw("\"/></svg>\n");
}
