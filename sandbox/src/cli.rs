//! The command line: types only.

use clap::{Args, Parser, Subcommand};

use crate::components;
use crate::instance::InstanceName;

/// A real Kubernetes on this machine, from plain processes.
#[derive(Debug, Parser)]
#[command(name = "cryptoctl-sandbox", version, bin_name = "cargo sandbox")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a cluster, or repair the existing one, and print the path of its kubeconfig
    Start(Name),
    /// Stop the cluster and remove everything that it created
    Stop(Name),
    /// Show the health of each component; the exit status is 0 if all are healthy
    Status(Name),
    /// Print the path of the kubeconfig
    Kubeconfig(Name),
    /// Show what this machine lacks, and how to fix it
    Doctor,
    /// Kill or freeze a component to test failures; `start` repairs it
    Kill(Kill),
    /// Run every test: the hermetic ones, then the end-to-end tests on a sandbox started for them
    Test(Test),
    /// Apply each mutation to a copy of the source and check that the simulation finds it
    Mutations(Mutations),
    /// Demonstrate cryptoctl on a sandbox started for it
    Demo(Demo),
    /// Measure the release build against kubectl and helm, and write docs/benchmarks.md
    Bench(Bench),
    /// Create nodes for hundreds of replicas, when `bench` needs them
    #[command(hide = true)]
    FakeNodes(Name),
    /// Run the loopback registry, which `start` starts
    #[command(name = components::registry::COMMAND, hide = true)]
    ServeRegistry {
        #[arg(long)]
        port: u16,
    },
    /// Run the server behind the pods of fake nodes
    #[command(name = components::keys::COMMAND, hide = true)]
    ServeKeys {
        #[arg(long)]
        port: u16,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Name {
    /// Name of the sandbox; several can run side by side
    #[arg(long, default_value = "default")]
    pub(crate) name: InstanceName,
}

#[derive(Debug, Args)]
pub(crate) struct Kill {
    /// The component
    #[arg(value_parser = components::NAMES)]
    pub(crate) component: String,
    /// Stop its process without ending it, so that it accepts connections but never answers
    #[arg(long, conflicts_with = "thaw")]
    freeze: bool,
    /// Let a frozen process continue
    #[arg(long)]
    thaw: bool,
    #[command(flatten)]
    pub(crate) name: Name,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Name of the sandbox to start and stop
    #[arg(long, default_value = "test")]
    pub(crate) name: InstanceName,
    /// Keep the sandbox running afterwards
    #[arg(long)]
    pub(crate) keep: bool,
    /// Arguments for the end-to-end tests: a filter, `--nocapture` …
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Mutations {
    /// Only these mutations, named as the files in `tests/mutations`
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Name of the sandbox to start and stop
    #[arg(long, default_value = "demo")]
    pub(crate) name: InstanceName,
    /// Keep the sandbox running afterwards
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Name of the sandbox to start and stop
    #[arg(long, default_value = "bench")]
    pub(crate) name: InstanceName,
    /// Keep the sandbox running afterwards
    #[arg(long)]
    pub(crate) keep: bool,
    /// Number of measured runs of each tool
    #[arg(long, default_value_t = 10)]
    pub(crate) runs: u32,
    /// Measure only this, such as `scale`, and write no documents; repeatable
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
}

/// The faults of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Kill,
    Freeze,
    Thaw,
}

impl Kill {
    /// The fault that the flags select.
    pub(crate) fn fault(&self) -> Fault {
        match (self.freeze, self.thaw) {
            (true, _) => Fault::Freeze,
            (_, true) => Fault::Thaw,
            _ => Fault::Kill,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
