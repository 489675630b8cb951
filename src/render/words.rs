//! Numbers and times in words.

use std::time::Duration;

use crate::timeline::Incident;
pub(crate) use crate::values::took;

/// A count and its noun: `1 replica`, `2 replicas`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

/// How often: `once`, `2 times`.
pub(crate) fn times(number: usize) -> String {
    match number {
        1 => "once".to_owned(),
        _ => format!("{number} times"),
    }
}

/// What happened to a pod: `web-0: CrashLoopBackOff, 0/1 Ready, 3 restarts`.
pub(crate) fn incident(Incident { pod, .. }: &Incident) -> String {
    let (ready, all) = pod.ready;
    let mut text = format!("{}: {}, {ready}/{all} Ready", pod.pod, pod.status);
    if pod.restarts > 0 {
        let restarts = usize::try_from(pod.restarts).unwrap_or(0);
        text.push_str(", ");
        text.push_str(&count(restarts, "restart"));
    }
    text
}

/// How long a run has lasted so far: whole seconds, so that rows do not tremble.
pub(crate) fn ticking(elapsed: Duration) -> String {
    took(elapsed.as_secs().saturating_mul(1_000).max(1_000))
}

/// How old something is, as kubectl writes it in its AGE column (`k8s.io/apimachinery`
/// `HumanDuration`): two units at most, and the smaller one only while it matters.
pub(crate) fn age(duration: Duration) -> String {
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

/// The beginning of a digest that is enough for a person to compare.
pub(crate) fn short_digest(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular() {
        assert_eq!(count(0, "replica"), "0 replicas");
        assert_eq!(count(1, "replica"), "1 replica");
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
}
