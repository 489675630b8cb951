//! Every kind that people deploy with a workload: what was applied is no difference.

use std::collections::BTreeSet;

use crate::harness::Namespace;

const KINDS: &str = include_str!("../fixtures/manifests/kinds.yaml");

#[test]
fn what_was_applied_is_no_difference_whatever_its_kind() {
    let namespace = Namespace::new("kinds");
    let text = KINDS.replace("NAME", &namespace.name);
    let file = namespace.file("kinds.yaml", &text);
    let file = file.to_str().unwrap();
    let kinds: BTreeSet<&str> = KINDS
        .lines()
        .filter_map(|line| line.strip_prefix("kind: "))
        .collect();
    assert!(kinds.len() >= 25, "{kinds:?}");
    namespace.here(&["up", "-f", file, "--no-wait"]).expect(0);
    let shown = namespace
        .here(&["diff", "-f", file, "--fail-on-undeclared"])
        .expect(0);
    assert_eq!(shown.stdout, "");
    let again = namespace.here(&["-o", "json", "up", "-f", file, "--no-wait"]);
    for applied in again.expect(0).report()["objects"].as_array().unwrap() {
        assert_eq!(applied["action"], "keep", "{applied}");
    }
    namespace
        .here(&["down", "-f", file, "--delete-data", "--yes"])
        .expect(0);
}
