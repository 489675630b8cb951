//! Values in their usual notation, on the command line and in files alike: durations, sizes, paths,
//! hashes. Each error says what is expected, without repeating the value.

use std::time::Duration;

use jiff::SignedDuration;

/// A duration as kubectl accepts it: `90s`, `1m30s`, or a plain number of seconds.
///
/// # Errors
/// What is expected, for anything else and for negative durations.
pub fn duration(text: &str) -> Result<Duration, String> {
    let parsed = match text.parse::<u32>() {
        Ok(seconds) => Some(SignedDuration::from_secs(i64::from(seconds))),
        Err(_) => text.parse::<SignedDuration>().ok(),
    };
    match parsed {
        Some(duration) if !duration.is_negative() => Ok(duration.unsigned_abs()),
        _ => Err("a duration, such as `500ms`, `90s` or `5m`".to_owned()),
    }
}

/// A duration as [`duration`] reads it, above zero.
///
/// # Errors
/// What is expected, for anything else.
pub fn positive_duration(text: &str) -> Result<Duration, String> {
    match duration(text) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("a duration above zero, such as `90s` or `5m`".to_owned()),
    }
}

/// A whole number in a range.
///
/// # Errors
/// What is expected, for anything else.
pub fn whole<T: TryFrom<i64>, const LEAST: i64, const MOST: i64>(text: &str) -> Result<T, String> {
    text.parse::<i64>()
        .ok()
        .filter(|number| (LEAST..=MOST).contains(number))
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| match MOST {
            i64::MAX => format!("a whole number, {LEAST} or more"),
            _ => format!("a whole number from {LEAST} to {MOST}"),
        })
}

/// The shortest time between two probes: with less, the prober would measure itself.
const SHORTEST_PROBE_INTERVAL: Duration = Duration::from_millis(20);

/// The time between two probes of a replica.
///
/// # Errors
/// What is expected, for anything else.
pub fn probe_interval(text: &str) -> Result<Duration, String> {
    match duration(text) {
        Ok(duration) if duration >= SHORTEST_PROBE_INTERVAL => Ok(duration),
        _ => Err("a duration of at least `20ms`, such as `100ms`".to_owned()),
    }
}

/// A number of bytes, above zero, with the suffixes of Kubernetes: `512`, `64k`, `16Mi`.
///
/// # Errors
/// What is expected, for anything else.
pub fn size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 6] = [
        ("Ki", 1 << 10),
        ("Mi", 1 << 20),
        ("Gi", 1 << 30),
        ("k", 1_000),
        ("M", 1_000_000),
        ("G", 1_000_000_000),
    ];
    let (digits, unit) = UNITS
        .iter()
        .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, *unit)))
        .unwrap_or((text, 1));
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: Option<u64> = digits.parse().ok().filter(|_| is_number);
    number
        .and_then(|number| number.checked_mul(unit))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "a size above zero, such as `512Ki` or `16Mi`".to_owned())
}

/// A path to request; a missing leading slash is added.
///
/// # Errors
/// What is expected, if it cannot be requested.
pub fn request_path(text: &str) -> Result<String, String> {
    let path = if text.starts_with('/') {
        text.to_owned()
    } else {
        format!("/{text}")
    };
    let is_whole = path
        .parse::<http::Uri>()
        .is_ok_and(|uri| uri.path_and_query().map(http::uri::PathAndQuery::as_str) == Some(&path));
    if is_whole {
        Ok(path)
    } else {
        Err(
            "a valid URL path, with special characters percent-encoded, such as `%20` \
             for a space"
                .to_owned(),
        )
    }
}

/// A SHA-256 in hexadecimal, in lower case.
///
/// # Errors
/// What is expected, for anything else.
pub fn sha256(text: &str) -> Result<String, String> {
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("a SHA-256: 64 hexadecimal digits, as `sha256sum` prints".to_owned())
    }
}

/// The name of an object (`IsDNS1123Subdomain` of `apimachinery`).
///
/// # Errors
/// What is expected, for anything else.
pub fn object_name(text: &str) -> Result<String, String> {
    let is_edge = |byte: Option<u8>| {
        byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        is_edge(bytes.first().copied())
            && is_edge(bytes.last().copied())
            && bytes
                .iter()
                .all(|&byte| is_edge(Some(byte)) || byte == b'-')
    };
    if text.len() <= 253 && text.split('.').all(is_label) {
        Ok(text.to_owned())
    } else {
        Err("the name of an object: lower-case letters, digits, `-` and `.`".to_owned())
    }
}

