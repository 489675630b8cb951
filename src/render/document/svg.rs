//! The timeline of an experiment as one picture: the answers of every replica and the steps of the
//! recovery, on the run's own clock.

use maud::{Markup, PreEscaped, html};

use super::DocumentError;
use super::html::{HEIGHT, PATTERNS};
use super::story::{Clip, NOT_ASKED, Pattern, Story, Strip};
use super::text::Text;
use crate::figures::{count, took};
use crate::report::{ChaosReport, Percentiles};

const STYLE: &str = include_str!("svg.css");
/// The width of the picture.
const WIDTH: usize = 1_000;
/// The margin on every side.
const MARGIN: usize = 20;
/// The columns of a strip, one for each unit of its width.
const COLUMNS: usize = WIDTH - 2 * MARGIN;
/// The characters of a line of text, at most.
const LINE: usize = 120;
/// The width of an entry of the legend.
const KEY: usize = 235;
/// At most this many strips are drawn.
const MOST_STRIPS: usize = 100;

/// A picture that grows downwards.
struct Picture {
    parts: Vec<Markup>,
    top: usize,
}

/// The picture.
pub(super) fn document(story: &Story<'_>) -> Result<String, DocumentError> {
    if !story.is_experiment() {
        return Err(DocumentError::NoTimeline);
    }
    let mut picture = Picture {
        parts: Vec::new(),
        top: MARGIN,
    };
    picture.heading(story);
    let clip = Clip {
        from_ms: 0,
        until_ms: story.took_ms,
        columns: COLUMNS,
    };
    for strip in story.strips.iter().take(MOST_STRIPS) {
        let faults = story.faults.iter();
        let hit = faults.filter(|fault| fault.pods.contains(&strip.name));
        let marks: Vec<u64> = hit.map(|fault| fault.at_ms).collect();
        picture.strip(strip, &strip.name, &marks, &clip);
    }
    let hidden = story.strips.len().saturating_sub(MOST_STRIPS);
    if hidden > 0 {
        picture.line("faint", &format!("… and {}", count(hidden, "more replica")));
    }
    for service in &story.services {
        let name = format!("Service {}: what a client may have seen", service.name);
        picture.strip(service, &name, &[], &clip);
    }
    if !story.strips.is_empty() {
        picture.axis(&clip);
        picture.key(story);
    }
    if let Some(report) = story.chaos() {
        picture.phases(report);
    }
    Ok(picture.finish(story))
}

impl Picture {
    fn text(&mut self, left: usize, class: &'static str, text: &str) {
        self.parts.push(label(left, self.top, class, text));
    }

