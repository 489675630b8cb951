//! The real binary against a real cluster, which `cargo sandbox test` starts.
//!
//! Every test works in its own namespace and deletes it afterwards. Tests that stop the API server
//! hold it exclusively; all others share it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where its assumption does"
)]

mod api_server;
mod applies;
mod at_once;
mod audit;
mod browser;
mod causes;
#[expect(dead_code, reason = "the simulation draws times, too")]
#[path = "../simulation/draw.rs"]
mod draw;
mod dry_runs;
mod experiments;
mod harness;
mod identity;
mod inventory;
mod kinds;
#[path = "../../crates/kubectl-config/tests/kubeconfigs/mod.rs"]
mod kubeconfigs;
mod kubelet;
mod manifest_meaning;
mod migration;
mod model;
mod one_file;
mod ownership;
mod permissions;
#[path = "../it/program_cases.rs"]
mod program_cases;
mod refusals;
mod refused_applies;
mod replacement;
mod replicas;
mod reports;
mod roll;
mod sabotage;
mod servers;
mod sets;
mod several_managers;
mod stalls;
mod steering;
mod story;
mod twin;
mod up_and_down;
