//! The identity of a program of this crate on the wire, compared with the table of kubeconfigs.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "in helpers of tests, too, a broken assumption is to fail the test at once"
)]

#[expect(
    dead_code,
    reason = "kubectl and pods are for those who hold other programs against this table"
)]
mod kubeconfigs;

use std::path::PathBuf;

use kubeconfigs::{Program, test_each_group};

/// The example, which cargo builds before the tests, unless only some targets are chosen.
fn example() -> Program {
    let test = std::env::current_exe().unwrap();
    let built: PathBuf = [test.parent().unwrap(), "../examples/pods".as_ref()]
        .iter()
        .collect();
    let path = built.canonicalize();
    let path =
        path.expect("the example is missing: run the tests by `cargo test --workspace identity::`");
    Program::Ours(vec![path.to_str().unwrap().to_owned()])
}

/// In a module, so that its name chooses these tests among all.
mod identity {
    use super::{example, test_each_group};

    test_each_group!([example()]);
}
