//! Runs a real Kubernetes on one bare Linux machine: API server, controller manager, scheduler,
//! kubelet, etcd and containerd as plain processes, to develop and test cryptoctl on.

mod api;
mod browser;
mod cache;
mod certificates;
mod cgroup;
mod cli;
mod cluster;
mod command;
mod commands;
mod component;
mod components;
mod doctor;
mod error;
mod fake_nodes;
mod files;
mod folder_lock;
mod foreground;
mod image;
mod instance;
mod interrupt;
mod keys;
mod kubeconfig;
mod leftovers;
mod mounts;
mod mutation;
mod network;
mod packages;
mod ports;
mod process;
mod random;
mod registry;
mod supervisor;
mod terminal;
mod toolchain;
mod tools;
mod volumes;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use error::SandboxError;
use interrupt::Interrupt;

fn main() -> ExitCode {
    match run(&Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            terminal::progress(error.render());
            ExitCode::FAILURE
        }
    }
}

/// Runs a command; `false` means that it worked but its result is negative.
fn run(command: &Command) -> Result<bool, SandboxError> {
    let listen = || Interrupt::listen().map_err(SandboxError::Signals);
    let needs_root = !matches!(command, Command::Doctor | Command::Mutations(_));
    if needs_root && !rustix::process::geteuid().is_root() {
        return Err(SandboxError::NotRoot);
    }
    match command {
        Command::Start(name) => commands::start::run(&name.name, &listen()?).map(|()| true),
        Command::Stop(name) => commands::stop::run(&name.name).map(|()| true),
        Command::Status(name) => commands::status::run(&name.name, &listen()?),
        Command::Kubeconfig(name) => commands::kubeconfig(&name.name).map(|()| true),
        Command::Doctor => Ok(commands::doctor::run()),
        Command::Mutations(mutations) => commands::mutations::run(&mutations.names, &listen()?),
        Command::Kill(kill) => {
            commands::kill::run(&kill.name.name, &kill.component, kill.fault()).map(|()| true)
        }
        Command::Test(test) => {
            commands::test::run(&test.name, test.keep, &test.arguments, &listen()?).map(|()| true)
        }
        Command::Demo(demo) => {
            commands::demo::run(&demo.name, demo.keep, &listen()?).map(|()| true)
        }
        Command::Bench(bench) => commands::bench::run(bench, &listen()?).map(|()| true),
        Command::FakeNodes(name) => {
            commands::fake_nodes::run(&name.name, &listen()?).map(|()| true)
        }
        Command::ServeRegistry { port } => registry::serve(*port)
            .map(|()| true)
            .map_err(SandboxError::Registry),
        Command::ServeKeys { port } => keys::serve(*port)
            .map(|()| true)
            .map_err(SandboxError::Keys),
    }
}
