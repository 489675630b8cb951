//! The `cryptoctl` command.
fn main() {}
