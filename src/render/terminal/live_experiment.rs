//! The live rows of an experiment: the phases of the current fault, and a strip of answers over time for
//! each replica. A fold over the events, and the rows at a given time. Pure.

use console::{measure_text_width, truncate_str};

use super::line::{Level, Line, Tone};
use super::picture::Frame;
use crate::event::{Event, EventKind};
use crate::figures::{ticking, took};
use crate::render::phases::phases;
use crate::report::{ProbeCounts, ProbeState, RecoveryPhase};
use crate::timeline::{CurrentFault, Timeline};

/// The time that one cell of a strip covers, in milliseconds.
const CELL_MS: u64 = 500;
/// A strip has at most this many cells.
const WIDEST_STRIP: usize = 60;
/// A strip with fewer cells is not drawn.
const NARROWEST_STRIP: usize = 4;
/// A replica's name takes at most this many columns.
const WIDEST_NAME: usize = 24;
/// Counters have words from this width on.
const WORDS_FROM: usize = 90;
/// Phases take at most this fraction of the height.
const PHASE_SHARE: usize = 4;

/// A running experiment.
#[derive(Debug, Default)]
pub(crate) struct ExperimentPicture {
    /// The number of faults, once the experiment is known.
    repeat: Option<u32>,
    breaks: bool,
    sent: Option<CurrentFault>,
    timeline: Timeline,
}

/// The targets in words.
fn whom(sent: &CurrentFault) -> String {
    match sent.pods.as_slice() {
        [pod] => pod.clone(),
        several => format!("{} pods", several.len()),
    }
}

/// The next phase.
fn next(sent: &CurrentFault) -> Option<RecoveryPhase> {
    let is_open = |phase: &&RecoveryPhase| match sent.seen(**phase) {
        Some((_, pods)) => pods < sent.pods.len(),
        None => !sent.has_passed(**phase),
    };
    phases(sent.fault).iter().find(is_open).copied()
}

/// A shape for each state, so that none needs a colour.
fn cell(state: Option<ProbeState>) -> (Tone, &'static str) {
    match state {
        None => (Tone::Faint, "·"),
        Some(ProbeState::Right) => (Tone::Good, "▇"),
        Some(ProbeState::Silent) => (Tone::Bad, "▁"),
        Some(ProbeState::Failing) => (Tone::Bad, "▄"),
        Some(ProbeState::Wrong) => (Tone::Bad, "✗"),
        Some(ProbeState::Unknown) => (Tone::Doubt, "?"),
    }
}

impl ExperimentPicture {
    /// Records an event.
    pub(crate) fn record(&mut self, event: &Event) {
        self.timeline.record(&event.kind);
        CurrentFault::record(&mut self.sent, event);
        if let EventKind::Experiment { experiment, .. } = &event.kind {
            self.repeat = Some(experiment.repeat);
            self.breaks = experiment.settings.fault.is_some();
        }
    }

    /// What the run is waiting for; `None` outside of an experiment.
    pub(crate) fn waits(&self, now_ms: u64) -> Option<String> {
        self.repeat?;
        let Some(sent) = &self.sent else {
            let probing = if self.breaks {
                "the probes before the first fault"
            } else {
                "the end of the control run"
            };
            return Some(probing.to_owned());
        };
        let since = took(now_ms.saturating_sub(sent.at_ms) / 1_000 * 1_000);
        let whom = whom(sent);
        let fault = sent.fault;
        Some(match next(sent) {
            Some(phase) => {
                let phase = phase.title();
                format!("`{phase}` after the {fault} of {whom}, sent {since} ago")
            }
            None => format!("the steps after the {fault} of {whom}, sent {since} ago"),
        })
    }

    /// The current rows; none outside of an experiment.
    pub(crate) fn rows(&self, frame: &Frame, height: usize) -> Vec<Line> {
        let Some(repeat) = self.repeat else {
            return Vec::new();
        };
        let mut rows = vec![self.heading(repeat, frame)];
        if let Some(sent) = &self.sent {
            let mut phases = phase_rows(sent, frame.width);
            phases.truncate(height / PHASE_SHARE);
            rows.extend(phases);
        }
        let room = height.saturating_sub(rows.len());
        rows.extend(self.strip_rows(frame, room));
        rows.truncate(height);
        rows
    }

    fn heading(&self, repeat: u32, frame: &Frame) -> Line {
        let line = Line::said(Level::Step);
        let line = match &self.sent {
            None if self.breaks => line.text("probing before the first fault"),
            None => line.text("control run: probing without a fault"),
            Some(sent) => {
                let title = match repeat {
                    1 => sent.fault.to_string(),
                    _ => format!("fault {} of {repeat}", sent.number),
                };
                let pods = whom(sent);
                let now_ms = milliseconds(frame);
                let since = took(now_ms.saturating_sub(sent.at_ms));
                line.text(format!("{title}: "))
                    .with(Tone::Strong, pods)
                    .text(format!(", {since} ago"))
            }
        };
        line.with(
            Tone::Faint,
            format!("  running for {}", ticking(frame.elapsed)),
        )
        .shortened(frame.width)
    }

