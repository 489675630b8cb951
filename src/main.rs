//! The `cryptoctl` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    cryptoctl::run(std::env::args_os())
}
