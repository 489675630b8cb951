//! Every report fits the schemas in `docs/schema/`, which know all its fields.

use boon::{Compiler, Schemas};
use serde_json::{Value, json};

use super::runs;

const VERIFY: &str = include_str!("../../../../docs/schema/verify-report.schema.json");
const CHAOS: &str = include_str!("../../../../docs/schema/chaos-report.schema.json");

fn problems(schema: &str, report: &Value) -> Option<String> {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("schema.json", schema).unwrap();
    let index = compiler.compile("schema.json", &mut schemas).unwrap();
    let result = schemas.validate(report, index);
    result.err().map(|error| error.to_string())
}

/// The reports of all sample runs, each with its schema.
fn reports() -> Vec<(&'static str, &'static str, Value)> {
    runs()
        .into_iter()
        .filter_map(|(name, events)| {
            let last = serde_json::to_value(events.last().unwrap()).unwrap();
            let report = last.get("report")?.clone();
            let schema = match report["command"].as_str()? {
                "verify" => VERIFY,
                _ => CHAOS,
            };
            Some((name, schema, report))
        })
        .collect()
}

#[test]
fn every_report_fits_its_schema() {
    for (name, schema, report) in reports() {
        assert_eq!(problems(schema, &report), None, "{name}");
    }
}

#[test]
fn what_the_schema_does_not_know_does_not_fit() {
    for (name, schema, report) in reports() {
        let mut more = report.clone();
        more["news"] = json!(1);
        assert!(problems(schema, &more).is_some(), "{name}");
        let mut other = report.clone();
        other["verdict"] = json!("splendid");
        assert!(problems(schema, &other).is_some(), "{name}");
    }
}

#[test]
fn every_object_is_closed() {
    fn check(value: &Value, place: &str) {
        match value {
            Value::Object(members) => {
                if members.contains_key("properties") {
                    assert_eq!(
                        members.get("additionalProperties"),
                        Some(&json!(false)),
                        "{place}"
                    );
                }
                for (name, member) in members {
                    check(member, &format!("{place}/{name}"));
                }
            }
            Value::Array(items) => items.iter().for_each(|item| check(item, place)),
            _ => {}
        }
    }
    for schema in [VERIFY, CHAOS] {
        check(&serde_json::from_str(schema).unwrap(), "");
    }
}
