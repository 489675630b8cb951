//! The `cryptoctl` command.

use std::alloc::System;
use std::process::ExitCode;

use cap::Cap;

/// Counts allocated memory, so that data from outside cannot use too much. It never refuses an
/// allocation.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

fn main() -> ExitCode {
    cryptoctl::memory::measure_by(|| MEMORY.allocated());
    cryptoctl::run(std::env::args_os())
}
