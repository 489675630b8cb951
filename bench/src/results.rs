//! The results of the measurements.

use serde::Serialize;

use crate::goal::{Check, Goal};
use crate::machine::Machine;
use crate::measure::Usage;
use crate::recovery::Recovery;
use crate::statistics::{linearity, median, range};
use crate::work::Tool;

/// The coefficient of determination from which a line counts as straight.
const STRAIGHT: f64 = 0.99;
/// The maximum size of the release binary, in bytes.
const LARGEST_BINARY: u64 = 15_000_000;

/// One figure of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    /// In seconds.
    Wall,
    /// In seconds.
    Cpu,
    /// In bytes.
    Memory,
    Requests,
    /// CPU time divided by wall time: 1 is one core, always busy.
    CoreShare,
}

impl Figure {
    /// The figures of a table; the last one is computed from two others.
    pub(crate) const ALL: [Self; 4] = [Self::Wall, Self::Cpu, Self::Memory, Self::Requests];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wall => "wall time",
            Self::Cpu => "CPU time",
            Self::Memory => "peak memory",
            Self::Requests => "API requests",
            Self::CoreShare => "share of one core",
        }
    }

    /// A value in a readable unit.
    pub(crate) fn shown(self, value: f64) -> String {
        match self {
            Self::Wall | Self::Cpu if value < 0.01 => format!("{:.1} ms", value * 1e3),
            Self::Wall | Self::Cpu if value < 1.0 => format!("{:.0} ms", value * 1e3),
            Self::Wall | Self::Cpu => format!("{value:.2} s"),
            Self::Memory => format!("{:.1} MB", value / 1e6),
            Self::Requests => format!("{value:.0}"),
            Self::CoreShare => format!("{:.1} %", value * 1e2),
        }
    }
}

/// One run of one tool.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Sample {
    #[serde(flatten)]
    pub(crate) usage: Usage,
    /// Counted in the API server's audit log.
    pub(crate) requests: u64,
}

impl Sample {
    #[expect(
        clippy::cast_precision_loss,
        reason = "bytes and requests are far below 2^52"
    )]
    fn get(&self, figure: Figure) -> f64 {
        match figure {
            Figure::Wall => self.usage.wall_seconds,
            Figure::Cpu => self.usage.cpu_seconds,
            Figure::Memory => self.usage.peak_bytes as f64,
            Figure::Requests => self.requests as f64,
            Figure::CoreShare => self.usage.cpu_seconds / self.usage.wall_seconds,
        }
    }
}

/// All runs of one tool.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Series {
    pub(crate) tool: Tool,
    /// The command as a user would type it.
    pub(crate) command: String,
    pub(crate) runs: Vec<Sample>,
}

impl Series {
    /// The median of a figure.
    pub(crate) fn median(&self, figure: Figure) -> f64 {
        median(self.runs.iter().map(|run| run.get(figure)))
    }

    /// The smallest and the largest of a figure.
    pub(crate) fn range(&self, figure: Figure) -> (f64, f64) {
        range(self.runs.iter().map(|run| run.get(figure)))
    }
}

/// One piece of work, by all its tools.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct WorkResult {
    pub(crate) name: &'static str,
    pub(crate) title: String,
    /// The number of objects, if works of one name differ in it.
    pub(crate) objects: Option<u32>,
    pub(crate) series: Vec<Series>,
    pub(crate) checks: Vec<Check>,
}

impl WorkResult {
    /// The measurements compared with the goals.
    pub(crate) fn with_goals(mut self, goals: &[Goal]) -> Self {
        self.checks = goals.iter().map(|goal| goal.check(&self)).collect();
        self
    }

    pub(crate) fn series_of(&self, tool: Tool) -> Option<&Series> {
        self.series.iter().find(|series| series.tool == tool)
    }

    /// The median of one tool's figure; NaN if the tool was not measured.
    pub(crate) fn median(&self, tool: Tool, figure: Figure) -> f64 {
        self.series_of(tool)
            .map_or(f64::NAN, |series| series.median(figure))
    }

    /// This tool's median as a share of another's.
    pub(crate) fn share(&self, figure: Figure, of: Tool) -> f64 {
        self.median(Tool::Cryptoctl, figure) / self.median(of, figure)
    }
}

