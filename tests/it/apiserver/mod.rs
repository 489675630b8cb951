//! A Kubernetes API server as a state machine inside the test process.
//!
//! The model answers as Kubernetes 1.37 does, as far as the tests need it; where a rule comes from a file of Kubernetes'
//! sources, the comment beside it names the file. Time is tokio's (so a test may pause it), randomness comes from a seed.

mod base64;
mod clock;
mod defaults;
mod failure;
mod fields;
mod kinds;
mod object;
mod random;
mod schema;
mod selector;
mod store;