/// The name in `statefulset/NAME`, in the spellings that kubectl accepts.
///
/// # Errors
/// What is expected, for anything else.
pub fn stateful_set(text: &str) -> Result<String, String> {
    let expected = "`statefulset/NAME`";
    let (kind, name) = text.split_once('/').ok_or(expected)?;
    let is_stateful_set = matches!(
        kind.to_ascii_lowercase().as_str(),
        "statefulset" | "statefulsets" | "sts" | "statefulset.apps" | "statefulsets.apps"
    );
    if is_stateful_set && !name.is_empty() && !name.contains('/') {
        Ok(name.to_owned())
    } else {
        Err(expected.to_owned())
    }
}

/// The same on the command line, where a name alone is enough: commands work only on StatefulSets.
///
/// # Errors
/// What is expected, for anything else.
pub fn workload(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains('/') {
        stateful_set(text)
    } else {
        Ok(text.to_owned())
    }
}

/// The same, but a pod is accepted too: it stays `pod/NAME`.
///
/// # Errors
/// What is expected, for anything else.
pub fn workload_or_pod(text: &str) -> Result<String, String> {
    match text.split_once('/') {
        Some(("pod" | "pods" | "po", name)) => {
            let is_name = !name.is_empty() && !name.contains('/');
            is_name
                .then(|| format!("{POD}{name}"))
                .ok_or_else(|| "`pod/NAME`".to_owned())
        }
        _ => workload(text).map_err(|expected| format!("{expected} or `pod/NAME`")),
    }
}

/// The part of a pod's name before its ordinal, if a StatefulSet's pod can have the name.
pub const POD: &str = "pod/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_kubectls() {
        for (text, milliseconds) in [
            ("90", 90_000),
            ("1m30s", 90_000),
            ("250ms", 250),
            ("0", 0),
            ("0s", 0),
        ] {
            assert_eq!(
                duration(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        for wrong in ["", "-5s", "soon", "5 parsecs"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert!(positive_duration("0").is_err());
        assert!(probe_interval("19ms").is_err());
        assert_eq!(probe_interval("20ms"), Ok(Duration::from_millis(20)));
    }

    #[test]
    fn sizes_have_the_suffixes_of_kubernetes() {
        for (text, bytes) in [
            ("1", 1),
            ("64k", 64_000),
            ("512Ki", 524_288),
            ("16Mi", 16_777_216),
            ("1G", 1_000_000_000),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for wrong in [
            "",
            "0",
            "0Mi",
            "-1",
            "+1",
            "16MB",
            "Mi",
            "1.5Mi",
            "99999999999Gi",
        ] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_path_is_requested_as_it_is_written() {
        assert_eq!(request_path("keys").as_deref(), Ok("/keys"));
        assert_eq!(request_path("/a?b=c").as_deref(), Ok("/a?b=c"));
        for wrong in ["/with space", "/part#fragment", "/new\nline"] {
            assert!(request_path(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_hash_is_64_digits() {
        let digits = "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789";
        assert_eq!(sha256(digits), Ok(digits.to_ascii_lowercase()));
        assert!(sha256(&digits[1..]).is_err());
        assert!(sha256(&format!("g{}", &digits[1..])).is_err());
    }

    #[test]
    fn workloads_are_named_as_kubectl_names_them() {
        for right in [
            "statefulset/web",
            "sts/web",
            "StatefulSet/web",
            "statefulsets.apps/web",
        ] {
            assert_eq!(stateful_set(right).as_deref(), Ok("web"), "{right}");
        }
        for wrong in ["", "web", "deployment/web", "sts/", "sts/a/b"] {
            assert!(stateful_set(wrong).is_err(), "{wrong}");
        }
        assert_eq!(workload("web").as_deref(), Ok("web"));
        assert_eq!(workload("sts/web").as_deref(), Ok("web"));
        assert!(workload("").is_err() && workload("deployment/web").is_err());
        assert!(workload("pod/web-0").is_err());
        for (text, name) in [
            ("web-0", "web-0"),
            ("po/web-0", "pod/web-0"),
            ("sts/web", "web"),
        ] {
            assert_eq!(workload_or_pod(text).as_deref(), Ok(name), "{text}");
        }
        for wrong in ["", "pod/", "pod/a/b", "deployment/web"] {
            assert!(workload_or_pod(wrong).is_err(), "{wrong}");
        }
    }
}
