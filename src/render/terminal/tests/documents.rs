//! `docs/events.md` is the contract of `-o json`: it names every event and every field, and its
//! examples are valid events.

use std::collections::BTreeSet;

use serde_json::Value;

use super::samples;
use crate::event::Event;

const DOCUMENT: &str = include_str!("../../../../docs/events.md");

fn examples() -> Vec<&'static str> {
    DOCUMENT
        .lines()
        .filter(|line| line.starts_with(r#"{"time""#))
        .collect()
}

fn sample_values() -> Vec<Value> {
    samples::all()
        .iter()
        .flat_map(|(_, events)| events)
        .map(|event| serde_json::to_value(event).unwrap())
        .collect()
}

fn fields(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                names.insert(name.clone());
                fields(member, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| fields(item, names)),
        _ => {}
    }
}

#[test]
fn every_example_is_an_event() {
    for example in examples() {
        if let Err(error) = serde_json::from_str::<Event>(example) {
            panic!("{error}: {example}");
        }
    }
}

#[test]
fn every_event_is_named_and_has_an_example() {
    let names: BTreeSet<String> = sample_values()
        .iter()
        .map(|event| event["event"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 22, "the samples hold every event: {names:?}");
    for name in names {
        assert!(
            DOCUMENT.contains(&format!("### `{name}`")),
            "docs/events.md lacks `{name}`"
        );
        let member = format!(r#""event":"{name}""#);
        assert!(
            examples().iter().any(|example| example.contains(&member)),
            "no example of {name}"
        );
    }
}

#[test]
fn every_field_is_named() {
    let mut names = BTreeSet::new();
    for value in sample_values() {
        fields(&value, &mut names);
    }
    let missing: Vec<&String> = names
        .iter()
        .filter(|name| !DOCUMENT.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "docs/events.md lacks {missing:?}");
}