    /// A text, wrapped to the width.
    fn line(&mut self, class: &'static str, text: &str) {
        let mut line = String::new();
        for word in text.split_whitespace() {
            if line.chars().count() + word.chars().count() >= LINE {
                self.text(MARGIN, class, &line);
                self.top += 20;
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.text(MARGIN, class, &line);
        self.top += 20;
    }

    fn heading(&mut self, story: &Story<'_>) {
        let verdict = story.verdict();
        self.top += 6;
        let title = format!("{} {}", verdict.tone.sign(), verdict.word);
        let title = label(MARGIN, self.top, verdict.tone.class(), &title);
        self.parts.push(html! { g.large { (title) } });
        self.top += 28;
        self.line("", &story.sentence());
        for reason in story.reasons() {
            self.line("", &format!("– {reason}"));
        }
        let mut about = Vec::new();
        about.extend(story.object.map(ToString::to_string));
        if let Some(run) = story.run {
            about.extend(
                run.context
                    .as_ref()
                    .map(|context| format!("context {context}")),
            );
            about.push(run.server.clone());
        }
        about.push(story.began.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
        self.line("faint", &about.join(" · "));
        self.top += 12;
    }

    fn strip<S: Pattern + Copy + Ord>(
        &mut self,
        strip: &Strip<S>,
        name: &str,
        marks: &[u64],
        clip: &Clip,
    ) {
        self.text(MARGIN, "strong", name);
        self.top += 20;
        self.parts.push(html! {
            svg x=(MARGIN) y=(self.top) width=(COLUMNS) height="20" {
                @for (state, path) in strip.paths(clip, HEIGHT) {
                    path class=(state.class()) d=(path) {}
                }
                @for at_ms in marks {
                    path.mark d={ "M" (clip.at(*at_ms)) " 0v20" } {}
                }
                path.frame d={ "M0 0H" (COLUMNS) "v20H0z" } {}
            }
        });
        self.top += 28;
    }

    fn axis(&mut self, clip: &Clip) {
        for mark in clip.marks(0) {
            let column = clip.at(mark.at_ms);
            let class = match column * 100 / COLUMNS.max(1) {
                0..5 => "faint",
                5..95 => "faint middle",
                _ => "faint end",
            };
            self.text(MARGIN + column, class, &mark.label);
        }
        self.top += 30;
    }

    /// The legend.
    fn key(&mut self, story: &Story<'_>) {
        let mut left = MARGIN;
        let blank = [("blank", NOT_ASKED)];
        for (class, title) in story.key().into_iter().chain(blank) {
            if left + KEY > WIDTH {
                left = MARGIN;
                self.top += 28;
            }
            self.parts.push(html! {
                svg x=(left) y=(self.top) width="36" height="20" {
                    path class=(class) d="M0 0h36v20H0z" {}
                }
            });
            self.text(left + 44, "faint", title);
            left += KEY;
        }
        self.top += 34;
        if !story.faults.is_empty() {
            self.line(
                "faint",
                "A vertical line marks a fault that hit the replica.",
            );
        }
        self.top += 8;
    }

    fn phases(&mut self, report: &ChaosReport) {
        if report.summary.is_empty() {
            return;
        }
        let is_one = report.observed.faults.len() == 1;
        let since = match report.observed.fault_count() {
            1 => "the fault",
            _ => "each fault",
        };
        let are_few = report.summary.values().any(Percentiles::are_few);
        self.line(
            "strong",
            &match (is_one, are_few) {
                (true, _) => "The recovery, in time since the fault".to_owned(),
                (false, true) => {
                    format!("The recoveries, in time since {since}: shortest, median, longest")
                }
                (false, false) => {
                    format!("The recoveries, in time since {since}: median, 95 %, longest")
                }
            },
        );
        let whole = report.summary.values().map(|figures| figures.max).max();
        let whole = whole.unwrap_or(1).max(1);
        let mut phases: Vec<_> = report.summary.iter().collect();
        // The steps of one recovery are in order of time; those of many, in the order of phases.
        if is_one {
            phases.sort_by_key(|(phase, figures)| (figures.max, **phase));
        }
        for (phase, figures) in phases {
            let title = match phase.reach(&report.observed.faults) {
                Some((reached, all)) => format!("{} ({reached} of {all})", phase.title()),
                None => phase.title().to_owned(),
            };
            self.text(MARGIN, "", &title);
            let times = if is_one {
                took(figures.max)
            } else {
                let [first, second] = if are_few {
                    [figures.min, figures.p50]
                } else {
                    [figures.p50, figures.p95]
                };
                [first, second, figures.max].map(took).join(", ")
            };
            self.text(MARGIN + 300, "", &times);
            let left = MARGIN + 480;
            let length = usize::try_from(figures.max * 480 / whole)
                .unwrap_or(480)
                .max(2);
            let top = self.top + 4;
            self.parts.push(html! {
                path.a d={ "M" (left) " " (top) "h" (length) "v10h-" (length) "z" } {}
            });
            self.top += 22;
        }
    }

    fn finish(self, story: &Story<'_>) -> String {
        let height = self.top + MARGIN;
        let picture = html! {
            svg
                xmlns="http://www.w3.org/2000/svg" role="img"
                width=(WIDTH) height=(height) viewBox={ "0 0 " (WIDTH) " " (height) }
            {
                title {
                    (Text(story.verdict().word)) ": "
                    (Text(story.sentence().replace('`', "")))
                }
                style { (PreEscaped(STYLE)) }
                (PreEscaped(PATTERNS))
                path.page d={ "M0 0h" (WIDTH) "v" (height) "H0z" } {}
                @for part in self.parts { (part) }
            }
            "\n"
        };
        picture.into_string()
    }
}

/// A line of text, `top` at its upper edge.
fn label(left: usize, top: usize, class: &str, text: &str) -> Markup {
    html! {
        text x=(left) y=(top + 15) class=(class) { (Text(text.replace('`', ""))) }
    }
}
