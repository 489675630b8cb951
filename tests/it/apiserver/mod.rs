//! A Kubernetes API server as a state machine inside the test process.
//!
//! The model answers as Kubernetes 1.37 does, as far as the tests need it; where a rule comes from a file of Kubernetes'
//! sources, the comment beside it names the file. Time is tokio's (so a test may pause it), randomness comes from a seed,
//! and all of the state changes in one place (`state::Shared::with`). The same server can be reached in two ways:
//!
//! - [`ApiServer::client`] and [`ApiServer::service`]: a tower service below a `kube::Client`, without any socket;
//! - [`ApiServer::listen`]: HTTP/1.1 on a loopback port, for the real binary.

mod access;
mod base64;
mod clock;
mod cluster;
mod controllers;
pub(crate) mod deeds;
mod defaults;
mod encryption;
mod failure;
mod faults;
mod fields;
pub(crate) mod journal;
mod kinds;
mod listener;
mod metadata;
pub(crate) mod object;
pub(crate) mod pods;
pub(crate) mod random;
mod requests;
mod schema;
mod seam;
mod selector;
mod server;
mod signal;
mod state;
pub(crate) mod store;

pub(crate) use faults::{Fault, Page, Rule};
pub(crate) use pods::{Framing, PodScript, Pods, Reply};
pub(crate) use server::ApiServer;
