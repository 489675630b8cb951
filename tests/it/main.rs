//! Hermetic tests.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "in helpers of tests, too, a broken assumption is to fail the test at once"
)]

#[expect(
    dead_code,
    reason = "the harness offers more than the tests ask of it so far"
)]
mod harness;
#[expect(
    dead_code,
    reason = "kubectl only runs in the end-to-end tests, which share this table"
)]
#[path = "../../crates/kubectl-config/tests/kubeconfigs/mod.rs"]
mod kubeconfigs;

mod architecture;
mod bad_input;
mod bounds;
mod bug;
mod chaos;
mod cli_reference;
mod client;
mod config;
mod connection;
mod consent;
mod credentials;
mod down;
mod habits;
mod identity;
mod layers;
mod missing;
mod mutations;
mod no_api_server;
mod permissions;
mod picture;
mod program_cases;
mod readme;
mod refusals;
mod report;
mod requests;
mod restarts;
mod rollout;
mod sabotage;
mod streams;
mod up;
mod verify;
mod writes;