    fn strip_rows(&self, frame: &Frame, room: usize) -> Vec<Line> {
        let mut shown: Vec<&str> = self.timeline.replicas().collect();
        if room == 0 || shown.is_empty() {
            return Vec::new();
        }
        let mut hidden = Vec::new();
        if shown.len() > room {
            // Replicas of the same severity stay in order.
            shown.sort_by_key(|pod| std::cmp::Reverse(self.interest(pod)));
            hidden = shown.split_off(room - 1);
        }
        let names = shown.iter().map(|pod| measure_text_width(pod));
        let name = names.max().unwrap_or(0).clamp(1, WIDEST_NAME);
        let counters: Vec<String> = shown
            .iter()
            .map(|pod| self.counters(&[pod], frame.width))
            .collect();
        let sum = self.counters(&hidden, frame.width);
        let widest = counters
            .iter()
            .chain([&sum])
            .map(|text| measure_text_width(text));
        let counter = widest.max().unwrap_or(0);
        let cells = frame
            .width
            .saturating_sub(name + counter + 4)
            .min(WIDEST_STRIP);
        let mut rows: Vec<Line> = shown
            .iter()
            .zip(&counters)
            .map(|(pod, counters)| self.row(pod, &[pod], counters, (name, cells), frame))
            .collect();
        if !hidden.is_empty() {
            let title = format!("+ {} more", hidden.len());
            rows.push(self.row(&title, &hidden, &sum, (name, cells), frame));
        }
        rows
    }

    /// The priority for a row of its own: trouble first, then targets.
    fn interest(&self, pod: &str) -> (ProbeState, bool) {
        let latest = self.timeline.latest(pod);
        let is_target = self
            .sent
            .as_ref()
            .is_some_and(|sent| sent.pods.iter().any(|name| name == pod));
        (latest.unwrap_or(ProbeState::Unknown), is_target)
    }

    /// The row of one replica, or of several: the most severe state at each time.
    fn row(
        &self,
        title: &str,
        pods: &[&str],
        counters: &str,
        (name, cells): (usize, usize),
        frame: &Frame,
    ) -> Line {
        let title = truncate_str(title, name.max(NARROWEST_STRIP), "…");
        let owed = name.saturating_sub(measure_text_width(&title));
        let mut line = Line::said(Level::Step)
            .with(Tone::Strong, &title)
            .text(" ".repeat(owed + 2));
        if cells >= NARROWEST_STRIP {
            // Cells begin at whole multiples, so a strip scrolls without flickering.
            let last = milliseconds(frame) / CELL_MS + 1;
            let first = last.saturating_sub(cells as u64);
            let states = (first..last).map(|index| {
                let (from_ms, until_ms) = (index * CELL_MS, (index + 1) * CELL_MS);
                let pods = pods.iter();
                pods.filter_map(|pod| self.timeline.gravest(pod, from_ms, until_ms))
                    .max()
            });
            for (tone, text) in merged(states) {
                line = line.with(tone, text);
            }
            let drawn = usize::try_from(last - first).unwrap_or(cells);
            line = line.text(" ".repeat(cells.saturating_sub(drawn) + 2));
        }
        line.text(counters).shortened(frame.width)
    }

    fn counters(&self, pods: &[&str], width: usize) -> String {
        let all: ProbeCounts = pods.iter().map(|pod| self.timeline.counts(pod)).sum();
        // With the shapes of the strips; zero counters are left out.
        let counters = [
            (all.right, "▇", "right"),
            (all.wrong, "✗", "wrong"),
            (all.failing, "▄", "failing"),
            (all.silent, "▁", "silent"),
            (all.unknown, "?", "unknown"),
        ];
        let counters = counters.iter().enumerate();
        let told = counters.filter(|(index, (number, ..))| *index == 0 || *number > 0);
        let told: Vec<String> = told
            .map(|(_, (number, shape, word))| {
                if width >= WORDS_FROM {
                    format!("{number} {word}")
                } else {
                    format!("{shape}{number}")
                }
            })
            .collect();
        told.join(if width >= WORDS_FROM { "  " } else { " " })
    }
}

/// Merges equal neighbours into one piece.
fn merged(states: impl Iterator<Item = Option<ProbeState>>) -> Vec<(Tone, String)> {
    let mut pieces: Vec<(Tone, String)> = Vec::new();
    for state in states {
        let (tone, text) = cell(state);
        match pieces.last_mut() {
            Some((last, piece)) if *last == tone => piece.push_str(text),
            _ => pieces.push((tone, text.to_owned())),
        }
    }
    pieces
}

/// The phases of a fault, with a tick for those that were seen.
fn phase_rows(sent: &CurrentFault, width: usize) -> Vec<Line> {
    let mut rows: Vec<Line> = Vec::new();
    let mut used = 0;
    let mut is_next = true;
    for phase in phases(sent.fault) {
        let name = phase.title();
        let (tone, text) = match sent.seen(*phase) {
            Some((_, pods)) if pods < sent.pods.len() => {
                is_next = false;
                (Tone::Doubt, format!("… {name} {pods}/{}", sent.pods.len()))
            }
            Some((after_ms, _)) => (Tone::Good, format!("✓ {name} +{}", took(after_ms))),
            None if is_next && !sent.has_passed(*phase) => {
                is_next = false;
                (Tone::Doubt, format!("… {name}"))
            }
            None => (Tone::Faint, format!("· {name}")),
        };
        let needed = measure_text_width(&text) + 2;
        match rows.pop() {
            Some(row) if used + needed <= width => {
                rows.push(row.with(tone, format!("  {text}")));
                used += needed;
            }
            other => {
                rows.extend(other);
                rows.push(Line::said(Level::Step).with(tone, format!("  {text}")));
                used = needed;
            }
        }
    }
    rows.into_iter().map(|row| row.shortened(width)).collect()
}

fn milliseconds(frame: &Frame) -> u64 {
    crate::figures::milliseconds(frame.elapsed)
}
