//! A Kubernetes API server as a state machine inside the test process.
//!
//! The model answers as Kubernetes 1.37 does, as far as the tests need it; where a rule comes from a file of Kubernetes'
//! sources, the comment beside it names the file. Time is tokio's (so a test may pause it), randomness comes from a seed,
//! and all of the state changes in one place (`state::Shared::with`). The same server can be reached in two ways:
//!
//! - [`ApiServer::client`] and [`ApiServer::service`]: a tower service below a `kube::Client`, without any socket;
//! - [`ApiServer::listen`]: HTTP/1.1 on a loopback port, for the real binary.
#![expect(
    clippy::unwrap_used,
    reason = "the model is for tests, which a broken assumption is to fail at once"
)]

mod access;
mod base64;
mod clock;
mod cluster;
mod controllers;
mod deeds;
mod defaults;
mod encryption;
mod failure;
mod faults;
mod fields;
mod journal;
mod kinds;
mod listener;
mod metadata;
pub mod object;
mod pods;
mod random;
mod requests;
mod schema;
mod seam;
mod selector;
mod server;
mod signal;
mod state;
mod store;

pub use deeds::Deed;
pub use faults::{Fault, Page, Rule};
pub use journal::{Executed, Request};
pub use pods::{Framing, PodScript, Pods, Reply, Served, When};
pub use random::Random;
pub use seam::Seam;
pub use server::ApiServer;
pub use store::{Change, ChangeKind, Key};
