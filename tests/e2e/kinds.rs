//! Every kind that people deploy with a workload: what was applied is no difference.

use std::collections::BTreeSet;

use crate::harness::Namespace;

const KINDS: &str = include_str!("../fixtures/manifests/kinds.yaml");

/// The set for a namespace, as a file.
fn kinds(namespace: &Namespace) -> String {
    let text = KINDS.replace("NAME", &namespace.name);
    let file = namespace.file("kinds.yaml", &text);
    file.to_str().unwrap().to_owned()
}

#[test]
fn what_kubectl_applied_is_taken_over_whatever_its_kind() {
    let namespace = Namespace::new("former");
    let file = &kinds(&namespace);
    namespace.kubectl(&["create", "namespace", &namespace.name]);
    // The first time, a kind is not served yet.
    namespace.try_kubectl(&["apply", "-f", file]);
    let definition = format!("crd/gadgets.{}.example.test", namespace.name);
    namespace.kubectl(&["wait", "--for=condition=Established", &definition]);
    namespace.kubectl(&["apply", "-f", file]);
    let shown = namespace.here(&["diff", "-f", file]).expect(0);
    assert_eq!(shown.stdout, "");
    shown.says(" from kubectl-client-side-apply to cryptoctl");
    namespace.here(&["up", "-f", file, "--no-wait"]).expect(0);
    let shown = namespace.here(&["diff", "-f", file, "--fail-on-undeclared"]);
    let shown = shown.expect(0);
    assert!(!shown.stderr.contains("not yet owned"), "{}", shown.stderr);
    let live = namespace.kubectl(&["get", "-f", file, "-o", "json", "--show-managed-fields"]);
    for left in ["kubectl-client-side-apply", "last-applied-configuration"] {
        assert!(!live.contains(left), "{live}");
    }
    namespace
        .here(&["down", "-f", file, "--delete-data", "--yes"])
        .expect(0);
}

#[test]
fn what_was_applied_is_no_difference_whatever_its_kind() {
    let namespace = Namespace::new("kinds");
    let file = &kinds(&namespace);
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
