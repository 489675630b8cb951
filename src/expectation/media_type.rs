//! Compares media types (RFC 9110, section 8.3.1).

/// Whether a `Content-Type` has the expected media type. Only the parameters of the expectation count.
pub(super) fn satisfies(given: &str, expected: &str) -> bool {
    let (given_type, given_parameters) = parts(given);
    let (expected_type, expected_parameters) = parts(expected);
    given_type == expected_type
        && expected_parameters
            .iter()
            .all(|parameter| given_parameters.contains(parameter))
}

/// The type in lower case, and its parameters.
fn parts(text: &str) -> (String, Vec<(String, String)>) {
    let mut parts = text.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
    let parameters = parts.filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let name = name.trim().to_ascii_lowercase();
        let value = value.trim().trim_matches('"');
        // Character set names are case-insensitive; other values may not be.
        let value = if name == "charset" {
            value.to_ascii_lowercase()
        } else {
            value.to_owned()
        };
        (name, value)
    });
    (media_type, parameters.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_count_only_where_they_are_expected() {
        let table = [
            ("text/plain", "text/plain", true),
            ("text/plain; charset=utf-8", "text/plain", true),
            (
                "Text/Plain;charset=UTF-8",
                "text/plain; charset=utf-8",
                true,
            ),
            (
                r#"text/plain; charset="utf-8""#,
                "text/plain;charset=utf-8",
                true,
            ),
            ("text/plain", "text/plain; charset=utf-8", false),
            (
                "text/plain; charset=latin1",
                "text/plain; charset=utf-8",
                false,
            ),
            ("application/json", "text/plain", false),
            ("multipart/x; boundary=A", "multipart/x; boundary=a", false),
            ("", "text/plain", false),
        ];
        for (given, expected, is_right) in table {
            assert_eq!(
                satisfies(given, expected),
                is_right,
                "{given} for {expected}"
            );
        }
    }
}
