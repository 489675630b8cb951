//! A fault and the recovery from it, as a person would see it with `kubectl get pods -w`.

use jiff::Timestamp;

use super::rollout::{is_trouble, pod_age};
use crate::event::RecoveryPhase;
use crate::render::line::{Level, Line, Tone};
use crate::render::words::{short_digest, took};
use crate::report::{ChaosReport, ChaosVerdict, DataProof};
use crate::status::PodSummary;

/// What was seen of the recovery so far.
#[derive(Debug, Default)]
pub(super) struct ChaosLines {
    name_width: usize,
    is_broken: bool,
}

impl ChaosLines {
    /// When a verification takes place, seen from the fault.
    pub(super) fn moment(&self) -> &'static str {
        if self.is_broken {
            "after the fault"
        } else {
            "before the fault"
        }
    }

    /// A row of `kubectl get pods -w`; the first one brings the titles.
    pub(super) fn pod(&mut self, pod: &PodSummary, now: Timestamp) -> Vec<Line> {
        let mut lines = Vec::new();
        if self.name_width == 0 {
            self.name_width = pod.pod.chars().count().max("NAME".len());
            let titles = row(
                self.name_width,
                ["NAME", "READY", "STATUS", "RESTARTS", "AGE"],
            );
            lines.push(Line::said(Level::Progress).with(Tone::Faint, titles.concat()));
        }
        self.is_broken = true;
        let [name, ready, status, restarts, age] = row(
            self.name_width,
            [
                &pod.pod,
                &format!("{}/{}", pod.ready.0, pod.ready.1),
                &pod.status,
                &pod.restarts.to_string(),
                &pod_age(pod, now),
            ],
        );
        let tone = match pod.status.as_str() {
            trouble if is_trouble(trouble) => Tone::Bad,
            "Running" if pod.ready.0 == pod.ready.1 => Tone::Good,
            _ => Tone::Doubt,
        };
        lines.push(
            Line::said(Level::Progress)
                .with(Tone::Strong, name)
                .text(ready)
                .with(tone, status)
                .text(restarts)
                .text(age),
        );
        lines
    }

    /// A phase of the recovery.
    pub(super) fn phase(&mut self, phase: RecoveryPhase, after_ms: u64) -> Line {
        self.is_broken = true;
        Line::said(Level::Progress)
            .with(Tone::Good, "  ✓ ")
            .text(phase_words(phase))
            .with(Tone::Faint, format!(" after {}", took(after_ms)))
    }
}

fn row(name_width: usize, [name, ready, status, restarts, age]: [&str; 5]) -> [String; 5] {
    [
        format!("{name:<name_width$}  "),
        format!("{ready:<5}  "),
        format!("{status:<16}  "),
        format!("{restarts:<8}  "),
        age.to_owned(),
    ]
}

/// What was seen, as the end of a sentence.
pub(crate) fn phase_words(phase: RecoveryPhase) -> &'static str {
    match phase {
        RecoveryPhase::Terminating => "the old pod is terminating",
        RecoveryPhase::Gone => "the old pod is gone",
        RecoveryPhase::Replaced => "a new pod exists",
        RecoveryPhase::Scheduled => "the new pod has a node",
        RecoveryPhase::Started => "its containers run",
        RecoveryPhase::Ready => "it is Ready",
    }
}

/// What became of it: the data before and after, the answer and its reasons.
pub(super) fn verdict(report: &ChaosReport, elapsed: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = data(&report.data).into_iter().collect();
    let word = match report.verdict {
        ChaosVerdict::Survived => "survived",
        ChaosVerdict::Failed => "not survived",
        ChaosVerdict::Refused => "not broken",
        ChaosVerdict::Inconclusive => "inconclusive",
    };
    let faults: Vec<String> = report
        .kills
        .iter()
        .map(|kill| match kill.phases.get(&RecoveryPhase::Ready) {
            Some(&after) => format!("`{}` was Ready again after {}", kill.pod, took(after)),
            None => format!("`{}` was not seen Ready again", kill.pod),
        })
        .collect();
    let end = if faults.is_empty() {
        String::new()
    } else {
        format!(": {}", faults.join(", "))
    };
    lines.push(
        Line::of(report.outcome())
            .with(Tone::Strong, word)
            .text(end)
            .with(Tone::Faint, elapsed),
    );
    let level = lines.last().map_or(Level::Result, |line| line.level);
    for reason in &report.reasons {
        lines.push(Line::said(level).text(format!("  - {reason}")));
    }
    if report.verdict == ChaosVerdict::Refused {
        for finding in &report.before.findings {
            lines.push(Line::said(level).text(format!("  - {}", finding.message)));
        }
    }
    lines
}

fn data(data: &DataProof) -> Option<Line> {
    let before = data.before_sha256.as_deref().map(short_digest)?;
    let after = data.after_sha256.as_deref().map_or("unknown", short_digest);
    let (tone, words) = match data.preserved {
        Some(true) => (Tone::Good, "the same"),
        Some(false) => (Tone::Bad, "not the same"),
        None => (Tone::Doubt, "not compared"),
    };
    Some(
        Line::said(Level::Result)
            .text(format!("data: {before} before, {after} after: "))
            .with(tone, words),
    )
}
