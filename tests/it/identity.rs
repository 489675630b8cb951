//! Who `cryptoctl` is on the wire, held against the table of kubeconfigs.

use crate::kubeconfigs::{Program, test_each_group};

test_each_group!([Program::Cryptoctl]);
