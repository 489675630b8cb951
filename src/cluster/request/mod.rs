//! One request and what comes of it: when it is sent, repeated, refused or given up.

pub(crate) mod decode;
pub(crate) mod denial;
pub(crate) mod exchange;
pub(crate) mod failure;
pub(crate) mod health;
pub(crate) mod heartbeat;
pub(crate) mod jitter;
pub(crate) mod refusal;
pub(crate) mod sender;
pub(crate) mod warning;