/// All results of the benchmarks.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    /// The number of measured runs of every tool.
    pub(crate) runs: u32,
    /// The figures of a program that does nothing: no figure can be smaller.
    pub(crate) floor: Usage,
    pub(crate) binary_bytes: u64,
    pub(crate) works: Vec<WorkResult>,
    pub(crate) recoveries: Vec<Recovery>,
}

impl Results {
    /// The wall times over the number of objects, in seconds.
    pub(crate) fn curve(&self, tool: Tool) -> Vec<(f64, f64)> {
        self.works
            .iter()
            .filter_map(|work| {
                let objects = work.objects?;
                (work.name == crate::work::UP_MANY)
                    .then(|| (f64::from(objects), work.median(tool, Figure::Wall)))
            })
            .collect()
    }

    /// Every goal, in the order of the document.
    pub(crate) fn checks(&self) -> Vec<Check> {
        let mut checks: Vec<Check> = self
            .works
            .iter()
            .flat_map(|work| work.checks.iter().cloned())
            .collect();
        let curve = self.curve(Tool::Cryptoctl);
        if !curve.is_empty() {
            let straight = linearity(&curve);
            checks.push(Check {
                what: "`up` of 10 to 2,000 objects: linear".to_owned(),
                goal: format!("R² ≥ {STRAIGHT}"),
                measured: format!("R² = {straight:.4}"),
                is_reached: straight >= STRAIGHT,
            });
        }
        checks.push(Check {
            what: "the release binary: size".to_owned(),
            goal: megabytes("<", LARGEST_BINARY),
            measured: megabytes("", self.binary_bytes),
            is_reached: self.binary_bytes < LARGEST_BINARY,
        });
        checks
    }
}

fn megabytes(sign: &str, bytes: u64) -> String {
    let tenths = (bytes + 50_000) / 100_000;
    format!("{sign} {}.{} MB", tenths / 10, tenths % 10)
        .trim_start()
        .to_owned()
}

#[cfg(test)]
impl WorkResult {
    /// A result with one run of each tool, 10 MB and 7 requests each.
    pub(crate) fn example(title: &str, walls: &[(Tool, f64)]) -> Self {
        let series = walls.iter().map(|(tool, wall_seconds)| Series {
            tool: *tool,
            command: format!("{} at work", tool.name()),
            runs: vec![Sample {
                usage: Usage {
                    wall_seconds: *wall_seconds,
                    cpu_seconds: wall_seconds / 2.0,
                    peak_bytes: 10_000_000,
                },
                requests: 7,
            }],
        });
        Self {
            name: "up",
            title: title.to_owned(),
            objects: None,
            series: series.collect(),
            checks: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_in_readable_units() {
        assert_eq!(Figure::Wall.shown(0.00412), "4.1 ms");
        assert_eq!(Figure::Wall.shown(0.1437), "144 ms");
        assert_eq!(Figure::Cpu.shown(2.3449), "2.34 s");
        assert_eq!(Figure::Memory.shown(11_640_000.0), "11.6 MB");
        assert_eq!(Figure::Requests.shown(2004.0), "2004");
        assert_eq!(Figure::CoreShare.shown(0.0312), "3.1 %");
        assert_eq!(megabytes("<", 15_000_000), "< 15.0 MB");
        assert_eq!(megabytes("", 9_949_999), "9.9 MB");
    }

    #[test]
    fn the_share_of_a_core_is_that_of_the_time_it_ran() {
        let result = WorkResult::example("probing", &[(Tool::Cryptoctl, 10.0)]);
        let share = result.median(Tool::Cryptoctl, Figure::CoreShare);
        assert!((share - 0.5).abs() < 1e-9, "{share}");
    }

    #[test]
    fn a_tool_that_took_no_part_reaches_no_goal() {
        let result = WorkResult::example("`up`", &[(Tool::Cryptoctl, 0.1)]);
        let goal = Goal::Share {
            figure: Figure::Wall,
            of: Tool::Helm,
            at_most: 1.0,
        };
        assert!(!goal.check(&result).is_reached);
    }
}
