//! The answers of every replica as a strip over time.

use maud::{Markup, html};

use super::pieces::{HEIGHT, axis, sample};
use crate::figures::{count, took};
use crate::render::document::story::{Clip, NOT_ASKED, Pattern, Story, Strip};
use crate::render::document::text::Text;
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
pub(super) fn section(story: &Story<'_>) -> Markup {
    if story.strips.is_empty() {
        return html! {};
    }
    let columns = (ALL_COLUMNS / story.strips.len()).clamp(*COLUMNS.start(), *COLUMNS.end());
    let whole = Clip {
        from_ms: 0,
        until_ms: story.took_ms,
        columns,
    };
    html! {
        section {
            h2 { "Answers of every replica" }
            p { "Each replica was probed throughout the run. Each strip shows its answers from left to right; a vertical line marks a fault that hit it. An outage begins with the last right answer before it, so it is never shown too short." }
            (picture(story, &whole, None))
            @if let Some((record, after_ms)) = slowest(story) {
                @let close = Clip {
                    from_ms: record.at_ms.saturating_sub(500),
                    until_ms: record.at_ms + after_ms + 500,
                    columns,
                };
                h3 {
                    "Close-up of the slowest recovery (fault " (record.number) ", "
                    (Text(&record.pod)) ")"
                }
                p.faint { "Times count from the fault." }
                (picture(story, &close, Some(record.at_ms)))
            }
        }
    }
}

/// The slowest of several recoveries, and its length in milliseconds.
fn slowest<'a>(story: &Story<'a>) -> Option<(&'a FaultRecord, u64)> {
    let faults = &story.chaos()?.observed.faults;
    let several = faults.iter().filter(|_| faults.len() > 1);
    let all_equal = |record: &FaultRecord| record.phases.get(&RecoveryPhase::AllEqual).copied();
    let slowest = several.max_by_key(|record| all_equal(record))?;
    Some((slowest, all_equal(slowest)?))
}

/// The legend.
fn key(story: &Story<'_>) -> Markup {
    html! {
        ul.key aria-label="What the patterns mean" {
            @for (class, title) in story.key() {
                li { (sample(class)) (title) }
            }
            li { svg viewBox="0 0 48 20" aria-hidden="true" {} (NOT_ASKED) }
            @if !story.faults.is_empty() {
                li {
                    svg viewBox="0 0 48 20" aria-hidden="true" { path.mark d="M24 0v20" {} }
                    "a fault hit the replica"
                }
            }
        }
    }
}

/// The strips of a part of the run; times count from `zero_ms` or else from its beginning.
fn picture(story: &Story<'_>, clip: &Clip, zero_ms: Option<u64>) -> Markup {
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
    let replicas = shown.into_iter().map(|strip| {
        let words = in_words(strip);
        let title = Title {
            kind: "",
            beside: if zero_ms.is_none() { &words } else { "" },
            words: &words,
        };
        draw(strip, &hit(strip), clip, &title)
    });
    let services = story.services.iter().map(|service| {
        let beside = "what its clients may have seen";
        let title = Title {
            kind: "Service ",
            beside,
            words: beside,
        };
        draw(service, &[], clip, &title)
    });
    html! {
        figure {
            (key(story))
            @for replica in replicas { (replica) }
            @if hidden > 0 {
                p {
                    "… and " (count(hidden, "more replica"))
                    " that were probed in the same way; the figures below include them."
                }
            }
            @for service in services { (service) }
            (silences(story, clip))
            (axis(clip, zero_ms.unwrap_or(0)))
        }
    }
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
    strip: &Strip<S>,
    hit: &[u64],
    clip: &Clip,
    title: &Title<'_>,
) -> Markup {
    let is_shown = |at_ms: &u64| (clip.from_ms..=clip.until_ms).contains(at_ms);
    let marks: Vec<u64> = hit.iter().copied().filter(is_shown).collect();
    let content = html! {
        title { (Text(&strip.name)) ": " (Text(title.words)) }
        @for (state, path) in strip.paths(clip, HEIGHT) {
            path class=(state.class()) d=(path) {}
        }
        @if !marks.is_empty() {
            path.mark d={ @for at_ms in marks { "M" (clip.at(at_ms)) " 0v20" } } {}
        }
    };
    html! {
        div.name {
            strong { (title.kind) (Text(&strip.name)) }
            span.faint { (Text(title.beside)) }
        }
        (canvas(clip, !title.kind.is_empty(), &content))
    }
}

/// The drawing area of a strip.
fn canvas(clip: &Clip, is_low: bool, content: &Markup) -> Markup {
    html! {
        svg.strip.low[is_low]
            role="img" viewBox={ "0 0 " (clip.columns) " 20" } preserveAspectRatio="none"
        {
            (content)
        }
    }
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

fn silences(story: &Story<'_>, clip: &Clip) -> Markup {
    let mut silences = story.silences.iter();
    if !silences.any(|(from, until)| *until >= clip.from_ms && *from <= clip.until_ms) {
        return html! {};
    }
    let content = html! {
        title { "When the API server was unresponsive" }
        path.silent d={
            @for (from, until) in &story.silences {
                @let left = clip.at(*from);
                @let right = clip.at(*until).max(left + 1);
                "M" (left) " 0H" (right) "v20H" (left) "z"
            }
        } {}
    };
    html! {
        div.name {
            strong { "API server" }
            span.faint { "marked: unresponsive" }
        }
        (canvas(clip, true, &content))
    }
}
