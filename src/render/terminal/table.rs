//! A table that fits a width: first it drops the least important columns, then it truncates the widest
//! cells.

use console::{measure_text_width, truncate_str};

use super::line::{Level, Line, Tone};
use crate::ui::brief;

/// Spaces between two columns.
const GAP: usize = 2;

/// A column is not shortened below this.
const NARROWEST: usize = 6;

/// One column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// Its title.
    pub(crate) title: &'static str,
    /// Its rank, 0 being the most important. If there is not enough room, the least important column is
    /// dropped first; columns of rank 0 always stay.
    pub(crate) importance: u8,
}

/// One cell.
pub(crate) type Cell = (Tone, String);

/// Rows in columns.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(columns: &[Column]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row, a cell for each column.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        // Sanitise first, because the visible text determines the widths.
        self.rows.push(
            cells
                .into_iter()
                .map(|(tone, text)| (tone, brief(&text)))
                .collect(),
        );
    }

    /// The titles and the rows, none wider than `width`.
    pub(crate) fn lines(&self, level: Level, width: usize) -> Vec<Line> {
        let kept = self.fitting_columns(width);
        let widths = self.fitting_widths(&kept, width);
        let titles: Vec<Cell> = self
            .columns
            .iter()
            .map(|column| (Tone::Faint, column.title.to_owned()))
            .collect();
        std::iter::once(&titles)
            .chain(&self.rows)
            .map(|cells| {
                let mut line = Line::said(level);
                let mut owed = 0;
                for (&index, &column_width) in kept.iter().zip(&widths) {
                    let Some((tone, text)) = cells.get(index) else {
                        continue;
                    };
                    let shown = truncate_str(text, column_width, "…");
                    let used = measure_text_width(&shown);
                    line = line.text(" ".repeat(owed)).with(*tone, &shown);
                    owed = column_width.saturating_sub(used) + GAP;
                }
                line
            })
            .collect()
    }

    fn natural_width(&self, index: usize) -> usize {
        let title = self
            .columns
            .get(index)
            .map_or(0, |column| measure_text_width(column.title));
        self.rows
            .iter()
            .filter_map(|cells| cells.get(index))
            .map(|(_, text)| measure_text_width(text))
            .fold(title, usize::max)
    }

    /// The indexes of the columns that fit.
    fn fitting_columns(&self, width: usize) -> Vec<usize> {
        let mut kept: Vec<usize> = (0..self.columns.len()).collect();
        let importance = |index: usize| {
            self.columns
                .get(index)
                .map_or(0, |column| column.importance)
        };
        loop {
            let widths: Vec<usize> = kept
                .iter()
                .map(|&index| self.natural_width(index))
                .collect();
            let least = kept.iter().copied().max_by_key(|&index| importance(index));
            match least {
                Some(least) if total(&widths) > width && importance(least) > 0 => {
                    kept.retain(|&index| index != least);
                }
                _ => return kept,
            }
        }
    }

    fn fitting_widths(&self, kept: &[usize], width: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = kept
            .iter()
            .map(|&index| self.natural_width(index))
            .collect();
        while total(&widths) > width {
            match widths.iter_mut().max() {
                Some(widest) if *widest > NARROWEST => *widest -= 1,
                _ => break,
            }
        }
        widths
    }
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let column = |title, importance| Column { title, importance };
        let mut table = Table::new(&[column("NAME", 0), column("AGE", 2), column("STATUS", 1)]);
        let cell = |text: &str| (Tone::Plain, text.to_owned());
        table.row(vec![cell("cryptoserver-0"), cell("8m42s"), cell("Running")]);
        table
    }

    fn text(width: usize) -> Vec<String> {
        table()
            .lines(Level::Result, width)
            .iter()
            .map(|line| line.render(false))
            .collect()
    }

    #[test]
    fn columns_stand_below_their_titles() {
        assert_eq!(
            text(80),
            [
                "NAME            AGE    STATUS",
                "cryptoserver-0  8m42s  Running"
            ]
        );
    }

    #[test]
    fn the_least_important_column_goes_first() {
        assert_eq!(
            text(25),
            ["NAME            STATUS", "cryptoserver-0  Running"]
        );
        assert_eq!(text(20), ["NAME", "cryptoserver-0"]);
    }

    #[test]
    fn what_must_stay_is_shortened() {
        assert_eq!(text(10), ["NAME", "cryptoser…"]);
    }
}
