//! Statistics of a series of numbers.

/// The median; the mean of the two middle values if their count is even, and 0 if there are none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.len() % 2) {
        (None, _) => 0.0,
        (Some(value), 1) => *value,
        (Some(value), _) => f64::midpoint(values[middle - 1], *value),
    }
}

/// The smallest and the largest value.
pub(crate) fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    values
        .into_iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        })
}

/// How well a straight line fits the points, from 0 to 1: the coefficient of determination of the
/// least squares line.
pub(crate) fn linearity(points: &[(f64, f64)]) -> f64 {
    let mean = |of: fn(&(f64, f64)) -> f64| {
        let (count, sum) = points
            .iter()
            .map(of)
            .fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
        sum / f64::max(count, 1.0)
    };
    let (mean_x, mean_y) = (mean(|point| point.0), mean(|point| point.1));
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        points.iter().map(|(x, y)| of(x - mean_x, y - mean_y)).sum()
    };
    let (xx, yy, xy) = (sum(&|x, _| x * x), sum(&|_, y| y * y), sum(&|x, y| x * y));
    if xx == 0.0 || yy == 0.0 {
        return 1.0;
    }
    xy * xy / (xx * yy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-9
    }

    #[test]
    fn the_median_is_not_moved_by_one_outlier() {
        assert!(close(median([3.0, 1.0, 900.0]), 3.0));
        assert!(close(median([4.0, 1.0, 2.0, 900.0]), 3.0));
        assert!(close(median([]), 0.0));
    }

    #[test]
    fn the_range_is_smallest_and_largest() {
        let (low, high) = range([2.0, -1.0, 7.0]);
        assert!(close(low, -1.0) && close(high, 7.0));
    }

    #[test]
    fn a_line_is_linear_and_a_parabola_is_not() {
        let line: Vec<_> = (0..9_i32)
            .map(|x| (f64::from(x), 3.0 + 2.0 * f64::from(x)))
            .collect();
        let parabola: Vec<_> = (-4..5_i32)
            .map(|x| (f64::from(x), f64::from(x * x)))
            .collect();
        assert!(close(linearity(&line), 1.0));
        assert!(linearity(&parabola) < 0.1);
        assert!(close(linearity(&[(1.0, 5.0), (2.0, 5.0)]), 1.0));
    }
}
