//! The identity of kubectl and `cryptoctl` on the wire, both compared with the table of kubeconfigs.

use crate::harness::variable;
use crate::kubeconfigs::cases::in_pod;
use crate::kubeconfigs::{Program, check, test_each_group};
use crate::program_cases;

fn programs() -> [Program; 2] {
    [
        Program::Kubectl(variable("CRYPTOCTL_SANDBOX_KUBECTL").into()),
        program_cases::cryptoctl(),
    ]
}

test_each_group!(programs());

#[test]
fn own_flags_and_hints() {
    check(&programs(), &program_cases::cases());
}

/// Only root can give a program a pod's files, so this test runs alone.
#[test]
fn in_pod() {
    check(&programs(), &in_pod::cases());
}
