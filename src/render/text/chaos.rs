//! A fault and the recovery from it, as a person would see it with `kubectl get pods -w`.

use jiff::Timestamp;

use crate::render::line::{Level, Line, Tone};
use crate::render::replicas::{is_trouble, pod_age};
use crate::render::words::{short_digest, took};
use crate::report::RecoveryPhase;
use crate::report::{ChaosReport, ChaosVerdict, DataProof};
use crate::status::PodSummary;

/// As wide as `CrashLoopBackOff` and `ImagePullBackOff`.
const STATUS_WIDTH: usize = 16;

/// The widths of the other columns, but for the name, and of the gaps.
const REST_WIDTH: usize = 27;

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

    /// A row of `kubectl get pods -w`; the first one brings the titles. Rows come one by one, so the
    /// columns have the widths that suit most words; a narrow terminal goes without the last ones.
    pub(super) fn pod(&mut self, pod: &PodSummary, now: Timestamp, width: usize) -> Vec<Line> {
        let mut lines = Vec::new();
        self.is_broken = true;
        if self.name_width == 0 {
            self.name_width = pod.pod.chars().count().max("NAME".len());
            let titles = ["NAME", "READY", "STATUS", "RESTARTS", "AGE"].map(str::to_owned);
            lines.push(self.row(titles, [Tone::Faint; 2], width));
        }
        let tone = match pod.status.as_str() {
            trouble if is_trouble(trouble) => Tone::Bad,
            "Running" if pod.ready.0 == pod.ready.1 => Tone::Good,
            _ => Tone::Doubt,
        };
        let cells = [
            pod.pod.clone(),
            format!("{}/{}", pod.ready.0, pod.ready.1),
            pod.status.clone(),
            pod.restarts.to_string(),
            pod_age(pod, now),
        ];
        lines.push(self.row(cells, [Tone::Strong, tone], width));
        lines
    }

    fn row(&self, cells: [String; 5], [name_tone, status_tone]: [Tone; 2], width: usize) -> Line {
        let [name, ready, status, restarts, age] = cells;
        let name_width = self.name_width;
        let line = Line::said(Level::Progress)
            .with(name_tone, format!("{name:<name_width$}  "))
            .text(format!("{ready:<5}  "));
        if name_width + STATUS_WIDTH + REST_WIDTH > width {
            return line.with(status_tone, status).shortened(width);
        }
        line.with(status_tone, format!("{status:<STATUS_WIDTH$}  "))
            .text(format!("{restarts:<8}  {age}"))
            .shortened(width)
    }

    /// A phase of the recovery.
    pub(super) fn phase(&mut self, phase: RecoveryPhase, after_ms: u64) -> Line {
        self.is_broken = true;
        Line::said(Level::Progress)
            .with(Tone::Good, "  ✓ ")
            .with(
                Tone::Faint,
                format!("{:<8}", format!("+{}", took(after_ms))),
            )
            .text(phase_words(phase))
    }
}

/// What was seen, as the end of a sentence.
pub(crate) fn phase_words(phase: RecoveryPhase) -> &'static str {
    match phase {
        RecoveryPhase::Accepted => "the fault was accepted",
        RecoveryPhase::Terminating => "the old pod is terminating",
        RecoveryPhase::Gone => "the old pod is gone",
        RecoveryPhase::Replaced => "a new pod exists",
        RecoveryPhase::Scheduled => "the new pod has a node",
        RecoveryPhase::VolumeReady => "the new pod's volumes are mounted",
        RecoveryPhase::Started => "the new pod's containers run",
        RecoveryPhase::Ready => "the new pod is Ready",
        RecoveryPhase::FirstRightAnswer => "the new pod gave its first right answer",
        RecoveryPhase::AllEqual => "every replica answers alike again",
    }
}

/// What became of it: the data before and after, the answer and its reasons.
pub(super) fn verdict(report: &ChaosReport, elapsed: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = data(&report.data).into_iter().collect();
    let word = match report.verdict {
        ChaosVerdict::Survived => "survived",
        ChaosVerdict::Failed => "not survived",
        ChaosVerdict::Refused => "not attempted",
        ChaosVerdict::Inconclusive => "inconclusive",
        ChaosVerdict::Undisturbed => "undisturbed",
        ChaosVerdict::Rehearsed => "dry run: nothing was broken",
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
    let is_said_below = |reason: &str| {
        report
            .cause
            .as_ref()
            .is_some_and(|cause| cause.message == reason)
    };
    for reason in report
        .reasons
        .iter()
        .filter(|reason| !is_said_below(reason))
    {
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
