//! A broken invariant has an exit status of its own.

use std::process::Command;

/// Set in the process that has to break an invariant.
const BREAK: &str = "CRYPTOCTL_TEST_BREAKS_AN_INVARIANT";

#[test]
fn a_broken_invariant_ends_with_70() {
    if std::env::var_os(BREAK).is_some() {
        cryptoctl::report_bugs();
        panic!("an invariant is broken");
    }
    let myself = std::env::current_exe().unwrap();
    let output = Command::new(myself)
        .args(["--exact", "bug::a_broken_invariant_ends_with_70"])
        .env(BREAK, "yes")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(70), "{output:?}");
}
