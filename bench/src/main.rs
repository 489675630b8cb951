//! Measures the tool's release build against kubectl and helm, on one cluster and in one run.
//!
//! `cargo sandbox bench` builds the programs, starts the cluster and runs this ([`environment`]).
//! The measurements are data ([`work`]); a runner measures them in alternating order ([`runner`]),
//! each run in a small process of its own ([`measure`]); the API server's audit log counts the
//! requests ([`audit`]); the documents are generated from the figures alone ([`document`],
//! [`chart`]).

mod audit;
mod chart;
mod cli;
mod document;
mod environment;
mod error;
mod goal;
mod machine;
mod measure;
mod objects;
mod recovery;
mod results;
mod runner;
mod session;
mod stage;
mod statistics;
mod terminal;
mod work;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use environment::Environment;
use error::BenchError;
use stage::Stage;

fn main() -> ExitCode {
    match run(&Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::progress(error.render());
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<(), BenchError> {
    match command {
        Command::Check(selection) => selection.check(),
        Command::Run(selection) => {
            selection.check()?;
            session::run(selection, &Environment::read()?)
        }
        Command::Clean => Stage::new(&Environment::read()?).clean(),
        Command::Measure { piece, into } => Ok(measure::run(piece, into)?),
    }
}
