#![doc = include_str!("../README.md")]
#![expect(
    clippy::unwrap_used,
    reason = "the model is for tests, which a broken assumption is to fail at once"
)]

mod access;
mod base64;
mod clock;
mod cluster;
mod controllers;
mod defaults;
mod disturbances;
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

pub use disturbances::Disturbance;
pub use faults::{Fault, Page, Rule};
pub use journal::{Executed, Request};
pub use pods::{Framing, PodScript, Pods, Reply, Served, When};
pub use random::Random;
pub use seam::Seam;
pub use server::ApiServer;
pub use store::{Change, ChangeKind, Key};
