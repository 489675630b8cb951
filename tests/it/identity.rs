//! The identity of `cryptoctl` on the wire, compared with the table of kubeconfigs.

use crate::kubeconfigs::{Program, test_each_group};

test_each_group!([Program::Cryptoctl]);
