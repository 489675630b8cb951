//! What names objects may have (`k8s.io/apimachinery` `pkg/api/validation` and `k8s.io/kubernetes`
//! `pkg/apis/*/validation`).

/// Longest DNS label, in bytes (RFC 1123).
const MAX_LABEL: usize = 63;
/// Longest DNS subdomain, in bytes (RFC 1123).
const MAX_SUBDOMAIN: usize = 253;

/// What is wrong with the name of an object of this kind.
///
/// Kinds that are not known here, and those whose names are free, only get the rule that holds
/// for all: a name is one segment of a URL's path.
#[must_use]
pub fn name_problem(group: &str, kind: &str, name: &str) -> Option<&'static str> {
    if name.is_empty() {
        // Reported as missing.
        None
    } else if matches!(name, "." | "..") || name.contains(['/', '%']) {
        Some("must not be `.` or `..`, nor contain `/` or `%`")
    } else {
        match (group, kind) {
            ("", "Namespace" | "Service") => label_problem(name),
            ("" | "apps" | "autoscaling" | "batch" | "policy" | "storage.k8s.io", _) => {
                subdomain_problem(name)
            }
            _ => None,
        }
    }
}

/// What is wrong with the name of a namespace.
#[must_use]
pub fn namespace_problem(name: &str) -> Option<&'static str> {
    label_problem(name)
}

fn label_problem(name: &str) -> Option<&'static str> {
    if name.len() > MAX_LABEL {
        Some("must have at most 63 characters")
    } else if !is_label(name) {
        Some(
            "must consist of lower-case letters, digits and `-`, and start and end with a letter or digit",
        )
    } else {
        None
    }
}

fn subdomain_problem(name: &str) -> Option<&'static str> {
    if name.len() > MAX_SUBDOMAIN {
        Some("must have at most 253 characters")
    } else if !name.split('.').all(is_label) {
        Some(
            "must consist of lower-case letters, digits, `-` and `.`, each part starting and ending with a letter or digit",
        )
    } else {
        None
    }
}

fn is_label(text: &str) -> bool {
    let letter_or_digit = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes
        .iter()
        .all(|byte| letter_or_digit(byte) || *byte == b'-')
        && bytes.first().is_some_and(letter_or_digit)
        && bytes.last().is_some_and(letter_or_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_kinds_rules() {
        let long = "a".repeat(64);
        let table = [
            ("apps", "StatefulSet", "cryptoserver", true),
            ("apps", "StatefulSet", "crypto.server-2", true),
            ("apps", "StatefulSet", "Crypto", false),
            ("apps", "StatefulSet", "crypto_server", false),
            ("apps", "StatefulSet", "-crypto", false),
            ("apps", "StatefulSet", "a..b", false),
            ("", "ConfigMap", &long, true),
            ("", "Namespace", &long, false),
            ("", "Namespace", "a.b", false),
            ("rbac.authorization.k8s.io", "Role", "system:reader", true),
            ("rbac.authorization.k8s.io", "Role", "a/b", false),
            ("example.com", "Widget", "UPPER_case", true),
            ("example.com", "Widget", "..", false),
        ];
        for (group, kind, name, valid) in table {
            assert_eq!(
                name_problem(group, kind, name).is_none(),
                valid,
                "{kind} {name}"
            );
        }
    }
}
