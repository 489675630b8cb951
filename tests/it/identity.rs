//! The identity of `cryptoctl` on the wire: what its flags say arrives where the table says.

use crate::kubeconfigs::{check, test_each_group};
use crate::program_cases::{cases, cryptoctl};

test_each_group!([cryptoctl()], flags impersonation exec);

#[test]
fn own_flags_and_hints() {
    check(&[cryptoctl()], &cases());
}
