//! The `cryptoctl` command.

use std::alloc::System;
use std::process::ExitCode;

use cap::Cap;

/// Counts what is held, so that nobody from outside decides how much that is. It never refuses.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

fn main() -> ExitCode {
    cryptoctl::memory::measure_by(|| MEMORY.allocated());
    cryptoctl::run(std::env::args_os())
}
