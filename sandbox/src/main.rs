//! Runs a real Kubernetes on this machine.
fn main() {}
