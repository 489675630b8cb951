//! The fields in conflict, as kubectl and `cryptoctl` name them.

use std::collections::BTreeSet;

use serde_json::Value;

/// A field and its manager.
pub(super) type Conflict = (String, String);

/// The conflicts that kubectl prints; none if it was refused for another reason.
pub(super) fn of_kubectl(stderr: &str) -> BTreeSet<Conflict> {
    let mut found = BTreeSet::new();
    let mut manager = "";
    for line in stderr.lines() {
        let mut rest = line;
        if let Some((_, named)) = line
            .split_once("conflict with \"")
            .or(line.split_once("conflicts with \""))
        {
            (manager, rest) = named.split_once('"').unwrap();
        }
        let field = rest
            .strip_prefix("- .")
            .or(rest.split_once(": .").map(|(_, field)| field));
        if let Some(field) = field.filter(|_| !manager.is_empty()) {
            found.insert((format!(".{field}"), manager.to_owned()));
        }
    }
    found
}

/// The conflicts in the report of `cryptoctl diff`.
pub(super) fn of_report(report: &Value) -> BTreeSet<Conflict> {
    let conflicts = report["objects"][0]["conflicts"].as_array();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let conflicts = conflicts.into_iter().flatten();
    conflicts
        .map(|row| (text(&row["field"]), text(&row["manager"])))
        .collect()
}
