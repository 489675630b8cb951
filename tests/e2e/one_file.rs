//! Runs over a set of one file.

use crate::harness::{Ended, Namespace};

/// Runs a verb over a manifest.
fn run(namespace: &Namespace, verb: &str, manifest: &str, more: &[&str]) -> Ended {
    let file = namespace.file("set.yaml", manifest);
    let arguments = [verb, "-f", file.to_str().unwrap()];
    namespace.here(&[&arguments, more].concat())
}

/// Applies a manifest and does not wait for it.
pub(crate) fn up(namespace: &Namespace, manifest: &str) -> Ended {
    up_with(namespace, manifest, &[])
}

/// The same with more flags.
pub(crate) fn up_with(namespace: &Namespace, manifest: &str, more: &[&str]) -> Ended {
    run(namespace, "up", manifest, &[&["--no-wait"], more].concat())
}

/// Compares a manifest.
pub(crate) fn diff(namespace: &Namespace, manifest: &str) -> Ended {
    run(namespace, "diff", manifest, &[])
}
