//! Goals for figures, and whether they are reached.

use serde::Serialize;

use crate::results::{Figure, WorkResult};
use crate::work::Tool;

/// A goal of this tool for one piece of work.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// At most this share of another tool's figure.
    Share {
        figure: Figure,
        of: Tool,
        at_most: f64,
    },
    /// At most this, in the figure's unit.
    AtMost { figure: Figure, at_most: f64 },
}

/// A goal, and what was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// The figure and its work.
    pub(crate) what: String,
    pub(crate) goal: String,
    pub(crate) measured: String,
    pub(crate) is_reached: bool,
}

impl Goal {
    /// Compares the measurement with the goal.
    pub(crate) fn check(self, result: &WorkResult) -> Check {
        let (figure, goal, measured, is_reached) = match self {
            Self::Share {
                figure,
                of,
                at_most,
            } => {
                let share = result.share(figure, of);
                let goal = format!("≤ {at_most} × {}", of.name());
                (figure, goal, format!("{share:.2} ×"), share <= at_most)
            }
            Self::AtMost { figure, at_most } => {
                let measured = result.median(Tool::Cryptoctl, figure);
                let goal = format!("≤ {}", figure.shown(at_most));
                (figure, goal, figure.shown(measured), measured <= at_most)
            }
        };
        Check {
            what: format!("{}: {}", result.title, figure.name()),
            goal,
            measured,
            is_reached,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_reached_at_its_limit_and_missed_behind_it() {
        let result = WorkResult::example("`up`", &[(Tool::Cryptoctl, 0.5), (Tool::Kubectl, 1.0)]);
        let share = |at_most| {
            let figure = Figure::Wall;
            Goal::Share {
                figure,
                of: Tool::Kubectl,
                at_most,
            }
            .check(&result)
        };
        assert!(share(0.5).is_reached);
        assert!(!share(0.49).is_reached);
        assert_eq!(share(0.4).measured, "0.50 ×");
        let limit = Goal::AtMost {
            figure: Figure::Requests,
            at_most: 6.0,
        }
        .check(&result);
        assert!(!limit.is_reached);
        assert_eq!((limit.goal.as_str(), limit.measured.as_str()), ("≤ 6", "7"));
    }
}
