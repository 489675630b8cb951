//! The YAML of an object, line by line, with the owners of every field.

use kubectl_manifest::{Located, Written, read_located};
use serde_json::Value;

use super::{mask, normalise, yaml};
use crate::cluster::ResourceKind;
use crate::fields::Ownership;
use crate::report::BlamedLine;

/// What names an object, which nobody owns.
const IDENTITY: [&str; 4] = [
    ".apiVersion",
    ".kind",
    ".metadata.name",
    ".metadata.namespace",
];

/// A live object as it is compared, with Secret values masked.
#[must_use]
pub fn blame(live: &Value, kind: &ResourceKind) -> Vec<BlamedLine> {
    let mut shown = normalise::without_noise(live, kind);
    mask::secrets(None, &mut shown);
    lines(&shown, &yaml::text(&shown), &Ownership::new(live, None))
}

/// The lines of an object's YAML text. A line without a field only introduces the fields below it.
pub(super) fn lines(object: &Value, text: &str, ownership: &Ownership) -> Vec<BlamedLine> {
    let mut lines: Vec<BlamedLine> = text.lines().map(BlamedLine::new).collect();
    let starts = starts(text);
    let leaves = ownership.leaves(object);
    // What this reader of YAML reads in another way has no owners that could be shown, and neither has
    // an object without managed fields.
    if starts.len() != leaves.len() || !ownership.is_known() {
        return lines;
    }
    let ends = starts.iter().skip(1).copied().chain([lines.len() + 1]);
    for ((leaf, &start), end) in leaves.iter().zip(&starts).zip(ends) {
        let field = leaf.to_string();
        if IDENTITY.contains(&field.as_str()) {
            continue;
        }
        // The lines up to the next field are the rest of a long text, or introduce that field.
        let length = lines
            .get(start - 1)
            .map_or(0, |line| length(text, line, start, end));
        let owners = ownership.owners(leaf);
        for (number, line) in lines.iter_mut().skip(start - 1).take(length).enumerate() {
            line.field.clone_from(&field);
            line.owners.clone_from(&owners);
            line.continues = number > 0;
        }
    }
    lines
}

/// How many lines the field on a line has: a long text is indented deeper than its key.
fn length(text: &str, first: &BlamedLine, start: usize, end: usize) -> usize {
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let own = indent(&first.text);
    let rest = text.lines().skip(start).take(end.saturating_sub(start + 1));
    1 + rest
        .take_while(|line| line.is_empty() || indent(line) > own)
        .count()
}

/// The lines, from 1, on which the fields start that have no fields below them.
fn starts(text: &str) -> Vec<usize> {
    fn collect(node: &Located, line: usize, found: &mut Vec<usize>) {
        match &node.value {
            Written::Sequence(items) if !items.is_empty() => {
                for item in items {
                    collect(item, item.line, found);
                }
            }
            Written::Mapping(fields) if !fields.is_empty() => {
                for (name, value) in fields {
                    collect(value, name.line, found);
                }
            }
            _ => found.push(line),
        }
    }
    let mut found = Vec::new();
    if let Ok(Some(root)) = read_located(text) {
        collect(&root, root.line, &mut found);
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_line_says_whose_field_it_is() {
        let live = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "app", "labels": {}, "managedFields": [
                {"manager": "cryptoctl", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {
                    "f:data": {"f:text": {}}}},
                {"manager": "kubectl-edit", "operation": "Update", "apiVersion": "v1", "fieldsV1": {
                    "f:data": {"f:list": {}}}}]},
            "data": {"list": ["a", {"b": "c"}], "text": "first\n\nthird\n", "plain": 1},
        });
        let lines = blame(
            &live,
            &ResourceKind::known("", "v1", "ConfigMap", "configmaps", true),
        );
        let said: Vec<String> = lines
            .iter()
            .map(|line| match line.field.as_str() {
                "" => line.text.clone(),
                _ => format!("{} # {}", line.text, line.owners_in_words()),
            })
            .collect();
        let expected = [
            "apiVersion: v1",
            "data:",
            "  list:",
            "  - a # kubectl-edit",
            "  - b: c # kubectl-edit",
            "  plain: 1 # server default",
            "  text: | # cryptoctl",
            "    first # cryptoctl",
            " # cryptoctl",
            "    third # cryptoctl",
            "kind: ConfigMap",
            "metadata:",
            "  labels: {} # server default",
            "  name: app",
        ];
        assert_eq!(said, expected);
    }
}
