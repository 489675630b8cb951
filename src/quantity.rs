//! Kubernetes quantities (`k8s.io/apimachinery` `pkg/api/resource/quantity.go`), for comparison.

const SUFFIXES: [(&str, i128); 14] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("Pi", 1 << 50),
    ("Ei", 1 << 60),
    ("m", 0),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("P", 1_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000),
    ("", 1),
];

/// A quantity in thousandths; `None` if it cannot be parsed.
#[must_use]
pub fn milli(text: &str) -> Option<i128> {
    if let Some((digits, exponent)) = text.split_once(['e', 'E'])
        && let Ok(exponent) = exponent.parse::<i32>()
    {
        let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
        let digits = milli(digits)?;
        return if exponent < 0 {
            digits.checked_div(power)
        } else {
            digits.checked_mul(power)
        };
    }
    let (digits, unit) = SUFFIXES
        .iter()
        .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, *unit)))?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let number: i128 = format!("{whole}{fraction}").parse().ok()?;
    let thousandths = if unit == 0 {
        1
    } else {
        unit.checked_mul(1000)?
    };
    number.checked_mul(thousandths)?.checked_div(scale)
}

/// Thousandths in their usual notation, with the largest binary unit that divides them evenly.
#[must_use]
pub fn words(milli: i128) -> String {
    if milli % 1000 != 0 {
        return format!("{milli}m");
    }
    let whole = milli / 1000;
    let binary = SUFFIXES[..6].iter().rev();
    let fitting = binary
        .filter(|(_, unit)| whole != 0 && whole % unit == 0)
        .map(|(suffix, unit)| format!("{}{suffix}", whole / unit));
    fitting
        .into_iter()
        .next()
        .unwrap_or_else(|| whole.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_compared_whatever_their_unit() {
        assert_eq!(milli("500m"), Some(500));
        assert_eq!(milli("1.5"), Some(1500));
        assert_eq!(milli("64"), Some(64_000));
        assert_eq!(milli("1Gi"), Some((1 << 30) * 1000));
        assert!(milli("1G") < milli("1Gi"));
        assert_eq!(milli("1e6"), milli("1M"));
        assert_eq!(milli("25E-1"), Some(2500));
        assert_eq!(milli("1E"), milli("1000P"));
        assert_eq!(milli("many"), None);
        assert_eq!(words(64_000), "64");
        assert_eq!(words(1500), "1500m");
        assert_eq!(words((1 << 30) * 3000), "3Gi");
    }
}
