//! Counts, durations, shares and digests as text: one format for each. Used by every other module.

use std::fmt::Display;
use std::time::Duration;

/// A count and its noun: `1 replica`, `2 replicas`.
#[must_use]
pub fn count<N: Copy + Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    let ending = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

/// A number of times: `once`, `2 times`.
#[must_use]
pub fn times<N: Copy + Display + PartialEq + From<u8>>(number: N) -> String {
    if number == N::from(1) {
        return "once".to_owned();
    }
    format!("{number} times")
}

/// A duration as text: `999 ms`, `4.9 s`, `47 s`, `8 min 42 s`, `2 h 5 min`. At most two units;
/// tenths below ten seconds, except for whole seconds.
#[must_use]
pub fn took(milliseconds: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    // A duration that would be rounded to 10.0 s counts as ten seconds.
    match milliseconds {
        0..1_000 => return format!("{milliseconds} ms"),
        1_000..9_950 if !milliseconds.is_multiple_of(1_000) => {
            let tenths = (milliseconds + 50) / 100;
            return format!("{}.{} s", tenths / 10, tenths % 10);
        }
        _ => {}
    }
    let seconds = milliseconds.saturating_add(500) / 1_000;
    let two = |large: u64, unit: &str, small: u64, small_unit: &str| {
        let (whole, rest) = (seconds / large, seconds % large / small);
        match rest {
            0 => format!("{whole} {unit}"),
            _ => format!("{whole} {unit} {rest} {small_unit}"),
        }
    };
    match seconds {
        0..120 => format!("{seconds} s"),
        120..HOUR => two(MINUTE, "min", 1, "s"),
        HOUR..DAY => two(HOUR, "h", MINUTE, "min"),
        _ => two(DAY, "d", HOUR, "h"),
    }
}

/// The same of a [`Duration`].
#[must_use]
pub fn duration(duration: Duration) -> String {
    took(milliseconds(duration))
}

/// Two compared durations as text, so that different ones never read the same.
#[must_use]
pub fn took_both(one_ms: u64, other_ms: u64) -> (String, String) {
    let rounded = |milliseconds| took(milliseconds).replace(".0 ", " ");
    if one_ms != other_ms && rounded(one_ms) == rounded(other_ms) {
        (format!("{one_ms} ms"), format!("{other_ms} ms"))
    } else {
        (took(one_ms), took(other_ms))
    }
}

/// A share between 0 and 1 as text: `100 %`, `99.98 %`, `30 %`. A share below 1 is never rounded to
/// `100 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    let hundredths = format!("{:.2}", (share * 10_000.0).floor() / 100.0);
    let shown = hundredths.trim_end_matches('0').trim_end_matches('.');
    format!("{shown} %")
}

/// The elapsed time of a run: whole seconds, so that rows do not flicker.
#[must_use]
pub fn ticking(elapsed: Duration) -> String {
    took(elapsed.as_secs().saturating_mul(1_000).max(1_000))
}

/// An age as in kubectl's AGE column (`k8s.io/apimachinery` `HumanDuration`): at most two units,
/// the smaller one only while it matters.
#[must_use]
pub fn age(duration: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    const YEAR: u64 = 365 * DAY;
    let seconds = duration.as_secs();
    let two = |large: u64, sign: &str, small: u64, small_sign: &str| {
        let rest = seconds % large / small;
        let whole = seconds / large;
        if rest == 0 {
            format!("{whole}{sign}")
        } else {
            format!("{whole}{sign}{rest}{small_sign}")
        }
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => two(MINUTE, "m", 1, "s"),
        600..10_800 => format!("{}m", seconds / MINUTE),
        10_800..28_800 => two(HOUR, "h", MINUTE, "m"),
        28_800..172_800 => format!("{}h", seconds / HOUR),
        172_800..691_200 => two(DAY, "d", HOUR, "h"),
        691_200..63_072_000 => format!("{}d", seconds / DAY),
        63_072_000..252_288_000 => two(YEAR, "y", DAY, "d"),
        _ => format!("{}y", seconds / YEAR),
    }
}

/// Whole milliseconds, saturating.
#[must_use]
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The first part of a digest, long enough for a person to compare.
#[must_use]
pub fn short_digest(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular() {
        assert_eq!(count(0, "replica"), "0 replicas");
        assert_eq!(count(1_u64, "replica"), "1 replica");
        assert_eq!(count(2, "replica"), "2 replicas");
        assert_eq!(times(1), "once");
        assert_eq!(times(2), "2 times");
    }

    #[test]
    fn ages_read_as_kubectl_says_them() {
        let table = [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (522, "8m42s"),
            (600, "10m"),
            (7_300, "121m"),
            (10_800, "3h"),
            (11_100, "3h5m"),
            (90_000, "25h"),
            (180_000, "2d2h"),
            (864_000, "10d"),
            (63_072_000, "2y"),
            (300_000_000, "9y"),
        ];
        for (seconds, expected) in table {
            assert_eq!(age(Duration::from_secs(seconds)), expected, "{seconds}");
        }
    }

    #[test]
    fn durations_are_shown_in_two_units_at_most() {
        let table = [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_000, "1 s"),
            (1_004, "1.0 s"),
            (4_912, "4.9 s"),
            (9_949, "9.9 s"),
            (9_950, "10 s"),
            (46_800, "47 s"),
            (119_000, "119 s"),
            (180_000, "3 min"),
            (522_000, "8 min 42 s"),
            (7_500_000, "2 h 5 min"),
            (180_000_000, "2 d 2 h"),
        ];
        for (milliseconds, expected) in table {
            assert_eq!(took(milliseconds), expected, "{milliseconds}");
        }
    }

    #[test]
    fn shares_have_no_more_places_than_they_need() {
        let table = [
            (1.0, "100 %"),
            (0.999_999, "99.99 %"),
            (0.995, "99.5 %"),
            (0.3, "30 %"),
            (0.0, "0 %"),
        ];
        for (share, expected) in table {
            assert_eq!(percent(share), expected);
        }
    }

    #[test]
    fn what_differs_never_reads_the_same() {
        let both = |one, other| {
            let (one, other) = took_both(one, other);
            format!("{one}, {other}")
        };
        assert_eq!(both(4_000, 3_000), "4 s, 3 s");
        assert_eq!(both(5_000, 4_999), "5000 ms, 4999 ms");
        assert_eq!(both(5_012, 5_000), "5012 ms, 5000 ms");
        assert_eq!(both(5_000, 5_000), "5 s, 5 s");
    }
}
