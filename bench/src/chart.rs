//! `docs/benchmarks.svg`: wall time over the number of objects, readable in light and dark.

use std::fmt::Write;

use crate::results::Results;
use crate::work::Tool;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 96.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 56.0;

/// At most this many grid lines.
const LINES: f64 = 6.0;

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#3d444d}.title{font-size:15px;font-weight:600;fill:#1f2328}\
.paper{fill:#fff}.grid{stroke:#d1d9e0}.cryptoctl{stroke:#0969da;fill:#0969da}.kubectl{stroke:#bc4c00;fill:#bc4c00}\
polyline{fill:none!important;stroke-width:2.5}text.cryptoctl,text.kubectl{stroke:none;font-weight:600}\
@media(prefers-color-scheme:dark){text{fill:#b1bac4}.title{fill:#f0f6fc}.paper{fill:#0d1117}.grid{stroke:#3d444d}\
.cryptoctl{stroke:#4493f8;fill:#4493f8}.kubectl{stroke:#f0883e;fill:#f0883e}}";

/// The chart of this tool beside kubectl.
pub(crate) fn render(results: &Results) -> String {
    draw(&[Tool::Cryptoctl, Tool::Kubectl].map(|tool| (tool.name(), results.curve(tool))))
}

fn draw(curves: &[(&str, Vec<(f64, f64)>)]) -> String {
    let points = || curves.iter().flat_map(|(_, points)| points);
    let across = Axis::over(points().map(|point| point.0), LEFT, WIDTH - RIGHT);
    let up = Axis::over(points().map(|point| point.1), HEIGHT - BOTTOM, TOP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n\
         <title>Wall time over the number of objects</title>\n<style>{STYLE}</style>\n\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"8\"/>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"28\">Apply with nothing to change: seconds over objects</text>\n"
    );
    grid(&mut svg, &across, &up);
    for (name, points) in curves {
        let places: Vec<(f64, f64)> = points
            .iter()
            .map(|(x, y)| (across.place(*x), up.place(*y)))
            .collect();
        let path: Vec<String> = places
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        // Writing to a String cannot fail.
        let _ = writeln!(
            svg,
            "<polyline class=\"{name}\" points=\"{}\"/>",
            path.join(" ")
        );
        for (x, y) in &places {
            let _ = writeln!(
                svg,
                "<circle class=\"{name}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>"
            );
        }
        if let Some((x, y)) = places.last() {
            let _ = writeln!(
                svg,
                "<text class=\"{name}\" x=\"{:.1}\" y=\"{:.1}\">{name}</text>",
                x + 10.0,
                y + 4.0
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn grid(svg: &mut String, across: &Axis, up: &Axis) {
    let (low, high) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    for value in up.ticks() {
        let y = up.place(value);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{high}\" y2=\"{y:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            y + 4.0,
            shown(value),
        );
    }
    for value in across.ticks() {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            across.place(value),
            low + 20.0,
            shown(value),
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">objects</text>",
        f64::midpoint(LEFT, high),
        low + 42.0
    );
}

/// A tick without trailing zeros.
fn shown(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Values from 0, scaled to the length of an axis.
struct Axis {
    step: f64,
    highest: f64,
    begin: f64,
    end: f64,
}

impl Axis {
    /// An axis up to the largest value, or slightly further.
    fn over(values: impl Iterator<Item = f64>, begin: f64, end: f64) -> Self {
        let largest = values.fold(f64::MIN_POSITIVE, f64::max);
        let step = round_step(largest / LINES);
        let highest = (largest / step).ceil() * step;
        Self {
            step,
            highest,
            begin,
            end,
        }
    }

    fn place(&self, value: f64) -> f64 {
        self.begin + value / self.highest * (self.end - self.begin)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        let (step, highest) = (self.step, self.highest);
        std::iter::successors(Some(0.0), move |value| Some(value + step))
            .take_while(move |value| *value <= highest + step / 2.0)
    }
}

/// The next of 1, 2, 2.5 and 5 times a power of ten.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 2.5, 5.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|step| *step >= least)
        .unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-9
    }

    #[test]
    fn an_axis_begins_at_zero_and_ends_at_a_round_number() {
        let axis = Axis::over([10.0, 2000.0].into_iter(), 64.0, 624.0);
        assert!(close(axis.step, 500.0) && close(axis.highest, 2000.0));
        assert!(close(axis.place(0.0), 64.0));
        assert!(close(axis.place(1000.0), 344.0));
        assert_eq!(axis.ticks().count(), 5);
        let axis = Axis::over([0.013, 3.61].into_iter(), 344.0, 48.0);
        assert!(close(axis.step, 1.0) && close(axis.highest, 4.0));
        assert!(close(axis.place(4.0), 48.0));
    }

    #[test]
    fn nothing_is_drawn_outside_the_picture() {
        let curve = |factor: f64| [10.0, 300.0, 2000.0].map(|x| (x, x * factor)).to_vec();
        let svg = draw(&[("cryptoctl", curve(0.0005)), ("kubectl", curve(0.002))]);
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert_eq!(svg.matches("<circle").count(), 6);
        for part in svg.split("points=\"").skip(1) {
            for place in part.split('"').next().unwrap().split(' ') {
                let (x, y) = place.split_once(',').unwrap();
                assert!(
                    (LEFT..=WIDTH - RIGHT).contains(&x.parse().unwrap()),
                    "{place}"
                );
                assert!(
                    (TOP..=HEIGHT - BOTTOM).contains(&y.parse().unwrap()),
                    "{place}"
                );
            }
        }
        assert!(svg.contains("prefers-color-scheme:dark"));
    }

    #[test]
    fn ticks_are_shown_without_empty_digits() {
        assert_eq!(
            [2000.0, 0.5, 0.25, 0.0].map(shown),
            ["2000", "0.5", "0.25", "0"]
        );
    }
}
