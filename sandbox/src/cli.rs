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
    /// Start a cluster, or heal the one there is, and print its kubeconfig's path
    Start(Name),
    /// Stop the cluster and remove everything that it made
    Stop(Name),
    /// Show how each component is; the exit status is 0 when all are healthy
    Status(Name),
    /// Print the kubeconfig's path
    Kubeconfig(Name),
    /// Show what this machine lacks, and the remedies
    Doctor,
    /// Kill or freeze a component, to see what happens; `start` heals it
    Kill(Kill),
    /// Run every test: the hermetic ones, then the end-to-end tests on a sandbox started for them
    Test(Test),
    /// Plant bugs in a copy of the source, one after the other, and see whether the simulation finds each
    PlantedBugs(PlantedBugs),
    /// Show cryptoctl at work on a sandbox started for it
    Demo(Demo),
    /// Measure the release build against kubectl and helm, and write docs/benchmarks.md
    Bench(Bench),
    /// Nodes for hundreds of replicas, for which `bench` asks when it comes to them
    #[command(hide = true)]
    FakeNodes(Name),
    /// The loopback registry, started by `start`
    #[command(name = components::registry::COMMAND, hide = true)]
    ServeRegistry {
        #[arg(long)]
        port: u16,
    },
    /// What the pods of fake nodes answer, started for them
    #[command(name = components::keys::COMMAND, hide = true)]
    ServeKeys {
        #[arg(long)]
        port: u16,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Name {
    /// Which sandbox; several can run side by side
    #[arg(long, default_value = "default")]
    pub(crate) name: InstanceName,
}

#[derive(Debug, Args)]
pub(crate) struct Kill {
    /// The component
    #[arg(value_parser = components::NAMES)]
    pub(crate) component: String,
    /// Stop its process without ending it, so that it accepts connections and never answers
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
    /// Which sandbox to start and stop
    #[arg(long, default_value = "test")]
    pub(crate) name: InstanceName,
    /// Leave the sandbox running afterwards
    #[arg(long)]
    pub(crate) keep: bool,
    /// Handed on to the end-to-end tests: a filter, `--nocapture` …
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct PlantedBugs {
    /// Only these, as the files in `tests/planted` are named
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Which sandbox to start and stop
    #[arg(long, default_value = "demo")]
    pub(crate) name: InstanceName,
    /// Leave the sandbox running afterwards
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Which sandbox to start and stop
    #[arg(long, default_value = "bench")]
    pub(crate) name: InstanceName,
    /// Leave the sandbox running afterwards
    #[arg(long)]
    pub(crate) keep: bool,
    /// How often each tool does each piece of work
    #[arg(long, default_value_t = 10)]
    pub(crate) runs: u32,
    /// Measure this alone, such as `scale`, and write no documents; can be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
}

/// What happens to a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Kill,
    Freeze,
    Thaw,
}

impl Kill {
    /// The fault that the flags ask for.
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
