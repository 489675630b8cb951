//! The axis below a strip, with marks at round times.

use super::strip::Clip;
use crate::figures::took;

/// At most this many marks, so that they fit on a small screen.
const MOST: u64 = 6;

/// The round distances between two marks, in milliseconds.
const STEPS: [u64; 24] = [
    10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000,
    300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 21_600_000, 43_200_000,
    86_400_000,
];

/// A mark on an axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::render::document) struct Mark {
    /// Its position, in milliseconds since the start of the run.
    pub(in crate::render::document) at_ms: u64,
    /// Its time in words.
    pub(in crate::render::document) label: String,
}

impl Clip {
    /// The marks of its axis, at round times since `zero_ms`.
    pub(in crate::render::document) fn marks(&self, zero_ms: u64) -> Vec<Mark> {
        let length = self.until_ms.saturating_sub(self.from_ms);
        let fits = |step: &&u64| length / **step < MOST;
        let step = STEPS.iter().find(fits).copied();
        let step = step.unwrap_or_else(|| (length / MOST).max(1));
        let before = zero_ms.saturating_sub(self.from_ms) / step;
        let first = zero_ms - before * step;
        let marks = (0..).map(|index| first + index * step);
        marks
            .skip_while(|at_ms| *at_ms < self.from_ms)
            .take_while(|at_ms| *at_ms <= self.until_ms)
            .map(|at_ms| Mark {
                at_ms,
                label: label(at_ms, zero_ms),
            })
            .collect()
    }
}

fn label(at_ms: u64, zero_ms: u64) -> String {
    let sign = if at_ms < zero_ms { "−" } else { "" };
    match at_ms.abs_diff(zero_ms) {
        0 => "0".to_owned(),
        away => format!("{sign}{}", took(away)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(from_ms: u64, until_ms: u64, zero_ms: u64) -> Vec<String> {
        let clip = Clip {
            from_ms,
            until_ms,
            columns: 100,
        };
        let marks = clip.marks(zero_ms);
        assert!(
            marks
                .iter()
                .all(|it| (from_ms..=until_ms).contains(&it.at_ms))
        );
        marks.into_iter().map(|mark| mark.label).collect()
    }

    #[test]
    fn marks_stand_at_round_times() {
        assert_eq!(labels(0, 7_193, 0), ["0", "2 s", "4 s", "6 s"]);
        assert_eq!(labels(510, 4_700, 1_010), ["0", "1 s", "2 s", "3 s"]);
        assert_eq!(
            labels(500, 1_300, 1_000),
            ["−400 ms", "−200 ms", "0", "200 ms"]
        );
        assert_eq!(
            labels(0, 250_000, 0),
            ["0", "60 s", "2 min", "3 min", "4 min"]
        );
        assert_eq!(labels(0, 0, 0), ["0"]);
        assert_eq!(labels(700, 9_000, 0)[0], "2 s");
    }

    #[test]
    fn however_long_a_run_is_its_axis_is_short() {
        for length in [1, 9, 60, 3_601_000, 86_400_000 * 400] {
            let marks = labels(0, length, 0);
            assert!((1..=7).contains(&marks.len()), "{length}: {marks:?}");
        }
    }
}
