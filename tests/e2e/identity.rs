//! The identity of kubectl and `cryptoctl` on the wire, both compared with the table of
//! kubeconfigs.

use crate::harness::variable;
use crate::kubeconfigs::{Program, test_each_group};

fn programs() -> [Program; 2] {
    [
        Program::Kubectl(variable("CRYPTOCTL_SANDBOX_KUBECTL").into()),
        Program::Cryptoctl,
    ]
}

test_each_group!(programs());

/// Only root can give a program a pod's files, so this test runs alone.
#[test]
fn in_pod() {
    crate::kubeconfigs::check(&programs(), &crate::kubeconfigs::cases::in_pod::cases());
}
