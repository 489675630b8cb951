//! Who kubectl and `cryptoctl` are on the wire, both held against the table of kubeconfigs.

use crate::harness::variable;
use crate::kubeconfigs::{Program, test_each_group};

fn programs() -> [Program; 2] {
    [
        Program::Kubectl(variable("CRYPTOCTL_SANDBOX_KUBECTL").into()),
        Program::Cryptoctl,
    ]
}

test_each_group!(programs());
